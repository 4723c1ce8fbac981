"""Usage reports beside email activity: `getMailboxUsageDetail` and `getTeamsUserActivityUserDetail`, CSV or JSON."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from estimator import tables
from estimator.findings import Finding
from estimator.inventory.cells import days, is_concealed, whole_numbers
from estimator.inventory.sheet import Part, Wanted, read_sheet
from estimator.inventory.words import counted

MAILBOX_COMMAND = "Export again with: Get-MgReportMailboxUsageDetail -Period D30 -OutFile mailbox_usage.csv"
TEAMS_COMMAND = "Export again with: Get-MgReportTeamUserActivityUserDetail -Period D30 -OutFile teams_activity.csv"

#: Where the setting is that conceals names (Microsoft 365 admin center).
REVEAL = (
    "Clear 'Display concealed user, group, and site names in all reports' (Microsoft 365 admin center > Settings > Org "
    "settings > Services > Reports) and download the report again."
)

_ALL = {
    "upn": Wanted(("User Principal Name",)),
    "deleted": Wanted(("Is Deleted",), needed=False),
    "last_activity": Wanted(("Last Activity Date",), needed=False),
    "period_days": Wanted(("Report Period",), needed=False),
    "period_end": Wanted(("Report Refresh Date",)),
}
_MAILBOX = {**_ALL, "items": Wanted(("Item Count",))}
_TEAMS = {
    **_ALL,
    "team_chats": Wanted(("Team Chat Message Count",)),
    "private_chats": Wanted(("Private Chat Message Count",)),
    "calls": Wanted(("Call Count",), needed=False),
    "meetings": Wanted(("Meeting Count",), needed=False),
}


def read_mailbox_usage(path: Path, shown: str) -> Part:
    """Read one mailbox usage report.

    Returns:
        `tables.MAILBOX_USAGE`, one row per mailbox not deleted, those with concealed names too.

    Raises:
        InventoryError: a needed column is missing, or a count or date cannot be read.
    """
    cells, rows, findings = _present(path, shown, _MAILBOX, MAILBOX_COMMAND)
    if cells.empty:
        findings.append(
            Finding(
                "file_not_used",
                "info",
                f"{shown}: the report names no mailbox that is not deleted, so nothing is made of it. "
                f"{MAILBOX_COMMAND}",
                shown,
            )
        )
    if is_concealed(cells["upn"]).any():
        findings.append(
            Finding(
                "usage_concealed",
                "info",
                "the report conceals user names (32 hex digits), so it cannot be told which mailboxes the inventory "
                f"lacks; their number alone is compared. {REVEAL}",
                shown,
            )
        )
    out = pd.DataFrame(
        {
            "mailbox": cells["upn"].str.lower(),
            "items": whole_numbers(cells, "items", "Item Count", shown, MAILBOX_COMMAND),
            "last_activity": days(cells, "last_activity", "Last Activity Date", shown, MAILBOX_COMMAND, empty=True),
            "period_end": days(cells, "period_end", "Report Refresh Date", shown, MAILBOX_COMMAND),
        }
    ).reset_index(drop=True)
    return Part(tables.MAILBOX_USAGE.check(out, "read_mailbox_usage"), rows, findings)


def read_teams_activity(path: Path, shown: str) -> Part:
    """Read one Teams user activity report. Nothing is forecast from it yet, and a finding says so.

    Returns:
        `tables.TEAMS_ACTIVITY`, one row per user not deleted, those with concealed names too.

    Raises:
        InventoryError: a needed column is missing, or a count or date cannot be read.
    """
    cells, rows, findings = _present(path, shown, _TEAMS, TEAMS_COMMAND)
    findings.append(
        Finding(
            "file_not_used",
            "info",
            f"{shown}: the Teams activity of {counted(len(cells), 'user', 'users')} was read; no forecast uses it in "
            "this version.",
            shown,
        )
    )
    numbers = {
        name: whole_numbers(cells, name, _TEAMS[name].names[0], shown, TEAMS_COMMAND)
        for name in ("team_chats", "private_chats", "calls", "meetings", "period_days")
    }
    out = pd.DataFrame(
        {
            "mailbox": cells["upn"].str.lower(),
            **{name: numbers[name] for name in ("team_chats", "private_chats", "calls", "meetings")},
            "period_days": numbers["period_days"].astype("int64"),
            "period_end": days(cells, "period_end", "Report Refresh Date", shown, TEAMS_COMMAND),
        }
    ).reset_index(drop=True)
    return Part(tables.TEAMS_ACTIVITY.check(out, "read_teams_activity"), rows, findings)


def _present(path: Path, shown: str, wanted: dict[str, Wanted], mend: str) -> tuple[pd.DataFrame, int, list[Finding]]:
    """The cells of users who are named and not deleted, the rows of the file, and findings."""
    sheet = read_sheet(path, shown, wanted, mend, rest=False)
    cells, left_out = present(sheet.cells, shown)
    return cells, sheet.rows, sheet.findings + left_out


def present(cells: pd.DataFrame, shown: str) -> tuple[pd.DataFrame, list[Finding]]:
    """The rows of a report that name a user who is not deleted, and how many do not."""
    nameless = cells["upn"] == ""
    deleted = cells["deleted"].str.lower().eq("true") & ~nameless
    left = cells[~nameless & ~deleted]
    if len(left) == len(cells):
        return left, []
    return left, [
        Finding(
            "report_rows_left_out",
            "info",
            f"{counted(int(deleted.sum()), 'row of the report is', 'rows of the report are')} of deleted users, whose "
            "mailboxes emit nothing more, and "
            f"{counted(int(nameless.sum()), 'names', 'name')} nobody; they are left out.",
            shown,
        )
    ]
