"""The same bill over many draws at once: float64, months by draws.

Every amount is a sum over days of GB × weight, so a month is one matrix product and nothing of the size days × draws is
kept but the volume itself. `pricing.bill` is the referee: both agree within 1e-9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from pricing.days import Month, Term, months_of, terms_of
from pricing.meters import CapacityAllUnits, DailyCommitment, Flat, Retention
from pricing.plan import Plan
from pricing.prices import Price, price_on
from pricing.settle import Settlement, billable_gb, capacity_for, settle
from pricing.usage import LIST_TERMS, FloatArray, Terms, Usage


@dataclass(frozen=True, eq=False)
class DrawBill:
    """Monthly amounts over draws, in the plan's currency.

    Attributes:
        plan: id of the plan.
        currency: ISO 4217.
        months: the M months of the horizon, "2027-01".
        amount: for each meter of the plan (M, N) money at list price, and "discount", zero or less, where there is one.
        total: (M, N), the sum of all amounts.
        commitment: the tier billed, "none" for pay-as-you-go: the same for every draw.
        notes: remarks for whoever reads the bill.
    """

    plan: str
    currency: str
    months: list[str]
    amount: dict[str, FloatArray]
    total: FloatArray
    commitment: str
    notes: tuple[str, ...]


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
    months = months_of(settled.days)
    billable = billable_gb(plan, usage, terms)
    shape = (len(months), usage.draws or 1)

    def pooled(meter_id: str) -> FloatArray:
        streams = [gb for stream, gb in billable.items() if plan.ingestion_meter(stream) == meter_id]
        return sum(streams, np.zeros((len(settled.days), 1)))

    amount: dict[str, FloatArray] = {}
    for meter_id, meter in plan.meters.items():
        place = f"{plan.id} meters.{meter_id}"
        match meter:
            case Flat():
                monthly = _flat(plan, settled, months, meter_id, meter, pooled(meter_id), place)
            case DailyCommitment():
                monthly = _commitment(settled, months, meter, pooled(meter.instead_of))
            case CapacityAllUnits():
                monthly = _capacity(settled.days, months, meter, pooled(meter_id), place)
            case Retention():
                monthly = _retention(plan, usage, settled, months, meter, place)
            case _:
                assert_never(meter)
        amount[meter_id] = np.array(np.broadcast_to(monthly, shape))
    total = sum(amount.values(), np.zeros(shape))
    if terms.discount_percent:
        amount["discount"] = -total * float(terms.discount_percent) / 100
        total = total + amount["discount"]
    labels = [month.label for month in months]
    return DrawBill(plan.id, plan.currency, labels, amount, total, settled.schedule.tier, settled.notes)


def _flat(
    plan: Plan, settled: Settlement, months: Sequence[Month], meter_id: str, meter: Flat, gb: FloatArray, place: str
) -> FloatArray:
    due: NDArray[np.bool_] = gb.max(axis=1) > 0
    if plan.commitment is not None and plan.commitment[1].instead_of == meter_id:
        due &= np.array([price is None for price in settled.schedule.prices])
    return _monthly(gb, _weights(settled.days, due, meter.prices, place), months)


def _commitment(settled: Settlement, months: Sequence[Month], meter: DailyCommitment, gb: FloatArray) -> FloatArray:
    tier = meter.tier(settled.schedule.tier)
    if tier is None:
        return np.zeros((len(months), 1))
    size = float(tier.gb_per_day)
    rates = np.array([float(price.amount) / size if price else 0.0 for price in settled.schedule.prices])
    return _monthly(np.maximum(gb, size), rates, months)


def _retention(
    plan: Plan, usage: Usage, settled: Settlement, months: Sequence[Month], meter: Retention, place: str
) -> FloatArray:
    streams = settled.kept_streams.get(meter.of, ())
    if not streams:
        return np.zeros((len(months), 1))
    days = len(settled.days)
    past = max(len(usage.earlier_by_draw(stream)) for stream in streams)
    ingested = np.zeros((past + days, usage.draws or 1))
    for stream in streams:
        earlier = usage.earlier_by_draw(stream)
        ingested[past - len(earlier) : past] += earlier
        ingested[past:] += usage.by_draw(stream)
    # A GB ingested on day d is charged from d + included up to, not including, d + kept.
    until = np.concatenate([np.zeros((1, ingested.shape[1])), ingested.cumsum(axis=0)])
    ends = np.arange(past + 1, past + 1 + days)
    stock = until[np.maximum(0, ends - plan.included_retention_days)] - until[np.maximum(0, ends - settled.kept_days)]
    per_month = _weights(settled.days, (stock > 0).any(axis=1), meter.prices, place)
    lengths = np.concatenate([np.full(month.rows.stop - month.rows.start, month.length) for month in months])
    return _monthly(stock, per_month / lengths, months)


def _capacity(
    days: Sequence[date], months: Sequence[Month], meter: CapacityAllUnits, gb: FloatArray, place: str
) -> FloatArray:
    amount = np.zeros((len(months), gb.shape[1]))
    used = np.flatnonzero((gb > 0).any(axis=1))
    # One contract for all draws, signed before anyone knows which it is.
    for term in terms_of(days, int(used[0])) if used.size else ():
        annual = _annual(meter, gb[term.rows], term, place)
        for row, month in enumerate(months):
            shared = min(month.rows.stop, term.rows.stop) - max(month.rows.start, term.rows.start)
            if shared > 0:
                amount[row] += annual * (shared / term.length)
    return amount


def _annual(meter: CapacityAllUnits, gb: FloatArray, term: Term, place: str) -> FloatArray:
    """(N,) annual price of the capacity each draw buys for one term."""
    capacity = capacity_for(meter, gb)
    bought = (gb > 0).any(axis=0)
    if meter.maximum_gb_per_day is not None and (capacity[bought] > float(meter.maximum_gb_per_day)).any():
        raise meter.beyond_the_list(f"{capacity[bought].max():g}", place)
    edges = np.array([float(band.from_gb) for band in meter.bands])
    band = np.searchsorted(edges, capacity, side="right") - 1
    rates = np.zeros(len(edges))
    for needed in np.unique(band[bought]):
        rates[needed] = float(price_on(meter.bands[needed].prices, term.start, place).amount)
    return np.where(bought, capacity * rates[band], 0.0)


def _weights(days: Sequence[date], due: NDArray[np.bool_], prices: Sequence[Price], place: str) -> FloatArray:
    """(D,) the unit price of each day; 0 on days on which nothing is due, which need no price."""
    needed = zip(days, due, strict=True)
    return np.array([float(price_on(prices, day, place).amount) if is_due else 0.0 for day, is_due in needed])


def _monthly(gb: FloatArray, weight: FloatArray, months: Sequence[Month]) -> FloatArray:
    """(M, N) sums over each month's days of (D, N) GB times (D,) weight."""
    return np.stack([weight[month.rows] @ gb[month.rows] for month in months])
