"""The reduction on Spark, for exports beyond one machine: the same tables as DuckDB's, record for record.

Spark distributes and shuffles; it never parses. Each task reads its files with the very code of `reduce.py`, into a
DuckDB of its own, and hands on one narrow row a record, so that the two engines cannot drift apart in what a record is,
which rows are bad, or what a name means. Spark then finds the copies by key over all files, by the rule of `sums.py`,
and adds up. Only sums, the account of each file and counts made at the source come to the driver, into the same tables
that `sums.py` makes, so all that follows is the same code again.
Tasks are in `spark_task.py`, the sums in `spark_sums.py`, the session in `spark_session.py`.

What is read:

* files, folders, globs and archives that every executor sees under the same path (a shared folder, or one machine);
* URLs of file systems that Spark's Hadoop knows (`s3a://`, `abfss://`, `hdfs://`, `dbfs:/`), up to 2 GB a file;
* `table:NAME`, with whatever name `spark.table` takes. A file so named is `./table:NAME`.

A file is read by one task: what is to be read fast by many comes in many files. Partitions of a table are read apart:
rejected rows are placed by partition and row, and dates that may begin with their day are settled within a partition.
"""

from __future__ import annotations

import pickle
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from warnings import catch_warnings, filterwarnings

from estimator.audit.account import Books, TrueCounts, books_of
from estimator.audit.candidates import Rejected
from estimator.audit.engine import within_memory
from estimator.audit.reading import SHOWN_REJECTS, Reading
from estimator.audit.recognise import recognise
from estimator.audit.reduce import Progress
from estimator.audit.shape import Shape
from estimator.audit.sources import Source, expand, is_document
from estimator.audit.spark_session import (
    cores_of,
    errors,
    first_line,
    is_local,
    own_version,
    require,
    session,
    share,
    speaking_plainly,
)
from estimator.audit.spark_sums import File, Gathered
from estimator.audit.spark_task import ACCOUNT, SCHEMA, Account, Item, Task, restored
from estimator.errors import AuditExportError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TABLE = "table:"
#: A scheme of two letters at least: `C:/` is a drive.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|dbfs:/")
#: Spark hands a file of a URL over whole, as one array of bytes.
_MAX_URL_BYTES = (1 << 31) - (1 << 20)

#: Small files share a task, up to so many bytes: a task and its DuckDB cost a tenth of a second.
_TASK_BYTES = 32 << 20

#: Of what was named, the first number of its members (of an archive) or its own.
_MEMBER_BITS = 24


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
    require()
    with tempfile.TemporaryDirectory(prefix="siem-estimator-", ignore_cleanup_errors=True) as folder, catch_warnings():
        # pandas 3 is too new for Spark's own pandas functions, says Spark; none of them is used here.
        filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
        spill = Path(folder)
        engine = Gathered(memory, threads, spill)
        with engine, within_memory(), session(master, memory, threads, spill) as spark:
            job = _Job(spark, memory, spill)
            job.name(paths)
            with job.read(progress) as staged:
                files = job.files()
                engine.gather(spark, staged, files)
                yield books_of(engine, [file.reading for file in files], true_counts or {})


