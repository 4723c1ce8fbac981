"""Which part of what came belongs to which line of the forecast: by day, feed, operation and measure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from estimator.findings import Finding
from estimator.reconcile.actuals import Series
from estimator.reconcile.forecasts import ForecastFile, Measure, ReconcileError

#: Feed, operation (None for all together), measure.
Key = tuple[str, str | None, Measure]
Known = tuple[str, dict[dt.date, float]]


def within(told: ForecastFile, series: Iterable[Series], findings: list[Finding]) -> list[Series]:
    """What came on days of the horizon.

    Raises:
        ReconcileError: nothing did.
    """
    days = {day.date() for day in told.days}
    out, outside, inside = [], set(), False
    for one in series:
        mine = {day: value for day, value in one.by_day.items() if day in days}
        outside |= set(one.by_day) - days
        inside |= bool(mine)
        if mine:
            out.append(Series(one.feed, one.operation, one.measure, one.source, mine))
    if not inside:
        raise ReconcileError(
            f"what came is of {min(outside)} to {max(outside)}, and the forecast of {min(days)} to {max(days)}",
            path=told.path,
            expected="days of the horizon",
            mend="Compare with days the forecast is of.",
        )
    if outside:
        findings.append(
            Finding(
                "actuals_outside_horizon",
                "info",
                f"{len(outside)} days from {min(outside)} to {max(outside)} lie outside the horizon ({min(days)} to "
                f"{max(days)}) and are not compared.",
            )
        )
    return out


def by_feed(told: ForecastFile, series: Sequence[Series], findings: list[Finding]) -> dict[Key, Known]:
    """What came by feed, operation and measure; an audit sample knows no feed and goes to each that carries it."""
    out: dict[Key, Known] = {}
    unknown: dict[str, float] = {}
    strangers: set[str] = set()
    # Distinct records of an audit sample go before billed ones, copies included.
    for one in sorted(series, key=lambda s: s.source):
        feeds = told.feeds if one.feed is None else [one.feed] if one.feed in told.feeds else []
        if one.feed is not None and not feeds:
            strangers.add(one.feed)
        found = False
        for feed in feeds:
            if one.operation is None or one.operation in told.operations(feed):
                found = True
                out.setdefault((feed, one.operation, one.measure), (one.source, dict(one.by_day)))
        if feeds and not found and one.measure == "events":
            unknown[str(one.operation)] = sum(one.by_day.values())
    for feed in told.feeds:
        _add_up(told, feed, out)
    if strangers:
        findings.append(
            Finding(
                "actuals_other_feed",
                "warning",
                f"volume of {', '.join(sorted(strangers))} came, which the scenario {told.scenario} does not forecast; "
                "it is not compared. Is this the forecast of the same tenant and scenario?",
            )
        )
    if unknown:
        each = ", ".join(f"{key} ({count:,.0f})" for key, count in sorted(unknown.items(), key=lambda i: -i[1])[:8])
        more = f" and {len(unknown) - 8} more" if len(unknown) > 8 else ""
        findings.append(
            Finding(
                "operation_not_forecast",
                "warning",
                f"what came has operations that the forecast has no rate for: {each}{more}. Their events are not in "
                "the lines below, but they are in billed volumes of a whole stream.",
            )
        )
    if not out:
        raise ReconcileError(
            f"nothing that came is of a feed of scenario {told.scenario}",
            path=told.path,
            expected=f"volume of {', '.join(told.feeds)}, or an audit sample",
            mend="Compare with what came to these feeds, or name another scenario with --scenario.",
        )
    return out


def _add_up(told: ForecastFile, feed: str, out: dict[Key, Known]) -> None:
    """All operations that the forecast has of a feed together, as an audit sample shows them."""
    measures: tuple[Measure, ...] = ("events", "gb")
    for measure in measures:
        mine = [out.get((feed, key, measure)) for key in told.operations(feed)]
        sampled = [one for one in mine if one is not None and one[0] == "audit-sample"]
        # Of GB only where the size of every record is known as the feed bills it.
        if not sampled or (measure == "gb" and len(sampled) < len(mine)):
            continue
        total: dict[dt.date, float] = {}
        for _, days in sampled:
            for day, value in days.items():
                total[day] = total.get(day, 0.0) + value
        out.setdefault((feed, None, measure), ("audit-sample", total))
        # What a sample of those days does not show did not come.
        if measure == "events":
            for key in told.operations(feed):
                out.setdefault((feed, key, measure), ("audit-sample", dict.fromkeys(total, 0.0)))
