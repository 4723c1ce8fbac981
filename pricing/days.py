"""The calendar of a bill: months of their real length, and yearly terms counted from the first day."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Month:
    """A calendar month as far as the horizon reaches into it."""

    label: str  # "2027-01"
    length: int  # days of the whole calendar month
    rows: slice  # where its days stand in the horizon


@dataclass(frozen=True)
class Term:
    """A yearly term as far as the horizon reaches into it."""

    start: date
    length: int  # days of the whole term: 365 or 366
    rows: slice


def months_of(days: Sequence[date]) -> list[Month]:
    """The calendar months of contiguous days, in order."""
    starts = [i for i, day in enumerate(days) if i == 0 or day.day == 1]
    return [
        Month(f"{days[first]:%Y-%m}", monthrange(days[first].year, days[first].month)[1], slice(first, stop))
        for first, stop in zip(starts, [*starts[1:], len(days)], strict=True)
    ]


def terms_of(days: Sequence[date], first: int = 0) -> list[Term]:
    """The yearly terms of contiguous days: the first starts on day `first`, each later one on its anniversary."""
    terms: list[Term] = []
    while not terms or terms[-1].rows.stop < len(days):
        start, end = _anniversary(days[first], len(terms)), _anniversary(days[first], len(terms) + 1)
        row = (start - days[0]).days
        length = (end - start).days
        terms.append(Term(start, length, slice(row, min(row + length, len(days)))))
    return terms


def _anniversary(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # a term that starts on 29 February ends with the next February
        return date(day.year + years, 3, 1)
