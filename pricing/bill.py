"""The engine: from daily usage under a plan and terms to a bill.

`bill` computes in Decimal, keeps every charge with its quantity, unit price and sources, and rounds nothing: it is the
referee. `bill_draws` (in `pricing.draws`) computes the same months in float64 over many draws at once.

The order is the vendors': grants first, then ingestion under tiers or bands, then retention of what was ingested
(grants do not reduce it) and what is counted otherwise, then what is done to the whole: the greater of two meters,
pools that pay, the minimum, and the contract discount last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import assert_never

from pricing.draws import DrawBill, bill_draws
from pricing.errors import UsageShapeError
from pricing.exact import capacity, volume, whole
from pricing.exact.charge import Charge, total
from pricing.exact.counted import counted
from pricing.exact.storage import retention
from pricing.exact.work import Work, free, granted
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
from pricing.money import EXACT, money, plain
from pricing.plan import Plan
from pricing.settle import settle
from pricing.usage import LIST_TERMS, Terms, Usage

__all__ = ["Bill", "Charge", "DrawBill", "Terms", "Usage", "bill", "bill_draws"]


@dataclass(frozen=True)
class Bill:
    """What the usage costs, line by line, in the plan's currency.

    `at_least` is set where some price is a floor ("as low as"): the true bill may be more.
    """

    plan: str
    currency: str
    months: tuple[str, ...]
    charges: tuple[Charge, ...]
    commitment: str
    notes: tuple[str, ...]
    at_least: bool = False

    @property
    def total(self) -> Decimal:
        """The sum of all charges, unrounded."""
        return total(charge.amount for charge in self.charges)

    def by_month(self) -> dict[str, Decimal]:
        """The total of each month of the horizon, unrounded."""
        return {month: total(c.amount for c in self.charges if c.month == month) for month in self.months}

    def by_meter(self) -> dict[str, Decimal]:
        """The total of each meter that charged something, unrounded, in the order of the bill."""
        meters = dict.fromkeys(charge.meter for charge in self.charges)
        return {meter: total(c.amount for c in self.charges if c.meter == meter) for meter in meters}

    def to_json(self) -> dict[str, object]:
        """The bill as the JSON contract `siem-estimator/price/1`: `total` as shown, everything else unrounded."""
        return {
            "schema": "siem-estimator/price/1",
            "plan": self.plan,
            "currency": self.currency,
            "commitment": self.commitment,
            "charges": [charge.to_json() for charge in self.charges],
            "total": str(money(self.total, self.currency)),
            "total_unrounded": plain(self.total),
            "at_least": self.at_least,
            "notes": list(self.notes),
        }


def bill(plan: Plan, usage: Usage, terms: Terms = LIST_TERMS) -> Bill:
    """The exact bill of one course of usage.

    Args:
        plan: the price table.
        usage: one-dimensional GB a day for each stream; for draws see `bill_draws`.
        terms: choices and contract terms; pay-as-you-go, included retention and list price by default.

    Raises:
        NoPriceError: a day that must be billed has no price in force, or the plan leaves the price open.
        TermsError: the terms do not fit the plan.
        UsageShapeError: the usage holds draws.
    """
    if usage.draws is not None:
        raise UsageShapeError(f"{usage.draws} draws", expected="one series of days a stream", mend="Use bill_draws.")
    with localcontext(EXACT):
        settled = settle(plan, usage, terms)
        work = Work(plan, usage, terms, settled)
        charges = [*free(work), *granted(work)]
        for meter_id, meter in plan.meters.items():
            charges += _charges(work, meter_id, meter)
        for meter_id, meter in plan.meters.items():
            if isinstance(meter, GreaterOf):
                charges = whole.greater_of(work, meter_id, meter, charges)
        charges += whole.from_pools(work, list(charges))
        charges += whole.minimum(work, list(charges))
        charges += whole.discount(work, list(charges))
        charges = [replace(c, unit=plan.in_its_gb(c.unit), note=plan.in_its_gb(c.note)) for c in charges]
        charges.sort(key=lambda charge: charge.month)  # stable: within a month the order of the plan
    months = tuple(month.label for month in work.months)
    return Bill(plan.id, plan.currency, months, tuple(charges), settled.schedule.tier, settled.notes, plan.at_least)


def _charges(work: Work, meter_id: str, meter: Meter) -> Iterator[Charge]:
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
            return iter(())
        case _:
            assert_never(meter)
