"""Charges by volume over draws: flat, in bands, per event, committed by the day or the month, from a pool."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pricing.days import Month, terms_of
from pricing.meters import DailyCommitment, Flat, Graduated, MonthlyCommitment, PerEvent, PrepaidPool
from pricing.over_draws.work import Work, held, mine
from pricing.prices import FloatArray
from pricing.rates import rate_on


def flat(work: Work, meter_id: str, meter: Flat) -> FloatArray:
    """Per GB, day by day at the price in force; with a free allowance, by the month."""
    if meter.included:
        return by_month(work, meter_id, meter)
    gb = work.pooled(meter_id)
    due: NDArray[np.bool_] = gb.max(axis=1) > 0
    due &= _not_replaced(work, meter_id)
    return work.monthly(gb, work.weights(meter_id, due, meter.prices))


def _not_replaced(work: Work, meter_id: str) -> NDArray[np.bool_]:
    """(D,) the days on which no commitment tier takes the meter's place."""
    if work.plan.commitment is not None and work.plan.commitment[1].instead_of == meter_id:
        return np.array([price is None for price in work.settled.schedule.prices])
    return np.ones(len(work.settled.days), dtype=np.bool_)


def by_month(work: Work, meter_id: str, meter: Flat | Graduated | PerEvent) -> FloatArray:
    """What the calendar month's volume costs after the free allowance."""
    volume = work.pooled(meter_id, "million events" if isinstance(meter, PerEvent) else "GB")
    ladder, place = meter.ladder, f"{work.plan.id} meters.{meter_id}"

    def of_month(month: Month) -> FloatArray:
        part = held(month) / month.length
        whole = np.maximum(0.0, volume[month.rows].sum(axis=0) / part - float(meter.included))
        last = month.rows.stop - 1
        return part * ladder.cost(whole, lambda rung: work.price(meter_id, ladder.prices[rung], last), place)

    return work.each_month(of_month)


def daily_commitment(work: Work, meter_id: str, meter: DailyCommitment) -> FloatArray:
    """The tier of the schedule, day by day; GB above it at its own rate."""
    tier = meter.tier(work.settled.schedule.tier)
    if tier is None:
        return np.zeros((len(work.months), 1))
    size = float(tier.gb_per_day)
    rates = [
        work.price(meter_id, (price,), i) / size if price else 0.0
        for i, price in enumerate(work.settled.schedule.prices)
    ]
    return work.monthly(np.maximum(work.pooled(meter.instead_of), size), np.array(rates))


def monthly_commitment(work: Work, meter_id: str, meter: MonthlyCommitment) -> FloatArray:
    """The committed units of every month, used or not, and those beyond them at the premium."""
    volume = work.pooled(meter_id, meter.unit)
    committed, premium = float(work.terms.counts.get(meter.committed, 0)), float(meter.overage_multiplier)

    def of_month(month: Month) -> FloatArray:
        promised = committed * held(month) / month.length
        units = promised + premium * np.maximum(0.0, volume[month.rows].sum(axis=0) - promised)
        if not units.any():
            return np.zeros(1)
        return np.asarray(units * work.price(meter_id, meter.prices, month.rows.stop - 1))

    return work.each_month(of_month)


def prepaid_pool(work: Work, meter_id: str, meter: PrepaidPool) -> FloatArray:
    """The pool of every yearly term, shown evenly over its days, and what goes beyond it in the month it does."""
    size, days = float(work.terms.counts[meter.size]), work.settled.days
    volume = np.zeros((len(days), 1)) if meter.unit == "money" else work.pooled(meter_id, meter.unit)
    factor = 0.0 if meter.beyond == "cut" else float(meter.overage_multiplier or 1)
    amount = np.zeros(work.shape)
    for term in terms_of(days):
        left = np.full(volume.shape[1], size)
        for row, month in enumerate(work.months):
            here = mine(month, term.rows)
            if here.start >= here.stop:
                continue
            if size:
                place = f"{work.plan.id} meters.{meter_id}"
                bought = float(rate_on(work.plan, meter, meter.prices, term.start, place).amount)
                amount[row] += size * bought * (here.stop - here.start) / term.length
            used = volume[here].sum(axis=0)
            beyond, left = np.maximum(0.0, used - left), np.maximum(0.0, left - used)
            if factor and beyond.any():
                amount[row] += beyond * factor * work.price(meter_id, meter.prices, here.stop - 1)
    return amount
