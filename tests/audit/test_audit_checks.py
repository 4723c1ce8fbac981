"""What a sample says against itself."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from audit_exports import as_csv, csv_text, record, write

from estimator.audit import reduce
from estimator.findings import Finding

WEEK = [record(n, CreationTime=f"{date(2026, 3, 2) + timedelta(n)}T12:00:00") for n in range(7)]


def codes(*paths: Path) -> dict[str, Finding]:
    return {finding.code: finding for finding in reduce(paths).findings}


def test_a_clean_week_has_no_findings(tmp_path: Path) -> None:
    assert codes(write(tmp_path / "a", as_csv(WEEK))) == {}


@pytest.mark.parametrize(("rows", "capped"), [(99, False), (100, True), (101, False), (5_000, True)])
def test_a_file_at_an_export_limit(tmp_path: Path, rows: int, capped: bool) -> None:
    path = write(tmp_path / "a", as_csv(record(n, CreationTime=WEEK[n % 7]["CreationTime"]) for n in range(rows)))
    found = codes(path)
    assert ("sample_at_cap" in found) == capped
    if capped:
        assert found["sample_at_cap"].severity == "warning"
        assert found["sample_at_cap"].path == str(path)
        assert "at least" in found["sample_at_cap"].message


def test_the_limit_is_looked_for_in_each_file(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, as_csv(record(n) for n in range(50))) for name in "ab"]
    assert "sample_at_cap" not in codes(*paths)


@pytest.mark.parametrize(("copies", "severity"), [(1, "info"), (30, "warning")])
def test_duplicates(tmp_path: Path, copies: int, severity: str) -> None:
    records = [record(n, CreationTime=WEEK[n % 7]["CreationTime"]) for n in range(70)]
    finding = codes(write(tmp_path / "a", as_csv(records + records[:copies])))["duplicate_records"]
    assert finding.severity == severity
    assert f"{copies} of {70 + copies}" in finding.message


def test_rejected_rows(tmp_path: Path) -> None:
    text = as_csv(WEEK).decode() + csv_text(["{"]).partition("\r\n")[2]
    finding = codes(write(tmp_path / "a", text.encode()))["rows_rejected"]
    assert finding.severity == "warning"
    assert "1 of 8" in finding.message
    assert "line 9" in finding.message


def test_throttled_mailboxes(tmp_path: Path) -> None:
    throttled = record(9, OperationProperties=[{"Name": "IsThrottled", "Value": "True"}])
    finding = codes(write(tmp_path / "a", as_csv([*WEEK, throttled])))["throttled_mailboxes"]
    assert "1 records of 1 mailboxes" in finding.message


@pytest.mark.parametrize(
    ("days", "short"), [(range(6), True), (range(7), False), ((0, 6), True), ((0, 1, 2, 3, 7), False)]
)
def test_short_samples(tmp_path: Path, days: tuple[int, ...], short: bool) -> None:
    records = [record(n, CreationTime=f"{date(2026, 3, 2) + timedelta(n)}T12:00:00") for n in days]
    assert ("short_sample" in codes(write(tmp_path / "a", as_csv(records)))) == short
