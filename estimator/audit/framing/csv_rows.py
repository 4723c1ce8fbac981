"""CSV: any delimiter, any columns, line breaks in fields, and rows that lost a quote and swallowed the next ones."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TextIO

from estimator.audit.framing import Opened
from estimator.audit.shape import (
    MAX_RECORD_CHARS,
    TOO_LONG,
    Candidate,
    Head,
    Shape,
    TableLayout,
    duckdb_compression,
    sql_text,
)

_DELIMITERS = ",;\t"
_YEAR_FIRST = re.compile(r"\s*(?:19|20|21)\d\d-\d\d-\d\d")
_PREAMBLES = ("#TYPE", "sep=")

#: After so many empty lines in a row they are passed over by blocks of so many characters.
_MANY_BLANK, _BLANK_BLOCK = 1000, 1 << 16

# Python's limit of 128 KiB a field is for the whole process; records may be longer.
csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD_CHARS))


def layouts(head: Head) -> Iterator[tuple[str, int, list[str], list[list[str]]]]:
    """For each delimiter that may be meant: it, lines before the header, the header, and the rows of the head."""
    lines = head.text.removeprefix("\ufeff").splitlines(keepends=True)
    preamble = 1 if lines and lines[0].startswith(_PREAMBLES) else 0
    first = "".join(lines[preamble : preamble + 1])
    for delimiter in sorted(_DELIMITERS, key=first.count, reverse=True):
        rows: list[list[str]] = []
        with suppress(csv.Error):  # the last row is cut by the end of the head
            rows = [row for row in islice(csv.reader(lines[preamble:], delimiter=delimiter), 400) if row]
        if rows:
            yield delimiter, preamble, rows[0], rows[1:]


def has_plain_header(head: Head, delimiter: str, preamble: int) -> bool:
    """Whether the header is one line in which every quote is where it belongs.

    DuckDB takes a header that lost a quote for one that runs on, and all the rows it swallows for a part of it.
    """
    lines = head.text.removeprefix("\ufeff").splitlines()
    line = lines[preamble] if len(lines) > preamble else ""
    field = rf'(?:[^"{delimiter}]*|"(?:[^"]|"")*")'
    return re.fullmatch(f"{field}(?:{delimiter}{field})*", line) is not None


class CsvRows:
    """See the module."""

    def relation(self, shape: Shape) -> str | None:
        """See `Framing`."""
        layout = shape.table
        if layout is None or layout.preamble or not layout.plain or shape.encoding not in ("utf-8", "utf-8-sig"):
            return None
        if shape.billed and layout.cell is not None:  # what was billed stands in another column
            return None
        columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(layout.names)))
        if layout.cell is not None:
            text = f"c{layout.cell}"
        else:
            pairs = ", ".join(f"{sql_text(name)}, {_filled(places)}" for name, places in _places(layout.names).items())
            text = f"json_object({pairs})::VARCHAR"
        # max_line_size sizes DuckDB's buffers (perf_lab §5); longer lines fail and go to the tolerant reader.
        return (
            f"SELECT {text} AS text FROM read_csv($path, header = true, delim = {sql_text(layout.delimiter)},"
            f""" quote = '"', escape = '"', auto_detect = false, hive_partitioning = false, max_line_size = 2000000,"""
            f" buffer_size = 16000000, compression = '{duckdb_compression(shape)}', columns = {{{columns}}})"
        )

    def candidates(self, opened: Opened) -> Iterator[Candidate]:
        """Every row. A lost closing quote makes a row swallow the lines after it: those are then read again."""
        layout = opened.shape.table
        assert layout is not None
        with opened.text("") as text:
            yield from _candidates(text, layout, _Beside.of(opened.shape))


def first_of_each(names: tuple[str, ...]) -> list[tuple[int, str]]:
    """Columns with their places; of columns of one name the first."""
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        found.setdefault(name, index)
    return [(index, name) for name, index in found.items()]


def _places(names: tuple[str, ...]) -> dict[str, list[int]]:
    """Every name with its columns."""
    found: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        found.setdefault(name, []).append(index)
    return found


def _filled(places: list[int]) -> str:
    """SQL for what `row_object` takes of columns of one name; DuckDB reads an empty field as null."""
    *others, last = (f"c{place}" for place in places)
    return "coalesce(" + "".join(f"nullif({one}, ''), " for one in others) + f"{last}, '')"


def row_object(names: tuple[str, ...], fields: list[str]) -> str:
    """A row as a JSON object; of columns of one name the first that is not empty."""
    found: dict[str, str] = {}
    for name, value in zip(names, fields, strict=False):
        if not found.get(name):
            found[name] = value
    # Written as DuckDB writes it: its length may be a record's size, and its hash a record's key.
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


class _Lines:
    """Physical lines, counted; the lines of the row being read are kept, so that reading can resume within it."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._pushed_back: deque[str] = deque()
        self.number = 0
        self.row: list[str] = []
        self._chars = 0
        self.too_long = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._pushed_back.popleft() if self._pushed_back else self._text.readline(MAX_RECORD_CHARS)
        if not line:
            raise StopIteration
        self.number += 1
        self._chars += len(line)
        if self._chars >= MAX_RECORD_CHARS:
            # One row cannot be so long: its end was lost, or the line never was a row. The row ends here.
            self.too_long = True
            while line and not line.endswith(("\n", "\r")):
                line = self._text.readline(MAX_RECORD_CHARS)
            raise StopIteration
        self.row.append(line)
        return line

    def new_row(self) -> None:
        """The next line begins a row."""
        self.row, self._chars, self.too_long = [], 0, False

    def skip_blank(self) -> None:
        """Pass over empty lines by the block: millions of them pack into a small file, and each is a row of nothing."""
        while not self._pushed_back:
            block = self._text.read(_BLANK_BLOCK)
            if block.endswith("\r"):  # its line feed may follow
                block += self._text.read(1)
            if not block:
                return
            if block.strip("\r\n"):
                if not block.endswith(("\n", "\r")):
                    block += self._text.readline(MAX_RECORD_CHARS)
                self._pushed_back.extend(io.StringIO(block, newline=""))
            else:
                self.number += block.count("\n") + block.count("\r") - block.count("\r\n")

    def resume_at(self, index: int) -> None:
        """Give the lines of the current row from `index` on back, to be read again."""
        again = self.row[index:]
        self._pushed_back.extendleft(reversed(again))
        self.number -= len(again)


