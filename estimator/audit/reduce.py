"""Audit exports → one table of counts and bytes, each record accounted for: read = distinct + duplicates + rejected."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from estimator.audit.batches import SMALL_BYTES, Batches
from estimator.audit.framing import Opened, framing_of
from estimator.audit.opening import as_utf8, is_whole
from estimator.audit.recognise import recognise
from estimator.audit.shape import Candidate, Shape
from estimator.audit.sources import Local, Source, expand, localise
from estimator.errors import AuditExportError, UsageError
from estimator.findings import Finding

if TYPE_CHECKING:  # DuckDB and pandas take half a second to import; only a call of `reduce` needs them
    import pandas as pd

    from estimator.audit.engine import Accepted, Engine, Rejected

#: Rejected records shown per file; the counts are exact whatever it is.
SHOWN_REJECTS = 20

#: Called now and then, from any thread: the file being read (None at the end), bytes of all files read, bytes in all.
Progress = Callable[[str | None, int, int], None]

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


def reduce(
    paths: Sequence[Path | str],
    *,
    memory: str = "1GB",
    threads: int | None = None,
    progress: Progress | None = None,
    true_counts: TrueCounts | None = None,
) -> Reduction:
    """Reduce audit exports to counts and bytes by day, subject, principal, operation, access type and application.

    Records are told apart by Id over all files together (by content where there is none). Damage costs the damaged
    record; a file of which nothing can be used is refused with the finding `file_refused`.

    Args:
        paths: exports of any recognised shape; folders of them, globs, zip archives, `-` for standard input.
        memory: DuckDB's memory limit; beyond it it spills to the folder for temporary files.
        threads: at most so many; None for one a core. The result does not depend on it.
        progress: called as bytes are read.
        true_counts: the portal's totals of searches whose export was cut.

    Raises:
        AuditExportError: there is no readable record in any of the files, or memory does not suffice.
        UsageError: `memory`, `threads` or `true_counts` make no sense.
    """
    return _reduce(paths, memory=memory, threads=threads, progress=progress, true_counts=true_counts)


def _reduce(
    paths: Sequence[Path | str],
    *,
    memory: str = "1GB",
    threads: int | None = None,
    progress: Progress | None = None,
    true_counts: TrueCounts | None = None,
    fast: bool = True,
) -> Reduction:
    """`reduce`; without `fast` every file takes the tolerant lane, which tests compare with the other."""
    with keep_books(
        paths, memory=memory, threads=threads, progress=progress, true_counts=true_counts, fast=fast
    ) as books:
        account = books.account()
        table, hours = books.engine.table(), books.engine.hours()
    return Reduction(
        table=table,
        hours=hours,
        files=books.files,
        read=account.read,
        distinct=account.distinct,
        duplicates=account.duplicates,
        rejected=account.rejected,
        rejects=books.rejects,
        first=account.first,
        last=account.last,
        findings=account.findings,
        cut=account.cut,
    )


@contextmanager
def keep_books(
    paths: Sequence[Path | str],
    *,
    memory: str = "1GB",
    threads: int | None = None,
    progress: Progress | None = None,
    true_counts: TrueCounts | None = None,
    fast: bool = True,
) -> Iterator[Books]:
    """Read everything; within the context the engine has the tables `reduction` and `hours`.

    Raises:
        AuditExportError, UsageError: as `reduce`.
    """
    from estimator.audit.engine import Engine, Rejected

    with (
        tempfile.TemporaryDirectory(prefix="siem-estimator-", ignore_cleanup_errors=True) as folder,
        Engine(memory, threads, Path(folder)) as engine,
    ):
        spill = Path(folder)
        sources = list(expand(paths, spill))
        meter = _Meter(progress, sum(source.size for source in sources))
        readings, batches = [], Batches(engine)
        for number, source in enumerate(sources):
            meter.start(source)
            small = fast and source.size <= SMALL_BYTES and not source.member and not source.problem
            shape = _shape(source.path) if small else None
            if shape is not None and batches.take(number, source.path, shape):
                readings.append(Reading(source, shape, Rejected(shown=SHOWN_REJECTS)))
            else:
                readings.append(read_source(engine, number, source, spill, meter.told, shape=shape, fast=fast))
        for number in batches.finish():
            reading = readings[number]
            readings[number] = read_source(engine, number, reading.source, spill, shape=reading.shape)
        meter.end()
        yield _books(engine, readings, true_counts or {})


def _shape(path: Path) -> Shape | None:
    """The shape of a file; None also where it cannot be told, which `read_source` then says."""
    try:
        return recognise(path)
    except (AuditExportError, OSError):
        return None


class _Meter:
    """Bytes read of all files, for `Progress`."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total = progress, total
        self._before = self._here = 0
        self._source: Source | None = None

    def start(self, source: Source) -> None:
        """A file begins, the one before is done."""
        self._before += self._source.size if self._source else 0
        self._here, self._source = 0, source
        self._tell()

    def told(self, count: int, *, restart: bool = False) -> None:
        """So many more bytes of the file were read; with `restart`, so many in all."""
        self._here = count if restart else self._here + count
        self._tell()

    def end(self) -> None:
        """All is read."""
        if self._progress:
            self._progress(None, self._total, self._total)

    def _tell(self) -> None:
        if self._progress and self._source:
            self._progress(self._source.shown, self._before + min(self._here, self._source.size), self._total)


