"""The account of a sample: what each file came to, what all come to, and what is refused or doubtful of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.errors import AuditExportError, UsageError
from estimator.findings import Finding

if TYPE_CHECKING:
    import pandas as pd

    from estimator.audit.candidates import Rejected
    from estimator.audit.engine import Engine
    from estimator.audit.reading import Reading
    from estimator.audit.sums import Accepted

#: The portal's total of a search by the file it was exported to (as given or as shown); None for the one that was cut.
TrueCounts = Mapping[str | None, int]

_HOW_TO_EXPORT = (
    "Export AuditData whole: Purview portal > Audit > Search > Export, or Search-UnifiedAuditLog | Export-Csv, or the "
    "Management Activity API."
)


@dataclass(frozen=True)
class Reject:
    """A record that is not counted.

    Attributes:
        shown: its file.
        place: where in it, in words: `line 12` (of the text, not the row), `record 3`.
        reason: why.
    """

    shown: str
    place: str
    reason: str


@dataclass(frozen=True)
class FileCount:
    """The account of one file.

    Attributes:
        path: the file on disk; of a member of an archive, the archive.
        shown: its name in messages.
        kind: the shape's kind; '' where it has none.
        title: the shape in words.
        read: records in the file, good or bad; of counts, the records they stand for.
        distinct: distinct records within this file; the same record may stand in another one too.
        rejected: records refused.
        first: first day (UTC) of its records; None without any.
        last: last day.
        rows: rows or objects in the file, good or bad: `read`, but for counts.
        compressed: '', `gzip`, `zip` or `zstd`.
        encoding: `utf-8`, `utf-8-sig` or `utf-16`; '' of what is no text.
        size: bytes on disk.
        sha256: of the file, where another one is as long; else ''.
        delivered: whether records come as the API delivers them, copies included.
        size_basis: what sizes measure, see `tables.REDUCTION`; '' without records.
        redacted: whether something in it was blacked out, so that sizes mean nothing.
        from_columns: records counted from the other columns of their row, because AuditData is empty, redacted or cut.
        result_count: what ResultCount says the search found; None without that column.
        time_ordered: whether its rows run in time order, by the first hundreds; None where they are too few to say.
        zone: the zone of its dates where that is not UTC.
        whole_edges: of rows in time order, whether its first and last day are whole, so that no end was cut off.
        true_count: the portal's total, as stated.
        weight: what each of its records stands for.
        counts: whether it holds counts made at the source.
    """

    path: Path
    shown: str = ""
    kind: str = ""
    title: str = ""
    read: int = 0
    distinct: int = 0
    rejected: int = 0
    first: date | None = None
    last: date | None = None
    rows: int = 0
    compressed: str = ""
    encoding: str = ""
    size: int = 0
    sha256: str = ""
    delivered: bool = False
    size_basis: str = ""
    redacted: bool = False
    from_columns: int = 0
    result_count: int | None = None
    time_ordered: bool | None = None
    zone: str = ""
    whole_edges: bool = False
    true_count: int | None = None
    weight: float = 1.0
    counts: bool = False


@dataclass(frozen=True)
class Reduction:
    """What audit exports come to.

    Attributes:
        table: `tables.REDUCTION`, in order of its keys.
        hours: `tables.HOURS`, in order of its keys.
        files: the account of each file, in the order given.
        read: records in all files; always `distinct + duplicates + rejected`.
        distinct: distinct records over all files together.
        duplicates: further copies of them.
        rejected: records that could not be read.
        rejects: the first `SHOWN_REJECTS` of them of each file.
        first: first day (UTC).
        last: last day.
        findings: what the sample itself shows to be wrong or doubtful.
        cut: whether a file was cut at a limit and no true count corrects it: volumes are at least what is shown.
    """

    table: pd.DataFrame
    hours: pd.DataFrame
    files: list[FileCount]
    read: int
    distinct: int
    duplicates: int
    rejected: int
    rejects: list[Reject]
    first: date
    last: date
    findings: list[Finding]
    cut: bool = False


@dataclass(frozen=True)
class Account:
    """All files together, and what the sample says against itself; see `Reduction`."""

    read: int
    distinct: int
    duplicates: int
    rejected: int
    first: date
    last: date
    findings: list[Finding]
    cut: bool


@dataclass
class Books:
    """What reading came to: the engine with the tables `reduction` and `hours`, and the account of each file."""

    engine: Engine
    files: list[FileCount]
    rejects: list[Reject]
    findings: list[Finding]
    overlaps: list[tuple[int, int, int]] = field(default_factory=list)

    def account(self) -> Account:
        """The sum of the files, examined."""
        from estimator.audit import doctor

        digest = self.engine.digest()
        read, rejected = (sum(getattr(file, name) for file in self.files) for name in ("read", "rejected"))
        duplicates = read - rejected - digest.events
        found = doctor.examine(self.files, digest, duplicates=duplicates, overlaps=self.overlaps)
        return Account(
            read,
            digest.events,
            duplicates,
            rejected,
            digest.days[0],
            digest.days[-1],
            [*self.findings, *doctor.refused(self.files, self.rejects), *found],
            any(map(doctor.is_cut, self.files)),
        )


def books_of(engine: Engine, readings: Sequence[Reading], true_counts: TrueCounts) -> Books:
    """Close the engine's books over files that have been read.

    Raises:
        AuditExportError: there is no record in any of them.
        UsageError: `true_counts` make no sense.
    """
    from estimator.audit import doctor

    findings = [_refused(reading) for reading in readings if reading.problem]
    hashes = _hashes_of_equals(readings)
    drafts = [_draft(reading, hashes.get(number, "")) for number, reading in enumerate(readings)]
    rows = engine.rows_of_files()
    drafts = [
        replace(draft, rows=rows.get(number, 0) + reading.rejected.rows,
                read=(rows.get(number, 0) if not draft.counts else 0) + reading.rejected.count)
        for number, (draft, reading) in enumerate(zip(drafts, readings, strict=True))
    ]  # fmt: skip
    drafts = [
        replace(draft, whole_edges=engine.has_whole_edges(number)) if draft.time_ordered and true_counts else draft
        for number, draft in enumerate(drafts)
    ]
    drafts = _with_true_counts(drafts, true_counts)
    weights = {number: doctor.weight_of(draft) for number, draft in enumerate(drafts)}

    def refuse(number: int, why: str, records: int) -> None:
        readings[number].rejected.add(why, lambda: "counts made at the source would be counted twice", records)
        findings.append(_overlapping(readings[number].source.shown, why, records))

    accepted = engine.close_books({number: weight for number, weight in weights.items() if weight != 1}, refuse)
    files = [
        _count(draft, accepted.get(number), readings[number].rejected, weights[number])
        for number, draft in enumerate(drafts)
    ]
    rejects = [Reject(one.source.shown, *first) for one in readings for first in one.rejected.first]
    findings += _day_first(readings)
    if not accepted:
        raise _nothing(files, rejects, findings)
    return Books(engine, files, rejects, findings, engine.overlaps())


def _hashes_of_equals(readings: Sequence[Reading]) -> dict[int, str]:
    """The hash of every file as long as another one: hashing all would take as long as reading them."""
    found = {number: reading.sha256 for number, reading in enumerate(readings) if reading.sha256}
    alike = Counter(reading.source.size for reading in readings)
    for number, reading in enumerate(readings):
        source = reading.source
        local = source.path.is_file() and not source.member and not source.problem
        if local and source.size and alike[source.size] > 1:
            with source.path.open("rb") as file:
                found[number] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _draft(reading: Reading, sha256: str) -> FileCount:
    source, shape = reading.source, reading.shape
    if shape is None:
        return FileCount(source.path, source.shown, size=source.size, sha256=sha256)
    return FileCount(
        path=source.path,
        shown=source.shown,
        kind=shape.kind,
        title=shape.title,
        compressed="zip" if source.member else shape.compression,
        encoding="" if shape.framing in ("xlsx", "parquet") else shape.encoding,
        size=source.size,
        sha256=sha256,
        delivered=shape.recogniser.delivered,
        size_basis=shape.size_basis,
        redacted=shape.redacted,
        result_count=reading.result_count,
        time_ordered=shape.time_ordered,
        zone=shape.zone,
        counts=shape.recogniser.counts,
    )


def _with_true_counts(files: list[FileCount], true_counts: TrueCounts) -> list[FileCount]:
    """The files with what was stated of them.

    Raises:
        UsageError: a name is none of the files, a total is below the rows of its file, or nobody can say which file
            is meant.
    """
    from estimator.audit import doctor

    for name, total in true_counts.items():
        if name is None:
            mine = [n for n, file in enumerate(files) if doctor.is_cut(file)]
            mine = mine or [n for n, file in enumerate(files) if file.kind and not file.counts]
        else:
            mine = [n for n, file in enumerate(files) if name in (file.shown, str(file.path), file.path.name)]
        if len(mine) != 1:
            raise UsageError(
                f"the true count {total:,} is stated for "
                + (f"{name!r}, which {'names several' if mine else 'is none'} of the files" if name else
                   f"one export, and {len(mine)} could be meant"),
                expected="FILE=N, with FILE one of " + ", ".join(file.shown for file in files[:10]),
            )  # fmt: skip
        (number,) = mine
        if total < files[number].rows:
            raise UsageError(
                f"the true count {total:,} of {files[number].shown} is below the {files[number].rows:,} rows in it",
                expected="the total that the portal shows for the search, copies included",
            )
        files[number] = replace(files[number], true_count=total)
    return files


def _count(draft: FileCount, accepted: Accepted | None, rejected: Rejected, weight: float) -> FileCount:
    if accepted is None:
        return replace(draft, size_basis="", read=rejected.count, rejected=rejected.count, rows=rejected.rows)
    without = 0 if draft.counts or draft.redacted else accepted.records - accepted.sized
    basis = "none" if draft.redacted else accepted.size_bases[-1] if accepted.size_bases else draft.size_basis
    return replace(
        draft,
        read=accepted.records + rejected.count,
        distinct=accepted.distinct,
        rejected=rejected.count,
        first=accepted.first,
        last=accepted.last,
        rows=accepted.rows + rejected.rows,
        size_basis=basis,
        from_columns=without,
        weight=weight,
    )


def _refused(reading: Reading) -> Finding:
    source = reading.source
    mend = "" if source.problem else f" {_HOW_TO_EXPORT}"
    return Finding("file_refused", "error", f"{source.shown}: {reading.problem}. It was not read.{mend}", source.shown)


def _overlapping(shown: str, why: str, records: int) -> Finding:
    return Finding(
        "counts_overlap",
        "warning",
        f"{shown}: counts of {records:,} records are not used ({why}), because they would be counted twice. "
        "Keep either records or counts of a day, and one file of counts for an operation and day.",
        shown,
    )


def _day_first(readings: Sequence[Reading]) -> Iterator[Finding]:
    for reading in readings:
        if reading.rejected.day_first is not None:
            order = "day first" if reading.rejected.day_first else "month first"
            yield Finding(
                "date_order",
                "info",
                f"{reading.source.shown}: some dates are known only as figures; they are read {order}, "
                "as other dates of the file prove.",
                reading.source.shown,
            )


def _nothing(files: Sequence[FileCount], rejects: Sequence[Reject], findings: Sequence[Finding]) -> AuditExportError:
    """The error for a sample without a single record."""
    from estimator.audit import doctor

    names = ", ".join(file.shown for file in files) or "nothing"
    told = [*findings, *doctor.refused(files, rejects)]
    refusals = " ".join(finding.message for finding in told if finding.code == "file_refused")
    return AuditExportError(
        f"no audit record can be read from {names}" + (f": {refusals}" if refusals else ""),
        expected="at least one record with AuditData",
        mend=None if refusals else _HOW_TO_EXPORT,
    )
