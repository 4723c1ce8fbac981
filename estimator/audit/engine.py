"""The reduction in DuckDB: rows of files become rows of one narrow table, copies are told apart, records become counts.

Each file is read in one of two lanes into the same table, one row a record.

* The fast lane is one strict statement: DuckDB reads, parses and inserts. Any damage, any record without an operation
  or a readable day, takes all of it back and leaves nothing behind. DuckDB's own account of rejected rows is not used:
  it repeats and under-reports (perf_lab §6).
* The tolerant lane takes the same file apart in Python, record by record with its place, and hands the texts to the
  same SQL (`meaning.py`). So both lanes agree by construction, and nothing is lost unseen. Dates that may begin with
  their day or their month wait until the file is read: then what the file itself proves decides, or they are refused.

Then copies are found by record key alone, and only they are compared; memory is bounded by DuckDB's limit, beyond
which it spills to disk. No result depends on the number of threads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any

import duckdb

from estimator.audit.meaning import COUNT_MEASURES, KEYS, MACROS, MEASURES, Statement, select
from estimator.audit.shape import Candidate, Shape, duckdb_path, sql_text
from estimator.errors import AuditExportError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from estimator.audit.doctor.digest import Digest

#: Texts handed to DuckDB at once by the tolerant lane: few enough to stay within 100 MB whatever their size.
_BATCH_RECORDS = 4_096
_BATCH_CHARS = 16 << 20

#: Hours of the night in which a whole day may hold nothing; with 50,000 records and more that is already much.
_EDGE_HOURS = 2

#: Columns of text that repeat: as ENUMs (numbered in text order) they group and sort three times as fast as text does.
_NAMES = ("subject", "principal", "workload", "operation", "access_type", "app_id")

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

# Whose records they are is told once for each name, not for each record: an owner or a user is a mailbox only if it
# looks like a UPN, and what is neither that nor a site (app@sharepoint, GUIDs, SIDs) is the tenant's own.
_SUBJECTS = """
CREATE OR REPLACE TEMP TABLE strangers AS
SELECT subject FROM (SELECT DISTINCT subject FROM {table})
WHERE subject <> '' AND NOT is_upn(subject) AND NOT contains(subject, '://');
UPDATE {table} SET subject = '' WHERE subject IN (FROM strangers) AND (SELECT count(*) > 0 FROM strangers);
"""

_OVERLAPS = """
WITH mine AS (SELECT DISTINCT file, key FROM records SEMI JOIN copies USING (key))
SELECT a.file, b.file, count(*) FROM mine a JOIN mine b ON a.key = b.key AND a.file < b.file GROUP BY ALL ORDER BY ALL
"""

_FILES = """
SELECT file, rows, rows - coalesce(again, 0), first, last, sized, unsized
FROM (SELECT file, count(*) AS rows, min(day) AS first, max(day) AS last, count(*) FILTER (bytes > 0) AS sized,
        count(*) FILTER (bytes = 0) AS unsized FROM records GROUP BY file)
LEFT JOIN (SELECT file, count(*) - count(DISTINCT key) AS again FROM records SEMI JOIN copies USING (key) GROUP BY file)
USING (file)
"""

_COUNT_FILES = """
SELECT file, CAST(sum(raw_events) AS BIGINT), CAST(sum(events) AS BIGINT), min(day), max(day), count(*),
  list_sort(list(DISTINCT size_basis)) FROM counts GROUP BY file
"""

#: A lone half of a surrogate pair, as Microsoft's own truncation leaves one. The first branches pass over what is
#: whole: an escaped backslash, a full pair.
_SURROGATE = re.compile(
    r"\\(?:[^uU]|[uU][dD][89aAbB][0-9a-fA-F]{2}\\[uU][dD][c-fC-F][0-9a-fA-F]{2}|([uU][dD][89a-fA-F][0-9a-fA-F]{2}))"
)


class UnreadableError(Exception):
    """The fast lane cannot take this file; the message is DuckDB's."""


