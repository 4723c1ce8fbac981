"""Capacity bought for a term, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from pricing.days import months_of, periods, terms_of
from pricing.exact.charge import Charge, Held, Series, rows
from pricing.exact.work import Work, line
from pricing.meters import CapacityAllUnits, CapacitySteps
from pricing.money import plain, short
from pricing.rates import rate_on


def nearest_rank(volumes: Series, percentile: int) -> Decimal:
    """A percentile by nearest rank: a day that occurs, not a value between two."""
    return sorted(volumes)[-(-percentile * len(volumes) // 100) - 1]


def whole_units(units: Decimal) -> Decimal:
    """Units rounded up, counted to a billionth of one (for a unit of 1 GB, to the byte): dust does not buy one more."""
    return units.quantize(Decimal("1e-9")).to_integral_value(ROUND_CEILING)


def shown_evenly(days: int) -> str:
    """How the price of a yearly term stands in the bill, to end a sentence."""
    return f"shown evenly over the {days} days of the term; it is owed when bought"


def _day(percentile: int) -> str:
    return "a busiest day" if percentile == 100 else f"a P{percentile} day"


def all_units(work: Work, meter_id: str, meter: CapacityAllUnits) -> Iterator[Charge]:
    """Capacity for the percentile day of each yearly term, the band of the total setting one rate for all of it."""
    gb, days = work.pooled(meter_id), work.settled.days
    place = f"{work.plan.id} meters.{meter_id}"
    used = [row for row, volume in enumerate(gb) if volume]
    for term in terms_of(days, used[0]) if used else ():
        volumes = gb[term.rows]
        if not any(volumes):
            continue  # nothing is used in the term, so nothing is bought
        peak = nearest_rank(volumes, meter.percentile)
        capacity = max(meter.minimum_gb_per_day, whole_units(peak / meter.unit_gb_per_day) * meter.unit_gb_per_day)
        if meter.maximum_gb_per_day is not None and capacity > meter.maximum_gb_per_day:
            raise meter.beyond_the_list(plain(capacity), place)
        band = meter.band(capacity)
        if not band.prices:
            raise meter.open_band(band, plain(capacity), place)
        rate = rate_on(work.plan, meter, band.prices, term.start, place)
        note = (
            f"{meter.title}: {plain(capacity)} GB/day bought on {term.start} for one year, for "
            f"{_day(meter.percentile)} of {short(peak)} GB; the annual price is {shown_evenly(term.length)}"
        )
        for month in months_of(days[term.rows]):
            part = Decimal(len(rows(month))) / term.length
            charge = line(meter_id, month, capacity * part, "GB/day-year", rate, note, sources=(meter.source,))
            yield replace(charge, held=Held(capacity, "GB/day", len(rows(month)), term.length, "year"))


def steps(work: Work, meter_id: str, meter: CapacitySteps) -> Iterator[Charge]:
    """Units for the percentile day of each term or month, or those the customer holds; nothing is billed above them."""
    unit = "GB" if meter.measure == "gb_per_day" else "peak"
    load, days = work.pooled(meter_id, unit), work.settled.days
    place, ladder = f"{work.plan.id} meters.{meter_id}", meter.ladder
    owned = None if meter.owned is None else work.terms.counts.get(meter.owned)
    used = [row for row, volume in enumerate(load) if volume]
    first = 0 if owned is not None else used[0] if used else None
    for start, length, span in periods(days, first, meter.per):
        loads = load[span]
        if owned is None and not any(loads):
            continue
        peak = nearest_rank(loads, meter.percentile)
        units = owned
        if units is None:
            needed = whole_units(peak / meter.per_unit / meter.sold_in) * meter.sold_in
            units = max(needed, meter.minimum_units)
        note = f"{meter.title}: {plain(units)} {meter.unit}{'' if owned is None else ', as stated'}"
        if any(loads):
            measured = f"{short(peak)} {'GB' if unit == 'GB' else 'events a second'}"
            note += f"{'' if owned is None else ','} for {_day(meter.percentile)} of {measured}"
        note += f". {meter.above}"
        if meter.per == "year":
            note += f" The annual price is {shown_evenly(length)}."
        for rung in ladder.rungs(units, place):
            rate = rate_on(work.plan, meter, ladder.prices[rung.position], days[start], place)
            for month in months_of(days[span]):
                quantity = rung.quantity * len(rows(month)) / length
                sold = "step" if ladder.application == "steps" else meter.unit
                charge = line(meter_id, month, quantity, f"{sold}-{meter.per}", rate, note, sources=(meter.source,))
                yield replace(charge, held=Held(rung.quantity, sold, len(rows(month)), length, meter.per))
