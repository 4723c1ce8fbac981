"""CSV inventories: plain or compressed; UTF-8 with or without BOM, or UTF-16; comma, semicolon or tab."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from estimator.audit.shape import Head
from estimator.errors import InventoryError
from estimator.inventory.grid import Grid, open_inventory, rejected
from estimator.inventory.layout import Layout, layout_of

#: Fed to the reader after the last line: where a file ends within quotes, it becomes part of the last cell.
_END = "\x00end of file\x00"


#: Rows taken at a time. Kept as columns of text and not as rows, they are no matter to the garbage collector, which
#: would go through all of them again and again.
_BATCH = 4_096


def read_csv(path: Path, head: Head, shown: str, mend: str) -> Grid:
    """Read a CSV file. Blank rows are none, and commas too many at a row's end are dropped.

    Raises:
        InventoryError: unreadable.
    """
    try:
        layout = layout_of(head)
        text, guard = open_inventory(path, head)
        with text:
            table = _Table(text, layout)
        if guard.damage:
            raise OSError(guard.damage)
    except (OSError, UnicodeError, csv.Error) as error:
        raise InventoryError(f"cannot be read as CSV: {error}", path=shown, mend=mend) from error
    columns: dict[str, list[str]] = {}
    for name, cells in zip(table.header, table.columns, strict=True):
        columns.setdefault(name, cells)
    rows = len(table.places) + len(table.lost)
    findings = []
    if table.lost:
        why = f"do not have the {len(table.header)} fields of the header, or end within one"
        findings.append(rejected(table.lost, rows, why, "line", mend, shown))
    return Grid(columns, table.places, "line", layout.preamble + 1, rows, findings)


class _Table:
    """A CSV text, read.

    Attributes:
        header: the column names.
        columns: the cells of each column.
        places: the first line of each row.
        lost: those of rows of another length than the header's. That is damage (a cut file, a lost quote): whose its
            cells are cannot be told. Of a file that ends within quotes the last row is one of them, though it may have
            as many fields as it should: the last of them is half.
    """

    def __init__(self, text: TextIO, layout: Layout) -> None:
        reader = csv.reader(chain(islice(text, layout.preamble, None), [_END]), delimiter=layout.delimiter)
        numbered = ((reader.line_num + layout.preamble, row) for row in reader)
        self._line = layout.preamble + 1
        self.header = next((row for _, row in self._batch(numbered, 1)), [])
        self.columns: list[list[str]] = [[] for _ in self.header]
        self.places: list[int] = []
        self.lost: list[int] = []
        if self.header == [_END]:
            self.header, self.columns = [], []
            return
        last: list[str] = []
        while batch := self._batch(numbered, _BATCH):
            last = batch[-1][1]
            if last == [_END]:
                batch.pop()
            self._add(batch)
        if last != [_END] and self.places and (not self.lost or self.lost[-1] < self.places[-1]):
            self.lost.append(self.places.pop())
            for cells in self.columns:
                cells.pop()

    def _batch(self, numbered: Iterator[tuple[int, list[str]]], count: int) -> list[tuple[int, list[str]]]:
        """The next rows that are not blank, each with its first line; empty at the end."""
        rows: list[tuple[int, list[str]]] = []
        for end, row in numbered:
            if row:
                rows.append((self._line, row))
            self._line = end + 1
            if len(rows) == count:
                break
        return rows

    def _add(self, batch: list[tuple[int, list[str]]]) -> None:
        width = len(self.header)
        for _, row in batch:
            while len(row) > width and not row[-1]:
                row.pop()
        whole = [one for one in batch if len(one[1]) == width]
        if len(whole) < len(batch):
            self.lost += [line for line, row in batch if len(row) != width]
        if whole:
            self.places += [line for line, _ in whole]
            for cells, more in zip(self.columns, zip(*(row for _, row in whole), strict=True), strict=True):
                cells.extend(map(str.strip, more))
