"""The engine: from daily usage under a plan and terms to a bill.

`bill` computes in Decimal, keeps every charge with its quantity, unit price and sources, and rounds nothing: it is the
referee. `bill_draws` (in `pricing.draws`) computes the same months in float64 over many draws at once.

The order is the vendors': grants first, then ingestion under tiers or bands day by day, then retention of what was
ingested (grants do not reduce it), and the contract discount last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_CEILING, Decimal, localcontext
from functools import reduce
from itertools import accumulate, groupby
from typing import TypeVar, assert_never

import numpy as np
from numpy.typing import ArrayLike

from pricing.commitment import exact
from pricing.days import Month, months_of, terms_of
from pricing.draws import DrawBill, bill_draws
from pricing.errors import UsageShapeError
from pricing.meters import CapacityAllUnits, DailyCommitment, Flat, Retention
from pricing.money import EXACT, money, plain, short
from pricing.plan import Plan
from pricing.prices import price_on
from pricing.settle import Settlement, settle
from pricing.usage import LIST_TERMS, Terms, Usage

__all__ = ["Bill", "Charge", "DrawBill", "Terms", "Usage", "bill", "bill_draws"]

_Series = list[Decimal]
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class Charge:
    """One line of a bill: one meter, one month, one price.

    Attributes:
        meter: id of the meter, or "discount".
        stream: the stream it is for; None where streams are pooled.
        month: "2027-01".
        quantity: in `unit`, unrounded.
        unit: what is counted: "GB", "tier-day", "GB-month", "GB/day-year", "%".
        unit_price: price of one unit; None where the line is not a product of the two.
        amount: money, unrounded.
        sources: ids of the plan's sources it rests on.
        price_from: first day the price is known to hold; None where no price is involved.
        note: how the line came about.
    """

    meter: str
    stream: str | None
    month: str
    quantity: Decimal
    unit: str
    unit_price: Decimal | None
    amount: Decimal
    sources: tuple[str, ...]
    price_from: date | None = None
    note: str = ""

    def to_json(self) -> dict[str, str | list[str] | None]:
        """The line as the JSON contract has it; numbers as text, unrounded."""
        return {
            "meter": self.meter,
            "stream": self.stream,
            "month": self.month,
            "quantity": plain(self.quantity),
            "unit": self.unit,
            "unit_price": None if self.unit_price is None else plain(self.unit_price),
            "amount": plain(self.amount),
            "sources": list(self.sources),
            "price_from": None if self.price_from is None else self.price_from.isoformat(),
            "note": self.note,
        }


@dataclass(frozen=True)
class Bill:
    """What the usage costs, line by line, in the plan's currency."""

    plan: str
    currency: str
    months: tuple[str, ...]
    charges: tuple[Charge, ...]
    commitment: str
    notes: tuple[str, ...]

    @property
    def total(self) -> Decimal:
        """The sum of all charges, unrounded."""
        return _sum(charge.amount for charge in self.charges)

    def by_month(self) -> dict[str, Decimal]:
        """The total of each month of the horizon, unrounded."""
        return {month: _sum(c.amount for c in self.charges if c.month == month) for month in self.months}

    def by_meter(self) -> dict[str, Decimal]:
        """The total of each meter that charged something, unrounded, in the order of the bill."""
        meters = dict.fromkeys(charge.meter for charge in self.charges)
        return {meter: _sum(c.amount for c in self.charges if c.meter == meter) for meter in meters}

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
        work = _Work(plan, usage, settled)
        charges = [*_free(work), *_granted(work, terms)]
        for meter_id, meter in plan.meters.items():
            place = f"{plan.id} meters.{meter_id}"
            match meter:
                case Flat():
                    charges += _flat(work, meter_id, meter, place)
                case DailyCommitment():
                    charges += _commitment(work, meter_id, meter)
                case CapacityAllUnits():
                    charges += _capacity(work, meter_id, meter, place)
                case Retention():
                    charges += _retention(work, meter_id, meter, place)
                case _:
                    assert_never(meter)
        charges += _discount(work.months, charges, terms.discount_percent)
        charges.sort(key=lambda charge: charge.month)  # stable: within a month the order of the plan
    months = tuple(month.label for month in work.months)
    return Bill(plan.id, plan.currency, months, tuple(charges), settled.schedule.tier, settled.notes)


