"""Mailbox exports in the shapes they really come in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from estimator.errors import InventoryError
from estimator.inventory.mailboxes import EXPORT_COMMAND, read_mailboxes
from estimator.inventory.recognise import recognise
from estimator.inventory.sheet import Part
from tests.conftest import MAILBOX_COLUMNS, mailbox, mailboxes_csv, write


def read(tmp_path: Path, content: str | bytes, *, zipped: bool = False) -> Part:
    path = write(tmp_path / "export", content, zipped=zipped)
    assert recognise(path) == "mailboxes"
    return read_mailboxes(path, "export")


def codes(part: Part) -> list[str]:
    return [finding.code for finding in part.findings]


TWO = (mailbox("ann", AuditOwner="Update,Send"), mailbox("Bob", RecipientTypeDetails="SharedMailbox"))
HEADER = mailboxes_csv(*TWO).splitlines()[0]


@pytest.mark.parametrize(
    "content",
    [
        mailboxes_csv(*TWO),
        mailboxes_csv(*TWO, newline="\n"),
        mailboxes_csv(*TWO).rstrip("\r\n"),
        "\ufeff" + mailboxes_csv(*TWO),
        mailboxes_csv(*TWO).encode("utf-16"),
        mailboxes_csv(*TWO, delimiter=";"),
        mailboxes_csv(*TWO, delimiter="\t").encode("utf-16"),
        mailboxes_csv(*TWO, columns=MAILBOX_COLUMNS[::-1]),
        "#TYPE Selected.Microsoft.Exchange.Data.Directory.Management.Mailbox\r\n" + mailboxes_csv(*TWO),
        "sep=;\r\n" + mailboxes_csv(*TWO, delimiter=";"),
        mailboxes_csv(*TWO).replace(HEADER, HEADER.replace('"', "")),
        mailboxes_csv(*TWO).replace("UserPrincipalName", "User principal name").replace("AuditOwner", "AUDITOWNER"),
        mailboxes_csv(*TWO).replace("\r\n", "\r\n\r\n"),
        mailboxes_csv(*TWO).replace("\r\n", ",,\r\n").replace(",,\r\n", "\r\n", 1),
    ],
    ids=[
        "CRLF", "LF", "no last line break", "BOM", "UTF-16", "semicolons", "Excel's Unicode text", "columns reversed",
        "#TYPE", "sep=", "unquoted header", "column names spelt otherwise", "blank lines", "commas too many",
    ],
)  # fmt: skip
def test_the_same_two_mailboxes_however_they_are_written(tmp_path: Path, content: str | bytes) -> None:
    part = read(tmp_path, content)
    assert part.table["mailbox"].tolist() == ["ann@contoso.example", "bob@contoso.example"]
    assert part.table["kind"].tolist() == ["user", "shared"]
    assert part.table["audit_enabled"].tolist() == [True, True]
    assert part.table["default_audit_set"].tolist() == ["admin,delegate,owner"] * 2
    assert part.table["audit_owner"][0] == "Send,Update"
    assert part.table["department"].tolist() == ["Finance"] * 2
    assert (part.rows, part.findings) == (2, [])


def test_gzip(tmp_path: Path) -> None:
    assert len(read(tmp_path, mailboxes_csv(*TWO), zipped=True).table) == 2


@pytest.mark.parametrize(
    "cell",
    ["Send,Update", "{Update, Send}", "Update;Send", "Update\nSend", "Update\r\nSend", "Update Send", "Update|Send",
     " Send , Update ", '["Update","Send"]', "Send,Update,Send"],
)  # fmt: skip
def test_a_list_of_actions_in_any_spelling(tmp_path: Path, cell: str) -> None:
    assert read(tmp_path, mailboxes_csv(mailbox(AuditOwner=cell))).table["audit_owner"].tolist() == ["Send,Update"]


@pytest.mark.parametrize("column", ["AuditAdmin", "AuditDelegate", "AuditOwner", "DefaultAuditSet"])
@pytest.mark.parametrize(
    "cell",
    ["System.Collections.ArrayList", "Microsoft.Exchange.Data.MultiValuedProperty`1[MailboxAuditOperations]",
     "{Update, MoveToDeletedItems, SoftDelete, HardDelete...}", "0,3,7"],
)  # fmt: skip
def test_a_list_that_was_not_joined_is_unknown_and_said_so(tmp_path: Path, column: str, cell: str) -> None:
    part = read(tmp_path, mailboxes_csv(mailbox("ann", **{column: cell}), mailbox("bob")))
    ours = "default_audit_set" if column == "DefaultAuditSet" else "audit_" + column[5:].lower()
    assert part.table[ours].isna().tolist() == [True, False]
    assert codes(part) == ["audit_set_unreadable"]
    message = part.findings[0].message
    assert message.startswith("1 mailbox has")
    assert "Get-EXOMailbox" in message


def test_enums_that_came_as_numbers_are_no_customised_set(tmp_path: Path) -> None:
    """ConvertTo-Json writes an enum's number: the set may hold any action, so it is not one that lacks some."""
    part = read(tmp_path, json.dumps([{**mailbox(), "AuditOwner": [1, 9], "DefaultAuditSet": "Owner"}]))
    assert part.table["audit_owner"].isna().all()
    assert codes(part) == ["audit_set_unreadable"]


