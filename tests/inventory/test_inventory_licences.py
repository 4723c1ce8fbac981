"""Licence files: CSV with part numbers, GUIDs and product names; Graph users as JSON."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from estimator.errors import InventoryError
from estimator.inventory.licences import NO_DECIDING_PLAN, licence_object, read_licences, totals_object
from estimator.inventory.recognise import recognise
from estimator.inventory.sheet import Part
from estimator.inventory.tiers import tiers_of
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
        (
            "Microsoft 365 E3, Windows 365 Business 16 vCPU, 64 GB, 1 TB, Office 365 E5",
            ["Microsoft 365 E3", "Windows 365 Business 16 vCPU, 64 GB, 1 TB", "Office 365 E5"],
        ),
        (
            "Microsoft 365 F3 + Microsoft 365 F5 Security + Compliance Add-on + Office 365 E1",
            ["Microsoft 365 F3", "Microsoft 365 F5 Security + Compliance Add-on", "Office 365 E1"],
        ),
        ("Unlicensed", [""]),
        ("SPE_E3+SPE_E3", ["SPE_E3"]),
        ("{05E9A617-0261-4CEE-BB44-138D3EF5D965}", ["{05E9A617-0261-4CEE-BB44-138D3EF5D965}"]),
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
PAGES: list[dict[str, Any]] = [{"value": GRAPH[:2], "@odata.nextLink": "https://next"}, {"value": GRAPH[2:]}]


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
        {"userPrincipalName": "bob@contoso.example", "assignedLicenses": [{"skuId": None}]},
        {"userPrincipalName": "bob@contoso.example", "assignedLicenses": {}},
        "bob@contoso.example",
        None,
    ],
)
def test_a_user_without_what_is_needed(tmp_path: Path, damaged: object) -> None:
    part = read(tmp_path, json.dumps([user("ann", E3), damaged]))
    assert (part.rows, part.table["mailbox"].tolist()) == (2, ["ann@contoso.example"])
    (finding,) = part.findings
    assert (finding.code, finding.path) == ("rows_rejected", "export")
    assert finding.message.startswith("1 of 2 rows tell no user or no licences (a user lacks userPrincipalName or ")
    assert "counts as unlicensed (first objects 2)" in finding.message
    assert "GET /users?$select=userPrincipalName,assignedLicenses" in finding.message
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, json.dumps([{"userPrincipalName": "bob@contoso.example", "displayName": "Bob"}, damaged]))
    assert str(caught.value).startswith("export:user 1: a user lacks userPrincipalName or assignedLicenses; expected {")


@pytest.mark.parametrize("several", [True, False])
def test_type_names_instead_of_licences(tmp_path: Path, several: bool) -> None:
    """What ConvertTo-Json writes of anything nested more deeply than its -Depth."""
    name = "Microsoft.Graph.PowerShell.Models.MicrosoftGraphAssignedLicense"
    rows = [{"UserPrincipalName": "ann@contoso.example", "AssignedLicenses": [name] if several else name}]
    with pytest.raises(InventoryError, match=r"^export:user 1: found 'Microsoft\.Graph.* -Depth 5"):
        read(tmp_path, json.dumps(rows))


def test_one_licence_alone_is_no_list(tmp_path: Path) -> None:
    """A calculated property unrolls a list of one."""
    rows = [{"UserPrincipalName": "ann@contoso.example", "AssignedLicenses": {"DisabledPlans": [], "SkuId": E3}}]
    part = read(tmp_path, json.dumps(rows))
    assert (skus(part), part.findings) == ([E3], [])


def test_users_selected_without_their_licences_are_refused_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="export:user 1: a user lacks"):
        read(tmp_path, json.dumps({"value": [{"displayName": "Ann", "userPrincipalName": "ann@contoso.example"}]}))


def test_json_cut_in_the_middle(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match=r"^export: is not valid JSON: .*every page"):
        read(tmp_path, json.dumps(GRAPH)[:-5])


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(json.dumps(one) for one in GRAPH),
        "\r\n".join([*(json.dumps(one) for one in GRAPH), ""]),
        json.dumps(PAGES),
        "\n".join(map(json.dumps, [*PAGES, {"value": []}])),
        json.dumps([GRAPH[:2], GRAPH[2:]]),
        json.dumps(
            [
                {
                    "UserPrincipalName": one["userPrincipalName"],
                    "AssignedLicenses": [
                        {"SkuId": sku["skuId"], "DisabledPlans": []} for sku in one["assignedLicenses"]
                    ],
                }
                for one in GRAPH
            ]
        ),
        json.dumps([one | {"assignedLicenses": {"value": one["assignedLicenses"], "Count": 2}} for one in GRAPH]),
    ],
    ids=["a line each", "CRLF", "pages in a list", "a page a line", "lists in a list", "PowerShell", "PowerShell 5"],
)
def test_users_however_they_were_saved(tmp_path: Path, content: str) -> None:
    part = read(tmp_path, content)
    assert (part.rows, part.findings) == (3, [])
    assert [skus(part), skus(part, "bob@contoso.example"), skus(part, "cyd@contoso.example")] == [
        [E5, E3],
        [""],
        [OFFICE_E3],
    ]


def test_pages_that_end_in_the_middle(tmp_path: Path) -> None:
    pages = [{"value": GRAPH[:1], "@odata.nextLink": "https://2"}, {"value": GRAPH[1:], "@odata.nextLink": "https://3"}]
    for content in (json.dumps(pages), "\n".join(map(json.dumps, pages))):
        assert [finding.code for finding in read(tmp_path, content).findings] == ["licences_cut"]


def test_a_broken_line_costs_that_line(tmp_path: Path) -> None:
    lines = [json.dumps(one) for one in GRAPH]
    part = read(tmp_path, "\n".join([lines[0], lines[1][:-9], lines[2]]))
    assert part.table["mailbox"].unique().tolist() == ["ann@contoso.example", "cyd@contoso.example"]
    (finding,) = part.findings
    assert finding.code == "rows_rejected"
    assert "1 of 3 rows are not valid JSON (first lines 2)" in finding.message


# ------------------------------------------------------------------ service plans that are off


PREMIUM, EXCHANGE, YAMMER = (
    "2f442157-a11c-46b9-ae5b-6e39ff4e5849",
    "efb87545-963c-4e0d-99df-69c6916d9eb0",
    "7547a3fe-08ee-4ccb-b430-5077c5041653",
)


def off(part: Part) -> list[tuple[str, str]]:
    return list(zip(part.table["sku"], part.table["disabled"], strict=True))


def test_disabled_plans_of_graph_users(tmp_path: Path) -> None:
    ann = user("ann", E5, E3)
    ann["assignedLicenses"][0]["disabledPlans"] = [YAMMER, PREMIUM.upper(), EXCHANGE]
    ann["assignedLicenses"][1]["disabledPlans"] = [YAMMER]
    part = read(tmp_path, json.dumps([ann, user("bob", E5)]))
    assert off(part) == [(E5, "EXCHANGE_S_ENTERPRISE,M365_ADVANCED_AUDITING"), (E3, ""), (E5, "")]
    # As Windows PowerShell writes lists.
    ann["assignedLicenses"][0]["disabledPlans"] = {"value": [PREMIUM], "Count": 1}
    assert off(read(tmp_path, json.dumps([ann]))) == [(E5, "M365_ADVANCED_AUDITING"), (E3, "")]


@pytest.mark.parametrize(
    ("held", "disabled", "expected"),
    [
        ([E5], [PREMIUM], ["M365_ADVANCED_AUDITING"]),
        ([E5], [YAMMER], [""]),
        ([E5], [], [""]),
        ([E5, E3], [PREMIUM], ["M365_ADVANCED_AUDITING", ""]),
        # Both have the Exchange plan: named once, it is on through one of them.
        ([E5, E3], [EXCHANGE], ["", ""]),
        ([E5, E3], [EXCHANGE, YAMMER, EXCHANGE], ["EXCHANGE_S_ENTERPRISE", "EXCHANGE_S_ENTERPRISE"]),
    ],
)
def test_disabled_plans_joined_in_a_column(
    tmp_path: Path, held: list[str], disabled: list[str], expected: list[str]
) -> None:
    row = {**licence("ann", "+".join(held)), "DisabledPlans": "+".join(disabled)}
    part = read(tmp_path, licences_csv(row, columns=("UserPrincipalName", "SkuPartNumber", "DisabledPlans")))
    assert [plans for _, plans in off(part)] == expected


# ------------------------------------------------------------------ licenceDetails


def detail(sku: str, part: str, **plans: str) -> dict[str, Any]:
    """As Graph answers GET /users/{id}/licenseDetails: the id is the licence's."""
    return {
        "id": "x4s03usaBkSMs5fbAhyttK6cK8RP6rdKlxeBV2I1zKw", "skuId": sku, "skuPartNumber": part,
        "servicePlans": [{"servicePlanId": "x", "servicePlanName": name, "provisioningStatus": status}
                         for name, status in plans.items()],
    }  # fmt: skip


