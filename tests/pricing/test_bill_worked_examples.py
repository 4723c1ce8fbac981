"""Figures worked by hand, and the vendors' own where they print one: the bill must come to exactly these."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from pricing.bill import Terms, Usage, bill, bill_draws
from pricing.commitment import choose, compare
from pricing.errors import NoPriceError
from pricing.examples import run_examples
from pricing.money import money
from pricing.plan import find_plan, parse_plan, shipped_plans
from tests.pricing.helpers import GOOD, span

EAST, UK, SPLUNK = (find_plan(id_) for id_ in ("sentinel-eastus", "sentinel-uksouth", "splunk-cloud-ingest"))


def cost(plan, first, gb, terms=None, stream="CloudAppEvents") -> str:
    usage = Usage(span(first, len(gb)), {stream: gb})
    return str(money(bill(plan, usage, terms or Terms()).total, plan.currency))


@pytest.mark.parametrize("plan", shipped_plans().values(), ids=lambda plan: plan.id)
def test_shipped_examples_hold_at_their_printed_precision(plan) -> None:
    for result in run_examples(plan):
        assert result.holds, result


def test_an_example_that_does_not_hold_is_noticed() -> None:
    small = parse_plan(GOOD)
    wrong = small.examples[0].model_copy(update={"expected": "4.01"})
    (result,) = run_examples(small.model_copy(update={"examples": (wrong,)}))
    assert not result.holds
    assert (str(result.expected), str(result.found)) == ("4.01", "4.00")


def test_overage_is_billed_at_the_rate_of_the_tier() -> None:
    # 300 GB on the 200 GB tier are 1.5 tiers (cost-logs): 1.5 x 548.
    usage = Usage(span("2027-01-04", 1), {"CloudAppEvents": [300]})
    (line,) = bill(EAST, usage, Terms(commitment="200")).charges
    assert (line.quantity, line.unit, line.unit_price, line.amount) == (
        Decimal("1.5"),
        "tier-day",
        Decimal("548.00"),
        Decimal("822.00"),
    )
    assert "above it by 100 GB" in line.note


def test_a_quiet_day_costs_the_whole_tier() -> None:
    assert cost(EAST, "2027-01-04", [80], Terms(commitment="100")) == "296.00"


def test_a_month_is_its_days() -> None:
    assert cost(EAST, "2027-04-01", [100] * 30, Terms(commitment="100")) == "8880.00"
    for first, days, total in (
        ("2027-01-01", 31, "9176.00"),
        ("2027-02-01", 28, "8288.00"),
        ("2028-02-01", 29, "8584.00"),
    ):
        assert cost(EAST, first, [100] * days, Terms(commitment="100")) == total


def test_half_a_cent_is_rounded_up() -> None:
    # 90 x 0.0065 = 0.585: 0.59 in decimals, 0.58 in floats (infracost's golden file).
    plan = parse_plan(GOOD.replace("amount = 4.00", "amount = 0.0065"))
    assert cost(plan, "2026-11-01", [90], stream="Paid") == "0.59"


def test_rounding_is_not_fooled_by_thirds_of_a_month() -> None:
    third = Decimal(1) / 3
    assert str(money((third + third + third) * Decimal("0.585"), "USD")) == "0.59"
    assert str(money(Decimal("0.585"), "USD")) == "0.59"
    assert str(money(Decimal("-0.585"), "USD")) == "-0.59"
    assert str(money(Decimal("0.5849"), "USD")) == "0.58"
    assert str(money(Decimal("12093.5"), "JPY")) == "12094"
    assert str(money(Decimal("1.0005"), "KWD")) == "1.001"
    assert f"{money(Decimal('12093.75'), 'USD'):,}" == "12,093.75"


def test_five_hundred_licences_cover_two_and_a_half_gigabytes() -> None:
    grant = EAST.grants["m365-e5"].gb_per_day(500)
    assert grant == Decimal("2.5")
    assert cost(EAST, "2027-01-04", [10], Terms(grant_gb_per_day={"m365-e5": grant})) == "32.25"  # 7.5 x 4.30
    assert cost(EAST, "2027-01-04", [2], Terms(grant_gb_per_day={"m365-e5": grant})) == "0.00"
    # Pooled per day, not per month: a quiet day does not lend its rest to a busy one.
    assert cost(EAST, "2027-01-04", [0, 5], Terms(grant_gb_per_day={"m365-e5": grant})) == "10.75"  # 2.5 x 4.30


def test_uk_south_at_a_flat_120_gigabytes() -> None:
    # The per-day rates of the peers' table (§6.2), which multiplies them by 30.44 days; 50 GB is not sold in 2027.
    quotes = {quote.tier: quote.cost for quote in compare(UK, span("2026-12-01", 1), [120])}
    per_day = {tier: quotes[tier] for tier in ("none", "50", "100", "200")}
    assert per_day == {
        "none": Decimal("645.60"),
        "50": Decimal("483.75"),
        "100": Decimal("444.00"),
        "200": Decimal("685"),
    }
    printed = {tier: str(money(value * Decimal("30.44"), "USD")) for tier, value in per_day.items()}
    assert printed == {"none": "19652.06", "50": "14725.35", "100": "13515.36", "200": "20851.40"}
    assert choose(UK, span("2026-12-01", 31), [120] * 31).tier == "100"


def test_a_weekly_pattern_is_priced_day_by_day() -> None:
    days, gb = span("2026-11-30", 28), [130, 130, 130, 130, 130, 40, 40] * 4
    quotes = compare(UK, days, gb)
    assert quotes[:2] == [("50", Decimal("12093.75")), ("100", Decimal(12580))]
    assert choose(UK, days, gb).tier == "50"
    # The mean of 104.29 GB would have picked the 100 GB tier.
    assert compare(UK, days, [np.mean(gb)] * 28)[0].tier == "100"
    # Over the 30.44 days the peer prints: 13,147.63 and 13,676.26.
    printed = [str(money(quote.cost / 28 * Decimal("30.44"), "USD")) for quote in quotes[:2]]
    assert printed == ["13147.63", "13676.26"]


def test_swings_cost_more_than_their_mean() -> None:
    assert cost(EAST, "2027-01-04", [50, 250] * 5, Terms(commitment="100")) == "5180.00"
    assert cost(EAST, "2027-01-04", [150] * 10, Terms(commitment="100")) == "4440.00"


def test_retention_is_a_stock_that_grows() -> None:
    # 10 GB a day from 1 January 2027, kept 365 days, the first 90 free: nothing before 1 April, then 10 GB more each
    # day. April: 10 x (1 + … + 30) / 30 days = 155 GB-months. The months below are that sum for each of them.
    usage = Usage(span("2027-01-01", 365), {"CloudAppEvents": [10] * 365})
    made = bill(EAST, usage, Terms(retention_days=365))
    lines = {line.month: line for line in made.charges if line.meter == "retention"}
    gb_months = {month: line.quantity for month, line in lines.items()}
    assert {month: str(quantity.normalize()) for month, quantity in gb_months.items()} == {
        "2027-04": "155",
        "2027-05": "4.6E+2",
        "2027-06": "765",
        "2027-07": "1.07E+3",
        "2027-08": "1.38E+3",
        "2027-09": "1685",
        "2027-10": "1.99E+3",
        "2027-11": "2295",
        "2027-12": "2.6E+3",
    }
    assert str(money(made.by_meter()["retention"], "USD")) == "1240.00"  # 12,400 GB-months at 0.10
    assert made.notes == ("Retention starts from an empty stock: what was ingested before the first day is not in it.",)


def test_a_full_stock_costs_the_same_every_month() -> None:
    # 10 GB a day for ever, kept 365 days of which 275 are paid: 2,750 GB, 275.00 a month, leap February or not.
    days = span("2028-01-01", 366)
    usage = Usage(days, {"CloudAppEvents": [10] * 366}, earlier={"CloudAppEvents": [10] * 365})
    made = bill(EAST, usage, Terms(retention_days=365))
    monthly = [line.amount for line in made.charges if line.meter == "retention"]
    assert [str(money(amount, "USD")) for amount in monthly] == ["275.00"] * 12
    assert made.notes == ()


def test_one_gigabyte_is_kept_for_its_paid_days() -> None:
    # 1 GB on 1 January 2027 kept 180 days: charged from 1 April (day 90) to 29 June (day 179), 30/30 + 31/31 + 29/30.
    gb = [1] + [0] * 364
    made = bill(EAST, Usage(span("2027-01-01", 365), {"CloudAppEvents": gb}), Terms(retention_days=180))
    lines = [(line.month, line.quantity * 30) for line in made.charges if line.meter == "retention"]
    assert lines == [("2027-04", 30), ("2027-05", 30), ("2027-06", pytest.approx(Decimal(29)))]


@pytest.mark.parametrize("days", [None, 0, 30, 90])
def test_included_days_cost_nothing(days) -> None:
    usage = Usage(span("2027-01-01", 365), {"CloudAppEvents": [10] * 365})
    assert "retention" not in bill(EAST, usage, Terms(retention_days=days)).by_meter()


def test_free_streams_are_billed_at_nothing_and_say_why() -> None:
    usage = Usage(span("2027-01-01", 59), {"OfficeActivity": [100] * 59})
    made = bill(EAST, usage, Terms(commitment="none", retention_days=365))
    assert made.total == 0
    assert [(line.month, line.stream, line.quantity, line.amount) for line in made.charges] == [
        ("2027-01", "OfficeActivity", 3100, 0),
        ("2027-02", "OfficeActivity", 2800, 0),
    ]
    assert all("free data sources" in line.note and line.sources == ("free-data",) for line in made.charges)


def test_the_second_case_charges_the_retention_of_free_streams() -> None:
    usage = Usage(span("2027-01-01", 365), {"OfficeActivity": [10] * 365})
    second = Terms(retention_days=365, billed_free_streams=frozenset({"OfficeActivity"}))
    assert str(money(bill(EAST, usage, second).total, "USD")) == "1240.00"


def test_splunk_bands_set_one_rate_for_all_units() -> None:
    year = span("2027-01-01", 365)

    def annual(gb: float) -> str:
        return str(money(bill(SPLUNK, Usage(year, {"splunk-o365": [gb] * 365})).total, "USD"))

    assert annual(1000) == "822250.00"
    assert annual(999) == "850149.00"  # 999 x 851: more than 1000 GB cost
    assert annual(1) == annual(5) == "10246.50"
    assert annual(5.000000001) == "12295.80"  # a byte more is a unit more: 6 x 2049.30
    assert annual(5.0000000000001) == "10246.50"  # less than a byte is not
    assert annual(0) == "0.00"  # nothing used, nothing bought
    with pytest.raises(NoPriceError, match="the list ends at 9999 GB/day"):
        annual(10_000)


def test_splunk_capacity_is_the_p95_day_of_each_term() -> None:
    # The first year is bought for its 347th of 365 days (95% of 365 is 346.75), the second for what is known of it.
    first = [10.0] * 346 + [20.0] + [300.0] * 18
    second = [40.0] * 31
    usage = Usage(span("2026-07-01", 396), {"splunk-o365": first + second})
    made = bill(SPLUNK, usage)
    assert money(sum(made.by_month()[month] for month in made.months[:12]), "USD") == Decimal("30360.00")  # 20 x 1518
    share = made.by_month()["2027-07"]
    assert money(share, "USD") == money(Decimal(40) * 1518 * 31 / 366, "USD")  # a leap term
    assert made.charges[0].note.startswith("Daily ingest capacity, annual term: 20 GB/day bought on 2026-07-01")


def test_splunk_capacity_is_charged_from_the_first_day_of_usage() -> None:
    # Connected on 1 July: 5 GB/day at 2,049.30 a year are 10,246.50, of which July to December are 184 of 366 days
    # (1 July 2027 to 30 June 2028 holds the leap day of 2028), 5,151.25; the half year before costs nothing.
    year = span("2027-01-01", 365)
    july = bill(SPLUNK, Usage(year, {"splunk-o365": [0.0] * 181 + [2.0] * 184}))
    assert {month: str(money(amount, "USD")) for month, amount in july.by_month().items() if amount} == {
        "2027-07": "867.87", "2027-08": "867.87", "2027-09": "839.88", "2027-10": "867.87", "2027-11": "839.88",
        "2027-12": "867.87",
    }  # fmt: skip
    assert str(money(july.total, "USD")) == "5151.25"
    # Connected on 20 December: 12 of 366 days, and the P95 day is that of the 12 days.
    december = bill(SPLUNK, Usage(year, {"splunk-o365": [0.0] * 353 + [12.0] * 12}))
    assert str(money(december.total, "USD")) == "686.83"  # 12 x 1,745.70 x 12 / 366
    assert december.by_month()["2027-11"] == 0
    assert december.charges[0].note.startswith("Daily ingest capacity, annual term: 12 GB/day bought on 2027-12-20")


def test_the_contract_starts_for_all_draws_on_the_first_day_on_which_one_uses_it() -> None:
    # It is signed once, before anyone knows the draw: the second draw pays from 3 January too, 363 days of 365.
    gb = np.zeros((365, 3))
    gb[2:, 0], gb[9:, 1] = 2.0, 2.0
    drawn = bill_draws(SPLUNK, Usage(span("2027-01-01", 365), {"splunk-o365": gb}))
    assert drawn.total.sum(axis=0) == pytest.approx([5 * 2049.30 * 363 / 365] * 2 + [0])


def test_a_rise_inside_a_term_is_charged_from_its_start_and_the_bill_says_so() -> None:
    usage = Usage(span("2027-01-01", 365), {"splunk-o365": [6.0] * 181 + [9.0] * 184})
    made = bill(SPLUNK, usage)
    assert str(money(made.total, "USD")) == "18443.70"  # 9 x 2,049.30, though the first half needs 6
    (note,) = made.notes
    assert "charged from the term's start" in note
    assert bill_draws(SPLUNK, usage).notes == made.notes
    # Under the minimum there is nothing to buy up to.
    assert bill(SPLUNK, Usage(span("2027-01-01", 365), {"splunk-o365": [1.0] * 181 + [4.0] * 184})).notes == ()


def test_the_p95_day_is_shown_as_people_read_it() -> None:
    def note(gb: float) -> str:
        return bill(SPLUNK, Usage(span("2027-01-01", 1), {"splunk-o365": [gb]})).charges[0].note

    assert "for a P95 day of 0.00353 GB" in note(0.003534023274)
    assert "for a P95 day of 5.004 GB" in note(5.00351)
    assert "for a P95 day of 1234.5 GB" in note(1234.5)


def test_a_term_that_spans_a_leap_day_has_366_days() -> None:
    usage = Usage(span("2028-01-01", 366), {"splunk-o365": [10.0] * 366})
    made = bill(SPLUNK, usage)
    assert str(money(made.total, "USD")) == "17457.00"
    assert money(made.by_month()["2028-02"], "USD") == money(Decimal(17457) * 29 / 366, "USD")
    # A term that starts on 29 February ends with the next February.
    leap = Usage(span("2028-02-29", 367), {"splunk-o365": [10.0] * 367})
    starts = {line.note.split("bought on ")[1][:10] for line in bill(SPLUNK, leap).charges}
    assert starts == {"2028-02-29", "2029-03-01"}


def test_the_discount_comes_last() -> None:
    usage = Usage(span("2027-01-04", 2), {"CloudAppEvents": [10, 20]})
    made = bill(EAST, usage, Terms(discount_percent=Decimal(8)))
    assert made.total == Decimal("118.68")  # 30 x 4.30 x 0.92
    assert made.by_meter() == {"analytics": Decimal("129.00"), "discount": Decimal("-10.32")}
    assert made.charges[-1].meter == "discount"


def test_the_promotion_ends_and_the_bill_says_so() -> None:
    usage = Usage(span("2026-12-01", 365), {"CloudAppEvents": [50] * 365})
    made = bill(UK, usage, Terms(commitment="50"))
    # 121 days to 31 March 2027 at 201.5625, then 244 days at 50 x 5.38.
    assert made.total == 121 * Decimal("201.5625") + 244 * 50 * Decimal("5.38")
    assert made.notes == ("Tier 50 has no price in force from 2027-04-01: 244 of 365 days fall back to pay-as-you-go.",)
    assert made.by_month()["2027-04"] == 30 * 50 * Decimal("5.38")


def test_a_price_that_is_not_known_yet_is_not_guessed() -> None:
    with pytest.raises(NoPriceError, match="no price is known on 2026-09-25") as caught:
        cost(EAST, "2026-09-25", [1])
    assert caught.value.exit_code == 4
    assert cost(EAST, "2026-09-26", [1]) == "4.30"
    with pytest.raises(NoPriceError):
        bill_draws(EAST, Usage(span("2026-09-25", 1), {"CloudAppEvents": [1]}))
    # A day on which nothing is billed needs no price.
    assert cost(EAST, "2026-09-25", [0, 1]) == "4.30"


def test_the_json_contract() -> None:
    usage = Usage(span("2027-04-01", 30), {"CloudAppEvents": [3.5] * 30})
    assert bill(EAST, usage).to_json() == {
        "schema": "siem-estimator/price/1",
        "plan": "sentinel-eastus",
        "currency": "USD",
        "commitment": "none",
        "charges": [
            {
                "meter": "analytics",
                "stream": "CloudAppEvents",
                "month": "2027-04",
                "quantity": "105",
                "unit": "GB",
                "unit_price": "4.3",
                "amount": "451.5",
                "sources": ["price-api"],
                "price_from": "2026-09-26",
                "note": "Analytics tier, pay-as-you-go",
            }
        ],
        "total": "451.50",
        "total_unrounded": "451.5",
        "at_least": False,
        "notes": [],
    }
