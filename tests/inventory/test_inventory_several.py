"""Several mailbox exports: each brings mailboxes, and those without audit sets stand beside those with them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from estimator.errors import InventoryError
from estimator.inventory import Inventory, read_inventory
from estimator.inventory.mailboxes import read_mailboxes
from estimator.inventory.recognise import recognise
from tests.conftest import MAILBOX_COLUMNS, csv_text, licence, licences_csv, mailbox, mailboxes_csv, write

E3 = "05e9a617-0261-4cee-bb44-138d3ef5d965"
MINIMUM = ("UserPrincipalName", "PrimarySmtpAddress", "RecipientTypeDetails", "DisplayName")


def joined(tmp_path: Path, *exports: str | bytes, **more: list[tuple[Path, str]]) -> Inventory:
    files = [(write(tmp_path / f"m{number}", text), f"m{number}") for number, text in enumerate(exports)]
    licences = [(write(tmp_path / "l", licences_csv(licence("ann"))), "l")]
    return read_inventory({"mailboxes": files, "licences": licences, **more})


def codes(inventory: Inventory) -> list[str]:
    return [one.code for one in inventory.findings if one.code != "no_activity_report"]


class TestOneExportAKind:
    def test_they_add_up_and_differ_in_columns(self, tmp_path: Path) -> None:
        groups = mailboxes_csv(
            mailbox("team", RecipientTypeDetails="GroupMailbox", Office="Oslo"), columns=(*MAILBOX_COLUMNS, "Office")
        )
        inventory = joined(tmp_path, mailboxes_csv(mailbox("ann")), groups)
        assert inventory.mailboxes["kind"].tolist() == ["user", "group"]
        assert inventory.mailboxes["office"].tolist() == ["", "Oslo"]
        assert inventory.rows == {"m0": 1, "m1": 1, "l": 1}
        assert codes(inventory) == []


class TestInactiveMailboxes:
    COLUMNS = (*MAILBOX_COLUMNS, "IsInactiveMailbox")

    def test_the_flag_says_so_whatever_the_type(self, tmp_path: Path) -> None:
        rows = mailbox("ann", IsInactiveMailbox="False"), mailbox("old", IsInactiveMailbox="True")
        inventory = joined(tmp_path, mailboxes_csv(*rows, columns=self.COLUMNS))
        assert inventory.mailboxes["kind"].tolist() == ["user", "inactive"]
        assert codes(inventory) == []  # an inactive mailbox wants no licence

    def test_an_active_mailbox_counts_before_an_inactive_one_of_its_name(self, tmp_path: Path) -> None:
        rows = mailbox("ann", IsInactiveMailbox="True", AuditOwner="Send"), mailbox("ann", IsInactiveMailbox="False")
        inventory = joined(tmp_path, mailboxes_csv(*rows, columns=self.COLUMNS))
        assert inventory.mailboxes["kind"].tolist() == ["user"]
        (found,) = [one for one in inventory.findings if one.code == "mailbox_twice"]
        assert "1 of them with other settings (RecipientTypeDetails 1, AuditOwner 1)" in found.message
        assert found.message.endswith("an active mailbox before an inactive one.")


class TestWithoutAuditSets:
    def minimum(self, *names: str, **cells: Any) -> str:
        return csv_text([mailbox(name, DisplayName=f"{name} Lee", **cells) for name in names], MINIMUM)

    def test_alone_it_is_refused_with_the_command(self, tmp_path: Path) -> None:
        with pytest.raises(
            InventoryError, match=r"^m0:1: the file has no audit settings .*-PropertySets Minimum,Audit"
        ):
            joined(tmp_path, self.minimum("ann"))

    def test_columns_that_are_all_empty_are_none(self, tmp_path: Path) -> None:
        """Selected from objects that Get-EXOMailbox made without the property set Audit."""
        nothing = dict.fromkeys(("AuditEnabled", "DefaultAuditSet", "AuditAdmin", "AuditDelegate", "AuditOwner"), "")
        with pytest.raises(InventoryError, match="the file has no audit settings"):
            joined(tmp_path, mailboxes_csv(mailbox("ann", **nothing)))
        # In one row of several they are unknown, and not "customised to nothing".
        inventory = joined(tmp_path, mailboxes_csv(mailbox("ann", **nothing), mailbox("bob")))
        assert inventory.mailboxes["audit_owner"].isna().tolist() == [True, False]
        assert "audit_set_unreadable" in codes(inventory)

    @pytest.mark.parametrize("first", [0, 1])
    def test_beside_a_file_with_them_it_brings_its_columns(self, tmp_path: Path, first: int) -> None:
        files = [self.minimum("bob", "ann"), mailboxes_csv(mailbox("ann"), mailbox("bob", Department=""))]
        inventory = joined(tmp_path, *(files if first == 0 else files[::-1]))
        boxes = inventory.mailboxes
        assert boxes["mailbox"].tolist() == ["ann@contoso.example", "bob@contoso.example"]
        assert boxes["displayname"].tolist() == ["ann Lee", "bob Lee"]
        assert boxes["audit_owner"].notna().all()
        assert "mailbox_file_without_sets" in codes(inventory)
        assert "mailbox_twice" not in codes(inventory)
        assert inventory.rows[f"m{first}"] == 2

    def test_a_mailbox_that_no_other_file_has_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(
            InventoryError, match="m1: 1 of its 2 mailboxes have no audit settings in this file or another"
        ):
            joined(tmp_path, mailboxes_csv(mailbox("ann")), self.minimum("ann", "bob"))

    def test_people_without_a_mailbox_are_none(self, tmp_path: Path) -> None:
        """Get-User lists guests too."""
        users = [mailbox("ann", Title="CFO"), mailbox("guest", RecipientTypeDetails="GuestMailUser", Title="x")]
        inventory = joined(tmp_path, mailboxes_csv(mailbox("ann")), csv_text(users, (*MINIMUM, "Title")))
        assert inventory.mailboxes["title"].tolist() == ["CFO"]
        (message,) = [one.message for one in inventory.findings if one.code == "mailbox_file_without_sets"]
        assert "its 1 mailbox has them in other files" in message
        assert message.endswith("Its other 1 row names no mailbox.")

    def test_it_may_say_who_bypasses(self, tmp_path: Path) -> None:
        rows = mailbox("ann", AuditBypassEnabled="False"), mailbox("bob", AuditBypassEnabled="True")
        other = csv_text(rows, (*MINIMUM, "AuditBypassEnabled"))
        inventory = joined(tmp_path, mailboxes_csv(mailbox("ann"), mailbox("bob")), other)
        assert inventory.mailboxes["bypassed"].tolist() == [False, True]
        assert inventory.settings.bypass_known


class TestDoubtfulFlags:
    @pytest.mark.parametrize(("cell", "enabled"), [("WAHR", True), ("Falsch", False), ("0", False), ("no", False)])
    def test_other_spellings(self, tmp_path: Path, cell: str, enabled: bool) -> None:
        part = read_mailboxes(write(tmp_path / "m", mailboxes_csv(mailbox(AuditEnabled=cell))), "m")
        assert (part.table["audit_enabled"].tolist(), part.findings) == ([enabled], [])

    def test_neither_true_nor_false(self, tmp_path: Path) -> None:
        rows = mailbox("ann"), mailbox("bob", AuditEnabled="maybe"), mailbox("cyd", AuditEnabled="")
        part = read_mailboxes(write(tmp_path / "m", mailboxes_csv(*rows)), "m")
        assert part.table["audit_enabled"].tolist() == [True, False, False]
        (found,) = part.findings
        assert found.code == "audit_enabled_unreadable"
        assert found.message.startswith("2 mailboxes have neither True nor False as AuditEnabled (lines 3, 4)")


class TestHalfAnExport:
    def test_a_file_that_ends_within_its_last_cell(self, tmp_path: Path) -> None:
        """The row has all its fields, and the last of them is half: `Update,Mov` is no action set."""
        columns = [name for name in MAILBOX_COLUMNS if name not in ("AuditOwner", "Department")] + ["AuditOwner"]
        content = mailboxes_csv(mailbox("ann"), mailbox("bob"), columns=columns)
        part = read_mailboxes(write(tmp_path / "m", content[: content.rindex("eToDeleted")]), "m")
        assert part.table["mailbox"].tolist() == ["ann@contoso.example"]
        (found,) = part.findings
        assert (found.code, part.rows) == ("rows_rejected", 2)
        assert found.message.startswith("1 of 2 rows")
        assert "(first lines 3)" in found.message

    def test_a_file_whose_last_cell_only_lacks_its_line_break(self, tmp_path: Path) -> None:
        content = mailboxes_csv(mailbox("ann"), mailbox("bob")).rstrip("\r\n")
        part = read_mailboxes(write(tmp_path / "m", content), "m")
        assert (len(part.table), part.findings) == (2, [])

    def test_pages_in_files_of_their_own(self, tmp_path: Path) -> None:
        def page(name: str, **more: str) -> str:
            lists = {
                one: mailbox()[one].split(",")
                for one in ("DefaultAuditSet", "AuditAdmin", "AuditDelegate", "AuditOwner")
            }
            return json.dumps({"value": [{**mailbox(name), **lists}], **more})

        first = page("ann", **{"@odata.nextLink": "https://outlook.example/2"})
        assert "export_page" in codes(joined(tmp_path, first))
        both = joined(tmp_path, first, page("bob"))
        assert len(both.mailboxes) == 2
        assert "export_page" not in codes(both)
        (found,) = [one for one in both.findings if one.code == "export_pages"]
        assert found.message.startswith("2 files are taken for the pages of one answer: m0 names a next page")

    def test_pages_of_licences_in_files_of_their_own(self, tmp_path: Path) -> None:
        def page(name: str, number: int, **more: str) -> tuple[Path, str]:
            user = {"userPrincipalName": f"{name}@contoso.example", "assignedLicenses": [{"skuId": E3}]}
            text = json.dumps({"value": [user], **more})
            return write(tmp_path / f"p{number}", text), f"p{number}"

        boxes = [(write(tmp_path / "m", mailboxes_csv(mailbox("ann"), mailbox("bob"))), "m")]
        first, last = page("ann", 1, **{"@odata.nextLink": "https://graph.example/2"}), page("bob", 2)
        cut = read_inventory({"mailboxes": boxes, "licences": [first]})
        assert "licences_cut" in codes(cut)
        whole = read_inventory({"mailboxes": boxes, "licences": [first, last]})
        assert whole.mailboxes["audit_tier"].tolist() == ["standard", "standard"]
        assert codes(whole) == ["export_pages"]


def workbook(*sheets: list[list[Any]]) -> bytes:
    """A workbook of inline strings, as small as one can be."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/xl/workbook.xml" ContentType='
            '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        )
        relation = (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
        )
        kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        archive.writestr(
            "_rels/.rels",
            relation.format(f'<Relationship Id="r1" Type="{kind}/officeDocument" Target="xl/workbook.xml"/>'),
        )
        main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        listed = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"/>' for n in range(1, len(sheets) + 1))
        archive.writestr("xl/workbook.xml", f'<workbook {main} xmlns:r="{kind}"><sheets>{listed}</sheets></workbook>')
        targets = "".join(
            f'<Relationship Id="r{n}" Type="{kind}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        archive.writestr("xl/_rels/workbook.xml.rels", relation.format(targets))
        for number, rows in enumerate(sheets, 1):
            body = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
            archive.writestr(
                f"xl/worksheets/sheet{number}.xml", f"<worksheet {main}><sheetData>{body}</sheetData></worksheet>"
            )
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, (int, float)):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


