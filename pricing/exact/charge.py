"""A line of a bill, and the sums and groupings that lines are made with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from itertools import groupby
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from pricing.commitment import exact
from pricing.days import Month
from pricing.money import EXACT, plain

Series = list[Decimal]
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class Held:
    """What a line holds, and for how long: 12 SVC for 31 of the 365 days of a year.

    Attributes:
        units: how many, whole.
        unit: of what: "SVC", "GB/day", "user", "fee".
        days: days of the line.
        length: days of the period that the price is for.
        per: that period.
    """

    units: Decimal
    unit: str
    days: int
    length: int
    per: Literal["month", "year"]


@dataclass(frozen=True)
class Charge:
    """One line of a bill: one meter, one month, one price.

    Attributes:
        meter: id of the meter, or "minimum" or "discount".
        stream: the stream it is for; None where streams are pooled.
        month: "2027-01".
        quantity: in `unit`, unrounded.
        unit: what is counted: "GB", "tier-day", "GB-month", "GB/day-year", "%".
        unit_price: price of one unit; None where the line is not a product of the two.
        amount: money, unrounded.
        sources: ids of the plan's sources it rests on.
        price_from: first day the price is known to hold; None where no price is involved.
        note: how the line came about.
        held: what `quantity` is made of where something is held for a part of a period; None otherwise.
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
    held: Held | None = None

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


def runs(positions: Iterable[int], price_at: Callable[[int], _Key]) -> Iterator[tuple[_Key, list[int]]]:
    """Positions grouped by the price in force, so that a price that changes within a month makes a line of its own."""
    for price, run in groupby(positions, key=price_at):
        yield price, list(run)


def rows(month: Month) -> range:
    """The positions of a month's days in the horizon."""
    return range(month.rows.start, month.rows.stop)


def decimals(values: ArrayLike) -> Series:
    """Floats as the shortest decimals that stand for them."""
    return [exact(value) for value in np.asarray(values, dtype=np.float64)]


def total(values: Iterable[Decimal]) -> Decimal:
    """The sum; not sum(), because a total asked for later must not depend on the caller's decimal context."""
    return reduce(EXACT.add, values, Decimal(0))
