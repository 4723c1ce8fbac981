"""`check`: what each file was taken for, what is missing and how to get it, and what is doubtful."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest

from estimator.schemas import schema
from tests.conftest import MAILBOX_COLUMNS, MAILBOXES, Tenant, audit_jsonl, mailbox, mailboxes_csv, write
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
    assert one["command"].replace(",@{", ", @{") in shown


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
