"""Reading one inventory file: text cells, columns found by name whatever their order, spelling of case or spacing."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from estimator.audit.opening import read_head
from estimator.audit.shape import Head
from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.csv_rows import read_csv
from estimator.inventory.grid import Grid
from estimator.inventory.json_rows import read_json
from estimator.inventory.layout import WORKBOOK, column_key, is_json, layout_of, list_names
from estimator.inventory.list_rows import read_list


@dataclass(frozen=True)
class Wanted:
    """A column a reader wants: the names it goes by (first is canonical) and whether it can do without."""

    names: tuple[str, ...]
    needed: bool = True

    @property
    def keys(self) -> list[str]:
        """The names as they are compared."""
        return [column_key(name) for name in self.names]


class Sheet(NamedTuple):
    """One file, read.

    Attributes:
        cells: the wanted columns under our names ('' where an optional one is absent), all of them stripped text,
            indexed by where each row is; the index is named after what it counts (`line`, `row`, `object`).
        rest: the remaining columns under their own names in lower case, with the same index.
        rows: data rows in the file, those left out too.
        findings: rows that were left out, and whether the file is only a part of an export.
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


def read_sheet(path: Path, shown: str, wanted: dict[str, Wanted], mend: str, *, rest: bool = True) -> Sheet:
    """Read an inventory file as text: CSV, JSON, a workbook or a `Format-List` text, plain or compressed.

    Args:
        path: the file.
        shown: the file's name for messages.
        wanted: our name of each column → how it is called in exports.
        mend: the command that exports the file again, for the error.
        rest: whether the remaining columns are wanted too; reports have many.

    Raises:
        InventoryError: unreadable, or a needed column is missing.
    """
    return select(read_grid(path, shown, wanted, mend, rest=rest), shown, wanted, mend, rest=rest)


def read_grid(path: Path, shown: str, wanted: dict[str, Wanted], mend: str, *, rest: bool = True) -> Grid:
    """All columns of an inventory file; of a workbook the first sheet that has any of those wanted.

    Without the `rest`, columns that are not wanted may be named and empty.

    Raises:
        InventoryError: unreadable.
    """
    try:
        head = read_head(path)
    except OSError as error:
        raise InventoryError(f"cannot be read: {error.strerror or error}", path=shown, mend=mend) from error
    keys = {key for one in wanted.values() for key in one.keys}
    if head.start.startswith(WORKBOOK):
        from estimator.inventory.xlsx_rows import read_xlsx

        return read_xlsx(path, shown, mend, lambda header: not keys.isdisjoint(map(column_key, header)))
    if is_json(head):
        return read_json(path, head, shown, mend)
    if keys.isdisjoint(_header(head)) and keys & list_names(head):
        return read_list(path, head, shown, mend)
    return read_csv(path, head, shown, mend, None if rest else keys)


def _header(head: Head) -> list[str]:
    try:
        return list(map(column_key, layout_of(head).header))
    except csv.Error:
        return []


def select(grid: Grid, shown: str, wanted: dict[str, Wanted], mend: str, *, rest: bool = True) -> Sheet:
    """The wanted columns of a file under our names, and the remaining ones unless the `rest` is not wanted.

    Raises:
        InventoryError: a needed column is missing.
    """
    names: dict[str, str] = {}
    for name in grid.columns:
        names.setdefault(column_key(name), name)
    found = {ours: next((names[key] for key in one.keys if key in names), None) for ours, one in wanted.items()}
    missing = [wanted[ours].names[0] for ours, name in found.items() if name is None and wanted[ours].needed]
    if missing:
        plural = "s" if len(missing) > 1 else ""
        raise InventoryError(
            f"column{plural} {', '.join(map(repr, missing))} missing; found "
            f"{', '.join(map(repr, grid.columns)) or 'none'}",
            path=shown,
            place=grid.header,
            mend=mend,
        )
    places = pd.Index(grid.places, dtype="int64", name=grid.unit)
    absent = [""] * len(places)
    used = {key for one in wanted.values() for key in one.keys}
    others = {name.strip().lower(): grid.columns[name] for key, name in names.items() if key and key not in used}
    cells = {ours: absent if name is None else grid.columns[name] for ours, name in found.items()}
    return Sheet(
        pd.DataFrame(cells, index=places, dtype="str"),
        pd.DataFrame(others if rest else {}, index=places, dtype="str"),
        grid.rows,
        list(grid.findings),
    )


def place_of(cells: pd.DataFrame, row: int) -> int | str:
    """A row's place as an error names it: the line of a text, else `row 5` or `object 5`."""
    return row if cells.index.name == "line" else f"{cells.index.name} {row}"


def places_of(cells: pd.DataFrame, bad: pd.Series) -> str:
    """The first few places where `bad` is true, with what they count."""
    rows = cells.index[bad][:5]
    return f"{cells.index.name}s {', '.join(map(str, rows))}"