@dataclass(frozen=True)
class Accepted:
    """What one file came to.

    Attributes:
        records: records, copies included; of counts, what they say.
        distinct: distinct records within the file.
        first, last: first and last day.
        rows: rows of the file that were accepted; of records, as many as records.
        sized: records with a size.
        size_bases: of counts, what their sizes measure.
    """

    records: int
    distinct: int
    first: date
    last: date
    rows: int
    sized: int
    size_bases: tuple[str, ...] = ()


@dataclass
class Rejected:
    """The records of one file that were refused: how many, and the first of them as (place, reason).

    Attributes:
        shown: how many of them are kept.
        count: records refused; of a row of counts, those it stands for.
        rows: rows refused.
        day_first: how the file's dates were read that begin with a day or a month; None where there were none.
    """

    shown: int
    count: int = 0
    rows: int = 0
    first: list[tuple[str, str]] = field(default_factory=list)
    day_first: bool | None = None

    def add(self, place: str, reason: Callable[[], str], records: int = 1) -> None:
        """Count one; while there is room, ask for its reason and keep it."""
        self.count += records
        self.rows += 1
        if len(self.first) < self.shown:
            self.first.append((place, reason()))


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
                f"memory limit {memory!r} with {threads} threads is refused: {_first_line(error)}",
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
        names = ", ".join(f"({sql_text(str(path.resolve()))}, {number})" for number, path in files.items())
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
        except duckdb.OutOfMemoryException as error:
            self.db.execute("ROLLBACK")
            raise _out_of_memory(error) from error
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
        for batch in _batches(candidates):
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
            except duckdb.OutOfMemoryException as error:
                raise _out_of_memory(error) from error
            finally:
                self.db.unregister("candidates")
            for place, fault, text, operation, moment, worth in refused:
                reason = partial(_reason, statement.table, fault, text, operation, moment)
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
        for place, moment, day, worth in self.db.execute(
            f"SELECT place, moment, day{_worth(statement)} FROM waiting WHERE ({statement.readable}) IS NOT TRUE"
        ).fetchall():
            text = f"the date {(moment or '')[:40]!r} may begin with its day or its month, and {why}"
            rejected.add(place, partial(str, text if day is None else "no count"), worth)
        self.db.execute("DROP TABLE waiting")

    # ------------------------------------------------------------------------------------------------ the books

    def close_books(self, weights: dict[int, float], refuse: Callable[[int, str, int], None]) -> dict[int, Accepted]:
        """Find the copies, and the counts that stand beside records of the same days; what each file came to.

        Args:
            weights: by file number, what each of its records stands for, where that is not 1.
            refuse: called with a file's number, the reason and the records, for counts that are not used.
        """
        self._name_bases(weights)
        has_counts = bool(self.db.execute("SELECT count(*) FROM counts").fetchall()[0][0])
        self.db.execute(_SUBJECTS.format(table="records"))
        self.db.execute(self._copies())
        found = {
            file: Accepted(records, distinct, first, last, records, sized)
            for file, records, distinct, first, last, sized, _ in self.db.execute(_FILES).fetchall()
        }
        if has_counts:
            self.db.execute(_SUBJECTS.format(table="counts"))
            self._refuse_overlapping(refuse)
            for file, records, distinct, first, last, rows, bases in self.db.execute(_COUNT_FILES).fetchall():
                found[file] = Accepted(records, distinct, first, last, rows, 0, tuple(bases))
        self._sum(has_counts)
        return found

    def overlaps(self) -> list[tuple[int, int, int]]:
        """Pairs of files that share records: their numbers, and how many distinct ones."""
        return self.db.execute(_OVERLAPS).fetchall() if len(self._shapes) > 1 else []

    def _name_bases(self, weights: dict[int, float]) -> None:
        """Number what sizes measure, so that of two copies the one in AuditData's own size counts."""
        bases = sorted(
            {shape.size_basis for shape in self._shapes.values()} - {"none"}, key=lambda b: (b == "auditdata", b)
        )
        code = {"none": 0, **{basis: number for number, basis in enumerate(bases, 1)}}
        self.db.executemany("INSERT INTO bases VALUES (?, ?)", [[number, basis] for basis, number in code.items()])
        rows = [[file, code[shape.size_basis], weights.get(file, 1.0)] for file, shape in self._shapes.items()]
        if rows:  # one statement: there may be ten thousand files
            values = ", ".join(f"({file}, {basis}, {weight!r})" for file, basis, weight in rows)
            self.db.execute(f"INSERT INTO files VALUES {values}")

    def _copies(self) -> str:
        """SQL for the tables of copies, and the view of distinct records.

        Copies share a key. Nearly always they are equal; where not, the one of the best-known size wins, then the
        longest, then the greatest in column order.
        """
        one_basis = self.db.execute("SELECT count(DISTINCT (basis, weight)) = 1 FROM files").fetchall()[0][0]
        all_sized = not self.db.execute("SELECT 1 FROM records WHERE bytes = 0 LIMIT 1").fetchall()
        basis, weight, join = "basis", "weight", "JOIN files USING (file)"
        if one_basis:  # nearly always: spared a join
            basis, weight = self.db.execute("SELECT DISTINCT basis::VARCHAR, weight::VARCHAR FROM files").fetchall()[0]
            basis, weight, join = f"{basis}::TINYINT", f"{weight}::DOUBLE", ""
        if not all_sized:
            basis = f"CASE WHEN bytes = 0 THEN 0::TINYINT ELSE {basis} END"
        ranked = ", ".join(f"{name} := {name}" for name in ("bytes", *KEYS, "hour", "items"))
        columns = ", ".join((*KEYS, *MEASURES))
        return f"""
CREATE OR REPLACE TEMP TABLE copies AS SELECT key, count(*) AS copies FROM records GROUP BY key HAVING count(*) > 1;
CREATE OR REPLACE TEMP TABLE winners AS
SELECT unnest(max(struct_pack(basis := {basis}, {ranked}, lighter := -{weight}))), count(*) AS copies
FROM records {join} SEMI JOIN copies USING (key) GROUP BY key;
CREATE OR REPLACE TEMP VIEW distinct_records AS
SELECT {columns}, {basis} AS basis, {weight} AS weight, 1 AS copies
FROM records {join} ANTI JOIN copies USING (key)
UNION ALL SELECT {columns}, basis, -lighter, copies FROM winners;
"""

    def _refuse_overlapping(self, refuse: Callable[[int, str, int], None]) -> None:
        """Counts of days that records or earlier counts show already: nothing tells them apart, so none is counted."""
        rules = (
            ("day IN (SELECT DISTINCT day FROM records)", "the day is already there in records"),
            (
                "EXISTS (FROM counts AS earlier WHERE earlier.file < counts.file AND earlier.day = counts.day"
                " AND earlier.workload = counts.workload AND earlier.operation = counts.operation)",
                "another file has counts of this operation on this day",
            ),
        )
        for rule, reason in rules:
            lost = self.db.execute(
                f"SELECT file, min(day), max(day), CAST(sum(raw_events) AS BIGINT) FROM counts WHERE {rule}"
                " GROUP BY file ORDER BY file"
            ).fetchall()
            for file, first, last, records in lost:
                refuse(file, f"{first}" + (f" to {last}" if last != first else "") + f": {reason}", records)
            if lost:
                self.db.execute(f"DELETE FROM counts WHERE {rule}")

    def _sum(self, has_counts: bool) -> None:
        """The tables `reduction` and `hours`."""
        tables = ("records", "counts") if has_counts else ("records",)
        for name in _NAMES:
            union = " UNION ".join(f"SELECT DISTINCT {name} FROM {table}" for table in tables)
            self.db.execute(f"CREATE TYPE {name}s AS ENUM (SELECT DISTINCT {name} FROM ({union}) ORDER BY ALL)")
        bases = self.db.execute("SELECT basis, size_basis FROM bases ORDER BY ALL").fetchall()
        cases = " ".join(f"WHEN {basis} THEN {sql_text(size_basis)}" for basis, size_basis in bases)
        named = f"CASE basis {cases} END"
        keys = ", ".join(f"CAST({key} AS {key}s) AS {key}" if key in _NAMES else key for key in KEYS)
        self.db.execute(f"""
CREATE TEMP TABLE grouped AS
SELECT {keys}, basis, weight, count(*) AS events, CAST(sum(copies) AS BIGINT) AS raw_events,
  CAST(sum(items) AS BIGINT) AS items, CAST(sum(bytes) AS BIGINT) AS bytes FROM distinct_records GROUP BY ALL;
CREATE TEMP TABLE hours AS
SELECT day, CAST(hour AS BIGINT) AS hour, workload, operation, count(*) AS events FROM distinct_records GROUP BY ALL;
CREATE TEMP VIEW reduction AS SELECT * EXCLUDE (basis, weight), {named} AS size_basis, weight FROM grouped""")
        if has_counts:
            sums = ", ".join(
                f"CAST(sum({name}) AS BIGINT) AS {name}"
                for name in COUNT_MEASURES
                if name not in ("size_basis", "weight")
            )
            self.db.execute(f"""
CREATE OR REPLACE TEMP VIEW reduction AS
SELECT * EXCLUDE (basis, weight), {named} AS size_basis, weight FROM grouped
UNION ALL BY NAME SELECT {keys}, {sums}, size_basis, weight FROM counts GROUP BY ALL;
INSERT INTO hours SELECT day, -1, workload, operation, CAST(sum(events) AS BIGINT) FROM counts GROUP BY ALL""")

    # ------------------------------------------------------------------------------------------------ results

    def table(self) -> pd.DataFrame:
        """The reduction, as `tables.REDUCTION` declares it, in order of its keys."""
        from estimator.tables import REDUCTION

        order = ", ".join((*KEYS, "size_basis", "weight"))
        frame = self.db.execute(f"FROM reduction ORDER BY {order}").df()
        kinds = dict(
            self.db.execute(f"SELECT subject, {SUBJECT_KIND} FROM (SELECT DISTINCT subject FROM reduction)").fetchall()
        )
        frame["subject_kind"] = frame["subject"].astype("str").map(kinds).astype("str")
        return _declared(frame.astype(dict.fromkeys((*_NAMES, "size_basis"), "str")), REDUCTION, "reduce")

    def digest(self) -> Digest:
        """The reduction summed up for the doctor; see `doctor.Digest.of`, which comes to the same."""
        from estimator.audit.doctor.digest import Digest, busiest_of

        def sums(by: str, where: str = "TRUE") -> list[Any]:
            # By the ENUMs themselves, which is by numbers.
            named = by.replace(",", "::VARCHAR,")
            return self.db.execute(
                f"SELECT {named}::VARCHAR, n FROM (SELECT {by}, CAST(sum(events) AS BIGINT) AS n FROM reduction"
                f" WHERE {where} GROUP BY ALL ORDER BY ALL)"
            ).fetchall()

        principals = dict(sums("principal"))
        mine = f"principal = {sql_text(busiest_of(principals))}"
        operation = "workload, operation"
        throttled = self.db.execute(
            f"SELECT coalesce(sum(events), 0)::BIGINT, count(DISTINCT subject) FILTER ({SUBJECT_KIND} = 'mailbox')"
            " FROM reduction WHERE throttled"
        ).fetchall()[0]
        return Digest(
            events=sum(principals.values()),
            unsized=sum(count for basis, count in sums("size_basis") if basis == "none"),
            throttled=throttled,
            principals=principals,
            operations={(workload, name): count for workload, name, count in sums(operation)},
            busiest=(
                {(workload, name): count for workload, name, count in sums(operation, mine)},
                dict(sums("app_id", mine)),
            ),
            hours=self.db.execute(
                "SELECT day, hour, CAST(sum(events) AS BIGINT) FROM hours GROUP BY ALL ORDER BY ALL"
            ).fetchall(),
        )

    def write(self, out: Path) -> None:
        """The reduction as a .csv, .json or .parquet file, in the shape of docs/counts.md.

        Raises:
            OSError: it cannot be written.
        """
        form = {".parquet": "PARQUET", ".json": "JSON, ARRAY true"}.get(out.suffix.lower(), "CSV, HEADER")
        columns = ", ".join(SUBJECT_KIND + " AS subject_kind" if name == "subject_kind" else name for name in COUNTS)
        order = ", ".join((*KEYS, "size_basis", "weight"))
        try:
            self.db.execute(
                f"COPY (SELECT {columns} FROM reduction ORDER BY {order}) TO {sql_text(str(out))} (FORMAT {form})"
            )
        except duckdb.IOException as error:
            raise OSError(_first_line(error)) from error

    def hours(self) -> pd.DataFrame:
        """Distinct records by UTC hour, as `tables.HOURS` declares it."""
        from estimator.tables import HOURS

        return _declared(self.db.execute("FROM hours ORDER BY day, hour, workload, operation").df(), HOURS, "reduce")


