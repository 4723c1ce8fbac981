"""What a scenario states of money: prices, days kept, exchange rates for the budget."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from estimator import estimate
from estimator.errors import ScenarioError
from estimator.scenario import Budget, Exchange, Price, Retain, Route
from pricing import Terms, Usage, bill_draws, find_plan
from tests.what_if import CLOUD, EASTUS, ENABLE, FROM, WhatIf, story

SAMPLES = Path(__file__).parents[1] / "sample_tenants"
NOVEMBER = dt.date(2026, 11, 1)


def priced(*changes: object, terms: dict[str, Any] | None = None, **more: Any) -> tuple[Any, dict[str, str]]:
    cost, findings = WhatIf(story(*changes, **more)).priced(**(terms or {}))
    return cost, {finding.code: finding.message for finding in findings}


def usage(one: WhatIf, which: str) -> Usage:
    (use,) = one.result.uses
    daily = one.result.daily(use, connected=True)
    days = [day.date() for day in one.result.days]
    return Usage.from_bytes(find_plan(EASTUS), days, {"CloudAppEvents": getattr(daily, which)})


# ---------------------------------------------------------------- prices


def test_a_price_holds_from_its_day_on_in_both_bills() -> None:
    dearer = Price(kind="price", plan=EASTUS, meter="analytics", amount=Decimal("8.60"), reason="the next list",
                   **{FROM: NOVEMBER})  # fmt: skip
    (plain, _), (cost, said) = priced(ENABLE), priced(ENABLE, dearer)
    for before, after in ((plain.without, cost.without), (plain.with_, cost.with_)):
        assert after[0] == pytest.approx(before[0])
        assert after[1:] == pytest.approx(2 * before[1:])
    assert said["price_stated"].endswith("Reason given: the next list")
    assert any("scenario s" in line.sources[0] for line in cost.lines)


# ---------------------------------------------------------------- days kept


def test_days_kept_from_a_day_on_are_paid_in_the_bill_with_only() -> None:
    longer = Retain(kind="retain", feed=CLOUD, days=180, **{FROM: NOVEMBER})
    one = WhatIf(story(ENABLE, longer, months=9))
    cost, _ = one.priced()
    plain, _ = WhatIf(story(ENABLE, months=9)).priced()
    assert (cost.without == plain.without).all()
    terms = Terms(stream_retention_days={"CloudAppEvents": [(NOVEMBER, 180)]})
    assert cost.with_ == pytest.approx(bill_draws(find_plan(EASTUS), usage(one, "with_"), terms).total)
    assert (cost.with_.sum(axis=0) > plain.with_.sum(axis=0)).all()


def test_days_that_are_included_cost_nothing_and_say_so() -> None:
    cost, said = priced(ENABLE, Retain(kind="retain", feed=CLOUD, days=60))
    assert (cost.with_ == priced(ENABLE)[0].with_).all()
    assert "60 days" in said["retain_covered"]


def test_days_of_the_lake_are_its_own() -> None:
    lake = Route(kind="route", feed=CLOUD, to="lake")
    keep = Retain(kind="retain", stream="CloudAppEvents@lake", days=365)
    (short, _), (long, said) = priced(ENABLE, lake, months=9), priced(ENABLE, lake, keep, months=9)
    assert (long.with_.sum(axis=0) > short.with_.sum(axis=0)).all()
    assert "retain_of_nothing" not in said
    assert "CloudAppEvents@lake" in priced(ENABLE, keep)[1]["retain_of_nothing"]


# ---------------------------------------------------------------- exchange


def rate(**rates: str) -> Exchange:
    stated = {code: Decimal(value) for code, value in rates.items()}
    return Exchange(on=dt.date(2026, 11, 20), source="treasury", **stated)  # type: ignore[arg-type]


def over(limit: str, currency: str, **fx: Exchange) -> tuple[float | None, dict[str, str]]:
    budget = Budget(monthly=Decimal(limit), currency=currency)
    cost, said = priced(ENABLE, budget=budget, fx=fx)
    return cost.over_budget, said


def test_a_budget_is_compared_through_the_rate_that_is_stated() -> None:
    cost, _ = priced(ENABLE)
    limit = float(cost.added.max(axis=0).mean())
    expected = float((cost.added > limit).any(axis=0).mean())
    assert 0 < expected < 1
    share, said = over(repr(round(limit * 0.79, 9)), "GBP", GBP=rate(USD="0.79"))
    assert share == pytest.approx(expected, abs=0.02)
    assert "0.79 GBP for one USD, of 2026-11-20, source: treasury" in said["budget_converted"]
    inverse, told = over(repr(round(limit * 0.79, 9)), "GBP", USD=rate(GBP=repr(round(1 / 0.79, 9))))
    assert inverse == pytest.approx(share)
    assert "the inverse" in told["budget_converted"]


def test_the_bill_stays_in_the_currency_of_its_plan() -> None:
    budget = Budget(monthly=Decimal(5), currency="GBP")
    plain, converted = priced(ENABLE)[0], priced(ENABLE, budget=budget, fx={"GBP": rate(USD="0.79")})[0]
    assert (plain.with_ == converted.with_).all()
    assert converted.plan.currency == "USD"


def test_without_a_rate_the_error_says_which_one_is_needed() -> None:
    with pytest.raises(ScenarioError, match=r"budget is in GBP.*\[fx\] GBP = \{ USD = …"):
        over("5", "GBP", GBP=rate(EUR="0.85"))
    assert "budget_converted" not in over("5", "USD")[1]


def test_days_of_one_siem_are_no_concern_of_another(tmp_path: Path) -> None:
    text = (SAMPLES / "law_firm" / "scenarios" / "cloudappevents_to_the_lake.toml").read_text(encoding="utf-8")
    text += '\n[[plans]]\nid = "splunk-cloud-ingest"\n'
    text = text.replace("[[changes]]", '[[feeds]]\nid = "splunk-o365"\nconnected = true\n\n[[changes]]', 1)
    path = tmp_path / "both.toml"
    path.write_text(text, encoding="utf-8")
    result = estimate(SAMPLES / "law_firm", scenarios=[path], as_of=dt.date(2026, 11, 23), draws=100)
    codes = {finding.code for finding in result.findings}
    assert "retain_of_nothing" not in codes
    assert "route_tier_loses" in codes
    assert {cost.plan.siem for cost in result.scenarios[0].costs} == {"sentinel", "splunk"}
