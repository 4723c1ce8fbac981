from __future__ import annotations

import csv
from pathlib import Path

import pytest

from estimator import catalog
from estimator.catalog import AuditTier

E5_COMPLIANCE = "184efa21-98c3-4e5d-95ab-d07053a96e67"

#: licences.csv against license_skus.csv, mapped; each with its reason.
DIFFERENCES = {
    "O365_BUSINESS": ("standard", "none"),  # Apps for Business: on the documented list, but no mailbox
    "SMB_BUSINESS": ("standard", "none"),  # the same
    "M365_F1": ("standard", "none"),  # EXCHANGE_S_FOUNDATION only: no mailbox
    "SPE_F5_SEC": ("standard", "none"),  # F5 Security, an add-on: no mailbox of its own
}
#: No mailbox plan in Microsoft's list, taken for a gap of the list.
LIST_GAPS: dict[str, AuditTier] = {"602e6573-55a3-46b1-a1a0-cc267991501a": "standard"}


@pytest.mark.parametrize(
    ("skus", "tier"),
    [
        (["SPE_E3"], "standard"),
        (["SPE_E5"], "premium"),
        (["SPE_F1"], "standard"),
        (["EXCHANGESTANDARD"], "standard_unlisted"),
        (["FLOW_FREE"], "none"),
        (["M365EDU_A5_STUUSEBNFT"], "standard"),
        (["M365EDU_A5_NOPSTNCONF_STUUSEBNFT"], "standard"),
        (["INFORMATION_PROTECTION_COMPLIANCE"], "none"),
        (["SPE_E3", "INFORMATION_PROTECTION_COMPLIANCE"], "premium"),
        (["INFORMATION_PROTECTION_COMPLIANCE", "FLOW_FREE"], "none"),
        (["EXCHANGESTANDARD", "FLOW_FREE", "SPE_E3"], "standard"),
        (["SPE_F1", "SPE_F5_COMP"], "premium"),
        (["SPE_F1", "SPE_F5_SEC"], "standard"),
        ([], "none"),
    ],
)
def test_tier_of_licences_together(skus: list[str], tier: AuditTier) -> None:
    assert catalog.best_tier(skus) == (tier, ())


def test_unknown_skus_come_back_as_they_were_given() -> None:
    assert catalog.best_tier(["SPE_E3", "Contoso_Plan", "{0}"]) == ("standard", ("Contoso_Plan", "{0}"))
    assert catalog.best_tier(["Contoso_Plan"]) == ("none", ("Contoso_Plan",))


@pytest.mark.parametrize(
    "name",
    [
        "05e9a617-0261-4cee-bb44-138d3ef5d965",
        "{05E9A617-0261-4CEE-BB44-138D3EF5D965}",
        "spe_e3",
        " SPE_E3 ",
        "Microsoft 365 E3",
    ],
)
def test_lookup(name: str) -> None:
    sku = catalog.licence_tier(name)
    assert sku is not None
    assert (sku.part_number, sku.audit_tier, sku.premium_addon) == ("SPE_E3", "standard", False)


def test_lookup_of_the_unknown_and_of_a_shared_name() -> None:
    assert catalog.licence_tier("SPE_E99") is None
    assert catalog.licence_tier("") is None
    shared = catalog.licence_tier("microsoft 365 f1")
    assert shared is not None
    assert shared.part_number == "M365_F1_COMM"
    addon = catalog.licence_tier(E5_COMPLIANCE)
    assert addon is not None
    assert (addon.audit_tier, addon.premium_addon) == ("none", True)


def test_every_row_is_sound() -> None:
    skus = catalog.licences().values()
    assert len(skus) == 569
    known = catalog.sources()
    for sku in skus:
        assert sku.source in known
        assert not (sku.premium_addon and sku.audit_tier != "none")
        assert (sku.audit_tier != "none") == bool(sku.mailbox_plan) or sku.note


def test_a_part_number_is_nobody_elses_name() -> None:
    """Lookups try the part number first; neither may shadow a SKU of another tier."""
    for sku in catalog.licences().values():
        found = catalog.licence_tier(sku.part_number)
        assert found is not None
        assert (found.audit_tier, found.premium_addon) == (sku.audit_tier, sku.premium_addon), sku


def test_tier_of_a_sku_newer_than_the_list() -> None:
    assert catalog.tier_of_plans(["EXCHANGE_S_ENTERPRISE", "M365_ADVANCED_AUDITING", "TEAMS1"]) == ("premium", False)
    assert catalog.tier_of_plans(["2F442157-A11C-46B9-AE5B-6E39FF4E5849"]) == ("none", True)
    assert catalog.tier_of_plans(["exchange_s_deskless"]) == ("standard_unlisted", False)
    assert catalog.tier_of_plans(["EXCHANGE_S_FOUNDATION", "M365_AUDIT_PLATFORM"]) == ("none", False)


# ---------------------------------------------------------------- against the reference files


def test_tiers_follow_from_the_service_plans(reference: Path) -> None:
    plans: dict[str, list[str]] = {}
    names: dict[str, tuple[str, str]] = {}
    with (reference / "m365_service_plans.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            guid = row["GUID"].lower()
            plans.setdefault(guid, []).append(row["Service_Plan_Id"])
            names[guid] = (row["String_Id"], row["Product_Display_Name"])
    skus = catalog.licences()
    assert skus.keys() == plans.keys()
    for guid, sku in skus.items():
        assert (sku.part_number, sku.product_name) == names[guid]
        tier, addon = catalog.tier_of_plans(plans[guid])
        tier = LIST_GAPS.get(guid, tier)
        # the plans cannot tell the documented Audit (Standard) list from the rest
        assert sku.audit_tier.removesuffix("_unlisted") == tier.removesuffix("_unlisted"), sku
        assert sku.premium_addon == addon, sku


def test_agrees_with_the_reference_tiers(reference: Path) -> None:
    mapping = {"standard_expanded": "standard", "standard_expanded_unlisted": "standard_unlisted"}
    found: dict[str, tuple[str, str]] = {}
    with (reference / "license_skus.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            sku = catalog.licences()[row["sku_guid"].lower()]
            theirs = mapping.get(row["audit_tier_now"], row["audit_tier_now"])
            ours = "premium_addon" if sku.premium_addon else sku.audit_tier
            if theirs != ours:
                found[sku.part_number] = (theirs, ours)
    assert found == DIFFERENCES
