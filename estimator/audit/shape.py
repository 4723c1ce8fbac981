"""What an export shape is: how to tell it, where its audit records lie, and where its fields are when they do not.

A shape is declared, not programmed: one `Recogniser` in a module of its own under `shapes/`, found there by itself.
How rows and objects are got out of a file (CSV, JSON of four kinds, XLSX, Parquet) is the business of `framing/`; what
a record means is said once, in `meaning.py`. So a recogniser knows neither files nor SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

#: A longer record, line or CSV field is damage (a lost quote, say), not data; 16 MiB is also DuckDB's limit.
MAX_RECORD_CHARS = 16 << 20

FramingName = Literal["csv", "jsonl", "array", "documents", "xlsx", "parquet"]
Compression = Literal["", "gzip", "zip", "zstd"]

#: The fields that the reduction reads of a record, by their names in AuditData; a recogniser maps its own to these.
Field = Literal[
    "CreationTime",
    "Id",
    "Operation",
    "Workload",
    "RecordType",
    "UserId",
    "MailboxOwnerUPN",
    "SiteUrl",
    "ClientAppId",
    "AppId",
    "ApplicationId",
    "OperationCount",
    "AffectedItems",
    "Folders",
    "OperationProperties",
]

_MISSING = object()


@dataclass(frozen=True)
class Unit:
    """One JSON object, or one row of a table, as a recogniser sees it.

    Attributes:
        values: by name; of a table under the names the recogniser declares, whatever their case in the header.
        table: whether it is a row of a table, so that values are text and may be ''.
    """

    values: Mapping[str, Any]
    table: bool = False

    def __call__(self, path: str) -> Any:
        """The value at a dotted path, None where there is none: `event.original` as a name of its own, else nested."""
        found = _at(self.values, path)
        return None if found is _MISSING else found

    def has(self, *paths: str) -> bool:
        """Whether every path is there, empty or not."""
        return all(_at(self.values, path) is not _MISSING for path in paths)


def _at(values: Mapping[str, Any], path: str) -> Any:
    if path in values:
        return values[path]
    value: Any = values
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return _MISSING
        value = value[name]
    return value


@dataclass(frozen=True)
class Recogniser:
    """One export shape.

    Attributes:
        kind: stable name; starts with `audit-`.
        title: the same in words.
        claims: whether a row or object is of this shape. Called on the first few of a file; one is enough.
        record: paths at which the AuditData JSON lies, as text or as an object; '' for the row or object itself. Empty
            where the shape has no AuditData.
        wrappers: paths under which rows or objects may be wrapped, such as Splunk's `result`.
        fields: where else the fields of a record are: all there is where there is no AuditData, and what stands in
            where that is empty, redacted or cut.
        size: what `bytes` is taken from where there is no AuditData: `values`, what Log Analytics bills (the text of
            all columns but `Type` and those with a leading underscore); `document`, the JSON object; `none`.
        feed: the feed whose billed bytes that is, and `_BilledSize` where the export has it.
        marks: paths of which one is filled in every row of the shape. A row that is counted from its other columns must
            have one, or an operation that the catalogue knows: else it is one of another table in the same export.
        delivered: whether records come as the Management Activity API delivers them, copies included.
        counts: whether rows are counts made at the source instead of records.
        columns: further names it knows, so that a table's header may spell them in another case.
        order: shapes with a smaller one are asked first; only where one row could be two shapes.
    """

    kind: str
    title: str
    claims: Callable[[Unit], bool]
    record: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ()
    fields: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)
    size: Literal["values", "document", "none"] = "none"
    feed: str = ""
    marks: tuple[str, ...] = ()
    delivered: bool = False
    counts: bool = False
    columns: tuple[str, ...] = ()
    order: int = 50

    def names(self) -> Iterable[str]:
        """Every name the recogniser knows, as it is spelled."""
        yield from self.record
        yield from self.columns
        yield from self.marks
        for paths in self.fields.values():
            yield from paths


@dataclass(frozen=True)
class TableLayout:
    """How one CSV, XLSX or Parquet file is laid out.

    Attributes:
        names: the columns, under the names the recogniser declares where it knows them.
        cell: which column holds the AuditData JSON; None where the whole row is what is read.
        delimiter: between the fields of a CSV.
        preamble: lines before a CSV's header (`#TYPE …` of Windows PowerShell, `sep=,` of Excel).
        plain: whether a CSV's header is one line in which every quote is where it belongs.
        headers: of an XLSX, the header of each sheet that has one of this shape, by its name.
    """

    names: tuple[str, ...]
    cell: int | None
    delimiter: str = ","
    preamble: int = 0
    plain: bool = True
    headers: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Head:
    """The beginning of a file: its text, and what had to be done to get at it."""

    text: str
    encoding: str
    compression: Compression
    start: bytes = b""

    @property
    def compressed(self) -> bool:
        """Whether the file is compressed."""
        return bool(self.compression)


@dataclass(frozen=True)
class Shape:
    """What a file was taken for.

    Attributes:
        recogniser: which shape it is.
        framing: how its rows or objects are got out of it.
        compression: gzip or zstd; '' without.
        encoding: `utf-8`, `utf-8-sig` (with byte order mark) or `utf-16`.
        table: the layout, of a table.
        wrapper: the path under which each object is wrapped; '' where it is not.
        record: which of the recogniser's record paths its first objects use.
        billed: whether it has the column `_BilledSize`, filled.
        redacted: whether something in its first records was blacked out: no size of it means anything.
        time_ordered: whether its first records run in time order; None where there are too few to say.
        zone: the time zone of its dates where that is not UTC, in words.
        result_count: whether it has the column ResultCount of Search-UnifiedAuditLog.
    """

    recogniser: Recogniser
    framing: FramingName
    compression: Compression = ""
    encoding: str = "utf-8"
    table: TableLayout | None = None
    wrapper: str = ""
    record: tuple[str, ...] = ()
    billed: bool = False
    redacted: bool = False
    time_ordered: bool | None = None
    zone: str = ""
    result_count: bool = False

    @property
    def kind(self) -> str:
        """The recogniser's stable name."""
        return self.recogniser.kind

    @property
    def title(self) -> str:
        """The shape in words."""
        return self.recogniser.title

    @property
    def compressed(self) -> bool:
        """Whether the file is compressed."""
        return bool(self.compression)

    @property
    def size_basis(self) -> str:
        """What `bytes` of its records measures, see `tables.REDUCTION`; counts say so themselves."""
        if self.redacted:
            return "none"
        if self.billed:
            return f"feed:{self.recogniser.feed}"
        if self.record:
            return "auditdata"
        return "none" if self.recogniser.size == "none" else f"feed:{self.recogniser.feed}"


