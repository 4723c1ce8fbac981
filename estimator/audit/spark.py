"""The reduction on Spark, for exports beyond one machine: the same tables as DuckDB's, record for record.

Spark distributes and shuffles; it never parses. Each task reads its files with the very code of `reduce.py`, into a
DuckDB of its own, and hands on one narrow row a record, so that the two engines cannot drift apart in what a record is,
which rows are bad, or what a name means. Spark then finds the copies by key over all files, by the rule of `engine.py`,
and adds up. Only sums, the account of each file and counts made at the source come to the driver, into the same tables
that `engine.py` makes, so all that follows is the same code again.

What is read:

* files, folders, globs and archives that every executor sees under the same path (a shared folder, or one machine);
* URLs of file systems that Spark's Hadoop knows (`s3a://`, `abfss://`, `hdfs://`, `dbfs:/`), up to 2 GB a file;
* `table:NAME`, with whatever name `spark.table` takes. A file so named is `./table:NAME`.

A file is read by one task: what is to be read fast by many comes in many files. Partitions of a table are read apart:
rejected rows are placed by partition and row, and dates that may begin with their day are settled within a partition.
"""

from __future__ import annotations

import hashlib
import math
import os
import pickle
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from warnings import catch_warnings, filterwarnings

from estimator.audit.account import Books, TrueCounts, books_of
from estimator.audit.engine import _COUNT_FILES, _SUBJECTS, Accepted, Engine, Rejected
from estimator.audit.meaning import KEYS, MEASURES
from estimator.audit.reading import SHOWN_REJECTS, Reading, read_source
from estimator.audit.recognise import recognise
from estimator.audit.reduce import Progress
from estimator.audit.shape import Shape
from estimator.audit.shapes import all_shapes
from estimator.audit.sources import Source, expand, is_document
from estimator.errors import AuditExportError, SiemEstimatorError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

_TABLE = "table:"
#: A scheme of two letters at least: `C:/` is a drive.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|dbfs:/")
#: Spark hands a file of a URL over whole, as one array of bytes.
_MAX_URL_BYTES = (1 << 31) - (1 << 20)

#: Small files share a task, up to so many bytes: a task and its DuckDB cost a tenth of a second.
_TASK_BYTES = 32 << 20
#: A task's DuckDB is given no less than that, however many run at a time.
_LEAST_MB = 128
_ROWS = 50_000

#: Of what was named, the first number of its members (of an archive) or its own.
_MEMBER_BITS = 24

_RECORD, _COUNT, _ACCOUNT = range(3)
#: What tasks hand on: name, type for Spark, type for DuckDB. `part` says whether a row is a record, a row of counts, or
#: the account of a file; each leaves the columns of the others empty.
_HANDED = (
    ("part", "TINYINT", "TINYINT"),
    ("file", "BIGINT", "BIGINT"),
    ("key", "BINARY", "BLOB"),
    ("day", "DATE", "DATE"),
    ("hour", "INT", "INTEGER"),
    *((name, "STRING", "VARCHAR") for name in ("subject", "principal", "workload", "operation")),
    *((name, "STRING", "VARCHAR") for name in ("access_type", "app_id")),
    ("throttled", "BOOLEAN", "BOOLEAN"),
    ("items", "BIGINT", "BIGINT"),
    ("bytes", "BIGINT", "BIGINT"),
    ("events", "BIGINT", "BIGINT"),
    ("raw_events", "BIGINT", "BIGINT"),
    ("size_basis", "STRING", "VARCHAR"),
    ("weight", "DOUBLE", "DOUBLE"),
    ("account", "BINARY", "BLOB"),
)
_SCHEMA = ", ".join(f"{name} {spark}" for name, spark, _ in _HANDED)
_OF_RECORDS = {"key", "day", "hour", *KEYS, "items", "bytes"}
_OF_COUNTS = {"day", *KEYS, "items", "bytes", "events", "raw_events", "size_basis", "weight"}

_INSTALL = "pip install 'siem-estimator[spark]'"


