"""What the report says of a figure: its interval, what it depends on, and whether more may come."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from decimal import Decimal

import pytest

from estimator import catalog
from estimator.estimate_json import scenario_json
from estimator.forecast import Forecast, Spread
from estimator.pipeline import ScenarioEstimate
from estimator.report.chart import case_line
from estimator.report.sections import Section, priors_section, scenario_sections
from estimator.scenario import Budget, Connect, Enable, FeedState
from tests.test_cost import CLOUD, ENABLE, MAIL_ITEMS, OFFICE, priced, story
from tests.test_forecast import forecast

CONNECTED = (FeedState(id=CLOUD, connected=True),)
UNKNOWN_RATE = Enable(kind="enable", operations=(MAIL_ITEMS, "Exchange/SearchQueryInitiatedExchange"))


def estimated(result: Forecast, plan: str = "sentinel-eastus", premium: int = 0, **terms: object) -> ScenarioEstimate:
    costs, _ = priced(result, plan, premium, **terms)
    return ScenarioEstimate(
        result.scenario,
        result,
        list(result.volumes(monthly=True)),
        list(result.volumes(monthly=False)),
        list(costs.values()),
    )


def shown(one: ScenarioEstimate, title: str) -> Section:
    (part,) = [part for part in scenario_sections(one) if part.title.startswith(title)]
    return part


def headline(one: ScenarioEstimate) -> tuple[str, str]:
    """The line of the only feed's volume and that of the only bill."""
    _, volume, bill = shown(one, "Scenario").words
    return volume, bill


def test_the_headline_has_the_interval_of_volumes_and_cost() -> None:
    one = estimated(forecast(story(ENABLE, feeds=CONNECTED), per_day=4000))
    volume, bill = headline(one)

    span = r"\([\d.,]+ – [\d.,]+\)"
    assert re.fullmatch(rf"{CLOUD}: [\d,]+ events {span} and [\d.]+ GB {span} added\.", volume)
    assert re.search(rf": USD [\d.,]+ added in all {span}, USD [\d.,]+ a month\.$", bill)
    assert "at least" not in volume + bill
    assert "depending" not in bill


def test_with_an_unknown_rate_and_no_case_below_it_is_at_least() -> None:
    one = estimated(forecast(story(UNKNOWN_RATE, feeds=CONNECTED), per_day=4000))

    assert one.not_known
    volume, bill = headline(one)
    assert "at least" in volume
    assert "at least USD" in bill


def test_nothing_is_at_least_while_an_open_case_lies_below() -> None:
    one = estimated(forecast(story(UNKNOWN_RATE, feeds=CONNECTED), per_day=4000), premium=1_000_000)
    _, bill = headline(one)

    assert "at least" not in bill
    total = re.search(r"USD ([\d.,]+) added in all", bill)
    assert total is not None
    assert f" From USD 0 to USD {total[1]}, depending on whether all of the grant is left: 1000000 " in bill


def test_a_case_above_leaves_at_least_and_gives_the_range() -> None:
    one = estimated(forecast(story(UNKNOWN_RATE, feeds=(FeedState(id=CLOUD),)), per_day=4000))
    _, bill = headline(one)

    assert "at least USD" in bill
    assert f"depending on whether {CLOUD} is not connected today, so all it carries is new from 2026-10-01." in bill


def test_a_case_that_comes_to_the_same_is_not_named() -> None:
    one = estimated(forecast(story(ENABLE, feeds=(FeedState(id=OFFICE),)), per_day=4000))

    assert [case.code for case in one.costs[0].cases] == ["feed_state_unknown"]
    assert "depending" not in headline(one)[1]


def test_the_bill_sums_no_percentage_and_keeps_no_note_of_one_month() -> None:
    one = estimated(forecast(story(ENABLE, feeds=CONNECTED), per_day=4000), discount_percent=Decimal("7.5"))
    part = shown(one, "The bill with the scenario")

    (discount,) = [row for row in part.rows if row[0] == "discount"]
    assert discount[2:4] == ["7.5", "%"]
    assert "Contract discount of 7.5%, applied last" in part.words
    assert not any(" on 1" in words or "subtotal" in words for words in part.words)


def test_the_month_at_the_end_says_which_months_it_is_of() -> None:
    whole = estimated(forecast(story(ENABLE, feeds=CONNECTED, months=6)))
    assert any("2027-01 to 2027-03" in words for words in shown(whole, "Cost over").words)

    later = Connect(kind="connect", feed=CLOUD, **{"from": dt.date(2026, 12, 14)})
    part = estimated(forecast(story(ENABLE, later, feeds=(FeedState(id=CLOUD, connected=False),))))
    assert any("last 18 days" in words for words in shown(part, "Cost over").words)


@pytest.mark.parametrize(("limit", "words"), [("0.6", "USD 0.60 a month"), ("50", "USD 50.00"), ("5000", "USD 5,000")])
def test_a_budget_is_shown_as_money(limit: str, words: str) -> None:
    budget = Budget(monthly=Decimal(limit), currency="USD")
    one = estimated(forecast(story(ENABLE, feeds=CONNECTED, budget=budget)))

    assert words in " ".join(shown(one, "Cost over").words)


