"""Joining the files of a tenant to its mailboxes. Whatever joins to none is counted and said; names join as `names`
says.
"""

from __future__ import annotations

import pandas as pd

from estimator import tables
from estimator.findings import Finding
from estimator.inventory.cells import is_concealed
from estimator.inventory.names import Names
from estimator.inventory.tiers import Tiers
from estimator.inventory.words import counted

#: The share of mailboxes that a usage report knows and the inventory lacks beyond which the latter is half an export;
#: fewer were made or renamed between the two. Our assumption.
_MISSING_SHARE = 0.02

#: The settings of a mailbox, as exports call them.
_SETTINGS = {
    "kind": "RecipientTypeDetails",
    "audit_enabled": "AuditEnabled",
    "default_audit_set": "DefaultAuditSet",
    "audit_admin": "AuditAdmin",
    "audit_delegate": "AuditDelegate",
    "audit_owner": "AuditOwner",
}


def each_once(boxes: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    """The mailboxes, each once: the first row of each counts, one that is active before one that is inactive."""
    again = boxes.duplicated("mailbox")
    if not again.any():
        return boxes
    boxes = boxes.iloc[(boxes["kind"] == "inactive").argsort(kind="stable")]
    again = boxes.duplicated("mailbox")
    others = boxes[again]
    first = boxes[~again].set_index("mailbox").loc[others["mailbox"], list(_SETTINGS)].reset_index(drop=True)
    differ = first.astype("str").ne(others[list(_SETTINGS)].reset_index(drop=True).astype("str"))
    by_setting = ", ".join(
        f"{name} {int(differ[ours].sum())}" for ours, name in _SETTINGS.items() if differ[ours].any()
    )
    rows = int(differ.any(axis=1).sum())
    findings.append(
        Finding(
            "mailbox_twice",
            "warning" if rows else "info",
            f"{counted(len(others), 'row repeats', 'rows repeat')} a mailbox, {rows:,} of them with other settings"
            f"{f' ({by_setting})' if by_setting else ''}; the first row of each counts"
            + (", and an active mailbox before an inactive one." if (boxes["kind"] == "inactive").any() else "."),
        )
    )
    return boxes[~again].copy()


def licences(boxes: pd.DataFrame, held: Tiers, names: Names, findings: list[Finding]) -> tuple[pd.Series, int]:
    """The audit tier of each mailbox, and how many users count for the grant."""
    users = held.tiers.index.to_series()
    renamed = _rename(users, names, "licences", findings)
    # Where a mailbox has licences under its UPN and under another name too, those under its UPN count.
    order = (users != renamed).argsort(kind="stable")
    meant = pd.Series(held.tiers.to_numpy()[order], index=renamed.to_numpy()[order], dtype="str")
    tiers = meant[~meant.index.duplicated()]
    grants = int(held.grants.groupby(renamed.to_numpy()).any().sum())
    of_boxes = boxes["mailbox"].map(tiers).fillna("none").astype("str")
    unlicensed = int(((of_boxes == "none") & (boxes["kind"] == "user")).sum())
    if unlicensed:
        findings.append(
            Finding(
                "mailbox_without_licence",
                "warning",
                f"{counted(unlicensed, 'user mailbox has', 'user mailboxes have')} no licence that includes a "
                "mailbox: they emit nothing, and add nothing unless a scenario gives them a licence (assign_licence). "
                "If the licence file is half an export, the forecast is low.",
            )
        )
    licensed = tiers.index[tiers != "none"]
    if nobody := int((~licensed.isin(boxes["mailbox"])).sum()):
        findings.append(
            Finding(
                "licence_without_mailbox",
                "info",
                f"{counted(nobody, 'licensed user has', 'licensed users have')} no mailbox in the inventory; nothing "
                "is added for them.",
            )
        )
    return of_boxes, grants


def activity(report: pd.DataFrame, names: Names, findings: list[Finding]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The activity of each mailbox, and the rows of reports that conceal names, which join to none."""
    if report.empty:
        return tables.ACTIVITY.empty(), tables.ACTIVITY.empty()
    concealed = is_concealed(report["mailbox"])
    unjoined = latest(report[concealed], tables.ACTIVITY)
    known = _latest_of_each(report[~concealed], names, "email activity", findings)
    without = ~known["mailbox"].isin(names.mailboxes)
    if without.any():
        findings.append(
            Finding(
                "activity_without_mailbox",
                "info",
                f"the activity report has {counted(int(without.sum()), 'user', 'users')} without a mailbox in the "
                "inventory; nothing is added for them.",
            )
        )
    return known[~without].sort_values("mailbox").reset_index(drop=True), unjoined


def usage(report: pd.DataFrame, boxes: pd.DataFrame, names: Names, findings: list[Finding]) -> pd.DataFrame:
    """The usage of each mailbox; whether the report knows mailboxes that the inventory lacks is a finding."""
    if report.empty:
        return tables.MAILBOX_USAGE.empty()
    concealed = is_concealed(report["mailbox"])
    known = _latest_of_each(report[~concealed], names, "mailbox usage", findings)
    without = ~known["mailbox"].isin(names.mailboxes)
    hidden = len(latest(report[concealed], tables.MAILBOX_USAGE))
    missing, listed = int(without.sum()), len(known)
    if not listed and hidden > len(boxes):
        missing, listed = hidden - len(boxes), hidden
    if missing:
        findings.append(
            Finding(
                "mailboxes_missing",
                "warning" if missing > _MISSING_SHARE * listed else "info",
                f"{missing:,} of the {counted(listed, 'mailbox', 'mailboxes')} in the usage report "
                f"{'is' if missing == 1 else 'are'} not in the mailbox inventory. They were "
                "made or renamed between the two exports, or the inventory is half an export, and then the forecast "
                "is low by their events.",
            )
        )
    return known[~without].sort_values("mailbox").reset_index(drop=True)


def latest(report: pd.DataFrame, table: tables.Table) -> pd.DataFrame:
    """Each user's newest row of several reports of one kind; of reports of one day the one of the longest period."""
    if report.empty:
        return table.empty()
    by = [name for name in ("period_end", "period_days") if name in report]
    newest = report.sort_values(by, kind="stable").drop_duplicates("mailbox", keep="last")
    return newest.sort_index().reset_index(drop=True)


def _latest_of_each(report: pd.DataFrame, names: Names, called: str, findings: list[Finding]) -> pd.DataFrame:
    """Each mailbox's newest row; rows under the mailbox's own UPN count before those under another name of it."""
    renamed = _rename(report["mailbox"], names, called, findings)
    own = (renamed == report["mailbox"]).astype("int64")
    report = report.assign(mailbox=renamed, own=own)
    by = ["own", *(name for name in ("period_end", "period_days") if name in report)]
    newest = report.sort_values(by, kind="stable").drop_duplicates("mailbox", keep="last").drop(columns="own")
    if again := len(report) - len(newest):
        findings.append(
            Finding(
                "activity_twice",
                "info",
                f"{counted(again, 'row', 'rows')} of the {called} reports {'repeats' if again == 1 else 'repeat'} a "
                "user of another row; the newest row counts, "
                "of two of one day that of the longer period.",
            )
        )
    return newest.reset_index(drop=True)


def _rename(users: pd.Series, names: Names, called: str, findings: list[Finding]) -> pd.Series:
    renamed, changed, several = names.rename(users)
    if changed:
        findings.append(
            Finding(
                "upn_changed",
                "info",
                f"{counted(changed, 'user', 'users')} of the {called} files {'goes' if changed == 1 else 'go'} by "
                "another address of a mailbox than its UPN (renamed "
                "between two exports, or exported by address); they are joined to it.",
            )
        )
    if several:
        findings.append(
            Finding(
                "name_ambiguous",
                "warning",
                f"{counted(several, 'user', 'users')} of the {called} files {'goes' if several == 1 else 'go'} by an "
                "address that several mailboxes have, joined "
                "to none of them.",
            )
        )
    return renamed
