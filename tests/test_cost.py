"""Cost: the difference of two whole bills, against sums worked out by hand."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from estimator.cost import Cost, PlanOnTerms, price
from estimator.errors import ScenarioError
from estimator.findings import Finding
from estimator.forecast import Forecast, Spread
from estimator.pipeline import estimate
from estimator.scenario import Budget, Connect, Enable, FeedState, PlanChoice, Scenario
from pricing import find_plan
from tests.conftest import Tenant
from tests.test_forecast import MAIL_ITEMS, forecast

AS_OF = dt.date(2026, 11, 23)
OFFICE, CLOUD = "sentinel-officeactivity", "sentinel-cloudappevents"
ENABLE = Enable(kind="enable", operations=(MAIL_ITEMS,))
CONNECT = Connect(kind="connect", feed=CLOUD)


def story(*changes: object, feeds: tuple[FeedState, ...], **more: object) -> Scenario:
    base = {"schema_version": 1, "id": "s", "title": "S", "start": dt.date(2026, 10, 1), "months": 3}
    return Scenario(**{**base, "feeds": feeds, "changes": changes, **more})  # type: ignore[arg-type]


def priced(
    result: Forecast, plan: str = "sentinel-eastus", premium: int = 0, **terms: object
) -> tuple[dict[tuple[str, ...], Cost], list[Finding]]:
    offer = PlanOnTerms(find_plan(plan), PlanChoice(id=plan, **terms))  # type: ignore[arg-type]
    costs, findings = price(result, [offer], premium, AS_OF)
    return {cost.feeds: cost for cost in costs}, findings


@pytest.fixture(scope="module")
def both() -> Forecast:
    feeds = (FeedState(id=OFFICE, connected=True), FeedState(id=CLOUD, connected=False))
    return forecast(story(ENABLE, CONNECT, feeds=feeds), per_day=400)


def test_office_activity_costs_nothing_and_says_why_with_its_source(both: Forecast) -> None:
    costs, findings = priced(both)
    cost = costs[OFFICE,]

    assert not cost.without.any()
    assert not cost.added.any()
    (note,) = [note for note in cost.notes if "OfficeActivity costs 0" in note]
    assert "https://learn.microsoft.com/en-us/azure/sentinel/billing#free-data-sources" in note
    assert "free_stream" in {f.code for f in findings}


def test_cloud_app_events_cost_their_gb_at_the_plans_rate(both: Forecast) -> None:
    costs, _ = priced(both)
    gb = np.array([sum(v.gb.mean for v in both.volumes(monthly=True) if (v.feed, v.month) == (CLOUD, m))
                   for m in both.months])  # fmt: skip

    assert costs[CLOUD,].added.mean(axis=1) == pytest.approx(gb * 4.30)
    assert costs[CLOUD,].commitment_with == "none"


def test_feeds_together_cost_what_they_cost_alone_where_one_is_free(both: Forecast) -> None:
    costs, _ = priced(both)

    assert set(costs) == {(OFFICE,), (CLOUD,), (OFFICE, CLOUD)}
    assert costs[OFFICE, CLOUD].added == pytest.approx(costs[CLOUD,].added)


def test_the_lines_of_the_bill_add_up_to_the_mean_of_the_draws(both: Forecast) -> None:
    cost = priced(both)[0][OFFICE, CLOUD]

    assert float(sum(line.amount for line in cost.lines)) == pytest.approx(cost.with_.sum(axis=0).mean())
    (paid,) = [line for line in cost.lines if line.amount]
    assert (paid.stream, paid.unit, paid.unit_price) == ("CloudAppEvents", "GB", Decimal("4.30"))
    assert "prices.azure.com" in paid.sources[0]


def test_a_discount_comes_off_the_whole_bill(both: Forecast) -> None:
    full, less = (priced(both, discount_percent=Decimal(d))[0][CLOUD,].added for d in (0, 8))

    assert less == pytest.approx(0.92 * full)


def test_an_unstated_grant_is_taken_as_used_up_and_priced_beside(both: Forecast) -> None:
    costs, findings = priced(both, premium=1_000_000)
    cost = costs[CLOUD,]

    assert cost.added.mean() > 0
    (case,) = cost.cases
    assert (case.code, case.added.mean) == ("grant_unused", 0.0)
    assert "grant_remaining_unknown" in {f.code for f in findings}


def test_a_stated_grant_comes_off_and_leaves_no_open_case(both: Forecast) -> None:
    gb_a_day = float(both.daily(both.uses[1], connected=False).added.mean()) / 1e9
    stated = Decimal(repr(round(gb_a_day / 2, 6)))
    costs, findings = priced(both, premium=1_000_000, grant_remaining_gb_per_day=stated)

    saved = priced(both)[0][CLOUD,].added.sum(axis=0).mean() - costs[CLOUD,].added.sum(axis=0).mean()
    # Days below the grant cannot use all of it, so a little less than days x grant x price.
    assert 0.6 * 92 * float(stated) * 4.30 < saved < 92 * float(stated) * 4.30
    assert costs[CLOUD,].cases == ()
    assert "grant_remaining_unknown" not in {f.code for f in findings}


def test_retention_of_the_free_table_is_unsettled_and_both_cases_stand(both: Forecast) -> None:
    costs, findings = priced(
        forecast(story(ENABLE, feeds=(FeedState(id=OFFICE, connected=True),), months=6, start=dt.date(2027, 1, 1)),
                 per_day=400),
        retention_days=120,
    )  # fmt: skip
    cost = costs[OFFICE,]

    assert not cost.added.any()
    (case,) = cost.cases
    assert case.code == "retention_unsettled"
    assert case.added.mean > 0
    (finding,) = [f for f in findings if f.code == "retention_unsettled"]
    assert "_IsBillable" in finding.message


def test_a_feed_nobody_says_is_connected_is_priced_both_ways() -> None:
    result = forecast(story(ENABLE, feeds=(FeedState(id=CLOUD),)), per_day=400)
    cost = priced(result)[0][CLOUD,]
    connected = forecast(story(ENABLE, feeds=(FeedState(id=CLOUD, connected=True),)), per_day=400)

    assert cost.added == pytest.approx(priced(connected)[0][CLOUD,].added)
    assert "feed_state_unknown" in {f.code for f in result.findings}
    (case,) = cost.cases
    assert case.code == "feed_state_unknown"
    # The other case: not connected today, and all it carries is new from the scenario's start.
    new = Connect(kind="connect", feed=CLOUD)
    all_new = forecast(story(ENABLE, new, feeds=(FeedState(id=CLOUD, connected=False),)), per_day=400)
    assert case.added.mean == pytest.approx(priced(all_new)[0][CLOUD,].added.sum(axis=0).mean())
    assert case.added.mean > cost.added.sum(axis=0).mean() > 0


def test_in_splunk_too_all_is_new_where_nobody_says_that_the_feed_is_connected() -> None:
    """Connected, both bills buy the minimum; not connected, only the one with the scenario does: 92 of 365 days."""
    result = forecast(story(ENABLE, feeds=(FeedState(id="splunk-o365"),)))
    cost = priced(result, "splunk-cloud-ingest")[0]["splunk-o365",]

    assert not cost.added.any()
    assert {c.code: c.added.mean for c in cost.cases} == {
        "capacity_full": pytest.approx(2049.30 * 92 / 365),
        "feed_state_unknown": pytest.approx(5 * 2049.30 * 92 / 365),
    }


def test_the_state_of_one_feed_of_two_leaves_the_other_as_it_is() -> None:
    feeds = (FeedState(id=OFFICE, connected=True), FeedState(id=CLOUD))
    cost = priced(forecast(story(ENABLE, feeds=feeds), per_day=400))[0][OFFICE, CLOUD]

    (case,) = cost.cases
    assert case.title == f"{CLOUD} is not connected today, so all it carries is new from 2026-10-01"
    assert case.added.mean > 0


def test_capacity_is_not_charged_before_the_feed_is_connected() -> None:
    connect = Connect(kind="connect", feed="splunk-o365", **{"from": dt.date(2026, 12, 20)})
    result = forecast(story(ENABLE, connect, feeds=(FeedState(id="splunk-o365", connected=False),)))
    cost = priced(result, "splunk-cloud-ingest")[0]["splunk-o365",]

    assert cost.added.mean(axis=1) == pytest.approx([0, 0, 5 * 2049.30 * 12 / 365])
    assert [case.code for case in cost.cases] == ["capacity_has_room"]


def test_splunk_under_its_minimum_adds_nothing_unless_the_capacity_is_full() -> None:
    """Both bills buy the 5 GB/day minimum: 5 x 2,049.30 a year, 92 of 365 days of it; full, a sixth unit is bought."""
    result = forecast(story(ENABLE, feeds=(FeedState(id="splunk-o365", connected=True),)))
    cost = priced(result, "splunk-cloud-ingest")[0]["splunk-o365",]

    assert cost.without.sum(axis=0) == pytest.approx(5 * 2049.30 * 92 / 365)
    assert not cost.added.any()
    (case,) = cost.cases
    assert case.code == "capacity_full"
    assert (case.added.p10, case.added.p90) == pytest.approx((2049.30 * 92 / 365, 2049.30 * 92 / 365))


def test_splunk_buys_whole_units_at_the_rate_of_their_band() -> None:
    """Whatever the draw, the bill is n units at the one rate of n, by the list: 5-9, 10-19, 20-49 GB/day."""
    feeds = (FeedState(id="splunk-o365", connected=True),)
    result = forecast(story(ENABLE, feeds=feeds), emitting=60, joining=20, per_day=80_000)
    cost = priced(result, "splunk-cloud-ingest")[0]["splunk-o365",]
    year = {n: n * (2049.30 if n < 10 else 1745.70 if n < 20 else 1518.00) for n in range(5, 50)}
    buyable = np.array(list(year.values())) * 92 / 365

    for bills in (cost.without.sum(axis=0), cost.with_.sum(axis=0)):
        nearest = buyable[np.abs(bills[:, None] - buyable).argmin(axis=1)]
        assert bills == pytest.approx(nearest)
        assert len(set(nearest.round(2))) > 3
    assert cost.added.sum(axis=0).mean() > 0
    (case,) = cost.cases
    assert (case.code, case.added.mean) == ("capacity_has_room", 0)


def test_a_stated_tier_has_room_or_the_rest_of_the_usage_fills_it(both: Forecast) -> None:
    """Alone the streams never fill 100 GB a day; on a full tier each GB costs 296 / 100."""
    costs, findings = priced(both, commitment="100", discount_percent=Decimal(8))
    cost = costs[CLOUD,]
    gb = float(both.total(CLOUD, "added").gb.sum(axis=0).mean())

    assert not cost.added.any()
    (case,) = cost.cases
    assert (case.code, case.title) == ("tier_filled", "the rest of your usage fills the 100 GB tier")
    assert case.added.mean == pytest.approx(gb * 2.96 * 0.92)
    (baseline,) = [f.message for f in findings if f.code == "no_baseline"]
    assert "sentinel-eastus: on the 100 GB commitment tier" in baseline
    assert "pay-as-you-go" not in baseline


def test_what_the_bill_without_really_was(both: Forecast) -> None:
    def told(plan: str, result: Forecast) -> str:
        (message,) = [f.message for f in priced(result, plan)[1] if f.code == "no_baseline"]
        return message

    splunk = forecast(story(ENABLE, feeds=(FeedState(id="splunk-o365", connected=True),)))
    assert "sentinel-eastus: pay-as-you-go" in told("sentinel-eastus", both)
    assert "splunk-cloud-ingest: capacity bought for them alone" in told("splunk-cloud-ingest", splunk)


# ---------------------------------------------------------------- the month at the end

MONTH = 365.25 / 12
RETENTION = 0.10  # USD a GB-month, sentinel-eastus


def connected_on(day: dt.date, months: int = 3, **terms: object) -> tuple[Cost, list[Finding]]:
    connect = Connect(kind="connect", feed=CLOUD, **{"from": day})
    result = forecast(story(ENABLE, connect, feeds=(FeedState(id=CLOUD, connected=False),), months=months), per_day=400)
    costs, findings = priced(result, **terms)  # type: ignore[arg-type]
    return costs[CLOUD,], findings


def test_the_run_rate_is_the_whole_months_after_the_last_change_as_a_mean_month() -> None:
    cost, findings = connected_on(dt.date(2026, 10, 20))

    november_december = cost.added[1:].sum(axis=0).mean()
    assert cost.run_rate().mean == pytest.approx(november_december / 61 * MONTH)
    assert cost.run.months == ("2026-11", "2026-12")
    assert "run_rate_from_part" not in {f.code for f in findings}


def test_at_most_the_last_three_months_make_the_run_rate() -> None:
    cost, _ = connected_on(dt.date(2026, 10, 1), months=6)

    assert cost.run.months == ("2027-01", "2027-02", "2027-03")
    assert cost.run_rate().mean == pytest.approx(cost.added[3:].sum(axis=0).mean() / 90 * MONTH)


def test_without_a_whole_month_the_days_after_the_change_stand_and_say_so() -> None:
    cost, findings = connected_on(dt.date(2026, 12, 14))

    # Nothing was added before, so December's bill is that of its last 18 days.
    assert cost.run_rate().mean == pytest.approx(cost.added[2].mean() / 18 * MONTH)
    (finding,) = [f for f in findings if f.code == "run_rate_from_part"]
    assert "18 days" in finding.message


def test_the_part_after_a_later_wave_has_nothing_of_the_days_before_it() -> None:
    """Finance from the start, Legal from 14 December: two halves, so the 18 days cost the month of one wave twice."""
    waves = tuple(
        Enable(kind="enable", operations=(MAIL_ITEMS,), where={"department": (name,)}, **{"from": day})
        for name, day in (("Finance", dt.date(2026, 10, 1)), ("Legal", dt.date(2026, 12, 14)))
    )
    feeds = (FeedState(id=CLOUD, connected=True),)
    result = forecast(story(*waves, feeds=feeds), per_day=400)
    cost = priced(result)[0][CLOUD,]
    daily = result.daily(result.uses[0], connected=True).added.mean(axis=1) / 1e9

    assert cost.run_rate().mean == pytest.approx(daily[-18:].sum() * 4.30 / 18 * MONTH)


def test_retention_is_still_filling_unless_it_was_full_before_the_months_of_the_run_rate() -> None:
    def filling(day: dt.date, kept: int) -> bool:
        return "retention_still_filling" in {f.code for f in connected_on(day, 12, retention_days=kept)[1]}

    # The run rate is of July to September 2027; what was kept then came from 1 October 2026 on.
    first, july = dt.date(2026, 10, 1), dt.date(2027, 7, 1)
    assert not filling(first, (july - first).days + 1)
    assert filling(first, (july - first).days + 2)
    assert filling(dt.date(2027, 3, 1), 180)
    assert not filling(dt.date(2027, 3, 1), 90)  # included


# ---------------------------------------------------------------- the lines of the bill


def test_lines_of_several_months_keep_no_note_of_the_first(both: Forecast) -> None:
    cost = priced(both, discount_percent=Decimal(8), retention_days=120, commitment="100")[0][CLOUD,]

    (discount,) = [line for line in cost.lines if line.meter == "discount"]
    assert (discount.quantity, discount.unit) == (8, "%")
    assert discount.note == "Contract discount of 8%, applied last"
    (tier,) = [line for line in cost.lines if line.unit == "tier-day"]
    assert (tier.quantity, tier.note) == (92, "Analytics tier, commitment: 100 GB tier")
    assert float(sum(line.amount for line in cost.lines)) == pytest.approx(cost.with_.sum(axis=0).mean())


def test_each_term_of_capacity_is_a_line_of_its_own() -> None:
    result = forecast(story(ENABLE, feeds=(FeedState(id="splunk-o365", connected=True),), months=15))
    cost = priced(result, "splunk-cloud-ingest")[0]["splunk-o365",]

    assert [line.note.split(" bought on ")[1][:10] for line in cost.lines] == ["2026-10-01", "2027-10-01"]
    assert [float(line.quantity) for line in cost.lines] == pytest.approx([5, 5 * 92 / 366])


# ---------------------------------------------------------------- totals


def test_totals_of_a_feed_are_its_draws_added_up(both: Forecast) -> None:
    total = both.total(CLOUD, "added")
    daily = both.daily(both.uses[1], connected=False).added.sum(axis=0) / 1e9

    assert total.gb.sum(axis=0) == pytest.approx(daily)
    events = [v.events.mean for v in both.volumes(monthly=True) if (v.feed, v.flow) == (CLOUD, "added")]
    assert total.events.mean(axis=1).sum() == pytest.approx(sum(events))
    assert both.total(OFFICE, "already").events.any()


def test_the_budget_is_held_at_its_quantile(both: Forecast) -> None:
    monthly = priced(both)[0][CLOUD,].added
    worst_p90 = max(np.quantile(month, 0.9) for month in monthly)

    def over(limit: float) -> tuple[bool, float | None]:
        feeds = (FeedState(id=OFFICE, connected=True), FeedState(id=CLOUD, connected=False))
        budget = Budget(monthly=Decimal(repr(limit)), currency="USD")
        cost = priced(forecast(story(ENABLE, CONNECT, feeds=feeds, budget=budget), per_day=400))[0][CLOUD,]
        return cost.beyond_budget, cost.over_budget

    assert over(float(worst_p90) * 1.001)[0] is False
    beyond, probability = over(float(worst_p90) * 0.999)
    assert beyond is True
    assert probability == pytest.approx((monthly > worst_p90 * 0.999).any(axis=0).mean())


def test_a_budget_in_another_currency_is_refused(both: Forecast) -> None:
    feeds = (FeedState(id=CLOUD, connected=True),)
    with pytest.raises(ScenarioError, match=r"budget is in GBP.*USD"):
        priced(forecast(story(ENABLE, feeds=feeds, budget=Budget(monthly=Decimal(5), currency="GBP"))))


def test_with_is_without_plus_added_in_every_draw(both: Forecast) -> None:
    cost = priced(both, retention_days=180)[0][OFFICE, CLOUD]

    assert (cost.without + cost.added == pytest.approx(cost.with_)) is True


def test_prices_warn_half_a_year_after_they_were_checked() -> None:
    result = forecast(story(ENABLE, feeds=(FeedState(id="splunk-o365", connected=True),)))
    plan = find_plan("splunk-cloud-ingest")
    offer = PlanOnTerms(plan, PlanChoice(id=plan.id))

    def stale(days: int) -> bool:
        _, findings = price(result, [offer], 0, plan.checked_on + dt.timedelta(days=days))
        return "price_stale" in {f.code for f in findings}

    assert not stale(180)
    assert stale(181)


def test_a_plan_without_its_feed_and_a_feed_without_its_plan_are_told(both: Forecast) -> None:
    _, findings = priced(both, "splunk-cloud-ingest")

    assert {"plan_without_feed", "feed_without_plan"} <= {f.code for f in findings}


# ---------------------------------------------------------------- the long run


def test_once_what_is_kept_has_filled_a_month_is_ingestion_and_a_full_stock() -> None:
    """365 days kept, 90 of them included: 275 days of GB are in stock, at 0.10 a GB-month by the list."""
    feeds = (FeedState(id=CLOUD, connected=True),)
    result = forecast(story(ENABLE, feeds=feeds), per_day=4000)
    costs, findings = priced(result, retention_days=365)
    cost = costs[CLOUD,]
    daily = result.daily(result.uses[0], connected=True).added.mean(axis=1)[-84:].mean() / 1e9

    # A year of whole months and a stock that the four weeks' pattern makes wave a little.
    assert cost.run_rate().mean == pytest.approx(daily * 365 / 12 * 4.30 + daily * 275 * RETENTION, rel=0.005)
    assert not cost.run.full
    assert cost.run_rate().mean > 1.1 * cost.added[-1].mean()
    (filling,) = [f for f in findings if f.code == "retention_still_filling"]
    assert "last 84 days" in filling.message


def test_a_stock_that_filled_within_the_horizon_is_that_of_its_last_months() -> None:
    cost, findings = connected_on(dt.date(2026, 10, 1), 12, retention_days=120)

    assert cost.run.full
    assert cost.run.taken_from == "2027-07 to 2027-09"
    assert cost.run_rate().mean == pytest.approx(cost.added[-3:].sum(axis=0).mean() / 92 * MONTH)
    assert "retention_still_filling" not in {f.code for f in findings}


def test_fiscal_years_are_the_months_they_hold_added_up(both: Forecast) -> None:
    cost = priced(both)[0][CLOUD,]

    (twenty_six,) = cost.years(1)
    assert (twenty_six.label, twenty_six.months) == ("FY2026", ("2026-10", "2026-11", "2026-12"))
    before, after = cost.years(12)
    assert (before.label, before.months, after.label, after.months) == (
        "FY2026",
        ("2026-10", "2026-11"),
        "FY2027",
        ("2026-12",),
    )
    assert before.added == Spread.of(cost.added[:2].sum(axis=0))
    assert before.added.mean + after.added.mean == pytest.approx(cost.added.sum(axis=0).mean())


# ---------------------------------------------------------------- what is bought whole, and what volume does not move

SVC = 10205.10  # a year, below 50


def test_a_unit_of_compute_more_has_room_at_the_other_end() -> None:
    """10 GB a day for one SVC: each draw crosses one or more steps; the other end is that none is."""
    feeds = (FeedState(id="splunk-o365", connected=True),)
    result = forecast(story(ENABLE, feeds=feeds), emitting=60, joining=20, per_day=80_000)
    cost = priced(result, "splunk-cloud-workload")[0]["splunk-o365",]

    steps = cost.added.sum(axis=0) / (SVC * 92 / 365)
    assert steps == pytest.approx(steps.round())
    assert steps.max() >= 1
    (case,) = cost.cases
    assert (case.code, case.title, case.added.mean) == (
        "capacity_has_room",
        "the capacity bought already has room",
        0,
    )


def test_a_unit_of_compute_that_suffices_may_be_full_already() -> None:
    feeds = (FeedState(id="splunk-o365", connected=True),)
    cost = priced(forecast(story(ENABLE, feeds=feeds)), "splunk-cloud-workload")[0]["splunk-o365",]

    assert not cost.added.any()
    (case,) = cost.cases
    assert (case.code, case.title) == (
        "capacity_full",
        "the capacity bought is full, priced at the smallest that is sold, 1 SVC",
    )
    assert case.added.mean == pytest.approx(SVC * 92 / 365)


def test_what_is_stored_beside_compute_is_added_though_the_compute_has_room() -> None:
    """Kept 60 days in blocks of 500 GB: stored GB cost what they cost, whoever holds the SVCs."""
    feeds = (FeedState(id="splunk-o365", connected=True),)
    result = forecast(story(ENABLE, feeds=feeds), emitting=60, joining=20, per_day=80_000)
    plan = "splunk-cloud-workload"
    plain, stored = (priced(result, plan, **t)[0]["splunk-o365",] for t in ({}, {"retention_days": 60}))

    (case,) = [case for case in stored.cases if case.code == "capacity_has_room"]
    storage = (stored.added - plain.added).sum(axis=0)
    assert storage.mean() > 0
    assert case.added.mean == pytest.approx(storage.mean())


PER_USER = """\
schema_version = 1
id             = "by-the-user"
title          = "By the user"
siem           = "splunk"
region         = "as contracted"
currency       = "USD"
size_basis     = "raw"
checked_on     = 2026-11-01
ingest         = "users"
included_retention_days = 90

