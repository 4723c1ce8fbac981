"""What is done to the whole bill once every meter has charged, exactly: the dearer of two, pools, minimum, discount."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from pricing.days import Month, terms_of
from pricing.exact.charge import Charge, rows, total
from pricing.exact.work import Work, share
from pricing.meters import GreaterOf, PrepaidPool
from pricing.money import plain
from pricing.prices import price_on


def by_meter(charges: Iterable[Charge], meter_id: str, month: Month) -> Decimal:
    """What a meter charged in a month."""
    return total(charge.amount for charge in charges if charge.meter == meter_id and charge.month == month.label)


def greater_of(work: Work, meter_id: str, meter: GreaterOf, charges: list[Charge]) -> list[Charge]:
    """The charges without those of the cheaper meters of each month; of equal ones the first stays."""
    kept = charges
    for month in work.months:
        amounts = {other: by_meter(charges, other, month) for other in meter.of}
        dearest = max(amounts, key=lambda other: amounts[other])
        out = []
        for charge in kept:
            if charge.month != month.label or charge.meter not in amounts:
                out.append(charge)
            elif charge.meter == dearest:
                note = f"{charge.note}; charged as the greater: {meter.title}"
                sources = tuple(dict.fromkeys((*charge.sources, meter.source)))
                out.append(replace(charge, note=note, sources=sources))
        kept = out
    return kept


def from_pools(work: Work, charges: Sequence[Charge]) -> Iterator[Charge]:
    """What pools of money pay for, as credits, month by month until each is empty.

    A month belongs to the term its first day here lies in.
    """
    for meter_id, meter in work.plan.meters.items():
        if not (isinstance(meter, PrepaidPool) and meter.covers):
            continue
        size = work.terms.counts[meter.size]
        for term in terms_of(work.settled.days):
            left = size
            for month in work.months:
                if not term.rows.start <= month.rows.start < term.rows.stop:
                    continue
                owed = total(by_meter(charges, other, month) for other in meter.covers)
                paid = min(left, owed)
                left -= paid
                if paid:
                    yield Charge(
                        meter=meter_id,
                        stream=None,
                        month=month.label,
                        quantity=paid,
                        unit=f"{work.plan.currency} from the pool",
                        unit_price=Decimal(-1),
                        amount=-paid,
                        sources=(meter.source,),
                        note=f"{meter.title}: paid from the pool, which then holds {plain(left)}",
                    )


def minimum(work: Work, charges: Sequence[Charge]) -> Iterator[Charge]:
    """What is missing to the least that a month, or a year counted from the first month, costs."""
    least = work.plan.minimum
    if least is None:
        return
    days = work.settled.days
    step = 1 if least.per == "month" else 12
    for start in range(0, len(work.months), step):
        group = work.months[start : start + step]
        year = terms_of(days[group[0].rows.start :])[0].length
        price = price_on(least.prices, days[group[0].rows.start], f"{work.plan.id} minimum")
        parts = [share(m) if step == 1 else Decimal(len(rows(m))) / year for m in group]
        billed = total(total(c.amount for c in charges if c.month == month.label) for month in group)
        missing = price.amount * total(parts) - billed
        if missing <= 0:
            continue
        held = sum(len(rows(month)) for month in group)
        for month in group:
            part = Decimal(len(rows(month))) / held
            yield Charge(
                meter="minimum",
                stream=None,
                month=month.label,
                quantity=part,
                unit="shortfall",
                unit_price=None,
                amount=missing * part,
                sources=(price.source,),
                price_from=price.start,
                note=f"{least.title}: up to {plain(price.amount)} a {least.per}, from {days[group[0].rows.start]}",
            )


def discount(work: Work, charges: Sequence[Charge]) -> Iterator[Charge]:
    """The contract discount on everything, last."""
    percent = work.terms.discount_percent
    for month in work.months if percent else ():
        if subtotal := total(charge.amount for charge in charges if charge.month == month.label):
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
