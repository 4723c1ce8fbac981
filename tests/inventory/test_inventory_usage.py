"""Usage reports: what they say of the inventory, several of them, and concealed names."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from estimator.errors import InventoryError
from estimator.inventory import Inventory, read_inventory
from estimator.inventory.recognise import recognise
from estimator.inventory.usage import read_mailbox_usage, read_teams_activity
from tests.conftest import active, activity_csv, csv_text, licence, licences_csv, mailbox, mailboxes_csv, write

#: Header of getMailboxUsageDetail as the PnP project recorded it.
USAGE_COLUMNS = (
    "Report Refresh Date", "User Principal Name", "Display Name", "Is Deleted", "Deleted Date", "Created Date",
    "Last Activity Date", "Item Count", "Storage Used (Byte)", "Issue Warning Quota (Byte)",
    "Prohibit Send Quota (Byte)", "Prohibit Send/Receive Quota (Byte)", "Deleted Item Count",
    "Deleted Item Size (Byte)", "Deleted Item Quota (Byte)", "Has Archive", "Report Period",
)  # fmt: skip
TEAMS_COLUMNS = (
    "Report Refresh Date", "User Id", "User Principal Name", "Last Activity Date", "Is Deleted", "Deleted Date",
    "Assigned Products", "Team Chat Message Count", "Private Chat Message Count", "Call Count", "Meeting Count",
    "Has Other Action", "Report Period",
)  # fmt: skip
CONCEALED = "5535B4D580981B19AD1942C3806350"


def used(name: str = "ann", **cells: Any) -> dict[str, Any]:
    row = {"Report Refresh Date": "2026-11-20", "User Principal Name": f"{name}@contoso.example", "Is Deleted": "False",
           "Last Activity Date": "2026-11-19", "Item Count": "191", "Storage Used (Byte)": "5719031",
           "Report Period": "30"}  # fmt: skip
    return {**row, **cells}


def chatted(name: str = "ann", **cells: Any) -> dict[str, Any]:
    row = {"Report Refresh Date": "2026-11-20", "User Principal Name": f"{name}@contoso.example", "Is Deleted": "False",
           "Team Chat Message Count": "3", "Private Chat Message Count": "40", "Call Count": "2", "Meeting Count": "9",
           "Report Period": "30"}  # fmt: skip
    return {**row, **cells}


def joined(tmp_path: Path, kind: str, *texts: str, names: Sequence[str] = ("ann", "bob")) -> Inventory:
    files = [(write(tmp_path / f"r{number}", text), f"r{number}") for number, text in enumerate(texts)]
    assert {recognise(path) for path, _ in files} == {kind}
    return read_inventory({
        "mailboxes": [(write(tmp_path / "m", mailboxes_csv(*map(mailbox, names))), "m")],
        "licences": [(write(tmp_path / "l", licences_csv(*map(licence, names))), "l")],
        kind: files,
    })  # fmt: skip


def found(inventory: Inventory, code: str) -> list[tuple[str, str]]:
    return [(one.severity, one.message) for one in inventory.findings if one.code == code]


class TestMailboxUsage:
    def report(self, *rows: dict[str, Any]) -> str:
        return "\ufeff" + csv_text(rows, USAGE_COLUMNS)

    def test_a_report(self, tmp_path: Path) -> None:
        rows = (
            used("Ann"),
            used("bob", **{"Last Activity Date": "", "Item Count": ""}),
            used("old", **{"Is Deleted": "True"}),
        )
        part = read_mailbox_usage(write(tmp_path / "r", self.report(*rows)), "r")
        assert part.table["mailbox"].tolist() == ["ann@contoso.example", "bob@contoso.example"]
        assert part.table["items"].tolist() == [191, 0]
        assert part.table["last_activity"].dt.date.tolist()[0] == dt.date(2026, 11, 19)
        assert part.table["last_activity"].isna().tolist() == [False, True]
        assert (part.rows, [finding.code for finding in part.findings]) == (3, ["report_rows_left_out"])

    def test_the_json_of_graph(self, tmp_path: Path) -> None:
        user = {
            "reportRefreshDate": "2026-11-20", "userPrincipalName": "ann@contoso.example", "displayName": "Ann",
            "isDeleted": False, "createdDate": "2021-01-18", "lastActivityDate": None, "itemCount": 191,
            "storageUsedInBytes": 5719031, "hasArchive": False, "reportPeriod": "30",
        }  # fmt: skip
        inventory = joined(tmp_path, "mailbox-usage", json.dumps({"value": [user]}))
        assert inventory.usage["mailbox"].tolist() == ["ann@contoso.example"]
        assert inventory.usage["last_activity"].isna().all()

    def test_mailboxes_that_the_inventory_lacks(self, tmp_path: Path) -> None:
        """Half an export of mailboxes is not seen in it; the report knows the other half."""
        inventory = joined(tmp_path, "mailbox-usage", self.report(*map(used, ("ann", "bob", "cyd", "dan"))))
        ((severity, message),) = found(inventory, "mailboxes_missing")
        assert severity == "warning"
        assert message.startswith("2 of the 4 mailboxes in the usage report are not in the mailbox inventory")
        assert inventory.usage["mailbox"].tolist() == ["ann@contoso.example", "bob@contoso.example"]

    def test_a_few_new_ones_are_no_warning_and_none_is_no_finding(self, tmp_path: Path) -> None:
        names = [f"u{number}" for number in range(100)]
        more = joined(tmp_path, "mailbox-usage", self.report(*map(used, [*names, "new"])), names=names)
        assert [severity for severity, _ in found(more, "mailboxes_missing")] == ["info"]
        same = joined(tmp_path, "mailbox-usage", self.report(*map(used, names)), names=names)
        assert found(same, "mailboxes_missing") == []

    @pytest.mark.parametrize(("rows", "missing"), [(2, 0), (5, 3)])
    def test_of_concealed_names_the_number_is_compared(self, tmp_path: Path, rows: int, missing: int) -> None:
        report = self.report(*(used(**{"User Principal Name": f"{CONCEALED}{n:02}"}) for n in range(rows)))
        inventory = joined(tmp_path, "mailbox-usage", report)
        assert len(found(inventory, "usage_concealed")) == 1
        assert [message.split()[0] for _, message in found(inventory, "mailboxes_missing")] == [str(missing)] * bool(
            missing
        )
        assert inventory.usage.empty

    def test_a_report_of_nobody_is_not_used(self, tmp_path: Path) -> None:
        assert len(found(joined(tmp_path, "mailbox-usage", self.report()), "file_not_used")) == 1

    def test_bad_cells_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InventoryError, match="r:2: column 'Last Activity Date' holds 'soon'; expected a date"):
            read_mailbox_usage(write(tmp_path / "r", self.report(used(**{"Last Activity Date": "soon"}))), "r")
        with pytest.raises(InventoryError, match=r"r:2: column 'Item Count' holds '1\.5'; expected a whole number"):
            read_mailbox_usage(write(tmp_path / "r", self.report(used(**{"Item Count": "1.5"}))), "r")

    def test_the_real_report(self, shared: Path) -> None:
        part = read_mailbox_usage(shared / "samples" / "pnp" / "mailboxusagedetail.csv", "r")
        assert part.table[["mailbox", "items"]].to_numpy().tolist() == [["john.doe@contoso.com", 191]]


class TestTeams:
    def test_it_is_read_and_said_not_to_be_used(self, tmp_path: Path) -> None:
        rows = chatted("Ann"), chatted("gone", **{"Is Deleted": "True"}), chatted("guest", **{"Call Count": ""})
        inventory = joined(tmp_path, "teams-activity", csv_text(rows, TEAMS_COLUMNS))
        numbers = ["team_chats", "private_chats", "calls", "meetings", "period_days"]
        assert inventory.teams["mailbox"].tolist() == ["ann@contoso.example", "guest@contoso.example"]
        assert inventory.teams[numbers].to_numpy().tolist() == [[3, 40, 2, 9, 30], [3, 40, 0, 9, 30]]
        assert inventory.rows["r0"] == 3
        ((severity, message),) = found(inventory, "file_not_used")
        assert (severity, message[:42]) == ("info", "r0: the Teams activity of 2 users was read")

    def test_bad_cells_are_refused(self, tmp_path: Path) -> None:
        text = csv_text([chatted(**{"Meeting Count": "-1"})], TEAMS_COLUMNS)
        with pytest.raises(InventoryError, match="r:2: column 'Meeting Count' holds '-1'"):
            read_teams_activity(write(tmp_path / "r", text), "r")


class TestSeveralActivityReports:
    def test_the_newest_row_counts_and_of_one_day_the_longer_period(self, tmp_path: Path) -> None:
        def report(day: str, period: int, sends: int) -> str:
            cells = {"Report Refresh Date": day, "Report Period": str(period), "Send Count": str(sends)}
            return activity_csv(active("ann", **cells))

        newest, longer, older = report("2026-11-20", 7, 1), report("2026-11-20", 30, 2), report("2026-11-01", 180, 3)
        for texts in ((newest, longer, older), (older, longer, newest), (longer, older, newest)):
            inventory = joined(tmp_path, "email-activity", *texts)
            assert inventory.activity[["sends", "period_days"]].to_numpy().tolist() == [[2, 30]]
            assert [message[:6] for _, message in found(inventory, "activity_twice")] == ["2 rows"]


class TestConcealedActivity:
    def test_they_are_kept_unjoined(self, tmp_path: Path) -> None:
        rows = [active(**{"User Principal Name": f"{CONCEALED}{n:02}", "Send Count": str(n)}) for n in range(3)]
        inventory = joined(tmp_path, "email-activity", activity_csv(*rows))
        assert inventory.activity.empty
        assert inventory.unjoined["mailbox"].tolist() == [f"{CONCEALED.lower()}{n:02}" for n in range(3)]
        assert inventory.unjoined["sends"].tolist() == [0, 1, 2]
        assert found(inventory, "activity_without_mailbox") == []
        ((severity, message),) = found(inventory, "activity_concealed")
        assert severity == "warning"
        assert "Org settings > Services > Reports" in message

    def test_beside_names_that_are_shown(self, tmp_path: Path) -> None:
        hidden = activity_csv(active(**{"User Principal Name": f"{CONCEALED}00"}))
        inventory = joined(tmp_path, "email-activity", hidden, activity_csv(active("ann")))
        assert inventory.activity["mailbox"].tolist() == ["ann@contoso.example"]
        assert len(inventory.unjoined) == 1
