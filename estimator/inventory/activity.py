"""Email activity: the usage report `getEmailActivityUserDetail` as CSV."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from estimator import tables
from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.sheet import Wanted, read_sheet

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


def read_activity(path: Path, shown: str) -> tuple[pd.DataFrame, list[Finding]]:
    """Read one email activity report.

    Returns:
        `tables.ACTIVITY`, one row per user not deleted, and the findings.

    Raises:
        InventoryError: a needed column is missing, or a count or date cannot be read.
    """
    sheet, _ = read_sheet(path, shown, _WANTED, EXPORT_COMMAND)
    sheet = sheet[(sheet["upn"] != "") & (sheet["deleted"].str.lower() != "true")]
    findings = []
    numbers = {}
    for column in ("sends", "receives", "reads", "period_days"):
        numbers[column] = pd.to_numeric(sheet[column].replace("", "0"), errors="coerce")
        _refuse_bad(sheet, numbers[column].isna() | (numbers[column] < 0), column, shown, "a whole number")
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
    return tables.ACTIVITY.check(out, "read_activity"), findings


def _refuse_bad(sheet: pd.DataFrame, bad: pd.Series, column: str, shown: str, expected: str) -> None:
    if bad.any():
        first = sheet.index[bad.to_numpy()][0]
        raise InventoryError(
            f"column {_WANTED[column].names[0]!r} holds {sheet.loc[first, column]!r}",
            path=shown,
            place=int(first) + 2,
            expected=expected,
            mend=EXPORT_COMMAND,
        )
