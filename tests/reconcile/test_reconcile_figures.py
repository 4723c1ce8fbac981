"""The arithmetic of `reconcile`, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from estimator import catalog
from estimator.forecast import Spread
from estimator.reconcile.figures import Figure, Length, Z, learnt, log_sd, part, recalibrated, together

MONTH = Length(4.0, 20)


def lognormal(median: float, sd: float) -> Spread:
    return Spread(median * math.exp(sd**2 / 2), median * math.exp(-Z * sd), median, median * math.exp(Z * sd))


def same(one: Spread, other: Spread) -> None:
    assert list(one.to_json().values()) == pytest.approx(list(other.to_json().values()))


def test_a_whole_month_is_the_forecast_itself() -> None:
    month = lognormal(1000, 0.2)
    whole = part(month, 1.0, MONTH, MONTH)

    same(whole.spread, month)
    # The swing of a week, 0.065, over four weeks: what lasts is a little less than all.
    assert whole.lasting == pytest.approx(math.sqrt(0.2**2 - 0.065**2 / 4))


def test_a_week_of_a_month_is_wider_than_its_share() -> None:
    """s = 0.065 and c = 0.066: from four weeks and 20 weekdays to one week and 5."""
    week = part(lognormal(1000, 0.2), 0.25, Length(1.0, 5), MONTH)

    variance = 0.04 + 0.065**2 * (1 - 1 / 4) + 0.066**2 * (1 / 5 - 1 / 20)
    assert week.spread.p50 == pytest.approx(250)
    assert week.spread.p90 == pytest.approx(250 * math.exp(Z * math.sqrt(variance)))
    assert week.spread.mean == pytest.approx(0.25 * lognormal(1000, 0.2).mean)


def test_months_together_move_together_in_what_lasts() -> None:
    one, other = (part(lognormal(median, 0.2), 1.0, MONTH, MONTH) for median in (1000.0, 3000.0))
    both = together([one, other])

    assert both.spread.p50 == pytest.approx(4000)
    assert both.lasting == pytest.approx(one.lasting)
    assert both.length == Length(8.0, 40)
    # The weeks of two months swing less than those of one.
    assert log_sd(both.spread) == pytest.approx(math.sqrt(0.2**2 - 0.065**2 / 4 + 0.065**2 / 8))
    assert together([one]) is one


def test_the_factor_by_hand() -> None:
    """Half as much again came as the median says, in two weeks of ten weekdays, of 10,000 records."""
    days = Figure(lognormal(1000, 0.3), 0.3, Length(2.0, 10), Length(2.0, 10))
    factor = learnt(days, 1500.0, 10_000.0)

    noise = 0.065**2 / 2 + 0.066**2 / 10 + 16 / 10_000
    weight = 0.09 / (0.09 + noise)
    assert factor is not None
    assert factor.weight == pytest.approx(weight)
    assert factor.quantile(0) == pytest.approx(1.5**weight)
    assert factor.sd == pytest.approx(math.sqrt(1 / (1 / 0.09 + 1 / noise)))
    assert 1 < factor.quantile(-Z) < factor.quantile(0) < 1.5 < factor.quantile(Z)


def test_the_rest_by_hand() -> None:
    """A month to come with the same lasting spread: it moves by the factor and keeps the swing of its own weeks."""
    days = Figure(lognormal(1000, 0.3), 0.3, Length(2.0, 10), Length(2.0, 10))
    factor = learnt(days, 1500.0, 1e9)
    assert factor is not None
    rest = part(lognormal(2000, math.sqrt(0.09 + 0.065**2 / 4)), 1.0, MONTH, MONTH)
    after = recalibrated(rest, factor)

    variance = factor.sd**2 + 0.065**2 / 4 + 0.04**2
    same(after, lognormal(2000 * math.exp(factor.mean), math.sqrt(variance)))
    assert after.p90 - after.p10 < rest.spread.p90 - rest.spread.p10


def test_what_cannot_be_seen_yet_keeps_its_spread() -> None:
    """The rest has waves to come: lasting spread 0.5, of which the days that came can show 0.3."""
    factor = learnt(Figure(lognormal(1000, 0.3), 0.3, Length(9.0, 45), Length(9.0, 45)), 1000.0, 1e9)
    assert factor is not None
    rest = Figure(lognormal(2000, 0.5), 0.5, MONTH, MONTH)
    after = recalibrated(rest, factor)

    assert log_sd(after) == pytest.approx(math.sqrt(factor.sd**2 + 0.25 - 0.09 + 0.04**2))


def test_a_rest_of_little_spread_follows_as_far_as_it_may() -> None:
    factor = learnt(Figure(lognormal(1000, 0.3), 0.3, Length(9.0, 45), Length(9.0, 45)), 2000.0, 1e9)
    assert factor is not None
    narrow = Figure(lognormal(2000, 0.1), 0.1, MONTH, MONTH)
    assert recalibrated(narrow, factor).p50 == pytest.approx(2000 * math.exp(factor.mean / 3))
    sure = Figure(Spread(5.0, 5.0, 5.0, 5.0), 0.0, MONTH, MONTH)
    same(recalibrated(sure, factor), sure.spread)


def test_it_never_gets_wider_and_nothing_is_learnt_from_nothing() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        sd, other = rng.uniform(0.01, 1.5, 2)
        length = Length(rng.uniform(0.1, 50), int(rng.integers(0, 200)))
        seen = part(lognormal(100, sd), rng.uniform(0.01, 1), length, Length(52.0, 260))
        factor = learnt(seen, float(rng.uniform(1, 1000)), 1e5)
        assert factor is not None
        rest = part(lognormal(100, other), 1.0, MONTH, MONTH)
        assert (log_sd(recalibrated(rest, factor)) or 0) <= (log_sd(rest.spread) or 0) * (1 + 1e-9)
    reaches_nothing = part(Spread(5.0, 0.0, 2.0, 20.0), 1.0, MONTH, MONTH)
    assert reaches_nothing.lasting is None
    assert learnt(reaches_nothing, 5.0, 100.0) is None
    assert learnt(part(lognormal(100, 0.2), 1.0, MONTH, MONTH), 0.0, 100.0) is None


def test_the_factor_holds_what_it_was_drawn_from() -> None:
    """Known truth: lasting deviations and weeks drawn as the equations say; P10 to P90 holds 80 %, the rest too."""
    rng, held, rests = np.random.default_rng(5), 0, 0
    trials, length = 4000, Length(4.0, 20)
    days = Figure(lognormal(1000, 0.25), 0.25, length, length)
    week, drift = catalog.priors().week_swing_log_sd.value, catalog.priors().drift_log_sd.value
    for _ in range(trials):
        lasting = rng.normal(0, 0.25)
        came = 1000 * math.exp(lasting + rng.normal(0, math.sqrt(length.noise)))
        factor = learnt(days, came, 1e12)
        assert factor is not None
        held += factor.quantile(-Z) <= math.exp(lasting) <= factor.quantile(Z)
        after = recalibrated(Figure(lognormal(1000, math.hypot(0.25, week / 2)), 0.25, length, length), factor)
        to_come = 1000 * math.exp(lasting + rng.normal(0, math.hypot(drift, week / 2)))
        rests += after.p10 <= to_come <= after.p90
    # 80 % of 4000, give or take three standard errors of 0.6 %.
    assert held / trials == pytest.approx(0.8, abs=0.02)
    assert rests / trials == pytest.approx(0.8, abs=0.02)
