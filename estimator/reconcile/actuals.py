"""What came: a later audit sample in whatever export, or billed volume by day and stream; told apart by content.

Billed volume is CSV, JSON or XLSX with the columns `day`, `stream` or `feed`, `gb` (or `gib`, `bytes`), and optionally
`events` and `operation`. A row without an operation is of all operations of its stream.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from estimator import audit, catalog
from estimator.audit.doctor import broken_days
from estimator.audit.opening import read_head
from estimator.audit.sources import expand, is_archive
from estimator.errors import AuditExportError, InventoryError
from estimator.findings import Finding
from estimator.inventory.json_rows import first_object
from estimator.inventory.layout import WORKBOOK, column_key, is_json, layout_of
from estimator.inventory.sheet import Wanted, read_sheet
from estimator.operations import operation_key, operation_keys
from estimator.reconcile.forecasts import Measure, ReconcileError

KIND = "billed-usage"

_UNITS = {"gb": 1.0, "gib": 2**30 / 1e9, "bytes": 1e-9}
_WANTED = {
    "day": Wanted(("day", "date")),
    "stream": Wanted(("stream",), needed=False),
    "feed": Wanted(("feed",), needed=False),
    "operation": Wanted(("operation",), needed=False),
    "events": Wanted(("events",), needed=False),
    **{unit: Wanted((unit,), needed=False) for unit in _UNITS},
}
_MEND = "One row a day and stream, with the columns day (2027-01-31), stream or feed, and gb (or gib, or bytes)."

#: A first or last day below this part of what its weight leads to expect was read before it was over.
_PARTIAL = 0.4


@dataclass(frozen=True)
class Read:
    """One file that was read.

    Attributes:
        path: as given.
        kind: `billed-usage` or the kind of an audit export; '' where it is refused.
        rows: rows or records.
        first, last: days of it; None without any.
    """

    path: str
    kind: str
    rows: int
    first: dt.date | None
    last: dt.date | None


@dataclass(frozen=True)
class Series:
    """What came of one thing, day by day.

    Attributes:
        feed: the feed it came by; None of an audit sample, which knows no feed.
        operation: the operation; None for all of the feed together.
        measure: events or GB.
        source: `audit-sample` or `billed-usage`.
        by_day: every day that is known, days without any included.
    """

    feed: str | None
    operation: str | None
    measure: Measure
    source: str
    by_day: Mapping[dt.date, float]


@dataclass(frozen=True)
class Actuals:
    """All that came.

    Attributes:
        files: what was read.
        series: what came, see `Series`.
        mailboxes: of an audit sample, the mailboxes by operation that had any record and the day of the record.
        record_bytes: of an audit sample, mean AuditData bytes of a record by operation.
        cut: whether the sample was cut, so that its counts are at least what is shown.
        findings: what is wrong or doubtful.
    """

    files: list[Read]
    series: list[Series]
    mailboxes: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    record_bytes: Mapping[str, float] = field(default_factory=dict)
    cut: bool = False
    findings: list[Finding] = field(default_factory=list)


def read_actuals(paths: Sequence[Path | str], memory: str = "1GB") -> Actuals:
    """Read what came.

    Raises:
        ReconcileError: a path does not exist or is a forecast itself.
        AuditExportError: nothing in the files can be read.
    """
    billed: list[Path] = []
    exports: list[Path] = []
    passed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="siem-estimator-") as spill:
        for given in map(Path, paths):
            if not given.exists():
                raise AuditExportError("there is no such file", path=given)
            # Of a tenant folder the inventories are passed over; what is named itself never is.
            of_folder = list(expand([given], Path(spill))) if given.is_dir() else []
            for path in (
                dict.fromkeys(source.path for source in of_folder if not source.problem) if of_folder else [given]
            ):
                if is_billed(path):
                    billed.append(path)
                elif not of_folder or is_archive(path) or audit.recognise(path) is not None:
                    exports.append(path)
                else:
                    passed.append(path.name)
    found = Actuals([], [])
    if passed:
        words = f"{', '.join(sorted(passed)[:10])}: neither an audit export nor billed volume; passed over."
        found.findings.append(Finding("file_not_used", "info", words))
    if exports:
        found = _of_audit(exports, memory, found)
    rows = [_read_billed(path, found) for path in billed]
    if rows:
        found.series.extend(_billed_series(pd.concat(rows), found.findings))
    if not found.series:
        told = " ".join(f.message for f in found.findings if f.severity != "info")
        raise AuditExportError(
            f"nothing that came can be read from {', '.join(map(str, paths))}" + (f": {told}" if told else ""),
            expected="a later audit export, or billed volume",
            mend=None if told else _MEND,
        )
    return found


def is_billed(path: Path) -> bool:
    """Whether a file is billed volume by day and stream."""
    try:
        head = read_head(path)
        if head.start.startswith(WORKBOOK):
            from estimator.inventory.xlsx_rows import headers

            names = [name for _, header in headers(path) for name in header]
        else:
            names = list(first_object(head)) if is_json(head) else layout_of(head).header
    except (OSError, csv.Error, UnicodeError, InventoryError):
        return False
    keys = {column_key(name) for name in names}
    return bool(keys & {"day", "date"} and keys & {"stream", "feed"} and keys & set(_UNITS))


# -------------------------------------------------------------------------------------------------- audit sample


def _of_audit(paths: Sequence[Path], memory: str, found: Actuals) -> Actuals:
    try:
        sample = audit.reduce(paths, memory=memory)
    except AuditExportError as error:
        if len(paths) == 1 and str(paths[0].suffix).lower() == ".json" and "siem-estimator/" in _start(paths[0]):
            raise ReconcileError(
                "is a result of siem-estimator and no record of what came", path=paths[0], mend=_MEND
            ) from error
        raise
    frame = sample.table.assign(key=operation_keys(sample.table))
    frame = frame.assign(stands=frame["events"] * frame["weight"], size=frame["bytes"] * frame["weight"])
    span = pd.date_range(frame["day"].min(), frame["day"].max(), unit="us")
    broken = set(broken_days(sample.hours))
    days = [day.date() for day in span if day.date() not in broken] or [day.date() for day in span]
    if len(days) < len(span):
        found.findings.append(
            Finding(
                "actuals_partial_day",
                "warning",
                f"{len(span) - len(days)} days of the audit sample do not hold what they should and are left out.",
            )
        )
    frame = frame.assign(date=frame["day"].dt.date)
    series, boxes, sizes = [], {}, {}
    for name, rows in frame.groupby("key"):
        key = str(name)
        series.append(Series(None, key, "events", "audit-sample", _daily(rows, "stands", days)))
        bases = set(rows.loc[rows["events"] > 0, "size_basis"])
        if len(bases) == 1 and (basis := bases.pop()).startswith("feed:"):
            gb = rows.assign(gb=rows["size"] / 1e9)
            feed = basis.removeprefix("feed:")
            series.append(Series(feed, key, "gb", "audit-sample", _daily(gb, "gb", days)))
        elif (sized := rows[(rows["size_basis"] == "auditdata") & (rows["events"] > 0)]).shape[0]:
            sizes[key] = float(sized["size"].sum() / sized["stands"].sum())
        mine = rows[(rows["subject_kind"] == "mailbox") & (rows["events"] > 0)]
        if len(mine):
            boxes[key] = mine[["date", "subject"]].drop_duplicates()
    files = [Read(file.shown, file.kind, file.read, file.first, file.last) for file in sample.files]
    # What the sample says against itself bears on what came just as it does on a forecast.
    findings = [*found.findings, *sample.findings]
    return Actuals([*found.files, *files], [*found.series, *series], boxes, sizes, sample.cut, findings)


def _start(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(200).decode(errors="replace")


def _daily(rows: pd.DataFrame, column: str, days: Sequence[dt.date]) -> dict[dt.date, float]:
    by = rows.groupby("date")[column].sum()
    return {day: float(by.get(day, 0.0)) for day in days}


# -------------------------------------------------------------------------------------------------- billed volume


def _read_billed(path: Path, found: Actuals) -> pd.DataFrame:
    """The rows of one file: `day`, `feed`, `operation` ('' for all), `gb`, `events` (NaN where it does not say)."""
    shown = str(path)
    try:
        sheet = read_sheet(path, shown, _WANTED, _MEND, rest=False)
        cells = sheet.cells
        units = [unit for unit in _UNITS if (cells[unit] != "").any()]
        if len(units) != 1:
            raise InventoryError(
                f"has {'the volumes ' + ' and '.join(units) if units else 'no volume in any row'}",
                path=shown, expected="one of the columns gb, gib, bytes", mend=_MEND,
            )  # fmt: skip
    except InventoryError as error:
        found.findings.append(Finding("file_refused", "error", f"{error} It was not read.", shown))
        found.files.append(Read(shown, "", 0, None, None))
        return pd.DataFrame({"day": [], "feed": [], "operation": [], "gb": [], "events": []})
    found.findings.extend(sheet.findings)
    (unit,) = units
    rows, refused = [], []
    others: dict[str, float] = {}
    seen: dict[tuple[object, ...], str] = {}
    for number, row in zip(cells.index, cells.to_dict("records"), strict=True):
        place = f"{cells.index.name} {number}"
        try:
            day, name = _day(row["day"]), row["stream"] or row["feed"]
            volume = _number(row[unit], unit) * _UNITS[unit]
            events = _number(row["events"], "events") if row["events"] else math.nan
            operation = operation_key(*row["operation"].split("/", 1)) if "/" in row["operation"] else ""
            if row["operation"] and not operation:
                raise ValueError(f"the operation {row['operation']!r} is not Workload/Operation")
            if not name:
                raise ValueError("neither stream nor feed is named")
            if (before := seen.setdefault((day, name.lower(), operation), place)) != place:
                raise ValueError(f"day, stream and operation are those of {before} already")
        except ValueError as error:
            refused.append(f"{place}: {error}")
            continue
        # STREAM@TIER is the stream, kept in another tier of storage.
        feed = _feeds_by_name().get(name.split("@")[0].lower())
        if feed is None:
            others[name] = others.get(name, 0.0) + volume
            continue
        rows.append((day, feed, operation, volume, events))
    if refused:
        found.findings.append(
            Finding(
                "rows_rejected",
                "warning",
                f"{shown}: {len(refused):,} of {len(cells):,} rows are refused and not counted "
                f"({'; '.join(refused[:5])}"
                f"{'; …' if len(refused) > 5 else ''}). {_MEND}",
                shown,
            )
        )
    if others:
        each = ", ".join(f"{name} {gb:.3g} GB" for name, gb in sorted(others.items()))
        found.findings.append(
            Finding(
                "actuals_other_stream",
                "info",
                f"{shown}: streams that carry no Microsoft 365 audit events are not compared: {each}.",
                shown,
            )
        )
    if unit == "gb":
        found.findings.append(
            Finding(
                "gb_or_gib",
                "info",
                f"{shown}: gb is taken as 10^9 bytes. Where whoever measured it divided by 1024^3 instead, all of it "
                "is 7.4% more than is shown; call the column gib then.",
                shown,
            )
        )
    days = [row[0] for row in rows]
    found.files.append(Read(shown, KIND, len(cells), min(days, default=None), max(days, default=None)))
    return pd.DataFrame(rows, columns=["day", "feed", "operation", "gb", "events"])


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        raise ValueError(f"the day {text!r} is not written as 2027-01-31") from None


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} {text!r} is not a number of 0 or more, written as 1234.5")
    return value


def _feeds_by_name() -> dict[str, str]:
    """Feeds by their stream and id, in lower case."""
    out = {feed.stream.lower(): feed.id for feed in catalog.feeds().values()}
    return {**out, **{feed_id.lower(): feed_id for feed_id in catalog.feeds()}}


def _billed_series(rows: pd.DataFrame, findings: list[Finding]) -> list[Series]:
    out = []
    for (feed_, operation_), mine in rows.groupby(["feed", "operation"]):
        feed, operation = str(feed_), str(operation_) or None
        by = mine.groupby("day")["gb"].sum()
        known = mine.groupby("day")["events"].sum(min_count=1).dropna()
        days = _whole_days(by, f"{feed}{f' {operation}' if operation else ''}", findings)
        out.append(Series(feed, operation, "gb", KIND, {day: float(by[day]) for day in days}))
        counted = {day: float(known[day]) for day in days if day in known.index}
        if counted:
            out.append(Series(feed, operation, "events", KIND, counted))
    return out


def _whole_days(by: pd.Series, what: str, findings: list[Finding]) -> list[dt.date]:
    """The days that are known, without a first or last one that was cut off; gaps are told."""
    days = sorted(by.index)
    priors = catalog.priors()
    weight = {5: priors.saturday_factor.value, 6: priors.sunday_factor.value}

    def expected(day: dt.date) -> float:
        rest = [other for other in days if other != day]
        per = sum(float(by[other]) for other in rest) / max(sum(weight.get(o.weekday(), 1.0) for o in rest), 1e-9)
        return per * weight.get(day.weekday(), 1.0)

    for at in (-1, 0):
        # A weekend varies too much to say.
        if len(days) >= 5 and days[at].weekday() < 5 and float(by[days[at]]) < _PARTIAL * expected(days[at]):
            findings.append(
                Finding(
                    "actuals_partial_day",
                    "warning",
                    f"{what}: {days[at]} holds {float(by[days[at]]) / expected(days[at]):.0%} of what the other days "
                    "lead to expect, as a day does that was not over, so it is left out.",
                )
            )
            del days[at]
    missing = (days[-1] - days[0]).days + 1 - len(days)
    if missing:
        findings.append(
            Finding(
                "actuals_gap_days",
                "warning",
                f"{what}: {missing} days between {days[0]} and {days[-1]} have no row; nothing is taken to be known of "
                "them. Where nothing came, say so with a row of 0.",
            )
        )
    return days
