"""A forecast held against what came, as `reconcile` prints it. Computes nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence

from estimator.forecast import Spread
from estimator.reconcile import Line, MonthLine, Recalibrated, Reconciled
from estimator.reconcile.figures import Z
from estimator.report.figures import interval, significant
from estimator.report.layout import Section, as_markdown, as_table, findings_section, no_formula

_MEASURES = {"events": "events", "gb": "GB"}
_VERDICTS = {"inside": "inside", "above_p90": "ABOVE P90", "below_p10": "BELOW P10"}


def text(found: Reconciled, form: str) -> str:
    """The comparison in one of the formats, ending in a line break."""
    if form == "json":
        return json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n"
    if form == "csv":
        return _csv(found)
    return as_markdown(_sections(found)) if form == "markdown" else as_table(_sections(found))


def _csv(found: Reconciled) -> str:
    """One row a line and month (month empty: all days together), then the rest of the horizon; unrounded."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["table", "feed", "operation", "measure", "month", "days", "share", "mean", "p10", "p50", "p90",
                     "actual", "error", "inside", "source"])  # fmt: skip

    def row(table: str, of: Line | Recalibrated, cells: list[object], spread: Spread, rest: list[str]) -> None:
        names = map(no_formula, (table, of.feed, of.operation or ""))
        writer.writerow([*names, *cells, *(repr(v) for v in spread.to_json().values()), *rest])

    for line in found.lines:
        for one in line.months:
            row("compared", line, [line.measure, one.month, one.days, one.share], one.forecast, _outcome(one, line))
        row("compared", line, [line.measure, "", line.days, ""], line.forecast, _outcome(line, line))
    for each in found.recalibrated:
        for table, spread in (("rest_forecast", each.forecast), ("rest_recalibrated", each.recalibrated)):
            cells = [each.measure, each.month or "", "", each.share]
            row(table, each, cells, spread, ["", "", "", ""])
    return file.getvalue()


def _outcome(one: MonthLine | Line, line: Line) -> list[str]:
    return [repr(one.actual), "" if one.error is None else repr(one.error), str(one.inside).lower(), line.source]


def _sections(found: Reconciled) -> Iterator[Section]:
    yield _head(found)
    yield _compared(found.lines)
    by_month = [line for line in found.lines if len(line.months) > 1]
    if by_month:
        yield _months(by_month)
    yield _why(found.lines)
    rest = [one for one in found.recalibrated if one.month is None]
    if rest:
        yield _rest(found, rest)
        whole = any(one.operation is None for one in rest)
        each = [one for one in found.recalibrated if one.month and (one.operation is None or not whole)]
        yield _rest_by_month(each)
    if found.findings:
        yield findings_section(found.findings)


def _head(found: Reconciled) -> Section:
    told, lines = found.forecast, found.lines
    words = [
        f"Forecast of {told.as_of}, scenario {told.scenario}: {told.title}; {told.start}, {told.months} months.",
        "What came: "
        + "; ".join(
            f"{one.path}, {one.rows:,} {'rows' if one.kind == 'billed-usage' else 'records'}, {one.first} to {one.last}"
            for one in found.files
            if one.kind
        )
        + ".",
    ]
    held = len(lines) - len(found.outside)
    words.append(
        f"P10 – P90 held {held} of {len(lines)} lines; it should hold 8 of 10 over many, and lines of one tenant rise "
        "and fall together."
    )
    for line in found.outside:
        if line.operation is None:
            error = "" if line.error is None else f", {line.error:+.0%} against the mean"
            words.append(
                f"{line.feed}: the {_MEASURES[line.measure]} that came lie {_VERDICTS[line.verdict]} of the forecast"
                f" ({significant(line.actual)} against {interval(line.forecast)}{error})."
            )
    return Section("Forecast and what came", level=1, words=words)


def _compared(lines: Sequence[Line]) -> Section:
    return Section(
        "What was off, and by how much",
        words=["`already flowing` plus `added` less `saved`, on the days that are known."],
        headers=["feed", "operation", "what", "days", "forecast", "P10 – P90", "actual", "error", "P10 – P90 held it"],
        rows=[
            [line.feed, line.operation or "all together", _MEASURES[line.measure], f"{line.days}",
             significant(line.forecast.mean), interval(line.forecast), significant(line.actual),
             "" if line.error is None else f"{line.error:+.1%}", _VERDICTS[line.verdict]]
            for line in lines
        ],
    )  # fmt: skip


