"""The reduction in DuckDB: rows of files become rows of one narrow table, copies are told apart, records become counts.

Each file is read in one of two lanes into the same table, one row a record.

* The fast lane is one strict statement: DuckDB reads, parses and inserts. Any damage, any record without an operation
  or a readable day, takes all of it back and leaves nothing behind. DuckDB's own account of rejected rows is not used:
  it repeats and under-reports (perf_lab §6).
* The tolerant lane takes the same file apart in Python, record by record with its place, and hands the texts to the
  same SQL (`meaning.py`). So both lanes agree by construction, and nothing is lost unseen. Dates that may begin with
  their day or their month wait until the file is read: then what the file itself proves decides, or they are refused.

When all is read, `sums.py` finds the copies and adds up, and `results.py` hands out what came of it. Memory is bounded
by DuckDB's limit, beyond which it spills to disk. No result depends on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any

import duckdb

from estimator.audit import results, sums
from estimator.audit.candidates import BATCH_RECORDS, NO_COUNT, Rejected, batches, why_refused
from estimator.audit.meaning import MACROS, Statement, select
from estimator.audit.shape import Candidate, Shape, absolute, duckdb_path, sql_text
from estimator.audit.sums import Accepted, Refuse
from estimator.errors import AuditExportError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from estimator.audit.doctor.digest import Digest

#: Hours of the night in which a whole day may hold nothing; with 50,000 records and more that is already much.
_EDGE_HOURS = 2

_SETUP = f"""
SET TimeZone = 'UTC';
SET enable_progress_bar = true;
SET enable_progress_bar_print = false;
{MACROS}
CREATE TEMP TABLE records (
  file INTEGER, key UUID, day DATE, hour TINYINT, subject VARCHAR, principal VARCHAR, workload VARCHAR,
  operation VARCHAR, access_type VARCHAR, app_id VARCHAR, throttled BOOLEAN, items INTEGER, bytes BIGINT);
CREATE TEMP TABLE counts (
  file INTEGER, day DATE, subject VARCHAR, principal VARCHAR, workload VARCHAR, operation VARCHAR, access_type VARCHAR,
  app_id VARCHAR, throttled BOOLEAN, events BIGINT, raw_events BIGINT, items BIGINT, bytes BIGINT, size_basis VARCHAR,
  weight DOUBLE);
CREATE TEMP TABLE files (file INTEGER, basis TINYINT, weight DOUBLE);
CREATE TEMP TABLE bases (basis TINYINT, size_basis VARCHAR);
"""


class UnreadableError(Exception):
    """The fast lane cannot take this file; the message is DuckDB's."""


