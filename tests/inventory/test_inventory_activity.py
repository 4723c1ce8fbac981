"""The email activity report of the admin centre and of Graph."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from estimator.errors import InventoryError
from estimator.inventory.activity import read_activity
from estimator.inventory.recognise import recognise
from estimator.inventory.sheet import Part
from tests.conftest import ACTIVITY_COLUMNS, active, activity_csv, write

NEEDED = ("User Principal Name", "Send Count", "Receive Count", "Read Count", "Report Period", "Report Refresh Date")
CONCEALED = "5535B4D580981B19AD1942C38063507F"


def read(tmp_path: Path, content: str | bytes) -> Part:
    path = write(tmp_path / "export", content)
    assert recognise(path) == "email-activity"
    return read_activity(path, "export")


def test_a_report(tmp_path: Path) -> None:
    part = read(
        tmp_path, "\ufeff" + activity_csv(active("Ann"), active("bob", **{"Send Count": "", "Read Count": "7"}))
    )
    assert part.table["mailbox"].tolist() == ["ann@contoso.example", "bob@contoso.example"]
    assert part.table[["sends", "receives", "reads"]].to_numpy().tolist() == [[120, 900, 600], [0, 900, 7]]
    assert part.table["period_days"].tolist() == [30, 30]
    assert {day.date() for day in part.table["period_end"]} == {dt.date(2026, 11, 20)}
    assert (part.rows, part.findings) == (2, [])


def test_deleted_and_nameless_users_are_left_out(tmp_path: Path) -> None:
    rows = active("ann"), active("bob", **{"Is Deleted": "True"}), active("cyd", **{"User Principal Name": ""})
    part = read(tmp_path, activity_csv(*rows))
    assert part.table["mailbox"].tolist() == ["ann@contoso.example"]
    assert part.rows == 3
    (found,) = part.findings
    assert (found.code, found.severity) == ("report_rows_left_out", "info")
    assert found.message.startswith("1 row of the report is of deleted users")
    assert "1 names nobody" in found.message


def test_concealed_names_are_said_so_and_kept(tmp_path: Path) -> None:
    rows = [active(**{"User Principal Name": CONCEALED[:-1] + digit}) for digit in "012"]
    part = read(tmp_path, activity_csv(*rows, active("ann")))
    assert part.table["mailbox"].tolist() == [
        *(CONCEALED[:-1].lower() + digit for digit in "012"),
        "ann@contoso.example",
    ]
    (found,) = part.findings
    assert found.code == "activity_concealed"
    assert found.message.startswith("the report conceals 3 of its 4 user names (32 hex digits)")
    assert "Display concealed user, group, and site names" in found.message
    assert "Org settings > Services > Reports" in found.message


def test_the_json_of_graph(tmp_path: Path) -> None:
    """The answer of /beta/reports/getEmailActivityUserDetail(period='D7')?$format=application/json."""
    user = {
        "reportRefreshDate": "2026-11-20", "userPrincipalName": "Ann@contoso.example", "displayName": "Ann",
        "isDeleted": False, "deletedDate": None, "lastActivityDate": "2026-11-20", "sendCount": 134,
        "receiveCount": 1721, "readCount": 1021, "meetingCreatedCount": 0, "meetingInteractedCount": 0,
        "assignedProducts": ["MICROSOFT 365 E3", "POWER BI (FREE)"], "reportPeriod": "7",
    }  # fmt: skip
    page = {"@odata.context": "https://graph.example/$metadata", "value": [user, {**user, "isDeleted": True}]}
    part = read(tmp_path, json.dumps(page))
    assert part.table.drop(columns="period_end").to_numpy().tolist() == [["ann@contoso.example", 134, 1721, 1021, 7]]
    assert (part.rows, [finding.code for finding in part.findings]) == (2, ["report_rows_left_out"])
    more = read(tmp_path, json.dumps({**page, "@odata.nextLink": "https://graph.example/?$skiptoken=2"}))
    assert [finding.code for finding in more.findings] == ["export_page", "report_rows_left_out"]
    with pytest.raises(
        InventoryError, match=r"export:object 2: column 'Send Count' holds '-1'; expected a whole number"
    ):
        read(tmp_path, json.dumps([user, {**user, "sendCount": -1}]))


def test_a_report_of_nobody_is_said_so(tmp_path: Path) -> None:
    part = read(tmp_path, activity_csv(active()).splitlines(keepends=True)[0])
    assert part.table.empty
    assert [finding.code for finding in part.findings] == ["activity_empty"]


@pytest.mark.parametrize("column", ["Send Count", "Receive Count", "Read Count", "Report Period"])
@pytest.mark.parametrize("cell", ["many", "-1", "1.5", "nan", "inf", "1e400", "0x10"])
def test_what_is_no_count_is_refused_with_its_line(tmp_path: Path, column: str, cell: str) -> None:
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, activity_csv(active("ann"), active("bob", **{column: cell})))
    message = str(caught.value)
    assert message.startswith(f"export:3: column '{column}' holds '{cell}'; expected a whole number. Export again with")


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("Report Refresh Date", "20/11/2026", "a date such as 2026-11-09"),
        ("Report Refresh Date", "", "a date such as 2026-11-09"),
        ("Report Refresh Date", "2026-13-01", "a date such as 2026-11-09"),
        ("Report Period", "0", "7, 30, 90 or 180"),
        ("Report Period", "", "7, 30, 90 or 180"),
    ],
)
def test_dates_and_periods(tmp_path: Path, column: str, cell: str, expected: str) -> None:
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, activity_csv(active("ann", **{column: cell})))
    assert str(caught.value).startswith(f"export:2: column '{column}' holds '{cell}'; expected {expected}.")


@pytest.mark.parametrize("missing", NEEDED)
def test_each_column_missing(tmp_path: Path, missing: str) -> None:
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, activity_csv(active(), columns=[name for name in ACTIVITY_COLUMNS if name != missing]))
    assert str(caught.value).startswith(f"export:1: column '{missing}' missing; found ")
    assert "Get-MgReportEmailActivityUserDetail" in str(caught.value)


@pytest.mark.parametrize("other", [name for name in ACTIVITY_COLUMNS if name not in NEEDED])
def test_the_other_columns_may_be_missing(tmp_path: Path, other: str) -> None:
    part = read(tmp_path, activity_csv(active(), columns=[name for name in ACTIVITY_COLUMNS if name != other]))
    assert len(part.table) == 1


def test_the_documented_report_has_a_concealed_name(shared: Path) -> None:
    path = shared / "samples" / "pnp" / "mailactivityuserdetail.csv"
    assert recognise(path) == "email-activity"
    assert [finding.code for finding in read_activity(path, "x").findings] == ["activity_concealed"]


@pytest.mark.parametrize(("name", "users"), [("tenant_a", 545), ("tenant_b", 183)])
def test_real_shapes(shared: Path, name: str, users: int) -> None:
    path = shared / "samples" / name / "email_activity.csv"
    assert recognise(path) == "email-activity"
    part = read_activity(path, "x")
    assert (len(part.table), part.rows, part.findings) == (users, users, [])
    assert part.table["sends"][0] == {"tenant_a": 259, "tenant_b": 8}[name]
