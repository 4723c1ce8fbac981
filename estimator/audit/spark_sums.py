"""The driver's tables: those of `engine.py`, with records that Spark has told apart and added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from estimator.audit.engine import Engine
from estimator.audit.meaning import KEYS, MEASURES
from estimator.audit.reading import Reading
from estimator.audit.spark_session import speaking_plainly
from estimator.audit.spark_task import COUNT, OF_COUNTS, RECORD
from estimator.audit.sums import Accepted, Refuse, accept_counts, add_up, name_bases

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class File:
    """One file, all its parts together; see `Account`."""

    number: int
    reading: Reading
    rows: int
    first: date | None
    last: date | None
    sized: int
    nulls: frozenset[str]


class Gathered(Engine):
    """The driver's tables: those of `Engine`, with records that Spark has summed up."""

    def gather(self, spark: SparkSession, staged: DataFrame | None, files: Sequence[File]) -> None:
        """Take what the tasks came to, and the counts made at the source.

        Args:
            spark: the session.
            staged: what the tasks handed on; None if there was none.
            files: every file, in the order of the account.
        """
        self._spark, self._staged, self._files = spark, staged, files
        self._pairs: list[tuple[int, int, int]] = []
        for place, file in enumerate(files):
            if file.reading.shape is not None:
                self._shapes[place] = file.reading.shape
        if staged is None or not any(_holds_counts(file) and file.rows for file in files):
            return
        with speaking_plainly():
            handed = staged.where(f"part = {COUNT}").select("file", *sorted(OF_COUNTS)).toArrow()
        self.db.register("handed", handed)
        self.db.execute("CREATE TEMP TABLE numbers (number BIGINT, place INTEGER)")
        self.db.executemany("INSERT INTO numbers VALUES (?, ?)", [[file.number, n] for n, file in enumerate(files)])
        self.db.execute(
            "INSERT INTO counts BY NAME"
            " SELECT handed.* REPLACE (place AS file) FROM handed JOIN numbers ON file = number"
        )
        self.db.unregister("handed")

    def rows_of_files(self) -> dict[int, int]:
        """Rows accepted by file number."""
        return {place: file.rows for place, file in enumerate(self._files) if file.rows}

    def close_books(self, weights: Mapping[int, float], refuse: Refuse) -> dict[int, Accepted]:
        """As `Engine.close_books`, with the copies found by Spark."""
        name_bases(self.db, self._shapes, weights)
        found = {}
        if any(file.rows and not _holds_counts(file) for file in self._files):
            with speaking_plainly():
                again = self._add_up()
            for place, file in enumerate(self._files):
                if file.first is not None and file.last is not None:
                    distinct = file.rows - again.get(place, 0)
                    found[place] = Accepted(file.rows, distinct, file.first, file.last, file.rows, file.sized)
            # Days, names and types are what the rest of the books want of records.
            self.db.execute("DROP TABLE records; CREATE TEMP VIEW records AS SELECT *, -1 AS hour FROM gathered")
        self.db.execute(
            f"CREATE OR REPLACE TEMP VIEW distinct_records AS SELECT {', '.join((*KEYS, *MEASURES))},"
            " 0::TINYINT AS basis, 1::DOUBLE AS weight, 1 AS copies FROM records LIMIT 0"
        )
        has_counts = bool(self.db.execute("SELECT count(*) FROM counts").fetchall()[0][0])
        if has_counts:
            found |= accept_counts(self.db, refuse)
        add_up(self.db, has_counts)
        if any(not _holds_counts(self._files[place]) for place in found):
            self.db.execute("INSERT INTO grouped BY NAME FROM gathered; INSERT INTO hours BY NAME FROM gathered_hours")
        return found

    def overlaps(self) -> list[tuple[int, int, int]]:
        """Pairs of files that share records: their numbers, and how many distinct ones."""
        return self._pairs

    def _add_up(self) -> dict[int, int]:
        """The tables `gathered` and `gathered_hours`; further copies within each file.

        Of copies the same one wins as in `sums.py`: DuckDB has null as the greatest value of all, Spark as the
        least; text is compared by its bytes in both.
        """
        from pyspark import StorageLevel
        from pyspark.sql import functions as f

        assert self._staged is not None
        spark, nulls = self._spark, frozenset[str]().union(*(file.nulls for file in self._files))
        known = {n: rest for n, *rest in self.db.execute("SELECT file, basis, weight FROM files").fetchall()}
        rows = [(file.number, place, *known[place]) for place, file in enumerate(self._files) if place in known]
        files = spark.createDataFrame(rows, "file BIGINT, place INT, basis INT, weight DOUBLE")
        records = self._staged.where(f"part = {RECORD}").drop("weight").join(f.broadcast(files), "file")
        ranked = ["CASE WHEN bytes = 0 THEN 0 ELSE basis END AS basis"]
        for name in ("bytes", *KEYS, "hour", "items"):
            ranked += [f"{name} IS NULL AS no_{name}", name] if name in nulls else [name]
        best = f.expr(f"max(struct({', '.join(ranked)}, -weight AS lighter)) AS best")
        keys = records.groupBy("key").agg(best, f.expr("count(*) AS copies")).persist(StorageLevel.DISK_ONLY)
        try:
            distinct = keys.select("best.*", "copies", f.expr("-best.lighter AS weight"))
            sums = [f.expr("count(*) AS events"), f.expr("sum(copies) AS raw_events")]
            sums += [f.expr(f"sum({name}) AS {name}") for name in ("items", "bytes")]
            self._keep("gathered", distinct.groupBy(*KEYS, "basis", "weight").agg(*sums))
            by_hour = distinct.groupBy("day", "hour", "workload", "operation")
            self._keep("gathered_hours", by_hour.agg(f.expr("count(*) AS events")))
            if not self.db.execute("SELECT 1 FROM gathered WHERE raw_events > events LIMIT 1").fetchall():
                return {}
            copied = keys.where("copies > 1").select("key")
            mine = records.join(copied, "key", "left_semi").groupBy("key", "place").agg(f.expr("count(*) AS rows"))
            mine = mine.persist(StorageLevel.DISK_ONLY)
            try:
                again = mine.groupBy("place").agg(f.expr("sum(rows - 1) AS again")).collect()
                if len(rows) > 1:
                    one, other = (mine.select("key", f.col("place").alias(name)) for name in ("a", "b"))
                    pairs = one.join(other, "key").where("a < b").groupBy("a", "b").agg(f.expr("count(*) AS n"))
                    self._pairs = sorted((row.a, row.b, row.n) for row in pairs.collect())
            finally:
                mine.unpersist()
            return {row.place: row.again for row in again}
        finally:
            keys.unpersist()

    def _keep(self, name: str, sums: DataFrame) -> None:
        self.db.register("handed", sums.toArrow())
        self.db.execute(f"CREATE TEMP TABLE {name} AS FROM handed")
        self.db.unregister("handed")


def _holds_counts(file: File) -> bool:
    return file.reading.shape is not None and file.reading.shape.recogniser.counts
