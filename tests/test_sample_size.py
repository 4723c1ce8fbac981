"""`sample-size`: what it plans is what the estimator then says, and more sample is never wider."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.sample_size import run
from estimator.draws import Draws
from estimator.errors import UsageError
from estimator.rates import Holidays, fit_rates
from estimator.readiness import judge
from estimator.sample_size import SampleSize, not_bought, sample_size_of, share_of
from estimator.sampling import Planner
from tests.test_forecast import inventory
from tests.test_rates import MAIL_ITEMS, Lived

LAW_FIRM = Path(__file__).parents[1] / "sample_tenants" / "law_firm"
DRAWS = Draws(300, 0)


def planner(lived: Lived, reduced: pd.DataFrame | None, seed: int = 0) -> Planner:
    verdicts = judge(lived.tenant, reduced)
    draws = replace(DRAWS, seed=seed)
    return Planner(fit_rates(reduced, lived.tenant, verdicts, Holidays(), draws), verdicts, MAIL_ITEMS, draws)


@pytest.fixture(scope="module")
def lived() -> Lived:
    return Lived(days=14, mean=35)


def test_more_mailboxes_and_more_days_are_never_wider(lived: Lived) -> None:
    plan = planner(lived, lived.reduced(lived.records[lived.records["box"] < 10]))
    by_mailboxes = [plan.half_width(n, 14) for n in (0, 10, 30, 50, len(plan.joining))]
    assert all(wide > 1.05 * narrow for wide, narrow in pairwise(by_mailboxes))
    by_days = [plan.half_width(len(plan.joining), days) for days in (7, 14, 28)]
    assert by_days == sorted(by_days, reverse=True)


def test_with_all_of_them_sampled_what_no_sample_buys_is_left(lived: Lived) -> None:
    """Drift, the sampled and the coming weeks' swing, and what days share: nothing of mailboxes is open any more."""
    plan = planner(lived, lived.reduced(lived.records))
    left = 1.2816 * np.sqrt(0.04**2 + 0.065**2 / 4 + 0.066**2 / 20 + 0.065**2 / (365 / 7))
    assert plan.half_width(len(plan.joining), 28) == pytest.approx(left, rel=0.12)
    drift = next(width for code, width, _ in not_bought() if code == "drift")
    assert drift == pytest.approx(1.2816 * 0.04)


def test_the_smallest_number_reaches_and_less_does_not(lived: Lived) -> None:
    plan = planner(lived, lived.reduced(lived.records[lived.records["box"] < 10]))
    option = plan.smallest(0.25, 14)
    assert option.mailboxes is not None
    assert option.half_width <= 0.25
    assert 10 < option.mailboxes < len(plan.joining)
    assert plan.half_width(round(0.6 * option.mailboxes), 14) > 0.25
    assert plan.smallest(0.02, 14).mailboxes is None


def test_without_a_sample_the_plan_stands_on_published_spread_and_asks_for_more(lived: Lived) -> None:
    blind = planner(lived, None)
    assert blind.blind
    seen = planner(lived, lived.reduced(lived.records))
    assert blind.half_width(0, 14) > 1.5 * seen.half_width(0, 14)
    option = blind.smallest(0.3, 14)
    assert option.mailboxes is not None
    assert option.mailboxes >= 10


def test_what_is_promised_is_what_the_estimator_then_says() -> None:
    """The planned sample is lived: sixty more mailboxes of the same spread, of whom so many are now seen."""
    promised, found = [], []
    for seed in range(4):
        lived = Lived(days=14, mean=35, seed=seed)
        few = lived.reduced(lived.records[lived.records["box"] < 12])
        lived.tenant = inventory(12, 88)
        promised.append(planner(lived, few, seed).half_width(28, 14))
        lived.tenant = inventory(40, 60)
        model = planner(lived, lived.reduced(lived.records), seed).model
        joining = model.operations[MAIL_ITEMS].joining
        assert joining is not None
        (rest,) = joining.levels([np.arange(40, 100)])
        rate = lived.records[lived.records["box"] >= 12].shape[0] / float(model.weights.total(
            Holidays().kinds(model.sampled_days)).mean())  # fmt: skip
        p10, p90 = np.quantile(rest.people + rate, [0.1, 0.9])
        found.append((p90 - p10) / 2 / float((rest.people + rate).mean()))
    assert np.mean(promised) == pytest.approx(np.mean(found), rel=0.3)


def test_an_operation_that_nothing_rates_is_refused(lived: Lived) -> None:
    verdicts = judge(lived.tenant, None)
    model = fit_rates(None, lived.tenant, verdicts, Holidays(), DRAWS)
    with pytest.raises(UsageError, match="nothing gives a rate of Exchange/Nothing"):
        Planner(model, verdicts, "Exchange/Nothing", DRAWS)


@pytest.fixture(scope="module")
def advice() -> SampleSize:
    return sample_size_of(LAW_FIRM, within=0.2, as_of=dt.date(2026, 11, 23))


def test_the_law_firm_is_advised_by_class(advice: SampleSize) -> None:
    assert advice.status == "reachable"
    assert advice.advice is not None
    assert sum(s.sample for s in advice.strata) == advice.advice.mailboxes
    assert all(0 <= s.sample <= len(s.at) for s in advice.strata)
    assert sum(s.share for s in advice.strata) == pytest.approx(1)
    assert advice.half_width_today > 0.2 >= advice.advice.half_width >= advice.best


def test_the_list_is_a_seeded_random_draw_of_each_class(advice: SampleSize) -> None:
    names = list(advice.mailboxes())
    assert len(set(names)) == sum(s.sample for s in advice.strata)
    joining = {name for stratum in advice.strata for name in stratum.at.tolist()}
    assert len(joining) == advice.joining


def test_a_seed_draws_the_same_mailboxes_again_and_another_seed_others(lived: Lived) -> None:
    first, again, other = (planner(lived, None, seed).strata[0].at.tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert sorted(first) == sorted(other) == list(range(40, 100))


@pytest.mark.parametrize("mailboxes", [0, 1, 5, 17, 59, 60, 99])
def test_so_many_are_allotted_as_are_asked_for(lived: Lived, mailboxes: int) -> None:
    plan = planner(lived, None)
    total = sum(s.sample for s in plan.allotted(mailboxes))
    assert total == (0 if not mailboxes else min(max(mailboxes, 5), 60))
    assert sum(s.sample for s in plan.allotted(total)) == total


def test_draws_of_the_list_favour_nobody() -> None:
    """Each of the sixty joining mailboxes is first in turn about as often as another."""
    lived = Lived(days=5, mean=35)
    first = [int(planner(lived, None, seed).strata[0].at[0]) for seed in range(40)]
    assert len(set(first)) > 25
    assert 55 < np.mean(first) < 85  # positions 40 to 99


@pytest.mark.parametrize(("text", "share"), [("20%", 0.2), ("20", 0.2), (" 7.5% ", 0.075), ("1", 0.01)])
def test_a_precision_is_a_percentage(text: str, share: float) -> None:
    assert share_of(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["0.2", "0", "-5%", "101%", "few", "nan", "inf%", ""])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="percentage from 1 to 100"):
        share_of(text)


@pytest.mark.slow
def test_samples_of_the_advised_size_reach_the_wish() -> None:
    """Four small tenants: at a true 80 % fewer than two has a chance of 3 %; benchmarks/sample_size.py runs 100."""
    trials = [run(seed, 0.2, 100) for seed in range(9001, 9005)]
    assert all(trial is not None for trial in trials)
    assert sum(trial is not None and abs(trial.error) <= 0.2 for trial in trials) >= 2