def _months(lines: Sequence[Line]) -> Section:
    return Section(
        "Month by month",
        level=3,
        headers=["feed", "operation", "what", "month", "days", "forecast", "P10 – P90", "actual", "error", "held"],
        rows=[
            [line.feed, line.operation or "all together", _MEASURES[line.measure], one.month, f"{one.days}",
             significant(one.forecast.mean), interval(one.forecast), significant(one.actual),
             "" if one.error is None else f"{one.error:+.1%}", "yes" if one.inside else "no"]
            for line in lines
            for one in line.months
        ],
    )  # fmt: skip


def _why(lines: Sequence[Line]) -> Section:
    """Each difference by its factors; what cannot be told apart is said under the table, once each."""
    rows: list[list[str]] = []
    notes: dict[str, list[str]] = {}
    for line in lines:
        split = line.split
        cells = ["" if part is None else f"x {part[0]:.2f} ({_signed(part[1])})"
                 for part in (split.mailboxes, split.records, split.size)]  # fmt: skip
        sizes = line.record_bytes
        seen = "" if sizes is None else f"{sizes[0]:,.0f} against {sizes[1]:,.0f}"
        if any(cells) or seen:
            rows.append([line.feed, line.operation or "all together", _MEASURES[line.measure],
                         _signed(line.actual - line.forecast.mean), *cells, seen])  # fmt: skip
        if split.note:
            notes.setdefault(split.note, []).append(f"{line.feed} {line.operation or 'all together'} {line.measure}")
    words = ["Actual ÷ forecast of each factor, and its part of the difference; the parts add up to it."]
    for note, whose in notes.items():
        words.append(f"Of {', '.join(whose[:3])}{f' and {len(whose) - 3} more' if len(whose) > 3 else ''}: {note}.")
    return Section(
        "Why",
        level=3,
        words=words,
        headers=["feed", "operation", "what", "difference", "mailboxes", "records (per mailbox where told)",
                 "bytes per record", "AuditData bytes of a record"],
        rows=rows,
    )  # fmt: skip


def _rest(found: Reconciled, rest: Sequence[Recalibrated]) -> Section:
    factors = {(line.feed, line.operation, line.measure): line.factor for line in found.lines}
    rows = []
    for one in rest:
        factor = factors.get((one.feed, one.operation, one.measure)) or factors[one.feed, one.operation, "events"]
        assert factor is not None
        rows.append(
            [one.feed, one.operation or "all together", _MEASURES[one.measure], str(one.start),
             significant(one.forecast.mean), interval(one.forecast),
             f"{factor.quantile(0):.2f} ({factor.quantile(-Z):.2f} – {factor.quantile(Z):.2f})", f"{factor.weight:.0%}",
             significant(one.recalibrated.mean), interval(one.recalibrated)]
        )  # fmt: skip
    return Section(
        "The rest of the horizon, recalibrated",
        words=[
            "The factor is what lasts of the difference: what was seen, shrunk by the weight the days bear (the rest "
            "may be the weeks alone). GB of which nothing was billed follow the events. Neither forecast nor factor "
            "knows a season: a quiet month says too little of busy ones."
        ],
        headers=["feed", "operation", "what", "from", "forecast", "P10 – P90", "factor", "weight", "recalibrated",
                 "P10 – P90"],
        rows=rows,
    )  # fmt: skip


def _rest_by_month(rest: Sequence[Recalibrated]) -> Section:
    return Section(
        "Recalibrated, month by month",
        level=3,
        headers=["feed", "operation", "what", "month", "from", "forecast", "P10 – P90", "recalibrated", "P10 – P90"],
        rows=[
            [one.feed, one.operation or "all together", _MEASURES[one.measure], one.month or "", str(one.start),
             significant(one.forecast.mean), interval(one.forecast), significant(one.recalibrated.mean),
             interval(one.recalibrated)]
            for one in rest
        ],
    )  # fmt: skip


def _signed(value: float) -> str:
    return f"+{significant(value)}" if value > 0 else significant(value)