@contextmanager
def keep_books_on_spark(
    paths: Sequence[Path | str],
    *,
    memory: str = "1GB",
    threads: int | None = None,
    progress: Progress | None = None,
    true_counts: TrueCounts | None = None,
    master: str | None = None,
) -> Iterator[Books]:
    """Read everything on Spark; within the context the engine has the tables `reduction` and `hours`.

    A Spark session that is active already is used, and left as it is.

    Args:
        paths: as `reduce`; also URLs and `table:NAME`, see the module.
        memory: DuckDB's memory limit on each machine; its tasks share it, each with 128 MB at least. Spark's own comes
            on top.
        threads: tasks at a time on this machine; with another `master` that is Spark's to decide.
        progress: called as files are done.
        true_counts: see `reduce`.
        master: of Spark; None for this machine, `local[*]`.

    Raises:
        AuditExportError: as `reduce`; or Spark failed.
        UsageError: as `reduce`; or Spark, Java or, on the executors, this package is missing.
    """
    _require()
    with tempfile.TemporaryDirectory(prefix="siem-estimator-", ignore_cleanup_errors=True) as folder, catch_warnings():
        # pandas 3 is too new for Spark's own pandas functions, says Spark; none of them is used here.
        filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
        spill = Path(folder)
        engine = _Gathered(memory, threads, spill)
        with engine, _session(master, memory, threads, spill) as spark:
            job = _Job(spark, memory, spill)
            job.name(paths)
            with job.read(progress) as staged:
                files = job.files()
                engine.gather(spark, staged, files)
                yield books_of(engine, [file.reading for file in files], true_counts or {})


# --------------------------------------------------------------------------------------------------- in an executor


@dataclass(frozen=True)
class _Item:
    """One thing to read.

    Attributes:
        number: its own, or that of the first of its members.
        source: where it is.
        shape: of a table, what it was taken for.
        hashed: whether its hash is wanted.
    """

    number: int
    source: Source
    shape: Shape | None = None
    hashed: bool = False


@dataclass
class _Account:
    """What a task says of one file, or of its part of a table.

    Attributes:
        number: of the file.
        reading: as `read_source` gives it.
        partition: of a table, which part.
        rows: rows accepted.
        first, last: days of its records.
        sized: records with a size.
        nulls: columns of its records in which something is null.
        failed: what stops everything, and what mends it.
    """

    number: int
    reading: Reading
    partition: int = 0
    rows: int = 0
    first: date | None = None
    last: date | None = None
    sized: int = 0
    nulls: frozenset[str] = frozenset()
    failed: tuple[str, str | None] | None = None


@dataclass(frozen=True)
class _Task:
    """What every task is told: its DuckDB's memory, where bytes are counted that were read, and whose task it is."""

    memory: str
    done: Any = None
    version: str = ""

    def files(self, bins: Sequence[Sequence[_Item]]) -> Callable[[Iterable[Any]], Iterator[Any]]:
        """For rows of numbers of `bins`."""

        def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    yield from self._read(bins[number])

        return read

    def urls(self, items: dict[str, list[_Item]]) -> Callable[[Iterable[Any]], Iterator[Any]]:
        """For rows of a path and a file's bytes."""

        def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                paths, contents = batch.column(0), batch.column(1)
                for row in range(batch.num_rows):
                    for item in items.get(paths[row].as_py(), []):
                        with tempfile.TemporaryDirectory(prefix="siem-estimator-") as folder:
                            yield from self._read(_within(item, contents[row].as_buffer(), Path(folder)))

        return read

    def table(self, item: _Item) -> Callable[[Iterable[Any]], Iterator[Any]]:
        """For rows of a table: a partition becomes a Parquet file, which is read like any other."""

        def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            import pyarrow.parquet as pq
            from pyspark import TaskContext

            context = TaskContext.get()
            with tempfile.TemporaryDirectory(prefix="siem-estimator-") as folder:
                path, writer = Path(folder) / "partition", None
                for batch in batches:
                    if not batch.num_rows:
                        continue
                    writer = writer or pq.ParquetWriter(path, batch.schema)
                    writer.write_batch(batch)
                if writer is not None:
                    writer.close()
                    part = replace(item, source=replace(item.source, path=path))
                    yield from self._read([part], context.partitionId() if context else 0)

        return read

    def _read(self, items: Sequence[_Item], partition: int = 0) -> Iterator[pa.RecordBatch]:
        """Read into a DuckDB of our own, and hand on what it then has."""
        with (
            tempfile.TemporaryDirectory(prefix="siem-estimator-", ignore_cleanup_errors=True) as folder,
            Engine(self.memory, 1, Path(folder)) as engine,
        ):
            accounts = []
            try:
                if self.version != (here := _version()) and self.version and here:
                    raise UsageError(
                        f"Spark's executors have version {here} of siem-estimator, and here it is {self.version}",
                        mend=f"{_INSTALL} of the same version on every machine.",
                    )
                for place, item in enumerate(items):
                    source = item.source
                    if not source.problem and not source.path.exists():
                        source = replace(source, problem="is not there on the machine of a Spark executor")
                    reading = read_source(engine, place, source, Path(folder), shape=_restored(item.shape))
                    if item.hashed:
                        with source.path.open("rb") as file:
                            reading.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                    accounts.append(_Account(item.number, reading, partition))
                for table in ("records", "counts"):
                    engine.db.execute(_SUBJECTS.format(table=table))
            except SiemEstimatorError as error:
                nothing = Reading(items[0].source, None, Rejected(shown=0))
                failed = _Account(items[0].number, nothing, failed=(error.found, error.mend))
                yield from _account_rows(engine, failed)
                return
            _sum_up(engine, accounts)
            numbers = [item.number for item in items]
            yield from _rows(engine, _RECORD, "records", _OF_RECORDS, numbers)
            yield from _rows(engine, _COUNT, "counts", _OF_COUNTS, numbers)
            for account in accounts:
                yield from _account_rows(engine, account)
            if self.done is not None:
                self.done.add(sum(item.source.size for item in items))


