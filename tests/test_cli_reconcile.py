"""`reconcile` on the command line: formats, exit codes, and what is refused."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import jsonschema
import pytest

from estimator.schemas import schema
from tests.reconcile.conftest import FEED, Write, billed, forecast, january  # noqa: F401 - fixtures
from tests.test_cli import Capture, Ran


def test_the_json_keeps_its_contract(forecast: Write, billed: Write, capsys: Capture) -> None:  # noqa: F811
    ran = Ran(capsys, "reconcile", forecast(), billed(*january(0.2 / 31)), "--format", "json")

    # Outside the interval is a result and no failure.
    assert (ran.code, ran.err) == (0, "")
    jsonschema.validate(ran.json, schema("reconcile"), jsonschema.Draft202012Validator)
    (line,) = ran.json["lines"]
    assert (line["verdict"], line["inside"], line["operation"]) == ("above_p90", False, None)
    assert ran.json["actuals"][0]["kind"] == "billed-usage"


def test_people_are_told_plainly(forecast: Write, billed: Write, capsys: Capture) -> None:  # noqa: F811
    ran = Ran(capsys, "reconcile", forecast(), billed(*january(0.2 / 31)))

    assert "P10 – P90 held 0 of 1 lines" in ran.out
    assert f"{FEED}: the GB that came lie ABOVE P90 of the forecast (0.200 against 0.0503 – 0.0840, +202%" in ran.out
    assert "The rest of the horizon, recalibrated" in ran.out
    assert "| feed" in Ran(capsys, "reconcile", forecast(), billed(*january()), "--format", "markdown").out


def test_csv_has_every_figure(forecast: Write, billed: Write, capsys: Capture) -> None:  # noqa: F811
    ran = Ran(capsys, "reconcile", forecast(), billed(*january(0.002)), "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [(row["table"], row["month"]) for row in rows] == [
        ("compared", "2027-01"), ("compared", ""),
        ("rest_forecast", "2027-02"), ("rest_recalibrated", "2027-02"),
        ("rest_forecast", ""), ("rest_recalibrated", ""),
    ]  # fmt: skip
    assert float(rows[0]["actual"]) == pytest.approx(0.062)


def test_exit_codes(forecast: Write, billed: Write, tmp_path: Path, capsys: Capture) -> None:  # noqa: F811
    path, rows = forecast(), billed(*january(0.002))
    assert Ran(capsys, "reconcile", path).code == 2
    assert Ran(capsys, "reconcile", path, rows, "--scenario", "none").code == 2
    assert Ran(capsys, "reconcile", tmp_path / "none.json", rows).code == 3
    bad = billed("2027-01-04,a,1,1", header="day,stream,gb,gib", name="bad.csv")
    ran = Ran(capsys, "reconcile", path, rows, bad)
    assert ran.code == 3
    assert "bad.csv" in ran.err
    (tmp_path / "broken.json").write_text("{")
    broken = Ran(capsys, "reconcile", tmp_path / "broken.json", rows)
    assert (broken.code, broken.out) == (3, "")
    assert "is not JSON" in broken.err
