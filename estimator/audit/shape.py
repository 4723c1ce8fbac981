"""What an export shape is: how to tell it, how DuckDB reads it, and how Python reads it where it is damaged.

To add a shape: write a module beside `jsonl.py` that ends in one `ShapeKind`, and list that in `recognise.KINDS`.
Its three functions need know nothing of audit records; what a record means is said once, in `engine.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TextIO

#: A longer record, line or CSV field is damage (a lost quote, say), not data; 16 MiB is also DuckDB's limit.
MAX_RECORD_CHARS = 16 << 20


@dataclass(frozen=True)
class CsvLayout:
    """How one CSV file is laid out.

    Attributes:
        delimiter: between fields.
        columns: how many columns the header has.
        audit_data: index of the AuditData column.
        preamble: lines before the header (`#TYPE …` of Windows PowerShell, `sep=,` of Excel).
    """

    delimiter: str
    columns: int
    audit_data: int
    preamble: int = 0


@dataclass(frozen=True)
class Head:
    """The beginning of a file: its text, and what had to be done to get at it."""

    text: str
    encoding: str
    compressed: bool


@dataclass(frozen=True)
class Shape:
    """What a file was taken for.

    Attributes:
        kind: stable name, such as `audit-csv`.
        title: the same in words.
        compressed: whether it is gzip.
        encoding: `utf-8`, `utf-8-sig` (with byte order mark) or `utf-16`.
        csv: the layout, for CSV.
    """

    kind: str
    title: str
    compressed: bool
    encoding: str = "utf-8"
    csv: CsvLayout | None = None


class Candidate(NamedTuple):
    """What a tolerant reader found where a record should be.

    Attributes:
        place: where it begins, in words: `line 12`, `record 3`.
        text: the JSON text as it stands; '' where there is none.
    """

    place: str
    text: str


@dataclass(frozen=True)
class ShapeKind:
    """One export shape.

    Attributes:
        kind: stable name; starts with `audit-`.
        title: the same in words.
        claims: whether a head is of this shape: a `CsvLayout` or True, else None or False.
        relation: SQL giving the column `text`, one JSON text a record, from the file `$path`; it must fail on any
            damage. None where only the tolerant reader can read the file.
        candidates: the tolerant reader: everything that is, or should have been, a record. It never judges whether a
            text is a record and never fails.
        newline: how the tolerant reader wants its text opened (see `open`).
    """

    kind: str
    title: str
    claims: Callable[[Head], CsvLayout | bool | None]
    relation: Callable[[Shape], str | None]
    candidates: Callable[[TextIO, Shape], Iterator[Candidate]]
    newline: str


def is_record(value: Any) -> bool:
    """Whether a parsed JSON value is an audit record as the Management Activity API defines it (common schema)."""
    return (
        isinstance(value, dict)
        and {"CreationTime", "Operation"} <= value.keys()
        and ("RecordType" in value or "Workload" in value)
    )


def is_record_text(text: str) -> bool:
    """Whether a text is the JSON of an audit record."""
    try:
        return is_record(json.loads(text))
    except (ValueError, RecursionError):
        return False


def sql_text(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def duckdb_compression(shape: Shape) -> str:
    """DuckDB's word for the compression: told, so that it does not go by the file's name."""
    return "gzip" if shape.compressed else "none"


def duckdb_path(path: Path) -> str:
    """A path as DuckDB's readers take it: absolute, so never a URL, and with glob characters made literal."""
    return "".join(f"[{c}]" if c in "[*?" else c for c in str(path.resolve()))
