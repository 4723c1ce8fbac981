from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from estimator import catalog
from estimator.catalog import AuditTier, HeldSku

E5_COMPLIANCE = "184efa21-98c3-4e5d-95ab-d07053a96e67"
PREMIUM, EXCHANGE = "M365_ADVANCED_AUDITING", "EXCHANGE_S_ENTERPRISE"

#: Where licences.csv departs from what Microsoft's plans give or from license_skus.csv: part number → (tier by the
#: plans, tier of license_skus.csv, ours). licences.csv gives each one's reason in `note`; in short:
DIFFERENCES = {
    "O365_BUSINESS": ("none", "standard", "none"),  # Apps for Business: on the documented list, but no mailbox
    "SMB_BUSINESS": ("none", "standard", "none"),  # the same
    "M365_F1": ("none", "standard", "none"),  # EXCHANGE_S_FOUNDATION only: no mailbox
    "SPE_F5_SEC": ("none", "standard", "none"),  # F5 Security, an add-on: no mailbox of its own
    # Its plans lack an Exchange plan, taken for a gap of the list: all its E3 siblings have one.
    "O365_w/o Teams Bundle_M3_(500_seats_min)_HUB": ("none", "standard", "standard"),
}


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
        assert (sku.audit_tier != "none") == any(
            plan != "M365_ADVANCED_AUDITING" for plan in sku.audit_plans
        ) or sku.note


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


@pytest.mark.parametrize(
    ("held", "tier", "tier_all_on"),
    [
        ([HeldSku("SPE_E5")], "premium", "premium"),
        ([HeldSku("SPE_E5", frozenset({PREMIUM}))], "standard", "premium"),
        ([HeldSku("SPE_E5", frozenset({EXCHANGE}))], "none", "premium"),
        ([HeldSku("M365_G5_GCC", frozenset({"EXCHANGE_S_ENTERPRISE_GOV"}))], "none", "premium"),
        ([HeldSku("SPE_F1"), HeldSku("SPE_F5_COMP", frozenset({PREMIUM}))], "standard", "premium"),
        ([HeldSku("EXCHANGEENTERPRISE"), HeldSku("SPE_F5_COMP", frozenset({PREMIUM}))], "standard_unlisted", "premium"),
        ([HeldSku("Contoso", plans=frozenset({PREMIUM, EXCHANGE}))], "premium", "premium"),
        ([HeldSku("Contoso", frozenset({PREMIUM}), frozenset({PREMIUM, EXCHANGE}))], "standard", "premium"),
        ([HeldSku("Contoso", plans=frozenset({PREMIUM})), HeldSku("SPE_E3")], "premium", "premium"),
        ([], "none", "none"),
    ],
)
def test_a_plan_that_is_off_gives_nothing(held: list[HeldSku], tier: AuditTier, tier_all_on: AuditTier) -> None:
    verdict = catalog.judge(held)
    assert (verdict.tier, verdict.tier_all_on, verdict.unknown) == (tier, tier_all_on, ())
    assert verdict.by_plans == tuple(one.sku for one in held if one.sku == "Contoso")


def test_deciding_plans_by_name_and_by_guid() -> None:
    assert catalog.deciding_plan(" m365_advanced_auditing ") == PREMIUM
    assert catalog.deciding_plan("{EFB87545-963C-4E0D-99DF-69C6916D9EB0}") == EXCHANGE
    assert catalog.deciding_plan("EXCHANGE_S_FOUNDATION") == catalog.deciding_plan("") == ""


