"""Every shape worked by hand: the exact bill must come to these figures, and the draws to the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pricing import Plan, Terms, Usage, bill_draws
from pricing.bill import Bill, bill
from pricing.errors import NoPriceError
from pricing.money import money
from tests.pricing.helpers import span
from tests.pricing.plan_texts import at, meter, raw, tiny

LIST = {"source": "list"}
APRIL = ("2027-04-01", 30)


def made(plan: Plan, gb: list[float], first: str = "2027-04-01", terms: Terms | None = None, **usage: Any) -> Bill:
    """The exact bill of one stream, after the draws have come to the same."""
    given = Usage(span(first, len(gb)), {"A": gb}, **usage)
    exact = bill(plan, given, terms or Terms())
    drawn = bill_draws(plan, given, terms or Terms())
    assert drawn.total[:, 0] == pytest.approx(
        [float(amount) for amount in exact.by_month().values()], rel=1e-9, abs=1e-9
    )
    return exact


def cents(bill_: Bill) -> str:
    return str(money(bill_.total, "USD"))


def bands(*rows: tuple[int, str]) -> Any:
    return raw("[" + ", ".join(f"{{ from_gb = {start}, prices = {at(price)} }}" for start, price in rows) + "]")


def unit_bands(*rows: tuple[int, str]) -> Any:
    return raw("[" + ", ".join(f"{{ from_units = {start}, prices = {at(price)} }}" for start, price in rows) + "]")


def steps(*rows: tuple[int, str]) -> Any:
    return raw("[" + ", ".join(f"{{ up_to = {end}, prices = {at(price)} }}" for end, price in rows) + "]")


def counts(**given: float) -> Terms:
    return Terms(counts={name: Decimal(str(value)) for name, value in given.items()})


def test_a_free_allowance_is_of_the_calendar_month() -> None:
    # 50 GiB free a month, 0.50 beyond: 60 in April cost 5.00; 40 in May cost nothing, and lend nothing to June's 70.
    plan = tiny(meter("main", "flat", at("0.50"), included_gb_per_month=50))
    bill_ = made(plan, [2.0] * 30 + [40.0] + [0.0] * 30 + [70.0] + [0.0] * 29)
    assert [str(money(amount, "USD")) for amount in bill_.by_month().values()] == ["5.00", "0.00", "10.00"]


def test_graduated_bands_charge_each_band_at_its_own_rate() -> None:
    # S3's 10,240 GB bands as Security Lake has them: 10,240 at 0.25, 20,480 at 0.15, the rest at 0.075.
    plan = tiny(meter("main", "graduated", bands=bands((0, "0.25"), (10240, "0.15"), (30720, "0.075")), **LIST))
    for gb, cost in ((0, "0.00"), (100, "25.00"), (10240, "2560.00"), (10241, "2560.15"), (40720, "6382.00")):
        assert cents(made(plan, [float(gb)] + [0.0] * 29)) == cost
    lines = made(plan, [40720.0] + [0.0] * 29).charges
    assert [line.quantity for line in lines] == [10240, 20480, 10000]
    assert lines[1].note.endswith("band from 10240 GB")


def test_events_are_charged_by_the_million() -> None:
    plan = tiny(meter("main", "per_event", at("2.55"), included_million_events_per_month=1, indexed_days=15))
    bill_ = made(plan, [1.0] * 30, events={"A": [100_000] * 30})
    assert cents(bill_) == "5.10"  # 3 million less 1, at 2.55
    assert "searchable for 15 days" in bill_.charges[0].note


def test_a_monthly_commitment_is_paid_on_a_quiet_month() -> None:
    keys = {"unit": "GB", "committed": "promised", "overage_multiplier": 1.5, **LIST}
    plan = tiny(meter("main", "monthly_commitment", at(2), **keys))
    # 100 promised at 2.00: 60 used in April cost 200, 110 in May 200 + 10 x 3.00.
    bill_ = made(plan, [2.0] * 30 + [110.0] + [0.0] * 30, terms=counts(promised=100))
    assert [str(money(amount, "USD")) for amount in bill_.by_month().values()] == ["200.00", "230.00"]
    # Without a commitment everything costs the premium, and the bill says so.
    alone = made(plan, [1.0] * 30)
    assert cents(alone) == "90.00"
    assert "no commitment is stated ('promised'), so every GB is priced on demand, at 1.5 times" in alone.notes[0]


@pytest.mark.parametrize(
    ("beyond", "keys", "cost"), [("price", {}, 160), ("multiplier", {"overage_multiplier": 1.4}, 184), ("cut", {}, 100)]
)
def test_a_pool_is_drawn_down_over_its_term(beyond, keys, cost) -> None:
    # 50 GB at 2.00 bought for the year; 80 are used, 30 of them beyond it: at 2.00, at 2.80, or cut off.
    plan = tiny(meter("main", "prepaid_pool", at(2), unit="GB", size="pool", beyond=beyond, **keys, **LIST))
    bill_ = made(plan, [1.0] * 80 + [0.0] * 285, "2027-01-01", counts(pool=50))
    assert cents(bill_) == f"{cost}.00"
    # The pool is empty on 19 February; it is shown evenly, so January has 31 of 365 days of it and nothing beyond.
    assert money(bill_.by_month()["2027-01"], "USD") == money(Decimal(100) * 31 / 365, "USD")
    # A term later the pool is bought anew.
    two = made(plan, [1.0] * 80 + [0.0] * 285 + [1.0] * 50 + [0.0] * 316, "2027-01-01", counts(pool=50))
    assert cents(two) == f"{cost + 100}.00"


def test_capacity_is_sized_and_nothing_is_billed_above_what_is_held() -> None:
    keys = {"unit": "SVC", "measure": "gb_per_day", "per_unit": 10, "per": "year", "above": "Searches wait.", **LIST}
    sized = tiny(
        meter("main", "capacity_steps", application="all_units", bands=unit_bands((0, "10205.10"), (50, "9354.10")),
              percentile=100, **keys)
    )  # fmt: skip
    year = "2027-01-01"
    assert cents(made(sized, [400.0] * 364 + [401.0], year)) == "418409.10"  # 41 x 10,205.10
    assert cents(made(sized, [1000.0] * 365, year)) == "935410.00"  # 100 x 9,354.10
    assert cents(made(sized, [0.0] * 365, year)) == "0.00"
    held = tiny(meter("main", "capacity_steps", at(10000), percentile=100, owned="svc", **keys))
    bill_ = made(held, [1000.0] * 365, year, counts(svc=12))
    assert cents(bill_) == "120000.00"
    assert (
        "for a busiest day of 1000 GB. Searches wait. The annual price is shown evenly over the 365 days"
        in bill_.charges[0].note
    )


def test_events_per_second_are_bought_for_the_busiest_hour() -> None:
    keys = {"unit": "EPS", "measure": "peak_events_per_second", "per_unit": 1, "sold_in": 500, "percentile": 100,
            "per": "month", "above": "Excess is buffered.", **LIST}  # fmt: skip
    plan = tiny(meter("main", "capacity_steps", at("0.10"), **keys))
    bill_ = made(plan, [1.0] * 30, peak_events_per_second={"A": [200.0] * 29 + [1001.0]})
    assert cents(bill_) == "150.00"  # 1,500 EPS
    packages = tiny(meter("main", "capacity_steps", steps=steps((1000, "90"), (5000, "300")), **{**keys, "sold_in": 1}))
    assert cents(made(packages, [1.0] * 30, peak_events_per_second={"A": [1000.0] * 30})) == "90.00"
    assert cents(made(packages, [1.0] * 30, peak_events_per_second={"A": [1001.0] * 30})) == "300.00"
    for engine in (bill, bill_draws):
        usage = Usage(span(*APRIL), {"A": [1.0] * 30}, peak_events_per_second={"A": [5001.0] * 30})
        with pytest.raises(NoPriceError, match="no price is known for 5001 units; the list ends at 5000"):
            engine(packages, usage, Terms())


def test_users_assets_and_agents_are_counted() -> None:
    users = tiny(meter("main", "per_count", at(250), count="users", unit="user", per="year", minimum_units=100, **LIST))
    assert cents(made(users, [9.0] * 365, "2027-01-01", counts(users=400))) == "100000.00"
    assert cents(made(users, [9.0] * 365, "2027-01-01", counts(users=40))) == "25000.00"
    agents = tiny(meter("main", "per_count", steps=steps((100, "571"), (250, "923"), (500, "1467")), count="agents",
                        unit="agent", per="month", **LIST))  # fmt: skip
    assert cents(made(agents, [9.0] * 30, terms=counts(agents=101))) == "923.00"
    with pytest.raises(NoPriceError, match="no price is known for 501 units"):
        made(agents, [9.0] * 30, terms=counts(agents=501))
    banded = tiny(meter("main", "per_count", application="graduated", bands=unit_bands((0, "5"), (10, "4")),
                        count="users", unit="user", per="month", **LIST))  # fmt: skip
    assert cents(made(banded, [9.0] * 30, terms=counts(users=25))) == "110.00"  # 10 x 5 + 15 x 4


def test_the_dearer_of_two_is_charged() -> None:
    # Grafana's rule: billable are the ingested GB, or a hundredth of the queried ones where that is more.
    of = bands((0, "0.40"), (1000, "0.37"))
    by_query = unit_bands((0, "0.40"), (1000, "0.37"))
    plan = tiny(
        meter("main", "graduated", bands=of, **LIST),
        meter("queried", "per_count", application="graduated", bands=by_query, count="queried_gb_per_month", unit="GB",
              per="month", divided_by=100, **LIST),
        meter("write", "greater_of", of=["main", "queried"], **LIST),
    )  # fmt: skip
    ingested = made(plan, [50.0] * 30, terms=counts(queried_gb_per_month=120_000))
    assert (cents(ingested), list(ingested.by_meter())) == ("585.00", ["main"])  # 1,000 x 0.40 + 500 x 0.37
    queried = made(plan, [50.0] * 30, terms=counts(queried_gb_per_month=200_000))
    assert (cents(queried), list(queried.by_meter())) == ("770.00", ["queried"])  # 1,000 x 0.40 + 1,000 x 0.37
    assert "charged as the greater: write" in queried.charges[0].note


def test_a_fee_and_a_minimum_are_shown_as_lines() -> None:
    plan = tiny(
        meter("main", "flat", at("0.30")),
        meter("platform", "fee", at(3000), per="month"),
        f'[minimum]\ntitle = "Least"\nper = "month"\nprices = {at(5000)}\n',
    )
    bill_ = made(plan, [100.0] * 30 + [300.0] * 31, terms=Terms(discount_percent=Decimal(10)))
    assert [str(money(amount, "USD")) for amount in bill_.by_month().values()] == ["4500.00", "5211.00"]
    shortfall = [line for line in bill_.charges if line.meter == "minimum"]
    assert [(line.month, line.amount) for line in shortfall] == [("2027-04", 1100)]  # 5,000 - 3,000 - 900


def test_the_minimum_of_a_year_is_measured_over_the_year() -> None:
    plan = tiny(meter("main", "flat", at(1)), f'[minimum]\ntitle = "Least"\nper = "year"\nprices = {at(25000)}\n')
    # 20,000 in a busy half-year: 5,000 are missing, shown evenly over the 365 days.
    bill_ = made(plan, [100.0] * 200 + [0.0] * 165, "2027-01-01")
    assert cents(bill_) == "25000.00"
    assert money(bill_.by_month()["2027-12"], "USD") == money(Decimal(5000) * 31 / 365, "USD")
    assert cents(made(plan, [100.0] * 365, "2027-01-01")) == "36500.00"


def test_credits_are_multiplied_and_told() -> None:
    # Sumo Logic: 25 credits a GB, a credit at 0.25 x 1.20 (region) x 1.20 (payment): 9.00 a GB.
    plan = tiny(
        meter("main", "flat", at(25), in_credits=True),
        f'[credit]\ntitle = "Credit"\nprices = {at("0.25")}\nmultipliers = ['
        '{ name = "region", factor = 1.20, source = "list" }, { name = "payment", factor = 1.20, source = "list" }]\n',
    )
    bill_ = made(plan, [1.0] * 30)
    assert cents(bill_) == "270.00"
    assert bill_.charges[0].note == "main; 25 credits at 0.36"
    open_ = tiny(meter("main", "flat", at(25), in_credits=True), '[credit]\ntitle = "Credit"\nprices = []\n')
    with pytest.raises(NoPriceError, match="tiny credit: the plan leaves this price open"):
        made(open_, [1.0] * 30)


def test_storage_in_blocks_is_rounded_up_day_by_day() -> None:
    # Splunk's blocks of 500 GB at 690 a year, 90 days included: 10 GB a day kept 150 days make 600 GB, two blocks.
    plan = tiny(
        meter("main", "flat", at(0)),
        meter("blocks", "retention", at(690), of="main", max_days=3650, per="year", block_gb=500, **LIST),
        included=90,
    )
    full = made(plan, [10.0] * 365, "2027-01-01", Terms(retention_days=150), earlier={"A": [10.0] * 150})
    assert cents(full) == "1380.00"
    filling = made(plan, [10.0] * 365, "2027-01-01", Terms(retention_days=150))
    # Empty for 90 days, then 10 GB more a day: one block for 50 days, two for the other 225.
    assert cents(filling) == str(money(Decimal(690) * (50 + 2 * 225) / 365, "USD"))


def test_compressed_storage_and_storage_in_bands() -> None:
    keys = {"of": "main", "max_days": 3650, **LIST}
    compressed = tiny(meter("main", "flat", at(0)), meter("kept", "retention", at("0.026"), compression=6, **keys))
    month = {"A": [20.0] * 60}
    assert cents(made(compressed, [20.0] * 30, terms=Terms(retention_days=30), earlier=month)) == "2.60"  # 100 GB
    banded = tiny(
        meter("main", "flat", at(0)), meter("kept", "retention", bands=bands((0, "0.10"), (500, "0.08")), **keys)
    )
    # 600 GB all month: 500 at 0.10 and 100 at 0.08.
    assert cents(made(banded, [20.0] * 30, terms=Terms(retention_days=30), earlier=month)) == "58.00"


def test_queries_have_a_minimum_each() -> None:
    keys = {"queries": "queries", "mb_per_query": "mb", "minimum_mb": 10, "mb_per_unit": 1_000_000, **LIST}
    plan = tiny(meter("main", "flat", at(0)), meter("read", "scan", at(5), **keys))
    assert cents(made(plan, [1.0] * 30, terms=counts(queries=100_000, mb=3))) == "5.00"  # 10 MB each: 1 TB
    assert cents(made(plan, [1.0] * 30, terms=counts(queries=100_000, mb=20.2))) == "10.50"  # 21 MB each


def test_what_a_pipeline_in_front_is_charged_by_is_told() -> None:
    plan = tiny(
        meter("main", "flat", at("0.32")),
        '[pipeline]\ntitle = "In front"\nnote = "Charged on what comes in."\nsource = "list"\n',
    )
    assert made(plan, [1.0] * 30).notes == ("In front: Charged on what comes in.",)


def test_a_price_left_open_says_whom_to_ask() -> None:
    plan = tiny(meter("main", "prepaid_pool", "[]", unit="GB", size="pool", beyond="cut", **LIST))
    with pytest.raises(
        NoPriceError, match=r"tiny meters\.main: the plan leaves this price open\. Copy the plan"
    ) as caught:
        made(plan, [1.0] * 30, terms=counts(pool=100))
    assert caught.value.exit_code == 4
