"""What must hold for every shape: the two paths agree, more use never costs less, and one price is a flat price."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing import Plan, Terms, Usage, bill_draws
from pricing.bill import bill
from pricing.meters import Meter
from pricing.meters.common import INGESTION_MODELS, MODELS
from tests.pricing.helpers import span
from tests.pricing.plan_texts import at, meter, raw, tiny

LIST = {"source": "list"}
BANDS = raw(f"[{{ from_gb = 0, prices = {at('0.40')} }}, {{ from_gb = 500, prices = {at('0.30')} }}]")
UNIT_BANDS = raw(f"[{{ from_units = 0, prices = {at(10)} }}, {{ from_units = 7, prices = {at(8)} }}]")
STEPS = raw(f"[{{ up_to = 50, prices = {at(100)} }}, {{ up_to = 100000, prices = {at(300)} }}]")
#: A price that changes inside a month and a year.
CHANGING = (
    '[{ from = 2026-01-01, amount = 1.30, source = "list" }, { from = 2027-02-10, amount = 1.70, source = "list" }]'
)
CREDIT = f"""[credit]
title = "Credit"
prices = {CHANGING}
multipliers = [{{ name = "region", factor = 1.20, source = "list" }}]
"""
LAKE = """[tiers.lake]
title = "Lake"
ingest = ["lake_in", "lake_through"]
included_retention_days = 0
max_days = 4000
loses = "Much."
source = "list"
"""
KEPT = {"of": "main", "max_days": 4000, **LIST}
CAPACITY = {"unit": "SVC", "measure": "gb_per_day", "per_unit": 3, "percentile": 95, "above": "Waits.", **LIST}


def retention(**keys: object) -> str:
    return meter("kept", "retention", CHANGING, **{**KEPT, **keys})


def committed(**keys: object) -> str:
    return meter("main", "monthly_commitment", CHANGING, committed="promised", overage_multiplier=1.5, **LIST, **keys)


def pool(beyond: str, **keys: object) -> str:
    return meter("main", "prepaid_pool", CHANGING, unit="GB", size="pool", beyond=beyond, **LIST, **keys)


#: A plan for every shape, by what it shows.
PLANS: dict[str, Plan] = {
    "flat with a free allowance": tiny(meter("main", "flat", CHANGING, included_gb_per_month=50)),
    "graduated": tiny(meter("main", "graduated", bands=BANDS, included_gb_per_month=30, **LIST)),
    "several ingestion meters": tiny(
        meter("main", "flat", CHANGING), meter("write", "graduated", bands=BANDS, **LIST), ingest_also='["write"]'
    ),
    "per event": tiny(meter("main", "per_event", CHANGING, included_million_events_per_month=2, indexed_days=15)),
    "monthly commitment of GB": tiny(committed(unit="GB")),
    "monthly commitment of events": tiny(committed(unit="million events")),
    "pool, same price beyond": tiny(pool("price")),
    "pool, dearer beyond": tiny(pool("multiplier", overage_multiplier=2)),
    "pool, cut beyond": tiny(pool("cut")),
    "pool of money": tiny(
        meter("main", "flat", CHANGING),
        meter("units", "prepaid_pool", at("0.78"), unit="money", covers=["main"], size="pool", beyond="price", **LIST),
    ),
    "capacity by the year": tiny(
        meter("main", "capacity_steps", application="all_units", bands=UNIT_BANDS, per="year", **CAPACITY)
    ),
    "capacity by the month, graduated": tiny(
        meter("main", "capacity_steps", application="graduated", bands=UNIT_BANDS, per="month", sold_in=2,
              minimum_units=4, **CAPACITY)
    ),
    "capacity in steps by peak events": tiny(
        meter("main", "capacity_steps", steps=STEPS, per="month", **{**CAPACITY, "measure": "peak_events_per_second"})
    ),
    "capacity that is owned": tiny(meter("main", "capacity_steps", CHANGING, per="year", owned="svc", **CAPACITY)),
    "users": tiny(
        meter("main", "per_count", CHANGING, count="users", unit="user", per="year", minimum_units=5, **LIST)
    ),
    "agents in steps": tiny(meter("main", "per_count", steps=STEPS, count="users", unit="agent", per="month", **LIST)),
    "fee and minimum of a month": tiny(
        meter("main", "flat", CHANGING), meter("fee", "fee", CHANGING, per="month"),
        f'[minimum]\ntitle = "Minimum"\nper = "month"\nprices = {at(150)}\n',
    ),
    "minimum of a year": tiny(
        meter("main", "flat", CHANGING), f'[minimum]\ntitle = "Minimum"\nper = "year"\nprices = {at(9000)}\n'
    ),
    "credits": tiny(meter("main", "flat", CHANGING, in_credits=True), retention(in_credits=True), CREDIT),
    "greater of ingested and queried": tiny(
        meter("main", "graduated", bands=BANDS, **LIST),
        meter("queried", "per_count", at("0.40"), count="queried_gb_per_month", unit="GB", per="month",
              divided_by=100, **LIST),
        meter("dearer", "greater_of", of=["main", "queried"], **LIST),
    ),
    "compressed": tiny(meter("main", "flat", CHANGING), retention(compression=6)),
    "blocks by the year": tiny(meter("main", "flat", CHANGING), retention(block_gb=50, per="year")),
    "kept by the day": tiny(meter("main", "flat", CHANGING), retention(per="day"), included=10),
    "kept in bands": tiny(meter("main", "flat", CHANGING), meter("kept", "retention", bands=BANDS, **KEPT)),
    "kept long": tiny(
        meter("main", "flat", CHANGING), retention(),
        meter("cold", "retention", at("0.02"), **{**KEPT, "long_term": True, "compression": 6}), included=10,
    ),
    "a lake": tiny(
        meter("main", "flat", CHANGING), LAKE, retention(),
        meter("lake_in", "flat", at("0.05")), meter("lake_through", "flat", at("0.10")),
        meter("lake_kept", "retention", at("0.026"), **{**KEPT, "of": "lake", "compression": 6}),
    ),
    "machine hours and scans": tiny(
        meter("main", "flat", CHANGING),
        meter("graph", "compute_hours", CHANGING, cores=49, minutes="minutes", optional=True, **LIST),
        meter("read", "scan", at(5), queries="queries", mb_per_query="mb", minimum_mb=10, mb_per_unit=1000000,
              optional=True, **LIST),
    ),
}  # fmt: skip

#: GB in steps of a megabyte, quiet days included.
volumes = st.one_of(st.just(0), st.integers(0, 40_000)).map(lambda megabytes: megabytes / 1000)


def test_every_model_has_a_plan_here_or_in_the_older_tests() -> None:
    union = {get_args(member.model_fields["model"].annotation)[0] for member in get_args(get_args(Meter)[0])}
    assert union == set(MODELS)
    assert set(INGESTION_MODELS) < union
    shown = {one.model for plan in PLANS.values() for one in plan.meters.values()}
    assert union - shown == {"daily_commitment", "capacity_all_units"}


@st.composite
def courses(draw):
    """A plan of any shape, usage of two streams over a few draws with a past, and terms of every kind."""
    name = draw(st.sampled_from(sorted(PLANS)))
    plan, days, draws = PLANS[name], draw(st.integers(1, 120)), draw(st.integers(1, 3))
    seed = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pattern = np.array(draw(st.lists(volumes, min_size=1, max_size=20)))
    gb = np.resize(pattern, (days, 1)) * np.round(seed.uniform(0.2, 2, (days, draws)), 3)
    # What is bought for all draws at once starts on one day: the first is one of use in each.
    gb[0] = np.maximum(gb[0], 0.001)
    streams = {"A": gb, "B": np.resize(pattern[::-1], days)}
    if "lake" in plan.tiers:
        streams["C@lake"] = gb[::-1]
    past = draw(st.sampled_from([0, 5, 70]))
    usage = Usage(
        span(draw(st.sampled_from(["2026-11-25", "2027-01-01", "2027-12-20", "2028-02-29"])), days),
        streams,
        {"A": np.resize(pattern, past)} if past else {},
        {stream: np.round(values * 1e6) for stream, values in streams.items()},
        {stream: np.round(values * 10, 2) for stream, values in streams.items()},
    )
    counts = {n: Decimal(draw(st.integers(0, 3000))) / 10 for n in plan.counts}
    kept = draw(st.sampled_from([None, 12, 60, 400])) if has_retention(plan) else None
    terms = Terms(
        retention_days=kept,
        total_retention_days=draw(st.sampled_from([None, 30, 500])) if "cold" in plan.meters else None,
        stream_retention_days={"A": [(usage.days[days // 2], 20)]} if kept and draw(st.booleans()) else {},
        discount_percent=Decimal(draw(st.integers(0, 100))),
        counts=counts,
    )
    return plan, usage, terms


def has_retention(plan: Plan) -> bool:
    return any(one.model == "retention" for one in plan.meters.values())


def one_draw(usage: Usage, n: int) -> Usage:
    def pick(series):
        return {stream: v[:, n] if v.ndim == 2 else v for stream, v in series.items()}

    return Usage(
        usage.days, pick(usage.gb), pick(usage.earlier), pick(usage.events), pick(usage.peak_events_per_second)
    )


def _plain(notes: Sequence[str]) -> list[str]:
    grows = ("use rises inside the term", "blocks are bought for a year")
    return [note for note in notes if not any(words in note for words in grows)]


@settings(max_examples=150, deadline=None)
@given(courses())
def test_the_float_path_agrees_with_the_decimal_path_for_every_shape(course) -> None:
    plan, usage, terms = course
    drawn = bill_draws(plan, usage, terms)
    for n in range(usage.draws or 1):
        exact = bill(plan, one_draw(usage, n), terms)
        assert drawn.months == list(exact.months)
        assert drawn.total[:, n] == pytest.approx([float(a) for a in exact.by_month().values()], rel=1e-9, abs=1e-9)
        by_meter = exact.by_meter()
        for meter_id, amount in drawn.amount.items():
            assert amount[:, n].sum() == pytest.approx(float(by_meter.get(meter_id, 0)), rel=1e-9, abs=1e-9)
        # What grows, use inside a term or blocks held, is told of the mean of the draws: only of one is it the same.
        assert _plain(drawn.notes) == _plain(exact.notes)
        assert drawn.notes == exact.notes or usage.draws not in (None, 1)


@settings(max_examples=100, deadline=None)
@given(courses())
def test_with_is_without_and_what_is_added_in_every_draw(course) -> None:
    plan, usage, terms = course
    less = Usage(usage.days, {s: v * 0.5 for s, v in usage.gb.items()}, usage.earlier, usage.events,
                 usage.peak_events_per_second)  # fmt: skip
    without, with_ = bill_draws(plan, less, terms), bill_draws(plan, usage, terms)
    added = with_.total - without.total
    assert without.total + added == pytest.approx(with_.total, rel=1e-12, abs=1e-9)
    # What a scenario adds is what each of its meters adds.
    by_meter = sum((with_.amount[m] - without.amount[m] for m in with_.amount), np.zeros_like(added))
    assert by_meter == pytest.approx(added, rel=1e-9, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(courses(), st.integers(1, 5000))
def test_more_use_never_costs_less(course, megabytes) -> None:
    plan, usage, terms = course
    if plan is PLANS["capacity by the year"]:
        return  # all-units bands: a step up can save money
    more = Usage(
        usage.days,
        {s: v + megabytes / 1000 for s, v in usage.gb.items()},
        usage.earlier,
        {s: v + megabytes for s, v in usage.events.items()},
        {s: v + megabytes for s, v in usage.peak_events_per_second.items()},
    )
    lean, fat = bill_draws(plan, usage, terms).total.sum(axis=0), bill_draws(plan, more, terms).total.sum(axis=0)
    assert (fat >= lean - 1e-6 * np.maximum(1, lean)).all()


@given(st.lists(volumes, min_size=1, max_size=60))
def test_bands_of_one_price_are_a_flat_price(gb) -> None:
    same = raw(f"[{{ from_gb = 0, prices = {at('0.40')} }}, {{ from_gb = 3, prices = {at('0.40')} }}]")
    banded = tiny(meter("main", "graduated", bands=same, included_gb_per_month=20, **LIST))
    flat = tiny(meter("main", "flat", at("0.40"), included_gb_per_month=20))
    usage = Usage(span("2027-01-11", len(gb)), {"A": gb})
    one, other = bill(banded, usage).total, bill(flat, usage).total
    assert one == pytest.approx(other, rel=Decimal("1e-25"))


@given(st.lists(volumes, min_size=1, max_size=60), st.integers(0, 500))
def test_a_commitment_without_a_premium_costs_what_is_used_or_promised(gb, promised) -> None:
    plan = tiny(
        meter("main", "monthly_commitment", at(2), unit="GB", committed="promised", overage_multiplier=1, **LIST)
    )
    usage = Usage(span("2027-04-01", 30), {"A": np.resize(np.array(gb), 30)})
    total = bill(plan, usage, Terms(counts={"promised": Decimal(promised)})).total
    assert float(total) == pytest.approx(2 * max(promised, np.asarray(usage.gb["A"]).sum()), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", ["users", "agents in steps", "capacity that is owned"])
def test_what_is_not_charged_by_volume_adds_nothing(name) -> None:
    plan, days = PLANS[name], span("2027-01-01", 90)
    terms = Terms(counts={"svc": Decimal(3)} if "owned" in name else {"users": Decimal(40)})
    quiet, busy = (bill(plan, Usage(days, {"A": [gb] * 90}), terms).total for gb in (0.0, 500.0))
    assert quiet == busy > 0
