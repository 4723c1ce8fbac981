"""What the exact bill and the bill over draws must agree on before either does any arithmetic.

The terms are checked against the plan, the schedule is fixed, and it is settled which streams are kept at a price and
which remarks the bill must carry. The two paths then compute apart, so that one can referee the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from pricing.blocks import growing_blocks
from pricing.commitment import BEST, Schedule, choose, schedule
from pricing.counting import ask_for_price, check_counts
from pricing.days import terms_of
from pricing.errors import NotCountedError, TermsError
from pricing.keeping import Window, windows
from pricing.meters import (
    CapacityAllUnits,
    CapacitySteps,
    MonthlyCommitment,
    PerEvent,
    PrepaidPool,
    is_open,
)
from pricing.money import plain
from pricing.plan import Plan
from pricing.prices import nearest
from pricing.usage import FloatArray, Terms, Usage

#: Days by which a rise inside a yearly term is told.
_FIRST_MONTH = 31


@dataclass(frozen=True)
class Settlement:
    """A bill about to be computed.

    Attributes:
        days: the D days.
        schedule: the fixed choice of tier.
        windows: for each retention meter the streams it charges, with which days' GB are charged on each day.
        notes: remarks for whoever reads the bill.
    """

    days: tuple[date, ...]
    schedule: Schedule
    windows: dict[str, dict[str, Window]]
    notes: tuple[str, ...]


def settle(plan: Plan, usage: Usage, terms: Terms) -> Settlement:
    """Check the terms against the plan and fix what is chosen.

    Raises:
        TermsError: an unknown tier, grant, count or free stream, a count or events that are needed and not given, or a
            retention the plan does not sell.
        NoPriceError: retention past the included days, where the plan has no price for it.
    """
    days = tuple(usage.days)
    for grant, gb in terms.grant_gb_per_day.items():
        _known(grant, plan.grants, "grant_gb_per_day", f"a grant of {plan.id}")
        if isinstance(gb, tuple) and len(gb) != len(days):
            raise TermsError(f"{len(gb)} days", place=f"grant_gb_per_day.{grant}", expected=f"the usage's {len(days)}")
    for stream in sorted(terms.billed_free_streams):
        _known(stream, plan.free_streams, "billed_free_streams", f"a free stream of {plan.id}")
    check_counts(plan, terms)
    _check_events(plan, usage, terms)
    if terms.commitment == BEST:
        chosen = choose(plan, days, committable_gb(plan, usage, terms))
    else:
        chosen = schedule(plan, days, terms.commitment)
    kept, kept_notes = windows(plan, usage, terms)
    notes = (
        *chosen.notes,
        *_rises(plan, usage, terms),
        *kept_notes,
        *growing_blocks(plan, usage, kept),
        *_remarks(plan, terms, days),
    )
    return Settlement(days, chosen, kept, notes)


def _remarks(plan: Plan, terms: Terms, days: tuple[date, ...]) -> Iterator[str]:
    """What the plan itself wants told."""
    if plan.pipeline is not None:
        yield f"{plan.pipeline.title}: {plan.pipeline.note}"
    floors = [meter for meter in plan.meters.values() if meter.at_least]
    if low := [meter.title for meter in floors if not is_open(meter)]:
        yield f"The bill is at least this: a price is a floor ('as low as') for {', '.join(low)}."
    if unknown := [meter.title for meter in floors if is_open(meter)]:
        yield f"The bill is at least this: a price is not known for {', '.join(unknown)}."
    for meter in plan.meters.values():
        if isinstance(meter, MonthlyCommitment) and meter.committed not in terms.counts:
            yield (
                f"{meter.title}: no commitment is stated ('{meter.committed}'), so every {_each(meter.unit)} is priced "
                f"on demand, at {plain(meter.overage_multiplier)} times the committed price."
            )
        if isinstance(meter, PrepaidPool) and terms.counts[meter.size]:
            last = terms_of(days)[-1]
            if (here := len(days) - last.rows.start) < last.length:
                yield (
                    f"{meter.title}: bought on {last.start} for a year, of which {here} of {last.length} days are "
                    "here: that part of its price is shown, while all of the pool can be used."
                )


def _each(unit: str) -> str:
    return "GB" if unit == "GB" else "event"


def _check_events(plan: Plan, usage: Usage, terms: Terms) -> None:
    measure: Literal["events", "peak_events_per_second"]
    for meter_id, meter in plan.meters.items():
        match meter:
            case PerEvent() | MonthlyCommitment(unit="million events") | PrepaidPool(unit="million events"):
                measure, what = "events", "events a day"
            case CapacitySteps(measure="peak_events_per_second") if meter.owned not in terms.counts:
                measure, what = "peak_events_per_second", "the peak events per second of each day"
            case _:
                continue
        given = usage.events if measure == "events" else usage.peak_events_per_second
        for stream, gb in usage.gb.items():
            if meter_id in plan.ingestion_meters(stream) and stream not in given and np.any(gb):
                ask_for_price(plan, meter_id, meter)
                raise NotCountedError(
                    f"{plan.id} charges by {what} ({meter.title}), and they are not given",
                    place=stream,
                    expected=f"{what} beside its GB",
                    measure=measure,
                )


def _rises(plan: Plan, usage: Usage, terms: Terms) -> Iterator[str]:
    """A note where more capacity is bought for a term than its first month needs, on expectation over the draws."""
    for meter_id, meter in plan.meters.items():
        if not isinstance(meter, CapacityAllUnits | CapacitySteps):
            continue
        if isinstance(meter, CapacitySteps) and (meter.per != "year" or meter.owned in terms.counts):
            continue
        pooled = _expected_load(plan, usage, terms, meter_id, meter)
        used = np.flatnonzero(pooled)
        for term in terms_of(usage.days, int(used[0])) if used.size else ():
            mine = pooled[term.rows]
            if (capacity_for(meter, mine[:_FIRST_MONTH]) < capacity_for(meter, mine)).any():
                yield (
                    f"{meter.title}: use rises inside the term from {term.start}, and all that the term needs is "
                    "charged from the term's start; capacity that is bought up later costs less."
                )


def _expected_load(
    plan: Plan, usage: Usage, terms: Terms, meter_id: str, meter: CapacityAllUnits | CapacitySteps
) -> FloatArray:
    """(D, 1) what capacity is sized by, its mean over the draws."""
    gb = billable_gb(plan, usage, terms)
    mine = [stream for stream in gb if meter_id in plan.ingestion_meters(stream)]
    series = [gb[stream].mean(axis=1) for stream in mine]
    if isinstance(meter, CapacitySteps) and meter.measure == "peak_events_per_second":
        given = usage.peak_events_per_second
        rates = [np.asarray(given[stream], dtype=np.float64) for stream in mine if stream in given]
        series = [rate if rate.ndim == 1 else rate.mean(axis=1) for rate in rates]
    return np.asarray(sum(series, np.zeros(len(usage.days))))[:, np.newaxis]


def _known(name: str, known: Collection[str], place: str, expected: str) -> None:
    if name not in known:
        listed = ", ".join(sorted(known)) or "it has none"
        raise TermsError(
            f"'{name}' is unknown", place=place, expected=f"{expected}: {listed}", mend=nearest(name, known)
        )


def grant_by_day(terms: Terms, grant_id: str) -> FloatArray:
    """(1, 1) or (D, 1) GB a day that remain of a grant."""
    remaining = terms.grant_gb_per_day.get(grant_id, 0)
    values = [float(gb) for gb in remaining] if isinstance(remaining, Sequence) else [float(remaining)]
    return np.array(values)[:, np.newaxis]


def billable_gb(plan: Plan, usage: Usage, terms: Terms) -> dict[str, FloatArray]:
    """What is left to charge of each stream that is not free, after grants: (D, N) or (D, 1) GB.

    A grant's daily pool is used up by its streams in the order the plan names them.
    """
    charged = {stream: usage.by_draw(stream) for stream in usage.gb if plan.ingestion_meters(stream)}
    for grant_id, grant in plan.grants.items():
        left = grant_by_day(terms, grant_id)
        if not left.any():
            continue
        for stream in grant.streams:
            if stream in charged:
                taken = np.minimum(left, charged[stream])
                charged[stream] = charged[stream] - taken
                left = left - taken
    return charged


def capacity_for(meter: CapacityAllUnits | CapacitySteps, load: FloatArray) -> FloatArray:
    """(N,) GB/day, or units, bought for the (D, N) daily load of a term.

    The percentile by nearest rank, rounded up to what is sold; counted to a billionth of a unit, so that the dust of a
    float does not buy one more.
    """
    peak = nearest_rank(load, meter.percentile)
    if isinstance(meter, CapacityAllUnits):
        unit, minimum = float(meter.unit_gb_per_day), float(meter.minimum_gb_per_day)
    else:
        peak, unit, minimum = peak / float(meter.per_unit), float(meter.sold_in), float(meter.minimum_units)
    return np.asarray(np.maximum(minimum, np.ceil(np.round(peak / unit, 9)) * unit))


def nearest_rank(values: FloatArray, percentile: int) -> FloatArray:
    """(N,) percentile of each draw's (D, N) days by nearest rank: a day that occurs, not a value between two."""
    rank = -(-percentile * len(values) // 100) - 1
    return np.asarray(np.partition(values, rank, axis=0)[rank])


def committable_gb(plan: Plan, usage: Usage, terms: Terms) -> FloatArray:
    """GB a day that reach the meter a commitment replaces, after grants: (D, N) or (D, 1); what `choose` wants."""
    total = np.zeros((len(usage.days), 1))
    if plan.commitment is None:
        return total
    _, meter = plan.commitment
    for stream, gb in billable_gb(plan, usage, terms).items():
        if meter.instead_of in plan.ingestion_meters(stream):
            total = total + gb
    return total
