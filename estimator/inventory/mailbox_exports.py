"""All mailbox exports of a tenant: one for each kind of mailbox, say, and files without audit sets beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.mailboxes import AUDIT_COLUMNS, AUDIT_SETS, EXPORT_COMMAND, read_export
from estimator.inventory.words import counted


class Exports(NamedTuple):
    """All mailbox exports of a tenant.

    Attributes:
        table: the mailboxes under each other, in the order of the files, those of files without sets left out.
        rows: rows read of each file, by its name for messages.
        findings: what was wrong or doubtful.
        tells_bypass: whether some file says which accounts bypass auditing.
    """

    table: pd.DataFrame
    rows: dict[str, int]
    findings: list[Finding]
    tells_bypass: bool


def read_exports(files: Sequence[tuple[Path, str]]) -> Exports:
    """Read all mailbox exports, and put those without audit sets beside those with them.

    Raises:
        InventoryError: one of them cannot be read, or has mailboxes whose audit sets no file has.
    """
    exports = [(shown, read_export(path, shown)) for path, shown in files]
    rows = {shown: export.part.rows for shown, export in exports}
    findings = [finding for _, export in exports for finding in export.part.findings]
    whole = [export.part.table for _, export in exports if export.refusal is None]
    boxes = (
        whole[0]
        if len(whole) == 1
        else pd.concat(whole, ignore_index=True)
        if whole
        else pd.DataFrame({"mailbox": pd.Series([], dtype="str")})
    )
    for shown, export in exports:
        if export.refusal is None:
            continue
        table = export.part.table
        alone = ~table["mailbox"].isin(boxes["mailbox"])
        if alone.any():
            if len(files) == 1:
                raise export.refusal
            raise InventoryError(
                f"{int(alone.sum()):,} of its {counted(len(table), 'mailbox', 'mailboxes')} have no audit settings in "
                "this file or another",
                path=shown,
                mend=EXPORT_COMMAND,
            )
        boxes = _beside(boxes, table)
        findings.append(
            Finding(
                "mailbox_file_without_sets",
                "info",
                f"the file has no audit settings; its {counted(len(table), 'mailbox has', 'mailboxes have')} them in "
                "other files, and it counts "
                "for their names and further columns. Its other "
                f"{counted(export.part.rows - len(table), 'row names', 'rows name')} no mailbox.",
                shown,
            )
        )
    if len(whole) > 1:  # one file has columns that another has not
        text = [name for name in boxes if boxes[name].dtype == "str" and name not in AUDIT_SETS]
        boxes = boxes.fillna(dict.fromkeys(text, ""))
    return Exports(boxes, rows, findings, any(export.tells_bypass for _, export in exports))


def _beside(boxes: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The mailboxes with the further columns of another file of them, where they have no such or it is empty."""
    values = other.drop_duplicates("mailbox").set_index("mailbox")
    ours = {"smtp", "kind", "bypassed", *AUDIT_COLUMNS}
    for name in [*(n for n in values if n not in ours), "smtp"]:
        found = boxes["mailbox"].map(values[name]).fillna("").astype("str")
        boxes[name] = boxes[name].where(boxes[name].fillna("") != "", found) if name in boxes else found
    boxes["bypassed"] |= boxes["mailbox"].map(values["bypassed"]).fillna(False).astype(bool)
    return boxes
