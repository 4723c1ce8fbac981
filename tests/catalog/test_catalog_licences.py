from __future__ import annotations

import csv
import re
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


@pytest.mark.parametrize(
    ("skus", "grant"),
    [
        (["SPE_E5"], True),
        (["ENTERPRISEPREMIUM"], False),  # Office 365 E5 has Audit (Premium) and no grant
        (["SPE_E3"], False),
        (["SPE_E3", "IDENTITY_THREAT_PROTECTION"], True),  # E5 Security has the grant and no Audit (Premium)
        (["SPE_E3", "INFORMATION_PROTECTION_COMPLIANCE"], False),
        (["SPE_F1", "SPE_F5_SEC"], True),
        (["SPE_F1", "SPE_F5_SECCOMP"], True),
        (["SPE_F1", "SPE_F5_COMP"], False),
        (["SPE_E5_NOPSTNCONF"], True),
        (["Microsoft 365 E5 EEA (no Teams)"], True),
        (["M365_G5_GCC"], True),
        (["M365EDU_A5_FACULTY"], True),
        (["M365EDU_A5_STUUSEBNFT"], False),
        (["DEVELOPERPACK_E5"], False),
        (["ENTERPRISEPREMIUM_GOV"], False),
        (["EMSPREMIUM"], False),
        (["M365_E5_SUITE_COMPONENTS"], False),
        (["06ebc4ee-1bb5-47dd-8120-11324bc54e06", "Contoso_Plan"], True),
        (["Contoso_Plan"], False),
        ([], False),
    ],
)
def test_the_grant_of_sentinel_follows_its_own_list_and_not_audit_premium(skus: list[str], grant: bool) -> None:
    assert catalog.has_sentinel_grant(skus) == grant


def test_each_sku_with_the_grant_names_its_source_and_none_that_sounds_like_it_is_silent() -> None:
    named = re.compile(r"Microsoft 365 (GCC )?[EAFG]5")
    for sku in catalog.licences().values():
        assert (sku.grant_source != "") == sku.sentinel_grant, sku
        assert sku.sentinel_grant <= bool(named.match(sku.product_name) or sku.note), sku
        # What the name suggests and the row denies is denied for a stated reason, Compliance add-ons apart.
        if named.match(sku.product_name) and not sku.sentinel_grant:
            assert "Compliance" in sku.product_name or "grant" in sku.note, sku
    assert sum(sku.sentinel_grant for sku in catalog.licences().values()) == 20


def test_every_row_is_sound() -> None:
    skus = catalog.licences().values()
    assert len(skus) == 569
    known = catalog.sources()
    for sku in skus:
        assert sku.source in known
        assert not sku.grant_source or sku.grant_source in known
        assert not (sku.premium_addon and sku.audit_tier != "none")
        assert (sku.audit_tier != "none") == bool(sku.mailbox_plan) or sku.note


def test_a_part_number_is_nobody_elses_name() -> None:
    """Lookups try the part number first; neither may shadow a SKU of another tier."""
    for sku in catalog.licences().values():
        found = catalog.licence_tier(sku.part_number)
        assert found is not None
        assert (found.audit_tier, found.premium_addon) == (sku.audit_tier, sku.premium_addon), sku
        assert found.sentinel_grant == sku.sentinel_grant, sku


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
