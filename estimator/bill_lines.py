"""The lines of a bill at mean volumes, its months added up: what a figure is traced by, each with its sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from estimator.billed import Line
from pricing import Charge, Plan, Terms, Usage
from pricing.bill import bill
from pricing.meters import CapacityAllUnits, CapacitySteps, Fee, PerCount
from pricing.money import plain


def lines_of(plan: Plan, usage: Usage, terms: Terms) -> tuple[Line, ...]:
    """The exact bill of the mean volumes, equal charges of different months added up."""
    mean = Usage(usage.days, {stream: usage.by_draw(stream).mean(axis=1) for stream in usage.gb})
    made = bill(plan, mean, terms)
    alike: dict[tuple[object, ...], list[Charge]] = {}
    for charge in made.charges:
        key = (charge.meter, charge.stream, charge.unit, charge.unit_price, charge.price_from, charge.sources)
        # A contract of a year is a line of its own, whatever the next one costs.
        of_its_own = charge.note if isinstance(plan.meters.get(charge.meter), CapacityAllUnits | CapacitySteps) else ""
        alike.setdefault((*key, of_its_own), []).append(charge)
    lines = [
        Line(
            same[0].meter,
            same[0].stream,
            # A percentage is the same in every month and no sum.
            same[0].quantity if same[0].unit == "%" else sum((charge.quantity for charge in same), Decimal(0)),
            same[0].unit,
            same[0].unit_price,
            sum((charge.amount for charge in same), Decimal(0)),
            same[0].price_from,
            tuple(_cite(plan, source) for source in same[0].sources),
            _note(plan, same, made.commitment),
        )
        for same in alike.values()
    ]
    return tuple(sorted(lines, key=lambda line: line.unit == "%"))  # the discount is on all of them


def _note(plan: Plan, same: Sequence[Charge], commitment: str) -> str:
    """What the notes of several months have in common."""
    first = same[0]
    if first.unit == "%":
        return f"Contract discount of {plain(first.quantity)}%, applied last"
    if first.unit == "tier-day":
        return f"{plan.meters[first.meter].title}: {commitment} GB tier"
    notes = {charge.note for charge in same}
    return first.note if len(notes) == 1 else plan.meters[first.meter].title


def _cite(plan: Plan, source_id: str) -> str:
    source = plan.sources[source_id]
    return f"{source.title}, {source.url} (read {source.read}, confidence {source.confidence})"


def free_notes(plan: Plan, streams: Iterable[str]) -> list[str]:
    """Why a stream costs nothing to ingest, with the source."""
    out = []
    for name in sorted(set(streams) & plan.free_streams):
        stream = plan.streams[name]
        source = plan.sources[stream.source]
        why = stream.why if stream.why.endswith((".", "!", "?")) else f"{stream.why}."
        out.append(f"{name} costs 0 to ingest. {why} Source: {source.title}, {source.url} (read {source.read}).")
    return out


def counted_notes(plan: Plan, streams: Iterable[str]) -> list[str]:
    """Which meters charge by what volume does not move: why nothing is added, in words."""
    out = []
    for id_ in dict.fromkeys(meter for name in sorted(streams) for meter in plan.ingestion_meters(name)):
        meter = plan.meters[id_]
        if isinstance(meter, PerCount):
            out.append(
                f"{meter.title} is charged by the {meter.unit}: more events cost nothing more, as long as there are no "
                f"more of them."
            )
        elif isinstance(meter, Fee):
            out.append(f"{meter.title} is a fixed fee: more events cost nothing more.")
    return out