class TestWorkbooks:
    def test_the_sheet_with_the_mailboxes_is_read(self, tmp_path: Path) -> None:
        row = mailbox("ann", AuditEnabled=True, RecipientTypeDetails=1.0)
        rows = [list(MAILBOX_COLUMNS), [row[name] for name in MAILBOX_COLUMNS], [""] * len(MAILBOX_COLUMNS)]
        path = write(tmp_path / "m", workbook([["Notes"], ["kept by hand"]], rows))
        assert recognise(path) == "mailboxes"
        part = read_mailboxes(path, "m")
        assert part.table[["mailbox", "kind", "audit_enabled"]].to_numpy().tolist() == [
            ["ann@contoso.example", "user", True]
        ]
        assert (part.rows, part.findings) == (1, [])

    def test_errors_name_the_row(self, tmp_path: Path) -> None:
        with pytest.raises(InventoryError, match="m:1: columns 'RecipientTypeDetails', 'DefaultAuditSet'"):
            read_mailboxes(
                write(tmp_path / "m", workbook([["UserPrincipalName", "AuditEnabled"], ["a@b.c", True]])), "m"
            )
        damaged = workbook([["AuditEnabled"]])[:-40]
        with pytest.raises(InventoryError, match="m: is a damaged workbook"):
            read_mailboxes(write(tmp_path / "m", damaged), "m")
