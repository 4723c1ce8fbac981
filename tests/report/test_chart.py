"""What the chart says: no more certainty than there is, and no lower bound that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimator.cli import main

ROOT = Path(__file__).parents[2]
FIRM = ROOT / "sample_tenants" / "law_firm"


def drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str], scenario: str) -> str:
    chart = tmp_path / "chart.svg"
    arguments = ["estimate", FIRM, "--as-of", "2026-11-23", "--draws", "200", "--chart", chart]
    assert main([str(one) for one in (*arguments, "--scenario", FIRM / scenario)]) == 0
    capsys.readouterr()
    return chart.read_text(encoding="utf-8")


def test_a_case_below_the_headline_is_named_and_the_headline_is_not_at_least(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    svg = drawn(tmp_path, capsys, "scenario.toml")

    assert "at least" not in svg.lower()
    assert "more a month" in svg
    assert "USD 0 a month if all of the grant is left" in svg
    assert "operations have no" in svg
    assert "8 in 10 outcomes" in svg


def test_one_value_is_not_drawn_as_an_interval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    svg = drawn(tmp_path, capsys, "scenarios/splunk.toml")

    assert "USD 0 more a month" in svg
    assert "8 in 10" not in svg
    assert "the same in every draw" in svg
