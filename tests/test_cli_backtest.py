"""`backtest`: its contract, its four formats, and no figure where the sample cannot tell."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import jsonschema
import pytest

from estimator.backtest import Backtest
from estimator.backtest import backtest_of as run
from estimator.report import backtest as report
from estimator.schemas import schema
from tests.conftest import Tenant
from tests.test_cli import AS_OF, Capture, Ran, refused

LAW_FIRM = Path(__file__).parents[1] / "sample_tenants" / "law_firm"
TOWN = LAW_FIRM.parent / "town"
UPDATE = "Exchange/Update"
FIGURES = ("median_abs_error", "coverage_80", "median_width_80", "spreadsheet_median_abs_error")


def backtest(capsys: Capture, root: Path, *options: str | Path) -> Ran:
    return Ran(capsys, "backtest", root, "--as-of", AS_OF, "--draws", "200", *options)


def codes(ran: Ran) -> set[str]:
    return {finding["code"] for finding in ran.json["findings"]}


def test_too_small_a_sample_gives_a_finding_and_no_number(tenant: Tenant, capsys: Capture) -> None:
    """ann alone emits, a record a day: nothing can be hidden."""
    ran = backtest(capsys, tenant(), "--format", "json")
    assert ran.code == 0
    jsonschema.validate(ran.json, schema("backtest"), jsonschema.Draft202012Validator)
    assert [ran.json[name] for name in FIGURES] == [None] * 4
    assert ran.json["trials"] == []
    assert {"backtest_few_mailboxes", "backtest_few_days"} <= codes(ran)
    message = next(f["message"] for f in ran.json["findings"] if f["code"] == "backtest_few_mailboxes")
    assert "shows 1 mailboxes with Exchange/MailItemsAccessed" in message

    none = backtest(capsys, tenant({"audit.jsonl": None}, "other"), "--format", "json")
    assert none.code == 0
    assert none.json["trials"] == []
    assert "no_sample" in codes(none)


@pytest.fixture(scope="module")
def law_firm() -> Backtest:
    return run(LAW_FIRM, as_of=dt.date(2026, 11, 23), draws=200)


def test_the_law_firm_says_what_it_cannot_tell_and_the_rest(law_firm: Backtest) -> None:
    document = json.loads(report.text(law_firm, "json"))
    jsonschema.validate(document, schema("backtest"), jsonschema.Draft202012Validator)
    assert document["median_abs_error"] is None  # nine mailboxes emit MailItemsAccessed
    trials = [t for t in document["trials"] if (t["holdout"], t["operation"]) == ("mailboxes", UPDATE)]
    assert len(trials) == 5
    (score,) = [s for s in document["scores"] if (s["holdout"], s["operation"]) == ("mailboxes", UPDATE)]
    assert score["held"] == sum(t["forecast"]["p10"] <= t["actual"] <= t["forecast"]["p90"] for t in trials)
    assert score["median_abs_error"] < score["spreadsheet_median_abs_error"]
    assert {t["days"] for t in document["trials"] if t["holdout"] == "days"} == {7}


def test_the_formats_say_the_same(law_firm: Backtest) -> None:
    rows = list(csv.DictReader(io.StringIO(report.text(law_firm, "csv"))))
    assert [(r["holdout"], r["operation"], float(r["p90"]), r["held"] == "true") for r in rows] == [
        (t.holdout, t.operation, t.forecast.p90, t.held) for t in law_firm.trials
    ]
    (score,) = [s for s in law_firm.scores if (s.holdout, s.operation) == ("mailboxes", UPDATE)]
    for form in ("table", "markdown"):
        out = " ".join(report.text(law_firm, form).split())
        assert "Hidden mailboxes, at random" in out
        assert f"{score.held} of 5" in out
        assert "both too few to tell how far off the forecast is" in out


@pytest.mark.slow
def test_the_town_is_tested_on_its_main_operation(capsys: Capture) -> None:
    """Two mailboxes that a program reads hold much of it, and the backtest says so rather than a good mark."""
    ran = backtest(capsys, TOWN, "--format", "json")
    jsonschema.validate(ran.json, schema("backtest"), jsonschema.Draft202012Validator)
    assert all(isinstance(ran.json[name], float) for name in FIGURES)
    mine = [t for t in ran.json["trials"] if t["operation"] == ran.json["operation"] and t["holdout"] == "mailboxes"]
    assert len(mine) == ran.json["folds"] * ran.json["repeats"]
    message = next(f["message"] for f in ran.json["findings"] if f["code"] == "backtest_does_not_hold")
    assert "The 3 heaviest of the 66 mailboxes hold" in message


def test_nonsense_is_refused(tenant: Tenant, capsys: Capture) -> None:
    assert backtest(capsys, tenant(), "--folds", "1").code == 2
    refused(backtest(capsys, tenant(folder="x") / "nowhere"), 3, "nowhere")
