"""The law firm: its bill by hand, held against the tool without the code that computes it, and its known truth."""

import json
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from estimator.cli import main
from estimator.schemas import schema

ROOT = Path(__file__).parents[1]
FIRM = ROOT / "sample_tenants" / "law_firm"
README = (ROOT / "sample_tenants" / "README.md").read_text(encoding="utf-8")
PER_GB = Decimal("4.30")  # pay-as-you-go, East US: reference figures, not the plan file
CENT = Decimal("0.01")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["estimate", str(FIRM), "--as-of", "2026-11-23", *arguments]) == 0
    return capsys.readouterr().out


def table(heading: str) -> Iterator[list[str]]:
    """The body rows of the first table under a heading of the README."""
    part = README.split(heading, 1)[1]
    rows = re.findall(r"^\|(.+)\|$", part.split("\n\n", 3)[2] if "\n\n" in part else part, re.MULTILINE)
    if not rows:
        rows = re.findall(r"^\|(.+)\|$", part, re.MULTILINE)
    for row in rows[2:]:
        yield [cell.strip() for cell in row.split("|")]


def printed(output: str, heading: str) -> list[list[str]]:
    """The body rows of a table as the terminal shows it."""
    lines = output.split(heading, 1)[1].splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("---"))
    body = lines[start + 1 : next(n for n in range(start, len(lines)) if not lines[n].strip())]
    return [re.split(r"\s{2,}", line.strip()) for line in body]


def test_the_bill_by_hand_is_the_bill_of_the_tool(capsys: pytest.CaptureFixture[str]) -> None:
    *months, total = table("### The bill by hand")
    shown = {row[0]: row for row in printed(run(capsys), "Added by month:")}

    assert [row[0] for row in months] == [f"2027-{m:02}" for m in range(1, 13)]
    amounts = []
    for month, gb, price, product, free, bill in months:
        # by hand
        assert Decimal(price) == PER_GB
        assert Decimal(gb) * PER_GB == Decimal(product)
        assert Decimal(free) == 0
        assert Decimal(product).quantize(CENT, ROUND_HALF_UP) == Decimal(bill)
        amounts.append(Decimal(product))
        # what the tool printed: month, OfficeActivity events and GB, CloudAppEvents events and GB, USD, interval
        assert shown[month][4] == gb
        assert abs(Decimal(shown[month][5]) - Decimal(product)) <= Decimal("0.0005") * PER_GB + CENT / 2
    assert sum(amounts) == Decimal(total[3])
    (cost,) = [row for row in printed(run(capsys), "Cost over the 12 months:") if row[1] == "sentinel-cloudappevents"]
    assert abs(Decimal(cost[5]) - sum(amounts)) < Decimal("0.02")


def test_office_activity_adds_gb_and_no_cost(capsys: pytest.CaptureFixture[str]) -> None:
    rows = printed(run(capsys), "Cost over the 12 months:")

    (office,) = [row for row in rows if row[1] == "sentinel-officeactivity"]
    assert office[3:6] == ["0", "0", "0"]


def test_splunk_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(run(capsys, "--scenario", str(FIRM / "scenarios" / "splunk.toml"), "--format", "json"))
    (cost,) = document["scenarios"][0]["cost_horizon"]
    minimum = 5 * Decimal("2049.30")

    assert f"{minimum:,}" in README
    assert cost["without"]["mean"] == pytest.approx(float(minimum))
    assert cost["with"]["mean"] == pytest.approx(float(minimum))
    assert cost["added"]["p90"] == 0
    assert [(case["code"], case["added"]["mean"]) for case in cost["cases"]] == [
        ("capacity_full", pytest.approx(2049.30))
    ]


def test_the_truth_lies_in_the_interval_and_the_readme_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(run(capsys, "--format", "json"))
    truth = json.loads((ROOT / "sample_tenants" / "law_firm.truth.json").read_text(encoding="utf-8"))
    came = {row["operation"]: row["added"]["events"] for row in truth["horizon"]}

    def forecast(operation: str) -> dict[str, float]:
        rows: list[dict[str, Any]] = document["scenarios"][0]["volume_horizon"]
        wanted = ("sentinel-officeactivity", operation, "added")
        (one,) = [r["events"] for r in rows if (r["feed"], r["operation"], r["flow"]) == wanted]
        return dict(one)

    rows = list(table("### The truth, year 2027"))
    assert len(rows) == 4
    for name, true, mean, span in rows:
        events = forecast(f"Exchange/{name}")
        assert int(true.replace(",", "")) == came[f"Exchange/{name}"]
        assert float(mean.replace(",", "")) == pytest.approx(events["mean"], rel=0.006)
        low, high = (float(end.replace(",", "")) for end in span.split(" – "))
        assert (low, high) == pytest.approx((events["p10"], events["p90"]), rel=0.006)
    mail = forecast("Exchange/MailItemsAccessed")
    assert mail["p10"] < came["Exchange/MailItemsAccessed"] < mail["p90"]


def test_who_emits_today_is_what_the_generator_planted(capsys: pytest.CaptureFixture[str]) -> None:
    tenant = json.loads(run(capsys, "--format", "json"))["tenant"]

    assert tenant["mailboxes"] == 60
    assert tenant["emitting_today"]["Exchange/MailItemsAccessed"] == 9  # 7 E5 and 2 shared mailboxes


@pytest.mark.parametrize("story", ["scenario.toml", "scenarios/splunk.toml"])
def test_the_json_keeps_its_published_schema(story: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(run(capsys, "--scenario", str(FIRM / story), "--format", "json"))

    jsonschema.validate(document, schema("estimate"), jsonschema.Draft202012Validator)
    del document["as_of"]
    with pytest.raises(jsonschema.ValidationError, match="as_of"):
        jsonschema.validate(document, schema("estimate"), jsonschema.Draft202012Validator)


def test_both_sentinel_feeds_are_double_ingestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert "double_ingestion" in {f["code"] for f in json.loads(run(capsys, "--format", "json"))["findings"]}
