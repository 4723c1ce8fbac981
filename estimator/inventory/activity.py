"""Email activity: the usage report `getEmailActivityUserDetail` as CSV."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from estimator import tables
from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.sheet import Part, Wanted, read_sheet

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

_CONCEALED = re.compile(r"^[0-9a-f]{32}$")


def read_activity(path: Path, shown: str) -> Part:
    """Read one email activity report.

    Returns:
        `tables.ACTIVITY`, one row per user not deleted whose name is not concealed.

    Raises:
        InventoryError: a needed column is missing, or a count or date cannot be read.
    """
    sheet, _, rows, findings = read_sheet(path, shown, _WANTED, EXPORT_COMMAND)
    sheet = sheet[(sheet["upn"] != "") & (sheet["deleted"].str.lower() != "true")]
    if sheet.empty:
        findings.append(
            Finding(
                "activity_empty",
                "warning",
                "the report names no user who is not deleted, so the forecast goes without activity and is wider. "
                f"{EXPORT_COMMAND}",
                shown,
            )
        )
    numbers = {}
    for column in ("sends", "receives", "reads", "period_days"):
        numbers[column] = pd.to_numeric(sheet[column].replace("", "0"), errors="coerce")
        whole = (numbers[column] >= 0) & (numbers[column] % 1 == 0)
        _refuse_bad(sheet, ~whole, column, shown, "a whole number")
    ends = pd.to_datetime(sheet["period_end"], errors="coerce", format="ISO8601")
    _refuse_bad(sheet, ends.isna(), "period_end", shown, "a date such as 2026-11-09")
    _refuse_bad(sheet, numbers["period_days"] <= 0, "period_days", shown, "7, 30, 90 or 180")
    concealed = sheet["upn"].str.lower().str.match(_CONCEALED)
    if len(sheet) and concealed.mean() > 0.5:
        findings.append(
            Finding(
                "activity_concealed",
                "warning",
                "the report conceals user names (32 hex digits), so no row can be joined to a mailbox and the forecast "
                "goes without activity and is wider. Switch off 'Display concealed user, group, and site names in all "
                "reports' (admin center, Org settings, Reports) and download the report again.",
                shown,
            )
        )
        sheet = sheet[~concealed]
    keep = sheet.index
    out = pd.DataFrame(
        {
            "mailbox": sheet["upn"].str.lower(),
            "sends": numbers["sends"][keep].astype("float64"),
            "receives": numbers["receives"][keep].astype("float64"),
            "reads": numbers["reads"][keep].astype("float64"),
            "period_days": numbers["period_days"][keep].astype("int64"),
            "period_end": ends[keep].astype("datetime64[us]"),
        }
    ).reset_index(drop=True)
    return Part(tables.ACTIVITY.check(out, "read_activity"), rows, findings)


def _refuse_bad(sheet: pd.DataFrame, bad: pd.Series, column: str, shown: str, expected: str) -> None:
    if bad.any():
        line = int(sheet.index[bad][0])
        raise InventoryError(
            f"column {_WANTED[column].names[0]!r} holds {sheet.loc[line, column]!r}",
            path=shown,
            place=line,
            expected=expected,
            mend=EXPORT_COMMAND,
        )
