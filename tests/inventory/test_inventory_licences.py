"""Licence files: CSV with part numbers, GUIDs and product names; Graph users as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from estimator.errors import InventoryError
from estimator.inventory.licences import read_licences
from estimator.inventory.recognise import recognise
from estimator.inventory.sheet import Part
from tests.conftest import licence, licences_csv, write

# From Microsoft's list of product names and service plan identifiers.
E3, E5, OFFICE_E3 = (
    "05e9a617-0261-4cee-bb44-138d3ef5d965",
    "06ebc4ee-1bb5-47dd-8120-11324bc54e06",
    "6fd2c87f-b296-42f0-b197-1e91e994b900",
)


def read(tmp_path: Path, content: str | bytes, *, zipped: bool = False) -> Part:
    path = write(tmp_path / "export", content, zipped=zipped)
    assert recognise(path) == "licences"
    return read_licences(path, "export")


def skus(part: Part, user: str = "ann@contoso.example") -> list[str]:
    return part.table.loc[part.table["mailbox"] == user, "sku"].tolist()


def user(name: str = "Ann", *guids: str) -> dict[str, Any]:
    licences = [{"disabledPlans": [], "skuId": guid} for guid in guids]
    return {"userPrincipalName": f"{name}@contoso.example", "assignedLicenses": licences}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("SPE_E3", ["SPE_E3"]),
        ("SPE_E3+POWER_BI_STANDARD", ["SPE_E3", "POWER_BI_STANDARD"]),
        ("SPE_E3 + POWER_BI_STANDARD", ["SPE_E3", "POWER_BI_STANDARD"]),
        ("SPE_E3;POWER_BI_STANDARD", ["SPE_E3", "POWER_BI_STANDARD"]),
        ("SPE_E3, POWER_BI_STANDARD", ["SPE_E3", "POWER_BI_STANDARD"]),
        ("SPE_E3 POWER_BI_STANDARD", ["SPE_E3", "POWER_BI_STANDARD"]),
        ("SPE_E3\r\nPOWER_BI_STANDARD", ["SPE_E3", "POWER_BI_STANDARD"]),
        ("contoso:ENTERPRISEPACK", ["ENTERPRISEPACK"]),
        ("contoso:ENTERPRISEPACK;contoso:EMS", ["ENTERPRISEPACK", "EMS"]),
        ("contoso:ENTERPRISEPACK contoso:EMS", ["ENTERPRISEPACK", "EMS"]),
        (f"{E3}+{E5}", [E3, E5]),
        (f"{E3} {E5}", [E3, E5]),
        ("Office 365 E3", ["Office 365 E3"]),
        ("OFFICE 365 E5+MICROSOFT POWER AUTOMATE FREE", ["OFFICE 365 E5", "MICROSOFT POWER AUTOMATE FREE"]),
        (
            "Microsoft 365 E3+Enterprise Mobility + Security E3",
            ["Microsoft 365 E3", "Enterprise Mobility + Security E3"],
        ),
        (
            "Enterprise Mobility + Security E3+Microsoft 365 E3",
            ["Enterprise Mobility + Security E3", "Microsoft 365 E3"],
        ),
        ("Windows 365 Business 16 vCPU, 64 GB, 1 TB", ["Windows 365 Business 16 vCPU, 64 GB, 1 TB"]),
        ("A Plan Nobody Knows+SPE_E3", ["A Plan Nobody Knows", "SPE_E3"]),
        ("", [""]),
    ],
)
def test_what_a_cell_holds(tmp_path: Path, cell: str, expected: list[str]) -> None:
    assert skus(read(tmp_path, licences_csv(licence("Ann", cell)))) == expected


@pytest.mark.parametrize(
    "column", ["SkuPartNumber", "SkuId", "AccountSkuId", "Licenses", "Licences", "AssignedLicenses", "Sku Part Number"]
)
def test_column_names(tmp_path: Path, column: str) -> None:
    part = read(tmp_path, "\ufeff" + licences_csv(licence("Ann")).replace("SkuPartNumber", column))
    assert skus(part) == ["SPE_E3"]


def test_rows_are_counted_as_they_stand_in_the_file(tmp_path: Path) -> None:
    part = read(tmp_path, licences_csv(licence("ann", "SPE_E3+EMS"), licence("bob", ""), licence("ann", "SPE_E5")))
    assert part.rows == 3
    assert skus(part) == ["SPE_E3", "EMS", "SPE_E5"]


@pytest.mark.parametrize(
    "cell", ["System.Collections.Generic.List`1[System.String]", "Microsoft.Graph.AssignedLicense"]
)
def test_licences_that_were_not_joined_are_refused_with_line_and_command(tmp_path: Path, cell: str) -> None:
    # Taken for a licence of an unknown name they would make every mailbox an unlicensed one.
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, licences_csv(licence("ann"), licence("bob", cell)))
    assert str(caught.value).startswith(f"export:3: found '{cell}' instead of licences. Export again with: Get-MgUser")


@pytest.mark.parametrize(
    ("missing", "found"),
    [("UserPrincipalName", "'Other', 'SkuPartNumber'"), ("SkuPartNumber", "'UserPrincipalName', 'Other'")],
)
def test_each_column_missing(tmp_path: Path, missing: str, found: str) -> None:
    path = write(tmp_path / "export", licences_csv(licence()).replace(missing, "Other"))
    with pytest.raises(InventoryError) as caught:
        read_licences(path, "export")
    assert str(caught.value).startswith(f"export:1: column '{missing}' missing; found {found}. Export again with: Get-")


def test_no_user_at_all(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match=r"export: the file names no user; expected one row per user\."):
        read(tmp_path, "UserPrincipalName,SkuPartNumber\r\n")


# ------------------------------------------------------------------ Graph


GRAPH = [user("Ann", E5, E3), user("bob"), user("cyd", OFFICE_E3)]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    "content",
    [
        json.dumps(GRAPH),
        json.dumps({"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users(x)", "value": GRAPH}, indent=2),
        "\ufeff" + json.dumps({"value": GRAPH}),
        json.dumps({"value": GRAPH}).encode("utf-16"),
    ],
    ids=["bare", "under value", "BOM", "UTF-16"],
)
def test_graph_users(tmp_path: Path, content: str | bytes, zipped: bool) -> None:
    part = read(tmp_path, content, zipped=zipped)
    assert (part.rows, part.findings) == (3, [])
    assert skus(part) == [E5, E3]
    assert skus(part, "bob@contoso.example") == [""]
    assert skus(part, "cyd@contoso.example") == [OFFICE_E3]


def test_one_page_of_several_is_said_so(tmp_path: Path) -> None:
    part = read(tmp_path, json.dumps({"@odata.nextLink": "https://graph.microsoft.com/next", "value": GRAPH}))
    assert [finding.code for finding in part.findings] == ["licences_cut"]
    assert "Fetch every page" in part.findings[0].message


@pytest.mark.parametrize(
    "damaged",
    [
        {"userPrincipalName": "bob@contoso.example", "displayName": "Bob"},
        {"assignedLicenses": []},
        {"userPrincipalName": "bob@contoso.example", "assignedLicenses": None},
        {"userPrincipalName": "bob@contoso.example", "assignedLicenses": ["SPE_E3"]},
        {"userPrincipalName": "bob@contoso.example", "assignedLicenses": [{}]},
        "bob@contoso.example",
        None,
    ],
)
def test_a_user_without_what_is_needed(tmp_path: Path, damaged: object) -> None:
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, json.dumps([user("ann", E3), damaged]))
    assert str(caught.value).startswith("export:user 2: a user lacks userPrincipalName or assignedLicenses; expected {")
    assert "GET /users?$select=userPrincipalName,assignedLicenses" in str(caught.value)


def test_users_selected_without_their_licences_are_refused_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="export:user 1: a user lacks"):
        read(tmp_path, json.dumps({"value": [{"displayName": "Ann", "userPrincipalName": "ann@contoso.example"}]}))


def test_json_cut_in_the_middle(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match=r"^export: is not valid JSON: .*every page"):
        read(tmp_path, json.dumps(GRAPH)[:-5])


@pytest.mark.parametrize(("name", "users"), [("tenant_a", 545), ("tenant_b", 183)])
def test_real_shapes(shared: Path, name: str, users: int) -> None:
    path = shared / "samples" / name / "licences.csv"
    assert recognise(path) == "licences"
    part = read_licences(path, "licences.csv")
    assert (part.rows, part.findings) == (users, [])
    assert part.table["mailbox"].nunique() == users
