"""How long each stream is kept, and which days' GB a retention meter charges on each day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from pricing.errors import NoPriceError, TermsError
from pricing.meters import Retention
from pricing.plan import Plan
from pricing.prices import nearest
from pricing.usage import Terms, Usage

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Window:
    """Which GB of a stream a retention meter charges: on each day those ingested on the days `first` to `stop` - 1.

    Attributes:
        first, stop: (D,) positions counted from the first day of the usage; negative ones lie before it.
        kept, included: days kept and days among them that this meter does not charge, for the bill's note; `kept` is
            that of the last day.
    """

    first: IntArray
    stop: IntArray
    kept: int
    included: int


def windows(plan: Plan, usage: Usage, terms: Terms) -> tuple[dict[str, dict[str, Window]], list[str]]:
    """For each retention meter the streams it charges, with their windows; and remarks for the bill.

    Raises:
        TermsError: more days than are sold, days for a stream that is not there, an unknown tier.
        NoPriceError: retention past the included days, where the plan has no price for it.
    """
    for stream in terms.stream_retention_days:
        plan.tier_of(stream)
        if stream not in usage.gb:
            raise TermsError(
                f"'{stream}' has no usage",
                place="stream_retention_days",
                expected=f"one of {', '.join(sorted(usage.gb)) or 'none'}",
                mend=nearest(stream, usage.gb),
            )
    days = tuple(usage.days)
    meters = {id_: meter for id_, meter in plan.meters.items() if isinstance(meter, Retention)}
    out: dict[str, dict[str, Window]] = {meter_id: {} for meter_id in meters}
    notes: list[str] = []
    for stream in usage.gb:
        places = _kept_where(plan, stream, terms)
        if not places:
            continue
        kept, remark = _kept_days(plan, stream, terms, days)
        notes += remark
        _, tier_id = plan.tier_of(stream)
        included = plan.included_retention_days if tier_id is None else plan.tiers[tier_id].included_retention_days
        mine = {meter_id: meter for meter_id, meter in meters.items() if meter.of in places}
        ordinary = {meter_id: meter for meter_id, meter in mine.items() if not meter.long_term}
        here = kept[-len(days) :]
        if int(here.max()) > included:
            _check_sold(plan, places[0], list(ordinary.values()), int(here.max()), included)
            for meter_id in ordinary:
                out[meter_id][stream] = _window(kept, included, len(days))
        if tier_id is None and terms.total_retention_days is not None and terms.total_retention_days > here.min():
            long_term = {meter_id: meter for meter_id, meter in mine.items() if meter.long_term}
            _check_long_term(plan, list(long_term.values()), terms.total_retention_days)
            for meter_id in long_term:
                out[meter_id][stream] = _after(kept, terms.total_retention_days, len(days))
    if any(out.values()) and not usage.earlier:
        notes.append("Retention starts from an empty stock: what was ingested before the first day is not in it.")
    return out, notes


def _kept_where(plan: Plan, stream: str, terms: Terms) -> tuple[str, ...]:
    """The meters or the tier of which the stream is kept; none where it is free and stays so."""
    _, tier_id = plan.tier_of(stream)
    meters = plan.ingestion_meters(stream)
    if tier_id is not None:
        # A tier that is written as the main one is, but kept elsewhere, is not stored twice.
        own = any(isinstance(meter, Retention) and meter.of == tier_id for meter in plan.meters.values())
        return (tier_id,) if own else (tier_id, *meters)
    if not meters and stream in terms.billed_free_streams:
        return (plan.ingest,)  # a free stream is stored where it would have been charged
    return meters


def _kept_days(plan: Plan, stream: str, terms: Terms, days: tuple[date, ...]) -> tuple[IntArray, Iterator[str]]:
    """(L + D,) days the stream is kept, as of each day; L days before the first tell what had been deleted by then."""
    everything = plan.included_retention_days if terms.retention_days is None else terms.retention_days
    notes: list[str] = []
    _, tier_id = plan.tier_of(stream)
    tier = None if tier_id is None else plan.tiers[tier_id]
    if tier is not None and everything > tier.max_days and stream not in terms.stream_retention_days:
        notes.append(f"{stream} is kept for {tier.max_days} days, the longest that {tier.title} keeps.")
        everything = tier.max_days
    stated = terms.stream_retention_days.get(stream, everything)
    if isinstance(stated, int):
        kept = np.full(len(days), stated, dtype=np.int64)
    else:
        lead = max([0, *((days[0] - start).days for start, _ in stated)]) + 1
        kept = np.full(lead + len(days), everything, dtype=np.int64)
        for start, count in stated:
            kept[lead + (start - days[0]).days :] = count
    if tier is not None and int(kept[-len(days) :].max()) > tier.max_days:
        raise TermsError(
            f"{kept[-len(days) :].max()} days",
            place=f"stream_retention_days.{stream}",
            expected=f"at most the {tier.max_days} days that {tier.title} keeps",
        )
    return kept, iter(notes)


def _oldest(kept: IntArray, days: int) -> IntArray:
    """(D,) the oldest day that is still there on each of the last `days` days; what is deleted does not come back."""
    lead = len(kept) - days
    return np.maximum.accumulate(np.arange(1 - lead, days + 1) - kept)[lead:]


def _window(kept: IntArray, included: int, days: int) -> Window:
    # A GB ingested on day d is charged from d + included up to, not including, d + kept.
    first, stop = _oldest(kept, days), np.arange(1, days + 1) - included
    return Window(first, np.maximum(first, stop), int(kept[-1]), included)


def _after(kept: IntArray, total: int, days: int) -> Window:
    first, stop = _oldest(np.full_like(kept, total), days), _oldest(kept, days)
    return Window(first, np.maximum(first, stop), total, int(kept[-1]))


def _check_sold(plan: Plan, place: str, sold: list[Retention], kept_days: int, included: int) -> None:
    if not sold:
        raise NoPriceError(
            f"no price is known for keeping more than the {included} included days",
            place=f"{plan.id} meters.{place}",
            mend="Keep the included days, or add a retention meter with its source to a copy of the plan.",
        )
    most = min(meter.max_days for meter in sold)
    if kept_days > most:
        raise TermsError(
            f"{kept_days} days", place="retention_days", expected=f"at most the {most} days that {plan.id} sells"
        )


def _check_long_term(plan: Plan, sold: list[Retention], total: int) -> None:
    if not sold:
        raise NoPriceError(
            "no price is known for long-term storage after the ordinary retention",
            place=f"{plan.id} meters",
            mend="Leave total_retention_days out, or add a long_term retention meter to a copy of the plan.",
        )
    most = min(meter.max_days for meter in sold)
    if total > most:
        raise TermsError(
            f"{total} days", place="total_retention_days", expected=f"at most the {most} days that {plan.id} sells"
        )
