"""The reduction in DuckDB: what a record means, how copies are told apart, and how records become counts.

Each file is read in one of two lanes into the same narrow table, one row a record.

* The fast lane is one strict statement: DuckDB reads, parses and inserts. Any damage, any record without an operation
  or a readable day, makes the statement fail as a whole and leaves nothing behind. DuckDB's own account of rejected
  rows is not used: it repeats and under-reports (perf_lab §6).
* The tolerant lane takes the same file apart in Python, record by record with its place, and hands the texts to the
  same SQL. So both lanes agree by construction, and nothing is lost unseen.

Then copies are found by record key alone, and only they are compared; memory is bounded by DuckDB's limit, beyond
which it spills to disk. No result depends on the number of threads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pandas as pd

from estimator import catalog
from estimator.audit.shape import Candidate, duckdb_path, sql_text
from estimator.errors import AuditExportError, UsageError
from estimator.tables import HOURS, REDUCTION, Table

#: Texts handed to DuckDB at once by the tolerant lane: few enough to stay within 100 MB whatever their size.
_BATCH_RECORDS = 4_096
_BATCH_CHARS = 16 << 20

#: The fields read, all else is skipped. Text throughout, so that `RecordType`-like mixtures of names and numbers never
#: fail; OperationCount and the *number* of AffectedItems excepted (their content is not wanted, so any type will do).
_FIELDS = json.dumps(
    {
        "CreationTime": "VARCHAR",
        "Id": "VARCHAR",
        "Operation": "VARCHAR",
        "Workload": "VARCHAR",
        "UserId": "VARCHAR",
        "MailboxOwnerUPN": "VARCHAR",
        "SiteUrl": "VARCHAR",
        "ClientAppId": "VARCHAR",
        "AppId": "VARCHAR",
        "ApplicationId": "VARCHAR",
        "OperationCount": "INTEGER",
        "AffectedItems": ["BOOLEAN"],
        "OperationProperties": [{"Name": "VARCHAR", "Value": "VARCHAR"}],
    }
)

# The bounds refuse `infinity`, `epoch` and .NET's year 1, which are dates to DuckDB and no day to us.
_READABLE = "operation <> '' AND day BETWEEN DATE '2000-01-01' AND DATE '2199-12-31'"

_KEYS = ("day", "subject", "principal", "workload", "operation", "access_type", "app_id", "throttled")
_NAMES = ("subject", "principal", "workload", "operation", "access_type", "app_id")
_MEASURES = ("hour", "items", "bytes")

_SETUP = rf"""
SET TimeZone = 'UTC';
CREATE TEMP MACRO is_upn(name) AS regexp_full_match(name, '[^@\s\\/:]+@[^@\s\\/:]+\.[^@\s\\/:]+');
CREATE TEMP MACRO property(properties, wanted) AS
  coalesce(list_filter(properties, lambda pair: pair.Name = wanted)[1].Value, '');
CREATE TEMP MACRO utc(moment) AS CASE
  WHEN length(moment) > 20 AND regexp_matches(moment, '[+-]\d\d(:?\d\d)?\s*$')
    THEN make_timestamp(epoch_us(try_cast(moment AS TIMESTAMPTZ)))  -- TIMESTAMP would ignore the offset
  ELSE try_cast(moment AS TIMESTAMP) END;
CREATE TEMP TABLE records (
  file INTEGER, key UUID, day DATE NOT NULL, hour TINYINT, subject VARCHAR, principal VARCHAR, workload VARCHAR,
  operation VARCHAR NOT NULL, access_type VARCHAR, app_id VARCHAR, throttled BOOLEAN, items INTEGER, bytes BIGINT,
  CHECK ({_READABLE}));
"""


def _records(source: str, *, tolerant: bool = False) -> str:
    """SQL for the columns of `records` but `file`, from a relation with a column `text`.

    Tolerant: the relation also has `number`, `place` and `size`; what cannot be parsed is null instead of an error, and
    the first two, `text` and `moment` come along.
    """
    mailbox_operations = ", ".join(
        sql_text(key.removeprefix("Exchange/")) for key in catalog.mailbox_operations() if key.startswith("Exchange/")
    )
    parsed = f"from_json(text, {sql_text(_FIELDS)})"
    return f"""
SELECT {"number, place, text, moment," if tolerant else ""} key,
  coalesce(CAST(time AS DATE), try_cast(trim(moment)[:10] AS DATE)) AS day,
  CASE WHEN length(moment) > 10 THEN coalesce(hour(time), -1) ELSE -1 END AS hour,
  CASE WHEN is_upn(owner) THEN owner
       WHEN owner <> '' THEN ''
       WHEN workload = 'Exchange' AND operation IN ({mailbox_operations}) AND is_upn(principal) THEN principal
       ELSE coalesce(site, '') END AS subject,
  principal, workload, operation, access_type, app_id, throttled, items, bytes
