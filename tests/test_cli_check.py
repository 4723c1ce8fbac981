"""`check`: what each file was taken for, what is missing and how to get it, and what is doubtful."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import zstandard

from estimator.audit.shapes import all_shapes
from estimator.folder import read_folder
from estimator.schemas import schema
from tests.conftest import (
    AUDIT,
    MAILBOX_COLUMNS,
    MAILBOXES,
    Tenant,
    audit_jsonl,
    mailbox,
    mailboxes_csv,
    write,
)
from tests.test_cli import AS_OF, Capture, Ran, refused, run

WISHED = ["audit settings", "SIEM usage"]


def check(capsys: Capture, root: Path, *options: str | Path) -> Ran:
    return Ran(capsys, "check", root, "--as-of", AS_OF, *options)


def test_the_json_keeps_its_contract(tenant: Tenant, capsys: Capture) -> None:
    ran = check(capsys, tenant(), "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    found = ran.json
    jsonschema.validate(found, schema("check"), jsonschema.Draft202012Validator)
    assert found["as_of"] == AS_OF
    files = {one["path"]: (one["kind"], one["rows"], one["first"], one["last"]) for one in found["files"]}
    assert files == {
        "audit.jsonl": ("audit-records", 18, "2026-11-02", "2026-11-13"),
        "email_activity.csv": ("email-activity", 4, None, None), "licences.csv": ("licences", 4, None, None),
        "mailboxes.csv": ("mailboxes", 8, None, None), "scenario.toml": ("scenario", None, None, None),
    }  # fmt: skip
    assert [one["input"] for one in found["missing"]] == WISHED
    assert "sample_scope" in {finding["code"] for finding in found["findings"]}


def test_it_counts_and_hashes_what_the_estimate_does(tenant: Tenant, capsys: Capture) -> None:
    root = tenant()
    inputs = run(capsys, root, "--format", "json").json["inputs"]
    files = check(capsys, root, "--format", "json").json["files"]
    assert [{name: one[name] for name in ("path", "kind", "rows", "sha256")} for one in files] == inputs


def test_the_table(tenant: Tenant, capsys: Capture) -> None:
    ran = check(capsys, tenant({"notes.md": "x"}))
    assert (ran.code, ran.err) == (0, "")
    assert f"Checked as of {AS_OF}: 6 files. `estimate` can run." in ran.out
    assert "8 mailboxes (5 user, 1 shared, 1 room, 1 group)." in ran.out
    assert "18 records read = 18 distinct + 0 duplicates + 0 rejected, 2026-11-02 to 2026-11-13" in ran.out
    assert re.search(r"^mailboxes\.csv +mailbox inventory +8 +UTF-8", ran.out, re.MULTILINE)
    assert re.search(r"^audit\.jsonl .* 18 +2026-11-02 – 2026-11-13 +UTF-8", ran.out, re.MULTILINE)
    assert re.search(r"^notes\.md +document, passed over", ran.out, re.MULTILINE)
    assert "contoso" not in ran.out


def test_markdown_and_csv(tenant: Tenant, capsys: Capture) -> None:
    root = tenant({"email_activity.csv": None})
    markdown = check(capsys, root, "--format", "markdown").out
    assert markdown.startswith("# The tenant folder\n")
    assert re.search(r"^```\nGet-MgReport[^`]+\n```$", markdown, re.MULTILINE)
    ran = check(capsys, root, "--format", "csv")
    assert [row["path"] for row in ran.rows] == ["audit.jsonl", "licences.csv", "mailboxes.csv", "scenario.toml"]
    assert {row["refused"] for row in ran.rows} == {"false"}
    assert "missing: activity (wished)" in ran.err.splitlines()


@pytest.mark.parametrize(
    ("name", "what", "needed", "command"),
    [
        ("mailboxes.csv", "mailboxes", "needed", "Get-EXOMailbox -ResultSize Unlimited"),
        ("licences.csv", "licences", "needed", "Get-MgUser -All"),
        ("audit.jsonl", "audit sample", "strongly wished", "Purview portal"),
        ("email_activity.csv", "activity", "wished", "Get-MgReportEmailActivityUserDetail"),
    ],
)
def test_what_is_missing_comes_with_its_command(
    tenant: Tenant, capsys: Capture, name: str, what: str, needed: str, command: str
) -> None:
    root = tenant({name: None})
    ran = check(capsys, root, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    (one, *wished) = ran.json["missing"]
    assert (one["input"], one["needed"]) == (what, needed)
    assert one["command"].startswith(command)
    assert [other["input"] for other in wished] == WISHED
    table = check(capsys, root).out
    assert f"{what} ({needed}):" in table
    assert ("`estimate` cannot run" in table) == (needed == "needed")
    # A command that can be read, and copied: broken only where its language allows it.
    assert max(len(line) for line in table.partition("What is missing")[2].splitlines()) <= 130
    shown = " ".join(line.strip() for line in table.partition(f"{what} ({needed}):")[2].split("\n\n")[0].splitlines())
    assert re.sub(r",\s+", ",", one["command"]) in re.sub(r",\s+", ",", shown)


SETTINGS = {
    "organisation.csv": "AuditDisabled\r\nFalse\r\n",
    "log.txt": "\r\nUnifiedAuditLogIngestionEnabled : True\r\n\r\n",
    "bypass.json": '[{"Name": "ann", "AuditBypassEnabled": false}, {"Name": "bob", "AuditBypassEnabled": true}]',
}


def test_audit_settings_are_an_input_like_any_other(tenant: Tenant, capsys: Capture) -> None:
    ran = check(capsys, tenant(dict(SETTINGS)), "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    jsonschema.validate(ran.json, schema("check"), jsonschema.Draft202012Validator)
    found = {
        one["path"]: (one["kind"], one["title"], one["rows"]) for one in ran.json["files"] if one["path"] in SETTINGS
    }
    assert found == {
        "bypass.json": ("settings", "audit settings", 2), "log.txt": ("settings", "audit settings", 1),
        "organisation.csv": ("settings", "audit settings", 1),
    }  # fmt: skip
    assert [one["input"] for one in ran.json["missing"]] == ["SIEM usage"]


@pytest.mark.parametrize(
    ("left_out", "command"),
    [
        ("organisation.csv", "Get-OrganizationConfig"),
        ("log.txt", "Get-AdminAuditLogConfig"),
        ("bypass.json", "Get-MailboxAuditBypassAssociation"),
    ],
)
@pytest.mark.parametrize("without", ["nothing", "licences.csv"])
def test_the_command_of_each_setting_that_no_file_states(
    tenant: Tenant, capsys: Capture, left_out: str, command: str, without: str
) -> None:
    root = tenant({**SETTINGS, left_out: None, without: None})
    missing = {one["input"]: one for one in check(capsys, root, "--format", "json").json["missing"]}
    assert missing["audit settings"]["command"].startswith(command)
    assert "; " not in missing["audit settings"]["command"]
    everything = {one["input"]: one for one in check(capsys, tenant(folder="none"), "--format", "json").json["missing"]}
    assert [part.split()[0] for part in everything["audit settings"]["command"].split("; ")] == [
        "Get-OrganizationConfig", "Get-AdminAuditLogConfig", "Get-MailboxAuditBypassAssociation",
    ]  # fmt: skip


def test_other_inventories_have_titles(tenant: Tenant, capsys: Capture) -> None:
    report = "Report Refresh Date,User Principal Name,{},Report Period\r\n2026-11-20,ann@contoso.example,1,1,30\r\n"
    root = tenant({
        "a.csv": report.format("Item Count,Storage Used (Byte)"),
        "b.csv": report.format("Team Chat Message Count,Private Chat Message Count"),
        "c.csv": report.format("File Count,Storage Used (Byte)"),
        "d.csv": "SkuPartNumber,ConsumedUnits,Enabled\r\nSPE_E3,3,5\r\nSPE_E5,1,1\r\n",
    })  # fmt: skip
    files = {one["path"]: (one["title"], one["rows"]) for one in check(capsys, root, "--format", "json").json["files"]}
    assert {name: files[name] for name in ("a.csv", "b.csv", "c.csv", "d.csv")} == {
        "a.csv": ("mailbox usage report", 1), "b.csv": ("Teams activity report", 1),
        "c.csv": ("usage report, not used", None), "d.csv": ("licence totals", 2),
    }  # fmt: skip


def test_a_mailbox_file_without_sets_is_good_beside_one_with_them(tenant: Tenant, capsys: Capture) -> None:
    """However many other files are refused; alone it is refused with the command that brings the sets."""
    minimum = mailboxes_csv(columns=("UserPrincipalName", "RecipientTypeDetails"))
    damaged = {"more.csv": "RecipientTypeDetails,AuditOwner\r\n"}
    for number, others in enumerate(({}, damaged)):
        ran = check(capsys, tenant({"a.csv": minimum, **others}, f"with {number}"), "--format", "json")
        files = {one["path"]: (one["rows"], one["refused"]) for one in ran.json["files"]}
        assert files["a.csv"] == (8, False)
        assert ran.code == (3 if others else 0)
        assert "mailbox_file_without_sets" in {one["code"] for one in ran.json["findings"]}
    ran = check(capsys, tenant({"mailboxes.csv": minimum}, "alone"))
    assert ran.code == 3
    assert ran.err.startswith("error: mailboxes.csv:1: the file has no audit settings")


def test_the_sample_is_looked_at_under_the_names_of_the_inventory(tenant: Tenant, capsys: Capture) -> None:
    """The log has ann under the name of before her marriage: `check` and `readiness` see the same two mailboxes."""
    rows = [{**row, "EmailAddresses": f"smtp:former.{row['UserPrincipalName']}"} for row in MAILBOXES]
    records = [{**one, "MailboxOwnerUPN": f"former.{one['MailboxOwnerUPN']}"} for one in AUDIT]
    root = tenant(
        {
            "mailboxes.csv": mailboxes_csv(*rows, columns=(*MAILBOX_COLUMNS, "EmailAddresses")),
            "audit.jsonl": audit_jsonl(*records),
        }
    )
    scopes = [
        [one["message"] for one in ran.json["findings"] if one["code"] == "sample_scope"]
        for ran in (
            check(capsys, root, "--format", "json"),
            Ran(capsys, "readiness", root, "--as-of", AS_OF, "--format", "json"),
        )
    ]
    assert scopes[0] == scopes[1]
    assert scopes[0][0].startswith("the sample covers 2 of 8 mailboxes")


def test_both_inventories_missing(tenant: Tenant, capsys: Capture) -> None:
    ran = check(capsys, tenant({"mailboxes.csv": None, "licences.csv": None}))
    assert ran.code == 0
    assert "`estimate` cannot run; missing: mailboxes and licences." in ran.out
    assert "18 records read" in ran.out


def test_a_folder_without_a_file(tmp_path: Path, capsys: Capture) -> None:
    write(tmp_path / ".DS_Store", "x")
    found = check(capsys, tmp_path, "--format", "json").json
    assert found["files"] == []
    assert [one["input"] for one in found["missing"]] == ["mailboxes", "licences", "audit sample", "activity", *WISHED]
    assert check(capsys, tmp_path).code == 0
    refused(check(capsys, tmp_path / "nowhere"), 3, "nowhere: there is no such folder")


def test_the_doubts_of_an_inventory_are_told_without_the_other(tenant: Tenant, capsys: Capture) -> None:
    boxes = mailboxes_csv(*MAILBOXES, mailbox("fay", AuditOwner="System.Object"))
    for name in ("nothing", "licences.csv"):
        root = tenant({"mailboxes.csv": boxes, name: None}, f"without {name}")
        codes = {finding["code"] for finding in check(capsys, root, "--format", "json").json["findings"]}
        assert "audit_set_unreadable" in codes


def test_a_refused_inventory_does_not_hide_the_others(tenant: Tenant, capsys: Capture) -> None:
    left = [column for column in MAILBOX_COLUMNS if column != "AuditOwner"]
    root = tenant({"mailboxes.csv": mailboxes_csv(columns=left)})
    ran = check(capsys, root, "--format", "json")
    assert ran.code == 3
    assert ran.err.startswith("error: mailboxes.csv:1: column 'AuditOwner' missing")
    found = ran.json
    jsonschema.validate(found, schema("check"), jsonschema.Draft202012Validator)
    assert {one["path"]: (one["rows"], one["refused"]) for one in found["files"]} == {
        "audit.jsonl": (18, False), "email_activity.csv": (4, False), "licences.csv": (4, False),
        "mailboxes.csv": (None, True), "scenario.toml": (None, False),
    }  # fmt: skip
    assert [one["input"] for one in found["missing"]] == WISHED  # it is there, and refused
    table = check(capsys, root).out
    assert "1 refused. `estimate` cannot run: a file that is needed is refused" in table
    assert "mailbox inventory (refused)" in table


def test_of_two_inventories_the_good_one_counts(tenant: Tenant, capsys: Capture) -> None:
    root = tenant({"sub/boxes.csv": mailboxes_csv(columns=["UserPrincipalName", "AuditEnabled"])})
    ran = check(capsys, root)
    assert ran.code == 3
    assert "8 mailboxes" in ran.out


def test_a_file_of_no_known_shape(tenant: Tenant, capsys: Capture) -> None:
    ran = check(capsys, tenant({"sub/strange.dat": b"\x00\x01\x02"}))
    assert ran.code == 3
    assert ran.err.startswith("error: sub/strange.dat: ")
    assert ran.err.count("\n") == 1
    assert re.search(r"^sub/strange\.dat +nothing known \(refused\)", ran.out, re.MULTILINE)


def test_an_audit_export_without_a_record(tenant: Tenant, capsys: Capture) -> None:
    root = tenant({"audit.jsonl": None, "audit.csv": '"RecordId","CreationDate","AuditData"\r\n'})
    ran = check(capsys, root)
    assert ran.code == 3
    assert ran.err.startswith("error: no audit record can be read from audit.csv")
    assert str(root) not in ran.out + ran.err
    assert re.search(r"^audit\.csv .*\(refused\)", ran.out, re.MULTILINE)
    assert "there is no audit sample" in " ".join(ran.out.split())


# ------------------------------------------------------------------ archives and other packings


def zipped(**members: str | bytes) -> bytes:
    """A zip archive; `__` in a name is its dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return out.getvalue()


