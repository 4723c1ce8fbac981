"""Closing the books: copies are told apart, counts that stand beside records are refused, and the rest is added up.

Copies are found by record key alone, and only they are compared. Every function works on the tables of `engine.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from estimator.audit.meaning import COUNT_MEASURES, KEYS, MEASURES
from estimator.audit.shape import Shape, sql_text
from estimator.errors import AuditExportError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Called with a file's number, the reason and the records, for counts that are not used.
Refuse = Callable[[int, str, int], None]

#: Columns of text that repeat: as ENUMs (numbered in text order) they group and sort three times as fast as text does.
NAMES = ("subject", "principal", "workload", "operation", "access_type", "app_id")

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
SELECT file, rows, rows - coalesce(again, 0), first, last, sized
FROM (SELECT file, count(*) AS rows, min(day) AS first, max(day) AS last, count(*) FILTER (bytes > 0) AS sized
      FROM records GROUP BY file)
LEFT JOIN (SELECT file, count(*) - count(DISTINCT key) AS again FROM records SEMI JOIN copies USING (key) GROUP BY file)
USING (file)
"""

_COUNT_FILES = """
SELECT file, CAST(sum(raw_events) AS BIGINT), CAST(sum(events) AS BIGINT), min(day), max(day), count(*),
  list_sort(list(DISTINCT size_basis)) FROM counts GROUP BY file
"""


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


def close_books(
    db: DuckDBPyConnection, shapes: Mapping[int, Shape], weights: Mapping[int, float], refuse: Refuse
) -> dict[int, Accepted]:
    """Find the copies, and the counts that stand beside records of the same days; what each file came to.

    Args:
        db: with the tables `records` and `counts`.
        shapes: by file number, what each file was taken for.
        weights: by file number, what each of its records stands for, where that is not 1.
        refuse: called with a file's number, the reason and the records, for counts that are not used.
    """
    name_bases(db, shapes, weights)
    has_counts = bool(db.execute("SELECT count(*) FROM counts").fetchall()[0][0])
    name_subjects(db, "records")
    _find_copies(db)
    found = {
        file: Accepted(records, distinct, first, last, records, sized)
        for file, records, distinct, first, last, sized in db.execute(_FILES).fetchall()
    }
    if has_counts:
        name_subjects(db, "counts")
        found |= accept_counts(db, refuse)
    add_up(db, has_counts)
    return found


def overlaps(db: DuckDBPyConnection) -> list[tuple[int, int, int]]:
    """Pairs of files that share records: their numbers, and how many distinct ones."""
    return db.execute(_OVERLAPS).fetchall()


def name_bases(db: DuckDBPyConnection, shapes: Mapping[int, Shape], weights: Mapping[int, float]) -> None:
    """Number what sizes measure, so that of two copies the one in AuditData's own size counts."""
    bases = sorted({shape.size_basis for shape in shapes.values()} - {"none"}, key=lambda b: (b == "auditdata", b))
    code = {"none": 0, **{basis: number for number, basis in enumerate(bases, 1)}}
    db.executemany("INSERT INTO bases VALUES (?, ?)", [[number, basis] for basis, number in code.items()])
    rows = [[file, code[shape.size_basis], weights.get(file, 1.0)] for file, shape in shapes.items()]
    if rows:  # one statement: there may be ten thousand files
        values = ", ".join(f"({file}, {basis}, {weight!r})" for file, basis, weight in rows)
        db.execute(f"INSERT INTO files VALUES {values}")


def _find_copies(db: DuckDBPyConnection) -> None:
    """The tables of copies, and the view of distinct records.

    Copies share a key. Nearly always they are equal; where not, the one of the best-known size wins, then the
    longest, then the greatest in column order.
    """
    one_basis = db.execute("SELECT count(DISTINCT (basis, weight)) = 1 FROM files").fetchall()[0][0]
    all_sized = not db.execute("SELECT 1 FROM records WHERE bytes = 0 LIMIT 1").fetchall()
    basis, weight, join = "basis", "weight", "JOIN files USING (file)"
    if one_basis:  # nearly always: spared a join
        basis, weight = db.execute("SELECT DISTINCT basis::VARCHAR, weight::VARCHAR FROM files").fetchall()[0]
        basis, weight, join = f"{basis}::TINYINT", f"{weight}::DOUBLE", ""
    if not all_sized:
        basis = f"CASE WHEN bytes = 0 THEN 0::TINYINT ELSE {basis} END"
    ranked = ", ".join(f"{name} := {name}" for name in ("bytes", *KEYS, "hour", "items"))
    columns = ", ".join((*KEYS, *MEASURES))
    db.execute(f"""
CREATE OR REPLACE TEMP TABLE copies AS SELECT key, count(*) AS copies FROM records GROUP BY key HAVING count(*) > 1;
CREATE OR REPLACE TEMP TABLE winners AS
SELECT unnest(max(struct_pack(basis := {basis}, {ranked}, lighter := -{weight}))), count(*) AS copies
FROM records {join} SEMI JOIN copies USING (key) GROUP BY key;
CREATE OR REPLACE TEMP VIEW distinct_records AS
SELECT {columns}, {basis} AS basis, {weight} AS weight, 1 AS copies
FROM records {join} ANTI JOIN copies USING (key)
UNION ALL SELECT {columns}, basis, -lighter, copies FROM winners;
""")