def _within(item: _Item, content: Any, folder: Path) -> list[_Item]:
    """A file of a URL as a file of its own, or of an archive its members."""
    path = folder / "file"
    with path.open("wb") as file:
        file.write(content)
    found = []
    for place, source in enumerate(expand([path], folder)):
        shown = item.source.shown + source.shown.removeprefix(str(path))
        size = source.size if source.member else item.source.size
        # Its path here is of no use to the reader; `_joined` puts the URL back.
        found.append(replace(item, number=item.number + place, source=replace(source, shown=shown, size=size)))
    return [replace(one, hashed=one.hashed and not one.source.member) for one in found]


def _sum_up(engine: Engine, accounts: Sequence[_Account]) -> None:
    names = sorted(_OF_RECORDS)
    nulls = ", ".join(f"count(*) - count({name})" for name in names)
    rows = engine.rows_of_files()
    for place, account in enumerate(accounts):
        account.rows = rows.get(place, 0)
    for place, first, last, sized, *missing in engine.db.execute(
        f"SELECT file, min(day), max(day), count(*) FILTER (bytes > 0), {nulls} FROM records GROUP BY file"
    ).fetchall():
        account = accounts[place]
        account.first, account.last, account.sized = first, last, sized
        account.nulls = frozenset(name for name, count in zip(names, missing, strict=True) if count)


def _rows(engine: Engine, part: int, table: str, mine: set[str], numbers: Sequence[int]) -> Iterator[pa.RecordBatch]:
    own = {"part": str(part), "file": f"list_extract({list(numbers)}, file + 1)"}
    columns = (f"CAST({own.get(n) or (n if n in mine else 'NULL')} AS {kind}) AS {n}" for n, _, kind in _HANDED)
    yield from engine.db.sql(f"SELECT {', '.join(columns)} FROM {table}").to_arrow_reader(_ROWS)


def _account_rows(engine: Engine, account: _Account) -> Iterator[pa.RecordBatch]:
    shape = account.reading.shape
    if shape is not None:  # what claims a row is code, which each side has
        bare = replace(shape, recogniser=replace(shape.recogniser, claims=bool))
        account = replace(account, reading=replace(account.reading, shape=bare))
    values = {"part": _ACCOUNT, "file": account.number, "account": pickle.dumps(account)}
    columns = (f"CAST({f'${name}' if name in values else 'NULL'} AS {kind}) AS {name}" for name, _, kind in _HANDED)
    yield from engine.db.sql(f"SELECT {', '.join(columns)}", params=values).to_arrow_reader(1)