def test_an_archive_of_exports(tenant: Tenant, capsys: Capture) -> None:
    """Twelve records in one member, six more in a packed other one; the readme and what macOS adds are no exports."""
    more = gzip.compress(audit_jsonl(*AUDIT[12:]).encode())
    archive = zipped(readme__txt="Read me", a__jsonl=audit_jsonl(*AUDIT[:12]), __a__jsonl="x", b__gz=more)
    root = tenant({"audit.jsonl": None, "sub/exports.zip": archive})
    ran = check(capsys, root, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    jsonschema.validate(ran.json, schema("check"), jsonschema.Draft202012Validator)
    members = [one for one in ran.json["files"] if one["path"].startswith("sub/")]
    assert [(one["path"], one["kind"], one["rows"], one["compressed"]) for one in members] == [
        ("sub/exports.zip/a.jsonl", "audit-records", 12, "zip"),
        ("sub/exports.zip/b.gz", "audit-records", 6, "zip"),
    ]
    assert "audit sample" not in [one["input"] for one in ran.json["missing"]]
    assert str(root) not in ran.out
    # For the estimate it is one file with all of them, and gives the figures that the file alone gave.
    found = run(capsys, root, "--format", "json").json
    (one,) = [one for one in found["inputs"] if one["path"].startswith("sub/")]
    assert (one["path"], one["kind"], one["rows"]) == ("sub/exports.zip", "audit-records", 18)
    assert found["scenarios"] == run(capsys, tenant(folder="plain"), "--format", "json").json["scenarios"]


def test_a_member_that_cannot_be_read_is_told_and_the_rest_counts(tenant: Tenant, capsys: Capture) -> None:
    archive = zipped(boxes__csv=mailboxes_csv(), a__jsonl=audit_jsonl(), inner__zip=zipped(b__jsonl=audit_jsonl()))
    ran = check(capsys, tenant({"audit.jsonl": None, "exports.zip": archive}), "--format", "json")
    assert ran.code == 3
    assert sorted(line.split(": ")[1] for line in ran.err.splitlines()) == [
        "exports.zip/boxes.csv", "exports.zip/inner.zip",
    ]  # fmt: skip
    assert "an archive within an archive; unpack it first" in ran.err
    assert {one["path"]: (one["rows"], one["refused"]) for one in ran.json["files"] if "zip" in one["path"]} == {
        "exports.zip/a.jsonl": (18, False), "exports.zip/boxes.csv": (0, True), "exports.zip/inner.zip": (0, True),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        (zipped(inner__zip=zipped(a__jsonl=audit_jsonl())), "(inner.zip is an archive within an archive"),
        (zipped(boxes__csv=mailboxes_csv()), "no file of a known shape"),
        (zipped(readme__txt="x"), "(it is a zip archive with nothing but documents in it)"),
        (zipped(), "(it is a zip archive without a file in it)"),
        (b"PK\x03\x04" + bytes(100), "(it is a damaged zip archive"),
    ],
    ids=["zip in zip", "inventory", "document", "empty", "damaged"],
)
def test_an_archive_with_nothing_known_in_it(tenant: Tenant, capsys: Capture, archive: bytes, why: str) -> None:
    ran = check(capsys, tenant({"exports.zip": archive}))
    assert ran.code == 3
    assert ran.err.startswith("error: exports.zip: ")
    assert why in ran.err
    assert "18 records read" in ran.out
    assert re.search(r"^exports\.zip +nothing known \(refused\)", ran.out, re.MULTILINE)


