"""`readiness`: the four formats, the scripts, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest

from estimator.schemas import schema
from tests.conftest import (
    MAILBOX_COLUMNS,
    MAILBOXES,
    SCENARIO,
    Tenant,
    csv_text,
    licence,
    licences_csv,
    mailbox,
    mailboxes_csv,
)
from tests.test_cli import AS_OF, Capture, Ran, refused

MIA = "Exchange/MailItemsAccessed"
CHAT = "MicrosoftTeams/ChatRetrieved"


def readiness(capsys: Capture, root: Path, *options: str | Path) -> Ran:
    return Ran(capsys, "readiness", root, "--as-of", AS_OF, *options)


def states(ran: Ran, operation: str = MIA) -> dict[str, str]:
    rows = [row for row in ran.json["mailboxes"] if row["operation"] == operation]
    return {row["mailbox"].partition("@")[0]: row["state"] for row in rows}


TODAY = {
    "ann": "emitting", "bob": "blocked", "cyd": "blocked", "dan": "unknown", "eve": "blocked", "info": "blocked",
    "room1": "not_applicable", "team": "not_applicable",
}  # fmt: skip


def test_the_json_keeps_its_contract(tenant: Tenant, capsys: Capture) -> None:
    ran = readiness(capsys, tenant(), "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    jsonschema.validate(ran.json, schema("readiness"), jsonschema.Draft202012Validator)
    assert ran.json["scenario"] == "enable-and-connect"
    # bob, cyd and info wait for their sets; eve has no licence, and no script gives her one.
    assert states(ran) == {**TODAY, "bob": "will_emit", "cyd": "will_emit", "info": "will_emit"}
    assert len(ran.json["mailboxes"]) == 8 * len(ran.json["operations"])
    counted = sum(line["mailboxes"] for line in ran.json["summary"])
    assert counted == len(ran.json["mailboxes"])
    elsewhere = {one["operation"]: one["cause"] for one in ran.json["not_by_mailbox"]}
    assert elsewhere[CHAT] == "applications_only"
    assert elsewhere["MicrosoftStream/StreamInvokeGetVideo"] == "retired"


def test_today_alone_nothing_will_emit(tenant: Tenant, capsys: Capture) -> None:
    ran = readiness(capsys, tenant(), "--scenario", "none", "--format", "json")
    assert ran.json["scenario"] is None
    assert states(ran) == TODAY


def test_the_table_says_whom_a_script_could_switch_on(tenant: Tenant, capsys: Capture) -> None:
    """bob, cyd and info wait for their sets; eve has no licence, and under the scenario nobody waits."""
    root = tenant()
    said = "3 mailboxes are blocked for some operations by settings that a script can change; this looks at today"
    today = readiness(capsys, root, "--scenario", "none", "--operation", MIA)
    assert said in " ".join(today.out.split())
    assert "settings that a script can change" not in readiness(capsys, root, "--operation", MIA).out


def test_a_scenario_says_who_will_and_when(tenant: Tenant, capsys: Capture, tmp_path: Path) -> None:
    story = tmp_path / "finance.toml"
    finance = 'operations = ["newly-available"]\nwhere = { department = ["Legal"] }\nfrom = 2027-02-01'
    story.write_text(SCENARIO.replace('operations = ["newly-available"]', finance).replace("enable-and", "legal-and"))
    ran = readiness(capsys, tenant(), "--scenario", story, "--operation", MIA, "--format", "json")
    assert states(ran) == {**TODAY, "cyd": "will_emit"}
    reasons = {row["mailbox"].partition("@")[0]: row["reason"] for row in ran.json["mailboxes"]}
    assert reasons["cyd"] == (
        "the owner set was customised and lacks MailItemsAccessed; the scenario enables it on 2027-02-01"
    )


def test_an_operation_asked_for_by_name_lists_every_mailbox_whatever_it_is(tenant: Tenant, capsys: Capture) -> None:
    ran = readiness(capsys, tenant(), "--operation", CHAT, "--operation", "exchange/send", "--format", "json")
    assert ran.json["operations"] == [CHAT, "Exchange/Send"]
    assert set(states(ran, CHAT).values()) == {"not_applicable"}
    assert len(states(ran, CHAT)) == 8


def test_the_formats_say_the_same(tenant: Tenant, capsys: Capture) -> None:
    root = tenant()
    document = readiness(capsys, root, "--format", "json").json["mailboxes"]
    assert readiness(capsys, root, "--format", "csv").rows == document
    table, markdown = (readiness(capsys, root, "--format", form).out for form in ("table", "markdown"))
    for out in (table, markdown):
        assert re.search(r"Exchange/MailItemsAccessed\W+1\W+3\W+1\W+1\W+2", out)
        assert "its audit set was customised and lacks it" in out
        assert "Only applications that use Microsoft Graph cause it" in out
        assert "--format csv or json prints all" not in out  # all lines are there
        assert all(f"{name}@contoso.example" in out for name in TODAY)


def test_a_long_list_says_what_it_leaves_out(tenant: Tenant, capsys: Capture) -> None:
    names = [f"user{n:03d}" for n in range(70)]
    boxes = mailboxes_csv(*(mailbox(name) for name in names))
    licences = licences_csv(*(licence(name) for name in names))
    root = tenant({"mailboxes.csv": boxes, "licences.csv": licences})
    out = readiness(capsys, root, "--operation", MIA).out
    assert "The first 60 of 70 lines; --format csv or json prints all of them." in out
    assert out.count("@contoso.example") == 60


def test_scripts_are_written_whole_and_said_so(tenant: Tenant, capsys: Capture, tmp_path: Path) -> None:
    ran = readiness(
        capsys, tenant(), "--script", tmp_path / "m.ps1", "--runbook", tmp_path / "w.ps1", "--format", "csv"
    )
    assert ran.code == 0
    for name in ("m.ps1", "m.rollback.ps1", "w.ps1"):
        assert f"written: {tmp_path / name}" in ran.err
        assert (tmp_path / name).read_bytes().startswith(b"\xef\xbb\xbf#")
    assert sorted(path.name for path in tmp_path.glob("*.ps1")) == ["m.ps1", "m.rollback.ps1", "w.ps1"]
    script = (tmp_path / "m.ps1").read_text("utf-8-sig")
    assert script.startswith("# THIS SCRIPT CHANGES YOUR MICROSOFT 365 TENANT")
    for name, there in {"bob": True, "cyd": True, "info": True, "eve": False, "room1": False, "team": False}.items():
        assert (f"'{name}@contoso.example'" in script) == there


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--script", "m.sh"], ["--script m.sh", ".sh is no PowerShell script", "expected .ps1"]),
        (["--script", "m.ps1", "--runbook", "m.ps1"], ["--runbook m.ps1", "another name"]),
        (["--script", "m.ps1", "--runbook", "m.rollback.ps1"], ["--runbook m.rollback.ps1", "another name"]),
        (["--script", "m.ps1", "--scenario", "none"], ["there is none", "Leave out --scenario none"]),
        (["--operation", "Exchange/MailItemAccessed"], ["MailItemAccessed", "nearest: 'Exchange/MailItemsAccessed'"]),
        (["--scenario", "nowhere.toml"], ["there is no such scenario file", "nowhere.toml"]),
    ],
)
def test_nonsense_is_refused_and_nothing_written(
    tenant: Tenant,
    capsys: Capture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    words: list[str],
) -> None:
    root = tenant()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    refused(readiness(capsys, root, *options), 2, *words)
    assert not list((tmp_path / "here").iterdir())


def test_a_script_that_cannot_be_written_is_an_error(tenant: Tenant, capsys: Capture, tmp_path: Path) -> None:
    ran = readiness(capsys, tenant(), "--script", tmp_path / "no" / "m.ps1")
    assert (ran.code, ran.out) == (3, "")
    assert "cannot be written" in ran.err


def test_pseudonyms_hide_names_and_keep_them_apart(
    tenant: Tenant, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tenant()
    monkeypatch.setenv("SIEM_ESTIMATOR_PSEUDONYM_KEY", "one")
    options = ("--operation", MIA, "--pseudonymise", "--format")
    first = readiness(capsys, root, *options, "json")
    names = [row["mailbox"] for row in first.json["mailboxes"]]
    assert len(set(names)) == 8
    assert all(re.fullmatch(r"mailbox-[0-9a-f]{16}", name) for name in names)
    assert first.out == readiness(capsys, root, *options, "json").out
    for form in ("json", "csv", "table", "markdown"):
        assert "contoso" not in readiness(capsys, root, *options, form).out
    monkeypatch.setenv("SIEM_ESTIMATOR_PSEUDONYM_KEY", "two")
    assert not set(names) & {row["mailbox"] for row in readiness(capsys, root, *options, "json").json["mailboxes"]}
    monkeypatch.delenv("SIEM_ESTIMATOR_PSEUDONYM_KEY")
    ran = readiness(capsys, root, *options, "json")
    assert "pseudonyms are of this run alone" in ran.err


def test_without_a_sample_what_is_on_is_unknown(tenant: Tenant, capsys: Capture) -> None:
    ran = readiness(capsys, tenant({"audit.jsonl": None}), "--scenario", "none", "--format", "json")
    assert states(ran)["ann"] == "unknown"
    assert "no_sample" in {finding["code"] for finding in ran.json["findings"]}


def test_a_formula_in_a_name_is_none_in_the_csv(tenant: Tenant, capsys: Capture) -> None:
    evil = {**mailbox(), "UserPrincipalName": "=cmd()@contoso.example"}
    boxes = csv_text([*MAILBOXES, evil], MAILBOX_COLUMNS)
    out = readiness(capsys, tenant({"mailboxes.csv": boxes}), "--operation", MIA, "--format", "csv").out
    assert "\n'=cmd()@contoso.example," in out


def test_two_scenarios_in_the_folder_and_one_is_taken_with_a_word(tenant: Tenant, capsys: Capture) -> None:
    other = SCENARIO.replace("enable-and-connect", "another")
    ran = readiness(capsys, tenant({"z.toml": other}), "--format", "json")
    assert ran.json["scenario"] == "enable-and-connect"
    message = next(f["message"] for f in ran.json["findings"] if f["code"] == "scenario_chosen")
    assert message.startswith("2 scenarios lie in the folder; the verdicts are under scenario.toml")
