"""Capacity bought for a term, over draws: one contract for all of them, signed before anyone knows which it is."""

from __future__ import annotations

import numpy as np

from pricing.days import Term, periods, terms_of
from pricing.meters import CapacityAllUnits, CapacitySteps
from pricing.over_draws.work import Work, shared
from pricing.prices import FloatArray
from pricing.rates import rate_on
from pricing.settle import capacity_for


def all_units(work: Work, meter_id: str, meter: CapacityAllUnits) -> FloatArray:
    """Capacity for the percentile day of each yearly term, the band of the total setting one rate for all of it."""
    gb = work.pooled(meter_id)
    amount = np.zeros((len(work.months), gb.shape[1]))
    used = np.flatnonzero((gb > 0).any(axis=1))
    for term in terms_of(work.settled.days, int(used[0])) if used.size else ():
        annual = _annual(work, meter_id, meter, gb[term.rows], term)
        for row, month in enumerate(work.months):
            if days := shared(month, term.rows):
                amount[row] += annual * (days / term.length)
    return amount


def _annual(work: Work, meter_id: str, meter: CapacityAllUnits, gb: FloatArray, term: Term) -> FloatArray:
    """(N,) annual price of the capacity each draw buys for one term."""
    place = f"{work.plan.id} meters.{meter_id}"
    capacity = capacity_for(meter, gb)
    bought = (gb > 0).any(axis=0)
    if meter.maximum_gb_per_day is not None and (capacity[bought] > float(meter.maximum_gb_per_day)).any():
        raise meter.beyond_the_list(f"{capacity[bought].max():g}", place)
    edges = np.array([float(band.from_gb) for band in meter.bands])
    band = np.searchsorted(edges, capacity, side="right") - 1
    rates = np.zeros(len(edges))
    for needed in np.unique(band[bought]):
        if not meter.bands[needed].prices:
            least = capacity[bought & (band == needed)].min()
            raise meter.open_band(meter.bands[needed], f"{least:g}", place)
        rates[needed] = float(rate_on(work.plan, meter, meter.bands[needed].prices, term.start, place).amount)
    return np.where(bought, capacity * rates[band], 0.0)


def steps(work: Work, meter_id: str, meter: CapacitySteps) -> FloatArray:
    """Units for the percentile day of each term or month, or those the customer holds; nothing is billed above them."""
    load = work.pooled(meter_id, "GB" if meter.measure == "gb_per_day" else "peak")
    ladder, place = meter.ladder, f"{work.plan.id} meters.{meter_id}"
    owned = None if meter.owned is None else work.terms.counts.get(meter.owned)
    used = np.flatnonzero((load > 0).any(axis=1))
    first = 0 if owned is not None else int(used[0]) if used.size else None
    amount = np.zeros((len(work.months), load.shape[1]))
    for start, length, rows in periods(work.settled.days, first, meter.per):
        loads = load[rows]
        if owned is None:
            units = np.where((loads > 0).any(axis=0), capacity_for(meter, loads), 0.0)
        else:
            units = np.full(load.shape[1], float(owned))

        def price(rung: int, day: int = start) -> float:
            return work.price(meter_id, ladder.prices[rung], day)

        cost = ladder.cost(units, price, place)
        for row, month in enumerate(work.months):
            if days := shared(month, rows):
                amount[row] += cost * (days / length)
    return amount