#: What is written: the shape of docs/counts.md, with nothing left out.
COUNTS = (
    "day", "subject", "subject_kind", "principal", "workload", "operation", "access_type", "app_id", "throttled",
    "events", "raw_events", "items", "bytes", "size_basis", "weight",
)  # fmt: skip

SUBJECT_KIND = "CASE WHEN subject = '' THEN 'tenant' WHEN contains(subject, '://') THEN 'site' ELSE 'mailbox' END"

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


def _declared(frame: pd.DataFrame, table: Any, step: str) -> pd.DataFrame:
    checked: pd.DataFrame = table.check(frame[table.names].astype({"day": "datetime64[us]"}), step)
    return checked


def _batches(candidates: Iterable[Candidate]) -> Iterator[pd.DataFrame]:
    """The candidates in frames of bounded size, numbered, measured, and fit for DuckDB."""
    import pandas as pd

    rows: list[tuple[int, str, str, str, str, int]] = []
    chars = 0
    for place, text, row, fault in candidates:
        text, size = _measured(text)
        rows.append((len(rows), place, text, _measured(row)[0], fault, size))
        chars += len(text) + len(row)
        if len(rows) >= _BATCH_RECORDS or chars >= _BATCH_CHARS:
            yield pd.DataFrame(rows, columns=_BATCH_COLUMNS)
            rows, chars = [], 0
    if rows:
        yield pd.DataFrame(rows, columns=_BATCH_COLUMNS)


