"""A forecast held against what came: line by line what was off, by how much and why; the rest of the horizon again.

A line is one operation on one feed (or all of the feed together), in events or in GB. Days that came are compared month
by month, a part of a month with the share of the month's weight that its days have.

A difference is split by its factors, GB = mailboxes x records per mailbox x bytes per record, in logs: with L the
logarithmic mean (y - f) / ln(y / f), each factor's part is L ln(its ratio), and the parts add up to the difference
without a rest (logarithmic mean Divisia index; Ang, Energy Policy 32 (2004) 1131-1139).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from estimator import catalog
from estimator.findings import Finding, distinct
from estimator.reconcile.actuals import Actuals, read_actuals
from estimator.reconcile.figures import Figure, learnt, recalibrated, together
from estimator.reconcile.forecasts import ForecastFile, Measure, read_forecast
from estimator.reconcile.lines import Line, MonthLine, Recalibrated, Reconciled, Split
from estimator.reconcile.matching import Key, Known, by_feed, within

#: Fewer than this part of the mailboxes that should emit: a search scoped to some people, or another tenant.
_SCOPED = 0.5

#: A month whose weekday holds this much more or less than the next one's: something starts or ends within it.
_CHANGES = 1.25


def reconcile_forecast(
    forecast: Path | str,
    actuals: Sequence[Path | str],
    *,
    scenario: str | None = None,
    country: str | None = None,
    memory: str = "1GB",
    progress: Callable[[str], None] = lambda _: None,
) -> Reconciled:
    """Hold a forecast against what came.

    Args:
        forecast: the JSON of `estimate` or `forecast`.
        actuals: later audit exports, billed volume by day and stream, or folders of such.
        scenario: id of the scenario that became true; may be left out where there is one.
        country: whose public holidays count in shares of months, such as US; without one nobody's.
        memory: DuckDB's memory limit while it reads audit exports.
        progress: told what is being done.

    Raises:
        ReconcileError: one of the two cannot be used, or no day that came lies within the horizon.
        UsageError: the scenario is not in the forecast.
        SiemEstimatorError: an export cannot be read.
    """
    told = read_forecast(Path(forecast), scenario, country)
    progress("reading what came")
    came = read_actuals(actuals, memory)
    progress("comparing")
    return compare(told, came)


def compare(told: ForecastFile, came: Actuals) -> Reconciled:
    """See `reconcile_forecast`."""
    findings = [*came.findings]
    known = within(told, came.series, findings)
    by = by_feed(told, known, findings)
    lines = [line for key, days in by.items() if (line := _Compared(told, came, by, key, days).line(findings))]
    if came.cut:
        findings.append(
            Finding("actuals_cut", "warning", "an audit export was cut, so what came is at least what is shown.")
        )
    findings += _doubts(told, came, lines)
    order = {feed: number for number, feed in enumerate(told.feeds)}
    lines.sort(key=lambda one: (order[one.feed], one.operation is not None, -one.forecast.mean, one.measure))
    return Reconciled(told, came.files, lines, list(_rest(told, lines)), distinct(findings))


@dataclass(frozen=True)
class _Compared:
    """One line in the making."""

    told: ForecastFile
    came: Actuals
    by: Mapping[Key, Known]
    key: Key
    known: Known

    def line(self, findings: list[Finding]) -> Line | None:
        """The line; None where the forecast has nothing of these days and nothing came."""
        (feed, operation, measure), (source, by_day) = self.key, self.known
        months: dict[str, list[dt.date]] = {}
        for day in sorted(by_day):
            months.setdefault(f"{day:%Y-%m}", []).append(day)
        out, parts = [], []
        for month, days in months.items():
            figure = self.told.part(feed, operation, month, measure, days)
            whole = self.told.net(feed, None, month, measure)
            # Before a feed is connected nothing reaches it, whatever an audit sample shows.
            if figure is None or (source == "audit-sample" and (whole is None or not whole.mean > 0)):
                continue
            actual = sum(by_day[day] for day in days)
            out.append(MonthLine(month, len(days), self.told.share(month, days), figure.spread, actual))
            parts.append((figure, days))
            if len(days) < len(self.told.by_month[month]):
                findings.extend(self.of_a_part(month))
        if not out:
            return None
        figure = together([one for one, _ in parts])
        days = [day for _, mine in parts for day in mine]
        actual = sum(by_day[day] for day in days)
        if not (figure.spread.mean > 0 or actual > 0):
            return None
        events = sum(self._events(month.month) * month.share for month in out)
        factor = learnt(figure, actual, events)
        return Line(feed, operation, measure, source, days[0], days[-1], len(days), tuple(out), figure.spread, actual,
                    self.split(out, days, figure, actual), self.record_bytes(out), factor)  # fmt: skip

    def _events(self, month: str) -> float:
        spread = self.told.net(self.key[0], self.key[1], month, "events")
        return 0.0 if spread is None else spread.mean

    def of_a_part(self, month: str) -> Iterator[Finding]:
        """What is doubtful about a part of a month."""
        feed, operation, measure = self.key
        yield Finding(
            "part_of_month",
            "info",
            "a part of a month is compared with the forecast's share of days in it: a Saturday and a Sunday weigh "
            f"{self.told.weight_words()} of a weekday (published, see the priors; the tenant's own are not in the "
            "file), and the swing of its few weeks widens the interval.",
        )
        months = list(self.told.by_month)
        at = months.index(month)
        near = self.told.net(feed, operation, months[at + 1] if at + 1 < len(months) else months[at - 1], measure)
        mine = self.told.net(feed, operation, month, measure)
        if near is None or mine is None or not near.mean > 0:
            return
        other = months[at + 1] if at + 1 < len(months) else months[at - 1]
        ratio = (mine.mean / self._weight(month)) / (near.mean / self._weight(other))
        if not 1 / _CHANGES < ratio < _CHANGES:
            yield Finding(
                "part_of_changing_month",
                "warning",
                f"{feed}, {operation or 'all operations'}: {month} holds {ratio:.0%} of {other} in a weekday, so "
                "something starts or ends within one of them, and a share of days does not tell before from after. "
                "Compare whole months there.",
            )

    def _weight(self, month: str) -> float:
        return sum(map(self.told.weight, self.told.by_month[month]))

    # ------------------------------------------------------------------------------------------ why

    def split(self, months: Sequence[MonthLine], days: Sequence[dt.date], figure: Figure, actual: float) -> Split:
        """The difference by its factors, as far as they can be told apart."""
        measure = self.key[2]
        forecast = figure.spread.mean
        if not (actual > 0 and forecast > 0):
            return Split(None, None, None, "nothing came" if not actual > 0 else "nothing was forecast")
        apart = (actual - forecast) / math.log(actual / forecast) if actual != forecast else actual
        notes = []
        size: float | None = 1.0 if measure == "events" else self.size_ratio(months)
        if size is None:
            notes.append(
                "records and their size cannot be told apart: nothing says how many records the GB are of (a column "
                "events, or an audit sample of the same days)"
            )
        boxes, why = self.mailbox_ratio(months, days)
        if boxes is None:
            notes.append(f"mailboxes and records per mailbox cannot be told apart: {why}")
        records = None if size is None else actual / forecast / size / (boxes or 1.0)

        def of(ratio: float | None) -> tuple[float, float] | None:
            return None if ratio is None else (ratio, apart * math.log(ratio))

        if size is None:
            boxes = None
        return Split(of(boxes), of(records), of(size) if measure == "gb" else None, "; ".join(notes))

    def size_ratio(self, months: Sequence[MonthLine]) -> float | None:
        """Billed bytes per record, actual ÷ forecast, from the days of which both GB and events are known."""
        feed, operation, _ = self.key
        counted = self.by.get((feed, operation, "events"))
        if counted is None:
            return None
        both = [day for day in self.known[1] if day in counted[1]]
        gb, events = sum(self.known[1][day] for day in both), sum(counted[1][day] for day in both)
        expected = sum(month.forecast.mean for month in months), sum(self._events(m.month) * m.share for m in months)
        if not (events > 0 and expected[0] > 0 and expected[1] > 0):
            return None
        return (gb / events) / (expected[0] / expected[1])

    def mailbox_ratio(self, months: Sequence[MonthLine], days: Sequence[dt.date]) -> tuple[float | None, str]:
        """Mailboxes that had any record ÷ mailboxes that should emit; or why nobody knows."""
        feed, operation, _ = self.key
        if operation is None:
            return None, "several operations together"
        seen = self.came.mailboxes.get(operation)
        if seen is None:
            return None, "no audit sample shows which mailboxes had any record of it"
        mine = int(seen.loc[seen["date"].isin(days), "subject"].nunique())
        expected = 0.0
        for month in months:
            one = self.told.emitting.get((operation, month.month))
            if one is None:
                added = self.told.flows.get((feed, operation, month.month, "added", "events"))
                today = self.told.emitting_today.get(operation)
                if today is None or (added is not None and added.mean > 0):
                    return None, "the forecast's file does not say how many mailboxes were to emit it"
                one = float(today)
            expected += one * month.days
        expected /= sum(month.days for month in months)
        return (mine / expected, "") if mine and expected else (None, "no mailbox had any record of it")

    def record_bytes(self, months: Sequence[MonthLine]) -> tuple[float, float] | None:
        """AuditData bytes of a record: what came, and what the forecast took under the middle of the feed's factor."""
        feed, operation, _ = self.key
        actual = None if operation is None else self.came.record_bytes.get(operation)
        if actual is None or self.key[2] != "events":
            return None
        gb = sum(s.mean for m in months if (s := self.told.net(feed, operation, m.month, "gb")))
        events = sum(self._events(m.month) for m in months)
        if not (gb > 0 and events > 0):
            return None
        return actual, gb * 1e9 / events / catalog.feed(feed).size_factor.mode


