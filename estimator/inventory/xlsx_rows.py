"""Workbooks: an inventory that somebody opened and saved again. The first sheet of a known header is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from estimator.audit.framing.xlsx_rows import fault, sheets
from estimator.errors import InventoryError
from estimator.inventory.grid import Grid


def headers(path: Path) -> list[tuple[str, list[str]]]:
    """Name and header of each sheet; none where it is no workbook that can be read."""
    return [] if fault(path) else [(name, header) for name, header, _ in sheets(path)]


def read_xlsx(path: Path, shown: str, mend: str, is_header: Callable[[list[str]], bool]) -> Grid:
    """Read the first sheet whose first row `is_header` says is the one.

    Raises:
        InventoryError: unreadable, or there is no such sheet.
    """
    import python_calamine

    if problem := fault(path):
        raise InventoryError(problem, path=shown, mend=mend)
    sheet = next((name for name, header in headers(path) if is_header(header)), None)
    if sheet is None:
        raise InventoryError("no sheet of the workbook has the columns that are needed", path=shown, mend=mend)
    try:
        with python_calamine.CalamineWorkbook.from_path(str(path)) as book:
            rows = [[_text(value) for value in row] for row in book.get_sheet_by_name(sheet).iter_rows()]
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise InventoryError(f"the workbook is damaged: {error}", path=shown, mend=mend) from error
    header = rows[0]
    data = [(number, row) for number, row in enumerate(rows[1:], 2) if any(row)]
    columns: dict[str, list[str]] = {}
    for position, name in enumerate(header):
        columns.setdefault(name, [row[position] if position < len(row) else "" for _, row in data])
    return Grid(columns, [number for number, _ in data], "row", 1, len(data), [])


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    return "" if value is None else str(value).strip()
