"""What a file is, whatever its name; and the one inventory that all of them make."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from estimator.errors import InventoryError
from estimator.folder import read_folder
from estimator.inventory import Inventory, read_inventory, recognise
from tests.conftest import (
    Row,
    Tenant,
    active,
    activity_csv,
    audit_jsonl,
    audit_record,
    licence,
    licences_csv,
    mailbox,
    mailboxes_csv,
    write,
)


def joined(
    tmp_path: Path,
    boxes: Sequence[Row] = (),
    licences: Sequence[Row] = (),
    activity: Sequence[Row] | None = (),
) -> Inventory:
    def part(name: str, text: str) -> list[tuple[Path, str]]:
        return [(write(tmp_path / name, text), name)]

    return read_inventory({
        "mailboxes": part("m", mailboxes_csv(*boxes)),
        "licences": part("l", licences_csv(*licences)),
        "email-activity": [] if activity is None else part("a", activity_csv(*activity)),
    })  # fmt: skip


def finding(inventory: Inventory, code: str) -> str:
    return next((one.message for one in inventory.findings if one.code == code), "")


def tiers(inventory: Inventory) -> dict[str, str]:
    boxes = inventory.mailboxes
    return {upn.partition("@")[0]: tier for upn, tier in zip(boxes["mailbox"], boxes["audit_tier"], strict=True)}


def test_the_tiny_tenant(tmp_path: Path) -> None:
    inventory = joined(tmp_path)
    assert tiers(inventory) == {
        "ann": "premium", "bob": "standard", "cyd": "standard", "dan": "standard",
        "eve": "none", "info": "none", "room1": "none", "team": "none",
    }  # fmt: skip
    assert inventory.grant_users == 1
    assert inventory.rows == {"m": 8, "l": 4, "a": 4}
    assert inventory.activity["mailbox"].tolist() == [f"{n}@contoso.example" for n in ("ann", "bob", "cyd", "dan")]
    # eve alone is a user without a licence: shared, room and group mailboxes need none.
    assert finding(inventory, "mailbox_without_licence").startswith("1 user mailbox has")


@pytest.mark.parametrize(
    ("sku", "tier"),
    [
        ("SPE_E5", "premium"), ("06EBC4EE-1BB5-47DD-8120-11324BC54E06", "premium"), ("Microsoft 365 E5", "premium"),
        ("SPE_E3", "standard"), ("ENTERPRISEPACK", "standard"), ("contoso:ENTERPRISEPACK", "standard"),
        ("EXCHANGESTANDARD", "standard_unlisted"), ("POWER_BI_STANDARD", "none"), ("", "none"),
        ("SPE_E3+INFORMATION_PROTECTION_COMPLIANCE", "premium"), ("INFORMATION_PROTECTION_COMPLIANCE", "none"),
        ("POWER_BI_STANDARD+EXCHANGESTANDARD+SPE_E3", "standard"),
    ],
)  # fmt: skip
def test_tiers(tmp_path: Path, sku: str, tier: str) -> None:
    inventory = joined(tmp_path, [mailbox("ann")], [licence("ANN", sku)])
    assert tiers(inventory) == {"ann": tier}


@pytest.mark.parametrize(
    ("skus", "users"),
    [
        (["SPE_E5"], 1), (["ENTERPRISEPREMIUM"], 0), (["SPE_E3+IDENTITY_THREAT_PROTECTION"], 1),
        (["SPE_E3+INFORMATION_PROTECTION_COMPLIANCE"], 0), (["SPE_F1+SPE_F5_SEC", "SPE_F1"], 1),
        (["SPE_E3", "SPE_E5", "SPE_E5+IDENTITY_THREAT_PROTECTION", ""], 2),
    ],
)  # fmt: skip
def test_the_grant_of_sentinel_counts_users(tmp_path: Path, skus: list[str], users: int) -> None:
    rows = [licence(f"user{number}", sku) for number, sku in enumerate(skus)]
    assert joined(tmp_path, [mailbox("user0")], rows).grant_users == users  # with a mailbox or without


def test_licences_of_several_rows_add_up(tmp_path: Path) -> None:
    rows = (
        licence("ann", "POWER_BI_STANDARD"),
        licence("ANN", "SPE_E3"),
        licence("ann", "INFORMATION_PROTECTION_COMPLIANCE"),
    )
    assert tiers(joined(tmp_path, [mailbox("ann")], rows)) == {"ann": "premium"}


def test_an_unknown_licence_is_named(tmp_path: Path) -> None:
    inventory = joined(tmp_path, [mailbox("ann")], [licence("ann", "SPE_E9+SPE_E3"), licence("bob", "SPE_E9")])
    message = finding(inventory, "licence_unknown")
    assert message.startswith("1 licence is not in the catalogue (SPE_E9)")
    assert "2 users have one" in message
    assert tiers(inventory) == {"ann": "standard"}


def test_a_licence_for_nobody(tmp_path: Path) -> None:
    inventory = joined(tmp_path, [mailbox("ann")], [licence("ann"), licence("gone"), licence("guest", "")])
    assert finding(inventory, "licence_without_mailbox").startswith("1 licensed user has")


def test_activity_of_nobody_and_none_at_all(tmp_path: Path) -> None:
    inventory = joined(tmp_path, [mailbox("ann")], [licence("ann")], [active("ann"), active("gone")])
    assert finding(inventory, "activity_without_mailbox").startswith("the activity report has 1 user without")
    assert len(inventory.activity) == 1
    without = joined(tmp_path, [mailbox("ann")], [licence("ann")], None)
    assert "interval is wider" in finding(without, "no_activity_report")
    assert without.activity.empty


@pytest.mark.parametrize(
    ("second", "differ", "which"),
    [
        (mailbox("ANN"), 0, ""),
        (mailbox("ann", AuditOwner="Send"), 1, " (AuditOwner 1)"),
        (mailbox("ann", DefaultAuditSet="Admin", AuditEnabled="False"), 1, " (AuditEnabled 1, DefaultAuditSet 1)"),
    ],
    ids=["the same", "another audit set", "managed otherwise"],
)
def test_a_mailbox_twice(tmp_path: Path, second: Row, differ: int, which: str) -> None:
    inventory = joined(tmp_path, [mailbox("ann"), second], [licence("ann")])
    (found,) = [one for one in inventory.findings if one.code == "mailbox_twice"]
    assert found.severity == ("warning" if differ else "info")
    assert found.message.startswith(
        f"1 row repeats a mailbox, {differ} of them with other settings{which}; the first row"
    )
    first = inventory.mailboxes.iloc[0]
    assert (len(inventory.mailboxes), first["audit_owner"].split(",")[0]) == (1, "ApplyRecord")
    assert first["default_audit_set"] == "admin,delegate,owner"


@pytest.mark.parametrize(("missing", "command"), [(0, "Get-EXOMailbox"), (1, "Get-MgUser")])
def test_without_mailboxes_or_licences_there_is_nothing_to_estimate(missing: int, command: str) -> None:
    some = [(Path("x"), "x")]
    with pytest.raises(InventoryError, match=rf"there is no (mailbox|licence) inventory\. .*{command}"):
        read_inventory({"mailboxes": [] if missing == 0 else some, "licences": [] if missing == 1 else some})


# ------------------------------------------------------------------ recognition

AUDIT_CSV = "RecordId,CreationDate,RecordType,Operation,UserId,AuditData\r\n"
GRAPH_LOG = {"value": [{"id": "1", "userPrincipalName": "ann@contoso.example", "auditData": {"Operation": "Send"}}]}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (mailboxes_csv(), "mailboxes"),
        (mailboxes_csv(columns=("UserPrincipalName", "AuditOwner")), "mailboxes"),
        (licences_csv(), "licences"),
        (json.dumps([{"userPrincipalName": "a@b", "assignedLicenses": []}]), "licences"),
        (activity_csv(), "email-activity"),
        (activity_csv(columns=("User Principal Name", "Read Count")), "email-activity"),
        ("Report Refresh Date,User Principal Name,Item Count,Storage Used (Byte),Report Period\r\n", "mailbox-usage"),
        ("Report Refresh Date,User Id,Team Chat Message Count,Report Period\r\n", "teams-activity"),
        ("Report Refresh Date,Site Id,Owner Principal Name,File Count,Report Period\r\n", "usage-report"),
        ("AuditDisabled\r\nFalse\r\n", "settings"),
        ("\r\n\r\nAuditDisabled : False\r\n\r\n", "settings"),
        ("Name,Identity,AuditBypassEnabled\r\n", "settings"),
        (json.dumps({"UnifiedAuditLogIngestionEnabled": True}), "settings"),
        (json.dumps([{"UserPrincipalName": "a@b", "DisplayName": "A", "AuditOwner": []}]), "mailboxes"),
        (json.dumps([{"skuId": "x", "skuPartNumber": "SPE_E5", "consumedUnits": 1}]), "sku-totals"),
        ("SkuPartNumber,SkuId,ConsumedUnits\r\n", "sku-totals"),
        ("Note : nothing of ours\r\n", None),
        (AUDIT_CSV, None),
        (audit_jsonl(), None),
        (json.dumps([audit_record(1)]), None),
        (json.dumps(GRAPH_LOG), None),
        ("UserPrincipalName,DisplayName\r\n", None),
        ("", None),
        ("\r\n", None),
        ("[", None),
        ("{" * 100_000, None),
        (b"\x00\xff\xfe" * 100, None),
        (b"PK\x03\x04" + bytes(100), None),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_content_says_what_a_file_is(tmp_path: Path, content: str | bytes, kind: str | None, zipped: bool) -> None:
    for name in ("mailboxes.csv", "licences.csv", "audit", "x.json"):
        assert recognise(write(tmp_path / name, content, zipped=zipped)) == kind


def test_a_folder_with_names_that_mislead(tenant: Tenant) -> None:
    root = tenant({
        "licences.csv": mailboxes_csv(), "mailboxes.csv": activity_csv(), "email_activity.csv": audit_jsonl(),
        "audit.jsonl": licences_csv(), "sub/notes.md": "# Notes", ".hidden/x": "?", "strange.bin": b"\x00\x01",
    })  # fmt: skip
    assert {file.shown: file.kind for file in read_folder(root).files} == {
        "audit.jsonl": "licences", "email_activity.csv": "audit-records", "licences.csv": "mailboxes",
        "mailboxes.csv": "email-activity", "scenario.toml": "scenario", "strange.bin": "unknown",
        "sub/notes.md": "document",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("pnp/mailactivityuserdetail.csv", "email-activity"),
        ("pnp/mailboxusagedetail.csv", "mailbox-usage"),
        ("pnp/auditlog-list.json", None),
        ("pnp/license-list.json", "sku-totals"),
        ("pnp/user-license-list.json", "licences"),
        ("otrf/OfficeActivityEvents.json", None),
        ("otrf/AADAuditEvents.json", None),
        ("plaso/microsoft_audit_log.jsonl", None),
        ("tenant_a/audit.csv.gz", None),
    ],
)
def test_real_files(shared: Path, name: str, kind: str | None) -> None:
    assert recognise(shared / "samples" / name) == kind


@pytest.mark.parametrize("name", ["tenant_a", "tenant_b"])
def test_real_tenants_join(shared: Path, name: str) -> None:
    folder = shared / "samples" / name
    names = {"mailboxes": "mailboxes", "licences": "licences", "email-activity": "email_activity"}
    inventory = read_inventory({kind: [(folder / f"{name}.csv", name)] for kind, name in names.items()})
    boxes = inventory.mailboxes
    assert len(boxes) == {"tenant_a": 600, "tenant_b": 200}[name]
    assert {one.code for one in inventory.findings} <= {"mailbox_without_licence"}
    # Their licences are E5 and E3 of Microsoft 365, so those with Audit (Premium) are those with the grant.
    assert inventory.grant_users == (boxes["audit_tier"] == "premium").sum()