class Candidate(NamedTuple):
    """What a tolerant reader found where a record should be.

    Attributes:
        place: where it begins, in words: `line 12`, `record 3`.
        text: the JSON text as it stands: of the AuditData cell of a table, else of the row or object; '' without any.
        row: of a table with an AuditData cell, the whole row as a JSON object, for the fields that stand in.
        fault: what is known to be wrong with it already; '' otherwise.
    """

    place: str
    text: str
    row: str = ""
    fault: str = ""


TOO_LONG = f"longer than {MAX_RECORD_CHARS >> 20} MiB, as no record is"


def is_record(value: Any) -> bool:
    """Whether a parsed JSON value is an audit record as the Management Activity API defines it (common schema)."""
    return (
        isinstance(value, Mapping)
        and {"CreationTime", "Operation"} <= value.keys()
        and ("RecordType" in value or "Workload" in value)
    )


def parsed(text: Any) -> Any:
    """The JSON value of a text; what is no text or no JSON as it is."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def sql_text(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def duckdb_compression(shape: Shape) -> str:
    """DuckDB's word for the compression: told, so that it does not go by the file's name."""
    return shape.compression or "none"


def absolute(path: Path) -> Path:
    """A file's path as DuckDB names it: absolute, so never a URL; a link keeps its own name."""
    return path.parent.resolve() / path.name


def duckdb_path(path: Path) -> str:
    """A path as DuckDB's readers take it: absolute, and with glob characters made literal."""
    return "".join(f"[{c}]" if c in "[*?" else c for c in str(absolute(path)))
