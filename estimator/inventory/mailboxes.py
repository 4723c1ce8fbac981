"""The mailbox inventory: `Get-EXOMailbox -PropertySets Minimum,Audit` or `Get-Mailbox`, as CSV, JSON or a workbook.

A file without audit sets (`Get-EXOMailbox` alone, `Get-User`) says who there is and no more: it counts beside one that
has them, for the names and further columns it brings, and is refused otherwise.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.cells import flag
from estimator.inventory.grid import Grid
from estimator.inventory.layout import column_key
from estimator.inventory.sheet import Part, Wanted, places_of, read_grid, select
from estimator.inventory.words import counted

EXPORT_COMMAND = (
    "Export again with: Get-EXOMailbox -ResultSize Unlimited -PropertySets Minimum,Audit | "
    "Select-Object UserPrincipalName,PrimarySmtpAddress,Name,Alias,DisplayName,ExternalDirectoryObjectId,"
    "RecipientTypeDetails,AuditEnabled,@{n='EmailAddresses';e={$_.EmailAddresses -join ' '}},"
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
    "inactive": Wanted(("IsInactiveMailbox",), needed=False),
    "bypassed": Wanted(("AuditBypassEnabled",), needed=False),
}
#: Our columns of a mailbox's audit settings, and those of them that are lists.
AUDIT_COLUMNS = ("audit_enabled", "default_audit_set", "audit_admin", "audit_delegate", "audit_owner")
AUDIT_SETS = AUDIT_COLUMNS[1:]

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

#: The numbers of the same types, which ConvertTo-Json writes for enums (msExchRecipientTypeDetails of Exchange).
_NUMBERS = {
    "1": "usermailbox",
    "2": "linkedmailbox",
    "4": "sharedmailbox",
    "8": "legacymailbox",
    "16": "roommailbox",
    "32": "equipmentmailbox",
    "536870912": "discoverymailbox",
    "68719476736": "publicfoldermailbox",
    "137438953472": "teammailbox",
    "1099511627776": "groupmailbox",
}

#: What stands where a list was not joined: its type's name instead of the values, or the first few and an ellipsis.
_NOT_JOINED = re.compile(r"^(System\.|Microsoft\.Exchange\.|Deserialized\.|@\{)|\.\.\.|…")


class Export(NamedTuple):
    """One mailbox export.

    Attributes:
        part: its mailboxes.
        refusal: why it cannot stand alone: it has no audit sets, which are then NaN, and `audit_enabled` is False.
        tells_bypass: whether it says of each mailbox whether its account bypasses auditing.
    """

    part: Part
    refusal: InventoryError | None
    tells_bypass: bool


def read_mailboxes(path: Path, shown: str) -> Part:
    """Read one mailbox export.

    Returns:
        One row per mailbox with the columns of `tables.MAILBOXES` (without `audit_tier`), and every further column of
        the export in lower case for the `where` of scenarios.

    Raises:
        InventoryError: a needed column is missing, no row has audit settings, or the file has no mailbox at all.
    """
    export = read_export(path, shown)
    if export.refusal is not None:
        raise export.refusal
    return export.part


def read_export(path: Path, shown: str) -> Export:
    """Read one mailbox export, one without audit sets too.

    Raises:
        InventoryError: another needed column is missing, or the file has no mailbox at all.
    """
    grid = read_grid(path, shown, _WANTED, EXPORT_COMMAND)
    have = {column_key(name) for name in grid.columns}
    without = all(have.isdisjoint(_WANTED[name].keys) for name in AUDIT_COLUMNS)
    refusal = None
    if without:
        refusal = _without_sets(grid, shown)
        wanted = {n: Wanted(one.names, one.needed and n not in AUDIT_COLUMNS) for n, one in _WANTED.items()}
    else:
        wanted = _WANTED
    sheet = select(grid, shown, wanted, EXPORT_COMMAND)
    cells, findings = sheet.cells, sheet.findings
    # Selected from objects that never had the audit properties, the columns are there and empty.
    blank = cells["audit_enabled"] == ""
    for name in AUDIT_SETS:
        if blank.any():
            blank &= cells[name] == ""
    if not without and len(cells) and blank.all():
        refusal = _without_sets(grid, shown)
    key = cells["upn"].where(cells["upn"] != "", cells["smtp"]).str.lower()
    nameless = key == ""
    if nameless.any():
        findings.append(
            Finding(
                "mailbox_without_name",
                "warning",
                f"{counted(int(nameless.sum()), 'row has', 'rows have')} neither UserPrincipalName nor "
                f"PrimarySmtpAddress ({places_of(cells, nameless)}) and so cannot count; the forecast is low by their "
                "events.",
                shown,
            )
        )
    kinds = {text: _kind(text) for text in cells["recipient_type"].unique()}
    enabled, bypassed = flag(cells["audit_enabled"]), flag(cells["bypassed"])
    # The columns of our own come last: an export's `Kind` or `Mailbox` must not pass for them.
    out = sheet.rest.assign(
        mailbox=key,
        smtp=cells["smtp"].str.lower(),
        kind=cells["recipient_type"].map(kinds).where(~flag(cells["inactive"]).fillna(False), "inactive").astype("str"),
        audit_enabled=enabled.fillna(False).astype(bool),
        default_audit_set=_lists(cells["default_audit_set"], lower=True).mask(blank),
        audit_admin=_lists(cells["audit_admin"]).mask(blank),
        audit_delegate=_lists(cells["audit_delegate"]).mask(blank),
        audit_owner=_lists(cells["audit_owner"]).mask(blank),
        bypassed=bypassed.fillna(False).astype(bool),
    )
    left = ~nameless
    if refusal is not None:
        # `Get-User` and `Get-Recipient` list who has no mailbox here, too.
        left &= cells["recipient_type"].str.lower().map(lambda t: _NUMBERS.get(t, t)).str.endswith("mailbox")
    if not left.all():
        out = out[left]
    if out.empty:
        raise InventoryError("the file has no mailbox", path=shown, expected="one row per mailbox", mend=EXPORT_COMMAND)
    if refusal is None:
        findings += _doubts(out, enabled[left].isna() & ~blank[left], cells, shown)
    part = Part(out.reset_index(drop=True), sheet.rows, findings)
    return Export(part, refusal, bool(bypassed.notna().all()))


def _doubts(out: pd.DataFrame, unclear: pd.Series, cells: pd.DataFrame, shown: str) -> list[Finding]:
    findings = []
    unreadable = out[list(AUDIT_SETS)].isna().any(axis=1)
    if unreadable.any():
        findings.append(
            Finding(
                "audit_set_unreadable",
                "warning",
                f"{counted(int(unreadable.sum()), 'mailbox has', 'mailboxes have')} a type name, numbers, a shortened "
                "list or nothing at all "
                "instead of their audit actions; where these are needed, whether they emit is unknown unless the "
                "sample covers "
                f"them. {EXPORT_COMMAND}",
                shown,
            )
        )
    if unclear.any():
        findings.append(
            Finding(
                "audit_enabled_unreadable",
                "warning",
                f"{counted(int(unclear.sum()), 'mailbox has', 'mailboxes have')} neither True nor False as "
                "AuditEnabled "
                f"({places_of(cells.loc[unclear.index], unclear)}), which counts as False: whether they emit is then "
                f"unknown unless the sample covers them. {EXPORT_COMMAND}",
                shown,
            )
        )
    return findings


def _without_sets(grid: Grid, shown: str) -> InventoryError:
    return InventoryError(
        "the file has no audit settings (AuditEnabled, DefaultAuditSet, AuditAdmin, AuditDelegate, AuditOwner), as "
        "Get-EXOMailbox leaves them out unless it is asked for the property set Audit",
        path=shown,
        place=grid.header,
        mend=EXPORT_COMMAND,
    )


def _kind(recipient_type: str) -> str:
    name = recipient_type.lower()
    name = _NUMBERS.get(name, name)
    return _KINDS.get(name, name or "unknown")


def _lists(cells: pd.Series, *, lower: bool = False) -> pd.Series:
    """Multi-valued properties as sorted comma-joined text; NaN where the list was not joined, or its values are no
    words: ConvertTo-Json writes numbers for enums, and which action is which is not told.

    Exports write them as `A,B`, `{A, B}`, `A B`, `A;B` or one a line. Few distinct sets exist in a tenant, so each
    spelling is parsed once.
    """

    def parse(cell: str) -> str | None:
        if _NOT_JOINED.search(cell):
            return None
        values = [v for v in re.split(r"[\s,;|{}\[\]\"]+", cell) if v]
        if not all(map(str.isalpha, values)):
            return None
        return ",".join(sorted({v.lower() if lower else v for v in values}))

    meaning = {cell: parse(cell) for cell in cells.unique()}
    return cells.map(meaning).astype("str")