[sources.contract]
title = "The contract"
url   = "https://example.test/contract"
read  = 2026-11-01
confidence = "A"

[meters.users]
model  = "per_count"
title  = "Users"
count  = "users"
unit   = "user"
per    = "year"
source = "contract"
at_least = true
prices = [{ from = 2026-01-01, amount = 250, source = "contract" }]

[[examples]]
title      = "2 users"
source     = "contract"
first_day  = 2027-01-01
days       = 365
gb_per_day = { splunk-o365 = [1] }
counts     = { users = 2 }
expected   = "500.00"
"""


def by_the_user(tmp_path: Path) -> tuple[Forecast, Cost]:
    (tmp_path / "plan.toml").write_text(PER_USER, encoding="utf-8")
    result = forecast(story(ENABLE, feeds=(FeedState(id="splunk-o365", connected=True),)))
    plan = str(tmp_path / "plan.toml")
    return result, priced(result, plan, plan_counts={"users": Decimal(400)})[0]["splunk-o365",]


def test_users_that_are_not_stated_are_asked_for(tmp_path: Path, tenant: Tenant) -> None:
    (tmp_path / "plan.toml").write_text(PER_USER, encoding="utf-8")
    scenario = (
        'schema_version = 1\nid = "s"\ntitle = "S"\nstart = 2027-01-01\nmonths = 1\n'
        '[[feeds]]\nid = "splunk-o365"\nconnected = true\n'
    )
    plan = str(tmp_path / "plan.toml")
    with pytest.raises(ScenarioError, match=r"plan_counts\.users"):
        estimate(tenant({"scenario.toml": scenario}), plans=[plan], as_of=AS_OF, draws=200)


def test_a_plan_by_the_user_adds_nothing_and_says_so(tmp_path: Path) -> None:
    _, cost = by_the_user(tmp_path)

    assert cost.without.sum(axis=0) == pytest.approx(400 * 250 * 92 / 365)
    assert not cost.added.any()
    assert cost.cases == ()
    assert any("charged by the user: more events cost nothing more" in note for note in cost.notes)
