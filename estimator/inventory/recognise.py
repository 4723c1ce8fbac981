"""What an inventory file is, told by its content and never by its name."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from estimator.audit.opening import read_head
from estimator.audit.shape import Head

InventoryKind = Literal["mailboxes", "licences", "email-activity", "usage-report"]

#: Columns that only a mailbox export has; one of them is enough to call the file one, so that a file lacking the
#: others is refused with the list of what it lacks instead of being passed over as unknown.
_MAILBOX_COLUMNS = {
    "recipienttypedetails",
    "auditenabled",
    "auditowner",
    "auditdelegate",
    "auditadmin",
    "defaultauditset",
}
_LICENCE_COLUMNS = {"skupartnumber", "skuid", "accountskuid", "licenses", "licences", "assignedlicenses"}
_EMAIL_COLUMNS = {"sendcount", "receivecount", "readcount"}
_REPORT_COLUMNS = {"reportrefreshdate", "reportperiod"}

_PREAMBLES = ("#TYPE", "sep=")


@dataclass(frozen=True)
class Layout:
    """How one CSV file is laid out.

    Attributes:
        delimiter: comma; semicolon (`-UseCulture`, Excel in much of Europe); tab (Excel's Unicode text).
        preamble: lines before the header: `#TYPE ...` of Windows PowerShell, `sep=;` of Excel.
        header: the column names as they stand.
    """

    delimiter: str
    preamble: int
    header: list[str]


def column_key(name: str) -> str:
    """A column name as it is compared: lower case, letters and digits only."""
    return "".join(ch for ch in name.lower() if ch.isalnum())


def layout_of(head: Head) -> Layout:
    """The layout of a CSV file; its header is empty where there is none."""
    lines = head.text.splitlines(keepends=True)
    preamble = 1 if lines and lines[0].startswith(_PREAMBLES) else 0
    delimiter = max(",;\t", key="".join(lines[preamble : preamble + 1]).count)
    return Layout(delimiter, preamble, next(csv.reader(lines[preamble:], delimiter=delimiter), []))


def recognise(path: Path) -> InventoryKind | None:
    """What inventory `path` is, or None where it is none. Reads the first MiB.

    Raises:
        OSError: it cannot be read.
    """
    head = read_head(path)
    if is_json(head):
        return "licences" if _looks_like_graph_users(head.text) else None
    try:
        columns = {column_key(name) for name in layout_of(head).header}
    except csv.Error:
        return None
    if columns & _EMAIL_COLUMNS:
        return "email-activity"
    if columns >= _REPORT_COLUMNS:
        return "usage-report"
    if columns & _MAILBOX_COLUMNS:
        return "mailboxes"
    if columns & _LICENCE_COLUMNS:
        return "licences"
    return None


def is_json(head: Head) -> bool:
    """Whether a file is JSON rather than CSV."""
    return head.text.lstrip().startswith(("{", "["))


def _looks_like_graph_users(text: str) -> bool:
    """Graph users: objects with assignedLicenses, or what only users have, bare or under `value`."""
    start = text.find("[")
    first_object = text.find("{", start + 1)
    if start < 0 or first_object < 0:
        return False
    try:
        first, _ = json.JSONDecoder().raw_decode(text, first_object)
    except (ValueError, RecursionError):  # cut by the end of the head
        return '"assignedLicenses"' in text
    # Users selected without their licences are refused with the reason, not passed over as unknown. Audit and sign-in
    # records have a userPrincipalName too, and no displayName.
    marks = {"assignedLicenses"}, {"userPrincipalName", "displayName"}
    return isinstance(first, dict) and any(mark <= first.keys() for mark in marks)