def _restored(shape: Shape | None) -> Shape | None:
    if shape is None:
        return None
    known = next(one for one in all_shapes() if one.kind == shape.kind)
    return replace(shape, recogniser=known)


# ----------------------------------------------------------------------------------------------------- in the driver


@dataclass
class _Job:
    """What is named, how Spark reads it, and what its tasks say of it."""

    spark: SparkSession
    memory: str
    spill: Path
    items: list[_Item] = field(default_factory=list)
    accounts: list[_Account] = field(default_factory=list)
    _files: list[_Item] = field(default_factory=list)
    _urls: dict[str, list[_Item]] = field(default_factory=dict)
    _loads: list[str] = field(default_factory=list)
    _tables: list[tuple[str, _Item]] = field(default_factory=list)

    def name(self, paths: Sequence[Path | str]) -> None:
        """Find what is named, and recognise the tables."""
        for given in paths:
            if isinstance(given, str) and given.startswith(_TABLE):
                self._add_table(given)
            elif isinstance(given, str) and _URL.match(given):
                self._add_url(given)
            else:
                if str(given) == "-" and not _is_local(self.spark):
                    raise UsageError("standard input cannot be read by Spark's executors", expected="a file or a URL")
                for source in expand([given], self.spill):
                    item = self._item(source)
                    # Executors work in folders of their own; `_joined` puts the path as given back.
                    self._files.append(replace(item, source=replace(source, path=source.path.absolute())))
        alike = Counter(item.source.size for item in self.items)
        for items in self._urls.values():
            items[:] = [replace(item, hashed=alike[item.source.size] > 1) for item in items]

    def _item(self, source: Source, shape: Shape | None = None) -> _Item:
        self.items.append(_Item(len(self.items) << _MEMBER_BITS, source, shape))
        return self.items[-1]

    def _add_url(self, url: str) -> None:
        try:
            files = _binary(self.spark, [url])
            found = {row.path: row.length for row in files.select("path", "length").toLocalIterator()}
            # Spark never hands over a file without a byte in it.
            seen = set(map(_plain_url, found))
            found |= {path: 0 for path in map(_plain_url, map(unquote, files.inputFiles())) if path not in seen}
        except _errors() as error:
            self._item(Source(url, Path(url), problem=f"cannot be read: {_first_line(error)}"))
            return
        alone = len(found) == 1 and PurePosixPath(next(iter(found))).name == PurePosixPath(url).name
        for path, size in sorted(found.items()):
            if not alone and is_document(path):
                continue
            shown = url if alone else path
            source = Source(shown, Path(shown), size=size)
            if not size:
                self._item(replace(source, problem="is empty"))
            elif size > _MAX_URL_BYTES:
                self._item(replace(source, problem="is larger than 2 GB, too large for Spark to hand over; split it"))
            else:
                self._urls.setdefault(path, []).append(self._item(source))
        if not found:
            self._item(Source(url, Path(url), problem="no file is there"))
        self._loads.append(url)

    def _add_table(self, given: str) -> None:
        import pyarrow.parquet as pq

        source = Source(given, Path(given))
        try:
            head = self._table(given).limit(200).toArrow()
        except _errors() as error:
            self._item(replace(source, problem=f"cannot be read: {_first_line(error)}"))
            return
        path = self.spill / "head.parquet"
        pq.write_table(head, path)
        shape = recognise(path) if head.num_rows else None
        if shape is None:
            why = "is not an audit export of a known shape" if head.num_rows else "is empty"
            self._item(replace(source, problem=why))
            return
        bare = replace(shape, recogniser=replace(shape.recogniser, claims=bool))
        self._tables.append((given, self._item(source, bare)))

    def _table(self, given: str) -> DataFrame:
        """The table, with what Arrow has no word for as text."""
        from pyspark.sql import functions as f

        table = self.spark.table(given.removeprefix(_TABLE))
        foreign = ("variant", "interval", "geometry", "geography")
        return table.select(
            *(
                f.col("`" + name.replace("`", "``") + "`").cast("string").alias(name)
                if kind.startswith(foreign)
                else f.col("`" + name.replace("`", "``") + "`")
                for name, kind in table.dtypes
            )
        )

    @contextmanager
    def read(self, progress: Progress | None) -> Iterator[DataFrame | None]:
        """Have everything read; what tasks handed on is kept by Spark within the context, None if there is nothing."""
        from pyspark import StorageLevel

        total = sum(item.source.size for item in self.items)
        classic = hasattr(self.spark, "_jsc")
        done = self.spark.sparkContext.accumulator(0) if progress and classic else None
        task = _Task(_share(self.memory, _cores(self.spark)), done, _version())
        parts = []
        if self._files:
            bins = _bins(self._files, _cores(self.spark))
            parts.append(self.spark.range(0, len(bins), 1, len(bins)).mapInArrow(task.files(bins), _SCHEMA))
        if self._urls:
            binary = _binary(self.spark, self._loads).select("path", "content")
            parts.append(binary.mapInArrow(task.urls(self._urls), _SCHEMA))
        for given, item in self._tables:
            parts.append(self._table(given).mapInArrow(task.table(item), _SCHEMA))
        if not parts:
            yield None
            return
        staged = parts[0]
        for part in parts[1:]:
            staged = staged.unionAll(part)
        staged = staged.persist(StorageLevel.DISK_ONLY)
        try:
            with _speaking_plainly(), _Told(progress, done, total, f"{len(self.items):,} files on Spark"):
                rest = staged.where(f"part = {_ACCOUNT}").select("account").toArrow()
            self._take([pickle.loads(one.as_py()) for one in rest.column("account")])
            yield staged
        finally:
            staged.unpersist()

    def _take(self, accounts: list[_Account]) -> None:
        # A task that Spark ran twice says the same twice.
        once = {(account.number, account.partition): account for account in accounts}
        self.accounts = [once[at] for at in sorted(once)]
        for account in self.accounts:
            if account.failed is not None:
                found, mend = account.failed
                raise AuditExportError(found, mend=mend)
            account.reading.shape = _restored(account.reading.shape)

    def files(self) -> list[_File]:
        """Every file, in the order named; of an archive behind a URL its members."""
        said: dict[int, dict[int, list[_Account]]] = {}
        for account in self.accounts:
            members = said.setdefault(account.number >> _MEMBER_BITS, {})
            members.setdefault(account.number, []).append(account)
        return [
            _file(item, number, accounts)
            for place, item in enumerate(self.items)
            for number, accounts in said.get(place, {item.number: []}).items()
        ]