def test_what_format_list_prints(tmp_path: Path) -> None:
    """Its lists are whole where $FormatEnumerationLimit is, and go on in the next line where they are long."""
    text = "\r\n".join(
        f"{name:<22}: {'{Update, Move,' + chr(13) + chr(10) + ' ' * 24 + 'Send}' if name == 'AuditOwner' else value}"
        for name, value in mailbox().items()
    )
    path = write(tmp_path / "m", f"\r\nPS C:\\> Get-Mailbox | fl\r\n\r\n{text}\r\n\r\n".encode("utf-16"))
    assert recognise(path) == "mailboxes"
    part = read_mailboxes(path, "m")
    assert part.table[["mailbox", "audit_owner"]].to_numpy().tolist() == [["ann@contoso.example", "Move,Send,Update"]]
    assert (part.rows, part.findings) == (1, [])


def test_a_set_without_any_action_is_empty_and_not_unknown(tmp_path: Path) -> None:
    part = read(tmp_path, mailboxes_csv(mailbox(AuditOwner="", DefaultAuditSet="{}")))
    assert part.table.loc[0, ["audit_owner", "default_audit_set"]].tolist() == ["", ""]
    assert part.findings == []


def test_without_a_upn_the_smtp_address_counts(tmp_path: Path) -> None:
    part = read(tmp_path, mailboxes_csv(mailbox(UserPrincipalName="", PrimarySmtpAddress="Sales@Contoso.example")))
    assert part.table["mailbox"].tolist() == ["sales@contoso.example"]


def test_a_row_without_any_name_is_left_out_with_its_line(tmp_path: Path) -> None:
    # The first mailbox takes three lines of the file, so the nameless one stands on line 5 and not on line 3.
    rows = (mailbox("ann", AuditOwner="Update\r\nSend\r\nCreate"), mailbox(UserPrincipalName="", PrimarySmtpAddress=""))
    part = read(tmp_path, mailboxes_csv(*rows))
    assert part.table["mailbox"].tolist() == ["ann@contoso.example"]
    assert codes(part) == ["mailbox_without_name"]
    assert "1 row has" in part.findings[0].message
    assert "(lines 5)" in part.findings[0].message


@pytest.mark.parametrize("value", ["True", "TRUE", "true", "1", "yes"])
def test_audit_enabled(tmp_path: Path, value: str) -> None:
    part = read(tmp_path, mailboxes_csv(mailbox("ann", AuditEnabled=value), mailbox("bob", AuditEnabled="False")))
    assert part.table["audit_enabled"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("exported", "kind"),
    [("UserMailbox", "user"), ("LinkedMailbox", "user"), ("SharedMailbox", "shared"), ("RoomMailbox", "room"),
     ("EquipmentMailbox", "equipment"), ("GroupMailbox", "group"), ("DiscoveryMailbox", "discovery"),
     ("PublicFolderMailbox", "public_folder"), ("AuditLogMailbox", "auditlogmailbox"), ("", "unknown")],
)  # fmt: skip
def test_kinds(tmp_path: Path, exported: str, kind: str) -> None:
    assert read(tmp_path, mailboxes_csv(mailbox(RecipientTypeDetails=exported))).table["kind"].tolist() == [kind]


def test_a_column_of_the_export_cannot_pass_for_one_of_ours(tmp_path: Path) -> None:
    columns = (*MAILBOX_COLUMNS, "Kind", "Mailbox", "Audit_Tier")
    row = mailbox("ann", Kind="shared", Mailbox="someone else", Audit_Tier="premium")
    part = read(tmp_path, mailboxes_csv(row, columns=columns))
    assert part.table.loc[0, ["mailbox", "kind"]].tolist() == ["ann@contoso.example", "user"]


