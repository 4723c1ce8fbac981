"""What the exact bill and the bill over draws must agree on before either does any arithmetic.

The terms are checked against the plan, the schedule is fixed, and it is settled which streams are kept at a price and
which remarks the bill must carry. The two paths then compute apart, so that one can referee the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from pricing.commitment import BEST, Schedule, choose, schedule
from pricing.days import terms_of
from pricing.errors import NoPriceError, TermsError
from pricing.meters import CapacityAllUnits, Retention
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
        kept_days: days everything is kept, counted from ingestion.
        kept_streams: for each ingestion meter, the streams whose retention past the included days is charged.
        notes: remarks for whoever reads the bill.
    """

    days: tuple[date, ...]
    schedule: Schedule
    kept_days: int
    kept_streams: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]


def settle(plan: Plan, usage: Usage, terms: Terms) -> Settlement:
    """Check the terms against the plan and fix what is chosen.

    Raises:
        TermsError: an unknown tier, grant or free stream, or a retention the plan does not sell.
        NoPriceError: retention past the included days, where the plan has no price for it.
    """
    for grant in terms.grant_gb_per_day:
        _known(grant, plan.grants, "grant_gb_per_day", f"a grant of {plan.id}")
    for stream in sorted(terms.billed_free_streams):
        _known(stream, plan.free_streams, "billed_free_streams", f"a free stream of {plan.id}")
    days = tuple(usage.days)
    if terms.commitment == BEST:
        chosen = choose(plan, days, committable_gb(plan, usage, terms))
    else:
        chosen = schedule(plan, days, terms.commitment)
    kept_days = plan.included_retention_days if terms.retention_days is None else terms.retention_days
    kept_streams = _kept_streams(plan, usage, terms) if kept_days > plan.included_retention_days else {}
    for meter_id in kept_streams:
        _check_retention(plan, meter_id, kept_days)
    notes = [*chosen.notes, *_rises(plan, usage, terms)]
    if kept_streams and not usage.earlier:
        notes.append("Retention starts from an empty stock: what was ingested before the first day is not in it.")
    return Settlement(days, chosen, kept_days, kept_streams, tuple(notes))


def _rises(plan: Plan, usage: Usage, terms: Terms) -> Iterator[str]:
    """A note where more capacity is bought for a term than its first month needs, on expectation over the draws."""
    for meter_id, meter in plan.meters.items():
        if not isinstance(meter, CapacityAllUnits):
            continue
        streams = [
            gb.mean(axis=1)
            for stream, gb in billable_gb(plan, usage, terms).items()
            if plan.ingestion_meter(stream) == meter_id
        ]
        pooled = sum(streams, np.zeros(len(usage.days)))[:, np.newaxis]
        used = np.flatnonzero(pooled)
        for term in terms_of(usage.days, int(used[0])) if used.size else ():
            mine = pooled[term.rows]
            if (capacity_for(meter, mine[:_FIRST_MONTH]) < capacity_for(meter, mine)).any():
                yield (
                    f"{meter.title}: use rises inside the term from {term.start}, and all that the term needs is "
                    "charged from the term's start; capacity that is bought up later costs less."
                )


def _known(name: str, known: Collection[str], place: str, expected: str) -> None:
    if name not in known:
        listed = ", ".join(sorted(known)) or "it has none"
        raise TermsError(
            f"'{name}' is unknown", place=place, expected=f"{expected}: {listed}", mend=nearest(name, known)
        )


def _kept_streams(plan: Plan, usage: Usage, terms: Terms) -> dict[str, tuple[str, ...]]:
    kept: dict[str, tuple[str, ...]] = {}
    for stream in usage.gb:
        meter = plan.ingestion_meter(stream)
        if meter is None and stream in terms.billed_free_streams:
            meter = plan.ingest  # a free stream is stored where it would have been charged
        if meter is not None:
            kept[meter] = (*kept.get(meter, ()), stream)
    return kept


def _check_retention(plan: Plan, meter_id: str, kept_days: int) -> None:
    sold = [meter for meter in plan.meters.values() if isinstance(meter, Retention) and meter.of == meter_id]
    if not sold:
        raise NoPriceError(
            f"no price is known for keeping more than the {plan.included_retention_days} included days",
            place=f"{plan.id} meters.{meter_id}",
            mend="Keep the included days, or add a retention meter with its source to a copy of the plan.",
        )
    if kept_days > sold[0].max_days:
        raise TermsError(
            f"{kept_days} days",
            place="retention_days",
            expected=f"at most the {sold[0].max_days} days that {plan.id} sells",
        )


def billable_gb(plan: Plan, usage: Usage, terms: Terms) -> dict[str, FloatArray]:
    """What is left to charge of each stream that is not free, after grants: (D, N) or (D, 1) GB.

    A grant's daily pool is used up by its streams in the order the plan names them.
    """
    charged = {stream: usage.by_draw(stream) for stream in usage.gb if plan.ingestion_meter(stream) is not None}
    for grant_id, grant in plan.grants.items():
        left = np.full((1, 1), float(terms.grant_gb_per_day.get(grant_id, 0)))
        if not left.any():
            continue
        for stream in grant.streams:
            if stream in charged:
                taken = np.minimum(left, charged[stream])
                charged[stream] = charged[stream] - taken
                left = left - taken
    return charged


def capacity_for(meter: CapacityAllUnits, gb: FloatArray) -> FloatArray:
    """(N,) GB/day bought for (D, N) daily GB of a term: the percentile by nearest rank, in whole units."""
    rank = -(-meter.percentile * len(gb) // 100) - 1
    peak = np.partition(gb, rank, axis=0)[rank]
    unit, minimum = float(meter.unit_gb_per_day), float(meter.minimum_gb_per_day)
    return np.asarray(np.maximum(minimum, np.ceil(np.round(peak / unit, 9)) * unit))


def committable_gb(plan: Plan, usage: Usage, terms: Terms) -> FloatArray:
    """GB a day that reach the meter a commitment replaces, after grants: (D, N) or (D, 1); what `choose` wants."""
    total = np.zeros((len(usage.days), 1))
    if plan.commitment is None:
        return total
    _, meter = plan.commitment
    for stream, gb in billable_gb(plan, usage, terms).items():
        if plan.ingestion_meter(stream) == meter.instead_of:
            total = total + gb
    return total
