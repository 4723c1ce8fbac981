"""CSV with an AuditData column: the Purview portal's export and `Search-UnifiedAuditLog | Export-Csv`.

Columns come in any order and number (the portal's eight, the cmdlet's ten, a SIEM's thirty more); only AuditData is
read, because it alone is the same in all of them.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import TextIO

from estimator.audit.shape import (
    MAX_RECORD_CHARS,
    Candidate,
    CsvLayout,
    Head,
    Shape,
    ShapeKind,
    duckdb_compression,
    sql_text,
)

_DELIMITERS = ",;\t"
_PREAMBLES = ("#TYPE", "sep=")

# Python's limit of 128 KiB a field is for the whole process; records may be longer.
csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD_CHARS))


def _claims(head: Head) -> CsvLayout | None:
    lines = head.text.splitlines(keepends=True)
    preamble = 1 if lines and lines[0].startswith(_PREAMBLES) else 0
    for delimiter in _DELIMITERS:
        try:
            header = next(csv.reader(lines[preamble:], delimiter=delimiter), [])
        except csv.Error:
            continue
        names = [name.strip().lower() for name in header]
        if "auditdata" in names:
            return CsvLayout(delimiter, len(names), names.index("auditdata"), preamble)
    return None


def _relation(shape: Shape) -> str | None:
    layout = shape.csv
    if layout is None or layout.preamble or shape.encoding == "utf-16":
        return None
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(layout.columns))
    # max_line_size sizes DuckDB's buffers (perf_lab §5); longer lines fail and go to the tolerant reader.
    return (
        f"SELECT c{layout.audit_data} AS text FROM read_csv($path, header = true, delim = {sql_text(layout.delimiter)},"
        f""" quote = '"', escape = '"', auto_detect = false, hive_partitioning = false, max_line_size = 2000000,"""
        f" buffer_size = 8000000, compression = '{duckdb_compression(shape)}', columns = {{{columns}}})"
    )


class _Lines:
    """Physical lines, counted; the lines of the row being read are kept, so that reading can resume within it."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._pushed_back: deque[str] = deque()
        self.number = 0
        self.row: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._pushed_back.popleft() if self._pushed_back else self._text.readline(MAX_RECORD_CHARS)
        if not line:
            raise StopIteration
        self.number += 1
        self.row.append(line)
        return line

    def resume_at(self, index: int) -> None:
        """Give the lines of the current row from `index` on back, to be read again."""
        again = self.row[index:]
        self._pushed_back.extendleft(reversed(again))
        self.number -= len(again)


def _candidates(text: TextIO, shape: Shape) -> Iterator[Candidate]:
    """Every row. A lost closing quote makes a row swallow the lines after it: those are then read again."""
    layout = shape.csv or CsvLayout(",", 1, 0)
    lines = _Lines(text)
    for _ in islice(lines, layout.preamble):
        pass
    reader = csv.reader(lines, delimiter=layout.delimiter)
    header = True
    while True:
        lines.row = []
        first = lines.number + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a field beyond the limit
            fields = [""]
        if not fields:
            continue
        if header:
            header = False
            continue
        data = fields[layout.audit_data].strip() if len(fields) > layout.audit_data else ""
        if len(lines.row) > 1 and not _is_json(data):
            starts = (i for i, line in enumerate(lines.row) if i and _starts_record(line, layout))
            if (index := next(starts, None)) is not None:
                lines.resume_at(index)
                reader = csv.reader(lines, delimiter=layout.delimiter)
        yield Candidate(f"line {first}", data)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _starts_record(line: str, layout: CsvLayout) -> bool:
    """Whether a row beginning with this line has the start of a JSON object where AuditData belongs."""
    try:
        fields = next(csv.reader([line], delimiter=layout.delimiter), [])
    except csv.Error:
        return False
    return len(fields) > layout.audit_data and fields[layout.audit_data].lstrip().startswith("{")


AUDIT_CSV = ShapeKind(
    kind="audit-csv",
    title="audit log export, CSV with AuditData",
    claims=_claims,
    relation=_relation,
    candidates=_candidates,
    newline="",
)
