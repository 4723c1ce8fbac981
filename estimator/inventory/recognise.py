"""What an inventory file is, told by its content and never by its name."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Literal

InventoryKind = Literal["mailboxes", "licences", "email-activity"]

_HEAD_BYTES = 64 * 1024

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


def column_key(name: str) -> str:
    """A column name as it is compared: lower case, without spaces, underscores and BOM."""
    return "".join(ch for ch in name.lower() if ch.isalnum())


def head(path: Path) -> bytes:
    """The first 64 KiB of a file, decompressed where it is gzip; what is readable where it is damaged."""
    with path.open("rb") as raw:
        magic = raw.read(2)
        raw.seek(0)
        if magic != b"\x1f\x8b":
            return raw.read(_HEAD_BYTES)
        try:
            with gzip.GzipFile(fileobj=raw) as unpacked:
                return unpacked.read(_HEAD_BYTES)
        except (OSError, EOFError):
            return b""


def recognise(path: Path) -> InventoryKind | None:
    """What inventory `path` is, or None where it is none."""
    text = head(path).decode("utf-8-sig", errors="replace").lstrip()
    if text.startswith(("{", "[")):
        return "licences" if _looks_like_graph_users(text) else None
    header = next(csv.reader(text.splitlines()[:1]), [])
    columns = {column_key(name) for name in header}
    if "sendcount" in columns or {"reportrefreshdate", "reportperiod"} <= columns:
        return "email-activity"
    if columns & _MAILBOX_COLUMNS:
        return "mailboxes"
    if columns & _LICENCE_COLUMNS:
        return "licences"
    return None


def _looks_like_graph_users(text: str) -> bool:
    """Graph users: objects with userPrincipalName and assignedLicenses, bare or under `value`."""
    start = text.find("[")
    first_object = text.find("{", start + 1)
    if start < 0 or first_object < 0:
        return False
    try:
        first, _ = json.JSONDecoder().raw_decode(text, first_object)
    except ValueError:  # cut by the 64 KiB head
        return '"assignedLicenses"' in text
    return isinstance(first, dict) and ("assignedLicenses" in first or "userPrincipalName" in first)
