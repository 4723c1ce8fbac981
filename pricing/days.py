"""The calendar of a bill: months of their real length, and yearly terms counted from the first day."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Iterator, Sequence
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


def periods(days: Sequence[date], first: int | None, per: str) -> Iterator[tuple[int, int, slice]]:
    """The terms capacity is bought for from position `first` on: first position, days of the whole, positions here."""
    if first is None:
        return
    if per == "year":
        for term in terms_of(days, first):
            yield term.rows.start, term.length, term.rows
        return
    for month in months_of(days):
        start = max(first, month.rows.start)
        if start < month.rows.stop:
            yield start, month.length, slice(start, month.rows.stop)


def _anniversary(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # a term that starts on 29 February ends with the next February
        return date(day.year + years, 3, 1)


def days_of_year(day: date) -> int:
    """365 or 366: the days of the calendar year a day lies in."""
    return 366 if isleap(day.year) else 365


def fiscal_years(months: Sequence[str], first_month: int) -> dict[str, list[int]]:
    """The positions of calendar months by the fiscal year they lie in.

    Args:
        months: labels such as "2027-01", in order.
        first_month: the month a fiscal year starts with: 1 for calendar years, 7 for July to June.

    Returns:
        label to positions, in order: "FY2027" is the year that *ends* in 2027, as most bodies name it; a year of which
        `months` hold a part has fewer than twelve positions.

    Raises:
        ValueError: `first_month` is no month.
    """
    if not 1 <= first_month <= 12:
        raise ValueError(f"{first_month} is not a month; expected 1 to 12")
    out: dict[str, list[int]] = {}
    for position, label in enumerate(months):
        year, month = (int(part) for part in label.split("-"))
        ends = year + 1 if 1 < first_month <= month else year
        out.setdefault(f"FY{ends}", []).append(position)
    return out
