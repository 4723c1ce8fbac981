"""What a month costs once everything that grows has stopped growing: the steady state behind a usage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from pricing.days import terms_of
from pricing.draws import bill_draws
from pricing.plan import Plan
from pricing.prices import FloatArray, in_force
from pricing.usage import Terms, Usage

#: Whole weeks that stand for the days to come.
_PATTERN = 28


@dataclass(frozen=True, eq=False)
class RunRate:
    """The steady state.

    Attributes:
        month: (N,) a twelfth of what the year that is billed costs, in the plan's currency, after the discount.
        year: first and last day of the year that is billed.
        pattern_days: how many of the last days were repeated.
        commitment: the tier billed.
    """

    month: FloatArray
    year: tuple[date, date]
    pattern_days: int
    commitment: str


def run_rate(plan: Plan, usage: Usage, terms: Terms) -> RunRate:
    """The cost of a month once every stock is full.

    The last 28 days (fewer where there are not so many) go on unchanged for a year after the usage, and have gone on
    for as long as anything is kept; that year is billed. A tier whose price has ended by then is pay-as-you-go; grants
    stay as they are on the last day.

    Raises:
        As `bill_draws`.
    """
    pattern = min(_PATTERN, len(usage.days))
    first = usage.days[-1] + timedelta(days=1)
    year = terms_of([first])[0].length
    days = [first + timedelta(days=i) for i in range(year)]
    kept = _longest(plan, terms)
    gb = {stream: usage.by_draw(stream)[-pattern:] for stream in usage.gb}
    ahead = {stream: _repeated(values, year) for stream, values in gb.items()}
    # The past ends where the year begins, so it is the pattern read backwards from its end.
    past = {stream: _repeated(values[::-1], kept)[::-1] for stream, values in gb.items()} if kept else {}
    steady = Usage(
        days,
        ahead,
        past,
        _ahead(usage.events, pattern, year),
        _ahead(usage.peak_events_per_second, pattern, year),
    )
    made = bill_draws(plan, steady, _at_the_end(plan, terms, days))
    return RunRate(made.total.sum(axis=0) / 12, (days[0], days[-1]), pattern, made.commitment)


def _ahead(series: Mapping[str, object], pattern: int, year: int) -> dict[str, FloatArray]:
    return {
        stream: _repeated(np.asarray(values, dtype=np.float64)[-pattern:], year) for stream, values in series.items()
    }


def _repeated(values: FloatArray, days: int) -> FloatArray:
    times = -(-days // len(values))
    return np.concatenate([values] * times)[:days]


def _longest(plan: Plan, terms: Terms) -> int:
    """The longest anything is kept, in days."""
    stated = [
        days if isinstance(days, int) else max((count for _, count in days), default=0)
        for days in terms.stream_retention_days.values()
    ]
    included = [plan.included_retention_days, *(tier.included_retention_days for tier in plan.tiers.values())]
    return max(terms.retention_days or 0, terms.total_retention_days or 0, *stated, *included)


def _at_the_end(plan: Plan, terms: Terms, days: list[date]) -> Terms:
    tier = plan.commitment[1].tier(terms.commitment) if plan.commitment is not None else None
    ended = tier is not None and not any(in_force(tier.prices, day) for day in days)
    return replace(
        terms,
        commitment="none" if ended else terms.commitment,
        stream_retention_days={
            stream: kept if isinstance(kept, int) else kept[-1][1]
            for stream, kept in terms.stream_retention_days.items()
            if isinstance(kept, int) or kept
        },
        grant_gb_per_day={
            grant: gb[-1] if isinstance(gb, tuple) else gb for grant, gb in terms.grant_gb_per_day.items()
        },
    )
