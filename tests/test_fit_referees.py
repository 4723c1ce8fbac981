"""The fit against independent ones on the same data: SciPy's solver and SciPy's distributions are the referees."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from benchmarks.accuracy import table
from estimator import catalog
from estimator.calendar import SATURDAY, SUNDAY, WEEKDAY, fit_weights
from estimator.curve import _STILL, Basis, bootstrap_weights, fit_curves
from estimator.draws import Draws
from estimator.joining import Population, Sampled
from estimator.learnt import learn

DRAWS = Draws(2000, 5)
#: Below this a fixed seed would have met one case in a thousand: the distributions differ.
LEAST_P = 1e-3


def tenant(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Activity counts and rates that saturate, with scatter: neither lies on a curve of ours."""
    dice = np.random.default_rng(seed)
    counts = np.exp(1.3 * dice.standard_normal((n, 1))) * dice.gamma(4.0, 5.0, (n, 3))
    rate = 200 * -np.expm1(-counts.sum(axis=1) / 200) * dice.gamma(3.0, 1 / 3, n)
    return counts, rate


def still(terms: int, n: int, mean: float, weight: float) -> np.ndarray:
    """The row, already weighted, of the mailbox of no activity: a design of ones in the first term alone."""
    row = np.zeros((1, terms))
    row[0, 0] = np.sqrt(weight * n * (0.05 * mean) ** -1.5)
    return row


@pytest.mark.parametrize(("n", "seed"), [(30, 1), (60, 2), (400, 3)])
def test_the_curve_is_what_scipy_fits_to_the_same_weighted_mailboxes(n: int, seed: int) -> None:
    counts, rate = tenant(n, seed)
    phi = Basis.of(counts).features(counts)
    mu, mean = np.full(n, rate.mean()), rate.mean()
    for _ in range(4):
        root = (mu + 0.05 * mean) ** -0.75
        design = np.vstack([root[:, None] * phi, still(phi.shape[1], n, mean, _STILL[0])])
        theirs, _ = optimize.nnls(design, np.append(root * rate, 0.0))
        mu = phi @ theirs
    theirs *= rate.sum() / mu.sum()

    ours = fit_curves(phi, rate, 10, np.random.default_rng(0)).point

    assert phi @ ours == pytest.approx(phi @ theirs, rel=5e-3, abs=1e-3 * mean)


def test_each_draw_of_the_curve_is_what_scipy_fits_to_the_mailboxes_as_it_weighs_them() -> None:
    n, draws = 120, 40
    counts, rate = tenant(n, 4)
    phi, mean = Basis.of(counts).features(counts), rate.mean()
    curves = fit_curves(phi, rate, draws, np.random.default_rng(7))
    mu, terms = np.full(n, mean), phi.shape[1]
    for _ in range(4):
        root = (mu + 0.05 * mean) ** -0.75
        design = np.vstack([root[:, None] * phi, still(terms, n, mean, _STILL[0])])
        first = optimize.nnls(design, np.append(root * rate, 0.0))[0]
        mu = phi @ first
    root = (mu + 0.05 * mean) ** -0.75
    again = np.random.default_rng(7)  # the same weights from the same stream
    block, weights = bootstrap_weights(n, int((first > 1e-9).sum()), draws, again)
    held = _STILL[0] * np.exp(_STILL[1] * again.standard_normal(draws))

    for draw in range(draws):
        w = weights[draw, block]
        design = np.vstack([np.sqrt(w)[:, None] * root[:, None] * phi, still(terms, n, mean, held[draw])])
        theirs = optimize.nnls(design, np.append(np.sqrt(w) * root * rate, 0.0))[0]
        theirs *= (w * rate).sum() / (w * (phi @ theirs)).sum()
        assert (phi @ curves.draws[draw]).sum() == pytest.approx((phi @ theirs).sum(), rel=2e-3)


def test_weekends_weigh_what_scipys_gamma_posterior_says() -> None:
    priors, dispersion_of = catalog.priors(), catalog.priors().weekday_cv.value ** 2
    kinds = np.array([WEEKDAY] * 10 + [SATURDAY] * 2 + [SUNDAY] * 2)
    events = np.array([900.0, 1000, 1100, 1000, 1000, 950, 1050, 1000, 1000, 1000, 180, 220, 150, 160])

    drawn = fit_weights(events, kinds, DRAWS).draws

    for kind, seen, prior in ((SATURDAY, 400.0, priors.saturday_factor), (SUNDAY, 310.0, priors.sunday_factor)):
        k, strength = 1 + dispersion_of * prior.value * 1000.0, priors.weekend_log_sd.value**-2
        posterior = stats.gamma(strength + seen / k, scale=1 / (strength / prior.value + 2 * 1000.0 / k))
        assert stats.kstest(drawn[kind], posterior.cdf).pvalue > LEAST_P


def test_the_factors_have_scipys_distributions() -> None:
    mean, variance = np.full(2000, 50.0), np.full(2000, 400.0)
    residual = np.random.default_rng(1).gamma(1.0, 0.4, 80)
    df, total = 6.0 + 80 - 3, 6.0 * 0.35 + residual.sum()

    drawn = {
        "gamma": (DRAWS.gamma(mean, variance, "a"), stats.gamma(6.25, scale=1 / 6.25)),
        "lognormal": (DRAWS.factor(0.3, "b"), stats.lognorm(0.3, scale=np.exp(-(0.3**2) / 2))),
        "inverse chi-square": (DRAWS.scatter(residual, 3, 0.35, 6.0, "c"), stats.invgamma(df / 2, scale=total / 2)),
    }

    for name, (ours, theirs) in drawn.items():
        assert stats.kstest(ours, theirs.cdf).pvalue > LEAST_P, name


def test_applications_are_beta_times_gamma() -> None:
    """Of 200 mailboxes of users 20 are touched, 50 times a day: Beta(20 + p, 181 - p), p ~ Beta(20.5, 180.5)."""
    people = Population(
        pd.RangeIndex(500), ["standard user"], np.zeros(500, np.intp), np.full((500, 3), 5.0), np.ones(500, bool)
    )
    apps = np.where(np.arange(200) < 20, 50.0, 0.0)
    sampled = Sampled(np.arange(200, dtype=np.intp), np.full(200, 30.0), apps)

    ours = learn(DRAWS, people, "Exchange/AttachmentAccess", sampled).app_rate[0]

    dice = np.random.default_rng(2)
    share = stats.beta.rvs(20.5, 180.5, size=20_000, random_state=dice)
    rate = 50 * stats.gamma.rvs(20, scale=1 / 20, size=20_000, random_state=dice)
    theirs = stats.beta.rvs(20 + share, 181 - share, size=20_000, random_state=dice) * rate
    assert stats.ks_2samp(ours, theirs).pvalue > LEAST_P


@pytest.mark.parametrize(("held", "n"), [(80, 100), (0, 12), (12, 12), (301, 400)])
def test_the_benchmarks_own_figures_are_scipys(held: int, n: int) -> None:
    theirs = stats.binomtest(held, n)
    interval = theirs.proportion_ci(0.95, method="wilson")

    assert table.wilson(held, n) == pytest.approx((interval.low, interval.high), abs=1e-9)
    assert table.sign_test(held, n) == pytest.approx(theirs.pvalue)
