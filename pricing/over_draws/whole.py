"""What is done to the whole bill once every meter has charged, over draws."""

from __future__ import annotations

import numpy as np

from pricing.days import terms_of
from pricing.meters import GreaterOf, PrepaidPool
from pricing.over_draws.work import Work, held
from pricing.prices import FloatArray, price_on


def greater_of(meter: GreaterOf, amount: dict[str, FloatArray]) -> None:
    """Take what the cheaper meters of each month and draw charged out of `amount`; of equal ones the first stays."""
    amounts = np.stack([amount[other] for other in meter.of])
    dearest = amounts.argmax(axis=0)
    for i, other in enumerate(meter.of):
        amount[other] = np.where(dearest == i, amount[other], 0.0)


def from_pools(work: Work, amount: dict[str, FloatArray]) -> None:
    """Take what pools of money pay for off the amount of each pool's meter."""
    for meter_id, meter in work.plan.meters.items():
        if not (isinstance(meter, PrepaidPool) and meter.covers):
            continue
        owed = sum((amount[other] for other in meter.covers), np.zeros(work.shape))
        for term in terms_of(work.settled.days):
            left = np.full(work.shape[1], float(work.terms.counts[meter.size]))
            for row, month in enumerate(work.months):
                if term.rows.start <= month.rows.start < term.rows.stop:
                    paid = np.minimum(left, owed[row])
                    left = left - paid
                    amount[meter_id][row] -= paid


def minimum(work: Work, total: FloatArray) -> FloatArray | None:
    """(M, N) what is missing to the least that a month, or a year counted from the first month, costs."""
    least = work.plan.minimum
    if least is None:
        return None
    days, out = work.settled.days, np.zeros(work.shape)
    step = 1 if least.per == "month" else 12
    for start in range(0, len(work.months), step):
        group = work.months[start : start + step]
        first = group[0].rows.start
        price = float(price_on(least.prices, days[first], f"{work.plan.id} minimum").amount)
        length = group[0].length if step == 1 else terms_of(days[first:])[0].length
        held_days = sum(held(month) for month in group)
        missing = np.maximum(0.0, price * held_days / length - total[start : start + step].sum(axis=0))
        for row, month in enumerate(group, start):
            out[row] = missing * (held(month) / held_days)
    return out