ANNS = [
    detail(E5, "SPE_E5", M365_ADVANCED_AUDITING="Disabled", EXCHANGE_S_ENTERPRISE="Success", TEAMS1="Disabled"),
    detail(MADE_UP := "00000000-0000-4000-8000-00000000e700", "CONTOSO_E7", EXCHANGE_S_ENTERPRISE="PendingInput"),
]


@pytest.mark.parametrize(
    "content",
    [
        [{**one, "userPrincipalName": "Ann@contoso.example"} for one in ANNS],
        [{**one, "id": "Ann@contoso.example"} for one in ANNS],
        {"Ann@contoso.example": ANNS},
        {"Ann@contoso.example": {"value": ANNS}},
        [{"userPrincipalName": "Ann@contoso.example", "licenseDetails": ANNS}],
        [{"userPrincipalName": "Ann@contoso.example", "licenseDetails": {"value": ANNS}}],
    ],
    ids=["one each", "id", "dictionary", "dictionary of pages", "nested", "nested pages"],
)
def test_licence_details(tmp_path: Path, content: object) -> None:
    part = read(tmp_path, json.dumps(content))
    assert part.findings == []
    assert part.table.to_numpy().tolist() == [
        ["ann@contoso.example", E5, "M365_ADVANCED_AUDITING", "EXCHANGE_S_ENTERPRISE,M365_ADVANCED_AUDITING"],
        ["ann@contoso.example", MADE_UP, "", "EXCHANGE_S_ENTERPRISE"],
    ]


