"""What the main job makes of a doubtful sample: every finding reaches every output, a cut sample is at least."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from estimator import audit
from estimator.findings import Finding
from estimator.pipeline import Estimate, estimate
from estimator.report import render
from tests.conftest import Tenant, audit_jsonl, audit_record

AS_OF = dt.date(2026, 11, 23)


def result_of(root: Path) -> Estimate:
    return estimate(root, as_of=AS_OF, draws=200)


def reduced(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    """Let the reduction come out with other fields than the files would give."""
    real = audit.reduce
    monkeypatch.setattr(audit, "reduce", lambda *args, **how: replace(real(*args, **how), **fields))


@pytest.mark.parametrize("cut", [False, True])
def test_volumes_of_a_cut_sample_are_at_least(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, cut: bool) -> None:
    reduced(monkeypatch, cut=cut)
    result = result_of(tenant({"scenario.toml": STORY}))
    table = render.text(result, "table")

    assert result.not_known == []
    assert result.to_json()["complete"] == (not cut)
    assert ("at least" in table.split("Findings")[0].casefold()) == cut


#: Nothing is asked for that has no rate.
STORY = """\
schema_version = 1
id     = "enable"
title  = "Enable"
start  = 2027-01-01
months = 2

[[feeds]]
id        = "sentinel-officeactivity"
connected = true

[[changes]]
kind       = "enable"
operations = ["Exchange/MailItemsAccessed"]
"""


def test_every_finding_of_the_sample_reaches_every_output(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tenant()
    shown = str(root / "audit.jsonl")
    codes = {f"a_code_{severity}": severity for severity in ("info", "warning")}
    findings = [Finding(code, severity, f"{shown}: odd.", shown) for code, severity in codes.items()]  # type: ignore[arg-type]
    reduced(monkeypatch, findings=findings)
    result = result_of(root)

    assert {f["code"]: f["severity"] for f in result.to_json()["findings"]}.items() >= codes.items()
    for form in ("table", "markdown"):
        text = render.text(result, form)
        for code in codes:
            assert code.replace("_", r"\_" if form == "markdown" else "_") in text or code in text
        assert str(root) not in text
    (one,) = [f for f in json.loads(render.text(result, "json"))["findings"] if f["code"] == "a_code_info"]
    assert (one["path"], one["message"]) == ("audit.jsonl", "audit.jsonl: odd.")


def test_a_file_at_a_limit_marks_the_estimate(tenant: Tenant) -> None:
    records = [audit_record(n) for n in range(100)]
    found = result_of(tenant({"audit.jsonl": audit_jsonl(*records), "scenario.toml": STORY})).to_json()

    assert not found["complete"]
    assert "sample_at_cap" in {finding["code"] for finding in found["findings"]}


def test_a_day_that_is_missing_does_not_lower_what_flows(tenant: Tenant) -> None:
    """Two weeks, fifty records a weekday; without one of the days nothing changes but the number of them."""
    days = [day for day in range(2, 14) if day not in (7, 8)]
    records = [
        audit_record(n, CreationTime=f"2026-11-{day:02}T{9 + n % 8:02}:00:00", Id=f"{day}-{n}")
        for day in days
        for n in range(50)
    ]
    holed = [one for one in records if not one["CreationTime"].startswith("2026-11-11")]

    def flowing(folder: str, *rows: dict[str, Any]) -> tuple[float, int, set[str]]:
        result = result_of(tenant({"audit.jsonl": audit_jsonl(*rows), "scenario.toml": STORY}, folder))
        rates = result.model.operations["Exchange/MailItemsAccessed"]
        return float(rates.flowing.people.mean()), len(result.model.sampled_days), {f.code for f in result.findings}

    whole, with_hole = flowing("whole", *records), flowing("holed", *holed)

    assert whole[1:] == (12, whole[2])
    assert "sample_gap_days" not in whole[2]
    assert with_hole[1] == 11
    assert "sample_gap_days" in with_hole[2]
    assert with_hole[0] == pytest.approx(whole[0], rel=0.02)