FROM (
  SELECT {"number, place, text," if tolerant else ""}
    coalesce(try_cast(s.Id AS UUID), CAST(md5(coalesce(nullif(s.Id, ''), text)) AS UUID)) AS key,
    s.CreationTime AS moment,
    utc(s.CreationTime) AS time,
    lower(s.MailboxOwnerUPN) AS owner,
    lower(s.SiteUrl) AS site,
    coalesce(lower(s.UserId), '') AS principal,
    coalesce(s.Workload, '') AS workload,
    trim(s.Operation) AS operation,
    property(s.OperationProperties, 'MailAccessType') AS access_type,
    coalesce(nullif(s.ClientAppId, ''), nullif(s.AppId, ''), s.ApplicationId, '') AS app_id,
    lower(property(s.OperationProperties, 'IsThrottled')) = 'true' AS throttled,
    CASE WHEN s.OperationCount >= 1 THEN s.OperationCount ELSE greatest(len(s.AffectedItems), 1) END AS items,
    {"size" if tolerant else "strlen(text)"} AS bytes
  FROM (SELECT *, {f"try({parsed})" if tolerant else parsed} AS s FROM ({source})))"""


# Copies share a key. Nearly always they are equal; where not, the longest text wins, then the greatest in column order.
_COPIES = f"""
CREATE OR REPLACE TEMP TABLE copies AS SELECT key, count(*) AS copies FROM records GROUP BY key HAVING count(*) > 1;
CREATE OR REPLACE TEMP TABLE winners AS
SELECT unnest(max(struct_pack({", ".join(f"{name} := {name}" for name in ("bytes", *_KEYS, "hour", "items"))}))),
  count(*) AS copies
FROM records SEMI JOIN copies USING (key) GROUP BY key;
CREATE OR REPLACE TEMP VIEW distinct_records AS
SELECT {", ".join((*_KEYS, *_MEASURES))}, 1 AS copies FROM records ANTI JOIN copies USING (key)
UNION ALL SELECT {", ".join((*_KEYS, *_MEASURES))}, copies FROM winners;
"""

# Names repeat: as ENUMs (numbered in text order) they group, sort and reach pandas three times as fast as text does.
_ENUMS = "".join(f"CREATE TYPE {name}s AS ENUM (SELECT DISTINCT {name} FROM records ORDER BY ALL);" for name in _NAMES)

_TABLE = f"""
SELECT {", ".join(f"CAST({key} AS {key}s) AS {key}" if key in _NAMES else key for key in _KEYS)},
  count(*) AS events, CAST(sum(copies) AS BIGINT) AS raw_events, CAST(sum(items) AS BIGINT) AS items,
  CAST(sum(bytes) AS BIGINT) AS bytes
FROM distinct_records GROUP BY ALL ORDER BY {", ".join(_KEYS)}
"""

_SUBJECT_KINDS = """
SELECT subject, CASE WHEN subject = '' THEN 'tenant' WHEN is_upn(subject) THEN 'mailbox' ELSE 'site' END
FROM (SELECT DISTINCT subject FROM records)
"""

_HOURS = """
SELECT day, CAST(hour AS BIGINT) AS hour, workload, operation, count(*) AS events
FROM distinct_records GROUP BY ALL ORDER BY ALL
"""

_FILES = """
SELECT file, rows, rows - coalesce(again, 0), first, last
FROM (SELECT file, count(*) AS rows, min(day) AS first, max(day) AS last FROM records GROUP BY file)
LEFT JOIN (SELECT file, count(*) - count(DISTINCT key) AS again FROM records SEMI JOIN copies USING (key) GROUP BY file)
USING (file)
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
    """What the records of one file came to: records, distinct records within the file, first and last day."""

    records: int
    distinct: int
    first: date
    last: date


@dataclass
class Rejected:
    """The records of one file that were refused: how many, and the first of them as (place, reason)."""

    shown: int
    count: int = 0
    first: list[tuple[str, str]] = field(default_factory=list)

    def add(self, place: str, reason: Callable[[], str]) -> None:
        """Count one; while there is room, ask for its reason and keep it."""
        self.count += 1
        if len(self.first) < self.shown:
            self.first.append((place, reason()))