@dataclass
class _Work:
    """One bill in the making: volumes as decimals, before and after grants."""

    plan: Plan
    usage: Usage
    settled: Settlement
    months: list[Month] = field(init=False)
    ingested: dict[str, _Series] = field(init=False)
    billable: dict[str, _Series] = field(init=False)

    def __post_init__(self) -> None:
        self.months = months_of(self.settled.days)
        self.ingested = {stream: _decimals(gb) for stream, gb in self.usage.gb.items()}
        self.billable = {
            stream: list(gb) for stream, gb in self.ingested.items() if self.plan.ingestion_meter(stream) is not None
        }

    def pooled(self, meter_id: str) -> _Series:
        """GB a day of all streams that go to one meter, after grants."""
        streams = [gb for stream, gb in self.billable.items() if self.plan.ingestion_meter(stream) == meter_id]
        return [_sum(day) for day in zip(*streams, strict=True)] or [Decimal(0)] * len(self.settled.days)


def _free(work: _Work) -> Iterator[Charge]:
    for stream, gb in work.ingested.items():
        treated = work.plan.streams.get(stream)
        if treated is None or treated.ingest != "free":
            continue
        for month in work.months:
            note = f"Free to ingest. {treated.why}"
            yield _uncharged(work.plan.ingest, stream, month, _sum(gb[month.rows]), treated.source, note)


def _granted(work: _Work, terms: Terms) -> Iterator[Charge]:
    """Take the grants off `work.billable`, and say so in lines without an amount."""
    for grant_id, grant in work.plan.grants.items():
        left = [terms.grant_gb_per_day.get(grant_id, Decimal(0))] * len(work.settled.days)
        for stream in grant.streams:
            meter = work.plan.ingestion_meter(stream)
            if stream not in work.billable or meter is None:
                continue
            taken = [min(have, gb) for have, gb in zip(left, work.billable[stream], strict=True)]
            work.billable[stream] = [gb - less for gb, less in zip(work.billable[stream], taken, strict=True)]
            left = [have - less for have, less in zip(left, taken, strict=True)]
            for month in work.months:
                if quantity := _sum(taken[month.rows]):
                    note = f"Covered by the grant {grant_id}: {grant.title}"
                    yield _uncharged(meter, stream, month, quantity, grant.source, note)


def _uncharged(meter: str, stream: str, month: Month, gb: Decimal, source: str, note: str) -> Charge:
    return Charge(
        meter=meter,
        stream=stream,
        month=month.label,
        quantity=gb,
        unit="GB",
        unit_price=Decimal(0),
        amount=Decimal(0),
        sources=(source,),
        note=note,
    )


def _flat(work: _Work, meter_id: str, meter: Flat, place: str) -> Iterator[Charge]:
    days, tier_prices = work.settled.days, work.settled.schedule.prices
    # Where a tier replaces this meter, only the days are left on which the tier has no price.
    commitment = work.plan.commitment
    replaced = commitment is not None and commitment[1].instead_of == meter_id
    for stream, gb in work.billable.items():
        if work.plan.ingestion_meter(stream) != meter_id:
            continue
        for month in work.months:
            due = [i for i in _rows(month) if gb[i] and not (replaced and tier_prices[i])]
            for price, run in _runs(due, lambda i: price_on(meter.prices, days[i], place)):
                quantity = _sum(gb[i] for i in run)
                yield Charge(
                    meter=meter_id,
                    stream=stream,
                    month=month.label,
                    quantity=quantity,
                    unit="GB",
                    unit_price=price.amount,
                    amount=quantity * price.amount,
                    sources=(price.source,),
                    price_from=price.start,
                    note=meter.title,
                )


def _commitment(work: _Work, meter_id: str, meter: DailyCommitment) -> Iterator[Charge]:
    tier, prices = meter.tier(work.settled.schedule.tier), work.settled.schedule.prices
    if tier is None:
        return
    gb = work.pooled(meter.instead_of)
    for month in work.months:
        for price, run in _runs(_rows(month), lambda i: prices[i]):
            if price is None:
                continue
            billed = _sum(max(gb[i], tier.gb_per_day) for i in run)
            over = [gb[i] - tier.gb_per_day for i in run if gb[i] > tier.gb_per_day]
            note = f"{meter.title}: {tier.id} GB tier for {len(run)} days"
            if over:
                note += f", {len(over)} of them above it by {short(_sum(over))} GB in all, at the tier's own rate"
            yield Charge(
                meter=meter_id,
                stream=None,
                month=month.label,
                quantity=billed / tier.gb_per_day,
                unit="tier-day",
                unit_price=price.amount,
                amount=billed * price.amount / tier.gb_per_day,
                sources=(price.source, meter.source),
                price_from=price.start,
                note=note,
            )


