"""Charges that do not follow the volume: the same in every draw."""

from __future__ import annotations

import numpy as np

from pricing.counting import Counted, units_of
from pricing.days import Month, days_of_year
from pricing.over_draws.work import Work
from pricing.prices import FloatArray


def counted(work: Work, meter_id: str, meter: Counted) -> FloatArray:
    """So many units for every month or year, a day costing its share of the period."""
    units = units_of(meter, work.terms.counts)
    quantity = np.array([float(units.quantity)])
    ladder, days = units.ladder, work.settled.days

    def of_month(month: Month) -> FloatArray:
        length = month.length if units.per == "month" else days_of_year(days[month.rows.start])

        def price(rung: int) -> float:
            # The sum over the days here, since the price can change within the month.
            return sum(work.price(meter_id, ladder.prices[rung], i) for i in range(month.rows.start, month.rows.stop))

        return ladder.cost(quantity, price, f"{work.plan.id} meters.{meter_id}") / length

    return work.each_month(of_month)
