"""Audit exports → one table of counts and bytes, each record accounted for: read = distinct + duplicates + rejected."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from estimator.audit.account import Books, Reduction, TrueCounts, books_of
from estimator.audit.batches import SMALL_BYTES, Batches
from estimator.audit.reading import SHOWN_REJECTS, Reading, read_source
from estimator.audit.recognise import recognise
from estimator.audit.shape import Shape
from estimator.audit.sources import Source, expand, is_text
from estimator.errors import AuditExportError

#: Called now and then, from any thread: the file being read (None at the end), bytes of all files read, bytes in all.
Progress = Callable[[str | None, int, int], None]


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
    from estimator.audit.candidates import Rejected
    from estimator.audit.engine import Engine, within_memory

    with (
        tempfile.TemporaryDirectory(prefix="siem-estimator-", ignore_cleanup_errors=True) as folder,
        Engine(memory, threads, Path(folder)) as engine,
        within_memory(),
    ):
        spill = Path(folder)
        sources = list(expand(paths, spill))
        meter = _Meter(progress, sum(source.size for source in sources))
        readings, batches = [], Batches(engine)
        for number, source in enumerate(sources):
            meter.start(source)
            small = (
                fast
                and source.size <= SMALL_BYTES
                and not source.member
                and not source.problem
                and is_text(source.path)
            )
            shape = _shape(source.path) if small else None
            if shape is not None and batches.take(number, source.path, shape):
                readings.append(Reading(source, shape, Rejected(shown=SHOWN_REJECTS)))
            else:
                readings.append(read_source(engine, number, source, spill, meter.told, shape=shape, fast=fast))
        for number in batches.finish():
            reading = readings[number]
            readings[number] = read_source(engine, number, reading.source, spill, shape=reading.shape)
        meter.end()
        yield books_of(engine, readings, true_counts or {})


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
