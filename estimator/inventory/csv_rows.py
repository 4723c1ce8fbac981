"""CSV inventories: plain or compressed; UTF-8 with or without BOM, or UTF-16; comma, semicolon or tab."""

from __future__ import annotations

import csv
from collections.abc import Container
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from estimator.audit.shape import Head
from estimator.errors import InventoryError
from estimator.inventory.grid import Grid, open_inventory, rejected
from estimator.inventory.layout import Layout, column_key, layout_of

#: Fed to the reader after the last line: where a file ends within quotes, it becomes part of the last cell.
_END = "\x00end of file\x00"


#: Rows taken at a time. Kept as columns of text and not as rows, they are no matter to the garbage collector, which
#: would go through all of them again and again.
_BATCH = 4_096


def read_csv(path: Path, head: Head, shown: str, mend: str, keys: Container[str] | None = None) -> Grid:
    """Read a CSV file. Blank rows are none, and commas too many at a row's end are dropped.

    Args:
        path: the file.
        head: its beginning.
        shown: its name for messages.
        mend: the command that exports it again.
        keys: the columns to keep, as `column_key` compares them; others are left empty. None keeps all.

    Raises:
        InventoryError: unreadable.
    """
    try:
        layout = layout_of(head)
        text, guard = open_inventory(path, head)
        with text:
            table = _Table(text, layout, keys)
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

    def __init__(self, text: TextIO, layout: Layout, keys: Container[str] | None) -> None:
        self._reader = csv.reader(chain(islice(text, layout.preamble, None), [_END]), delimiter=layout.delimiter)
        self._before = layout.preamble
        self.header = next((row for _, row in self._batch(1)), [])
        self.columns: list[list[str]] = [[] for _ in self.header]
        self._kept = [at for at, name in enumerate(self.header) if keys is None or column_key(name) in keys]
        self.places: list[int] = []
        self.lost: list[int] = []
        if self.header == [_END]:
            self.header, self.columns = [], []
            return
        last: list[str] = []
        while batch := self._batch(_BATCH):
            last = batch[-1][1]
            if last == [_END]:
                batch.pop()
            self._add(batch)
        if last != [_END] and self.places and (not self.lost or self.lost[-1] < self.places[-1]):
            self.lost.append(self.places.pop())
            for at in self._kept:
                self.columns[at].pop()

    def _batch(self, count: int) -> list[tuple[int, list[str]]]:
        """The next rows that are not blank, each with its first line; empty at the end."""
        reader, before = self._reader, self._before + 1
        rows: list[tuple[int, list[str]]] = []
        at = reader.line_num + before
        for row in reader:
            if row:
                rows.append((at, row))
                if len(rows) == count:
                    break
            at = reader.line_num + before
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
            cells = list(zip(*(row for _, row in whole), strict=True))
            for at in self._kept:
                self.columns[at].extend(map(str.strip, cells[at]))
