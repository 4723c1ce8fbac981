"""The same bill over many draws at once: float64, months by draws.

Where an amount is a sum over days of GB × weight, a month is one matrix product and nothing of the size days × draws is
kept but the volume itself. `pricing.bill` is the referee: both agree within 1e-9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import numpy as np

from pricing.meters import (
    CapacityAllUnits,
    CapacitySteps,
    ComputeHours,
    DailyCommitment,
    Fee,
    Flat,
    Graduated,
    GreaterOf,
    Meter,
    MonthlyCommitment,
    PerCount,
    PerEvent,
    PrepaidPool,
    Retention,
    Scan,
)
from pricing.over_draws import capacity, volume, whole
from pricing.over_draws.counted import counted
from pricing.over_draws.storage import retention
from pricing.over_draws.work import Work
from pricing.plan import Plan
from pricing.prices import FloatArray
from pricing.settle import settle
from pricing.usage import LIST_TERMS, Terms, Usage


@dataclass(frozen=True, eq=False)
class DrawBill:
    """Monthly amounts over draws, in the plan's currency.

    Attributes:
        plan: id of the plan.
        currency: ISO 4217.
        months: the M months of the horizon, "2027-01".
        amount: for each meter of the plan (M, N) money at list price, and "minimum" and "discount"
            (zero or less) where the plan or the terms have one.
        total: (M, N), the sum of all amounts.
        commitment: the tier billed, "none" for pay-as-you-go: the same for every draw.
        notes: remarks for whoever reads the bill.
        at_least: some price is a floor ("as low as"), so the true bill may be more.
    """

    plan: str
    currency: str
    months: list[str]
    amount: dict[str, FloatArray]
    total: FloatArray
    commitment: str
    notes: tuple[str, ...]
    at_least: bool = False


def bill_draws(plan: Plan, usage: Usage, terms: Terms = LIST_TERMS) -> DrawBill:
    """The bill of every draw, by month.

    Args:
        plan: the price table.
        usage: (D,) or (D, N) GB a day for each stream; N is 1 where no stream has draws.
        terms: as for `pricing.bill.bill`. "best" is one schedule for all draws, of least expected cost.

    Raises:
        NoPriceError: a day on which any draw must be billed has no price in force, or the plan leaves it open.
        TermsError: the terms do not fit the plan.
    """
    settled = settle(plan, usage, terms)
    work = Work(plan, usage, terms, settled)
    amount = {
        meter_id: np.array(np.broadcast_to(_monthly(work, meter_id, meter), work.shape))
        for meter_id, meter in plan.meters.items()
    }
    for meter in plan.meters.values():
        if isinstance(meter, GreaterOf):
            whole.greater_of(meter, amount)
    whole.from_pools(work, amount)
    total = sum(amount.values(), np.zeros(work.shape))
    if (missing := whole.minimum(work, total)) is not None:
        amount["minimum"] = missing
        total = total + missing
    if terms.discount_percent:
        amount["discount"] = -total * float(terms.discount_percent) / 100
        total = total + amount["discount"]
    labels = [month.label for month in work.months]
    return DrawBill(plan.id, plan.currency, labels, amount, total, settled.schedule.tier, settled.notes, plan.at_least)


def _monthly(work: Work, meter_id: str, meter: Meter) -> FloatArray:
    match meter:
        case Flat():
            return volume.flat(work, meter_id, meter)
        case Graduated() | PerEvent():
            return volume.by_month(work, meter_id, meter)
        case DailyCommitment():
            return volume.daily_commitment(work, meter_id, meter)
        case MonthlyCommitment():
            return volume.monthly_commitment(work, meter_id, meter)
        case PrepaidPool():
            return volume.prepaid_pool(work, meter_id, meter)
        case CapacityAllUnits():
            return capacity.all_units(work, meter_id, meter)
        case CapacitySteps():
            return capacity.steps(work, meter_id, meter)
        case Retention():
            return retention(work, meter_id, meter)
        case PerCount() | Fee() | ComputeHours() | Scan():
            return counted(work, meter_id, meter)
        case GreaterOf():
            return np.zeros((len(work.months), 1))
        case _:
            assert_never(meter)
