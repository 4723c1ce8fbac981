"""How figures are shown to people: three significant digits, and no more money than the interval bears."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from estimator.forecast import Spread

DIGITS = 3


def significant(value: float, digits: int = DIGITS) -> str:
    """A quantity with `digits` significant digits and thousands separators: 12345.6 → 12,300; 0.01234 → 0.0123."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    # Rounded first and counted then: 99.95 has two digits before the point, 100 has three.
    rounded = Decimal(f"{value:.{digits - 1}e}")
    return f"{rounded:,.{max(digits - 1 - rounded.adjusted(), 0)}f}"


def money(value: float, width: float | None = None) -> str:
    """An amount: whole units where it is large or its interval wide, cents where it is small or certain.

    Args:
        value: the amount.
        width: width of its P10-P90 interval, where it has one.
    """
    if value == 0:
        return "0"
    exact = width is not None and width < 0.005
    whole = not exact and (abs(value) >= 100 or (width is not None and width >= 10))
    places = 0 if whole else 2
    if 0 < abs(value) < 0.005:
        return "<0.01" if value > 0 else ">-0.01"
    # Half up, as vendors round; float formatting would round a half to the even neighbour. Sums of floats end in a
    # tail, 10246.499999999998, which goes first: the same amount is shown the same wherever it comes from.
    without_tail = Decimal(repr(float(value))).quantize(Decimal("1e-6"), ROUND_HALF_UP)
    rounded = without_tail.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{rounded:,f}"


def money_of(spread: Spread, quantile: str = "mean") -> str:
    """One quantile of an amount, with the digits its interval bears."""
    return money(spread.at(quantile), spread.p90 - spread.p10)


def is_saving(spread: Spread) -> bool:
    """Whether an added amount is one that is saved: nearly all of its draws lie below nothing."""
    return spread.mean < 0 and spread.p90 < 0


def turned(spread: Spread) -> Spread:
    """What is saved, as an amount above nothing."""
    return type(spread)(-spread.mean, -spread.p90, -spread.p50, -spread.p10)


def interval(spread: Spread) -> str:
    """A volume's P10-P90 interval."""
    return _span(significant(spread.p10), significant(spread.p90))


def money_interval(spread: Spread) -> str:
    """An amount's P10-P90 interval."""
    return _span(money_of(spread, "p10"), money_of(spread, "p90"))


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low} – {high}"