def test_every_prior_is_listed_with_its_value_and_source() -> None:
    part = priors_section()

    assert len(part.rows) == len(type(catalog.priors()).__slots__)
    (holiday,) = [row for row in part.rows if row[0].startswith("what a public holiday weighs")]
    assert holiday[1].startswith("0.15 (0–0.6) share of the way")
    assert holiday[2:] == ["assumed", "Assumption of this project"]
    assert not any("_" in row[0] for row in part.rows)
    assert any("1 unless the sample shows" in words for words in part.words)
    assert any("List prices are held" in words for words in part.words)


def test_the_chart_names_the_cases_and_what_they_come_to_a_month() -> None:
    one = estimated(forecast(story(ENABLE, feeds=CONNECTED), per_day=4000), premium=1_000_000)
    assert case_line(one.costs[0]).startswith("USD 0 a month if all of the grant is left: 1000000 ")

    certain = estimated(forecast(story(ENABLE, feeds=CONNECTED), per_day=4000))
    assert case_line(certain.costs[0]) == ""


def test_a_mean_month_is_not_left_alone_where_the_month_at_the_end_is_another() -> None:
    """Connected for the second half of six months, the mean month is about half of a month from then on."""
    later = Connect(kind="connect", feed=CLOUD, **{"from": dt.date(2027, 4, 1)})
    feeds = (FeedState(id=CLOUD, connected=False),)
    half = {"start": dt.date(2027, 1, 1), "months": 6}
    late, early = (
        estimated(forecast(story(ENABLE, connect, feeds=feeds, **half), per_day=4000))
        for connect in (later, Connect(kind="connect", feed=CLOUD))
    )

    assert re.search(r"USD (\d+) a month on average, (\d+) in the long run", headline(late)[1])
    mean, end = (float(x) for x in re.findall(r"USD (\d+) a month on average, (\d+) in", headline(late)[1])[0])
    assert end / mean == pytest.approx(2, rel=0.1)
    assert "on average" not in headline(early)[1]


# ---------------------------------------------------------------- years, floors, order, length


def test_fiscal_years_are_shown_where_the_horizon_touches_several() -> None:
    one = estimated(forecast(story(ENABLE, feeds=CONNECTED, months=6, fiscal_year_start=12), per_day=4000))
    part = shown(one, "Cost by fiscal year")

    assert [row[1:4] for row in part.rows] == [["FY2026", "2", "USD"], ["FY2027", "4", "USD"]]
    assert "start in December" in part.words[0]

    within = estimated(forecast(story(ENABLE, feeds=CONNECTED), per_day=4000))
    assert not [part for part in scenario_sections(within) if part.title == "Cost by fiscal year"]


def test_floor_prices_are_at_least_in_the_headline_and_the_cost_table() -> None:
    result = forecast(story(ENABLE, feeds=CONNECTED), per_day=4000)
    one = estimated(result)
    plan = one.costs[0].plan
    meters = {**plan.meters, "analytics": plan.meters["analytics"].model_copy(update={"at_least": True})}
    floored = replace(one, costs=[replace(one.costs[0], plan=plan.model_copy(update={"meters": meters}))])

    assert "at least" not in headline(one)[1]
    assert "at least USD" in headline(floored)[1]
    part = shown(floored, "Cost over")
    assert part.rows[0][0] == "sentinel-eastus (at least)"
    assert any("floors" in words for words in part.words)
    assert scenario_json(floored)["cost_horizon"][0]["at_least"] is True
    assert scenario_json(one)["cost_horizon"][0]["at_least"] is False


def test_cost_comes_before_volumes_and_bills_come_last() -> None:
    one = estimated(forecast(story(ENABLE, feeds=CONNECTED), per_day=4000))
    titles = [part.title.split(" over")[0].split(",")[0] for part in scenario_sections(one)][1:]

    assert titles == ["Cost", "Added by month", "Volume", "The bill with the scenario at mean volumes"]


def test_open_cases_stand_once_under_the_bill_of_all_feeds() -> None:
    feeds = (FeedState(id=OFFICE, connected=True), FeedState(id=CLOUD))
    part = shown(estimated(forecast(story(ENABLE, feeds=feeds), per_day=4000)), "Cost over")

    cases = [n for n, row in enumerate(part.rows) if row[1].startswith("  if ")]
    assert cases == [3]
    assert part.rows[2][1] == f"{OFFICE} + {CLOUD}"


def test_small_operations_are_added_up_in_one_row() -> None:
    one = estimated(forecast(story(ENABLE, feeds=CONNECTED), per_day=4000))
    template = next(v for v in one.horizon if v.flow == "added")
    ten = [replace(template, operation=f"Exchange/Op{n}", gb=Spread(n, n, n, n), events=Spread(10 * n, 0, 0, 0))
           for n in range(1, 11)]  # fmt: skip
    part = shown(replace(one, horizon=ten), "Volume")

    assert [row[1] for row in part.rows] == [*(f"Exchange/Op{n}" for n in range(10, 2, -1)), "others: 2"]
    # Means add up, quantiles do not.
    assert part.rows[-1][2:] == ["", "", "30.0", "", "3.00", "", ""]
    nine = shown(replace(one, horizon=ten[:9]), "Volume")
    assert len(nine.rows) == 9
    assert nine.words == []
