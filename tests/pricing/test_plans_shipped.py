"""The shipped plans: their worked examples, what each rests on, and what the open ones ask for."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from estimator import plans_price
from estimator.plans import Offered
from estimator.plans_usage import steady
from estimator.report.plans import listed
from estimator.report.plans import shown as shown_plan
from estimator.report.plans_price import text, to_json
from pricing import NoPriceError, Plan, Terms, Usage, find_plan, run_examples, shipped_plans
from pricing.bill import bill
from pricing.meters import is_open, price_lists
from pricing.prices import Price

PLANS = shipped_plans()
EACH = pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))

#: Plans of which no price at all is known.
OPEN = {"google-secops", "qradar", "exabeam", "rapid7-insightidr", "logrhythm"}
#: Plans with a price left open beside those that are known.
PARTLY_OPEN = {"splunk-enterprise", "sumo-flex"}
#: "As low as" prices, and a bill that lacks a charge whose price is not known.
AT_LEAST = {"elastic-serverless-security", "sumo-flex"}

SENTINEL = {
    "eastus": "4.30", "eastus2": "4.76", "uksouth": "5.38", "westus": "5.59", "westus2": "4.30", "westus3": "4.30",
    "westeurope": "5.59",
}  # fmt: skip


def usage(days: int = 30, gb: float = 10, first: date = date(2027, 4, 1), stream: str = "m365") -> Usage:
    return Usage([first + timedelta(days=n) for n in range(days)], {stream: [gb] * days})


@EACH
def test_the_worked_examples_come_out_as_printed(plan: Plan) -> None:
    results = run_examples(plan)
    assert [(r.title, r.found) for r in results] == [(r.title, r.expected) for r in results]
    assert bool(results) == (plan.id not in OPEN)


@EACH
def test_no_price_rests_on_an_estimate(plan: Plan) -> None:
    for meter in plan.meters.values():
        for prices in price_lists(meter).values():
            for price in prices:
                source = plan.sources[price.source]
                assert source.confidence in ("A", "B", "C")
                assert price.start == source.read
    credit = plan.credit
    assert credit is None or {plan.sources[p.source].confidence for p in credit.prices} <= {"A", "B", "C"}


@EACH
def test_a_day_of_checking_without_a_source_says_why(plan: Plan) -> None:
    read = {source.read for source in plan.sources.values()}
    assert plan.checked_on in read or any("day of the check" in note for note in plan.notes)


@EACH
def test_a_source_that_gives_no_day_of_its_own_says_so(plan: Plan) -> None:
    # It is dated by the day the price facts were filed.
    filed = [s for s in plan.sources.values() if s.read == date(2026, 11, 23) and s.confidence in ("A", "B", "D")]
    assert all("the day is the one it was filed with us" in (s.note or "").lower() for s in filed)


@EACH
def test_a_plan_by_volume_says_what_a_gb_is_or_that_nobody_said(plan: Plan) -> None:
    known = plan.siem == "sentinel" or plan.gb_bytes == 2**30
    by_volume = plan.id not in OPEN - {"google-secops"}
    assert known or not by_volume or any("10^9" in note for note in plan.notes)


@EACH
def test_every_source_is_used(plan: Plan) -> None:
    text = plan.model_dump_json(exclude={"sources"})
    # What a GB is and what is not fit to be a price have their source too, where no key of the format names one.
    assert {id_ for id_ in plan.sources if f'"{id_}"' not in text} <= {"billing", "reseller", "size"}


def test_which_plans_there_are() -> None:
    assert {f"sentinel-{region}" for region in SENTINEL} <= set(PLANS)
    others = {id_ for id_ in PLANS if not id_.startswith("sentinel-")}
    assert others == OPEN | PARTLY_OPEN | AT_LEAST | {
        "splunk-cloud-ingest", "splunk-cloud-workload", "crowdstrike-ngsiem", "sumo-credits", "datadog-logs",
        "aws-security-lake", "s3-athena", "google-cloud-logging", "cribl-stream",
    }  # fmt: skip
    assert {id_ for id_, plan in PLANS.items() if any(map(is_open, plan.meters.values()))} == OPEN | PARTLY_OPEN
    assert {id_ for id_, plan in PLANS.items() if plan.at_least} == AT_LEAST


@pytest.mark.parametrize(("region", "price"), SENTINEL.items())
def test_pay_as_you_go_of_every_known_region(region: str, price: str) -> None:
    plan = find_plan(f"sentinel-{region}")
    assert plan.region == region
    assert bill(plan, usage(gb=1, days=1, stream="CloudAppEvents")).total == Decimal(price)
    assert bill(plan, usage(stream="OfficeActivity")).total == 0


@pytest.mark.parametrize("region", ["eastus2", "westus", "westus2", "westus3", "westeurope"])
def test_no_region_is_scaled_from_another(region: str) -> None:
    plan = find_plan(f"sentinel-{region}")
    assert list(plan.meters) == ["analytics"]
    assert any("never scaled" in note for note in plan.notes)
    with pytest.raises(NoPriceError, match="no price is known for keeping more than the 90 included days"):
        bill(plan, usage(stream="CloudAppEvents"), Terms(retention_days=365))


@pytest.mark.parametrize(
    ("id_", "counts"),
    [
        ("google-secops", {"pool_gb": 4000}),
        ("qradar", {"eps": 500}),
        ("logrhythm", {"mps": 500}),
        ("exabeam", {"users": 400}),
        ("rapid7-insightidr", {"assets": 600}),
        ("sumo-flex", {"scanned_gb_per_month": 100}),
    ],
)
def test_a_price_left_open_is_asked_for(id_: str, counts: dict[str, int]) -> None:
    terms = Terms(counts={name: Decimal(count) for name, count in counts.items()})
    with pytest.raises(NoPriceError, match=rf"{id_} meters\..*leaves this price open.*--plan"):
        bill(find_plan(id_), replace(usage(), peak_events_per_second={"m365": [50] * 30}), terms)


@pytest.mark.parametrize(("gb", "asked"), [(300, True), (700, False), (3000, True), (6000, False)])
def test_splunk_enterprise_asks_only_for_the_bands_that_were_not_read(gb: int, asked: bool) -> None:
    plan = find_plan("splunk-enterprise")
    if asked:
        with pytest.raises(NoPriceError, match="leaves this price open"):
            bill(plan, usage(gb=gb))
    else:
        assert bill(plan, usage(gb=gb)).total > 0


@pytest.mark.parametrize("id_", sorted(OPEN))
def test_an_open_plan_says_whom_to_ask(id_: str) -> None:
    assert "Ask " in find_plan(id_).notes[0]


def test_a_charge_that_is_not_priced_makes_no_floor_of_the_others() -> None:
    plan = find_plan("sumo-flex")
    assert {name for name, meter in plan.meters.items() if meter.at_least} == {"scans"}
    assert bill(plan, usage()).at_least


def test_a_gib_is_called_a_gib() -> None:
    plan = Offered(find_plan("google-cloud-logging"), "shipped", date(2026, 11, 24))
    assert "0.50 per GiB " in listed([plan], "table")
    assert "A GiB is 1,073,741,824 bytes" in shown_plan(plan, "markdown")
    assert not re.search(r"0\.\d+,GB", shown_plan(plan, "csv"))
    usage = steady(date(2027, 4, 1), 30, {"m365": Decimal("10.73741824")}, {}, {})
    priced = plans_price.price(plan.plan, usage, as_of=plan.as_of)
    (charge,) = to_json(priced)["charges"]
    assert (charge["quantity"], charge["unit"]) == ("250", "GiB")
    assert charge["note"].endswith("past the free 50 GiB a month")
    assert "322.123 GB of 10^9 bytes in all" in text(priced, "table")


@pytest.mark.parametrize(
    ("id_", "said"),
    [
        ("splunk-cloud-ingest", "from 2049.30 per GB/day and year down to 764.75"),
        ("splunk-enterprise", "from 644.00 per GB/day and year down to 575.00"),
        ("s3-athena", "from 0.023 per GB-month down to 0.021"),
        ("crowdstrike-ngsiem", " 200.00 per GB/day and year"),
        ("sentinel-eastus", " 4.30 per GB"),
        ("elastic-serverless-security", "at least 0.11 per GB"),
        ("sumo-flex", "at least 0.05 credits per GB-day"),
        ("qradar", " open "),
    ],
)
def test_the_first_price_of_bands_is_told_with_the_last(id_: str, said: str) -> None:
    (row,) = re.findall(rf"^{id_} .*", listed([Offered(PLANS[id_], "shipped", date(2026, 11, 24))], "table"), re.M)
    assert f"{said}  " in row
    assert ("from " in row) == said.startswith("from ")


def test_a_plan_left_open_asks_for_the_example_that_its_copy_needs() -> None:
    plan = Offered(find_plan("qradar"), "shipped", date(2026, 11, 24))
    assert "[[examples]]" in shown_plan(plan, "table")


def test_floor_prices_say_so() -> None:
    assert bill(find_plan("elastic-serverless-security"), usage()).at_least


def test_what_a_capacity_holds_adds_nothing() -> None:
    plan, held = find_plan("splunk-cloud-workload"), Terms(counts={"svc": Decimal(12)})
    assert bill(plan, usage(gb=20), held).total == bill(plan, usage(gb=90), held).total > 0


def test_a_gib_is_converted_once() -> None:
    plan = find_plan("google-cloud-logging")
    assert plan.gb_bytes == 2**30
    days = usage().days
    assert bill(plan, Usage.from_bytes(plan, days, {"m365": [10 * 2**30] * 30})).total == 125


def test_every_price_of_the_plans_of_other_vendors() -> None:
    # Typed from the price facts of 2026-11-23, so that an edit of a price shows its whole effect.
    s3 = "0.023 0.022 0.021"
    expected = {
        "aws-security-lake": {"ingest": "0", "storage": s3},
        "cribl-stream": {"stream": "0.32"},
        "crowdstrike-ngsiem": {"capacity": "200"},
        "datadog-logs": {"ingest": "0.1", "indexed": "1.7"},
        "elastic-serverless-security": {"ingest": "0.11", "retention": "0.019"},
        "google-cloud-logging": {"ingest": "0.5", "retention": "0.01"},
        "s3-athena": {"ingest": "0", "storage": s3, "queries": "5"},
        "splunk-cloud-workload": {"svc": "10205.1 9354.1", "storage": "690"},
        "splunk-enterprise": {"capacity": "644 621 575"},
        "sumo-credits": {"continuous": "25", "storage": "0.05"},
        "sumo-flex": {"ingest": "0", "storage": "0.05", "scans": ""},
    }
    seen = {
        id_: {name: " ".join(map(shown, price_lists(one).values())) for name, one in PLANS[id_].meters.items()}
        for id_ in expected
    }
    seen = {id_: {name: " ".join(said.split()) for name, said in meters.items()} for id_, meters in seen.items()}
    assert seen == expected
    in_credits = {id_: shown(plan.credit.prices) for id_, plan in PLANS.items() if plan.credit}
    assert in_credits == {"cribl-stream": "1", "sumo-credits": "0.25", "sumo-flex": "1.5"}
    assert {id_ for id_, plan in PLANS.items() if plan.currency != "USD"} == {"crowdstrike-ngsiem"}
    assert find_plan("crowdstrike-ngsiem").currency == "GBP"


def shown(prices: tuple[Price, ...]) -> str:
    return " ".join(f"{price.amount.normalize():f}" for price in prices)
