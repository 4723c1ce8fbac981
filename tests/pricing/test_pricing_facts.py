"""Every acceptance test of the price facts, through the product's own code, at the precision it is printed with.

The cases stand here as a table, so that they run anywhere; where the facts themselves are beside the checkout, they are
read too and must be the same.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from pricing import Terms, Usage, bill_draws, find_plan
from pricing.bill import Bill, bill
from pricing.money import round_half_up
from pricing.plan import Plan
from tests.conftest import SHARED
from tests.pricing.helpers import span
from tests.pricing.plan_texts import at, meter, raw, tiny

FACTS = SHARED / "reference" / "pricing_facts.yaml"
Values = Mapping[str, Any]

#: id → (input, expected), every number as the facts print it.
CASES: dict[str, tuple[Values, Values]] = {
    "sentinel-overage-units": ({"tier_gb": "200", "day_gb": "300"}, {"tier_units": "1.5"}),
    "sentinel-overage-usd": ({"tier_gb": "200", "tier_price_day": "548", "day_gb": "300"}, {"cost": "822.00"}),
    "sentinel-underuse": ({"tier_gb": "100", "tier_price_day": "296", "day_gb": "80"}, {"cost": "296.00"}),
    "lake-compression": ({"raw_gb": "600", "ratio": "6"}, {"billed_gb": "100"}),
    "retention-90-90": (
        {"analytics_days": "90", "total_days": "90"},
        {"ingest_charged": True, "paid_analytics_days": "0", "paid_lake_days": "0"},
    ),
    "retention-90-180": (
        {"analytics_days": "90", "total_days": "180"},
        {"ingest_charged": True, "paid_analytics_days": "0", "paid_lake_days": "90"},
    ),
    "retention-xdr-default": (
        {"analytics_days": "30", "total_days": "30", "connector": False},
        {"ingest_charged": False, "paid_analytics_days": "0", "paid_lake_days": "0"},
    ),
    "retention-lake-only": (
        {"analytics_days": "0", "total_days": "1825"},
        {"analytics_ingest_charged": False, "lake_ingest_charged": True, "paid_lake_days": "1825"},
    ),
    "graph-build": ({"vcores": "49", "minutes": "5", "price_vcore_hour": "3.75"}, {"cost": "15.3125"}),
    "prepurchase-purchase": ({"commit_units": "100000", "discount": "0.22"}, {"price": "78000"}),
    "prepurchase-months": ({"commit_units": "100000", "monthly_retail": "20000"}, {"months": "5"}),
    "e5-grant-500": ({"licences": "500", "mb_per_user_day": "5"}, {"grant_gb_day": "2.5"}),
    "month-of-30-days": ({"tier_price_day": "296", "days": "30"}, {"cost": "8880.00"}),
    "infracost-rounding": ({"gb": "90", "price": "0.0065"}, {"cost": "0.59"}),
    "aws-sample-total": (
        {
            "lines": [
                "0.05",
                "0.00",
                "0.06",
                "0.00",
                "0.06",
                "0.00",
                "0.06",
                "0.00",
                "0.37",
                "0.06",
                "0.31",
                "0.05",
                "0.00",
                "0.07",
                "0.00",
            ]
        },
        {"cost": "1.09"},
    ),
    "sumo-credit-price": ({"base": "0.25", "multipliers": ["1.20", "1.20"]}, {"price": "0.36"}),
    "sumo-storage-credits": (
        {"gb_day": "10", "retention_days": "30", "days": "365", "credits_per_gb_day": "0.05"},
        {"credits": "5475"},
    ),
    "datadog-on-demand-premium": (
        {"committed_millions": "100", "used_millions": "110", "price": "1.70", "premium": "1.5"},
        {"cost": "195.50"},
    ),
    "splunk-all-units": ({"gb_day": "1000", "price": "822.25"}, {"annual": "822250.00"}),
    "splunk-svc": (
        {"gb_day": "1000", "gb_day_per_svc": "10", "price": "9354.10"},
        {"svcs": "100", "annual": "935410.00"},
    ),
    "snowpipe-per-gb": ({"gb": "1", "credits_per_gb": "0.0037", "credit_price": "3.00"}, {"cost": "0.0111"}),
    "athena-minimum": ({"scanned_mb": "3", "minimum_mb": "10"}, {"billed_mb": "10"}),
}


def used(
    plan: Plan, first: str, gb: list[Any], terms: Terms | None = None, stream: str = "CloudAppEvents", **more: Any
) -> Bill:
    return bill(plan, Usage(span(first, len(gb)), {stream: [float(v) for v in gb]}, **more), terms or Terms())


def commitment(tier_gb: str, price: str) -> Plan:
    tiers = f'[[meters.tiers.tiers]]\nid = "it"\ngb_per_day = {tier_gb}\nprices = {at(price)}\n'
    keys = {"instead_of": "main", "overage": "tier_rate", "lock_days": 31, "source": "list"}
    return tiny(meter("main", "flat", at(99)), meter("tiers", "daily_commitment", **keys), tiers)


def overage_units(i: Values) -> Values:
    made = used(find_plan("sentinel-eastus"), "2027-01-04", [i["day_gb"]], Terms(commitment=i["tier_gb"]))
    return {"tier_units": made.charges[0].quantity}


def commitment_day(i: Values) -> Values:
    plan, terms = commitment(i.get("tier_gb", "100"), i["tier_price_day"]), Terms(commitment="it")
    made = used(plan, "2027-04-01", [i.get("day_gb", "100")] * int(i.get("days", 1)), terms)
    shipped = find_plan("sentinel-eastus")
    same = used(shipped, "2027-04-01", [i.get("day_gb", "100")] * int(i.get("days", 1)),
                Terms(commitment=i.get("tier_gb", "100")))  # fmt: skip
    assert same.total == made.total
    return {"cost": made.total}


def lake_compression(i: Values) -> Values:
    kept = Terms(stream_retention_days={"CloudAppEvents@lake": 365})
    made = used(find_plan("sentinel-eastus"), "2027-04-01", [i["raw_gb"]] + [0] * 29, kept, "CloudAppEvents@lake")
    (line,) = [line for line in made.charges if line.unit == "GB-month"]
    assert i["ratio"] in line.note
    return {"billed_gb": line.quantity}


def paid_days(made: Bill, meter_id: str, ratio: int = 1) -> Decimal:
    """Days for which one GB was charged: GB-months times the days of each month."""
    lines = [line for line in made.charges if line.meter == meter_id]
    return sum((line.quantity * ratio * month_days(line.month) for line in lines), Decimal(0))


def month_days(label: str) -> int:
    year, month = map(int, label.split("-"))
    return monthrange(year, month)[1]


def retention(i: Values) -> Values:
    analytics, total = int(i["analytics_days"]), int(i["total_days"])
    if analytics == 0:
        stream, terms = "CloudAppEvents@lake", Terms(retention_days=total)
    elif i.get("connector") is False:  # left where it is: not ingested into the workspace
        stream, terms = "CloudAppEvents@xdr", Terms(retention_days=analytics)
    else:
        stream, terms = "CloudAppEvents", Terms(retention_days=analytics, total_retention_days=total)
    gb = [1] + [0] * (total + 40)
    made = used(find_plan("sentinel-eastus"), "2027-01-01", gb, terms, stream)
    by_meter = made.by_meter()
    lake = by_meter.get("lake_ingestion", 0) > 0
    return {
        "ingest_charged": by_meter.get("analytics", 0) > 0 or lake,
        "analytics_ingest_charged": by_meter.get("analytics", 0) > 0,
        "lake_ingest_charged": lake and by_meter.get("lake_processing", 0) > 0,
        "paid_analytics_days": paid_days(made, "retention"),
        "paid_lake_days": paid_days(made, "lake_storage", 6) + paid_days(made, "long_term", 6),
    }


def graph_build(i: Values) -> Values:
    keys = {"cores": raw(i["vcores"]), "minutes": "build_minutes", "source": "list"}
    plan = tiny(meter("main", "flat", at(1)), meter("graph", "compute_hours", at(i["price_vcore_hour"]), **keys))
    made = used(plan, "2027-04-01", [0] * 30, Terms(counts={"build_minutes": Decimal(i["minutes"])}))
    return {"cost": made.total}


def prepurchase(units: str, price: str, monthly: str) -> Bill:
    plan = tiny(
        meter("main", "fee", at(monthly), per="month"),
        meter("units", "prepaid_pool", at(price), unit="money", covers=["main"], size="commit_units",
              beyond="price", source="list"),
    )  # fmt: skip
    return used(plan, "2027-01-01", [0] * 365, Terms(counts={"commit_units": Decimal(units)}))


def prepurchase_purchase(i: Values) -> Values:
    made = prepurchase(i["commit_units"], str(1 - Decimal(i["discount"])), "0")
    return {"price": made.by_meter()["units"]}


def prepurchase_months(i: Values) -> Values:
    made = prepurchase(i["commit_units"], "0", i["monthly_retail"])
    assert made.total == 7 * Decimal(i["monthly_retail"])
    return {"months": sum(amount == 0 for amount in made.by_month().values())}


def e5_grant(i: Values) -> Values:
    grant = find_plan("sentinel-eastus").grants["m365-e5"]
    assert grant.gb_per_day_each * 1000 == Decimal(i["mb_per_user_day"])
    return {"grant_gb_day": grant.gb_per_day(int(i["licences"]))}


def flat_cost(i: Values) -> Values:
    return {"cost": used(tiny(meter("main", "flat", at(i["price"]))), "2027-01-01", [i["gb"]]).total}


def sum_of_lines(i: Values) -> Values:
    fees = [meter("main", "flat", at(0))]
    fees += [meter(f"line{n}", "fee", at(amount), per="month") for n, amount in enumerate(i["lines"])]
    return {"cost": used(tiny(*fees), "2027-04-01", [0] * 30).total}


def credit(price: str, factors: list[str]) -> str:
    rows = ", ".join(f'{{ name = "m{n}", factor = {f}, source = "list" }}' for n, f in enumerate(factors))
    return f'[credit]\ntitle = "Credit"\nprices = {at(price)}\nmultipliers = [{rows}]\n'


def credit_price(i: Values) -> Values:
    plan = tiny(meter("main", "flat", at(1), in_credits=True), credit(i["base"], i["multipliers"]))
    return {"price": used(plan, "2027-01-01", [1]).total}


def storage_credits(i: Values) -> Values:
    keys = {"of": "main", "max_days": 400, "per": "day", "source": "list", "in_credits": True}
    plan = tiny(
        meter("main", "flat", at(0)), meter("kept", "retention", at(i["credits_per_gb_day"]), **keys), credit("1", [])
    )
    kept, days = int(i["retention_days"]), int(i["days"])
    made = used(plan, "2027-01-01", [i["gb_day"]] * days, Terms(retention_days=kept),
                earlier={"CloudAppEvents": [float(i["gb_day"])] * kept})  # fmt: skip
    return {"credits": made.by_meter()["kept"]}


def datadog(i: Values) -> Values:
    keys = {
        "unit": "million events",
        "committed": "promised",
        "overage_multiplier": raw(i["premium"]),
        "source": "list",
    }
    plan = tiny(meter("main", "monthly_commitment", at(i["price"]), **keys))
    events = [float(i["used_millions"]) * 1e6 / 30] * 30
    made = used(plan, "2027-04-01", [1] * 30, Terms(counts={"promised": Decimal(i["committed_millions"])}),
                events={"CloudAppEvents": events})  # fmt: skip
    return {"cost": made.total}


def splunk_all_units(i: Values) -> Values:
    made = used(find_plan("splunk-cloud-ingest"), "2027-01-01", [i["gb_day"]] * 365)
    assert made.charges[0].unit_price == Decimal(i["price"])
    return {"annual": made.total}


def splunk_svc(i: Values) -> Values:
    keys = {"unit": "SVC", "measure": "gb_per_day", "per_unit": raw(i["gb_day_per_svc"]), "percentile": 100,
            "per": "year", "above": "Not billed.", "source": "list"}  # fmt: skip
    made = used(tiny(meter("main", "capacity_steps", at(i["price"]), **keys)), "2027-01-01", [i["gb_day"]] * 365)
    return {"svcs": sum(line.quantity for line in made.charges), "annual": made.total}


def snowpipe(i: Values) -> Values:
    plan = tiny(meter("main", "flat", at(i["credits_per_gb"]), in_credits=True), credit(i["credit_price"], []))
    return {"cost": used(plan, "2027-01-01", [i["gb"]]).total}


def athena(i: Values) -> Values:
    keys = {"queries": "queries", "mb_per_query": "mb", "minimum_mb": raw(i["minimum_mb"]), "mb_per_unit": 1,
            "source": "list"}  # fmt: skip
    plan = tiny(meter("main", "flat", at(0)), meter("read", "scan", at(5), **keys))
    terms = Terms(counts={"queries": Decimal(1), "mb": Decimal(i["scanned_mb"])})
    lines = used(plan, "2027-04-01", [0] * 30, terms).charges
    return {"billed_mb": sum(line.quantity for line in lines if line.meter == "read")}


RUN: dict[str, Callable[[Values], Values]] = {
    "sentinel-overage-units": overage_units,
    "sentinel-overage-usd": commitment_day,
    "sentinel-underuse": commitment_day,
    "lake-compression": lake_compression,
    "retention-90-90": retention,
    "retention-90-180": retention,
    "retention-xdr-default": retention,
    "retention-lake-only": retention,
    "graph-build": graph_build,
    "prepurchase-purchase": prepurchase_purchase,
    "prepurchase-months": prepurchase_months,
    "e5-grant-500": e5_grant,
    "month-of-30-days": commitment_day,
    "infracost-rounding": flat_cost,
    "aws-sample-total": sum_of_lines,
    "sumo-credit-price": credit_price,
    "sumo-storage-credits": storage_credits,
    "datadog-on-demand-premium": datadog,
    "splunk-all-units": splunk_all_units,
    "splunk-svc": splunk_svc,
    "snowpipe-per-gb": snowpipe,
    "athena-minimum": athena,
}


@pytest.mark.parametrize("case", CASES)
def test_an_acceptance_case_holds_at_the_precision_it_is_printed_with(case: str) -> None:
    given, expected = CASES[case]
    found = RUN[case](given)
    for what, value in expected.items():
        if isinstance(value, bool):
            assert found[what] is value
            continue
        _, _, decimals = value.partition(".")
        assert round_half_up(Decimal(found[what]), len(decimals)) == Decimal(value), (what, found[what])


@pytest.mark.parametrize(("days", "words"), [((180, 365), (90, 185)), ((30, 180), (0, 150))])
def test_the_other_rows_of_the_retention_matrix(days: tuple[int, int], words: tuple[int, int]) -> None:
    found = retention({"analytics_days": days[0], "total_days": days[1]})
    assert found["ingest_charged"] is True
    paid = [round_half_up(found[key], 6) for key in ("paid_analytics_days", "paid_lake_days")]
    assert paid == [Decimal(days) for days in words]


def test_the_table_is_what_the_facts_say() -> None:
    if not FACTS.exists():
        pytest.skip("the price facts are not beside the checkout")
    text = FACTS.read_text(encoding="utf-8")
    lines = re.findall(r"^  - \{id: ([a-z0-9-]+), shape:.*?input: (\{.*?\}), expected: (\{.*?\}),", text, re.MULTILINE)
    assert [case for case, _, _ in lines] == list(CASES)
    assert len(lines) == 22
    for case, given, expected in lines:
        for flow, table in ((given, CASES[case][0]), (expected, CASES[case][1])):
            assert flow_map(flow) == table, case


def flow_map(text: str) -> dict[str, Any]:
    """The flow mappings these facts are written in: numbers as they are printed, true and false, lists of numbers."""
    out: dict[str, Any] = {}
    for key, value in re.findall(r"(\w+): (\[.*?\]|[^,}]+)", text):
        if value.startswith("["):
            out[key] = [part.strip() for part in value[1:-1].split(",")]
        else:
            out[key] = {"true": True, "false": False}.get(value, value.strip('"'))
    return out


def test_uk_south_at_a_flat_120_gigabytes_over_a_mean_month() -> None:
    # The peers' month of 30.44 days is days that are billed times 30.44: 25 × 30.44 are 761 whole days, of which a
    # mean month is the 25th part.
    days = span("2027-04-01", 761)
    usage = Usage(days, {"CloudAppEvents": [120.0] * 761})
    made = bill(find_plan("sentinel-uksouth"), usage, Terms(commitment="best"))
    assert made.commitment == "100"
    assert str(round_half_up(made.total / 25, 2)) == "13515.36"
    drawn = bill_draws(find_plan("sentinel-uksouth"), usage, Terms(commitment="best"))
    assert drawn.total.sum() / 25 == pytest.approx(13515.36)


def test_days_and_their_mean_disagree_on_the_tier() -> None:
    days, gb = span("2026-11-30", 28), [130.0] * 5 + [40.0] * 2
    uk = find_plan("sentinel-uksouth")
    best = bill(uk, Usage(days, {"CloudAppEvents": gb * 4}), Terms(commitment="best"))
    on_100 = bill(uk, Usage(days, {"CloudAppEvents": gb * 4}), Terms(commitment="100"))
    assert (best.commitment, best.total, on_100.total) == ("50", Decimal("12093.75"), Decimal("12580.00"))
    mean = bill(uk, Usage(days, {"CloudAppEvents": [float(np.mean(gb))] * 28}), Terms(commitment="best"))
    assert mean.commitment == "100"
