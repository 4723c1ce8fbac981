"""Audit exports → one table of counts and bytes, each record accounted for: read = distinct + duplicates + rejected."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from estimator.audit import checks
from estimator.audit.opening import GuardedReader, gzip_is_whole, open_text
from estimator.audit.recognise import kind_of, recognise
from estimator.audit.shape import Candidate, Shape
from estimator.errors import AuditExportError
from estimator.findings import Finding

if TYPE_CHECKING:  # DuckDB and pandas take half a second to import; only a call of `reduce` needs them
    import pandas as pd

    from estimator.audit.engine import Accepted, Engine, Rejected

#: Rejected records shown per file; the counts are exact whatever it is.
SHOWN_REJECTS = 20

#: Called before each file and once at the end: the file (None at the end), files done, files in all.
Progress = Callable[[Path | None, int, int], None]

_HOW_TO_EXPORT = (
    "Export AuditData whole: Purview portal > Audit > Search > Export, or Search-UnifiedAuditLog | Export-Csv, or the "
    "Management Activity API."
)


@dataclass(frozen=True)
class Reject:
    """A record that is not counted.

    Attributes:
        path: its file.
        place: where in it, in words: `line 12` (of the text, not the row), `record 3`.
        reason: why.
    """

    path: Path
    place: str
    reason: str


@dataclass(frozen=True)
class FileCount:
    """The account of one file.

    Attributes:
        path: as it was given.
        kind: the shape's kind; '' where it has none.
        read: records in the file, good or bad.
        distinct: distinct records within this file; the same record may stand in another one too.
        rejected: records refused.
        first: first day (UTC) of its records; None without any.
        last: last day.
    """

    path: Path
    kind: str
    read: int
    distinct: int
    rejected: int
    first: date | None
    last: date | None


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


def reduce(
    paths: Sequence[Path],
    *,
    memory: str = "1GB",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Reduction:
    """Reduce audit exports to counts and bytes by day, subject, principal, operation, access type and application.

    Records are told apart by Id over all files together (by content where there is none). Damage costs the damaged
    record; a file of which nothing can be used is refused with the finding `file_refused`.

    Args:
        paths: the exports, of any recognised shape.
        memory: DuckDB's memory limit; beyond it it spills to the folder for temporary files.
        threads: at most so many; None for one a core. The result does not depend on it.
        progress: called before each file and at the end.

    Raises:
        AuditExportError: there is no readable record in any of the files, or memory does not suffice.
        UsageError: `memory` or `threads` make no sense.
    """
    return _reduce(paths, memory=memory, threads=threads, progress=progress)


def _reduce(
    paths: Sequence[Path],
    *,
    memory: str = "1GB",
    threads: int | None = None,
    progress: Progress | None = None,
    fast: bool = True,
) -> Reduction:
    """`reduce`; without `fast` every file takes the tolerant lane, which tests compare with the other."""
    from estimator.audit.engine import Engine, Rejected

    with (
        tempfile.TemporaryDirectory(prefix="siem-estimator-", ignore_cleanup_errors=True) as spill,
        Engine(memory, threads, Path(spill)) as engine,
    ):
        files: list[tuple[Path, Shape | None, Rejected]] = []
        findings: list[Finding] = []
        for number, path in enumerate(paths):
            if progress:
                progress(path, number, len(paths))
            rejected = Rejected(shown=SHOWN_REJECTS)
            shape = _shape(path, findings)
            if shape is not None:
                _read(engine, number, path, shape, rejected, fast=fast)
            files.append((path, shape, rejected))
        accepted = engine.close_books()
        counts = [
            _count(path, shape, accepted.get(number), rejected) for number, (path, shape, rejected) in enumerate(files)
        ]
        rejects = [Reject(path, *first) for path, _, rejected in files for first in rejected.first]
        findings += checks.refused(counts, rejects)
        if not accepted:
            raise _nothing(counts, findings)
        table, hours = engine.table(), engine.hours()
    if progress:
        progress(None, len(paths), len(paths))
    distinct = int(table["events"].sum())
    duplicates = int(table["raw_events"].sum()) - distinct
    findings += checks.at_export_limit(counts)
    findings += checks.copies(distinct, duplicates)
    findings += checks.throttled(table)
    findings += checks.span(table["day"])
    return Reduction(
        table=table,
        hours=hours,
        files=counts,
        read=sum(file.read for file in counts),
        distinct=distinct,
        duplicates=duplicates,
        rejected=sum(file.rejected for file in counts),
        rejects=rejects,
        first=table["day"].min().date(),
        last=table["day"].max().date(),
        findings=findings,
    )


def _shape(path: Path, findings: list[Finding]) -> Shape | None:
    try:
        shape = recognise(path)
        problem = f"{path}: is not an audit export of a known shape."
    except AuditExportError as error:
        shape, problem = None, str(error)
    if shape is None:
        findings.append(Finding("file_refused", "error", f"{problem} It was not read. {_HOW_TO_EXPORT}", str(path)))
    return shape


def _read(engine: Engine, number: int, path: Path, shape: Shape, rejected: Rejected, *, fast: bool) -> None:
    """One file into the engine: by the fast lane if that takes it whole, else by the tolerant one."""
    kind = kind_of(shape)
    relation = kind.relation(shape) if fast else None
    if relation is not None and _load_fast(engine, number, path, shape, relation):
        return
    text, guard = open_text(path, shape, kind.newline)
    with text:
        engine.load_candidates(number, _until_damage(kind.candidates(text, shape), guard, rejected), rejected)


def _load_fast(engine: Engine, number: int, path: Path, shape: Shape, relation: str) -> bool:
    from estimator.audit.engine import UnreadableError

    stop = Event()
    with ThreadPoolExecutor(1) as pool:
        whole = pool.submit(gzip_is_whole, path, stop) if shape.compressed else None
        try:
            engine.load(number, path, relation)
        except UnreadableError:
            return False
        else:
            if whole is None or whole.result():
                return True
            engine.unload(number)
            return False
        finally:
            stop.set()


def _until_damage(candidates: Iterator[Candidate], guard: GuardedReader, rejected: Rejected) -> Iterator[Candidate]:
    """The candidates; the one in which the file's own damage begins is rejected for that, whatever it looks like."""
    last: Candidate | None = None
    for candidate in candidates:
        if last is not None:
            yield last
        last = candidate
    damage = guard.damage
    if damage is not None:
        rejected.add(last.place if last else "the beginning", lambda: damage)
    elif last is not None:
        yield last


def _count(path: Path, shape: Shape | None, accepted: Accepted | None, rejected: Rejected) -> FileCount:
    return FileCount(
        path=path,
        kind=shape.kind if shape else "",
        read=(accepted.records if accepted else 0) + rejected.count,
        distinct=accepted.distinct if accepted else 0,
        rejected=rejected.count,
        first=accepted.first if accepted else None,
        last=accepted.last if accepted else None,
    )


def _nothing(files: Sequence[FileCount], findings: Sequence[Finding]) -> AuditExportError:
    """The error for a sample without a single record."""
    names = ", ".join(str(file.path) for file in files)
    refusals = " ".join(finding.message for finding in findings if finding.code == "file_refused")
    return AuditExportError(
        f"no audit record can be read from {names}" + (f": {refusals}" if refusals else ""),
        expected="at least one record with AuditData",
        mend=None if refusals else _HOW_TO_EXPORT,
    )
