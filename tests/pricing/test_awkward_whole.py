"""The awkward case of what is kept, counted and done to the whole bill, worked beside the package.

Nothing here is computed by `pricing` but the bill itself. Each figure is written down as the rule says it.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from pricing import Terms, Usage, bill_draws
from pricing.bill import bill
from pricing.errors import NoPriceError, PlanFileError
from pricing.money import money
from tests.pricing.helpers import span
from tests.pricing.plan_texts import at, meter, tiny
from tests.pricing.test_awkward_volume import CHANGING, months, to_cents
from tests.pricing.test_shape_worked_examples import LIST, bands, cents, counts, made, steps

# ------------------------------------------------------------------ storage


def test_days_kept_that_shrink_and_then_grow() -> None:
    # 1 GB a day for ever, none included, a GB-day at 1.00. Kept 10 days; 4 from 11 April; 8 from 21 April.
    plan = tiny(meter("main", "flat", at(0)), meter("kept", "retention", at(1), of="main", max_days=99, per="day",
                                                    **LIST))  # fmt: skip
    terms = Terms(
        retention_days=10,
        stream_retention_days={"A": [(span("2027-04-11", 1)[0], 4), (span("2027-04-21", 1)[0], 8)]},
    )
    found = made(plan, [1.0] * 30, "2027-04-01", terms, earlier={"A": [1.0] * 50})
    # 10 days of 10; 10 days of 4; then what is left grows by one a day: 5, 6, 7, 8 and 8 on the six days after.
    assert cents(found) == f"{100 + 40 + 5 + 6 + 7 + 8 * 7}.00"


@pytest.mark.parametrize("since", ["2027-04-01", "2027-03-28"])
def test_what_was_deleted_before_the_first_day_does_not_come_back(since: str) -> None:
    # Kept 3 days until the day before `since`, from then on 30. On 1 April what is there are the 3 days, and those
    # that were added since.
    plan = tiny(meter("main", "flat", at(0)), meter("kept", "retention", at(1), of="main", max_days=99, per="day",
                                                    **LIST))  # fmt: skip
    terms = Terms(retention_days=3, stream_retention_days={"A": [(span(since, 1)[0], 30)]})
    found = made(plan, [1.0] * 5, "2027-04-01", terms, earlier={"A": [1.0] * 60})
    grown = 0 if since == "2027-04-01" else 4
    assert cents(found) == f"{sum(4 + grown + day for day in range(5))}.00"


def test_a_stream_that_moves_to_the_lake_leaves_its_stock_behind() -> None:
    plan = tiny(
        meter("main", "flat", at(4)),
        meter("lake_in", "flat", at("0.05")),
        meter("lake_through", "flat", at("0.10")),
        meter("kept", "retention", at("0.10"), of="main", max_days=730, **LIST),
        meter("lake_kept", "retention", at("0.026"), of="lake", max_days=4380, compression=6, **LIST),
        '[tiers.lake]\ntitle = "Lake"\ningest = ["lake_in", "lake_through"]\nincluded_retention_days = 0\n'
        'max_days = 4380\nloses = "Rules."\nsource = "list"\n',
        included=10,
    )
    # 6 GB a day; from 1 May in the lake. Kept 20 days here, 10 of them included; all of it in the lake.
    gb = {"A": [6.0] * 30 + [0.0] * 31, "A@lake": [0.0] * 30 + [6.0] * 31}
    usage = Usage(span("2027-04-01", 61), gb)
    terms = Terms(retention_days=20, stream_retention_days={"A@lake": 4380})
    by_meter = bill(plan, usage, terms).by_meter()
    assert by_meter["main"] == 6 * 30 * 4
    assert by_meter["lake_in"] == 6 * 31 * Decimal("0.05")
    assert by_meter["lake_through"] == 6 * 31 * Decimal("0.10")
    # Past the 10 included days: a GB of day d is charged on days d + 10 to d + 19. In April those of 1 to 20 April grow
    # from 1 to 10 days' worth on 11 to 20 April, then stay at 10; in May they run out: 1 May has 10, the days of
    # 12 to 21 April; from 11 May on, when 30 April has come in, they fall to nothing on 20 May.
    april = 6 * (sum(range(1, 11)) + 10 * 10)
    may = 6 * (10 * 10 + sum(range(10)))
    assert str(money(by_meter["kept"], "USD")) == to_cents(Fraction(1, 10) * (Fraction(april, 30) + Fraction(may, 31)))
    # One GB more of six a day in the lake, from its first day on.
    lake = Fraction(sum(range(1, 32)), 31)
    assert str(money(by_meter["lake_kept"], "USD")) == to_cents(Fraction(26, 1000) * lake)
    assert bill_draws(plan, usage, terms).total.sum() == pytest.approx(float(sum(by_meter.values())))


def test_a_tier_that_pays_the_main_ingestion_pays_its_own_storage_only() -> None:
    plan = tiny(
        meter("main", "flat", at(4)),
        meter("kept", "retention", at("1"), of="main", max_days=730, per="day", **LIST),
        meter("cold", "retention", at("0.1"), of="archive", max_days=4380, per="day", **LIST),
        '[tiers.archive]\ntitle = "Archive"\ningest = ["main"]\nincluded_retention_days = 0\nmax_days = 4380\n'
        'loses = "Rules."\nsource = "list"\n',
    )
    usage = Usage(span("2027-04-01", 1), {"A@archive": [10.0]})
    assert bill(plan, usage, Terms(retention_days=5)).by_meter() == {"main": 40, "cold": 1}


def test_blocks_at_their_edge_and_bands_of_a_part_month() -> None:
    keys = {"of": "main", "max_days": 3650, **LIST}
    blocks = tiny(meter("main", "flat", at(0)), meter("kept", "retention", at(366), per="year", block_gb=50, **keys))
    # 10 GB a day kept 5 days are 50, one block, and kept 6 are 60, two: 1.00 a day each in the leap year 2028.
    past = {"A": [10.0] * 9}
    assert months(blocks, [10.0] * 29, "2028-02-01", Terms(retention_days=5), earlier=past) == ["29.00"]
    assert months(blocks, [10.0] * 29, "2028-02-01", Terms(retention_days=6), earlier=past) == ["58.00"]
    banded = tiny(
        meter("main", "flat", at(0)), meter("kept", "retention", bands=bands((0, "0.1"), (50, "0.08")), **keys)
    )
    # 60 GB on 10 of 30 days are a third of a month of 60: 50 at 0.10 and 10 at 0.08.
    assert months(banded, [10.0] * 10, "2027-04-21", Terms(retention_days=6), earlier=past) == [
        to_cents((5 + Fraction(8, 10)) / 3)
    ]


def test_long_term_storage_takes_over_where_the_ordinary_ends() -> None:
    keys = {"of": "main", "max_days": 999, "per": "day", **LIST}
    plan = tiny(
        meter("main", "flat", at(0)), meter("kept", "retention", at(1), **keys),
        meter("cold", "retention", at("0.1"), long_term=True, **keys), included=3,
    )  # fmt: skip
    # 1 GB, kept 5 days of which 3 are included, 8 in all: 2 days at 1.00 and 3 at 0.10.
    found = made(plan, [1.0] + [0.0] * 19, "2027-04-01", Terms(retention_days=5, total_retention_days=8))
    assert found.by_meter() == {"main": 0, "kept": 2, "cold": Decimal("0.3")}


# ------------------------------------------------------------------ counted


def test_counts_of_a_part_month_across_a_change_of_price_and_of_year() -> None:
    users = tiny(meter("main", "per_count", CHANGING, count="users", unit="user", per="year", **LIST))
    # 12 users from 5 to 14 February 2028: 5 of 366 days at 2.00, 5 at 3.00.
    assert months(users, [0.0] * 10, "2028-02-05", counts(users=12)) == [to_cents(Fraction(12 * 5 * (2 + 3), 366))]
    # From 31 December 2027 on: a 365th of the old year, then 366ths of the leap year.
    assert months(users, [0.0] * 3, "2027-12-31", counts(users=366)) == [to_cents(Fraction(366 * 2, 365)), "4.00"]
    fee = tiny(meter("main", "flat", at(0)), meter("fee", "fee", CHANGING, per="month"))
    assert months(fee, [0.0] * 10, "2028-02-05") == [to_cents(Fraction(5 * (2 + 3), 29))]
    agents = tiny(meter("main", "per_count", steps=steps((100, "58"), (250, "87")), count="agents", unit="agent",
                        per="month", **LIST))  # fmt: skip
    assert months(agents, [0.0] * 10, "2028-02-05", counts(agents=100)) == ["20.00"]  # the edge: 58 x 10 / 29
    assert months(agents, [0.0] * 10, "2028-02-05", counts(agents=101)) == ["30.00"]


def test_machine_hours_and_scans_of_a_part_month() -> None:
    plan = tiny(
        meter("main", "flat", at(0)),
        meter("graph", "compute_hours", at("3.75"), cores=49, minutes="minutes", optional=True, **LIST),
        meter("read", "scan", at(5), queries="queries", mb_per_query="mb", minimum_mb=10, mb_per_unit=1_000_000,
              optional=True, **LIST),
    )  # fmt: skip
    # 10 of April's 30 days: a third of 49 x 20 / 60 hours x 3.75 = 61.25, and of 300,000 x 10 MB = 3 TB x 5.00 = 15.
    found = made(plan, [0.0] * 10, "2027-04-01", counts(minutes=20, queries=300_000, mb=10))
    assert {m: str(money(a, "USD")) for m, a in found.by_meter().items()} == {"graph": "20.42", "read": "5.00"}
    read = next(line for line in found.charges if line.meter == "read")
    assert (read.quantity, read.unit) == (1, "TB")


@pytest.mark.parametrize(
    ("mb", "keys", "unit"),
    [
        (1_000_000, {}, "TB"),
        (1000, {}, "GB"),
        (1, {}, "MB"),
        (1024, {}, "1024 MB"),
        (1_048_576, {"unit": "TiB"}, "TiB"),
    ],
)
def test_what_is_scanned_is_counted_in_the_unit_that_is_priced(mb: int, keys: dict[str, str], unit: str) -> None:
    plan = tiny(
        meter("main", "flat", at(0)),
        meter("read", "scan", at(5), queries="queries", mb_per_query="mb", mb_per_unit=mb, **keys, **LIST),
    )
    found = made(plan, [0.0] * 30, terms=counts(queries=2, mb=mb))
    assert [(line.quantity, line.unit) for line in found.charges if line.meter == "read"] == [(2, unit)]


def test_an_open_meter_that_must_be_counted_keeps_quiet_only_where_nothing_is_counted() -> None:
    keys = {"count": "users", "unit": "user", "per": "year", **LIST}
    plan = tiny(meter("main", "flat", at(2)), meter("users", "per_count", "[]", **keys))
    for terms in (Terms(), counts(users=1)):
        with pytest.raises(NoPriceError, match=r"tiny meters\.users: the plan leaves this price open"):
            made(plan, [1.0], terms=terms)
    assert cents(made(plan, [1.0], terms=counts(users=0))) == "2.00"


# ------------------------------------------------------------------ the whole bill


def test_the_minimum_of_a_part_month_and_of_a_year_that_starts_within_one() -> None:
    month = tiny(meter("main", "flat", at(1)), f'[minimum]\ntitle = "Least"\nper = "month"\nprices = {at(290)}\n')
    # 10 of 29 days owe 100: 60 are used, 40 missing; exactly 100 used, none missing.
    assert [line.amount for line in made(month, [6.0] * 10, "2028-02-05").charges if line.meter == "minimum"] == [40]
    assert "minimum" not in made(month, [10.0] * 10, "2028-02-05").by_meter()
    # 15 March 2027 to 31 March 2028. The year counted from the first day holds 366 days, of which twelve calendar
    # months hold 17 + 275 + 31 + 29 = 352; the next is counted from 1 March 2028, of 365 days, 31 of them here.
    year = tiny(meter("main", "flat", at(1)), f'[minimum]\ntitle = "Least"\nper = "year"\nprices = {at(3660)}\n')
    found = made(year, [0.0] * (352 + 31), "2027-03-15")
    assert cents(found) == to_cents(3520 + Fraction(3660 * 31, 365))


def test_a_pool_of_money_pays_month_by_month_until_it_is_empty() -> None:
    plan = tiny(
        meter("main", "flat", at(2)),
        meter("units", "prepaid_pool", at("0.5"), unit="money", covers=["main"], size="pool", beyond="price", **LIST),
    )
    # 10 GB a day at 2.00: January 620, February 560, March 620; 1,180 are bought at half: 590 for the year.
    found = made(
        plan,
        [10.0] * 90 + [0.0] * 275,
        "2027-01-01",
        Terms(discount_percent=Decimal(10), counts={"pool": Decimal(1180)}),
    )
    paid = {line.month: line.amount for line in found.charges if line.unit == "USD from the pool"}
    assert paid == {"2027-01": -620, "2027-02": -560}
    assert cents(found) == str(money((Decimal(590) + 620) * Decimal("0.9"), "USD"))


def test_a_pool_that_is_shown_in_part_says_so() -> None:
    plan = tiny(meter("main", "prepaid_pool", at(2), unit="GB", size="pool", beyond="price", **LIST))
    (note,) = made(plan, [1.0] * 90, "2027-01-01", counts(pool=100)).notes
    assert note.startswith("main: bought on 2027-01-01 for a year, of which 90 of 365 days are here")
    assert made(plan, [1.0] * 365, "2027-01-01", counts(pool=100)).notes == ()
    assert made(plan, [1.0] * 90, "2027-01-01", counts(pool=0)).notes == ()


def test_two_pools_do_not_pay_the_same_meter() -> None:
    def pool(id_: str) -> str:
        return meter(id_, "prepaid_pool", at("0.5"), unit="money", covers=["main"], size=id_, beyond="price", **LIST)

    with pytest.raises(PlanFileError, match="'main' is paid by two pools"):
        tiny(meter("main", "flat", at(2)), pool("one"), pool("other"))


def test_the_dearer_is_found_month_by_month() -> None:
    plan = tiny(
        meter("main", "flat", at(1)),
        meter("queried", "per_count", at(1), count="queried_gb_per_month", unit="GB", per="month", divided_by=100,
              **LIST),
        meter("dearer", "greater_of", of=["main", "queried"], **LIST),
    )  # fmt: skip
    # Queried 6,000: 60 a month. April has 90 ingested; May 30; of June's first 10 days a third is 20, no more.
    found = made(plan, [3.0] * 30 + [30.0] + [0.0] * 30 + [2.0] * 10, terms=counts(queried_gb_per_month=6000))
    assert {(line.month, line.meter): line.amount for line in found.charges} == {
        ("2027-04", "main"): 90, ("2027-05", "queried"): 60, ("2027-06", "main"): 20,
    }  # fmt: skip
