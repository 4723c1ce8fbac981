"""Licence totals: what Get-MgSubscribedSku, Get-MsolAccountSku and Graph's subscribedSkus export, and the check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from estimator.errors import InventoryError
from estimator.inventory.recognise import recognise
from estimator.inventory.sheet import Part
from estimator.inventory.sku_totals import check_totals, read_sku_totals
from tests.conftest import write

E3, E5, MADE_UP = (
    "05e9a617-0261-4cee-bb44-138d3ef5d965",
    "06ebc4ee-1bb5-47dd-8120-11324bc54e06",
    "00000000-0000-4000-8000-00000000e700",
)


def read(tmp_path: Path, content: str | bytes) -> Part:
    path = write(tmp_path / "totals", content)
    assert recognise(path) == "sku-totals"
    return read_sku_totals(path, "totals")


def subscribed(sku: str = E3, part: str = "SPE_E3", consumed: Any = 20, *plans: str) -> dict[str, Any]:
    """As Graph answers GET /subscribedSkus."""
    return {
        "capabilityStatus": "Enabled", "consumedUnits": consumed, "skuId": sku, "skuPartNumber": part,
        "prepaidUnits": {"enabled": 25, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": [{"servicePlanId": "x", "servicePlanName": plan, "provisioningStatus": "Success"}
                         for plan in plans],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "sku", "enabled"),
    [
        (f"SkuPartNumber,SkuId,ConsumedUnits,Enabled\nSPE_E3,{E3},20,25\n", E3, 25),
        (f"SkuPartNumber;SkuId;ConsumedUnits;PrepaidUnits.Enabled\nSPE_E3;{E3};20;25\n", E3, 25),
        (f'"SkuPartNumber","SkuId","ConsumedUnits","PrepaidUnits"\n"SPE_E3","{E3}","20",'
         '"@{Enabled=25; LockedOut=0; Suspended=0; Warning=0}"\n', E3, 25),
        (f"SkuPartNumber,SkuId,ConsumedUnits,PrepaidUnits\nSPE_E3,{E3},20,"
         "Microsoft.Graph.PowerShell.Models.MicrosoftGraphLicenseUnitsDetail\n", E3, None),
        ("SkuPartNumber,ConsumedUnits\nSPE_E3,20\n", "SPE_E3", None),
        ("AccountSkuId,ActiveUnits,WarningUnits,ConsumedUnits\ncontoso:SPE_E3,25,0,20\n", "SPE_E3", 25),
        (json.dumps([subscribed()]), E3, 25),
        (json.dumps({"value": [subscribed()]}), E3, 25),
        (json.dumps(subscribed()), E3, 25),
        (json.dumps([{"SkuId": E3, "SkuPartNumber": "SPE_E3", "ConsumedUnits": 20,
                      "PrepaidUnits": {"Enabled": 25}}]).encode("utf-16"), E3, 25),
    ],
    ids=["selected", "semicolons", "hashtable", "type name", "no GUID", "MSOnline", "list", "page", "one", "PS"],
)  # fmt: skip
def test_shapes(tmp_path: Path, content: str | bytes, sku: str, enabled: int | None) -> None:
    part = read(tmp_path, content)
    assert (part.rows, part.findings) == (1, [])
    row = part.table.iloc[0]
    assert (row["sku"], row["part_number"], row["consumed"]) == (sku, "SPE_E3", 20)
    assert pd.isna(row["enabled"]) if enabled is None else row["enabled"] == enabled


def test_the_sample_of_a_real_tool(shared: Path) -> None:
    path = shared / "samples" / "pnp" / "license-list.json"
    assert recognise(path) == "sku-totals"
    row = read_sku_totals(path, "x").table.iloc[0]
    assert (row["part_number"], row["consumed"], row["enabled"], row["plans"]) == ("ENTERPRISEPREMIUM", 1, 10000, "-")


def test_plans_that_decide_a_tier_are_kept(tmp_path: Path) -> None:
    plans = read(
        tmp_path,
        json.dumps(
            [subscribed(E5, "SPE_E5", 1, "TEAMS1", "M365_ADVANCED_AUDITING", "EXCHANGE_S_ENTERPRISE"), subscribed(E3)]
        ),
    ).table["plans"]
    assert plans.tolist() == ["EXCHANGE_S_ENTERPRISE,M365_ADVANCED_AUDITING", "-"]


def test_a_row_without_sku_or_number_is_left_out_and_said_so(tmp_path: Path) -> None:
    part = read(tmp_path, f"SkuPartNumber,SkuId,ConsumedUnits\nSPE_E3,{E3},20\nSPE_E5,{E5},many\n,,3\n")
    assert part.table["sku"].tolist() == [E3]
    assert part.rows == 3
    (finding,) = part.findings
    assert finding.code == "rows_rejected"
    assert "2 of 3 rows tell no SKU or no number of units consumed (first lines 3, 4)" in finding.message


@pytest.mark.parametrize("consumed", ["20", None, True, 2.5, -1, 10**30])
def test_no_row_of_use_is_an_error_that_says_how_to_mend_it(tmp_path: Path, consumed: Any) -> None:
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, json.dumps([subscribed(consumed=consumed)]))
    assert str(caught.value).startswith("totals: the file tells no SKU and the units consumed of it; expected a row")
    assert "Get-MgSubscribedSku" in str(caught.value)


def test_a_column_missing(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="column 'ConsumedUnits' missing"):
        read_sku_totals(write(tmp_path / "totals", "SkuId,Enabled\nx,3\n"), "totals")


# ------------------------------------------------------------------ the check


def assigned(**users_of: int) -> pd.DataFrame:
    """So many users of each SKU, and one without any."""
    pairs = [(f"u{n}@contoso.example", sku) for sku, users in users_of.items() for n in range(users)]
    return pd.DataFrame([*pairs, ("eve@contoso.example", "")], columns=["mailbox", "sku"], dtype="str")


def totals(**units_of: int) -> pd.DataFrame:
    guids = {"SPE_E3": E3, "SPE_E5": E5}
    rows = [(guids.get(part, part), part, units, pd.NA, "") for part, units in units_of.items()]
    return pd.DataFrame(rows, columns=["sku", "part_number", "consumed", "enabled", "plans"])


@pytest.mark.parametrize(
    ("users", "units", "told"),
    [
        ({"SPE_E3": 100}, {"SPE_E3": 100}, None),
        ({"SPE_E3": 95}, {"SPE_E3": 100}, None),
        ({"SPE_E3": 94}, {"SPE_E3": 100}, "lack users (in the files of units consumed: SPE_E3: 94 of 100)"),
        ({"SPE_E3": 106}, {"SPE_E3": 100}, "more users of a licence than the tenant has assigned (in the files of "),
        ({"SPE_E3": 1}, {"SPE_E3": 4}, None),
        ({"SPE_E3": 0}, {"SPE_E3": 4}, "SPE_E3: 0 of 4"),
        ({"SPE_E3": 100, "SPE_E5": 9}, {"SPE_E3": 100}, "SPE_E5: 9 of 0"),
        ({"SPE_E3": 500, "SPE_E5": 50}, {"SPE_E3": 1000, "SPE_E5": 100}, "SPE_E3: 500 of 1,000, SPE_E5: 50 of 100"),
        # However a SKU is spelled.
        ({"Microsoft 365 E3": 100}, {"SPE_E3": 100}, None),
        ({E3: 100}, {"SPE_E3": 100}, None),
        ({"CONTOSO_NEW": 100}, {"Contoso_New": 100}, None),
        # Two SKUs of one product name: a file of product names cannot tell them apart.
        ({"Microsoft 365 Business Basic": 100}, {"O365_BUSINESS_ESSENTIALS": 60, "SMB_BUSINESS_ESSENTIALS": 40}, None),
    ],
)  # fmt: skip
def test_half_an_export(users: dict[str, int], units: dict[str, int], told: str | None) -> None:
    findings = check_totals(assigned(**users), totals(**units))
    assert [finding.code for finding in findings] == ([] if told is None else ["licences_incomplete"])
    assert told is None or told in findings[0].message


def test_one_user_is_counted_once_however_often_a_sku_stands_in_the_files() -> None:
    twice = pd.concat([assigned(SPE_E3=100), assigned(**{E3: 100}), assigned(SPE_E3=100)])
    assert check_totals(twice, totals(SPE_E3=100)) == []


def test_an_unknown_sku_is_found_by_its_part_number_and_many_are_not_all_listed() -> None:
    newer = totals(X=0).assign(sku=MADE_UP, part_number="CONTOSO_E7", consumed=50)
    assert check_totals(assigned(CONTOSO_E7=50), newer) == []
    many = check_totals(assigned(), totals(**{f"SKU_{n}": 10 for n in range(7)}))
    assert "SKU_4: 0 of 10, and 2 more)" in many[0].message


def test_without_totals_nothing_is_said_and_of_two_files_the_last_counts() -> None:
    assert check_totals(assigned(SPE_E3=3), totals()) == []
    assert check_totals(assigned(SPE_E3=30), pd.concat([totals(SPE_E3=60), totals(SPE_E3=30)])) == []