@dataclass(frozen=True)
class _File:
    """One file, all its parts together; see `_Account`."""

    number: int
    reading: Reading
    rows: int
    first: date | None
    last: date | None
    sized: int
    nulls: frozenset[str]


def _file(item: _Item, number: int, accounts: Sequence[_Account]) -> _File:
    days = [day for account in accounts for day in (account.first, account.last) if day is not None]
    return _File(
        number=number,
        reading=_joined(item, accounts),
        rows=sum(account.rows for account in accounts),
        first=min(days, default=None),
        last=max(days, default=None),
        sized=sum(account.sized for account in accounts),
        nulls=frozenset[str]().union(*(account.nulls for account in accounts)),
    )


def _joined(item: _Item, accounts: Sequence[_Account]) -> Reading:
    """The parts of a table as one reading; anything else is one already."""
    if not accounts:
        problem = item.source.problem or "was there, and was gone when Spark came to read it"
        return Reading(replace(item.source, problem=problem), None, Rejected(shown=SHOWN_REJECTS), problem)
    first = accounts[0].reading
    if item.shape is None:
        return replace(first, source=replace(first.source, path=item.source.path))
    whole = Rejected(shown=SHOWN_REJECTS)
    for account in accounts:
        part = account.reading.rejected
        whole.count, whole.rows = whole.count + part.count, whole.rows + part.rows
        whole.first += [(f"partition {account.partition}, {place}", reason) for place, reason in part.first]
        whole.day_first = part.day_first if whole.day_first is None else whole.day_first
    del whole.first[SHOWN_REJECTS:]
    return Reading(item.source, first.shape, whole, first.problem, first.result_count)


