"""The mailbox inventory: `Get-EXOMailbox -PropertySets Minimum,Audit` as CSV."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.sheet import Part, Wanted, read_sheet

EXPORT_COMMAND = (
    "Export again with: Get-EXOMailbox -ResultSize Unlimited -PropertySets Minimum,Audit | "
    "Select-Object UserPrincipalName,PrimarySmtpAddress,RecipientTypeDetails,AuditEnabled,"
    "@{n='DefaultAuditSet';e={$_.DefaultAuditSet -join ','}},@{n='AuditAdmin';e={$_.AuditAdmin -join ','}},"
    "@{n='AuditDelegate';e={$_.AuditDelegate -join ','}},@{n='AuditOwner';e={$_.AuditOwner -join ','}} | "
    "Export-Csv mailboxes.csv -NoTypeInformation -Encoding UTF8"
)

_WANTED = {
    "upn": Wanted(("UserPrincipalName",)),
    "smtp": Wanted(("PrimarySmtpAddress",), needed=False),
    "recipient_type": Wanted(("RecipientTypeDetails",)),
    "audit_enabled": Wanted(("AuditEnabled",)),
    "default_audit_set": Wanted(("DefaultAuditSet",)),
    "audit_admin": Wanted(("AuditAdmin",)),
    "audit_delegate": Wanted(("AuditDelegate",)),
    "audit_owner": Wanted(("AuditOwner",)),
}

#: RecipientTypeDetails → our kind. Unlisted ones keep their own name in lower case and are treated as users' are not.
_KINDS = {
    "usermailbox": "user",
    "linkedmailbox": "user",
    "legacymailbox": "user",
    "sharedmailbox": "shared",
    "roommailbox": "room",
    "equipmentmailbox": "equipment",
    "schedulingmailbox": "equipment",
    "groupmailbox": "group",
    "teammailbox": "group",
    "discoverymailbox": "discovery",
    "publicfoldermailbox": "public_folder",
    "inactivemailbox": "inactive",
}

#: What stands where a list was not joined: its type's name instead of the values, or the first few and an ellipsis.
_NOT_JOINED = re.compile(r"^(System\.|Microsoft\.Exchange\.|Deserialized\.)|\.\.\.|…")


def read_mailboxes(path: Path, shown: str) -> Part:
    """Read one mailbox export.

    Returns:
        One row per mailbox with the columns of `tables.MAILBOXES` (without `audit_tier`), and every further column of
        the export in lower case for the `where` of scenarios.

    Raises:
        InventoryError: a needed column is missing, or the file has no mailbox at all.
    """
    sheet = read_sheet(path, shown, _WANTED, EXPORT_COMMAND)
    cells, findings = sheet.cells, sheet.findings
    key = cells["upn"].where(cells["upn"] != "", cells["smtp"]).str.lower()
    nameless = key == ""
    if nameless.any():
        lines = ", ".join(map(str, cells.index[nameless][:5]))
        findings.append(
            Finding(
                "mailbox_without_name",
                "warning",
                f"{int(nameless.sum())} rows have neither UserPrincipalName nor PrimarySmtpAddress (lines {lines}) "
                "and are left out; the forecast is low by their events.",
                shown,
            )
        )
    # The columns of our own come last: an export's `Kind` or `Mailbox` must not pass for them.
    out = sheet.rest.assign(
        mailbox=key,
        smtp=cells["smtp"].str.lower(),
        kind=cells["recipient_type"].str.lower().map(lambda t: _KINDS.get(t, t or "unknown")).astype("str"),
        audit_enabled=cells["audit_enabled"].str.lower().isin(["true", "1", "yes"]),
        default_audit_set=_lists(cells["default_audit_set"], lower=True),
        audit_admin=_lists(cells["audit_admin"]),
        audit_delegate=_lists(cells["audit_delegate"]),
        audit_owner=_lists(cells["audit_owner"]),
    )[~nameless]
    if out.empty:
        raise InventoryError("the file has no mailbox", path=shown, expected="one row per mailbox", mend=EXPORT_COMMAND)
    unreadable = out[["default_audit_set", "audit_admin", "audit_delegate", "audit_owner"]].isna().any(axis=1)
    if unreadable.any():
        findings.append(
            Finding(
                "audit_set_unreadable",
                "warning",
                f"{int(unreadable.sum())} mailboxes have a type name or a shortened list instead of their audit "
                "actions; where these are needed, whether they emit is unknown unless the sample covers them. "
                f"{EXPORT_COMMAND}",
                shown,
            )
        )
    return Part(out.reset_index(drop=True), sheet.rows, findings)


def _lists(cells: pd.Series, *, lower: bool = False) -> pd.Series:
    """Multi-valued properties as sorted comma-joined text; NaN where the list was not joined.

    Exports write them as `A,B`, `{A, B}`, `A B`, `A;B` or one a line. Few distinct sets exist in a tenant, so each
    spelling is parsed once.
    """

    def parse(cell: str) -> str | None:
        if _NOT_JOINED.search(cell):
            return None
        values = [v for v in re.split(r"[\s,;|{}\[\]\"]+", cell) if v]
        return ",".join(sorted({v.lower() if lower else v for v in values}))

    meaning = {cell: parse(cell) for cell in cells.unique()}
    return cells.map(meaning).astype("str")
