"""An inventory file as rows of text, whatever its layout: CSV, JSON, a workbook, or PowerShell's `Format-List`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal, NamedTuple, TextIO

from estimator.audit.opening import GuardedReader, open_bytes
from estimator.audit.shape import Head
from estimator.findings import Finding
from estimator.inventory.words import counted

Unit = Literal["line", "row", "object"]


class Grid(NamedTuple):
    """The rows of one file.

    Attributes:
        columns: each column's name as it stands → its cells, stripped text.
        places: where each row is, counted in `unit`s from 1.
        unit: what places count: lines of a text, rows of a sheet, objects of a JSON document.
        header: the line or row of the header; None where the rows name their values themselves.
        rows: rows in the file, those left out too.
        findings: rows that were left out, and whether the file is only a part of an export.
    """

    columns: dict[str, list[str]]
    places: list[int]
    unit: Unit
    header: int | None
    rows: int
    findings: list[Finding]


def open_inventory(path: Path, head: Head) -> tuple[TextIO, GuardedReader]:
    """The text of a file, refused where it is not in its encoding, and the guard that knows whether it was damaged.

    Raises:
        OSError: it cannot be read.
    """
    guard = open_bytes(path, head.compression)
    return io.TextIOWrapper(io.BufferedReader(guard, 1 << 20), encoding=head.encoding, newline=""), guard


def read_whole(path: Path, head: Head) -> str:
    """The whole text of a file.

    Raises:
        OSError: it cannot be read, or what it was compressed to is damaged.
        UnicodeError: it is not in its encoding.
    """
    text, guard = open_inventory(path, head)
    with text:
        whole = text.read()
    if guard.damage:
        raise OSError(guard.damage)
    return whole


def rejected(lost: list[int], rows: int, why: str, unit: Unit, mend: str, shown: str) -> Finding:
    """What is said of rows that are left out; `why` continues "n of m rows ..."."""
    first = ", ".join(map(str, lost[:5]))
    return Finding(
        "rows_rejected",
        "warning",
        f"{len(lost):,} of {counted(rows, 'row', 'rows')} {why} (first {unit}s {first}) and are left out. {mend}",
        shown,
    )