class Engine:
    """A DuckDB of its own with the tables `records` and `counts`, for one reduction.

    Args:
        memory: DuckDB's memory limit, such as `512MB`; the process takes about 120 MB more.
        threads: at most so many; None for one a core.
        spill: folder for what does not fit in memory.

    Raises:
        UsageError: the limit is no size.
    """

    def __init__(self, memory: str, threads: int | None, spill: Path) -> None:
        config: dict[str, Any] = {
            "memory_limit": memory,
            "temp_directory": str(spill),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if threads is not None:
            config["threads"] = threads
        try:
            self.db = duckdb.connect(config=config)
        except duckdb.Error as error:
            raise UsageError(
                f"memory limit {memory!r}{f' with {threads} threads' if threads is not None else ''} is refused: "
                f"{_first_line(error)}",
                expected="a size such as 512MB or 2GB, and at least one thread",
            ) from error
        self.db.execute(_SETUP)
        self._shapes: dict[int, Shape] = {}

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.db.close()

    # ------------------------------------------------------------------------------------------------ reading

    def load(
        self, file: int, path: Path, shape: Shape, relation: str, told: Callable[[float], None] | None = None
    ) -> None:
        """The fast lane: all records of a file, or none.

        Args:
            file: its number.
            path: where it is.
            shape: what it was taken for.
            relation: see `Framing.relation`.
            told: called with the share that was read, now and then.

        Raises:
            UnreadableError: something in it is not as it should be.
        """
        statement = Statement.of(shape)
        source = f"SELECT {file}, {', '.join(statement.columns)} FROM ({select(shape, relation)})"
        self._insert(statement, source, {"path": duckdb_path(path)}, [file], told)
        self._shapes[file] = shape

    def load_many(self, files: Mapping[int, Path], shape: Shape, relation: str) -> None:
        """The fast lane for many files of records of one shape: all records of all of them, or none.

        Args:
            files: by number.
            shape: what they all were taken for.
            relation: see `framing.over_many`.

        Raises:
            UnreadableError: something in one of them is not as it should be.
        """
        statement = Statement.of(shape)
        names = ", ".join(f"({sql_text(str(absolute(path)))}, {number})" for number, path in files.items())
        self.db.execute(f"CREATE OR REPLACE TEMP TABLE names AS FROM (VALUES {names}) AS names(filename, file)")
        source = (
            f"SELECT file, {', '.join(statement.columns)} FROM ({select(shape, relation, keep='filename')})"
            " LEFT JOIN names USING (filename)"
        )
        self._insert(statement, source, {"paths": [duckdb_path(path) for path in files.values()]}, list(files), None)
        self._shapes |= dict.fromkeys(files, shape)

    def _insert(
        self,
        statement: Statement,
        source: str,
        given: dict[str, Any],
        files: Sequence[int],
        told: Callable[[float], None] | None,
    ) -> None:
        """Rows into a table, of which no row of these files may be unreadable."""
        mine = f"file BETWEEN {min(files)} AND {max(files)}"
        self.db.execute("BEGIN")
        try:
            with _Watch(self.db, told):
                rows = self.db.execute(f"INSERT INTO {statement.table} {source}", given).fetchall()[0][0]
            bad = self.db.execute(
                f"SELECT 1 FROM {statement.table} WHERE file IS NULL OR {mine} AND ({statement.readable}) IS NOT TRUE"
                " LIMIT 1"
            ).fetchone()
        except duckdb.OutOfMemoryException:
            self.db.execute("ROLLBACK")
            raise
        except (duckdb.Error, UnicodeDecodeError) as error:  # its messages quote bytes that are no text
            self.db.execute("ROLLBACK")
            raise UnreadableError(_first_line(error)) from error
        self.db.execute("ROLLBACK" if bad else "COMMIT")
        if bad or not rows:  # where DuckDB sees nothing at all, somebody else should look
            raise UnreadableError("no record, or one without an operation or a readable day")

    def unload(self, file: int) -> None:
        """Take a file's records out again."""
        for table in ("records", "counts"):
            self.db.execute(f"DELETE FROM {table} WHERE file = $file", {"file": file})

    def tally(self, path: Path, relation: str) -> list[tuple[int, int]]:
        """How often each whole number stands in the column `text`; none where the file is damaged."""
        query = f"SELECT try_cast(text AS BIGINT) AS n, count(*) FROM ({relation}) GROUP BY ALL HAVING n IS NOT NULL"
        try:
            return self.db.execute(query, {"path": duckdb_path(path)}).fetchall()
        except duckdb.Error:
            return []

    def rows_of_files(self) -> dict[int, int]:
        """Rows accepted so far by file number."""
        union = "SELECT file FROM records UNION ALL SELECT file FROM counts"
        return dict(self.db.execute(f"SELECT file, count(*) FROM ({union}) GROUP BY file").fetchall())

    def has_whole_edges(self, file: int) -> bool:
        """Whether the first day of a file's records begins in its first hours and the last ends in its last ones."""
        found = self.db.execute(
            "SELECT min(hour) FILTER (day = first), max(hour) FILTER (day = last) FROM records,"
            " (SELECT min(day) AS first, max(day) AS last FROM records WHERE file = $file)"
            " WHERE file = $file AND hour >= 0",
            {"file": file},
        ).fetchall()
        begins, ends = found[0]
        return begins is not None and ends is not None and begins <= _EDGE_HOURS and ends >= 23 - _EDGE_HOURS

    def load_candidates(self, file: int, shape: Shape, candidates: Iterable[Candidate], rejected: Rejected) -> None:
        """The tolerant lane: the candidates that are records, the others into `rejected`."""
        self._shapes[file] = shape
        statement = Statement.of(shape)
        columns, votes, waiting = ", ".join(statement.columns), [0, 0], False
        for batch in batches(candidates):
            self.db.register("candidates", batch)
            try:
                self.db.execute(
                    f"CREATE OR REPLACE TEMP TABLE batch AS {select(shape, 'FROM candidates', tolerant=True)}"
                )
                if not waiting:
                    self.db.execute("CREATE OR REPLACE TEMP TABLE waiting AS FROM batch LIMIT 0")
                    waiting = True
                self.db.execute(
                    f"INSERT INTO {statement.table} SELECT {file}, {columns} FROM batch WHERE {statement.readable};"
                    "INSERT INTO waiting FROM batch WHERE operation <> '' AND d.y <> ''"
                )
                for side, vote in enumerate(self.db.execute(_VOTES).fetchone() or (0, 0)):
                    votes[side] += vote
                refused = self.db.execute(
                    f"SELECT place, fault, text, operation, moment{_worth(statement)} FROM batch"
                    f" WHERE ({statement.readable}) IS NOT TRUE AND NOT coalesce(operation <> '' AND d.y <> '', FALSE)"
                    " ORDER BY number"
                ).fetchall()
            finally:
                self.db.unregister("candidates")
            for place, fault, text, operation, moment, worth in refused:
                reason = partial(why_refused, shape, fault, text, operation, moment)
                rejected.add(place, reason, worth)
        if waiting:
            self._decide(file, statement, votes, rejected)

    def _decide(self, file: int, statement: Statement, votes: Sequence[int], rejected: Rejected) -> None:
        """Read the dates that may begin with their day or their month, as the file itself proves; else refuse them."""
        if not self.db.execute("SELECT count(*) FROM waiting").fetchall()[0][0]:
            return
        month_first, day_first = votes
        if bool(month_first) != bool(day_first):
            rejected.day_first = bool(day_first)
            date_of = "day_first(d)" if day_first else "month_first(d)"
        else:  # nothing or everything speaks for it: only dates that can be but one day are sure
            either = "coalesce(day_first(d), month_first(d))"
            date_of = f"CASE WHEN coalesce(day_first(d) = month_first(d), TRUE) THEN {either} END"
        self.db.execute(f"UPDATE waiting SET day = {date_of}, hour = hour_of(d)")
        columns = ", ".join(statement.columns)
        self.db.execute(
            f"INSERT INTO {statement.table} SELECT {file}, {columns} FROM waiting WHERE {statement.readable}"
        )
        why = "nothing in the file settles it" if not month_first else "the file has dates that prove either of the two"
        refused = self.db.execute(
            f"SELECT place, moment, day{_worth(statement)} FROM waiting WHERE ({statement.readable}) IS NOT TRUE"
            " ORDER BY number"
        )
        while some := refused.fetchmany(BATCH_RECORDS):  # they may be all of a file larger than memory
            for place, moment, day, worth in some:
                text = f"the date {(moment or '')[:40]!r} may begin with its day or its month, and {why}"
                rejected.add(place, partial(str, text if day is None else NO_COUNT), worth)
        self.db.execute("DROP TABLE waiting")

    # ------------------------------------------------------------------------------------------------ the books

    def close_books(self, weights: Mapping[int, float], refuse: Refuse) -> dict[int, Accepted]:
        """See `sums.close_books`; afterwards there are the tables `reduction` and `hours`."""
        return sums.close_books(self.db, self._shapes, weights, refuse)

    def overlaps(self) -> list[tuple[int, int, int]]:
        """Pairs of files that share records: their numbers, and how many distinct ones."""
        return sums.overlaps(self.db) if len(self._shapes) > 1 else []

    def table(self) -> pd.DataFrame:
        """See `results.table`."""
        return results.table(self.db)

    def hours(self) -> pd.DataFrame:
        """See `results.hours`."""
        return results.hours(self.db)

    def digest(self) -> Digest:
        """See `results.digest`."""
        return results.digest(self.db)

    def write(self, out: Path) -> None:
        """See `results.write`.

        Raises:
            OSError: it cannot be written.
        """
        results.write(self.db, out)


# Which of the two readings of a date its file proves: a first number above 12, or another column that tells the day.
_VOTES = """
SELECT count(*) FILTER (month_first(e) IS NOT NULL AND (day_first(e) IS NULL
           OR abs(month_first(e) - known) <= 1 AND abs(day_first(e) - known) > 1)),
       count(*) FILTER (day_first(e) IS NOT NULL AND (month_first(e) IS NULL
           OR abs(day_first(e) - known) <= 1 AND abs(month_first(e) - known) > 1))
FROM (SELECT CASE WHEN d.y <> '' THEN d ELSE day_or_month_first(beside) END AS e,
        CASE WHEN d.y <> '' THEN NULL ELSE own END AS known FROM batch) WHERE e.y <> ''
"""


def _worth(statement: Statement) -> str:
    """SQL for the records that a refused row stands for."""
    return ", greatest(coalesce(raw_events, 1), 1)" if statement.table == "counts" else ", 1"


class _Watch:
    """Tells how far a running statement is, from a thread beside it."""

    def __init__(self, db: duckdb.DuckDBPyConnection, told: Callable[[float], None] | None) -> None:
        self._db, self._told, self._stop = db, told, Event()
        self._thread = Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while self._told and not self._stop.wait(0.2):
            share = self._db.query_progress()
            if 0 < share <= 100:
                self._told(share / 100)

    def __enter__(self) -> None:
        if self._told:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._told:
            self._thread.join()


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


@contextmanager
def within_memory() -> Iterator[None]:
    """What an engine is used in: where its memory does not suffice, in whatever step, the error says so.

    Raises:
        AuditExportError: it does not.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise AuditExportError(
            f"the memory limit does not suffice to read it: {_first_line(error)}",
            mend="Give more memory (--memory 2GB), fewer threads, or a roomier folder for temporary files (TMPDIR).",
        ) from error