@dataclass
class Reading:
    """One file, read into an engine; `sha256` where it was read elsewhere, and another one is as long."""

    source: Source
    shape: Shape | None
    rejected: Rejected
    problem: str = ""
    result_count: int | None = None
    sha256: str = ""


Told = Callable[..., None]


def read_source(
    engine: Engine,
    number: int,
    source: Source,
    spill: Path,
    told: Told | None = None,
    *,
    shape: Shape | None = None,
    fast: bool = True,
) -> Reading:
    """One file into the engine: by the fast lane if that takes it whole, else by the tolerant one.

    Its `shape` is told from the file itself, where it is not known.
    """
    from estimator.audit.engine import Rejected

    reading = Reading(source, None, Rejected(shown=SHOWN_REJECTS), source.problem)
    if source.problem:
        return reading
    try:
        local = localise(source, spill)
        shape = shape or recognise(local.path)
    except (AuditExportError, OSError) as error:
        reading.problem = error.found if isinstance(error, AuditExportError) else f"cannot be read: {error.strerror}"
        return reading
    if shape is None:
        reading.problem = local.damage or _why_unknown(local.path)
        return reading
    reading.shape = shape
    try:
        _read(engine, number, local, shape, reading.rejected, spill, told, fast=fast)
        reading.result_count = _result_count(engine, local.path, shape)
    finally:
        if source.member:
            local.path.unlink(missing_ok=True)
    return reading


def _why_unknown(path: Path) -> str:
    from estimator.audit.framing import xlsx_rows

    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04" and (fault := xlsx_rows.fault(path)):
        return fault
    if not path.stat().st_size:
        return "is empty"
    return "is not an audit export of a known shape"


def _read(
    engine: Engine,
    number: int,
    local: Local,
    shape: Shape,
    rejected: Rejected,
    spill: Path,
    told: Told | None,
    *,
    fast: bool,
) -> None:
    framing = framing_of(shape)
    if fast and local.damage is None and _load_fast(engine, number, local.path, shape, spill, told):
        return
    more = (lambda count: told(count)) if told else None
    if told:
        told(0, restart=True)
    opened = Opened(local.path, shape, more, local.damage)
    engine.load_candidates(number, shape, _until_damage(framing.candidates(opened), opened, rejected), rejected)


def _load_fast(engine: Engine, number: int, path: Path, shape: Shape, spill: Path, told: Told | None) -> bool:
    from estimator.audit.engine import UnreadableError

    framing, copy = framing_of(shape), None
    relation = framing.relation(shape)
    readable = shape
    if relation is None and shape.framing in ("csv", "jsonl", "array"):
        # What DuckDB cannot take as it stands (UTF-16, a line before the header) it can as a copy.
        table = shape.table and replace(shape.table, preamble=0)
        readable = replace(shape, compression="", encoding="utf-8", table=table)
        relation = framing.relation(readable)
        copy = relation and as_utf8(path, shape.compression, shape.encoding, shape.table.preamble if shape.table else 0, spill)
    if relation is None or (readable is not shape and copy is None):
        return False
    size, stop = path.stat().st_size, Event()
    share = (lambda part: told(int(part * size), restart=True)) if told else None
    with ThreadPoolExecutor(1) as pool:
        whole = pool.submit(is_whole, path, readable.compression, stop) if readable.compression else None
        try:
            engine.load(number, copy or path, readable, relation, share)
        except UnreadableError:
            return False
        else:
            if whole is None or whole.result():
                if told:
                    told(size, restart=True)
                return True
            engine.unload(number)
            return False
        finally:
            stop.set()
            if copy:
                copy.unlink()


def _until_damage(candidates: Iterator[Candidate], opened: Opened, rejected: Rejected) -> Iterator[Candidate]:
    """The candidates; the one in which the file's own damage begins is rejected for that, whatever it looks like."""
    last: Candidate | None = None
    for candidate in candidates:
        if last is not None:
            yield last
        last = candidate
    damage = opened.found_damage()
    if damage is not None:
        rejected.add(last.place if last else "the beginning", lambda: damage)
    elif last is not None:
        yield last


def _result_count(engine: Engine, path: Path, shape: Shape) -> int | None:
    """What the ResultCount column of Search-UnifiedAuditLog says was found, over all its sessions in the file.

    A count up to 5,000 fits one call and proves no cut; since 2026 it may just repeat -ResultSize
    (invictus-ir/Microsoft-Extractor-Suite#199).
    """
    from estimator.audit.framing.csv_rows import CsvRows

    if not shape.result_count or shape.framing != "csv" or shape.table is None:
        return None
    column = shape.table.names.index("ResultCount")
    relation = CsvRows().relation(replace(shape, billed=False, table=replace(shape.table, cell=column)))
    found = engine.tally(path, relation) if relation else None
    if not found:
        return None
    return sum(max(count, rows) if count > 5_000 else rows for count, rows in found)


# -------------------------------------------------------------------------------------------------- the account


def _books(engine: Engine, readings: Sequence[Reading], true_counts: TrueCounts) -> Books:
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
    return Finding(
        "file_refused", "error", f"{source.shown}: {reading.problem}. It was not read.{mend}", source.shown
    )


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
                f"{reading.source.shown}: some dates are known only as day and month in figures; they are read {order}, "
                "as other dates of the file prove.",
                reading.source.shown,
            )


def _nothing(
    files: Sequence[FileCount], rejects: Sequence[Reject], findings: Sequence[Finding]
) -> AuditExportError:
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

