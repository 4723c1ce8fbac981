"""The command line: exit codes, what goes to stdout and what to stderr, and the four formats that say the same."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import estimator.pipeline
from estimator.cli import main
from tests.conftest import (
    LICENCE_COLUMNS,
    LICENCES,
    MAILBOX_COLUMNS,
    MAILBOXES,
    SCENARIO,
    Tenant,
    activity_csv,
    licences_csv,
    mailbox,
    mailboxes_csv,
    write,
)

BAD = Path(__file__).parent / "bad_inputs" / "scenarios"
AS_OF = "2026-11-23"
BUDGET = '\n[budget]\nmonthly = {}\ncurrency = "USD"\n'
SPREAD = {"mean", "p10", "p50", "p90"}

Capture = pytest.CaptureFixture[str]


class Ran:
    """What one call came to."""

    def __init__(self, capsys: Capture, *arguments: str | Path) -> None:
        self.code = main([str(argument) for argument in arguments])
        self.out, self.err = capsys.readouterr()
        assert "Traceback" not in self.err + self.out

    @property
    def json(self) -> Any:
        def no_constant(name: str) -> None:
            raise AssertionError(f"{name} is no JSON")

        return json.loads(self.out, parse_constant=no_constant)

    @property
    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.out)))


def run(capsys: Capture, root: Path, *options: str | Path) -> Ran:
    return Ran(capsys, "estimate", root, "--as-of", AS_OF, "--draws", "200", *options)


def refused(ran: Ran, code: int, *words: str) -> None:
    """One message on stderr with these words, nothing on stdout."""
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("error: ")
    for word in words:
        assert word in ran.err


# ------------------------------------------------------------------ formats


def test_the_json_keeps_its_contract(tenant: Tenant, capsys: Capture) -> None:
    ran = run(capsys, tenant({"scenario.toml": SCENARIO + BUDGET.format(5000)}), "--format", "json", "--seed", "7")
    assert (ran.code, ran.err) == (0, "")
    found = ran.json
    assert found["schema"] == "siem-estimator/estimate/1"
    assert {
        "schema", "version", "seed", "draws", "as_of", "complete", "not_known", "tenant", "inputs", "findings",
        "scenarios",
    } <= set(found)  # fmt: skip
    assert (found["seed"], found["draws"], found["as_of"]) == (7, 200, AS_OF)
    # Search events have no rate anywhere, so this estimate is a lower bound and says so.
    assert found["complete"] is False
    assert "Exchange/SearchQueryInitiatedExchange" in found["not_known"]
    assert found["tenant"]["mailboxes"] == 8
    # ann is seen reading; she is covered, so what her set has counts too. bob's Update is seen; the group's set has
    # Update, and no record covers it.
    today = found["tenant"]["emitting_today"]
    assert {key: today.get(f"Exchange/{key}") for key in ("MailItemsAccessed", "Send", "Update", "Copy")} == {
        "MailItemsAccessed": 1, "Send": 1, "Update": 2, "Copy": None,
    }  # fmt: skip
    rows = {one["path"]: (one["kind"], one["rows"]) for one in found["inputs"]}
    assert rows == {
        "audit.jsonl": ("audit-records", 18), "email_activity.csv": ("email-activity", 4),
        "licences.csv": ("licences", 4), "mailboxes.csv": ("mailboxes", 8), "scenario.toml": ("scenario", None),
    }  # fmt: skip
    assert all(re.fullmatch("[0-9a-f]{64}", one["sha256"]) for one in found["inputs"])
    assert all({"code", "severity", "message", "path"} <= set(one) for one in found["findings"])
    (story,) = found["scenarios"]
    assert {"id", "title", "start", "months", "volume", "volume_horizon", "cost", "cost_horizon"} <= set(story)
    assert (story["id"], story["start"], story["months"]) == ("enable-and-connect", "2027-01-01", 3)
    for volume in story["volume"] + story["volume_horizon"]:
        assert {"feed", "operation", "flow", "basis", "events", "gb"} <= set(volume)
        assert set(volume["events"]) == set(volume["gb"]) == SPREAD
        assert volume["flow"] in ("already", "added", "saved")
        assert volume["basis"] in ("measured", "partly_measured", "derived", "published", "assumed")
        assert volume["events"]["p10"] <= volume["events"]["p50"] <= volume["events"]["p90"]
        assert re.fullmatch(r"\w+/\w+", volume["operation"])
    assert {volume["month"] for volume in story["volume"]} == {"2027-01", "2027-02", "2027-03"}
    sets = [["sentinel-officeactivity"], ["sentinel-cloudappevents"],
            ["sentinel-officeactivity", "sentinel-cloudappevents"]]  # fmt: skip
    assert [cost["feeds"] for cost in story["cost_horizon"]] == sets
    assert [(cost["feeds"], cost["month"]) for cost in story["cost"]] == [
        (feeds, month) for feeds in sets for month in ("2027-01", "2027-02", "2027-03")
    ]
    for cost in story["cost"] + story["cost_horizon"]:
        assert {"plan", "feeds", "currency", "without", "with", "added"} <= set(cost)
        assert (cost["plan"], cost["currency"]) == ("sentinel-eastus", "USD")
        assert all(set(cost[key]) == SPREAD for key in ("without", "with", "added"))
    for cost in story["cost_horizon"]:
        assert set(cost["run_rate_month"]) == SPREAD
        assert cost["over_budget_probability"] == 0


def test_means_of_months_add_up_to_the_horizon(tenant: Tenant, capsys: Capture) -> None:
    (story,) = run(capsys, tenant(), "--format", "json").json["scenarios"]
    for whole in story["volume_horizon"]:
        key = [whole[name] for name in ("feed", "operation", "flow")]
        months = [v for v in story["volume"] if [v[name] for name in ("feed", "operation", "flow")] == key]
        for unit in ("events", "gb"):
            assert sum(v[unit]["mean"] for v in months) == pytest.approx(whole[unit]["mean"])
    for whole in story["cost_horizon"]:
        months = [cost for cost in story["cost"] if cost["feeds"] == whole["feeds"]]
        for bill in ("without", "with", "added"):
            assert sum(cost[bill]["mean"] for cost in months) == pytest.approx(whole[bill]["mean"])
        assert whole["with"]["mean"] - whole["without"]["mean"] == pytest.approx(whole["added"]["mean"])


def test_csv_holds_the_figures_of_the_json(tenant: Tenant, capsys: Capture) -> None:
    root = tenant()
    found, rows = run(capsys, root, "--format", "json").json, run(capsys, root, "--format", "csv").rows
    (story,) = found["scenarios"]

    def figures(spread: dict[str, float]) -> list[float]:
        return [spread[name] for name in ("mean", "p10", "p50", "p90")]

    expected = {}
    for table in ("volume", "volume_horizon"):
        for v in story[table]:
            for unit in ("events", "gb"):
                key = (table, v.get("month", ""), "", v["feed"], v["operation"], v["flow"], v["basis"], unit)
                expected[key] = figures(v[unit])
    for table in ("cost", "cost_year", "cost_horizon"):
        for c in story[table]:
            for bill in ("without", "with", "added"):
                when = c.get("month", c.get("year", ""))
                key = (table, when, c["plan"], "+".join(c["feeds"]), "", bill, "", c["currency"])
                expected[key] = figures(c[bill])
    for c in story["cost_horizon"]:
        start = (c["plan"], "+".join(c["feeds"]), "", "added", "", c["currency"])
        expected["run_rate_month", "", *start] = figures(c["run_rate_month"])
        expected |= {("case", "", *start, case["code"], case["title"]): figures(case["added"]) for case in c["cases"]}
    assert any(key[0] == "case" for key in expected)
    names = ("table", "month", "plan", "feeds", "operation", "flow", "basis", "measure")
    got = {
        (*(row[name] for name in names), *(row[name] for name in ("case", "case_title") if row["case"])): [
            float(row[q]) for q in ("mean", "p10", "p50", "p90")
        ]
        for row in rows
    }
    assert got == expected
    assert len(rows) == len(expected)
    assert {(row["scenario"], row["as_of"]) for row in rows} == {("enable-and-connect", AS_OF)}


def test_warnings_go_to_stderr_where_the_format_has_no_room_for_them(tenant: Tenant, capsys: Capture) -> None:
    root = tenant()
    findings = run(capsys, root, "--format", "json").json["findings"]
    codes = dict.fromkeys(finding["code"] for finding in findings if finding["severity"] == "warning")
    assert "no_baseline" in codes
    ran = run(capsys, root, "--format", "csv")
    assert (ran.code, ran.err.splitlines()) == (0, [f"warning: {code}" for code in codes])
    assert all(run(capsys, root, "--format", form).err == "" for form in ("table", "markdown", "json"))


def numbers(text: str) -> list[str]:
    return re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?", text)


def test_table_and_markdown_show_the_same_and_round_the_json(tenant: Tenant, capsys: Capture) -> None:
    root = tenant()
    table, markdown = run(capsys, root).out, run(capsys, root, "--format", "markdown").out
    assert numbers(table) == numbers(markdown)
    assert markdown.startswith("# SIEM volume and cost estimate\n")
    assert f"Estimate as of {AS_OF} from 8 mailboxes" in table
    assert "18 distinct records of 18 read (0 duplicates, 0 rejected), 2026-11-02 to 2026-11-13" in table
    (story,) = run(capsys, root, "--format", "json").json["scenarios"]
    horizon = {(v["feed"], v["operation"], v["flow"]): v for v in story["volume_horizon"]}
    added = horizon["sentinel-cloudappevents", "Exchange/MailItemsAccessed", "added"]
    rows = [row for row in table.splitlines() if row.startswith("sentinel-cloudappevents  Exchange/MailItemsAccessed")]
    three_digits = float(f"{added['events']['mean']:.3g}")
    assert f"{three_digits:,.0f}" in rows[0]
    # Every row of a Markdown table has as many cells as its header.
    for block in re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_every_format_echoes_the_day_and_has_no_identities(tenant: Tenant, capsys: Capture, tmp_path: Path) -> None:
    root, chart = tenant(), tmp_path / "chart.svg"
    outputs = [
        run(capsys, root, "--format", form, "--chart", chart).out for form in ("table", "markdown", "csv", "json")
    ]
    for text in [*outputs, chart.read_text(encoding="utf-8")]:
        assert AS_OF in text
        assert "contoso" not in text
        assert str(tmp_path) not in text
        assert not re.search(r"\b(ann|bob|cyd|dan|eve|room1)\b", text)


def test_no_identities_when_the_input_is_full_of_trouble(tenant: Tenant, capsys: Capture) -> None:
    boxes = (*MAILBOXES, mailbox("ann", AuditOwner="Send"), mailbox("fay", AuditOwner="System.Object"))
    root = tenant({
        "mailboxes.csv": mailboxes_csv(*boxes), "licences.csv": licences_csv(*LICENCES, LICENCES[0] | {
            "UserPrincipalName": "gone@contoso.example", "SkuPartNumber": "NEW_SKU"}),
    })  # fmt: skip
    for form in ("table", "markdown", "csv", "json"):
        ran = run(capsys, root, "--format", form)
        assert ran.code == 0
        assert "contoso" not in ran.out + ran.err


# ------------------------------------------------------------------ seeds


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tenant: Tenant, capsys: Capture) -> None:
    root = tenant()
    first, again, other = (
        run(capsys, root, "--format", "json", "--seed", seed).out for seed in ("1", "1", "2")
    )  # fmt: skip
    assert first == again
    figures = [json.loads(text)["scenarios"][0]["volume_horizon"] for text in (first, other)]
    assert figures[0] != figures[1]


def test_the_order_of_rows_and_the_names_of_files_change_no_figure(tenant: Tenant, capsys: Capture) -> None:
    plain = run(capsys, tenant(), "--format", "json").json
    other = tenant(
        {"mailboxes.csv": None, "zz": mailboxes_csv(*MAILBOXES[::-1], columns=MAILBOX_COLUMNS[::-1], delimiter=";"),
         "licences.csv": licences_csv(*LICENCES[::-1], columns=LICENCE_COLUMNS[::-1])},
        "other",
    )  # fmt: skip
    assert run(capsys, other, "--format", "json").json["scenarios"] == plain["scenarios"]


def test_without_as_of_it_is_today(tenant: Tenant, capsys: Capture) -> None:
    before = time.strftime("%Y-%m-%d", time.gmtime())
    ran = Ran(capsys, "estimate", tenant(), "--draws", "200", "--format", "json")
    assert ran.json["as_of"] in (before, time.strftime("%Y-%m-%d", time.gmtime()))


# ------------------------------------------------------------------ charts


def test_charts(tenant: Tenant, capsys: Capture, tmp_path: Path) -> None:
    root = tenant()
    for name, magic in (("a.png", b"\x89PNG\r\n\x1a\n"), ("a.svg", b"<?xml")):
        ran = run(capsys, root, "--chart", tmp_path / name)
        assert (ran.code, ran.err) == (0, "")
        assert (tmp_path / name).read_bytes().startswith(magic)
    svg = (tmp_path / "a.svg").read_bytes()
    run(capsys, root, "--chart", tmp_path / "b.svg")
    assert (tmp_path / "b.svg").read_bytes() == svg
    assert "more a month" in svg.decode()
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["a.png", "a.svg", "b.svg"]  # and no half of one


@pytest.mark.parametrize("name", ["chart.pdf", "chart", "chart.png.exe"])
def test_another_chart_is_refused_before_anything_is_computed(
    name: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimator.pipeline, "estimate", lambda *_, **__: pytest.fail("computed"))
    refused(run(capsys, tmp_path, "--chart", name), 2, f"--chart {name}", "expected .png or .svg")


def test_a_chart_that_cannot_be_written(tenant: Tenant, capsys: Capture, tmp_path: Path) -> None:
    ran = run(capsys, tenant(), "--chart", tmp_path / "nowhere" / "chart.png")
    refused(ran, 3, "chart.png: cannot be written", "Name a folder that exists")


def test_a_chart_of_nothing_priced(tenant: Tenant, capsys: Capture, tmp_path: Path) -> None:
    root = tenant({"scenario.toml": SCENARIO.partition("[[changes]]")[0]})
    ran = run(capsys, root, "--plan", "splunk-cloud-ingest", "--chart", tmp_path / "chart.png")
    refused(ran, 2, "--chart shows cost", "--plan")


# ------------------------------------------------------------------ 0 done, 1 a limit passed


def test_done(tenant: Tenant, capsys: Capture) -> None:
    ran = run(capsys, tenant())
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("\n")


def test_a_budget_that_is_passed_gives_the_result_and_exit_code_1(tenant: Tenant, capsys: Capture) -> None:
    # The tiny tenant adds cents a month; nothing is below a thousandth of a cent.
    root = tenant({"scenario.toml": SCENARIO + BUDGET.format("0.00001")})
    ran = run(capsys, root, "--format", "json")
    assert (ran.code, ran.err) == (1, "over budget: see the cost table\n")
    whole = ran.json["scenarios"][0]["cost_horizon"][-1]
    assert whole["over_budget_probability"] == 1
    assert "100%" in run(capsys, root).out


def test_the_default_scenario_connects_the_feeds_of_the_plans_given(tenant: Tenant, capsys: Capture) -> None:
    root = tenant({"scenario.toml": None})
    (story,) = run(capsys, root, "--plan", "splunk-cloud-ingest", "--format", "json").json["scenarios"]
    assert (story["start"], story["months"]) == ("2026-12-01", 12)
    assert {volume["feed"] for volume in story["volume"]} == {"splunk-o365"}
    assert {volume["flow"] for volume in story["volume"]} == {"added"}  # for a feed just connected everything is new


def test_several_scenarios_and_plans(tenant: Tenant, capsys: Capture, tmp_path: Path) -> None:
    root = tenant()
    second = write(tmp_path / "second.toml", SCENARIO.replace("enable-and-connect", "second"))
    ran = run(capsys, root, "--scenario", root / "scenario.toml", "--scenario", second, "--format", "json",
              "--plan", "sentinel-eastus", "--plan", "sentinel-uksouth")  # fmt: skip
    stories = ran.json["scenarios"]
    assert [story["id"] for story in stories] == ["enable-and-connect", "second"]
    assert stories[0]["volume"] == stories[1]["volume"]
    plans = {(cost["plan"], cost["currency"]) for cost in stories[0]["cost"]}
    assert {plan for plan, _ in plans} == {"sentinel-eastus", "sentinel-uksouth"}


# ------------------------------------------------------------------ 2 usage


@pytest.mark.parametrize(
    "arguments",
    [
        ["estimate"],
        ["estimat", "x"],
        ["estimate", "x", "--drawz", "200"],
        ["estimate", "x", "--draws", "199"],
        ["estimate", "x", "--draws", "many"],
        ["estimate", "x", "--seed", "-1"],
        ["estimate", "x", "--as-of", "23.11.2026"],
        ["estimate", "x", "--format", "html"],
        [],
    ],
    ids=" ".join,
)
def test_what_the_command_line_does_not_know(arguments: list[str], capsys: Capture) -> None:
    ran = Ran(capsys, *arguments)
    assert ran.code == 2
    assert "Usage:" in ran.err + ran.out


def test_a_scenario_file_that_is_not_there(tenant: Tenant, capsys: Capture) -> None:
    refused(run(capsys, tenant(), "--scenario", "nowhere.toml"), 2, "nowhere.toml: there is no such scenario file")


def test_an_unknown_plan(tenant: Tenant, capsys: Capture) -> None:
    ran = run(capsys, tenant(), "--plan", "sentinel-eastu")
    refused(ran, 2, "no plan is called 'sentinel-eastu'", "splunk-cloud-ingest", "Did you mean 'sentinel-eastus'?")


# ------------------------------------------------------------------ 3 an input was refused


def test_tenant_folders_that_are_none(tmp_path: Path, capsys: Capture) -> None:
    write(tmp_path / "file", "x")
    (tmp_path / "empty").mkdir()
    write(tmp_path / "hidden" / ".DS_Store", "x")
    refused(run(capsys, tmp_path / "nowhere"), 3, "nowhere: there is no such folder")
    refused(run(capsys, tmp_path / "file"), 3, "file: is a file")
    refused(run(capsys, tmp_path / "empty"), 3, "empty: the folder is empty")
    refused(run(capsys, tmp_path / "hidden"), 3, "hidden: the folder is empty")


def test_a_file_that_may_not_be_read(tenant: Tenant, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_entry(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("estimator.inventory.recognise", no_entry)
    refused(run(capsys, tenant()), 3, "audit.jsonl: cannot be read: Permission denied")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mailboxes.csv", ("there is no mailbox inventory", "Get-EXOMailbox")),
        ("licences.csv", ("there is no licence inventory", "Get-MgUser")),
    ],
)
def test_an_inventory_that_is_missing(tenant: Tenant, capsys: Capture, name: str, words: tuple[str, ...]) -> None:
    refused(run(capsys, tenant({name: None})), 3, *words)


def test_a_column_that_is_missing(tenant: Tenant, capsys: Capture) -> None:
    left = [column for column in MAILBOX_COLUMNS if column != "AuditOwner"]
    ran = run(capsys, tenant({"mailboxes.csv": mailboxes_csv(columns=left)}))
    refused(ran, 3, "error: mailboxes.csv:1: column 'AuditOwner' missing; found 'UserPrincipalName'", "Get-EXOMailbox")


def test_a_bad_number_names_its_line_and_costs_the_report(tenant: Tenant, capsys: Capture) -> None:
    """The report is wished and not needed: the result comes without it, wider, and the exit code says so."""
    root = tenant({"email_activity.csv": activity_csv().replace('"60"', '"sixty"')})
    said = "email_activity.csv:3: column 'Send Count' holds 'sixty'; expected a whole number"
    ran = run(capsys, root, "--format", "json")
    assert (ran.code, f"error: {said}" in ran.err) == (3, True)
    assert not ran.json["complete"]
    assert ("file_refused", "email_activity.csv") in {(f["code"], f["path"]) for f in ran.json["findings"]}
    refused(run(capsys, root, "--strict"), 3, said)


@pytest.mark.parametrize("name", ["unknown_key", "not_toml", "route_to_a_feed", "where_matching_nothing"])
def test_a_scenario_that_is_refused(tenant: Tenant, capsys: Capture, name: str) -> None:
    path = BAD / f"{name}.toml"
    refused(run(capsys, tenant(), "--scenario", path), 3, *re.findall("^# says: (.+)$", path.read_text(), re.MULTILINE))
    beside = run(capsys, tenant({"scenario.toml": path.read_bytes()}, "beside"))
    refused(beside, 3, "error: scenario.toml:" if name != "not_toml" else "error: scenario.toml")


def test_two_scenarios_of_one_id(tenant: Tenant, capsys: Capture) -> None:
    refused(run(capsys, tenant({"b.toml": SCENARIO})), 3, "scenario.toml:id: the id 'enable-and-connect'", "b.toml")


def test_a_file_of_no_known_shape_is_shown_and_the_rest_still_counts(tenant: Tenant, capsys: Capture) -> None:
    root, plain = tenant({"sub/strange.dat": b"\x00\x01\x02"}), tenant(folder="plain")
    ran = run(capsys, root, "--format", "json")
    assert ran.code == 3
    assert ran.err.startswith(
        "error: sub/strange.dat: the file has no known shape and was not read; expected a mailbox"
    )
    assert ran.err.count("\n") == 1
    found = ran.json
    assert found["complete"] is False
    assert [(f["code"], f["path"]) for f in found["findings"] if f["severity"] == "error"] == [
        ("file_not_recognised", "sub/strange.dat")
    ]
    assert found["scenarios"] == run(capsys, plain, "--format", "json").json["scenarios"]
    refused(run(capsys, root, "--strict"), 3, "sub/strange.dat: the file has no known shape")


def test_an_audit_export_of_damage_only(tenant: Tenant, capsys: Capture) -> None:
    damaged = '"RecordId","AuditData"\r\n"1","{broken"\r\n"2","{broken"\r\n'
    root = tenant({"more.csv": damaged})
    ran = run(capsys, root)
    assert (ran.code, ran.out != "") == (3, True)
    assert ran.err.startswith("error: more.csv: none of its 2 records can be read")
    refused(run(capsys, root, "--strict"), 3, "more.csv: none of its 2 records can be read")


def test_a_usage_report_of_another_kind_is_no_reason_to_stop(tenant: Tenant, capsys: Capture) -> None:
    header = "Report Refresh Date,User Principal Name,Item Count,Storage Used (Byte),Report Period"
    ran = run(capsys, tenant({"getMailboxUsageDetail.csv": f"{header}\r\n"}), "--format", "json", "--strict")
    assert ran.code == 0
    assert "file_not_used" in {finding["code"] for finding in ran.json["findings"]}


@pytest.mark.parametrize(
    ("sample", "code", "words"),
    [
        (None, 0, None),
        ("", 3, "audit.jsonl: the file is empty"),
        ("[]", 3, "audit.jsonl: the file is empty"),
        ('"RecordId","CreationDate","AuditData"\r\n', 3, "no audit record can be read from audit.jsonl"),
    ],
    ids=["no file", "an empty file", "[]", "a header only"],
)
def test_without_a_record_the_forecast_stands_on_what_is_published(
    tenant: Tenant, capsys: Capture, sample: str | None, code: int, words: str | None
) -> None:
    root = tenant({"audit.jsonl": sample})
    ran = run(capsys, root, "--format", "json")
    assert (ran.code, ran.err == "") == (code, words is None)
    if words is not None:
        assert ran.err.startswith(f"error: {words}")
        refused(run(capsys, root, "--strict"), 3, words)
    found = ran.json
    assert "no_sample" in {finding["code"] for finding in found["findings"]}
    assert str(root) not in ran.out + ran.err
    assert found["tenant"]["emitting_today"] == {}
    (story,) = found["scenarios"]
    bases = {v["operation"]: v["basis"] for v in story["volume_horizon"] if v["flow"] == "added"}
    assert bases["Exchange/MailItemsAccessed"] in ("published", "derived", "assumed")
    assert bases["Exchange/Send"] == "derived"


# ------------------------------------------------------------------ 4 no price in force


def test_a_horizon_before_the_first_price(tenant: Tenant, capsys: Capture) -> None:
    root = tenant({"scenario.toml": SCENARIO.replace("2027-01-01", "2026-01-01")})
    refused(run(capsys, root), 4, "no price is known on 2026-01-01; the first holds from 2026-09-26", "sentinel-eastus")


# ------------------------------------------------------------------ 70 our bug


def test_a_bug_is_called_one(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(estimator.pipeline, "estimate", broken)
    ran = Ran(capsys, "estimate", "x")
    refused(
        ran, 70, "a bug of siem-estimator (ZeroDivisionError in test_cli.py:", "by nothing", "SIEM_ESTIMATOR_DEBUG=1"
    )
    monkeypatch.setenv("SIEM_ESTIMATOR_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["estimate", "x"])


# ------------------------------------------------------------------ as a process of its own

CALL = "import sys; from estimator.cli import main; code = main(sys.argv[1:]); "


def process(
    *arguments: str | Path, code: str = CALL + "sys.exit(code)", **env: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True, check=False, cwd=Path(__file__).parents[1], env={**os.environ, **env},
    )  # fmt: skip


def test_help_imports_none_of_the_heavy_libraries() -> None:
    heavy = ("pandas", "duckdb", "matplotlib", "pydantic", "numpy")
    # Typer itself brings pydantic for the help of a verb (since 0.27).
    for arguments, allowed in ((["--help"], []), (["estimate", "--help"], ["pydantic"])):
        loaded = process(*arguments, code=CALL + f"print([m for m in {heavy} if m in sys.modules], code)")
        *text, last = loaded.stdout.decode().splitlines()
        assert last in ("[] 0", f"{allowed} 0")
        assert any("Usage:" in line for line in text)


def test_help_takes_at_most_twelve_times_what_python_takes_to_start() -> None:
    def seconds(code: str) -> float:
        began = time.perf_counter()
        assert process("--help", code=code).returncode == 0
        return time.perf_counter() - began

    pairs = [(seconds("pass"), seconds(CALL + "sys.exit(code)")) for _ in range(5)]
    assert statistics.median(ours / theirs for theirs, ours in pairs) <= 12


def test_output_is_utf_8_wherever_it_goes(tenant: Tenant) -> None:
    root = tenant({"scenario.toml": SCENARIO.replace("New events", "Neue Ereignisse für α")})
    ran = process("estimate", root, "--as-of", AS_OF, "--draws", "200", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert "Neue Ereignisse für α" in ran.stdout.decode("utf-8")


def test_two_processes_give_the_same_bytes(tenant: Tenant) -> None:
    root = tenant()
    runs = [process("estimate", root, "--as-of", AS_OF, "--draws", "200", "--format", "json", PYTHONHASHSEED=seed)
            for seed in ("1", "2")]  # fmt: skip
    assert runs[0].returncode == 0
    assert runs[0].stdout == runs[1].stdout
