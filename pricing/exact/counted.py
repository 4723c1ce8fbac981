"""Charges that do not follow the volume, exactly: owed for every day of the horizon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pricing.counting import Counted, units_of
from pricing.days import days_of_year
from pricing.exact.charge import Charge, Held, rows, runs
from pricing.exact.work import Work, line


def counted(work: Work, meter_id: str, meter: Counted) -> Iterator[Charge]:
    """So many units for every month or year, a day costing its share of the period."""
    units = units_of(meter, work.terms.counts)
    sources = () if units.source is None else (units.source,)
    for rung in units.ladder.rungs(units.quantity, f"{work.plan.id} meters.{meter_id}"):
        prices = units.ladder.prices[rung.position]
        unit, held = units.unit, units.held
        if units.ladder.application == "steps":
            unit, held = f"step-{units.per}", "step"
        for month in work.months:
            year = days_of_year(work.settled.days[month.rows.start])
            length = month.length if units.per == "month" else year
            for rate, run in runs(rows(month), lambda i, prices=prices: work.rate(meter_id, prices, i)):  # type: ignore[misc]
                quantity = rung.quantity * len(run) / length
                charge = line(meter_id, month, quantity, unit, rate, meter.title, sources=sources)
                if held is not None:
                    charge = replace(charge, held=Held(rung.quantity, held, len(run), length, units.per))
                yield charge
