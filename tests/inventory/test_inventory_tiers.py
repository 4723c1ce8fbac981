"""From assignments to audit tiers: plans that are switched off, SKUs newer than the catalogue, the findings."""

from __future__ import annotations

import pandas as pd
import pytest

from estimator.inventory.tiers import Tiers, tiers_of

PREMIUM, EXCHANGE = "M365_ADVANCED_AUDITING", "EXCHANGE_S_ENTERPRISE"
PREMIUM_ID, EXCHANGE_ID = "2f442157-a11c-46b9-ae5b-6e39ff4e5849", "efb87545-963c-4e0d-99df-69c6916d9eb0"
E5_COMPLIANCE = "INFORMATION_PROTECTION_COMPLIANCE"


def judged(*rows: tuple[str, ...], totals: pd.DataFrame | None = None) -> Tiers:
    whole = [(*row, *[""] * (4 - len(row))) for row in rows]
    return tiers_of(pd.DataFrame(whole, columns=["mailbox", "sku", "disabled", "plans"], dtype="str"), totals)


def codes(tiers: Tiers) -> list[str]:
    return [finding.code for finding in tiers.findings]


@pytest.mark.parametrize(
    ("held", "tier", "told"),
    [
        ([("SPE_E5",)], "premium", []),
        ([("SPE_E5", PREMIUM)], "standard", ["premium_plan_disabled"]),
        ([("SPE_E5", PREMIUM_ID.upper())], "standard", ["premium_plan_disabled"]),
        ([("SPE_E5", EXCHANGE)], "none", ["exchange_plan_disabled"]),
        ([("SPE_E5", f"{EXCHANGE},{PREMIUM}")], "none", ["exchange_plan_disabled"]),
        ([("SPE_E3", EXCHANGE_ID)], "none", ["exchange_plan_disabled"]),
        # Off in one licence and on in another is on.
        ([("SPE_E5", PREMIUM), ("SPE_E3",), (E5_COMPLIANCE,)], "premium", []),
        ([("SPE_E5", EXCHANGE), ("EXCHANGESTANDARD",)], "premium", []),
        ([("SPE_E5", EXCHANGE), ("SPE_E3",)], "premium", []),
        ([("SPE_E3",), (E5_COMPLIANCE, PREMIUM)], "standard", ["premium_plan_disabled"]),
        ([("SPE_E3", EXCHANGE), (E5_COMPLIANCE,)], "none", ["exchange_plan_disabled"]),
        ([("EXCHANGESTANDARD",), ("SPE_E3", EXCHANGE)], "standard_unlisted", []),
        # Plans that decide nothing, and plans the licence does not have.
        ([("SPE_E5", "57ff2da0-773e-42df-b2af-ffb7a2317929")], "premium", []),
        ([("SPE_E3", PREMIUM)], "standard", []),
        # The list lacks the Exchange plan of this E3; whichever it is, it can be off.
        ([("602e6573-55a3-46b1-a1a0-cc267991501a",)], "standard", []),
        ([("602e6573-55a3-46b1-a1a0-cc267991501a", EXCHANGE)], "none", ["exchange_plan_disabled"]),
        # A SKU newer than the catalogue is judged by its own plans.
        ([("CONTOSO_E7", "", f"{EXCHANGE},{PREMIUM}")], "premium", ["licence_newer"]),
        ([("CONTOSO_E7", PREMIUM, f"{EXCHANGE},{PREMIUM}")], "standard", ["licence_newer", "premium_plan_disabled"]),
        ([("CONTOSO_E7", "", EXCHANGE)], "standard_unlisted", ["licence_newer"]),
        ([("CONTOSO_E7", "", "-")], "none", ["licence_newer"]),
        ([("CONTOSO_E7",)], "none", ["licence_unknown"]),
        ([("CONTOSO_E7",), ("SPE_E3",)], "standard", ["licence_unknown"]),
        ([("SPE_E3",), ("CONTOSO_ADDON", "", PREMIUM)], "premium", ["licence_newer"]),
        # A plan that joined a known SKU after the list's date counts.
        ([("SPE_E3", "", f"{EXCHANGE},{PREMIUM}")], "premium", []),
        ([("SPE_E5", "", "-")], "premium", []),
        ([("",)], "none", []),
    ],
)  # fmt: skip
def test_one_user(held: list[tuple[str, ...]], tier: str, told: list[str]) -> None:
    found = judged(*(("ann", *licence) for licence in held))
    assert found.tiers.to_dict() == {"ann": tier}
    assert codes(found) == told


def test_users_are_counted_and_licences_named() -> None:
    found = judged(
        ("eve", "CONTOSO_E7"), ("eve", "SPE_E3"), ("dan", "CONTOSO_E7"), ("cyd", "SPE_E5", PREMIUM),
        ("bob", "SPE_E5", PREMIUM), ("ann", "SPE_E5", EXCHANGE), ("fay", "CONTOSO_E8", "", EXCHANGE), ("gus", ""),
    )  # fmt: skip
    assert found.tiers.index.tolist() == ["ann", "bob", "cyd", "dan", "eve", "fay", "gus"]
    assert found.tiers.tolist() == ["none", "standard", "standard", "none", "standard", "standard_unlisted", "none"]
    message = {finding.code: finding.message for finding in found.findings}
    assert message["licence_unknown"].startswith("1 licence is not in the catalogue (CONTOSO_E7)")
    assert "2 users have one" in message["licence_unknown"]
    assert "subscribedSkus" in message["licence_unknown"]
    assert "(CONTOSO_E8)" in message["licence_newer"]
    assert "1 user has one" in message["licence_newer"]
    assert "switched off for 1 user" in message["exchange_plan_disabled"]
    assert "switched off for 2 users" in message["premium_plan_disabled"]


def test_the_grant_stays_whatever_plan_is_off() -> None:
    found = judged(("ann", "SPE_E5", f"{EXCHANGE},{PREMIUM}"), ("bob", "SPE_E3"), ("cyd", "Contoso"))
    assert found.grants.to_dict() == {"ann": True, "bob": False, "cyd": False}


def test_totals_tell_the_plans_of_a_sku_newer_than_the_catalogue() -> None:
    totals = pd.DataFrame(
        {"sku": ["00000000-0000-4000-8000-00000000e700"], "part_number": ["CONTOSO_E7"], "consumed": [2],
         "enabled": [2], "plans": [f"{EXCHANGE},{PREMIUM}"]}
    )  # fmt: skip
    found = judged(
        ("ann", "00000000-0000-4000-8000-00000000E700"), ("bob", "contoso_e7"), ("cyd", "CONTOSO_E9"), totals=totals
    )
    assert found.tiers.to_dict() == {"ann": "premium", "bob": "premium", "cyd": "none"}
    assert codes(found) == ["licence_unknown", "licence_newer"]


def test_mailbox_and_sku_alone_are_enough() -> None:
    found = tiers_of(pd.DataFrame({"mailbox": ["ann", "bob"], "sku": ["SPE_E5", ""]}))
    assert (found.tiers.tolist(), found.grants.tolist(), found.findings) == (["premium", "none"], [True, False], [])
    empty = tiers_of(pd.DataFrame({"mailbox": [], "sku": []}))
    assert (len(empty.tiers), len(empty.grants), empty.findings) == (0, 0, [])
