"""The awkward case of each shape by volume, worked beside the package: part months, leap days, edges of bands.

Nothing here is computed by `pricing` but the bill itself. Each figure is written down as the rule says it.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from pricing import Plan, Terms
from pricing.commitment import choose
from pricing.errors import NoPriceError, PlanFileError
from pricing.money import money
from tests.pricing.helpers import span
from tests.pricing.plan_texts import at, meter, tiny
from tests.pricing.test_shape_worked_examples import LIST, bands, cents, counts, made, unit_bands

#: 2.00, and 3.00 from 10 February 2028 on, in the middle of a leap February.
CHANGING = '[{ from = 2026-01-01, amount = 2, source = "list" }, { from = 2028-02-10, amount = 3, source = "list" }]'
CREDIT = f'[credit]\ntitle = "Credit"\nprices = {CHANGING}\n'


def months(plan: Plan, gb: list[float], first: str, terms: Terms | None = None, **usage: object) -> list[str]:
    found = made(plan, gb, first, terms, **usage)  # type: ignore[arg-type]
    return [str(money(amount, "USD")) for amount in found.by_month().values()]


def to_cents(amount: Fraction | int) -> str:
    return str(money(Decimal(Fraction(amount).numerator) / Decimal(Fraction(amount).denominator), "USD"))


# ------------------------------------------------------------------ by volume


def test_a_flat_price_that_changes_within_a_leap_february_makes_two_lines() -> None:
    plan = tiny(meter("main", "flat", CHANGING))
    found = made(plan, [1.5] * 29, "2028-02-01")
    assert [(line.quantity, line.unit_price, line.amount) for line in found.charges] == [
        (Decimal("13.5"), 2, 27),  # 1 to 9 February
        (Decimal("30.0"), 3, 90),  # 10 to 29 February
    ]


def test_an_allowance_of_a_part_month_is_its_share() -> None:
    # 20 to 29 February 2028: 10 of 29 days have 290 x 10 / 29 = 100 of the 290 free GB; 110 are used, 10 charged.
    plan = tiny(meter("main", "flat", at("0.50"), included_gb_per_month=290))
    assert months(plan, [11.0] * 10, "2028-02-20") == ["5.00"]
    assert months(plan, [10.0] * 10, "2028-02-20") == ["0.00"]  # the edge exactly


def test_bands_of_a_part_month_are_its_share_and_a_month_without_use_costs_nothing() -> None:
    # 20 to 30 April hold 11 of 30 days: a band of 300 GB is one of 110. 110 are all in it; 121 are 11 beyond it.
    plan = tiny(meter("main", "graduated", bands=bands((0, "1"), (300, "0.5")), **LIST))
    assert months(plan, [10.0] * 11 + [0.0] * 31 + [300.0] + [0.0] * 29, "2027-04-20") == ["110.00", "0.00", "300.00"]
    assert months(plan, [11.0] * 11, "2027-04-20") == ["115.50"]


def test_an_allowance_comes_before_the_bands_and_grants_before_both() -> None:
    plan = tiny(
        meter("main", "graduated", bands=bands((0, "1"), (100, "0.5")), included_gb_per_month=50, **LIST),
        '[grants.g]\ntitle = "G"\nper = "user"\ngb_per_day_each = 1\nstreams = ["A"]\nsource = "list"\n',
    )
    # 10 GB a day less 3 granted are 210 in April; less 50 free are 160: 100 at 1.00, 60 at 0.50.
    granted = Terms(grant_gb_per_day={"g": Decimal(3)})
    assert months(plan, [10.0] * 30, "2027-04-01", granted) == ["130.00"]
    # What is not used of a grant on a day is lost: 15 days of 1 GB, 15 of 19: only 16 a day are left, 240 - 50 = 190.
    assert months(plan, [1.0] * 15 + [19.0] * 15, "2027-04-01", granted) == ["145.00"]


def test_events_past_the_allowance_exactly_used_up() -> None:
    plan = tiny(meter("main", "per_event", at("2.55"), included_million_events_per_month=3))
    # 3 million in April, all free; 4.5 million in 30 of May's 31 days, 3 x 30 / 31 of them free.
    assert months(plan, [1.0] * 60, "2027-04-01", events={"A": [100_000] * 30 + [150_000] * 30}) == [
        "0.00",
        to_cents((Fraction(9, 2) - 3 * Fraction(30, 31)) * Fraction(255, 100)),
    ]


def test_a_commitment_of_a_part_month_is_promised_for_its_share() -> None:
    keys = {"unit": "GB", "committed": "promised", "overage_multiplier": 1.5, **LIST}
    plan = tiny(meter("main", "monthly_commitment", CHANGING, **keys))
    # 5 to 14 February 2028, 10 of 29 days: 29 promised are 10, at the 3.00 of the 14th; 25 used are 15 at 4.50.
    assert months(plan, [2.5] * 10, "2028-02-05", counts(promised=29)) == ["97.50"]
    assert months(plan, [1.0] * 10, "2028-02-05", counts(promised=29)) == ["30.00"]  # the edge exactly
    assert months(plan, [0.0] * 10, "2028-02-05", counts(promised=29)) == ["30.00"]


def test_a_pool_is_bought_anew_in_the_middle_of_a_month() -> None:
    # From 20 March 2027 (366 days: the leap day of 2028 is in it) to the end of March 2028. 100 GB at 2.00, at 3.00 in
    # the second term. 1 GB a day: the pool is empty on 27 June; 266 are beyond it, 20 of them in March 2028 at 3.00.
    plan = tiny(meter("main", "prepaid_pool", CHANGING, unit="GB", size="pool", beyond="price", **LIST))
    days = 366 + 12
    found = made(plan, [1.0] * days, "2027-03-20", counts(pool=100))
    by_month = {month: str(money(amount, "USD")) for month, amount in found.by_month().items()}
    assert by_month["2027-03"] == to_cents(Fraction(200 * 12, 366))
    assert by_month["2027-06"] == to_cents(Fraction(200 * 30, 366) + 2 * 3)  # 12 + 30 + 31 + 27 = 100 on 27 June
    assert by_month["2028-01"] == to_cents(Fraction(200 * 31, 366) + 2 * 31)
    # February is priced on its last day, 3.00; 1 to 19 March are of the first term, 20 to 31 of the new pool.
    assert by_month["2028-02"] == to_cents(Fraction(200 * 29, 366) + 3 * 29)
    assert by_month["2028-03"] == to_cents(Fraction(200 * 19, 366) + 3 * 19 + Fraction(300 * 12, 365))


# ------------------------------------------------------------------ commitments by the day


def tiers(prices: str, **keys: object) -> str:
    return (
        meter("promised", "daily_commitment", instead_of="main", overage="tier_rate", lock_days=0, **LIST, **keys)
        + f'[[meters.promised.tiers]]\nid = "100"\ngb_per_day = 100\nprices = {prices}\n'
    )


def test_a_tier_in_credits_follows_the_price_of_a_credit_within_the_month() -> None:
    plan = tiny(meter("main", "flat", at(5), in_credits=True), tiers(at(300), in_credits=True), CREDIT)
    # 100 GB on 9 days at 300 x 2.00, on 20 days at 300 x 3.00; 150 on the last: half as much again.
    found = made(plan, [100.0] * 28 + [150.0], "2028-02-01", Terms(commitment="100"))
    assert cents(found) == "23850.00"  # 9 x 600 + 19 x 900 + 1,350
    assert [line.amount for line in found.charges] == [5400, 18450]


def test_a_tier_exactly_filled_has_no_overage_and_a_grant_comes_first() -> None:
    plan = tiny(
        meter("main", "flat", at(4)), tiers(at(300)),
        '[grants.g]\ntitle = "G"\nper = "user"\ngb_per_day_each = 1\nstreams = ["A"]\nsource = "list"\n',
    )  # fmt: skip
    terms = Terms(commitment="100", grant_gb_per_day={"g": Decimal(20)})
    assert cents(made(plan, [120.0, 121.0, 0.0], "2027-04-01", terms)) == "903.00"  # 300 + 303 + 300


def test_a_meter_with_a_free_allowance_is_not_replaced_by_tiers() -> None:
    with pytest.raises(PlanFileError, match="a free allowance"):
        tiny(meter("main", "flat", at(4), included_gb_per_month=10), tiers(at(300)))


def test_the_best_tier_is_chosen_after_grants() -> None:
    plan = tiny(meter("main", "flat", at(4)), tiers(at(300)))
    days = span("2027-04-01", 2)
    assert choose(plan, days, [75, 75]).tier == "none"  # 75 x 4.00 is the tier's 300: on equal cost the smaller
    assert choose(plan, days, [75, 75.001]).tier == "100"


# ------------------------------------------------------------------ capacity


def test_capacity_by_the_month_starts_with_its_first_day_of_use() -> None:
    keys = {"unit": "SVC", "measure": "gb_per_day", "per_unit": 10, "sold_in": 2, "percentile": 50, "per": "month",
            "above": "Waits.", **LIST}  # fmt: skip
    plan = tiny(meter("main", "capacity_steps", application="graduated", bands=unit_bands((0, "10"), (4, "7")), **keys))
    # First use on 21 February 2028, 9 of 29 days: the 5th of 9 days is 40 GB, 4 units, all in the first band.
    # Nothing in March. April: the 15th of 30 days is 41 GB, 5 units, sold as 6: 4 at 10 and 2 at 7.
    gb = [0.0] * 20 + [40.0] * 5 + [90.0] * 4 + [0.0] * 31 + [41.0] * 15 + [99.0] * 15
    assert months(plan, gb, "2028-02-01") == [to_cents(Fraction(40 * 9, 29)), "0.00", "54.00"]


def test_capacity_bands_at_their_edges() -> None:
    keys = {"unit_gb_per_day": 5, "minimum_gb_per_day": 5, "maximum_gb_per_day": 100, "percentile": 95, **LIST}
    plan = tiny(meter("main", "capacity_all_units", bands=bands((5, "10"), (50, "8")), **keys))
    year = "2027-01-01"
    assert cents(made(plan, [45.0] * 365, year)) == "450.00"
    assert cents(made(plan, [45.1] * 365, year)) == "400.00"  # 50 GB: the edge itself has the new rate
    assert cents(made(plan, [100.0] * 365, year)) == "800.00"
    with pytest.raises(NoPriceError, match="the list ends at 100"):
        made(plan, [100.1] * 365, year)


def test_capacity_that_is_owned_needs_no_peak() -> None:
    keys = {"unit": "EPS", "measure": "peak_events_per_second", "per_unit": 1, "percentile": 100, "owned": "eps",
            "per": "year", "above": "Excess is buffered.", **LIST}  # fmt: skip
    plan = tiny(meter("main", "capacity_steps", CHANGING, **keys))
    found = made(plan, [1.0] * 366, "2028-01-01", counts(eps=500))
    assert cents(found) == "1000.00"  # bought on 1 January, at 2.00
    assert found.charges[0].note == (
        "main: 500 EPS, as stated. Excess is buffered. The annual price is shown evenly over the 366 days of the term; "
        "it is owed when bought."
    )
    given = made(plan, [1.0] * 366, "2028-01-01", counts(eps=500), peak_events_per_second={"A": [620.0] * 366})
    assert cents(given) == "1000.00"
    assert "500 EPS, as stated, for a busiest day of 620 events a second" in given.charges[0].note


def test_units_that_a_later_rise_buys_from_the_start_are_told() -> None:
    keys = {"unit": "EPS", "measure": "peak_events_per_second", "per_unit": 1, "sold_in": 100, "percentile": 100,
            "owned": "eps", "above": "Excess is buffered.", **LIST}  # fmt: skip
    peaks = {"A": [150.0] * 60 + [250.0] * 40}
    gb = [1.0] * 100
    year, month = (tiny(meter("main", "capacity_steps", at(1), per=per, **keys)) for per in ("year", "month"))
    (note,) = made(year, gb, peak_events_per_second=peaks).notes
    assert note.startswith("main: use rises inside the term from 2027-04-01, and all that the term needs is charged")
    # 199 need no more units than 150; by the month nothing is bought ahead; what is owned is stated.
    assert made(year, gb, peak_events_per_second={"A": [150.0] * 60 + [199.0] * 40}).notes == ()
    assert made(month, gb, peak_events_per_second=peaks).notes == ()
    assert made(year, gb, terms=counts(eps=300), peak_events_per_second=peaks).notes == ()
