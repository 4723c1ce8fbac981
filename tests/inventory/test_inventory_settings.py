"""Audit settings: the organisation, the unified audit log, and the accounts that bypass auditing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from estimator.errors import InventoryError
from estimator.inventory import Inventory, Settings, read_inventory
from estimator.inventory.recognise import recognise
from estimator.inventory.settings import missing_commands, read_settings
from tests.conftest import MAILBOX_COLUMNS, csv_text, licence, licences_csv, mailbox, mailboxes_csv, write

#: Header of the export that `check` asks for.
BYPASS_COLUMNS = ("Name", "Identity", "ObjectId", "AuditBypassEnabled")
NAMED = (*MAILBOX_COLUMNS, "Name", "Alias", "DisplayName", "ExternalDirectoryObjectId")
ANN_ID = "0f8a2f3e-0000-4000-8000-000000000001"
BOXES = (
    mailbox("ann.lee", Name="Ann Lee", Alias="annl", DisplayName="Ann Lee", ExternalDirectoryObjectId=ANN_ID),
    mailbox("bob.ray", Name="bobr", Alias="bobr", DisplayName="Ray, Bob"),
    mailbox("bob.too", Name="bobt", Alias="bobt", DisplayName="Ray, Bob"),
)


def account(name: str = "Ann Lee", bypass: Any = "True", **cells: Any) -> dict[str, Any]:
    return {"Name": name, "Identity": name, "ObjectId": "", "AuditBypassEnabled": bypass, **cells}


def bypass_csv(*rows: dict[str, Any]) -> str:
    return csv_text(rows, BYPASS_COLUMNS)


def joined(tmp_path: Path, *texts: str | bytes, columns: tuple[str, ...] = NAMED) -> Inventory:
    files = [(write(tmp_path / f"s{number}", text), f"s{number}") for number, text in enumerate(texts)]
    assert {recognise(path) for path, _ in files} <= {"settings"}
    return read_inventory({
        "mailboxes": [(write(tmp_path / "m", mailboxes_csv(*BOXES, columns=columns)), "m")],
        "licences": [(write(tmp_path / "l", licences_csv(licence("ann.lee"))), "l")],
        "settings": files,
    })  # fmt: skip


def bypassed(inventory: Inventory) -> list[str]:
    boxes = inventory.mailboxes
    return [name.partition("@")[0] for name in boxes.loc[boxes["bypassed"], "mailbox"]]


def messages(inventory: Inventory, code: str) -> list[str]:
    return [one.message for one in inventory.findings if one.code == code]


class TestTheTenant:
    @pytest.mark.parametrize("value", [True, False])
    @pytest.mark.parametrize(
        ("name", "field"),
        [("AuditDisabled", "organisation_disabled"), ("UnifiedAuditLogIngestionEnabled", "unified_log")],
    )
    @pytest.mark.parametrize(
        "text",
        [
            '"{name}"\r\n"{value}"\r\n',
            '#TYPE Selected\r\n"Name","{name}"\r\n"contoso","{value}"\r\n',
            '{{"{name}": {json}, "Name": "contoso"}}',
            '[{{"{name}": {json}}}]',
            "\r\n\r\n{name} : {value}\r\n\r\n\r\n",
            "PS C:\\> Get-OrganizationConfig | Format-List\r\n\r\nName                : contoso\r\n{name}: {value}\r\n",
        ],
        ids=["CSV", "CSV with #TYPE", "JSON", "JSON list", "Format-List", "a session"],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_in_every_shape(self, tmp_path: Path, text: str, name: str, field: str, value: bool, encoding: str) -> None:
        content = text.format(name=name, value=value, json=json.dumps(value))
        inventory = joined(tmp_path, content.encode(encoding))
        assert inventory.settings == Settings(**{field: value})
        assert inventory.rows["s0"] == 1

    def test_nothing_is_known_without_a_file(self, tmp_path: Path) -> None:
        inventory = joined(tmp_path)
        assert inventory.settings == Settings(None, None, False, ())
        assert bypassed(inventory) == []

    def test_all_in_one_text(self, tmp_path: Path) -> None:
        text = (
            "\r\nAuditDisabled : False\r\n\r\n\r\nUnifiedAuditLogIngestionEnabled : True\r\n\r\n"
            "Name               : Ann\r\n                     Lee\r\nAuditBypassEnabled : True\r\n\r\n"
            "Name               : bobr\r\nAuditBypassEnabled : False\r\n"
        )
        inventory = joined(tmp_path, text)
        # A long value goes on in the next line, indented; the console breaks it wherever the line ends.
        assert inventory.settings == Settings(False, True, True, ("AnnLee",))
        assert inventory.rows["s0"] == 4

    @pytest.mark.parametrize("name", ["AuditDisabled", "UnifiedAuditLogIngestionEnabled"])
    def test_files_that_disagree_leave_it_unknown(self, tmp_path: Path, name: str) -> None:
        inventory = joined(tmp_path, f"{name}\r\nTrue\r\n", f"{name} : False\r\n")
        assert inventory.settings == Settings()
        assert messages(inventory, "settings_disagree") == [
            f"{name} is True in one place and False in another (s0, s1), so it counts as unknown. "
            "Keep the newest export alone."
        ]
        same = joined(tmp_path, f"{name}\r\nTrue\r\n", f"{name} : True\r\n")
        assert not messages(same, "settings_disagree")

    def test_neither_true_nor_false(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "s", "AuditDisabled,AuditBypassEnabled,Name\r\nmaybe,,\r\n,True,Ann Lee\r\n,perhaps,Bob\r\n"
        )
        part = read_settings(path, "s")
        assert part.table["setting"].tolist() == ["bypass", "bypass"]
        (found,) = part.findings
        assert found.message.startswith("2 rows have neither True nor False as their setting (lines 2, 4)")
        with pytest.raises(
            InventoryError, match=r"^s: the file states none of the audit settings; expected AuditDisabled"
        ):
            read_settings(write(tmp_path / "s", "AuditDisabled\r\n\r\n"), "s")


class TestBypass:
    @pytest.mark.parametrize(
        "row",
        [
            account("Ann Lee"),
            account("annl"),
            account("ANNL"),
            account("nobody", Identity="ann.lee@contoso.example"),
            account("nobody", ObjectId=ANN_ID.upper()),
            account("x", Identity="EURPR01.PROD.OUTLOOK.COM/Exchange Hosted Organizations/contoso.example/Ann Lee"),
        ],
        ids=["name", "alias", "alias in capitals", "UPN", "object id", "path"],
    )
    @pytest.mark.parametrize("form", ["csv", "json"])
    def test_an_account_joins_by_any_of_its_names(self, tmp_path: Path, row: dict[str, Any], form: str) -> None:
        others = account("bobr", "False"), account("DiscoverySearchMailbox{D9}", "False")
        rows = (others[0], row, others[1])
        flags = [{**one, "AuditBypassEnabled": one["AuditBypassEnabled"] == "True"} for one in rows]
        inventory = joined(tmp_path, bypass_csv(*rows) if form == "csv" else json.dumps(flags))
        assert bypassed(inventory) == ["ann.lee"]
        assert inventory.settings == Settings(bypass_known=True)
        assert not messages(inventory, "bypass_unjoined")
        assert inventory.rows["s0"] == 3

    def test_who_has_no_mailbox_is_named_and_counted(self, tmp_path: Path) -> None:
        rows = account("svc-backup"), account("svc-journal"), account("Ann Lee"), account("svc-old", "False")
        inventory = joined(tmp_path, bypass_csv(*rows))
        assert inventory.settings.bypassed_accounts == ("svc-backup", "svc-journal")
        (message,) = messages(inventory, "bypass_unjoined")
        assert message.startswith("2 accounts bypass mailbox auditing and have no mailbox in the inventory:")
        assert "svc" not in message

    def test_a_name_of_several_is_nobodys(self, tmp_path: Path) -> None:
        inventory = joined(tmp_path, bypass_csv(account("Ray, Bob")))
        assert bypassed(inventory) == []
        (message,) = messages(inventory, "bypass_unjoined")
        assert "1 of them because several mailboxes go by their name" in message

    def test_without_names_in_the_mailbox_export_nobody_joins(self, tmp_path: Path) -> None:
        inventory = joined(tmp_path, bypass_csv(account("Ann Lee")), columns=MAILBOX_COLUMNS)
        assert inventory.settings.bypassed_accounts == ("Ann Lee",)
        assert "Name, Alias, DisplayName and ExternalDirectoryObjectId" in messages(inventory, "bypass_unjoined")[0]

    def test_an_export_that_lists_nobody_is_known(self, tmp_path: Path) -> None:
        inventory = joined(tmp_path, bypass_csv())
        assert (inventory.settings.bypass_known, inventory.rows["s0"]) == (True, 0)

    def test_exports_that_disagree(self, tmp_path: Path) -> None:
        inventory = joined(tmp_path, bypass_csv(account("Ann Lee", "False")), bypass_csv(account("ann lee", "True")))
        assert bypassed(inventory) == ["ann.lee"]
        assert messages(inventory, "settings_disagree")[0].startswith("1 account bypasses auditing by one row")

    def test_a_column_of_the_mailbox_export(self, tmp_path: Path) -> None:
        rows = mailbox("ann", AuditBypassEnabled="True"), mailbox("bob", AuditBypassEnabled="False")
        text = mailboxes_csv(*rows, columns=(*MAILBOX_COLUMNS, "AuditBypassEnabled"))
        inventory = read_inventory({
            "mailboxes": [(write(tmp_path / "m", text), "m")],
            "licences": [(write(tmp_path / "l", licences_csv(licence("ann"))), "l")],
        })  # fmt: skip
        assert bypassed(inventory) == ["ann"]
        assert inventory.settings == Settings(bypass_known=True)


def test_the_commands_bring_what_is_not_known() -> None:
    assert len(missing_commands(Settings())) == 3
    assert missing_commands(Settings(False, True, True)) == []
    (one,) = missing_commands(Settings(False, None, True))
    assert one.startswith("Get-AdminAuditLogConfig")
    # Their columns are those that are read.
    assert all(f"{column}," in missing_commands(Settings())[2] for column in BYPASS_COLUMNS[:3])