def accept_counts(db: DuckDBPyConnection, refuse: Refuse) -> dict[int, Accepted]:
    """What each file of counts came to, without the counts that would be counted twice.

    Raises:
        AuditExportError: they add up to nonsense.
    """
    _check_sums(db)
    _refuse_overlapping(db, refuse)
    return {
        file: Accepted(records, distinct, first, last, rows, 0, tuple(bases))
        for file, records, distinct, first, last, rows, bases in db.execute(_COUNT_FILES).fetchall()
    }


def _check_sums(db: DuckDBPyConnection) -> None:
    """Refuse counts that no table could hold together."""
    sums = ", ".join(f"sum({name})" for name in ("raw_events", "items", "bytes"))
    if db.execute(f"SELECT greatest({sums}) >= 9e18 FROM counts").fetchall()[0][0]:
        raise AuditExportError(
            "counts made at the source add up to more than can be counted",
            expected="events, items and bytes that a tenant can have (docs/counts.md)",
        )


def _refuse_overlapping(db: DuckDBPyConnection, refuse: Refuse) -> None:
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
        lost = db.execute(
            f"SELECT file, min(day), max(day), CAST(sum(raw_events) AS BIGINT) FROM counts WHERE {rule}"
            " GROUP BY file ORDER BY file"
        ).fetchall()
        for file, first, last, records in lost:
            refuse(file, f"{first}" + (f" to {last}" if last != first else "") + f": {reason}", records)
        if lost:
            db.execute(f"DELETE FROM counts WHERE {rule}")


def add_up(db: DuckDBPyConnection, has_counts: bool) -> None:
    """The tables `reduction` and `hours`."""
    tables = ("records", "counts") if has_counts else ("records",)
    for name in NAMES:
        union = " UNION ".join(f"SELECT DISTINCT {name} FROM {table}" for table in tables)
        db.execute(f"CREATE TYPE {name}s AS ENUM (SELECT DISTINCT {name} FROM ({union}) ORDER BY ALL)")
    bases = db.execute("SELECT basis, size_basis FROM bases ORDER BY ALL").fetchall()
    cases = " ".join(f"WHEN {basis} THEN {sql_text(size_basis)}" for basis, size_basis in bases)
    named = f"CASE basis {cases} END"
    keys = ", ".join(f"CAST({key} AS {key}s) AS {key}" if key in NAMES else key for key in KEYS)
    db.execute(f"""
CREATE TEMP TABLE grouped AS
SELECT {keys}, basis, weight, count(*) AS events, CAST(sum(copies) AS BIGINT) AS raw_events,
  CAST(sum(items) AS BIGINT) AS items, CAST(sum(bytes) AS BIGINT) AS bytes FROM distinct_records GROUP BY ALL;
CREATE TEMP TABLE hours AS
SELECT day, CAST(hour AS BIGINT) AS hour, workload, operation, count(*) AS events FROM distinct_records GROUP BY ALL;
CREATE TEMP VIEW reduction AS SELECT * EXCLUDE (basis, weight), {named} AS size_basis, weight FROM grouped""")
    if has_counts:
        sums = ", ".join(
            f"CAST(sum({name}) AS BIGINT) AS {name}" for name in COUNT_MEASURES if name not in ("size_basis", "weight")
        )
        db.execute(f"""
CREATE OR REPLACE TEMP VIEW reduction AS
SELECT * EXCLUDE (basis, weight), {named} AS size_basis, weight FROM grouped
UNION ALL BY NAME SELECT {keys}, {sums}, size_basis, weight FROM counts GROUP BY ALL;
INSERT INTO hours SELECT day, -1, workload, operation, CAST(sum(events) AS BIGINT) FROM counts GROUP BY ALL""")


def name_subjects(db: DuckDBPyConnection, table: str) -> None:
    """Of the subjects of a table, those that are neither a mailbox nor a site become the tenant's own."""
    db.execute(_SUBJECTS.format(table=table))
