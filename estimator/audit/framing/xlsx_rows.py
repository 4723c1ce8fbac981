"""Workbooks: the portal's export as people pass it on, with added columns, further sheets and formulas.

A cell holds 32,767 characters at most: longer AuditData is cut, and such a record is counted from its other columns.
Formulas are never computed; a cell is what was last shown in it.
"""

from __future__ import annotations

import datetime as dt
import json
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import python_calamine

from estimator.audit.framing import Opened
from estimator.audit.framing.csv_rows import row_object
from estimator.audit.shape import Candidate, Shape

#: A workbook is held in memory whole; what unpacks to more is refused, with the way out. Measured (`measure --out`,
#: peak resident memory; cells of AuditData of 1.5 kB, every one different): 300 MB take 0.63 GB as inline strings and
#: 0.97 GB as shared ones, 400 MB 0.74 and 1.17. It is to stay below 1.2 GB.
MAX_UNPACKED_BYTES = 300_000_000
_SHOWN_ROWS = 200

_ERRORS = (python_calamine.CalamineError, python_calamine.WorksheetNotFound, OSError, ValueError)


def fault(path: Path) -> str:
    """Why a workbook is not read; '' where it is."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        return f"is a damaged workbook: {error}"
    if unpacked > MAX_UNPACKED_BYTES:
        return (
            f"is a workbook that unpacks to {unpacked / 1e6:,.0f} MB, more than the {MAX_UNPACKED_BYTES / 1e6:,.0f} MB "
            "that are read; save it as CSV"
        )
    return ""


def sheets(path: Path) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Each sheet: its name, its header, and its first rows."""
    try:
        with python_calamine.CalamineWorkbook.from_path(str(path)) as book:
            for name in book.sheet_names:
                rows = [_cells(row) for row in islice(book.get_sheet_by_name(name).iter_rows(), _SHOWN_ROWS)]
                if rows:
                    yield name, rows[0], rows[1:]
    except _ERRORS:
        return


class XlsxRows:
    """See the module."""

    def relation(self, shape: Shape) -> str | None:
        """None: DuckDB reads no workbooks without a download."""
        return None

    def candidates(self, opened: Opened) -> Iterator[Candidate]:
        """Every row below the header of each sheet of the shape; rows without any text are none."""
        layout = opened.shape.table
        assert layout is not None
        try:
            with python_calamine.CalamineWorkbook.from_path(str(opened.path)) as book:
                for sheet, names in layout.headers:
                    cell = names.index(layout.names[layout.cell]) if layout.cell is not None else None
                    for number, row in enumerate(book.get_sheet_by_name(sheet).iter_rows(), 1):
                        cells = _cells(row)
                        if number == 1 or not any(cells):
                            continue
                        place = f"sheet {sheet!r}, row {number}" if len(layout.headers) > 1 else f"row {number}"
                        whole = row_object(names, cells)
                        yield Candidate(place, whole if cell is None else cells[cell].strip(), whole)
        except _ERRORS as error:
            opened.damage = f"the workbook is damaged ({error})"


def _cells(row: list[Any]) -> list[str]:
    return [_text(value) for value in row]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    return value if isinstance(value, str) else json.dumps(value, default=str)
