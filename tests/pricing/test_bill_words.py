"""What a bill says in words: units that make sense, what is held for how long, what is not known, what it hides."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from estimator.plans import Offered
from pricing import Terms, Usage, find_plan, shipped_plans
from pricing.bill import Bill, bill, bill_draws
from pricing.errors import NoPriceError, NotCountedError
from pricing.exact.charge import Held
from tests.pricing.helpers import span
from tests.pricing.plan_texts import at, meter, tiny

LIST = {"source": "list"}
YEAR = span("2027-01-01", 365)


def lines(made: Bill) -> list[dict[str, Any]]:
    found = made.to_json()["charges"]
    assert isinstance(found, list)
    return found


def test_what_is_used_up_is_counted_alone_and_what_is_held_with_its_time() -> None:
    plan = find_plan("sentinel-uksouth")
    usage = Usage(span("2027-04-01", 30), {"CloudAppEvents": [0.0] * 30})
    counts = {"lake_queried_gb_per_month": Decimal(100), "insights_core_hours_per_month": Decimal(5)}
    made = bill(plan, usage, Terms(counts=counts))
    found = {charge.meter: (charge.quantity, charge.unit, charge.held) for charge in made.charges}
    assert found["lake_query"] == (Decimal(100), "GB", None)
    assert found["insights"] == (Decimal(5), "core-hour", None)
    users = tiny(meter("main", "per_count", at(12), count="users", unit="user", per="year", **LIST))
    (first, *_) = bill(users, Usage(YEAR, {"A": [1.0] * 365}), Terms(counts={"users": Decimal(40)})).charges
    assert (first.unit, first.held) == ("user-year", Held(Decimal(40), "user", 31, 365, "year"))
    assert first.quantity * 365 == pytest.approx(40 * 31)


@pytest.mark.parametrize("id_", shipped_plans())
def test_every_rule_of_a_plan_says_what_it_means(id_: str) -> None:
    one = Offered(find_plan(id_), "shipped", date(2026, 11, 24))
    keys = {"included_retention_days", "used_up", "per", "above"}
    assert [rule.place for rule in one.rules if rule.place.split(".")[-1] in keys and not rule.meaning] == []


def test_growing_blocks_say_what_a_whole_year_of_the_last_ones_costs() -> None:
    plan = find_plan("splunk-cloud-workload")
    usage = Usage(YEAR, {"A": [20.0] * 365})
    made = bill(plan, usage, Terms(retention_days=365))
    assert round(made.by_meter()["storage"]) == 5388
    (note,) = [note for note in made.notes if "blocks are bought for a year" in note]
    # 20 GB x 365 days are 7300 GB: 14.6 blocks, so 15 at 690. The 15th is opened with the 351st day.
    assert "The 15 held on 2027-12-17 cost 10,350.00 USD for a whole year" in note
    assert note in bill_draws(plan, usage, Terms(retention_days=365)).notes
    full = Usage(YEAR, {"A": [20.0] * 365}, {"A": [20.0] * 364})
    assert not any("blocks are bought" in note for note in bill(plan, full, Terms(retention_days=365)).notes)
    assert not any("blocks are bought" in note for note in bill(plan, usage).notes)


def test_what_makes_a_bill_a_floor_is_told_by_its_cause() -> None:
    usage = Usage(span("2027-04-01", 30), {"A": [1.0] * 30})
    (flex,) = [note for note in bill(find_plan("sumo-flex"), usage).notes if "at least" in note]
    assert flex == "The bill is at least this: a price is not known for Scanned by searches."
    low = tiny(meter("main", "flat", at(2), at_least=True))
    assert bill(low, usage).notes == ("The bill is at least this: a price is a floor ('as low as') for main.",)


@pytest.mark.parametrize(("gb", "band"), [(20, "1 to below 500"), (3000.0, "2000 to below 5000")])
def test_an_open_band_is_named_with_those_that_are_priced(gb: float, band: str) -> None:
    plan, usage = find_plan("splunk-enterprise"), Usage(YEAR, {"A": [gb] * 365})
    said = rf"leaves this price open: {gb:g} GB/day lie in the band {band} GB/day; expected a band with a price: 500 to"
    for of in (bill, bill_draws):
        with pytest.raises(NoPriceError, match=said) as caught:
            of(plan, usage)
        assert "5000 to 9999 GB/day. Copy the plan" in str(caught.value)


def test_capacity_and_pools_say_that_they_are_owed_when_bought() -> None:
    usage = Usage(YEAR, {"A": [20.0] * 365})
    said = "shown evenly over the 365 days of the term; it is owed when bought"
    assert said in bill(find_plan("splunk-cloud-ingest"), usage).charges[0].note
    assert said in bill(find_plan("splunk-cloud-workload"), usage).charges[0].note
    pool = tiny(meter("main", "prepaid_pool", at(1), unit="GB", size="pool_gb", beyond="price", **LIST))
    assert said in bill(pool, usage, Terms(counts={"pool_gb": Decimal(10)})).charges[0].note


def test_a_busy_peak_that_is_not_given_is_named_without_an_option() -> None:
    keys = {"unit": "EPS", "measure": "peak_events_per_second", "per_unit": 1, "percentile": 100, "per": "year"}
    plan = tiny(meter("main", "capacity_steps", at(2), above="Held back.", **keys, **LIST))
    with pytest.raises(NotCountedError) as caught:
        bill(plan, Usage(YEAR, {"A": [1.0] * 365}))
    assert caught.value.measure == "peak_events_per_second"
    assert "--" not in str(caught.value)  # pricing knows no command line


def test_a_plan_in_gibibytes_says_so_in_its_lines() -> None:
    plan = find_plan("google-cloud-logging")
    made = bill(plan, Usage(span("2027-04-01", 30), {"A": [10.0] * 30}), Terms(retention_days=60))
    assert {line["unit"] for line in lines(made)} == {"GiB"}
    longer = bill(plan, Usage(span("2027-04-01", 60), {"A": [10.0] * 60}), Terms(retention_days=60))
    assert {line["unit"] for line in lines(longer)} == {"GiB", "GiB-month"}
    assert all("GB" not in str(line["note"]) for line in lines(longer))