def test_a_zip_bomb_is_no_business_of_the_listing(tenant: Tenant) -> None:
    (file,) = [
        one for one in read_folder(tenant({"b.zip": zipped(a__csv=bytes(100 << 20))})).files if "zip" in one.shown
    ]
    assert file.kind == "unknown"


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_packed_files(tenant: Tenant, capsys: Capture, pack: Callable[[bytes], bytes]) -> None:
    root = tenant({"audit.jsonl": None, "audit.bin": pack(audit_jsonl().encode())})
    name = "gzip" if pack is gzip.compress else "zstd"
    (one,) = [one for one in check(capsys, root, "--format", "json").json["files"] if one["path"] == "audit.bin"]
    assert (one["rows"], one["compressed"], one["encoding"]) == (18, name, "utf-8")


def test_what_is_expected_names_every_shape(tenant: Tenant, capsys: Capture) -> None:
    ran = check(capsys, tenant({"strange.dat": b"\x00\x01\x02"}))
    assert all(shape.title in ran.err for shape in all_shapes())


def test_documents_are_passed_over_by_name_and_other_texts_are_not(tenant: Tenant, capsys: Capture) -> None:
    root = tenant({
        "audit.jsonl": None, "Audit.txt": audit_jsonl(), "README.txt": "x", "howto.HTML": "x", "query.kql": "x",
        "strange.txt": "x",
    })  # fmt: skip
    ran = check(capsys, root, "--format", "json")
    kinds = {one["path"]: one["kind"] for one in ran.json["files"]}
    assert (kinds["Audit.txt"], kinds["strange.txt"]) == ("audit-records", "unknown")
    assert {name for name, kind in kinds.items() if kind == "document"} == {"README.txt", "howto.HTML", "query.kql"}
    # `measure` passes the same ones over, unless one is named.
    shown = [one["path"] for one in Ran(capsys, "measure", root, "--format", "json").json["files"]]
    assert not any(path.endswith(("README.txt", "howto.HTML", "query.kql")) for path in shown)
    assert f"{root}/strange.txt" in shown
    assert "README.txt" in Ran(capsys, "measure", root / "Audit.txt", root / "README.txt").err


