"""What a price comes to in money: itself, or for a price in credits, times what a credit costs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from pricing.meters import Meter
from pricing.money import plain
from pricing.plan import Plan
from pricing.prices import Price, price_on


class Rate(NamedTuple):
    """A unit price in force on some day.

    Attributes:
        amount: money.
        start: first day it is known to hold.
        sources: ids of the sources it rests on.
        note: what it is made of, where that is not plain.
    """

    amount: Decimal
    start: date
    sources: tuple[str, ...]
    note: str = ""


def rate_on(plan: Plan, meter: Meter, prices: tuple[Price, ...], day: date, place: str) -> Rate:
    """The rate of one of a meter's lists of prices on a day.

    Raises:
        NoPriceError: the price, or that of a credit, is left open or not known on that day.
    """
    price = price_on(prices, day, place)
    if not meter.in_credits:
        return Rate(price.amount, price.start, (price.source,))
    assert plan.credit is not None  # the loader refuses credits without a price
    credit = price_on(plan.credit.prices, day, f"{plan.id} credit")
    each = credit.amount * plan.credit.factor
    return Rate(
        price.amount * each,
        max(price.start, credit.start),
        tuple(dict.fromkeys((price.source, credit.source, *(m.source for m in plan.credit.multipliers)))),
        f"{plain(price.amount)} credits at {plain(each)}",
    )
