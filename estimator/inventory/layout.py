"""How an inventory file is laid out, and how its columns are compared; told from its beginning."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from estimator.audit.shape import Head

#: Lines before a header: `#TYPE ...` of Windows PowerShell, `sep=;` of Excel.
_PREAMBLES = ("#TYPE", "sep=")

#: Workbooks are zip archives.
WORKBOOK = b"PK\x03\x04"

#: A line of `Format-List`: `AuditDisabled : False`.
_PROPERTY = re.compile(r"^(?P<name>[A-Za-z][\w ]{0,80}?) *:(?: (?P<value>.*))?$")


@dataclass(frozen=True)
class Layout:
    """How one CSV file is laid out.

    Attributes:
        delimiter: comma; semicolon (`-UseCulture`, Excel in much of Europe); tab (Excel's Unicode text).
        preamble: lines before the header.
        header: the column names as they stand.
    """

    delimiter: str
    preamble: int
    header: list[str]


def is_workbook(path: Path) -> bool:
    """Whether a file may be a workbook, by its first bytes: zip archives begin like one.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(len(WORKBOOK)) == WORKBOOK


def column_key(name: str) -> str:
    """A column name as it is compared: lower case, letters and digits only."""
    return "".join(ch for ch in name.lower() if ch.isalnum())


def layout_of(head: Head) -> Layout:
    """The layout of a CSV file; its header is empty where there is none."""
    lines = head.text.splitlines(keepends=True)
    preamble = 1 if lines and lines[0].startswith(_PREAMBLES) else 0
    delimiter = max(",;\t", key="".join(lines[preamble : preamble + 1]).count)
    return Layout(delimiter, preamble, next(csv.reader(lines[preamble:], delimiter=delimiter), []))


def is_json(head: Head) -> bool:
    """Whether a file is JSON rather than CSV."""
    return head.text.lstrip("\ufeff \t\r\n").startswith(("{", "["))


def property_of(line: str) -> tuple[str, str] | None:
    """Name and value of a line of `Format-List`, None where it is none."""
    match = _PROPERTY.match(line.rstrip())
    return (match["name"], (match["value"] or "").strip()) if match else None


def list_names(head: Head) -> set[str]:
    """The names of a `Format-List` text, as columns are compared; empty where the file is none."""
    found = (property_of(line.lstrip("\ufeff")) for line in head.text.splitlines())
    return {column_key(one[0]) for one in found if one is not None}