# ------------------------------------------------------------------ links


def test_links_are_followed_and_what_leads_nowhere_is_told(tenant: Tenant, capsys: Capture, tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere" / "audit.jsonl", audit_jsonl())
    root = tenant({"audit.jsonl": None})
    (root / "sub").mkdir()
    (root / "linked").symlink_to(elsewhere.parent)
    (root / "sub" / "loop").symlink_to(root)
    (root / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    ran = check(capsys, root, "--format", "json")
    assert ran.code == 3
    assert {one["path"]: one["rows"] for one in ran.json["files"]}["linked/audit.jsonl"] == 18
    refusals = {one["path"]: one["message"] for one in ran.json["findings"] if one["code"] == "file_refused"}
    assert set(refusals) == {"gone.csv", "sub/loop"}
    assert "is a link to nowhere" in refusals["gone.csv"]
    assert "is a link to a folder above it" in refusals["sub/loop"]
    found = run(capsys, root, "--format", "json")
    assert found.code == 3
    assert found.json["complete"] is False
    assert {one["path"]: one["rows"] for one in found.json["inputs"]}["linked/audit.jsonl"] == 18
    refused(run(capsys, root, "--strict"), 3, "link")


def test_damaged_rows_are_told_by_file(tenant: Tenant, capsys: Capture) -> None:
    root = tenant({"sub/more.jsonl": audit_jsonl() + "{broken\n"})
    found = check(capsys, root, "--format", "json").json
    rejected = [finding for finding in found["findings"] if finding["code"] == "rows_rejected"]
    assert [finding["path"] for finding in rejected] == ["sub/more.jsonl"]
    assert str(root) not in str(found)
    order = [finding for finding in check(capsys, root).out.splitlines() if finding.startswith("[")]
    assert order == sorted(order, key=lambda line: ("[error]", "[warning]", "[info]").index(line.split()[0]))


def test_true_counts_are_of_audit_exports_of_the_folder(tenant: Tenant, capsys: Capture) -> None:
    root = tenant({"audit.jsonl": None, "sub/audit.jsonl": audit_jsonl()})
    for name in ("sub/audit.jsonl", root / "sub" / "audit.jsonl", "audit.jsonl"):
        assert check(capsys, root, "--true-count", f"{name}=180").code == 0
        assert run(capsys, root, "--true-count", f"{name}=180", "--memory", "512MB").code == 0
    for verb in (check, run):
        ran = verb(capsys, root, "--true-count", "licences.csv=180")
        refused(ran, 2, "--true-count licences.csv=…: there is no such file among the inputs", "one of sub/audit.jsonl")
        refused(verb(capsys, root, "--true-count", "abc"), 2, "'abc' is no count of records")
        assert verb(capsys, root, "--memory", "plenty").code == 2


def test_the_sample_tenant_lacks_nothing_that_is_read(capsys: Capture) -> None:
    ran = check(capsys, Path(__file__).parents[1] / "sample_tenants" / "law_firm", "--format", "json")
    assert ran.code == 0
    assert [one["input"] for one in ran.json["missing"]] == WISHED
    assert not [finding for finding in ran.json["findings"] if finding["severity"] != "info"]


def test_without_as_of_it_is_today(tenant: Tenant, capsys: Capture) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", Ran(capsys, "check", tenant(), "--format", "json").json["as_of"])
