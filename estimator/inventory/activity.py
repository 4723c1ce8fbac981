"""Email activity: the usage report `getEmailActivityUserDetail`, CSV or the JSON of Graph beta."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from estimator import tables
from estimator.findings import Finding
from estimator.inventory.cells import days, is_concealed, whole_numbers
from estimator.inventory.sheet import Part, Wanted, read_sheet
from estimator.inventory.usage import REVEAL, present
from estimator.inventory.words import counted

EXPORT_COMMAND = "Export again with: Get-MgReportEmailActivityUserDetail -Period D30 -OutFile email_activity.csv"

_WANTED = {
    "upn": Wanted(("User Principal Name",)),
    "sends": Wanted(("Send Count",)),
    "receives": Wanted(("Receive Count",)),
    "reads": Wanted(("Read Count",)),
    "period_days": Wanted(("Report Period",)),
    "period_end": Wanted(("Report Refresh Date",)),
    "deleted": Wanted(("Is Deleted",), needed=False),
}


def read_activity(path: Path, shown: str) -> Part:
    """Read one email activity report.

    Returns:
        `tables.ACTIVITY`, one row per user not deleted; `mailbox` of those whose names are concealed is that name.

    Raises:
        InventoryError: a needed column is missing, or a count or date cannot be read.
    """
    sheet = read_sheet(path, shown, _WANTED, EXPORT_COMMAND, rest=False)
    cells, left_out = present(sheet.cells, shown)
    findings = sheet.findings + left_out
    if cells.empty:
        findings.append(
            Finding(
                "activity_empty",
                "warning",
                "the report names no user who is not deleted, so the forecast goes without activity and is wider. "
                f"{EXPORT_COMMAND}",
                shown,
            )
        )

    def count(column: str, least: int = 0, expected: str = "a whole number") -> pd.Series:
        name = _WANTED[column].names[0]
        return whole_numbers(cells, column, name, shown, EXPORT_COMMAND, expected=expected, least=least)

    out = pd.DataFrame(
        {
            "mailbox": cells["upn"].str.lower(),
            "sends": count("sends"),
            "receives": count("receives"),
            "reads": count("reads"),
            "period_days": count("period_days", 1, "7, 30, 90 or 180").astype("int64"),
            "period_end": days(cells, "period_end", "Report Refresh Date", shown, EXPORT_COMMAND),
        }
    ).reset_index(drop=True)
    if concealed := int(is_concealed(out["mailbox"]).sum()):
        findings.append(
            Finding(
                "activity_concealed",
                "warning",
                f"the report conceals {concealed:,} of its {counted(len(out), 'user name', 'user names')} (32 hex "
                "digits), so these rows can be "
                "joined to no mailbox: how much people mail is known as a distribution only, not of whom, and the "
                f"forecast is wider. {REVEAL}",
                shown,
            )
        )
    return Part(tables.ACTIVITY.check(out, "read_activity"), sheet.rows, findings)