class _Gathered(Engine):
    """The driver's tables: those of `Engine`, with records that Spark has summed up."""

    def gather(self, spark: SparkSession, staged: DataFrame | None, files: Sequence[_File]) -> None:
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
        with _speaking_plainly():
            handed = staged.where(f"part = {_COUNT}").select("file", *sorted(_OF_COUNTS)).toArrow()
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

    def close_books(self, weights: dict[int, float], refuse: Callable[[int, str, int], None]) -> dict[int, Accepted]:
        """As `Engine.close_books`, with the copies found by Spark."""
        self._name_bases(weights)
        found = {}
        if any(file.rows and not _holds_counts(file) for file in self._files):
            with _speaking_plainly():
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
            self._refuse_overlapping(refuse)
            for place, records, distinct, first, last, rows, bases in self.db.execute(_COUNT_FILES).fetchall():
                found[place] = Accepted(records, distinct, first, last, rows, 0, tuple(bases))
        self._sum(has_counts)
        if any(not _holds_counts(self._files[place]) for place in found):
            self.db.execute("INSERT INTO grouped BY NAME FROM gathered; INSERT INTO hours BY NAME FROM gathered_hours")
        return found

    def overlaps(self) -> list[tuple[int, int, int]]:
        """Pairs of files that share records: their numbers, and how many distinct ones."""
        return self._pairs

    def _add_up(self) -> dict[int, int]:
        """The tables `gathered` and `gathered_hours`; further copies within each file.

        Of copies the same one wins as in `Engine._copies`: DuckDB has null as the greatest value of all, Spark as the
        least; text is compared by its bytes in both.
        """
        from pyspark import StorageLevel
        from pyspark.sql import functions as f

        assert self._staged is not None
        spark, nulls = self._spark, frozenset[str]().union(*(file.nulls for file in self._files))
        known = {n: rest for n, *rest in self.db.execute("SELECT file, basis, weight FROM files").fetchall()}
        rows = [(file.number, place, *known[place]) for place, file in enumerate(self._files) if place in known]
        files = spark.createDataFrame(rows, "file BIGINT, place INT, basis INT, weight DOUBLE")
        records = self._staged.where(f"part = {_RECORD}").drop("weight").join(f.broadcast(files), "file")
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


def _holds_counts(file: _File) -> bool:
    return file.reading.shape is not None and file.reading.shape.recogniser.counts


