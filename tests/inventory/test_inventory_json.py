"""Mailbox exports as JSON: what ConvertTo-Json writes, and the pages of the Exchange admin API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.audit.opening import read_head
from estimator.errors import InventoryError
from estimator.inventory.json_rows import cell, read_json
from estimator.inventory.mailboxes import read_mailboxes
from estimator.inventory.recognise import recognise
from estimator.inventory.sheet import Part
from tests.conftest import write

SETS = {
    "DefaultAuditSet": ["Admin", "Delegate", "Owner"], "AuditAdmin": ["Update"], "AuditDelegate": ["Update"],
    "AuditOwner": ["Update", "Send"],
}  # fmt: skip


def box(name: str = "ann", **values: Any) -> dict[str, Any]:
    """A mailbox as Get-EXOMailbox | ConvertTo-Json writes it."""
    address = f"{name}@contoso.example"
    mine = {
        "UserPrincipalName": address, "PrimarySmtpAddress": address, "RecipientTypeDetails": "UserMailbox",
        "EmailAddresses": [f"SMTP:{address}"], "AuditEnabled": True, **SETS, "Department": None,
    }  # fmt: skip
    return {**mine, **values}


def admin_api(name: str) -> dict[str, Any]:
    """A mailbox as /adminapi/beta/<tenant>/Mailbox answers, with its remarks on its own values."""
    typed = {f"{column}@data.type": "#Collection(String)" for column in SETS}
    return {"@odata.id": f"https://outlook.example/Mailbox('{name}')", "@odata.editLink": name, **typed, **box(name)}


def page(*boxes: dict[str, Any], following: bool = False) -> dict[str, Any]:
    link = {"@odata.nextLink": "https://outlook.example/adminapi/beta/t/Mailbox?$skiptoken=x"} if following else {}
    return {"@odata.context": "https://outlook.example/$metadata#Mailbox", "value": list(boxes), **link}


def read(tmp_path: Path, content: Any, *, zipped: bool = False) -> Part:
    path = write(
        tmp_path / "export", content if isinstance(content, (str, bytes)) else json.dumps(content), zipped=zipped
    )
    assert recognise(path) == "mailboxes"
    return read_mailboxes(path, "export")


TWO = [box("Ann"), box("bob", RecipientTypeDetails="SharedMailbox")]


@pytest.mark.parametrize(
    "content",
    [
        TWO,
        json.dumps(TWO, indent=4),
        "\ufeff" + json.dumps(TWO),
        json.dumps(TWO).encode("utf-16"),
        json.dumps(TWO, indent=2).encode("utf-16-le"),
        {"value": TWO, "Count": 2},
        page(admin_api("Ann"), {**admin_api("bob"), "RecipientTypeDetails": "SharedMailbox"}),
        [page(TWO[0], following=True), page(TWO[1])],
        json.dumps(page(TWO[0], following=True)) + "\n" + json.dumps(page(TWO[1])),
        "".join(json.dumps(one) + "\n" for one in TWO),
        [{**one, "RecipientTypeDetails": number} for one, number in zip(TWO, (1, 4), strict=True)],
        [{**one, "RecipientTypeDetails": {"value": 9, "Value": one["RecipientTypeDetails"]}} for one in TWO],
        [{**one, "AuditOwner": {"value": ["Send", "Update"], "Count": 2}} for one in TWO],
        [{**one, "AuditOwner": "Update Send", "AuditEnabled": "true"} for one in TWO],
        [{name.lower(): value for name, value in one.items()} for one in TWO],
    ],
    ids=[
        "list", "indented", "BOM", "UTF-16", "UTF-16 without BOM", "a collection of Windows PowerShell", "admin API",
        "pages in a list", "pages one after another", "one a line", "types as numbers", "types as enums",
        "sets as collections", "sets as text", "names in lower case",
    ],
)  # fmt: skip
def test_the_same_two_mailboxes_however_they_are_written(tmp_path: Path, content: Any) -> None:
    part = read(tmp_path, content)
    assert part.table["mailbox"].tolist() == ["ann@contoso.example", "bob@contoso.example"]
    assert part.table["kind"].tolist() == ["user", "shared"]
    assert part.table["audit_enabled"].tolist() == [True, True]
    assert part.table["audit_owner"].tolist() == ["Send,Update"] * 2
    assert part.table["default_audit_set"].tolist() == ["admin,delegate,owner"] * 2
    assert (part.rows, part.findings) == (2, [])
    assert not [name for name in part.table if "@" in name]


def test_gzip_and_a_single_object(tmp_path: Path) -> None:
    assert read(tmp_path, TWO[0], zipped=True).table["mailbox"].tolist() == ["ann@contoso.example"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [(1, "user"), (2, "user"), (4, "shared"), (16, "room"), (32, "equipment"), (536870912, "discovery"),
     (68719476736, "public_folder"), (1099511627776, "group"), (64, "64")],
)  # fmt: skip
def test_types_as_numbers(tmp_path: Path, number: int, kind: str) -> None:
    assert read(tmp_path, [box(RecipientTypeDetails=number)]).table["kind"].tolist() == [kind]


def test_an_empty_set_is_none_and_a_type_name_is_unknown(tmp_path: Path) -> None:
    unjoined = "Microsoft.Exchange.Data.MultiValuedProperty`1[Microsoft.Exchange.Data.Directory.MailboxAuditOperations]"
    part = read(tmp_path, [box("ann", AuditOwner=[]), box("bob", AuditOwner=unjoined), box("cyd", AuditOwner="@{a=1}")])
    assert part.table["audit_owner"].fillna("?").tolist() == ["", "?", "?"]
    (found,) = part.findings
    assert (found.code, found.message.split()[0]) == ("audit_set_unreadable", "2")


def test_properties_that_only_some_objects_have(tmp_path: Path) -> None:
    part = read(tmp_path, [box("ann"), box("bob", Office="Oslo"), box("cyd")])
    assert part.table["office"].tolist() == ["", "Oslo", ""]


def test_one_page_of_several_is_said_so(tmp_path: Path) -> None:
    part = read(tmp_path, page(*TWO, following=True))
    (found,) = part.findings
    assert (found.code, found.severity) == ("export_page", "warning")
    assert "it has 2 objects" in found.message
    assert "Fetch every page" in found.message


@pytest.mark.parametrize("wrap", [lambda boxes: boxes, lambda boxes: page(*boxes)], ids=["a list", "a page"])
@pytest.mark.parametrize("cut", [1, 200])
def test_a_file_that_breaks_off_keeps_what_stands_before(tmp_path: Path, wrap: Any, cut: int) -> None:
    text = json.dumps(wrap([*TWO, box("cyd")]), indent=1)
    part = read(tmp_path, text[:-cut])
    # Of the last 200 characters most belong to cyd; the last one is a bracket.
    names = ["ann", "bob", "cyd"][: 2 if cut == 200 else 3]
    assert part.table["mailbox"].tolist() == [f"{name}@contoso.example" for name in names]
    (found,) = part.findings
    assert found.code == "export_cut"
    assert f"after {len(names)} objects" in found.message
    assert "Get-EXOMailbox" in found.message


def test_what_is_no_object_is_counted(tmp_path: Path) -> None:
    part = read(tmp_path, [*TWO, "bob", 7])
    assert part.rows == 4
    (found,) = part.findings
    assert found.message.startswith("2 of 4 rows are no objects (first objects 3, 4)")


def test_errors_name_the_object(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match=r"^export: is not valid JSON: .* Get-EXOMailbox"):
        read(tmp_path, '[{"UserPrincipalName": "a", "AuditOwner": [}]')
    with pytest.raises(
        InventoryError, match=r"^export: column 'RecipientTypeDetails' missing; found 'UserPrincipalName'"
    ):
        read(tmp_path, [{name: value for name, value in TWO[0].items() if name != "RecipientTypeDetails"}])
    part = read(tmp_path, [*TWO, box(UserPrincipalName="", PrimarySmtpAddress=None)])
    assert "(objects 3)" in part.findings[0].message


@settings(max_examples=25, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.none() | st.booleans() | st.text(max_size=3), min_size=1)))
def test_every_object_becomes_a_row_with_its_own_cells(
    tmp_path_factory: pytest.TempPathFactory, objects: list[dict[str, Any]]
) -> None:
    path = write(tmp_path_factory.mktemp("json") / "x", json.dumps({"value": objects}))
    grid = read_json(path, read_head(path), "x", "")
    assert grid.places == list(range(1, len(objects) + 1))
    for name, cells in grid.columns.items():
        assert cells == [cell(one.get(name)) for one in objects]
