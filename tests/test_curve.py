"""The curve, against SciPy's solver and data that lie exactly on it."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls as scipy_nnls

from estimator.curve import Basis, block_sums, bootstrap_weights, fit_curves, nnls, nnls_batch


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(8, 60))
@example(240, 7, 8)  # where sweeps over the terms end a tenth above
def test_nnls_minimises_as_well_as_scipy(seed: int, terms: int, rows: int) -> None:
    dice = np.random.default_rng(seed)
    design = dice.gamma(0.5, 1.0, (rows, terms))
    target = design @ dice.choice([0.0, 1.0, 5.0], terms) + dice.normal(0, 0.5, rows)

    ours = nnls(design.T @ design, design.T @ target)
    theirs, residual = scipy_nnls(design, target)

    assert (ours >= 0).all()
    # Where columns are nearly collinear the coefficients may differ; what they minimise may not.
    assert np.linalg.norm(design @ ours - target) == pytest.approx(residual, rel=1e-4, abs=1e-6)
    assert theirs.shape == ours.shape


def test_a_batch_solves_each_problem_by_itself() -> None:
    dice = np.random.default_rng(3)
    designs = dice.gamma(1.0, 1.0, (20, 30, 4))
    targets = dice.gamma(1.0, 1.0, (20, 30))
    gram, right = np.einsum("dnk,dnl->dkl", designs, designs), np.einsum("dnk,dn->dk", designs, targets)

    together = nnls_batch(gram, right, start=None)

    for n in range(20):
        assert together[n] == pytest.approx(scipy_nnls(designs[n], targets[n])[0], abs=1e-4)


def test_rates_that_lie_on_the_curve_are_met_exactly() -> None:
    counts = np.random.default_rng(1).gamma(0.7, 10.0, (80, 3))
    basis = Basis.of(counts)
    phi = basis.features(counts)
    # One at the middle knot of each count, one straight line: nothing at no activity, as the still mailbox has it.
    truth = np.array([0.0, 3.0, 4.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0])

    curves = fit_curves(phi, phi @ truth, 200, np.random.default_rng(0))

    assert phi @ curves.point == pytest.approx(phi @ truth, rel=1e-3)
    new = basis.features(np.random.default_rng(2).gamma(0.7, 10.0, (500, 3)))
    assert (curves.draws @ new.sum(axis=0)) == pytest.approx(float((new @ truth).sum()), rel=1e-2)


def test_more_activity_never_lowers_the_rate() -> None:
    dice = np.random.default_rng(5)
    counts = dice.gamma(0.5, 20.0, (60, 3))
    rate = counts.sum(axis=1) ** 0.7 * dice.gamma(2.0, 0.5, 60)
    basis = Basis.of(counts)
    curves = fit_curves(basis.features(counts), rate, 50, dice)

    busier = basis.features(counts * 1.5) @ curves.draws.T

    assert (busier >= basis.features(counts) @ curves.draws.T - 1e-9).all()


def test_fitted_and_observed_totals_agree() -> None:
    dice = np.random.default_rng(6)
    counts = dice.gamma(0.5, 20.0, (60, 3))
    rate = dice.gamma(0.5, 30.0, 60)
    phi = Basis.of(counts).features(counts)
    curves = fit_curves(phi, rate, 100, dice)

    assert (phi @ curves.point).sum() == pytest.approx(rate.sum())
    fitted = np.einsum("dk,dk->d", curves.weighted_sums(phi), curves.draws)
    assert fitted == pytest.approx(curves.weighted_sums(rate))


def test_what_saturates_is_followed_to_the_busiest() -> None:
    """Rates stop at 300 a day; with one bend at the middle the busiest mailboxes came out at twice that."""
    dice = np.random.default_rng(11)
    counts = np.exp(1.6 * dice.standard_normal((4000, 1))) * np.array([2.0, 40.0, 30.0])
    truth = 300 * -np.expm1(-counts[:, 1] / 300)
    basis = Basis.of(counts[:400])
    curves = fit_curves(basis.features(counts[:400]), truth[:400], 100, dice)

    expected = basis.features(counts[400:]) @ curves.draws.T

    assert expected.mean(axis=1).sum() == pytest.approx(truth[400:].sum(), rel=0.05)
    busiest = np.argsort(-truth[400:])[:36]
    assert expected.mean(axis=1)[busiest].mean() < 1.5 * truth[400:][busiest].mean()


def test_where_only_the_busy_were_sampled_no_floor_is_made_up_for_the_quiet() -> None:
    """Eighty mailboxes of 40 to 400 messages a day; those that join have 1 to 40, and a rate in proportion."""
    dice = np.random.default_rng(12)
    busy, quiet = np.exp(dice.uniform(np.log(40), np.log(400), 80)), np.exp(dice.uniform(0, np.log(40), 500))

    def counts(mails: np.ndarray) -> np.ndarray:
        return mails[:, None] * np.array([0.05, 1.0, 0.7])

    def rate(mails: np.ndarray) -> np.ndarray:
        return 400 * -np.expm1(-mails / 400)

    basis = Basis.of(counts(busy))
    curves = fit_curves(basis.features(counts(busy)), rate(busy) * dice.gamma(10.0, 0.1, 80), 300, dice)

    expected = (basis.features(counts(quiet)) @ curves.draws.T).sum(axis=0)

    # 1.9 times as much without the mailbox of no activity, and P10 above the truth.
    assert expected.mean() < 1.6 * rate(quiet).sum()
    low, high = np.quantile(expected, [0.1, 0.9])
    assert low < rate(quiet).sum() < high


def test_few_mailboxes_are_fitted_on_one_folded_index() -> None:
    few = Basis.of(np.random.default_rng(1).gamma(1.0, 1.0, (12, 3)))
    many = Basis.of(np.random.default_rng(1).gamma(1.0, 1.0, (120, 3)))

    assert few.features(np.ones((2, 3))).shape == (2, 3)
    assert many.features(np.ones((2, 3))).shape == (2, 13)


@pytest.mark.parametrize("n", [50, 5000])
def test_the_bootstrap_has_the_variance_of_a_sum(n: int) -> None:
    """Blocked or not, the weighted sum varies like the sum of n independent mailboxes."""
    dice = np.random.default_rng(9)
    values = dice.gamma(0.5, 2.0, n)

    spent = 7
    block, weights = bootstrap_weights(n, spent, 6000, dice)
    sums = weights @ block_sums(values, block, weights.shape[1])

    assert sums.mean() == pytest.approx(values.sum(), rel=0.02)
    # Gamma weights of variance n / (n - spent) on raw values; blocks add their means, so compare about the mean.
    deviations = (weights @ block_sums(values - values.mean(), block, weights.shape[1])).var()
    assert deviations == pytest.approx(((values - values.mean()) ** 2).sum() * n / (n - spent), rel=0.15)