# -------------------------------------------------------------------------------------------------- the rest


def _rest(told: ForecastFile, lines: Sequence[Line]) -> Iterator[Recalibrated]:
    """The days after what came, month by month and together; GB by the factor of events where no GB came."""
    by = {(line.feed, line.operation, line.measure): line for line in lines}
    measures: tuple[Measure, ...] = ("events", "gb")
    for feed, operation in dict.fromkeys((line.feed, line.operation) for line in lines):
        for measure in measures:
            line = by.get((feed, operation, measure)) or by.get((feed, operation, "events"))
            # Of GB alone nobody knows whether more records came or larger ones.
            if line is None or line.factor is None or (measure == "events" and line.measure == "gb"):
                continue
            yield from _of_line(told, line, measure)


def _of_line(told: ForecastFile, line: Line, measure: Measure) -> Iterator[Recalibrated]:
    factor = line.factor
    assert factor is not None
    key, parts = (line.feed, line.operation, measure), []
    starts = []
    for month, whole in told.by_month.items():
        days = [day for day in whole if day > line.last]
        figure = told.part(line.feed, line.operation, month, measure, days) if days else None
        if figure is None or not figure.spread.mean > 0:
            continue
        parts.append(figure)
        starts.append(days[0])
        yield Recalibrated(*key, month, days[0], told.share(month, days), figure.spread, recalibrated(figure, factor))
    if parts:
        rest = together(parts)
        yield Recalibrated(*key, None, starts[0], 1.0, rest.spread, recalibrated(rest, factor))