class Engine:
    """A DuckDB of its own with the table `records`, for one reduction.

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
            self._db = duckdb.connect(config=config)
        except duckdb.Error as error:
            raise UsageError(
                f"memory limit {memory!r} with {threads} threads is refused: {_first_line(error)}",
                expected="a size such as 512MB or 2GB, and at least one thread",
            ) from error
        self._db.execute(_SETUP)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.close()

    def load(self, file: int, path: Path, relation: str) -> None:
        """The fast lane: all records of a file, or none.

        Raises:
            UnreadableError: something in it is not as it should be.
        """
        try:
            self._db.execute(
                f"INSERT INTO records SELECT {file}, * FROM ({_records(relation)})", {"path": duckdb_path(path)}
            )
        except duckdb.OutOfMemoryException as error:
            raise _out_of_memory(error, path) from error
        except duckdb.Error as error:
            raise UnreadableError(_first_line(error)) from error

    def unload(self, file: int) -> None:
        """Take a file's records out again."""
        self._db.execute("DELETE FROM records WHERE file = $file", {"file": file})

    def load_candidates(self, file: int, candidates: Iterable[Candidate], rejected: Rejected) -> None:
        """The tolerant lane: the candidates that are records, the others into `rejected`."""
        for batch in _batches(candidates):
            self._db.register("candidates", batch)
            try:
                self._db.execute(
                    f"CREATE OR REPLACE TEMP TABLE batch AS {_records('FROM candidates', tolerant=True)};"
                    f"INSERT INTO records SELECT {file}, * EXCLUDE (number, place, text, moment)"
                    f" FROM batch WHERE {_READABLE}"
                )
                refused = self._db.execute(
                    f"SELECT place, text, operation, moment FROM batch WHERE ({_READABLE}) IS NOT TRUE ORDER BY number"
                ).fetchall()
            except duckdb.OutOfMemoryException as error:
                raise _out_of_memory(error) from error
            finally:
                self._db.unregister("candidates")
            for place, *why in refused:
                rejected.add(place, partial(_reason, *why))

    def close_books(self) -> dict[int, Accepted]:
        """Find the copies; by file number, what each file's records came to."""
        self._db.execute(_COPIES)
        return {
            file: Accepted(records, distinct, first, last)
            for file, records, distinct, first, last in self._db.execute(_FILES).fetchall()
        }

    def table(self) -> pd.DataFrame:
        """The reduction, as `tables.REDUCTION` declares it, in order of its keys."""
        self._db.execute(_ENUMS)
        frame = self._db.execute(_TABLE).df()
        kinds = dict(self._db.execute(_SUBJECT_KINDS).fetchall())
        frame["subject_kind"] = frame["subject"].map(kinds).astype("str")
        frame["size_basis"] = "auditdata"
        return _declared(frame.astype(dict.fromkeys(_NAMES, "str")), REDUCTION)

    def hours(self) -> pd.DataFrame:
        """Distinct records by UTC hour, as `tables.HOURS` declares it."""
        return _declared(self._db.execute(_HOURS).df(), HOURS)


def _declared(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    return table.check(frame[table.names].astype({"day": "datetime64[us]"}), "reduce")


def _batches(candidates: Iterable[Candidate]) -> Iterator[pd.DataFrame]:
    """The candidates in frames of bounded size, numbered, measured, and fit for DuckDB."""
    rows: list[tuple[int, str, str, int]] = []
    chars = 0
    for place, text in candidates:
        rows.append((len(rows), place, *_measured(text)))
        chars += len(text)
        if len(rows) >= _BATCH_RECORDS or chars >= _BATCH_CHARS:
            yield _batch(rows)
            rows, chars = [], 0
    if rows:
        yield _batch(rows)


def _batch(rows: list[tuple[int, str, str, int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["number", "place", "text", "size"])


def _measured(text: str) -> tuple[str, int]:
    """A text made valid UTF-8 and valid JSON where a half of a character spoils it, and its length in bytes before."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "surrogateescape")
        text, size = raw.decode("utf-8", "replace"), len(raw)
    if "\\ud" in text or "\\uD" in text:
        text = _SURROGATE.sub(lambda match: "\\ufffd" if match[1] else match[0], text)
    return text, size


def _reason(text: str, operation: str | None, moment: str | None) -> str:
    """Why a candidate is no record."""
    if not text:
        return "AuditData is empty"
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg} at character {error.pos + 1}"
    except (ValueError, RecursionError) as error:
        return f"not JSON that can be read: {error}"
    if not isinstance(value, dict):
        return "not a JSON object"
    if not operation:
        return "no Operation"
    return f"CreationTime {(moment or '')[:40]!r} is not a readable day"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _out_of_memory(error: Exception, path: Path | None = None) -> AuditExportError:
    return AuditExportError(
        f"the memory limit does not suffice to read it: {_first_line(error)}",
        path=path,
        mend="Give more memory (--memory 2GB), fewer threads, or a roomier folder for temporary files (TMPDIR).",
    )
