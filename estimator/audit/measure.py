"""The reduction alone, as `measure` tells it: what was read, by operation, and the counts themselves into a file.

Nothing here goes through pandas: `measure` is to take little longer than DuckDB takes to read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from estimator.audit.account import Books, FileCount, Reject, TrueCounts
from estimator.audit.reduce import Progress, keep_books
from estimator.errors import UsageError
from estimator.findings import Finding

if TYPE_CHECKING:
    from estimator.audit.engine import Engine


@dataclass(frozen=True)
class Measured:
    """What audit exports come to, summed up.

    Attributes:
        records: read; always `distinct + duplicates + rejected`.
        distinct: distinct records over all files together.
        duplicates: further copies of them.
        rejected: records that could not be read.
        first, last: days (UTC).
        subjects: mailboxes and sites acted on.
        operations: by `Workload/Operation`: distinct records, records with copies, bytes, subjects.
        files: the account of each file.
        rejects: the first rejected records of each file.
        findings: what the exports say against themselves.
        peak: the busiest hour of each operation: day, hour (UTC), distinct records in it.
        cut: whether a file was cut at a limit and no true count corrects it.
        sized: distinct records with a size, by operation.
    """

    records: int
    distinct: int
    duplicates: int
    rejected: int
    first: date
    last: date
    subjects: int
    operations: list[tuple[str, int, int, int, int]]
    files: list[FileCount]
    rejects: list[Reject]
    findings: list[Finding]
    peak: list[tuple[str, date, int, int]]
    cut: bool
    sized: dict[str, int]


def measure(
    paths: Sequence[Path | str],
    *,
    engine: str = "duckdb",
    master: str | None = None,
    memory: str = "1GB",
    threads: int | None = None,
    out: Path | None = None,
    true_counts: TrueCounts | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Reduce audit exports, and say what they come to.

    Args:
        paths: as for `reduce`; with Spark also tables (`catalog.schema.table`) and URLs Spark can read.
        engine: `duckdb`, or `spark` for more than one machine.
        master: of Spark.
        memory: the engine's memory limit.
        threads: at most so many; None for one a core.
        out: a .csv, .json or .parquet file for the counts, in the shape that is read again.
        true_counts: see `reduce`.
        progress: see `reduce`.

    Raises:
        AuditExportError, UsageError: as `reduce`.
    """
    keep: Callable[..., AbstractContextManager[Books]]
    if engine == "spark":
        from estimator.audit.spark import keep_books_on_spark as keep
    elif engine == "duckdb":
        keep = keep_books
    else:
        raise UsageError(f"there is no engine {engine!r}", expected="duckdb or spark")
    options: dict[str, Any] = {"master": master} if engine == "spark" else {}
    with keep(paths, memory=memory, threads=threads, progress=progress, true_counts=true_counts, **options) as books:
        if out is not None:
            books.engine.write(out)
        operations, sized = _operations(books.engine)
        account = books.account()
        peak = _peak(books.engine)
        subjects = books.engine.db.execute(
            "SELECT count(*) FROM (SELECT DISTINCT subject FROM reduction) WHERE subject <> ''"
        ).fetchall()[0][0]
    return Measured(
        account.read,
        account.distinct,
        account.duplicates,
        account.rejected,
        account.first,
        account.last,
        subjects,
        operations,
        books.files,
        books.rejects,
        account.findings,
        peak,
        account.cut,
        sized,
    )


def _operations(engine: Engine) -> tuple[list[tuple[str, int, int, int, int]], dict[str, int]]:
    """By key as the catalogue spells it."""
    from estimator.operations import operation_key

    found: dict[str, list[int]] = {}
    sized: dict[str, int] = {}
    for workload, operation, events, raw, size, subjects, with_size in engine.db.execute(
        # By subject first: names are numbers there, and distinct ones need no second look.
        "SELECT workload::VARCHAR, operation::VARCHAR, sum(events)::BIGINT, sum(raw)::BIGINT, sum(bytes)::BIGINT,"
        " count(*) FILTER (subject <> ''), sum(sized)::BIGINT FROM (SELECT workload, operation, subject,"
        " sum(events) AS events, sum(raw_events) AS raw, sum(bytes) AS bytes,"
        " coalesce(sum(events) FILTER (size_basis <> 'none'), 0) AS sized FROM reduction GROUP BY ALL)"
        " GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        key = operation_key(workload, operation)
        # Two spellings of one operation share subjects; nobody has seen that, and their larger count is close enough.
        before = found.get(key, [0, 0, 0, 0])
        found[key] = [before[0] + events, before[1] + raw, before[2] + size, max(before[3], subjects)]
        sized[key] = sized.get(key, 0) + with_size
    return [(key, *counts) for key, counts in sorted(found.items())], sized  # type: ignore[misc]


def _peak(engine: Engine) -> list[tuple[str, date, int, int]]:
    from estimator.operations import operation_key

    rows = engine.db.execute(
        "SELECT workload::VARCHAR, operation::VARCHAR, day, hour, events FROM hours WHERE hour >= 0"
        " QUALIFY row_number() OVER (PARTITION BY workload, operation ORDER BY events DESC, day, hour) = 1 ORDER BY ALL"
    ).fetchall()
    best: dict[str, tuple[str, date, int, int]] = {}
    for workload, operation, day, hour, events in rows:
        key = operation_key(workload, operation)
        if key not in best or events > best[key][3]:
            best[key] = (key, day, hour, events)
    return list(best.values())