@pytest.mark.parametrize(
    ("part_number", "tier"),
    [
        # government
        ("M365_G3_GOV", "standard"), ("M365_G5_GCC", "premium"), ("ENTERPRISEPACK_GOV", "standard"),
        ("ENTERPRISEPREMIUM_GOV", "premium"), ("SPE_E3_USGOV_DOD", "standard"), ("SPE_E5_USGOV_GCCHIGH", "premium"),
        ("EXCHANGESTANDARD_GOV", "standard_unlisted"), ("M365_F1_GOV", "standard"),
        # education
        ("STANDARDWOFFPACK_FACULTY", "standard"), ("M365EDU_A3_STUDENT", "standard"), ("M365EDU_A5_FACULTY", "premium"),
        ("ENTERPRISEPREMIUM_STUDENT", "premium"), ("M365EDU_A5_STUUSEBNFT", "standard"),
        # frontline
        ("M365_F1", "none"), ("M365_F1_COMM", "standard"), ("SPE_F1", "standard"), ("DESKLESSPACK", "standard"),
        # without Teams
        ("Microsoft_365_E3_(no_Teams)", "standard"), ("O365_w/o_Teams_Bundle_M5", "premium"),
        ("Office_365_w/o_Teams_Bundle_E1", "standard"), ("Office_365_w/o_Teams_Bundle_E5", "premium"),
        ("Microsoft_365_F3_EEA_(no_Teams)", "standard"), ("Office_365_w/o_Teams_Bundle_Business_Premium", "standard"),
    ],
)  # fmt: skip
def test_variants(part_number: str, tier: AuditTier) -> None:
    assert catalog.best_tier([part_number]) == (tier, ())


def test_each_tier_follows_from_the_plans_of_its_row() -> None:
    for sku in catalog.licences().values():
        tier, addon = catalog.tier_of_plans(sku.audit_plans)
        if sku.part_number in DIFFERENCES:
            assert (tier, sku.audit_tier) == (DIFFERENCES[sku.part_number][0], DIFFERENCES[sku.part_number][2])
        else:
            # The plans cannot tell the documented Audit (Standard) list from the rest.
            assert tier.removesuffix("_unlisted") == sku.audit_tier.removesuffix("_unlisted"), sku
        assert addon == sku.premium_addon, sku


def test_each_difference_has_its_reason_in_the_catalogue() -> None:
    notes = {sku.part_number: sku.note for sku in catalog.licences().values()}
    for part_number in DIFFERENCES:
        assert "list" in notes[part_number], part_number


# ---------------------------------------------------------------- against the reference files


def _plans_of_the_official_list(reference: Path) -> dict[str, list[tuple[str, str]]]:
    """SKU GUID → the name and the GUID of each of its service plans, as Microsoft's list gives them."""
    plans: dict[str, list[tuple[str, str]]] = {}
    with (reference / "m365_service_plans.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            plans.setdefault(row["GUID"].lower(), []).append((row["Service_Plan_Name"], row["Service_Plan_Id"]))
    return plans


def test_the_catalogue_holds_the_official_list(reference: Path) -> None:
    with (reference / "m365_service_plans.csv").open(encoding="utf-8", newline="") as stream:
        names = {row["GUID"].lower(): (row["String_Id"], row["Product_Display_Name"]) for row in csv.DictReader(stream)}
    assert {sku.guid: (sku.part_number, sku.product_name) for sku in catalog.licences().values()} == names
    for guid, plans in _plans_of_the_official_list(reference).items():
        by_guid = {catalog.deciding_plan(plan) for _, plan in plans} - {""}
        by_name = {catalog.deciding_plan(name) for name, _ in plans} - {""}
        assert by_guid == by_name == set(catalog.licences()[guid].audit_plans), guid


def test_all_skus_resolve_to_a_tier_that_agrees_with_the_reference(reference: Path) -> None:
    """Recomputed from the service plans, as licences.csv has it and as license_skus.csv has it, SKU by SKU."""
    words = {"standard_expanded": "standard", "standard_expanded_unlisted": "standard_unlisted"}
    with (reference / "license_skus.csv").open(encoding="utf-8", newline="") as stream:
        listed = {row["sku_guid"].lower(): row["audit_tier_now"] for row in csv.DictReader(stream)}
    official = _plans_of_the_official_list(reference)
    assert len(official) == 569
    assert listed.keys() <= official.keys()
    found: dict[str, tuple[str, str, str]] = {}
    for guid, plans in official.items():
        sku = catalog.licences()[guid]
        ours = "premium_addon" if sku.premium_addon else sku.audit_tier
        # license_skus.csv has only what bears on auditing: all others give nothing.
        theirs = words.get(listed.get(guid, "none"), listed.get(guid, "none"))
        tier, addon = catalog.tier_of_plans(plan for _, plan in plans)
        by_plans = "premium_addon" if addon else tier
        if by_plans == "standard_unlisted" and theirs == "standard":
            by_plans = "standard"  # no plan tells who is on the documented list; license_skus.csv does
        if not by_plans == theirs == ours:
            found[sku.part_number] = (by_plans, theirs, ours)
    assert found == DIFFERENCES
