"""Dated prices, and the small vocabulary of checked values that every table of a plan file shares."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationInfo
from pydantic_core import PydanticCustomError

from pricing.errors import NoPriceError

FloatArray = NDArray[np.float64]


class Table(BaseModel):
    """A table of a plan file: strictly typed, immutable, and closed to keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True)
class Names:
    """What the file defines, so that every reference in it can be checked while it is read."""

    sources: frozenset[str]
    meters: dict[str, str]  # id → model
    grants: frozenset[str]
    free_streams: frozenset[str]
    tiers: frozenset[str] = frozenset()
    credit: bool = False  # whether it says what a credit costs


def refuse(found: str, expected: str | None = None, mend: str | None = None) -> PydanticCustomError:
    """A refusal a validator raises; `pricing.problems` turns it into the message the user reads."""
    return PydanticCustomError("plan", "{found}", {"found": found, "expected": expected, "mend": mend})


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The suggestion to print for a misspelt word, if anything known resembles it."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean '{close[0]}'?" if close else None


def names(info: ValidationInfo) -> Names:
    """The names the file under validation defines."""
    if not isinstance(info.context, Names):
        raise RuntimeError("plans are read with load_plan or parse_plan, which check their references")
    return info.context


def refer(value: str, known: Iterable[str], kind: str) -> str:
    """`value`, if the file defines it; else a refusal that names the nearest."""
    known = sorted(known)
    if value not in known:
        listed = ", ".join(known) or "none"
        raise refuse(f"'{value}' is not defined", f"{kind} of this file: {listed}", nearest(value, known))
    return value


def _as_decimal(value: object) -> object:
    # TOML writes 296 where 296.00 is meant; a boolean is not a number, though Python says so.
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


#: Money, gigabytes or a percentage: exact, 0 or more. The bounds keep a typo such as 1e999 from costing a gigabyte
#: of digits.
Amount = Annotated[Decimal, BeforeValidator(_as_decimal), Field(ge=0, lt=10**12, decimal_places=12)]
Positive = Annotated[Decimal, BeforeValidator(_as_decimal), Field(gt=0, lt=10**12, decimal_places=12)]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
SourceId = Annotated[str, AfterValidator(lambda value, info: refer(value, names(info).sources, "a source"))]
GrantId = Annotated[str, AfterValidator(lambda value, info: refer(value, names(info).grants, "a grant"))]
FreeStream = Annotated[str, AfterValidator(lambda value, info: refer(value, names(info).free_streams, "a free stream"))]


class Price(Table):
    """An amount with the days it holds and the place it was read."""

    start: date = Field(alias="from", description="first day the price is known to hold")
    until: date | None = Field(None, description="last day it holds; left out: until the next price")
    amount: Amount = Field(description="price in the plan's currency")
    source: SourceId = Field(description="id of the source it was read in")


def _in_order(prices: tuple[Price, ...]) -> tuple[Price, ...]:
    for price in prices:
        if price.until is not None and price.until < price.start:
            raise refuse(
                f"a price ends on {price.until}, before it starts on {price.start}", "'until' on or after 'from'"
            )
    for earlier, later in pairwise(prices):
        if later.start <= earlier.start:
            raise refuse(
                f"the price from {later.start} stands after the one from {earlier.start}",
                "prices by ascending 'from', each day once",
            )
        if earlier.until is not None and earlier.until >= later.start:
            raise refuse(
                f"the price from {earlier.start} holds until {earlier.until}, but another holds from {later.start}",
                "'until' before the next price's 'from'",
            )
    return prices


#: Prices by ascending date. Empty: the shape of the charge is known and its price is not.
Prices = Annotated[tuple[Price, ...], Strict(False), AfterValidator(_in_order)]


def in_force(prices: Sequence[Price], day: date) -> Price | None:
    """The price with the latest `from` on or before `day`, unless it ended before `day`."""
    started = [price for price in prices if price.start <= day]
    if not started or (started[-1].until is not None and started[-1].until < day):
        return None
    return started[-1]


#: How a price that is left open is mended.
ENTER_THE_QUOTE = "Copy the plan, enter the price you were quoted with its source, and name the copy with --plan."


def open_price(place: str) -> NoPriceError:
    """The error for a price that the plan leaves open."""
    return NoPriceError(
        "the plan leaves this price open",
        place=place,
        mend=ENTER_THE_QUOTE,
    )


def price_on(prices: Sequence[Price], day: date, place: str) -> Price:
    """The price in force on `day`.

    Args:
        prices: by ascending date.
        day: a day that must be billed.
        place: whose price it is, for the error: "sentinel-eastus meters.analytics".

    Raises:
        NoPriceError: the plan leaves the price open, does not know it yet on `day`, or it has ended.
    """
    price = in_force(prices, day)
    if price is not None:
        return price
    if not prices:
        raise open_price(place)
    first = prices[0].start
    if day < first:
        raise NoPriceError(
            f"no price is known on {day}; the first holds from {first}",
            place=place,
            mend=f"Start on {first} or later, or add the older price with its source to a copy of the plan.",
        )
    raise NoPriceError(
        f"no price is in force on {day}",
        place=place,
        mend="Add the price that follows, with its source, to a copy of the plan.",
    )