def _capacity(work: _Work, meter_id: str, meter: CapacityAllUnits, place: str) -> Iterator[Charge]:
    gb, days = work.pooled(meter_id), work.settled.days
    used = [row for row, volume in enumerate(gb) if volume]
    for term in terms_of(days, used[0]) if used else ():
        volumes = sorted(gb[term.rows])
        if not volumes[-1]:
            continue  # nothing is used in the term, so nothing is bought
        # Nearest rank: a day that occurs, not a value between two.
        peak = volumes[-(-meter.percentile * len(volumes) // 100) - 1]
        # Counted to a billionth of a unit (for a unit of 1 GB, to the byte), so that dust does not buy a unit more.
        units = (peak / meter.unit_gb_per_day).quantize(Decimal("1e-9")).to_integral_value(ROUND_CEILING)
        capacity = max(meter.minimum_gb_per_day, units * meter.unit_gb_per_day)
        if meter.maximum_gb_per_day is not None and capacity > meter.maximum_gb_per_day:
            raise meter.beyond_the_list(plain(capacity), place)
        price = price_on(meter.band(capacity).prices, term.start, place)
        note = (
            f"{meter.title}: {plain(capacity)} GB/day bought on {term.start} for one year, for a P{meter.percentile} "
            f"day of {short(peak)} GB; the annual price is shown evenly over the {term.length} days of the term"
        )
        for month in months_of(days[term.rows]):
            share = Decimal(len(_rows(month))) / term.length
            yield Charge(
                meter=meter_id,
                stream=None,
                month=month.label,
                quantity=capacity * share,
                unit="GB/day-year",
                unit_price=price.amount,
                amount=capacity * price.amount * share,
                sources=(price.source, meter.source),
                price_from=price.start,
                note=note,
            )


def _retention(work: _Work, meter_id: str, meter: Retention, place: str) -> Iterator[Charge]:
    days, kept, included = work.settled.days, work.settled.kept_days, work.plan.included_retention_days
    for stream in work.settled.kept_streams.get(meter.of, ()):
        stock = _stock(_decimals(work.usage.earlier.get(stream, ())), work.ingested[stream], included, kept)
        for month in work.months:
            due = [i for i in _rows(month) if stock[i]]
            for price, run in _runs(due, lambda i: price_on(meter.prices, days[i], place)):
                quantity = _sum(stock[i] for i in run) / month.length
                yield Charge(
                    meter=meter_id,
                    stream=stream,
                    month=month.label,
                    quantity=quantity,
                    unit="GB-month",
                    unit_price=price.amount,
                    amount=quantity * price.amount,
                    sources=(price.source, meter.source),
                    price_from=price.start,
                    note=f"{meter.title}: kept {kept} days, {included} of them included",
                )


def _stock(earlier: _Series, gb: _Series, included: int, kept: int) -> _Series:
    """GB charged for on each day: a GB ingested on day d counts from d + included up to, not including, d + kept."""
    until = list(accumulate([*earlier, *gb], initial=Decimal(0)))  # until[k]: all that was ingested before position k
    ends = range(len(earlier) + 1, len(earlier) + 1 + len(gb))
    return [until[max(0, end - included)] - until[max(0, end - kept)] for end in ends]


def _discount(months: Sequence[Month], charges: Sequence[Charge], percent: Decimal) -> Iterator[Charge]:
    for month in months if percent else ():
        if subtotal := _sum(charge.amount for charge in charges if charge.month == month.label):
            yield Charge(
                meter="discount",
                stream=None,
                month=month.label,
                quantity=percent,
                unit="%",
                unit_price=None,
                amount=-subtotal * percent / 100,
                sources=(),
                note=f"Contract discount of {plain(percent)}% on {plain(subtotal)}, applied last",
            )


def _runs(positions: Iterable[int], price_at: Callable[[int], _Key]) -> Iterator[tuple[_Key, list[int]]]:
    """Positions grouped by the price in force, so that a price that changes within a month makes a line of its own."""
    for price, run in groupby(positions, key=price_at):
        yield price, list(run)


def _rows(month: Month) -> range:
    return range(month.rows.start, month.rows.stop)


def _decimals(values: ArrayLike) -> _Series:
    return [exact(value) for value in np.asarray(values, dtype=np.float64)]


def _sum(values: Iterable[Decimal]) -> Decimal:
    # Not sum(): a total asked for later must not depend on the caller's decimal context.
    return reduce(EXACT.add, values, Decimal(0))
