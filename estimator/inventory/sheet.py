"""Reading one CSV inventory: text cells, columns found by name whatever their order, spelling of case or spacing."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

import pandas as pd

from estimator.audit.opening import read_head
from estimator.audit.shape import Head
from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.recognise import column_key, layout_of


@dataclass(frozen=True)
class Wanted:
    """A column a reader wants: the names it goes by (first is canonical) and whether it can do without."""

    names: tuple[str, ...]
    needed: bool = True


class Sheet(NamedTuple):
    """One CSV file, read.

    Attributes:
        cells: the wanted columns under our names ('' where an optional one is absent), all of them stripped text,
            indexed by the line each row starts on.
        rest: the remaining columns under their own names in lower case, with the same index.
        rows: data rows in the file, those left out too.
        findings: rows that were left out.
    """

    cells: pd.DataFrame
    rest: pd.DataFrame
    rows: int
    findings: list[Finding]


class Part(NamedTuple):
    """What one inventory file gives: its table, the rows it has in the file, and what was wrong or doubtful."""

    table: pd.DataFrame
    rows: int
    findings: list[Finding]


def read_sheet(path: Path, shown: str, wanted: dict[str, Wanted], mend: str) -> Sheet:
    """Read a CSV file as text: plain or gzip; UTF-8 with or without BOM, or UTF-16; comma, semicolon or tab.

    Args:
        path: the file.
        shown: the file's name for messages.
        wanted: our name of each column → how it is called in exports.
        mend: the command that exports the file again, for the error.

    Raises:
        InventoryError: unreadable, or a needed column is missing.
    """
    try:
        head = read_head(path)
        layout = layout_of(head)
        with _open(path, head) as text:
            rows = list(_rows(text, layout.preamble, layout.delimiter))
    except (OSError, EOFError, zlib.error, UnicodeError, csv.Error) as error:
        raise InventoryError(f"cannot be read as CSV: {error}", path=shown, mend=mend) from error
    _, header = rows[0] if rows else (1, [])
    positions: dict[str, int] = {}
    for position, name in enumerate(header):
        positions.setdefault(column_key(name), position)
    at = {
        ours: next((positions[column_key(n)] for n in column.names if column_key(n) in positions), None)
        for ours, column in wanted.items()
    }
    missing = [wanted[ours].names[0] for ours, position in at.items() if position is None and wanted[ours].needed]
    if missing:
        plural = "s" if len(missing) > 1 else ""
        raise InventoryError(
            f"column{plural} {', '.join(map(repr, missing))} missing; found {', '.join(map(repr, header)) or 'none'}",
            path=shown,
            place=layout.preamble + 1,
            mend=mend,
        )
    data = rows[1:]
    # A row of another length is damage (a cut file, a lost quote): whose its cells are cannot be told.
    whole = [(line, row) for line, row in data if len(row) == len(header)]
    by_column = zip(*(row for _, row in whole), strict=True) if whole else ([] for _ in header)
    columns = [list(map(str.strip, cells)) for cells in by_column]
    lines, absent = pd.Index([line for line, _ in whole], dtype="int64"), [""] * len(whole)
    findings = []
    if len(whole) < len(data):
        lost = [line for line, row in data if len(row) != len(header)]
        findings.append(
            Finding(
                "rows_rejected",
                "warning",
                f"{len(lost)} of {len(data)} rows do not have the {len(header)} fields of the header (first lines "
                f"{', '.join(map(str, lost[:5]))}) and are left out. {mend}",
                shown,
            )
        )

    used = {column_key(n) for one in wanted.values() for n in one.names}
    rest = {header[p].strip().lower(): columns[p] for key, p in positions.items() if key and key not in used}
    cells = {ours: absent if position is None else columns[position] for ours, position in at.items()}
    return Sheet(
        pd.DataFrame(cells, index=lines, dtype="str"), pd.DataFrame(rest, index=lines, dtype="str"), len(data), findings
    )


def _open(path: Path, head: Head) -> TextIO:
    if head.compressed:
        return gzip.open(path, "rt", encoding=head.encoding, newline="")
    return path.open(encoding=head.encoding, newline="")


def _rows(text: TextIO, preamble: int, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, header first, each with its first line; commas too many at its end are dropped."""
    reader = csv.reader(islice(text, preamble, None), delimiter=delimiter)
    line, width = preamble + 1, 0
    for row in reader:
        if row:
            width = width or len(row)
            while len(row) > width and not row[-1]:
                row.pop()
            yield line, row
        line = preamble + reader.line_num + 1
