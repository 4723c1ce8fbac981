"""JSON inventories: a list of objects or a single one (`ConvertTo-Json`), one a line, and pages with `value` as Graph
and the Exchange admin API answer; several of them after one another or in a list are read as one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from estimator.audit.shape import Head
from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.grid import Grid, read_whole, rejected
from estimator.inventory.words import counted

_BETWEEN = re.compile(r"[\s,\[\]\ufeff]*")

#: `{"@odata.context":"…","value":[`: what follows are the objects of a page. Possessive (`*+`), so that what does not
#: match is given up at once, whatever a file is made of.
_STRING = r'"(?:[^"\\]|\\.)*+"'
_PAGE = re.compile(rf'\{{\s*+(?:{_STRING}\s*+:\s*+(?:{_STRING}|[-+.\w]++)\s*+,\s*+)*?"[Vv]alue"\s*+:\s*+\[', re.DOTALL)

_NEXT = "@odata.nextLink"


def read_json(path: Path, head: Head, shown: str, mend: str) -> Grid:
    """Read a JSON file; values become text as `cell` says.

    Raises:
        InventoryError: unreadable, or no object in it can be read.
    """
    try:
        document = _Document(read_whole(path, head))
    except (OSError, UnicodeError) as error:
        raise InventoryError(f"cannot be read as JSON: {error}", path=shown, mend=mend) from error
    columns: dict[str, list[str]] = {}
    known: dict[str, str] = {}
    places, lost, count = [], [], 0
    for number, value in enumerate(document, 1):
        if not isinstance(value, dict):
            lost.append(number)
            continue
        for name, one in value.items():
            if "@" in name:  # `@odata.id`, `AuditOwner@data.type`: what the service says of its own values
                continue
            text = cell(one)
            cells = columns.setdefault(name, [])
            if len(cells) < count:
                cells.extend([""] * (count - len(cells)))
            cells.append(known.setdefault(text, text))  # few distinct sets exist: one copy of each is kept
        count += 1
        places.append(number)
    if document.damage and not places:
        raise InventoryError(f"is not valid JSON: {document.damage}", path=shown, mend=mend)
    for cells in columns.values():
        cells.extend([""] * (count - len(cells)))
    findings = []
    if lost:
        findings.append(rejected(lost, count + len(lost), "are no objects", "object", mend, shown))
    if document.damage:
        findings.append(
            Finding(
                "export_cut",
                "warning",
                f"the file breaks off or is damaged after {counted(count, 'object', 'objects')} ({document.damage}); "
                "what stood behind them "
                f"is missing from the count. {mend}",
                shown,
            )
        )
    if document.next_page:
        findings.append(
            Finding(
                "export_page",
                "warning",
                f"the file is one page of several: it has {counted(count, 'object', 'objects')} and names the next "
                f"page ({_NEXT}). What "
                "stands on the other pages is missing from the count. Fetch every page.",
                shown,
            )
        )
    return Grid(columns, places, "object", None, count + len(lost), findings)


def first_object(head: Head) -> dict[str, Any]:
    """The first object of a JSON file, of a page the first in it; of one cut by the end of the head what names it has.

    The values of an object that was cut are not kept: only its names tell.
    """
    for value in _Document(head.text):
        return value if isinstance(value, dict) else {}
    start = head.text.find("{", max(head.text.find("["), 0))
    return dict.fromkeys(re.findall(r'"([^"\\]{1,80})"\s*:', head.text[start : start + (64 << 10)]), "")


def cell(value: Any) -> str:
    """A JSON value as a CSV export would have it: flags as True and False, lists comma-joined, null as ''."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(map(cell, value))
    if isinstance(value, dict):
        # Windows PowerShell writes collections as {"value": [...], "Count": n}, enums as {"value": 1, "Value": "Name"}.
        for name in ("Value", "value"):
            if isinstance(value.get(name), (str, list)):
                return cell(value[name])
        return json.dumps(value)
    return str(value)


class _Document:
    """The objects of a JSON text in order, those of pages one by one; of damaged text those before the damage.

    Attributes:
        damage: what is wrong behind the last object; '' for nothing. To be asked when all are read.
        next_page: whether the last page names another.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.damage = ""
        self.next_page = False

    def __iter__(self) -> Iterator[Any]:
        decoder, text = json.JSONDecoder(), self._text
        at = _skip(text, 0)
        while at < len(text):
            try:
                value, end = decoder.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                self.damage = str(error) or "nested too deeply"
                page = _PAGE.match(text, at)
                if page is None:
                    return
                at = _skip(text, page.end())  # a page that was cut: its objects one by one, as far as they go
                continue
            at = _skip(text, end)
            rows = _rows_of(value)
            if rows is None:
                yield value
            else:
                self.next_page = _NEXT in value
                yield from rows
        # A list or a page that is not closed lacks what was to come.
        if not self.damage and text.rstrip()[-1:] not in ("}", "]"):
            self.damage = "it does not end with a bracket"
        if not self.damage and text.lstrip("\ufeff \t\r\n").startswith("[") and not text.rstrip().endswith("]"):
            self.damage = "the list is not closed"


def _skip(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    assert match is not None
    return match.end()


def _rows_of(value: Any) -> list[Any] | None:
    """The objects of a page, None where a value is none."""
    if not isinstance(value, dict):
        return None
    rows = value.get("value")
    if not isinstance(rows, list) or any(not isinstance(row, dict) for row in rows[:1]):
        return None
    return rows
