"""What `estimate` says beside volumes and bills: who emits, tiers, fiscal years, what moves it, the backtest."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from estimator.draws import Draws
from estimator.forecasting import forecast_of, to_json
from estimator.pipeline import Estimate, estimate
from estimator.report import render
from estimator.schemas import schema
from tests.conftest import Tenant

SAMPLES = Path(__file__).parents[1] / "sample_tenants"
FIRM = SAMPLES / "law_firm"
LAKE = FIRM / "scenarios" / "cloudappevents_to_the_lake.toml"
AS_OF = dt.date(2026, 11, 23)


@pytest.fixture(scope="module")
def lake() -> Estimate:
    return estimate(FIRM, scenarios=[LAKE], as_of=AS_OF, draws=400)


@pytest.fixture(scope="module")
def story(lake: Estimate) -> dict[str, Any]:
    return dict(lake.to_json()["scenarios"][0])


def test_it_keeps_its_published_schema(lake: Estimate) -> None:
    jsonschema.validate(json.loads(render.text(lake, "json")), schema("estimate"), jsonschema.Draft202012Validator)


def test_what_is_routed_is_a_part_of_what_the_feed_carries(story: dict[str, Any]) -> None:
    routed = {row["month"]: row["gb"]["mean"] for row in story["routed"]}
    carried = {
        row["month"]: row["gb"]["mean"]
        for row in story["volume"]
        if (row["feed"], row["flow"], row["operation"])
        == ("sentinel-cloudappevents", "added", "Exchange/MailItemsAccessed")
    }

    assert {(row["feed"], row["tier"]) for row in story["routed"]} == {("sentinel-cloudappevents", "lake")}
    assert len(routed) == 12
    # The scenario routes MailItemsAccessed of a feed that is new, from its first day on.
    assert routed == pytest.approx(carried)


def test_emitting_mailboxes_rise_from_today_to_those_enabled(story: dict[str, Any], lake: Estimate) -> None:
    today = lake.tenant.readiness.emitting_today()["Exchange/MailItemsAccessed"]
    each = [one["mailboxes"] for one in story["emitting"] if one["operation"] == "Exchange/MailItemsAccessed"]

    assert today == 9
    assert len(each) == 12
    assert each[-1] == 58  # all but the rooms


def test_fiscal_years_add_up_to_the_horizon(story: dict[str, Any]) -> None:
    for whole in story["cost_horizon"]:
        years = [y for y in story["cost_year"] if (y["plan"], y["feeds"]) == (whole["plan"], whole["feeds"])]
        assert [(y["year"], y["months"]) for y in years] == [("FY2027", 12)]
        assert sum(y["added"]["mean"] for y in years) == pytest.approx(whole["added"]["mean"])


def test_a_scenario_says_when_its_fiscal_year_starts(tmp_path: Path) -> None:
    text = LAKE.read_text(encoding="utf-8").replace("months  = 12", "months  = 12\nfiscal_year_start = 7")
    assert "fiscal_year_start" in text
    (tmp_path / "july.toml").write_text(text, encoding="utf-8")
    result = estimate(FIRM, scenarios=[tmp_path / "july.toml"], as_of=AS_OF, draws=200)
    (one,) = result.to_json()["scenarios"]

    assert {(y["year"], y["months"]) for y in one["cost_year"]} == {("FY2027", 6), ("FY2028", 6)}
    assert "Fiscal years start in July" in render.text(result, "table")


def test_what_moves_it_is_told_of_each_scenario_in_json_and_in_words(lake: Estimate) -> None:
    told = lake.to_json()["sensitivity"]

    assert {one["scenario"] for one in told} == {"cloudappevents-to-the-lake"}
    assert {one["subject"] for one in told} >= {"sentinel-eastus", "sentinel-cloudappevents"}
    table = render.text(lake, "table")
    assert "What moves it: cost added, USD, sentinel-eastus" in table
    # Events are moved by the same; they are told where no cost is.
    assert "What moves it: events added" not in table


def test_recording_what_is_drawn_changes_no_figure(monkeypatch: pytest.MonkeyPatch, lake: Estimate) -> None:
    monkeypatch.setattr("estimator.pipeline.Draws", lambda count, seed, record=None: Draws(count, seed))
    plain = estimate(FIRM, scenarios=[LAKE], as_of=AS_OF, draws=400).to_json()

    assert plain == {key: value for key, value in lake.to_json().items() if key != "sensitivity"}


def test_a_sample_too_small_to_hide_anything_has_no_backtest_and_says_why(tenant: Tenant) -> None:
    result = estimate(tenant(), as_of=AS_OF, draws=200)
    document = result.to_json()

    assert document["backtest"] is None
    assert "it cannot tell" in document["no_backtest"]
    assert f"Backtest: {document['no_backtest']}." in " ".join(render.text(result, "table").split())


@pytest.mark.slow
def test_a_sample_of_some_size_is_backtested(monkeypatch: pytest.MonkeyPatch) -> None:
    result = estimate(SAMPLES / "town", as_of=AS_OF, draws=200)
    document = result.to_json()

    assert document["no_backtest"] is None
    assert document["backtest"]["operation"] == "Exchange/MailItemsAccessed"
    assert document["backtest"]["trials"] == 5
    assert "Backtest on the tenant's own sample" in render.text(result, "markdown")
    jsonschema.validate(document, schema("estimate"), jsonschema.Draft202012Validator)

    monkeypatch.setattr("estimator.pipeline.BACKTESTED", 20)
    large = estimate(SAMPLES / "town", as_of=AS_OF, draws=200)
    assert large.backtest is None
    assert "takes a while" in large.no_backtest


def test_the_csv_has_fiscal_years_and_what_is_routed(lake: Estimate, story: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(render.text(lake, "csv"))))
    routed = [float(row["mean"]) for row in rows if (row["table"], row["measure"]) == ("routed", "gb")]
    years = [(row["month"], row["feeds"], float(row["mean"])) for row in rows
             if (row["table"], row["flow"]) == ("cost_year", "added")]  # fmt: skip

    assert {row["feeds"] for row in rows if row["table"] == "routed"} == {"sentinel-cloudappevents@lake"}
    assert routed == [row["gb"]["mean"] for row in story["routed"]]
    assert years == [(y["year"], "+".join(y["feeds"]), y["added"]["mean"]) for y in story["cost_year"]]


def test_where_no_draw_moves_a_cost_what_moves_the_events_is_told() -> None:
    splunk = estimate(FIRM, scenarios=[FIRM / "scenarios" / "splunk.toml"], as_of=AS_OF, draws=200)
    table = render.text(splunk, "table")

    assert "What moves it: events added, splunk-o365" in table
    assert "What moves it: cost added" not in table


def test_a_forecast_says_who_emits_and_what_is_routed_and_nothing_of_money(story: dict[str, Any]) -> None:
    document = to_json(forecast_of(FIRM, scenarios=[LAKE], as_of=AS_OF, draws=400))
    (one,) = document["scenarios"]

    jsonschema.validate(document, schema("forecast"), jsonschema.Draft202012Validator)
    assert one["emitting"] == story["emitting"]
    assert one["routed"] == story["routed"]
    assert not {key for key in one if key.startswith("cost")}
    assert not {"sensitivity", "backtest"} & set(document)
