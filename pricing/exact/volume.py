"""Charges by volume, exactly: flat, in bands, per event, committed by the day or the month, from a pool."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pricing.days import terms_of
from pricing.exact.capacity import shown_evenly
from pricing.exact.charge import Charge, rows, runs, total
from pricing.exact.work import Work, line, share, uncharged
from pricing.meters import DailyCommitment, Flat, Graduated, MonthlyCommitment, PerEvent, PrepaidPool
from pricing.money import plain, short
from pricing.prices import Price
from pricing.rates import Rate, rate_on


def flat(work: Work, meter_id: str, meter: Flat) -> Iterator[Charge]:
    """Per GB and stream, day by day at the price in force; with a free allowance, by the month."""
    if meter.included:
        yield from by_month(work, meter_id, meter)
        return
    tier_prices = work.settled.schedule.prices
    # Where a tier replaces this meter, only the days are left on which the tier has no price.
    commitment = work.plan.commitment
    replaced = commitment is not None and commitment[1].instead_of == meter_id
    for stream in work.streams(meter_id):
        gb = work.billable[stream]
        for month in work.months:
            due = [i for i in rows(month) if gb[i] and not (replaced and tier_prices[i])]
            for rate, run in runs(due, lambda i: work.rate(meter_id, meter.prices, i)):
                yield line(meter_id, month, total(gb[i] for i in run), "GB", rate, meter.title, stream=stream)


def by_month(work: Work, meter_id: str, meter: Flat | Graduated | PerEvent) -> Iterator[Charge]:
    """What the calendar month's volume costs after the free allowance, at the prices of its last day here.

    A month of which the horizon holds a part is that part of a whole month of the same use. No tier replaces such a
    meter: the loader refuses it.
    """
    unit = "million events" if isinstance(meter, PerEvent) else "GB"
    volume, ladder = work.pooled(meter_id, unit), meter.ladder
    for month in work.months:
        part = share(month)
        whole = max(Decimal(0), total(volume[month.rows]) / part - meter.included)
        sources = (meter.source,) if isinstance(meter, Graduated) else ()
        for rung in ladder.rungs(whole, f"{work.plan.id} meters.{meter_id}"):
            rate = work.rate(meter_id, ladder.prices[rung.position], rows(month)[-1])
            note = meter.title
            if meter.included:
                note += f", past the free {plain(meter.included)} {unit} a month"
            if isinstance(meter, Graduated):
                note += f", band from {plain(meter.bands[rung.position].from_gb)} GB"
            if isinstance(meter, PerEvent) and meter.indexed_days is not None:
                note += f", searchable for {meter.indexed_days} days"
            yield line(meter_id, month, rung.quantity * part, unit, rate, note, sources=sources)


def daily_commitment(work: Work, meter_id: str, meter: DailyCommitment) -> Iterator[Charge]:
    """The tier of the schedule, day by day; GB above it at its own rate."""
    tier, prices = meter.tier(work.settled.schedule.tier), work.settled.schedule.prices
    if tier is None:
        return
    gb = work.pooled(meter.instead_of)
    for month in work.months:
        for rate, run in runs(rows(month), lambda i: _tier_rate(work, meter_id, prices[i], i)):
            if rate is None:
                continue
            billed = total(max(gb[i], tier.gb_per_day) for i in run)
            over = [gb[i] - tier.gb_per_day for i in run if gb[i] > tier.gb_per_day]
            note = f"{meter.title}: {tier.id} GB tier for {len(run)} days"
            if over:
                note += f", {len(over)} of them above it by {short(total(over))} GB in all, at the tier's own rate"
            if meter.pool is not None and tier.gb_per_day >= meter.pool.minimum_gb_per_day:
                least = plain(meter.pool.minimum_gb_per_day)
                note += f"; of one workspace, or of those that share a {meter.pool.title} (from {least} GB a day)"
            # Not quantity × price: a third of a tier would lose its last digits.
            yield Charge(
                meter=meter_id,
                stream=None,
                month=month.label,
                quantity=billed / tier.gb_per_day,
                unit="tier-day",
                unit_price=rate.amount,
                amount=billed * rate.amount / tier.gb_per_day,
                sources=tuple(dict.fromkeys((*rate.sources, meter.source))),
                price_from=rate.start,
                note=note,
            )


def _tier_rate(work: Work, meter_id: str, price: Price | None, row: int) -> Rate | None:
    # By the rate and not the price: that of a credit can change while the tier's own stays.
    return None if price is None else work.rate(meter_id, (price,), row)


def monthly_commitment(work: Work, meter_id: str, meter: MonthlyCommitment) -> Iterator[Charge]:
    """The committed units of every month, used or not, and those beyond them at the premium."""
    volume = work.pooled(meter_id, meter.unit)
    committed = work.terms.counts.get(meter.committed, Decimal(0))
    for month in work.months:
        promised, used = committed * share(month), total(volume[month.rows])
        parts = [
            (promised, Decimal(1), f"committed, of which {short(min(used, promised))} used"),
            (max(Decimal(0), used - promised), meter.overage_multiplier, "beyond the commitment"),
        ]
        for quantity, factor, what in parts:
            if quantity:
                rate = work.rate(meter_id, meter.prices, rows(month)[-1])
                note = f"{meter.title}: {what}"
                if factor != 1:
                    note += f", at {plain(factor)} times the committed price"
                yield line(meter_id, month, quantity, meter.unit, rate, note, factor=factor, sources=(meter.source,))


def prepaid_pool(work: Work, meter_id: str, meter: PrepaidPool) -> Iterator[Charge]:
    """The pool of every yearly term, shown evenly over its days, and what goes beyond it in the month it does.

    Of a pool of money this is only the purchase; what it pays for is taken off in `pricing.exact.whole`.
    """
    size, days = work.terms.counts[meter.size], work.settled.days
    volume = [Decimal(0)] * len(days) if meter.unit == "money" else work.pooled(meter_id, meter.unit)
    unit = work.plan.currency if meter.unit == "money" else meter.unit
    for term in terms_of(days):
        left = size
        for month in work.months:
            mine = range(max(month.rows.start, term.rows.start), min(month.rows.stop, term.rows.stop))
            if not mine:
                continue
            if size:
                place = f"{work.plan.id} meters.{meter_id}"
                rate = rate_on(work.plan, meter, meter.prices, term.start, place)
                note = (
                    f"{meter.title}: {plain(size)} {unit} bought on {term.start} for one year, "
                    f"{shown_evenly(term.length)}"
                )
                quantity = size * len(mine) / term.length
                yield line(meter_id, month, quantity, f"{unit} of the pool", rate, note, sources=(meter.source,))
            used = total(volume[i] for i in mine)
            beyond, left = max(Decimal(0), used - left), max(Decimal(0), left - used)
            if not beyond:
                continue
            if meter.beyond == "cut":
                note = f"{meter.title}: beyond the pool; the oldest data is cut and nothing is billed"
                yield uncharged(meter_id, None, month, beyond, unit, meter.source, note)
                continue
            rate = work.rate(meter_id, meter.prices, mine[-1])
            note, factor = f"{meter.title}: beyond the pool", meter.overage_multiplier or Decimal(1)
            yield line(meter_id, month, beyond, unit, rate, note, factor=factor, sources=(meter.source,))