def test_details_of_users_without_licences_and_of_skus_without_a_deciding_plan(tmp_path: Path) -> None:
    part = read(
        tmp_path, json.dumps({"ann@contoso.example": [], "bob@contoso.example": [detail("x", "X", A="Success")]})
    )
    assert part.table.to_numpy().tolist() == [
        ["ann@contoso.example", "", "", ""],
        ["bob@contoso.example", "x", "", NO_DECIDING_PLAN],
    ]


@pytest.mark.parametrize("damaged", [[{"servicePlans": []}], [3], 5])
def test_details_without_a_sku(tmp_path: Path, damaged: object) -> None:
    good, bad = ({"userPrincipalName": n, "licenseDetails": d} for n, d in (("a", ANNS), ("b", damaged)))
    part = read(tmp_path, json.dumps([good, bad]))
    assert set(part.table["mailbox"]) == {"a"}
    assert [finding.code for finding in part.findings] == ["rows_rejected"]
    with pytest.raises(InventoryError, match=r"^export:user 1: licence details lack a skuId; expected {"):
        read(tmp_path, json.dumps([bad]))


def test_objects_a_script_selected(tmp_path: Path) -> None:
    rows = [{"UserPrincipalName": "ann@contoso.example", "SkuPartNumber": "SPE_E3+EMS"}]
    assert skus(read(tmp_path, json.dumps(rows))) == ["SPE_E3", "EMS"]


def test_details_that_do_not_say_whose_they_are(shared: Path) -> None:
    path = shared / "samples" / "pnp" / "user-license-list.json"
    assert recognise(path) == "licences"
    with pytest.raises(InventoryError, match=r"^x: these licence details do not say whose they are; expected a "):
        read_licences(path, "x")


# ------------------------------------------------------------------ nobody, and users twice


def test_a_licence_for_nobody(tmp_path: Path) -> None:
    nobody = {**licence(), "UserPrincipalName": " "}
    graph = [user("ann", E3), {**user("", E3, E5), "userPrincipalName": None}]
    for content, count in ((licences_csv(licence("ann"), nobody), 1), (json.dumps(graph), 2)):
        part = read(tmp_path, content)
        assert part.rows == 2
        assert part.table["mailbox"].tolist() == ["ann@contoso.example"]
        (finding,) = part.findings
        assert (finding.code, finding.path) == ("licence_without_user", "export")
        assert finding.message.startswith(f"{count} licence{' is' if count == 1 else 's are'} assigned to nobody")