@dataclass
class _Job:
    """What is named, how Spark reads it, and what its tasks say of it."""

    spark: SparkSession
    memory: str
    spill: Path
    items: list[Item] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    _files: list[Item] = field(default_factory=list)
    _urls: dict[str, list[Item]] = field(default_factory=dict)
    _loads: list[str] = field(default_factory=list)
    _tables: list[tuple[str, Item]] = field(default_factory=list)

    def name(self, paths: Sequence[Path | str]) -> None:
        """Find what is named, and recognise the tables."""
        for given in paths:
            if isinstance(given, str) and given.startswith(_TABLE):
                self._add_table(given)
            elif isinstance(given, str) and _URL.match(given):
                self._add_url(given)
            else:
                if str(given) == "-" and not is_local(self.spark):
                    raise UsageError("standard input cannot be read by Spark's executors", expected="a file or a URL")
                for source in expand([given], self.spill):
                    item = self._item(source)
                    # Executors work in folders of their own; `_joined` puts the path as given back.
                    self._files.append(replace(item, source=replace(source, path=source.path.absolute())))
        alike = Counter(item.source.size for item in self.items)
        for items in self._urls.values():
            items[:] = [replace(item, hashed=alike[item.source.size] > 1) for item in items]

    def _item(self, source: Source, shape: Shape | None = None) -> Item:
        self.items.append(Item(len(self.items) << _MEMBER_BITS, source, shape))
        return self.items[-1]

    def _add_url(self, url: str) -> None:
        try:
            files = _binary(self.spark, [url])
            found = {row.path: row.length for row in files.select("path", "length").toLocalIterator()}
            # Spark never hands over a file without a byte in it.
            seen = set(map(_plain_url, found))
            found |= {path: 0 for path in map(_plain_url, map(unquote, files.inputFiles())) if path not in seen}
        except errors() as error:
            self._item(Source(url, Path(url), problem=f"cannot be read: {first_line(error)}"))
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
        except errors() as error:
            self._item(replace(source, problem=f"cannot be read: {first_line(error)}"))
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
        task = Task(share(self.memory, cores_of(self.spark)), done, own_version())
        parts = []
        if self._files:
            bins = _bins(self._files, cores_of(self.spark))
            parts.append(self.spark.range(0, len(bins), 1, len(bins)).mapInArrow(task.files(bins), SCHEMA))
        if self._urls:
            binary = _binary(self.spark, self._loads).select("path", "content")
            parts.append(binary.mapInArrow(task.urls(self._urls), SCHEMA))
        for given, item in self._tables:
            parts.append(self._table(given).mapInArrow(task.table(item), SCHEMA))
        if not parts:
            yield None
            return
        staged = parts[0]
        for part in parts[1:]:
            staged = staged.unionAll(part)
        staged = staged.persist(StorageLevel.DISK_ONLY)
        try:
            with speaking_plainly(), _Told(progress, done, total, f"{len(self.items):,} files on Spark"):
                rest = staged.where(f"part = {ACCOUNT}").select("account").toArrow()
            self._take([pickle.loads(one.as_py()) for one in rest.column("account")])
            yield staged
        finally:
            staged.unpersist()

    def _take(self, accounts: list[Account]) -> None:
        # A task that Spark ran twice says the same twice.
        once = {(account.number, account.partition): account for account in accounts}
        self.accounts = [once[at] for at in sorted(once)]
        for account in self.accounts:
            if account.failed is not None:
                found, mend = account.failed
                raise AuditExportError(found, mend=mend)
            account.reading.shape = restored(account.reading.shape)

    def files(self) -> list[File]:
        """Every file, in the order named; of an archive behind a URL its members."""
        said: dict[int, dict[int, list[Account]]] = {}
        for account in self.accounts:
            members = said.setdefault(account.number >> _MEMBER_BITS, {})
            members.setdefault(account.number, []).append(account)
        return [
            _file(item, number, accounts)
            for place, item in enumerate(self.items)
            for number, accounts in said.get(place, {item.number: []}).items()
        ]


def _file(item: Item, number: int, accounts: Sequence[Account]) -> File:
    days = [day for account in accounts for day in (account.first, account.last) if day is not None]
    return File(
        number=number,
        reading=_joined(item, accounts),
        rows=sum(account.rows for account in accounts),
        first=min(days, default=None),
        last=max(days, default=None),
        sized=sum(account.sized for account in accounts),
        nulls=frozenset[str]().union(*(account.nulls for account in accounts)),
    )


def _joined(item: Item, accounts: Sequence[Account]) -> Reading:
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


def _bins(items: Sequence[Item], cores: int) -> list[list[Item]]:
    """What each task reads, the longest first."""
    total = sum(item.source.size for item in items)
    target = min(_TASK_BYTES, max(1 << 20, total // (4 * cores)))
    bins: list[list[Item]] = []
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