_BATCH_COLUMNS = ["number", "place", "text", "row", "fault", "size"]


def _measured(text: str) -> tuple[str, int]:
    """A text made valid UTF-8 and valid JSON where a half of a character spoils it, and its length in bytes before."""
    if text.isascii():
        size = len(text)
    else:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raw = text.encode("utf-8", "surrogateescape")
            text, size = raw.decode("utf-8", "replace"), len(raw)
    if "\\ud" in text or "\\uD" in text:
        text = _SURROGATE.sub(lambda match: "\\ufffd" if match[1] else match[0], text)
    return text, size


def _reason(table: str, fault: str, text: str, operation: str | None, moment: str | None) -> str:
    """Why a candidate is no record."""
    if fault:
        return fault
    if not text:
        return "AuditData is empty" if table == "records" else "not a row of the header's columns"
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg} at character {error.pos + 1}"
    except (ValueError, RecursionError) as error:
        return f"not JSON that can be read: {error}"
    if not isinstance(value, dict):
        return "not a JSON object"
    if not operation:
        return "no Operation" if table == "records" else "no operation"
    if table == "counts" and re.match(r"\s*\d{4}-\d\d-\d\d", moment or ""):
        return "events, raw_events, items, bytes or weight is no such number (docs/counts.md)"
    return f"{'CreationTime' if table == 'records' else 'day'} {(moment or '')[:40]!r} is not a readable day"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _out_of_memory(error: Exception, path: Path | None = None) -> AuditExportError:
    return AuditExportError(
        f"the memory limit does not suffice to read it: {_first_line(error)}",
        path=path,
        mend="Give more memory (--memory 2GB), fewer threads, or a roomier folder for temporary files (TMPDIR).",
    )
