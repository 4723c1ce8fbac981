"""`sample-size`: its contract, its formats, its list, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import jsonschema
import pytest

from estimator.schemas import schema
from tests.conftest import MAILBOXES, Tenant, mailboxes_csv
from tests.test_cli import AS_OF, Capture, Ran, refused

MIA = "Exchange/MailItemsAccessed"


def sample_size(capsys: Capture, root: Path, *options: str | Path) -> Ran:
    return Ran(capsys, "sample-size", root, "--as-of", AS_OF, *options)


def test_the_formats_say_the_same_and_name_nobody(tenant: Tenant, capsys: Capture) -> None:
    root = tenant()
    ran = sample_size(capsys, root, "--within", "30%", "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    jsonschema.validate(ran.json, schema("sample_size"), jsonschema.Draft202012Validator)
    assert (ran.json["operation"], ran.json["within"], ran.json["joining"]) == (MIA, 0.3, 3)  # bob, cyd and info
    assert ran.json["sampled_today"] == 1
    assert ran.json["half_width_today"] > ran.json["best_half_width"]
    rows = sample_size(capsys, root, "--within", "30", "--format", "csv").rows
    assert [(r["class"], int(r["joining"]), int(r["sample"])) for r in rows] == [
        (c["class"], c["joining"], c["sample"]) for c in ran.json["classes"]
    ]
    for form in ("table", "markdown"):
        out = " ".join(sample_size(capsys, root, "--within", "30%", "--format", form).out.split())
        assert "3 mailboxes would join, 1 sampled mailbox emits it today" in out
        assert "What no sample narrows" in out
        assert "@contoso.example" not in out


def test_what_no_sample_reaches_is_said(tenant: Tenant, capsys: Capture) -> None:
    ran = sample_size(capsys, tenant(), "--within", "1%", "--format", "json")
    assert ran.json["status"] == "not_reachable"
    assert (ran.json["mailboxes"], ran.json["days"]) == (None, None)
    out = sample_size(capsys, tenant(folder="x"), "--within", "1%").out
    best = f"the best is ±{ran.json['best_half_width']:.0%}"
    assert "Not reachable by sampling" in out
    assert best in " ".join(out.split())


def test_without_a_sample_it_plans_all_the_same(tenant: Tenant, capsys: Capture) -> None:
    ran = sample_size(capsys, tenant({"audit.jsonl": None}), "--format", "json")
    assert ran.code == 0
    jsonschema.validate(ran.json, schema("sample_size"), jsonschema.Draft202012Validator)
    assert ran.json["sampled_today"] == 0
    assert ran.json["joining"] == 3


def test_the_list_is_written_by_class(tenant: Tenant, capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    ran = sample_size(capsys, tenant(), "--within", "15%", "--list", path, "--format", "json")
    assert f"written: {path}" in ran.err
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = {c["class"]: c["sample"] for c in ran.json["classes"]}
    counts: dict[str, int] = dict.fromkeys(wanted, 0)
    for row in rows:
        counts[f"{row['audit_tier']} {row['kind']}"] += 1
    assert counts == wanted
    assert sum(wanted.values()) == ran.json["mailboxes"] > 0
    assert {row["UserPrincipalName"].partition("@")[0] for row in rows} <= {"bob", "cyd", "info"}


def test_nobody_joins(tenant: Tenant, capsys: Capture) -> None:
    ran = sample_size(capsys, tenant({"mailboxes.csv": mailboxes_csv(MAILBOXES[0])}), "--format", "json")
    assert ran.json["status"] == "nobody_joins"
    jsonschema.validate(ran.json, schema("sample_size"), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--within", "0.2"], ["--within 0.2", "a percentage from 1 to 100"]),
        (["--operation", "Exchange/Nothing"], ["nothing gives a rate of Exchange/Nothing", MIA]),
        (["--operation", "MailItemsAccessed"], ["nothing gives a rate of MailItemsAccessed", MIA]),
    ],
)
def test_nonsense_is_refused(tenant: Tenant, capsys: Capture, options: list[str], words: list[str]) -> None:
    refused(sample_size(capsys, tenant(), *options), 2, *words)


def test_a_list_that_cannot_be_written_is_an_error(tenant: Tenant, capsys: Capture, tmp_path: Path) -> None:
    ran = sample_size(capsys, tenant(), "--within", "30%", "--list", tmp_path / "no" / "list.csv")
    assert (ran.code, ran.out) == (3, "")
