"""What audit exports come to, as `measure` prints it. Computes nothing, and imports nothing heavy."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from estimator.report.figures import significant
from estimator.report.files import days_of, file_json, laid_out, size_of
from estimator.report.layout import Section, as_markdown, as_table, findings_section, no_formula

if TYPE_CHECKING:
    from estimator.audit import FileCount, Measured, Reject

#: Operations shown to people; machines get them all.
_SHOWN_OPERATIONS = 60

#: Rejected records shown of each file.
_SHOWN_REJECTS = 3

_SECONDS = 3600


def text(measured: Measured, form: str) -> str:
    """The measure in one of the formats, ending in a line break."""
    if form == "json":
        return json.dumps(to_json(measured), indent=2, ensure_ascii=False) + "\n"
    if form == "csv":
        return _csv(measured)
    return as_markdown(_sections(measured)) if form == "markdown" else as_table(_sections(measured))


def to_json(measured: Measured) -> dict[str, Any]:
    """The JSON contract `siem-estimator/measure/1`; figures unrounded."""
    peaks = {operation: (day, hour, events) for operation, day, hour, events in measured.peak}
    return {
        "schema": "siem-estimator/measure/1",
        "version": version("siem-estimator"),
        "records": measured.records,
        "distinct": measured.distinct,
        "duplicates": measured.duplicates,
        "rejected": measured.rejected,
        "first": None if measured.first is None else measured.first.isoformat(),
        "last": None if measured.last is None else measured.last.isoformat(),
        "subjects": measured.subjects,
        "cut": measured.cut,
        "operations": [
            {
                "operation": operation,
                "events": events,
                "raw_events": raw_events,
                "bytes": size,
                "subjects": subjects,
                "peak_hour": _peak_json(peaks.get(operation)),
            }
            for operation, events, raw_events, size, subjects in measured.operations
        ],
        "files": [file_json(file) for file in measured.files],
        "rejects": [{"path": one.shown, "place": one.place, "reason": one.reason} for one in measured.rejects],
        "findings": [finding.to_json() for finding in measured.findings],
    }


def _peak_json(peak: tuple[Any, int, int] | None) -> dict[str, Any] | None:
    if peak is None:
        return None
    day, hour, events = peak
    return {"day": _day(day), "hour": hour, "events": events}


def _day(day: object) -> str:
    """The day of a date or a timestamp."""
    return str(day)[:10]


def _csv(measured: Measured) -> str:
    """One row an operation, unrounded; the columns are the fields of the JSON."""
    peaks = {operation: (_day(day), hour, events) for operation, day, hour, events in measured.peak}
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["operation", "events", "raw_events", "bytes", "subjects", "peak_day", "peak_hour", "peak_events"])
    for operation, *figures in measured.operations:
        writer.writerow([no_formula(operation), *figures, *peaks.get(operation, ("", "", ""))])
    return file.getvalue()


def _sections(measured: Measured) -> Iterator[Section]:
    yield _head(measured)
    yield _operations(measured)
    yield _files(measured.files)
    if measured.rejects:
        yield _rejects(measured.files, measured.rejects)
    if measured.findings:
        yield findings_section(measured.findings)


def _head(measured: Measured) -> Section:
    words = [
        f"{measured.records:,} records read = {measured.distinct:,} distinct + {measured.duplicates:,} duplicates + "
        f"{measured.rejected:,} rejected."
    ]
    if measured.cut:
        words.append('An export was cut, so all these are "at least": see the findings.')
    days = 0
    if measured.first is not None and measured.last is not None:
        days = (measured.last - measured.first).days + 1
        words.append(
            f"{measured.first} to {measured.last} (UTC), {days:,} day{'s' * (days != 1)}; {measured.subjects:,} "
            f"{'mailbox or site' if measured.subjects == 1 else 'mailboxes and sites'}."
        )
    size = sum(size for _, _, _, size, _ in measured.operations)
    if size:
        a_day = f", {size_of(round(size / days))} a day" if days > 1 else ""
        words.append(
            f"The distinct records hold {size_of(size)}{a_day}; what a SIEM bills for them is another size by feed."
        )
    if measured.peak:
        operation, day, hour, events = max(measured.peak, key=lambda peak: peak[3])
        rate = f", {significant(events / _SECONDS)} a second" if events >= _SECONDS else ""
        words.append(
            f"Busiest hour of one operation: {events:,} {operation} on {_day(day)} from {hour:02d}:00 UTC{rate}."
        )
    return Section("Audit exports", level=1, words=words)


def _operations(measured: Measured) -> Section:
    peaks = {operation: (day, hour, events) for operation, day, hour, events in measured.peak}
    ordered = sorted(measured.operations, key=lambda row: (-row[1], row[0]))
    rows = []
    for operation, events, raw_events, size, subjects in ordered[:_SHOWN_OPERATIONS]:
        peak = peaks.get(operation)
        rows.append(
            [
                operation,
                f"{events:,}",
                _share(events, measured.distinct),
                f"{raw_events - events:,}",
                significant(size / sized) if size and (sized := measured.sized.get(operation)) else "",
                f"{subjects:,}",
                f"{_day(peak[0])} {peak[1]:02d}:00" if peak else "",
                f"{peak[2]:,}" if peak else "",
            ]
        )
    words = []
    if rest := ordered[_SHOWN_OPERATIONS:]:
        words.append(
            f"The {len(rows)} most frequent; {len(rest):,} more come to {sum(row[1] for row in rest):,} records. "
            "`--format csv` and `--format json` have all."
        )
    if any(measured.sized.get(operation, 0) < events for operation, events, *_ in ordered):
        words.append(
            "Bytes each are of the records that show their size; of others AuditData is redacted, cut or not there."
        )
    return Section(
        "By operation",
        words=words,
        headers=["operation", "records", "share", "copies", "bytes each", "mailboxes, sites", "busiest hour, UTC",
                 "in it"],
        rows=rows,
    )  # fmt: skip


def _share(part: int, whole: int) -> str:
    share = part / whole if whole else 0.0
    return "<0.1%" if 0 < share < 0.001 else f"{share:.1%}"


def _files(files: list[FileCount]) -> Section:
    corrected = any(file.true_count is not None for file in files)
    rows = [
        [
            file.shown,
            file.title or "not read",
            f"{file.read:,}",
            f"{file.read - file.rejected - file.distinct:,}",
            f"{file.rejected:,}",
            *([_stands_for(file)] if corrected else []),
            days_of(file.first, file.last),
            laid_out(file.encoding, file.compressed),
            size_of(file.size),
        ]
        for file in files
    ]
    return Section(
        "Files",
        headers=["file", "taken for", "records", "copies in it", "rejected", *(["stands for"] if corrected else []),
                 "days", "text", "size"],
        rows=rows,
    )  # fmt: skip


def _stands_for(file: FileCount) -> str:
    if file.true_count is None:
        return ""
    # A total that does not apply (the file ends at its limit in time) leaves the weight at 1; its finding says why.
    return f"{file.true_count:,}" if file.weight != 1 else "itself"


def _rejects(files: list[FileCount], rejects: list[Reject]) -> Section:
    rows = []
    for file in files:
        mine = [one for one in rejects if one.shown == file.shown][:_SHOWN_REJECTS]
        rows += [[one.shown, one.place, one.reason] for one in mine]
        if file.rejected > len(mine) > 0:
            rows.append([file.shown, "", f"and {file.rejected - len(mine):,} more"])
    return Section("Rejected records", headers=["file", "place", "why"], rows=rows)
