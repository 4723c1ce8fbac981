"""What a Spark task does: it reads its files with the very code of `reduce.py`, and hands on what they came to.

Nothing here knows the session; what tasks hand on is the schema that both sides share.
"""

from __future__ import annotations

import hashlib
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from estimator.audit.candidates import Rejected
from estimator.audit.engine import Engine, within_memory
from estimator.audit.meaning import KEYS
from estimator.audit.reading import Reading, read_source
from estimator.audit.shape import Shape
from estimator.audit.shapes import all_shapes
from estimator.audit.sources import Source, expand
from estimator.audit.spark_session import INSTALL, own_version
from estimator.audit.sums import name_subjects
from estimator.errors import SiemEstimatorError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 50_000

RECORD, COUNT, ACCOUNT = range(3)
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
SCHEMA = ", ".join(f"{name} {spark}" for name, spark, _ in _HANDED)
_OF_RECORDS = {"key", "day", "hour", *KEYS, "items", "bytes"}
OF_COUNTS = {"day", *KEYS, "items", "bytes", "events", "raw_events", "size_basis", "weight"}


@dataclass(frozen=True)
class Item:
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
class Account:
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
class Task:
    """What every task is told: its DuckDB's memory, where bytes are counted that were read, and whose task it is."""

    memory: str
    done: Any = None
    version: str = ""

    def files(self, bins: Sequence[Sequence[Item]]) -> Callable[[Iterable[Any]], Iterator[Any]]:
        """For rows of numbers of `bins`."""

        def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    yield from self._read(bins[number])

        return read

    def urls(self, items: dict[str, list[Item]]) -> Callable[[Iterable[Any]], Iterator[Any]]:
        """For rows of a path and a file's bytes."""

        def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                paths, contents = batch.column(0), batch.column(1)
                for row in range(batch.num_rows):
                    for item in items.get(paths[row].as_py(), []):
                        with tempfile.TemporaryDirectory(prefix="siem-estimator-") as folder:
                            yield from self._read(_within(item, contents[row].as_buffer(), Path(folder)))

        return read

    def table(self, item: Item) -> Callable[[Iterable[Any]], Iterator[Any]]:
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

    def _read(self, items: Sequence[Item], partition: int = 0) -> Iterator[pa.RecordBatch]:
        """Read into a DuckDB of our own, and hand on what it then has."""
        with (
            tempfile.TemporaryDirectory(prefix="siem-estimator-", ignore_cleanup_errors=True) as folder,
            Engine(self.memory, 1, Path(folder)) as engine,
        ):
            accounts = []
            try:
                with within_memory():
                    if self.version != (here := own_version()) and self.version and here:
                        raise UsageError(
                            f"Spark's executors have version {here} of siem-estimator, and here it is {self.version}",
                            mend=f"{INSTALL} of the same version on every machine.",
                        )
                    for place, item in enumerate(items):
                        source = item.source
                        if not source.problem and not source.path.exists():
                            source = replace(source, problem="is not there on the machine of a Spark executor")
                        reading = read_source(engine, place, source, Path(folder), shape=restored(item.shape))
                        if item.hashed:
                            with source.path.open("rb") as file:
                                reading.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                        accounts.append(Account(item.number, reading, partition))
                    for table in ("records", "counts"):
                        name_subjects(engine.db, table)
            except SiemEstimatorError as error:
                nothing = Reading(items[0].source, None, Rejected(shown=0))
                failed = Account(items[0].number, nothing, failed=(error.found, error.mend))
                yield from _account_rows(engine, failed)
                return
            _sum_up(engine, accounts)
            numbers = [item.number for item in items]
            yield from _rows(engine, RECORD, "records", _OF_RECORDS, numbers)
            yield from _rows(engine, COUNT, "counts", OF_COUNTS, numbers)
            for account in accounts:
                yield from _account_rows(engine, account)
            if self.done is not None:
                self.done.add(sum(item.source.size for item in items))


def _within(item: Item, content: Any, folder: Path) -> list[Item]:
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


def _sum_up(engine: Engine, accounts: Sequence[Account]) -> None:
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


def _account_rows(engine: Engine, account: Account) -> Iterator[pa.RecordBatch]:
    shape = account.reading.shape
    if shape is not None:  # what claims a row is code, which each side has
        bare = replace(shape, recogniser=replace(shape.recogniser, claims=bool))
        account = replace(account, reading=replace(account.reading, shape=bare))
    values = {"part": ACCOUNT, "file": account.number, "account": pickle.dumps(account)}
    columns = (f"CAST({f'${name}' if name in values else 'NULL'} AS {kind}) AS {name}" for name, _, kind in _HANDED)
    yield from engine.db.sql(f"SELECT {', '.join(columns)}", params=values).to_arrow_reader(1)


def restored(shape: Shape | None) -> Shape | None:
    """A shape that was sent, with what claims a row again."""
    if shape is None:
        return None
    known = next(one for one in all_shapes() if one.kind == shape.kind)
    return replace(shape, recogniser=known)
