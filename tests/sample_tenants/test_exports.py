"""The exports of a tenant in each of the shapes that real tenants have, read with nothing but csv and json."""

import csv
import dataclasses
import gzip
import json
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from sample_tenants.generator import Application, Exports, TenantSpec, generate, write
from sample_tenants.generator import audit_files as audit

SPEC = TenantSpec(
    seed=6,
    mailboxes=70,
    rooms=2,
    groups=2,
    discovery=1,
    inactive=2,
    unlicensed=2,
    pilots=0.2,
    compliance_addon=0.1,
    forecast_months=1,
    copies=0.1,
    applications=(
        Application("Polling", mailboxes=3, records_per_day=30.0, items=2),
        Application("Svc", mailboxes=9, account="svc-scan", bypassed=True),
    ),
)


@pytest.fixture(scope="module")
def tenant():
    return generate(SPEC)


def written(tenant, folder, **exports):
    """Write the same tenant in other shapes."""
    other = dataclasses.replace(tenant, spec=dataclasses.replace(tenant.spec, exports=Exports(**exports)))
    write(other, folder)
    return folder


def table(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def packed_table(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_json_and_braces_say_what_the_plain_csv_says(tenant, tmp_path):
    plain = table(written(tenant, tmp_path / "csv") / "mailboxes.csv")
    braces = table(written(tenant, tmp_path / "braces", mailboxes="braces") / "mailboxes.csv")
    objects = json.loads((written(tenant, tmp_path / "json", mailboxes="json") / "mailboxes.json").read_text())

    assert len(plain) == len(braces) == len(objects) == 70
    for one, two, three in zip(plain, braces, objects, strict=True):
        for name in ("UserPrincipalName", "RecipientTypeDetails", "WhenMailboxCreated"):
            assert one[name] == two[name] == three[name]
        assert one["AuditEnabled"] == two["AuditEnabled"] == str(three["AuditEnabled"])
        for name in ("DefaultAuditSet", "AuditAdmin", "AuditDelegate", "AuditOwner"):
            assert two[name] == "{" + one[name].replace(",", ", ") + "}"
            assert ",".join(three[name]) == one[name]
    discovery = next(o for o in objects if o["RecipientTypeDetails"] == "DiscoveryMailbox")
    assert discovery["ExternalDirectoryObjectId"] == ""
    assert discovery["AuditEnabled"] is False
    assert sum(o["IsInactiveMailbox"] for o in objects) == 2


def test_licences_agree_in_all_shapes(tenant, tmp_path):
    names = {
        "SPE_E3": ("Microsoft 365 E3", "05e9a617-0261-4cee-bb44-138d3ef5d965"),
        "SPE_E5": ("Microsoft 365 E5", "06ebc4ee-1bb5-47dd-8120-11324bc54e06"),
        "SPE_F1": ("Microsoft 365 F3", "66b55226-6b4f-492c-910c-a3b7a3c9d993"),
        "INFORMATION_PROTECTION_COMPLIANCE": (
            "Microsoft 365 E5 Compliance",
            "184efa21-98c3-4e5d-95ab-d07053a96e67",
        ),
    }
    parts = defaultdict(list)
    for row in table(written(tenant, tmp_path / "parts") / "licences.csv"):
        parts[row["UserPrincipalName"]].append(row["SkuPartNumber"])
    active = table(written(tenant, tmp_path / "active", licences="active_users") / "active_users.csv")
    graph = written(tenant, tmp_path / "graph", licences="graph")
    users = json.loads((graph / "users.json").read_text())["value"]

    assert len({row["User principal name"] for row in active}) == len(active) == len(users) == 70 - 2 - 1 - 2 + 1
    for row, user in zip(active, users, strict=True):
        skus = parts.get(row["User principal name"], [])
        assert user["userPrincipalName"] == row["User principal name"]
        assert row["Licenses"] == ("+".join(names[s][0] for s in skus) or "Unlicensed")
        assert [one["skuId"] for one in user["assignedLicenses"]] == [names[s][1] for s in skus]
    assert any(len(skus) == 2 for skus in parts.values())
    units = {row["SkuId"]: int(row["ConsumedUnits"]) for row in table(graph / "sku_totals.csv")}
    assert units == Counter(one["skuId"] for user in users for one in user["assignedLicenses"])
    assert all(int(row["Enabled"]) >= int(row["ConsumedUnits"]) for row in table(graph / "sku_totals.csv"))


def test_skus_are_those_of_microsofts_list(shared):
    from sample_tenants.generator.skus import SKUS

    listed = {row["sku_part_number"]: row for row in table(shared / "reference" / "license_skus.csv")}

    assert {k: (sku.guid, sku.product) for k, sku in SKUS.items()} == {
        k: (listed[k]["sku_guid"], listed[k]["friendly_name"]) for k in SKUS
    }


def test_settings_are_told(tenant, tmp_path):
    folder = written(tenant, tmp_path / "csv", organisation="csv", bypass=True)
    text = (written(tenant, tmp_path / "list", organisation="list") / "organisation.txt").read_bytes().decode()
    pairs = dict(line.split(":", 1) for line in text.split("\r\n") if line)

    assert {k.strip(): v.strip() for k, v in pairs.items()} == {
        "Name": "contoso.example",
        "DisplayName": "Contoso",
        "AuditDisabled": "False",
        "UnifiedAuditLogIngestionEnabled": "True",
    }
    assert table(folder / "organisation.csv") == [{"Name": "contoso.example", "AuditDisabled": "False"}]
    assert table(folder / "audit_log.csv")[0]["UnifiedAuditLogIngestionEnabled"] == "True"
    bypass = table(folder / "bypass.csv")
    assert len(bypass) == 70 + 1
    assert [r["Identity"] for r in bypass if r["AuditBypassEnabled"] == "True"] == ["svc-scan"]
    assert not (tmp_path / "list" / "bypass.csv").exists()


def test_plain_tenants_get_no_settings(tenant, tmp_path):
    assert sorted(p.name for p in written(tenant, tmp_path).iterdir()) == [
        "audit.csv.gz",
        "email_activity.csv",
        "licences.csv",
        "mailboxes.csv",
    ]


def test_parts_are_the_whole_by_days(tenant, tmp_path, monkeypatch):
    whole = packed_table(written(tenant, tmp_path / "whole") / "audit.csv.gz")
    monkeypatch.setattr(audit, "PORTAL_ROWS", len(whole) // 2)
    folder = written(tenant, tmp_path / "parts", audit="portal_parts")
    parts = [packed_table(path) for path in sorted(folder.glob("audit_*.csv.gz"))]
    days = [{row["CreationDate"][:10] for row in part} for part in parts]

    assert len(parts) >= 3
    assert all(len(part) < len(whole) // 2 for part in parts)
    assert all(max(a) < min(b) for a, b in pairwise(days))
    assert sorted(row["AuditData"] for part in parts for row in part) == sorted(row["AuditData"] for row in whole)
    assert not (folder / "audit.csv.gz").exists()


def test_a_day_beyond_the_portals_cut_is_refused(tenant, tmp_path, monkeypatch):
    monkeypatch.setattr(audit, "PORTAL_ROWS", 5)
    with pytest.raises(ValueError, match="a day has 5 records or more"):
        written(tenant, tmp_path, audit="portal_parts")


def test_counts_are_those_of_the_records(tenant, tmp_path):
    """Counted again from the portal's export, by the columns of docs/counts.md."""
    records = packed_table(written(tenant, tmp_path / "portal") / "audit.csv.gz")
    counts = packed_table(written(tenant, tmp_path / "counts", audit="counts") / "counts.csv.gz")
    events, items, size = Counter(), Counter(), Counter()
    for row in records:
        data = json.loads(row["AuditData"])
        access = [p["Value"] for p in data.get("OperationProperties", []) if p["Name"] == "MailAccessType"]
        key = (
            data["CreationTime"][:10],
            data.get("MailboxOwnerUPN") or data.get("SiteUrl") or "",
            data["UserId"],
            data["Workload"],
            data["Operation"],
            access[0] if access else "",
            data.get("ClientAppId") or data.get("AppId") or data.get("ApplicationId") or "",
        )
        events[key] += 1
        items[key] += data.get("OperationCount", 1)
        size[key] += len(row["AuditData"].encode())
    keys = ("day", "subject", "principal", "workload", "operation", "access_type", "app_id")
    found = {tuple(row[k] for k in keys): row for row in counts}

    assert len(found) == len(counts) == len(events)
    for key, row in found.items():
        assert (int(row["events"]), int(row["items"]), int(row["bytes"])) == (events[key], items[key], size[key])
        assert int(row["raw_events"]) >= int(row["events"])
        assert (row["throttled"], row["size_basis"]) == ("false", "auditdata")
    copies = sum(int(r["raw_events"]) for r in counts) / len(records)
    assert copies == pytest.approx(1.1, abs=0.01)


def test_export_limited_to_some_users_has_what_they_did(tmp_path):
    whole, part = generate(SPEC), generate(dataclasses.replace(SPEC, sample_share=0.4))
    write(whole, tmp_path / "whole")
    write(part, tmp_path / "part")
    all_records = packed_table(tmp_path / "whole" / "audit.csv.gz")
    records = packed_table(tmp_path / "part" / "audit.csv.gz")
    users = {row["UserId"] for row in records}
    people = int(whole.mailboxes.person.sum())

    assert 0 < len(users) <= 0.4 * people
    assert all("@" in user for user in users)  # no application: a search for users leaves them out
    assert len(records) == sum(row["UserId"] in users for row in all_records)
    assert (part.report.sent == whole.report.sent).all()
