"""Meters that do not follow the volume: how many units they charge a month or a year, from the counts of the terms."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Literal, NamedTuple

from pricing.errors import MissingCountError, TermsError
from pricing.meters import ComputeHours, Fee, Ladder, Meter, PerCount, Scan, counts_of, is_open
from pricing.plan import Plan
from pricing.prices import nearest, open_price
from pricing.usage import Terms

ONE = Decimal(1)
Counted = PerCount | Fee | ComputeHours | Scan


class Units(NamedTuple):
    """What a meter charges whatever the volume: so many units for every `per`.

    `unit` is what the bill prints: of what is held, with the time ("user-year"); of what is used up, alone ("TB").
    `held` is what is held ("user"); None where it is used up.
    """

    quantity: Decimal
    unit: str
    per: Literal["month", "year"]
    ladder: Ladder
    source: str | None
    held: str | None = None


def check_counts(plan: Plan, terms: Terms) -> None:
    """Refuse counts the plan does not ask for, and a missing one it needs.

    Raises:
        TermsError: naming the count that is unknown.
        MissingCountError: naming the count that is missing.
        NoPriceError: a count is missing whose price is left open.
    """
    asked = plan.counts
    for name in terms.counts:
        if name not in asked:
            listed = ", ".join(sorted(asked)) or "it has none"
            raise TermsError(
                f"'{name}' is unknown",
                place="counts",
                expected=f"a count of {plan.id}: {listed}",
                mend=nearest(name, asked),
            )
    for name, needed in asked.items():
        if needed and name not in terms.counts:
            meter_id, meter = next((id_, m) for id_, m in plan.meters.items() if counts_of(m).get(name))
            ask_for_price(plan, meter_id, meter)
            raise MissingCountError(plan.id, name, meter.title)


def ask_for_price(plan: Plan, meter_id: str, meter: Meter) -> None:
    """Where a meter's price is left open, ask for that first: what is counted is of no use without it.

    Raises:
        NoPriceError: it is.
    """
    if is_open(meter):
        raise open_price(f"{plan.id} meters.{meter_id}")


def units_of(meter: Counted, counts: Mapping[str, Decimal]) -> Units:
    """How many units the meter charges for every month or year; counts not stated are 0."""
    zero = Decimal(0)
    match meter:
        case PerCount():
            # A minimum beside a count that may be left out is refused by the type.
            quantity = max(counts.get(meter.count, zero) / meter.divided_by, meter.minimum_units)
            unit, held = (meter.unit, None) if meter.used_up else (f"{meter.unit}-{meter.per}", meter.unit)
            return Units(quantity, unit, meter.per, meter.ladder, meter.source, held)
        case Fee():
            return Units(ONE, f"fee-{meter.per}", meter.per, _single(meter), None, "fee")
        case ComputeHours():
            hours = counts.get(meter.minutes, zero) / 60
            return Units(meter.cores * hours, "core-hour", "month", _single(meter), meter.source)
        case Scan():
            each = counts.get(meter.mb_per_query, zero).to_integral_value(ROUND_CEILING)
            read = counts.get(meter.queries, zero) * max(each, meter.minimum_mb)
            return Units(read / meter.mb_per_unit, meter.priced_unit, "month", _single(meter), meter.source)


def _single(meter: Fee | ComputeHours | Scan) -> Ladder:
    return Ladder("all_units", (Decimal(0),), (meter.prices,))