def _bins(items: Sequence[_Item], cores: int) -> list[list[_Item]]:
    """What each task reads, the longest first."""
    total = sum(item.source.size for item in items)
    target = min(_TASK_BYTES, max(1 << 20, total // (4 * cores)))
    bins: list[list[_Item]] = []
    room = 0
    for item in sorted(items, key=lambda item: -item.source.size):
        if item.source.size > room:
            bins.append([])
            room = target
        bins[-1].append(item)
        room -= item.source.size
    return bins


def _binary(spark: SparkSession, urls: Sequence[str]) -> DataFrame:
    return spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(list(urls))


def _plain_url(url: str) -> str:
    """A URL in one of its spellings: Spark writes `file:/a` and `file:///a`."""
    return re.sub(r"(?<=:)/+", "/" if url.startswith("file:") else "//", url, count=1)


class _Told:
    """Tells how much was read, from a thread beside Spark's job: a task tells when it is done."""

    def __init__(self, progress: Progress | None, done: Any, total: int, shown: str) -> None:
        self._progress, self._done, self._total, self._shown = progress, done, total, shown
        self._stop, self._thread = Event(), Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while self._progress and not self._stop.wait(0.5):
            self._progress(self._shown, min(self._done.value if self._done else 0, self._total), self._total)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._progress:
            self._progress(None, self._total, self._total)


# ------------------------------------------------------------------------------------------------------- the session


def _require() -> None:
    from importlib.util import find_spec

    for package in ("pyspark", "pyarrow"):
        if find_spec(package) is None:
            raise UsageError(
                f"Spark is not installed here ({package} is missing)", mend=f"{_INSTALL}, and Java 17 or newer."
            )


@contextmanager
def _session(master: str | None, memory: str, threads: int | None, spill: Path) -> Iterator[SparkSession]:
    """The session that is active, or one of our own, which is closed again."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    found = SparkSession.getActiveSession()
    if found is None and (SparkContext._active_spark_context or "PYSPARK_GATEWAY_PORT" in os.environ):
        found = SparkSession.builder.getOrCreate()
    if found is not None:
        yield found
        return
    own = _start(master or f"local[{threads or '*'}]", memory, spill)
    try:
        yield own
    finally:
        own.stop()


def _start(master: str, memory: str, spill: Path) -> SparkSession:
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    home = os.environ.get("JAVA_HOME")
    if not (Path(home) / "bin" / "java").exists() if home else shutil.which("java") is None:
        raise UsageError(
            "Spark needs Java, and there is none" + (f" under JAVA_HOME ({home})" if home else ""),
            mend="Install Java 17 or newer (apt install openjdk-17-jre-headless), or leave --engine spark out.",
        )
    settings = {
        "spark.master": master,
        "spark.app.name": "siem-estimator",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    local = master.startswith("local")
    if local:
        cores = os.cpu_count() or 1
        settings |= {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": f"{max(1024, _megabytes(memory))}m",
            "spark.local.dir": str(spill),
            "spark.sql.warehouse.dir": str(spill / "warehouse"),  # else Spark makes a folder where it is called
            "spark.sql.shuffle.partitions": str(2 * cores),
        }
    conf = SparkConf()
    for name, value in settings.items():
        conf.set(name, value)
    before = os.environ.get("PYSPARK_PYTHON")
    if local:
        os.environ["PYSPARK_PYTHON"] = sys.executable
    log = spill / "spark.log"
    try:
        with log.open("wb") as said:  # what Java and Spark print is neither result nor message
            if SparkContext._gateway is None:
                gateway = launch_gateway(conf, {"stdout": said, "stderr": said})
                SparkContext._ensure_initialized(gateway=gateway)
            spark = SparkSession.builder.config(conf=conf).getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
    except _errors() as error:
        lines = [line for line in log.read_text(errors="replace").splitlines() if re.search("Error|Exception", line)]
        raise UsageError(
            f"Spark does not start with master {master!r}: {lines[0].strip() if lines else _first_line(error)}",
            expected="Java 17 or newer; as --master local[*], spark://HOST:PORT, yarn or k8s://URL",
        ) from error
    finally:
        if local and before is None:
            del os.environ["PYSPARK_PYTHON"]
        elif local and before is not None:
            os.environ["PYSPARK_PYTHON"] = before
    return spark


def _is_local(spark: SparkSession) -> bool:
    return str(spark.conf.get("spark.master", "")).startswith("local")


def _cores(spark: SparkSession) -> int:
    """Tasks at a time on one machine."""
    if _is_local(spark):
        return int(spark.sparkContext.defaultParallelism)
    return int(spark.conf.get("spark.executor.cores", "1") or "1")


def _megabytes(memory: str) -> int:
    """A size such as `1GB`, as DuckDB has accepted it; 0 for one that is told otherwise, such as a percentage."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:iB|B)?\s*", memory, re.IGNORECASE)
    if match is None:
        return 0
    return int(float(match[1]) * {"": 1e-6, "K": 1e-3, "M": 1, "G": 1e3, "T": 1e6}[match[2].upper()])


def _share(memory: str, cores: int) -> str:
    """What each of the tasks that run at a time on a machine may take."""
    return f"{max(_LEAST_MB, math.floor(_megabytes(memory) / cores))}MB"


def _version() -> str:
    try:
        return version("siem-estimator")
    except PackageNotFoundError:  # sent along as a zip
        return ""


# ------------------------------------------------------------------------------------------------------ what goes wrong


def _errors() -> tuple[type[Exception], ...]:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return PySparkException, Py4JError


@contextmanager
def _speaking_plainly() -> Iterator[None]:
    """What Spark says in a hundred lines, in one.

    Raises:
        UsageError: the executors lack a package.
        AuditExportError: anything else.
    """
    try:
        yield
    except _errors() as error:
        text = str(error)
        if missing := re.search(r"No module named '([\w.]+)'", text):
            raise UsageError(
                f"Spark's executors lack the Python package {missing[1]!r}",
                mend=f"{_INSTALL} on every machine of the cluster, for the Python that PYSPARK_PYTHON names there.",
            ) from error
        told = re.findall(r"^\s*(?:[\w.]+\.)?\w+(?:Error|Exception): .+", text, re.MULTILINE)
        raise AuditExportError(f"Spark failed: {told[-1].strip() if told else _first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
