"""What an inventory file is, told by its content and never by its name."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

from estimator.audit.opening import read_head
from estimator.inventory.json_rows import first_object
from estimator.inventory.layout import WORKBOOK, Layout, column_key, is_json, layout_of, list_names

__all__ = ["InventoryKind", "Layout", "column_key", "is_json", "layout_of", "recognise"]

InventoryKind = Literal[
    "mailboxes", "licences", "sku-totals", "email-activity", "mailbox-usage", "teams-activity", "settings",
    "usage-report",
]  # fmt: skip

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
_SETTING_COLUMNS = {"auditdisabled", "unifiedauditlogingestionenabled", "auditbypassenabled"}
_EMAIL_COLUMNS = {"sendcount", "receivecount", "readcount"}
#: Of `getMailboxUsageDetail`, as CSV and as JSON.
_USAGE_COLUMNS = ({"itemcount", "storageusedbyte"}, {"itemcount", "storageusedinbytes"})
_TEAMS_COLUMNS = {"teamchatmessagecount", "privatechatmessagecount"}
_REPORT_COLUMNS = {"reportrefreshdate", "reportperiod"}
_USER_COLUMNS = {"userprincipalname", "userid"}


def recognise(path: Path) -> InventoryKind | None:
    """What inventory `path` is, or None where it is none. Reads the first MiB; of a workbook, all of it.

    Raises:
        OSError: it cannot be read.
    """
    # Here, because the readers of licences recognise files with this module.
    from estimator.inventory import licences

    head = read_head(path)
    if head.start.startswith(WORKBOOK):
        return _of_workbook(path)
    if is_json(head):
        first = first_object(head)
        # Mailboxes and usage reports name people as Graph's users do, and have more besides.
        if kind := _of_columns({column_key(name) for name in first if "@" not in name}, table=False):
            return kind
        if licences.totals_object(first):
            return "sku-totals"
        return "licences" if licences.licence_object(first) else None
    try:
        kind = _of_columns({column_key(name) for name in layout_of(head).header})
    except csv.Error:
        return None
    if kind is not None:
        return kind
    # What Format-List prints has no header, and may have a prompt and a command before the first property.
    names = list_names(head)
    if names & _SETTING_COLUMNS:
        return "settings"
    return "mailboxes" if names & _MAILBOX_COLUMNS else None


def _of_columns(columns: set[str], *, table: bool = True) -> InventoryKind | None:
    """What a file of such columns is; the names of JSON objects say nothing of licences that `licences` does not."""
    from estimator.inventory import licences

    if columns & _EMAIL_COLUMNS:
        return "email-activity"
    if columns & _REPORT_COLUMNS and columns & _USER_COLUMNS:
        if columns & _TEAMS_COLUMNS:
            return "teams-activity"
        if any(columns >= marks for marks in _USAGE_COLUMNS):
            return "mailbox-usage"
    if columns >= _REPORT_COLUMNS:
        return "usage-report"
    if columns & _MAILBOX_COLUMNS:
        return "mailboxes"
    if columns & _SETTING_COLUMNS:
        return "settings"
    if table and licences.totals_columns(columns):
        return "sku-totals"
    if table and licences.licence_columns(columns):
        return "licences"
    return None


def _of_workbook(path: Path) -> InventoryKind | None:
    from estimator.inventory.xlsx_rows import headers

    kinds = (_of_columns({column_key(name) for name in header}) for _, header in headers(path))
    return next((kind for kind in kinds if kind is not None), None)
