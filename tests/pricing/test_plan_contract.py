"""Tiers, schedules of retention, grants day by day, counts, restated prices, break-even, fiscal years, steady state."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from pricing import Terms, Usage, bill_draws, break_even, find_plan, fiscal_years, reprice
from pricing.bill import bill
from pricing.errors import NoPriceError, PlanError, TermsError
from pricing.money import round_half_up
from pricing.run_rate import run_rate
from tests.pricing.helpers import span
from tests.pricing.plan_texts import at, meter, tiny

EAST, UK, SPLUNK = (find_plan(id_) for id_ in ("sentinel-eastus", "sentinel-uksouth", "splunk-cloud-ingest"))
LIST = {"source": "list"}


# ---------------------------------------------------------------- tiers


def test_a_stream_is_named_in_its_tier() -> None:
    assert EAST.tier_of("CloudAppEvents") == ("CloudAppEvents", None)
    assert EAST.tier_of("CloudAppEvents@lake") == ("CloudAppEvents", "lake")
    assert EAST.ingestion_meters("CloudAppEvents@lake") == ("lake_ingestion", "lake_processing")
    assert EAST.ingestion_meters("CloudAppEvents@xdr") == ()
    assert EAST.ingestion_meters("OfficeActivity") == ()


@pytest.mark.parametrize(
    ("plan", "stream", "words"),
    [
        (EAST, "CloudAppEvents@lak", r"'lak' is unknown; expected a tier of sentinel-eastus: basic, lake, xdr\. Did"),
        (EAST, "OfficeActivity@lake", "OfficeActivity cannot be sent to the tier lake. Whether OfficeActivity stays"),
        (EAST, "Custom_CL@xdr", "Custom_CL cannot be sent to the tier xdr; expected one of CloudAppEvents"),
        (SPLUNK, "splunk-o365@lake", "expected a tier of splunk-cloud-ingest: it has none"),
    ],
)
@pytest.mark.parametrize("engine", [bill, bill_draws])
def test_a_stream_that_a_tier_does_not_take_is_refused(engine, plan, stream, words) -> None:
    with pytest.raises(TermsError, match=words) as caught:
        engine(plan, Usage(span("2027-01-01", 1), {stream: [1]}), Terms())
    assert caught.value.place == stream


def test_lake_only_ingestion_is_two_meters_and_neither_tier_nor_grant_covers_it() -> None:
    usage = Usage(span("2027-01-01", 31), {"CloudAppEvents@lake": [10.0] * 31, "CloudAppEvents": [100.0] * 31})
    terms = Terms(commitment="100", grant_gb_per_day={"m365-e5": Decimal(5)}, retention_days=0)
    made = bill(EAST, usage, terms)
    assert made.by_meter() == {
        "analytics": 0,  # the line of the grant
        "commitment": 31 * 296,
        "lake_ingestion": Decimal("15.50"),
        "lake_processing": Decimal("31.00"),
    }


def test_a_stream_moved_to_the_lake_in_between_is_two_streams() -> None:
    gb = np.array([10.0] * 60)
    move = np.arange(60) >= 31
    usage = Usage(span("2027-01-01", 60), {"CloudAppEvents": gb * ~move, "CloudAppEvents@lake": gb * move})
    made = bill(EAST, usage, Terms(retention_days=90))
    assert made.by_meter()["analytics"] == 310 * Decimal("4.30")
    assert made.by_meter()["lake_ingestion"] == 290 * Decimal("0.05")
    # Kept from its first day: 1 + … + 29 days of 10 GB, a sixth of it, February having 28 days.
    stock = 10 * Decimal(sum(range(1, 29))) / 6 / 28 + 10 * Decimal(29) / 6 / 31
    assert made.by_meter()["lake_storage"] == pytest.approx(stock * Decimal("0.026"))


def test_a_tier_keeps_no_longer_than_it_can_and_the_bill_says_so() -> None:
    usage = Usage(span("2027-01-01", 90), {"CloudAppEvents@xdr": [10.0] * 90})
    made = bill(EAST, usage, Terms(retention_days=365))
    assert made.total == 0
    assert made.notes == (
        "CloudAppEvents@xdr is kept for 30 days, the longest that Left in Defender XDR, not ingested keeps.",
    )
    with pytest.raises(TermsError, match="365 days; expected at most the 30 days"):
        bill(EAST, usage, Terms(stream_retention_days={"CloudAppEvents@xdr": 365}))


# ---------------------------------------------------------------- retention of single streams


def test_one_stream_is_kept_longer_than_the_rest() -> None:
    days = span("2027-01-01", 365)
    usage = Usage(days, {"CloudAppEvents": [10.0] * 365, "EmailEvents": [10.0] * 365})
    both = bill(EAST, usage, Terms(stream_retention_days={"CloudAppEvents": 365}))
    kept = [line for line in both.charges if line.meter == "retention"]
    assert {line.stream for line in kept} == {"CloudAppEvents"}
    assert round_half_up(sum(line.amount for line in kept), 2) == Decimal("1240.00")  # 12,400 GB-months at 0.10
    drawn = bill_draws(EAST, usage, Terms(stream_retention_days={"CloudAppEvents": 365}))
    assert drawn.amount["retention"].sum() == pytest.approx(1240)


def test_what_has_been_deleted_does_not_come_back() -> None:
    # 1 GB a day, always before; kept 100 days, on the 11th day 95, on the 21st 200: 10 paid days, then 5, then one more
    # each day from what has not been deleted yet.
    plan = tiny(
        meter("main", "flat", at(0)), meter("kept", "retention", at(30), of="main", max_days=400, **LIST), included=90
    )
    usage = Usage(span("2027-04-01", 30), {"A": [1.0] * 30}, {"A": [1.0] * 300})
    steps = [(date(2027, 4, 11), 95), (date(2027, 4, 21), 200)]
    made = bill(plan, usage, Terms(retention_days=100, stream_retention_days={"A": steps}))
    stock = [10] * 10 + [5] * 10 + [5 + n for n in range(1, 11)]
    assert made.total == sum(stock)
    assert bill_draws(plan, usage, Terms(retention_days=100, stream_retention_days={"A": steps})).total.sum() == (
        pytest.approx(sum(stock))
    )


def test_retention_of_streams_that_does_not_fit_is_refused() -> None:
    usage = Usage(span("2027-01-01", 1), {"CloudAppEvents": [1]})
    for terms, words in (
        ({"CloudAppEvent": 100}, "'CloudAppEvent' has no usage.* Did you mean 'CloudAppEvents'"),
        ({"CloudAppEvents": 731}, "731 days; expected at most the 730 days"),
    ):
        with pytest.raises(TermsError, match=words):
            bill(EAST, usage, Terms(stream_retention_days=terms))
    with pytest.raises(TermsError, match=r"stream_retention_days.A: -1 days"):
        Terms(stream_retention_days={"A": -1})
    with pytest.raises(TermsError, match="2027-01-01 stands after 2027-02-01; expected ascending days"):
        Terms(stream_retention_days={"A": [(date(2027, 2, 1), 1), (date(2027, 1, 1), 2)]})
    with pytest.raises(NoPriceError, match="no price is known for long-term storage"):
        bill(SPLUNK, Usage(span("2027-01-01", 1), {"A": [1]}), Terms(total_retention_days=365))


# ---------------------------------------------------------------- grants and counts


def test_a_grant_can_differ_from_day_to_day() -> None:
    usage = Usage(span("2027-01-01", 3), {"CloudAppEvents": [5, 5, 5]})
    terms = Terms(grant_gb_per_day={"m365-e5": [Decimal(0), Decimal(2), Decimal(9)]})
    assert bill(EAST, usage, terms).total == Decimal("34.40")  # 5 + 3 + 0 GB at 4.30
    assert bill_draws(EAST, usage, terms).total.sum() == pytest.approx(34.40)
    with pytest.raises(TermsError, match="2 days; expected the usage's 3"):
        bill(EAST, usage, Terms(grant_gb_per_day={"m365-e5": [Decimal(0), Decimal(2)]}))
    with pytest.raises(TermsError, match="-1 GB a day"):
        Terms(grant_gb_per_day={"m365-e5": [Decimal(0), Decimal(-1)]})


def test_a_count_that_is_needed_or_unknown_is_named() -> None:
    plan = tiny(meter("main", "per_count", at(250), count="users", unit="user", per="year", **LIST))
    usage = Usage(span("2027-01-01", 365), {"A": [1.0] * 365})
    assert plan.counts == {"users": True}
    assert bill(plan, usage, Terms(counts={"users": Decimal(400)})).total == 100_000
    with pytest.raises(TermsError, match=r"counts.users: tiny charges by 'users' \(main\), and it is not stated"):
        bill(plan, usage)
    with pytest.raises(TermsError, match=r"'user' is unknown; expected a count of tiny: users. Did you mean 'users'"):
        bill(plan, usage, Terms(counts={"user": Decimal(1)}))
    with pytest.raises(TermsError, match=r"counts\.users: -1; expected 0 or more"):
        Terms(counts={"users": Decimal(-1)})


def test_an_open_price_is_asked_for_before_what_it_would_be_multiplied_with() -> None:
    usage = Usage(span("2027-01-01", 1), {"A": [1.0]})
    by_users = tiny(meter("main", "per_count", "[]", count="users", unit="user", per="year", **LIST))
    by_events = tiny(meter("main", "per_event", "[]"))
    for plan in (by_users, by_events):
        with pytest.raises(NoPriceError, match=r"tiny meters\.main: the plan leaves this price open"):
            bill(plan, usage)


def test_events_that_are_needed_are_asked_for() -> None:
    plan = tiny(meter("main", "per_event", at(2)))
    days = span("2027-04-01", 30)
    with pytest.raises(TermsError, match=r"A: tiny charges by events a day .*, and they are not given"):
        bill(plan, Usage(days, {"A": [1.0] * 30}))
    assert bill(plan, Usage(days, {"A": [1.0] * 30}, events={"A": [1e5] * 30})).total == 6
    keys = {"unit": "EPS", "per_unit": 1, "percentile": 100, "per": "month", "above": "Held back.", **LIST}
    qradar = tiny(meter("main", "capacity_steps", at(2), measure="peak_events_per_second", **keys))
    with pytest.raises(TermsError, match="the peak events per second of each day"):
        bill_draws(qradar, Usage(days, {"A": [1.0] * 30}))
    peaks = {"A": [10.0] * 29 + [99.5]}
    assert bill(qradar, Usage(days, {"A": [1.0] * 30}, peak_events_per_second=peaks)).total == 200


def test_a_floor_price_makes_the_bill_at_least() -> None:
    plan = tiny(meter("main", "flat", at(2), at_least=True))
    usage = Usage(span("2027-01-01", 1), {"A": [1.0]})
    assert bill(plan, usage).at_least
    assert bill_draws(plan, usage).at_least
    assert bill(plan, usage).notes == ("The bill is at least this: a price is a floor ('as low as') for main.",)
    assert not bill(EAST, usage).at_least


def test_a_part_of_a_month_is_that_part_of_its_allowance_bands_and_fee() -> None:
    plan = tiny(meter("main", "flat", at(1), included_gb_per_month=30), meter("fee", "fee", at(60), per="month"))
    ten = bill(plan, Usage(span("2027-04-21", 10), {"A": [5.0] * 10}))
    assert ten.by_meter() == {"main": 40, "fee": 20}  # 50 GB less a third of 30; a third of 60
    assert bill(plan, Usage(span("2027-04-01", 30), {"A": [5.0] * 30})).total == 3 * ten.total


# ---------------------------------------------------------------- restated prices


def test_a_price_can_be_restated_from_a_day_on() -> None:
    dearer = reprice(EAST, "analytics", date(2027, 1, 16), Decimal("5.00"), "Our forecast", "Prices rise every year.")
    usage = Usage(span("2027-01-01", 31), {"CloudAppEvents": [1.0] * 31})
    made = bill(dearer, usage)
    assert made.total == 15 * Decimal("4.30") + 16 * 5
    assert made.charges[-1].sources == ("our-forecast",)
    source = dearer.sources["our-forecast"]
    assert (source.confidence, source.url, source.note) == ("E", "urn:scenario:our-forecast", "Prices rise every year.")
    assert bill(EAST, usage).total == 31 * Decimal("4.30")
    assert bill_draws(dearer, usage).total.sum() == pytest.approx(float(made.total))


def test_tiers_bands_and_open_prices_can_be_restated() -> None:
    tier = reprice(EAST, "commitment.100", date(2027, 1, 1), Decimal(200), "Offer", "")
    usage = Usage(span("2027-01-01", 31), {"CloudAppEvents": [100.0] * 31})
    assert bill(tier, usage, Terms(commitment="100")).total == 6200
    assert bill(tier, usage, Terms(commitment="200")).total == bill(EAST, usage, Terms(commitment="200")).total
    # A promotion that ends is priced past its end, and what comes after the day of the statement no longer counts.
    promoted = reprice(EAST, "commitment.50", date(2027, 3, 1), Decimal(150), "Offer", "")
    april = Usage(span("2027-03-01", 60), {"CloudAppEvents": [50.0] * 60})
    assert bill(promoted, april, Terms(commitment="50")).total == 9000
    band = reprice(SPLUNK, "capacity.5", date(2027, 1, 1), Decimal(1000), "Offer", "")
    assert bill(band, Usage(span("2027-01-01", 365), {"A": [5.0] * 365})).total == pytest.approx(5000)
    open_ = tiny(meter("main", "flat", "[]"))
    quoted = reprice(open_, "main", date(2027, 1, 1), Decimal(3), "Quote", "")
    assert bill(quoted, Usage(span("2027-01-01", 1), {"A": [2.0]})).total == 6


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("analytic", r"'analytic' has no price in sentinel-eastus; expected one of analytics, commitment\.50"),
        ("commitment", "'commitment' has no price"),
        ("commitment.150", r"Did you mean 'commitment\.50'"),
    ],
)
def test_a_price_that_is_not_there_cannot_be_restated(path, words) -> None:
    with pytest.raises(PlanError, match=words):
        reprice(EAST, path, date(2027, 1, 1), Decimal(1), "Offer", "")


def test_an_amount_that_is_no_price_is_refused() -> None:
    for amount in (Decimal(-1), Decimal("NaN"), 4.3):
        with pytest.raises(PlanError, match="expected a price"):
            reprice(EAST, "analytics", date(2027, 1, 1), amount, "Offer", "")


# ---------------------------------------------------------------- break-even, fiscal years, steady state


def test_break_even_of_every_tier_as_the_reference_prints_it() -> None:
    # The column "Cheaper than PAYG above" of the price survey, East US.
    printed = {
        "50": "37.5", "100": "68.8", "200": "127.4", "300": "186.0", "400": "241.2", "500": "294.2", "1000": "576.7",
        "2000": "1116.3", "5000": "2686.0", "10000": "5172.1", "25000": "12430.2", "50000": "23860.5",
    }  # fmt: skip
    found = break_even(EAST, date(2026, 11, 24))
    assert {tier: str(round_half_up(gb, 1)) for tier, gb in found.items()} == printed
    # On either side of it the tier is dearer and cheaper.
    day = span("2026-11-24", 1)
    for tier, gb in found.items():
        for part, cheaper in ((0.999, False), (1.001, True)):
            usage = Usage(day, {"CloudAppEvents": [float(gb) * part]})
            assert (bill(EAST, usage, Terms(commitment=tier)).total < bill(EAST, usage).total) is cheaper


def test_break_even_leaves_out_what_never_pays_and_what_has_ended() -> None:
    assert break_even(SPLUNK, date(2027, 1, 1)) == {}
    assert "50" not in break_even(EAST, date(2027, 4, 1))
    dear = reprice(EAST, "commitment.100", date(2027, 1, 1), Decimal(430), "Offer", "")
    assert "100" not in break_even(dear, date(2027, 1, 1))


def test_months_are_grouped_by_fiscal_year() -> None:
    months = [f"2026-{m:02d}" for m in range(5, 13)] + [f"2027-{m:02d}" for m in range(1, 9)]
    assert fiscal_years(months, 7) == {"FY2026": [0, 1], "FY2027": list(range(2, 14)), "FY2028": [14, 15]}
    assert fiscal_years(months, 1) == {"FY2026": list(range(8)), "FY2027": list(range(8, 16))}
    assert fiscal_years([], 4) == {}
    with pytest.raises(ValueError, match="13 is not a month"):
        fiscal_years(months, 13)


def test_the_steady_state_of_a_stock_that_is_still_filling() -> None:
    # 10 GB a day: 3,660 GB at 4.30 in the leap year that follows; kept 365 days, 275 of them paid: 2,750 GB at 0.10 a
    # month, whatever the sixty days behind it have stocked up.
    usage = Usage(span("2027-01-01", 60), {"CloudAppEvents": np.full((60, 3), 10.0) * [1, 2, 0]})
    rate = run_rate(EAST, usage, Terms(retention_days=365))
    monthly = 3660 * 4.30 / 12 + 275
    assert rate.month == pytest.approx([monthly, 2 * monthly, 0])
    assert (rate.year, rate.pattern_days) == ((date(2027, 3, 2), date(2028, 3, 1)), 28)


def test_the_steady_state_goes_on_with_the_last_weeks() -> None:
    quiet = [1.0] * 40 + [7.0] * 28
    rate = run_rate(EAST, Usage(span("2027-01-01", 68), {"CloudAppEvents": quiet}), Terms())
    assert rate.month == pytest.approx([7 * 366 * 4.30 / 12])
    # The promotion has ended by then: pay-as-you-go.
    usage = Usage(span("2027-03-01", 40), {"CloudAppEvents": [50.0] * 40})
    assert run_rate(EAST, usage, Terms(commitment="50")).commitment == "none"


# ---------------------------------------------------------------- speed


@pytest.mark.slow
def test_five_plans_three_scenarios_three_years_two_thousand_draws_in_five_seconds() -> None:
    days = span("2026-12-01", 1096)
    seed = np.random.default_rng(1)
    plans = [EAST, UK, SPLUNK, find_plan("datadog-logs"), find_plan("sumo-credits")]
    gb = [seed.lognormal(2, 0.5, (1096, 2000)) for _ in range(3)]
    usages = [Usage(days, {"CloudAppEvents": one}, events={"CloudAppEvents": one * 1e6}) for one in gb]
    terms = [
        Terms(commitment="best", retention_days=365), Terms(commitment="best", retention_days=365), Terms(),
        Terms(counts={"committed_million_events": Decimal(100)}), Terms(retention_days=90),
    ]  # fmt: skip
    started = time.process_time()
    for usage in usages:
        for plan, chosen in zip(plans, terms, strict=True):
            made = bill_draws(plan, usage, chosen)
            assert made.total.shape == (36, 2000)
    # The promise is 5 s on a machine that does nothing else (2.1 measured); slower and busier ones have room.
    assert time.process_time() - started < 10