# -------------------------------------------------------------------------------------------------- doubts


def _doubts(told: ForecastFile, came: Actuals, lines: Sequence[Line]) -> Iterator[Finding]:
    for line in lines:
        what = f"{line.feed}, {line.operation or 'all operations'}, {line.measure}"
        if line.factor is None:
            why = "nothing came" if not line.actual > 0 else "the forecast reaches down to 0 and has no logarithm"
            yield Finding(
                "not_recalibrated",
                "warning" if line.operation is None or line.forecast.p10 > 0 else "info",
                f"{what}: {why}, so nothing is said of the rest of the horizon. Where nothing came, look whether it "
                "was enabled and connected at all (siem-estimator readiness).",
            )
    for key, seen in came.mailboxes.items():
        should = told.emitting_today.get(key, 0)
        had = int(seen["subject"].nunique())
        if should >= 10 and had < _SCOPED * should and any(line.operation == key for line in lines):
            yield Finding(
                "actuals_few_mailboxes",
                "warning",
                f"{key}: {had} mailboxes had a record, and {should} emitted it when the forecast was made. A search "
                "scoped to some people, mailboxes that fell silent, or another tenant: compare with a sample of all.",
            )
    left = len(told.not_known) - 5
    shown = f"{', '.join(told.not_known[:5])}{f' and {left} more' if left > 0 else ''}"
    if told.not_known and any(line.operation is None and line.source != "audit-sample" for line in lines):
        yield Finding(
            "forecast_at_least",
            "warning",
            f"the forecast had no rate for {shown}; what is billed of them counts as an excess here.",
        )