def test_licences_for_nobody_alone(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="the file names no user"):
        read(tmp_path, licences_csv({**licence(), "UserPrincipalName": ""}))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        # One row per user and licence is a way to list them.
        ([("ann", "SPE_E3"), ("ann", "EMS"), ("bob", "SPE_E3")], False),
        ([("ann", "SPE_E3+EMS"), ("Ann", "EMS+SPE_E3")], False),
        ([("ann", "SPE_E3+EMS"), ("Ann", "SPE_E5")], True),
        ([("ann", "SPE_E3"), ("ann", "SPE_E5"), ("bob", "SPE_E3+EMS")], True),
        ([("ann", "SPE_E3"), ("ann", "")], True),
    ],
)
def test_a_user_twice(tmp_path: Path, rows: list[tuple[str, str]], told: bool) -> None:
    part = read(tmp_path, licences_csv(*(licence(*row) for row in rows)))
    assert [finding.code for finding in part.findings] == (["licences_user_twice"] if told else [])
    assert set(skus(part)) == {sku for name, cell in rows if name.lower() == "ann" for sku in cell.split("+")}


def test_a_graph_user_twice(tmp_path: Path) -> None:
    same = read(tmp_path, json.dumps([user("ann", E3), user("ann", E3)]))
    assert same.findings == []
    other = read(tmp_path, json.dumps([user("ann", E3), user("Ann", E5)]))
    assert [finding.code for finding in other.findings] == ["licences_user_twice"]
    assert "1 user stands in the file more than once" in other.findings[0].message


# ------------------------------------------------------------------ the admin center, and other layouts of CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("zipped", [False, True])
def test_active_users_of_the_admin_center(tmp_path: Path, delimiter: str, encoding: str, zipped: bool) -> None:
    columns = ("Block credential", "City", "Department", "Display name", "Licenses", "Office", "User principal name")
    rows = [
        {
            "Block credential": "False",
            "City": "Zürich",
            "Licenses": cell,
            "User principal name": f"{name}@contoso.example",
        }
        for name, cell in (
            ("Ann", "Microsoft 365 E5+Enterprise Mobility + Security E5"),
            ("bob", "Unlicensed"),
            ("guest_gmail.com#EXT#", "Unlicensed"),
        )
    ]
    part = read(tmp_path, licences_csv(*rows, columns=columns, delimiter=delimiter).encode(encoding), zipped=zipped)
    assert (part.rows, part.findings) == (3, [])
    assert skus(part) == ["Microsoft 365 E5", "Enterprise Mobility + Security E5"]
    assert skus(part, "bob@contoso.example") == skus(part, "guest_gmail.com#ext#@contoso.example") == [""]


def test_sku_totals_are_no_licences_of_users(tmp_path: Path) -> None:
    graph = [{"consumedUnits": 20, "skuId": E3, "skuPartNumber": "SPE_E3", "servicePlans": []}]
    for content in ("SkuPartNumber,SkuId,ConsumedUnits\n", json.dumps(graph), json.dumps({"value": graph})):
        assert recognise(write(tmp_path / "export", content)) == "sku-totals"


@pytest.mark.parametrize(
    "first",
    [
        {"userPrincipalName": "ann@contoso.example", "createdDateTime": "2026-11-02T10:00:00Z", "appId": "x"},
        {"Id": "1", "Operation": "Send", "UserId": "ann@contoso.example"},
        {"@odata.context": "x"},
        {},
    ],
)
def test_what_is_no_licence_object(first: dict[str, Any]) -> None:
    assert not licence_object(first)
    assert not totals_object(first)


@pytest.mark.slow
def test_a_hundred_thousand_users_in_seconds(tmp_path: Path) -> None:
    users = [user(f"u{n}", E5 if n % 3 else E3) for n in range(100_000)]
    path = write(tmp_path / "users.json", json.dumps({"value": users}))
    start = time.perf_counter()
    part = read_licences(path, "users.json")
    tiers = tiers_of(part.table).tiers
    took = time.perf_counter() - start
    assert tiers.value_counts().to_dict() == {"premium": 66_666, "standard": 33_334}
    assert took < 6, f"{took:.1f} s; about one on an idle core"


@pytest.mark.parametrize(("name", "users"), [("tenant_a", 545), ("tenant_b", 183)])
def test_real_shapes(shared: Path, name: str, users: int) -> None:
    path = shared / "samples" / name / "licences.csv"
    assert recognise(path) == "licences"
    part = read_licences(path, "licences.csv")
    assert (part.rows, part.findings) == (users, [])
    assert part.table["mailbox"].nunique() == users