@pytest.mark.parametrize(
    ("name", "needed"),
    [(column, column not in ("PrimarySmtpAddress", "Department")) for column in MAILBOX_COLUMNS],
)
def test_each_column_missing(tmp_path: Path, name: str, needed: bool) -> None:
    left = tuple(column for column in MAILBOX_COLUMNS if column != name)
    content = mailboxes_csv(mailbox("ann"), columns=left)
    if not needed:
        assert len(read(tmp_path, content).table) == 1
        return
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith(f"export:1: column '{name}' missing; found '{left[0]}', '{left[1]}'")
    assert "Export again with: Get-EXOMailbox" in str(caught.value)


def test_all_missing_columns_are_named_at_once_on_the_line_of_the_header(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="export:2: columns 'UserPrincipalName', 'AuditEnabled'"):
        read(tmp_path, "#TYPE Selected\r\n" + mailboxes_csv(mailbox(), columns=("RecipientTypeDetails", "AuditOwner")))


def test_no_mailbox_at_all(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match=r"export: the file has no mailbox; expected one row per mailbox\."):
        read(tmp_path, mailboxes_csv(mailbox()).splitlines(keepends=True)[0])


def test_a_cut_row_costs_that_row(tmp_path: Path) -> None:
    content = mailboxes_csv(mailbox("ann"), mailbox("bob"))
    part = read(tmp_path, content[: content.rindex("Update,")])
    assert part.table["mailbox"].tolist() == ["ann@contoso.example"]
    assert (part.rows, codes(part)) == (2, ["rows_rejected"])
    assert "1 of 2 rows" in part.findings[0].message
    assert "first lines 3" in part.findings[0].message


@pytest.mark.parametrize("damage", ["latin-1", "half a gzip file"])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "export"
    if damage == "latin-1":
        path.write_bytes(mailboxes_csv(mailbox(Department="Bücher")).encode("latin-1"))
    else:
        whole = write(path, mailboxes_csv(*(mailbox(f"u{n}") for n in range(500))), zipped=True).read_bytes()
        path.write_bytes(whole[: len(whole) - 20])
    assert recognise(path) == "mailboxes"
    with pytest.raises(InventoryError, match=r"^export: cannot be read as CSV: .*Get-EXOMailbox"):
        read_mailboxes(path, "export")


@pytest.mark.parametrize("name", ["tenant_a", "tenant_b"])
def test_real_shapes(shared: Path, name: str) -> None:
    path = shared / "samples" / name / "mailboxes.csv"
    assert recognise(path) == "mailboxes"
    part = read_mailboxes(path, "mailboxes.csv")
    assert len(part.table) == part.rows == {"tenant_a": 600, "tenant_b": 200}[name]
    assert part.findings == []
    assert part.table["mailbox"].is_unique
    assert {"displayname", "whenmailboxcreated"} <= set(part.table.columns)


# ------------------------------------------------------------------ the command


README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_readme_and_the_errors_give_the_same_command() -> None:
    (shown,) = re.findall(r"^```powershell\n(Get-EXOMailbox .*?)^```$", README, re.MULTILINE | re.DOTALL)
    one_line = re.sub(r"\s+", " ", re.sub(r",\s+", ",", shown)).strip()
    assert f"Export again with: {one_line}" == EXPORT_COMMAND


def test_the_readmes_scenario_needs_no_column_that_the_command_does_not_export() -> None:
    """`where` may name what we derive, and what the command exports; the department takes the step beside it."""
    (story,) = re.findall(r"^```toml\n(schema_version.*?)^```$", README, re.MULTILINE | re.DOTALL)
    wheres = re.findall(r"^where\s*= \{(.+)\}", story, re.MULTILINE)
    assert wheres
    exported = set(re.findall(r"Select-Object ([^@]+),@", EXPORT_COMMAND)[0].lower().split(","))
    exported |= {name.lower() for name in re.findall(r"@\{n='(\w+)'", EXPORT_COMMAND)}
    of_events = {"access_type", "not"}  # what a `drop` may name besides
    named = {name for where in wheres for name in re.findall(r"(\w+)\s*=", where)}
    assert named <= exported | {"audit_tier", "kind"} | of_events