@dataclass(frozen=True)
class _Beside:
    """What of a row is wanted beside its AuditData: little where that is whole, everything but itself where it is not.

    Attributes:
        stand_in: whether other columns can stand in for AuditData.
        always: the columns with a date, by which day-first dates are told, and with the size that was billed.
    """

    stand_in: bool
    always: tuple[int, ...]

    @staticmethod
    def of(shape: Shape) -> _Beside:
        wanted = (*shape.recogniser.fields.get("CreationTime", ()), "_BilledSize")
        names = shape.table.names if shape.table else ()
        return _Beside(
            bool(shape.recogniser.fields), tuple(index for index, name in enumerate(names) if name in wanted)
        )

    def row(self, fields: list[str], layout: TableLayout) -> str:
        """The row as far as it is wanted, as a JSON object; '' for nothing of it."""
        assert layout.cell is not None
        data = fields[layout.cell] if len(fields) > layout.cell else ""
        if self.stand_in and not _has_operation_and_day(data):
            places = [index for index in range(len(layout.names)) if index != layout.cell and index < len(fields)]
        else:
            places = [index for index in self.always if index < len(fields)]
        return row_object(tuple(layout.names[i] for i in places), [fields[i] for i in places]) if places else ""


def _has_operation_and_day(data: str) -> bool:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict):
        return False
    operation, moment = value.get("Operation"), value.get("CreationTime")
    if not isinstance(operation, str) or not isinstance(moment, str):
        return False
    return bool(operation.strip()) and _YEAR_FIRST.match(moment) is not None


def _candidates(text: TextIO, layout: TableLayout, beside: _Beside) -> Iterator[Candidate]:
    lines = _Lines(text)
    for _ in islice(lines, layout.preamble):
        pass
    reader = csv.reader(lines, delimiter=layout.delimiter)
    header, blank = True, 0
    while True:
        lines.new_row()
        first = lines.number + 1
        damaged = False
        try:
            fields = next(reader)
        except StopIteration:
            if not lines.too_long:
                return
            fields, damaged = [], True
        except csv.Error:  # a field beyond the limit
            fields, damaged = [], True
        if lines.too_long:  # csv gives what it had of the row
            fields, damaged = [], True
        if not fields and not damaged:
            blank += 1
            if blank >= _MANY_BLANK:
                lines.skip_blank()
            continue
        blank = 0
        if header:
            header = False
            continue
        if damaged or (len(lines.row) > 1 and not _is_whole(fields, layout)):
            starts = (i for i, line in enumerate(lines.row) if i and _starts_row(line, layout))
            index = next(starts, None)
            if index is not None:
                lines.resume_at(index)
            if index is not None or damaged:
                reader = csv.reader(lines, delimiter=layout.delimiter)
        if damaged:
            yield Candidate(f"line {first}", "", fault=TOO_LONG)
        else:
            yield _candidate(f"line {first}", fields, layout, beside)


def _candidate(place: str, fields: list[str], layout: TableLayout, beside: _Beside) -> Candidate:
    if layout.cell is None:
        # Whose the cells of a row of another length are cannot be told; empty ones at its end say nothing.
        while len(fields) > len(layout.names) and not fields[-1]:
            fields.pop()
        return Candidate(place, row_object(layout.names, fields) if len(fields) == len(layout.names) else "")
    data = fields[layout.cell].strip() if len(fields) > layout.cell else ""
    fault = "" if len(fields) > layout.cell else f"the row ends before its column {layout.names[layout.cell]}"
    return Candidate(place, data, beside.row(fields, layout), fault)


def _is_whole(fields: list[str], layout: TableLayout) -> bool:
    if layout.cell is None:
        return len(fields) == len(layout.names)
    return len(fields) > layout.cell and _is_json(fields[layout.cell])


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _starts_row(line: str, layout: TableLayout) -> bool:
    """Whether a line may begin a row: a JSON object begins where AuditData belongs, or all fields are there."""
    try:
        fields = next(csv.reader([line], delimiter=layout.delimiter), [])
    except csv.Error:
        return False
    if layout.cell is None:
        return len(fields) == len(layout.names)
    return len(fields) > layout.cell and fields[layout.cell].lstrip().startswith("{")
