"""Counts made at the source: they come to what the records come to, and take part in an estimate like them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from audit_exports import as_csv, compact, record, write
from samples import EVENTS, counts_rows, lines, only, read, table

from estimator.audit import reduce
from estimator.audit.measure import measure
from estimator.audit.shapes.counts import COLUMNS
from estimator.errors import AuditExportError
from estimator.pipeline import estimate
from tests.conftest import AUDIT, Tenant, audit_jsonl

ROOT = Path(__file__).parents[2]
DAY = {"day": "2026-03-12", "operation": "Send", "events": 4}


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
@pytest.mark.parametrize("true_count", [None, 24])
def test_counts_of_a_sample_give_its_table(tmp_path: Path, suffix: str, true_count: int | None) -> None:
    records = [record(n % 10, UserId=f"u{n % 3}@contoso.com", CreationTime=f"2026-03-0{1 + n % 10 % 5}T10:00:00")
               for n in range(12)]  # fmt: skip
    raw, out = write(tmp_path / "a.csv", as_csv([*records])), tmp_path / f"counts.{suffix}"
    counts = {None: true_count} if true_count else None
    measure([raw], out=out, true_counts=counts)
    of_records, of_counts = reduce([raw], true_counts=counts), reduce([out])
    pd.testing.assert_frame_equal(of_records.table, of_counts.table)
    assert (of_counts.read, of_counts.distinct, of_counts.duplicates) == (12, 10, 2)
    assert set(of_counts.table["weight"]) == {2.0 if true_count else 1.0}


def volumes(root: Path) -> Any:
    return [one["volume_horizon"] for one in _scenarios(root)], [one["volume"] for one in _scenarios(root)]


def _scenarios(root: Path) -> Any:
    return estimate(root, as_of=dt.date(2026, 11, 23), draws=100).to_json()["scenarios"]


def test_counts_take_part_in_an_estimate_like_the_records(tenant: Tenant, tmp_path: Path) -> None:
    raw = write(tmp_path / "audit.jsonl", audit_jsonl(*AUDIT).encode())
    measure([raw], out=tmp_path / "counts.csv")
    counts = (tmp_path / "counts.csv").read_text()
    of_records = tenant()
    of_counts = tenant({"audit.jsonl": None, "counts.csv": counts}, folder="counted")
    assert volumes(of_records) == volumes(of_counts)


# ------------------------------------------------------------------------------------------------- the shape


def test_what_is_left_out(tmp_path: Path) -> None:
    row = only(read(tmp_path / "n.csv", table([DAY])))
    del row["day"]
    assert row == {
        **dict.fromkeys(("subject", "principal", "access_type", "app_id"), ""), "subject_kind": "tenant",
        "workload": "", "operation": "Send", "throttled": False, "events": 4, "raw_events": 4, "items": 4,
        "bytes": 0, "size_basis": "none", "weight": 1.0,
    } | {"workload": row["workload"]}  # fmt: skip
    assert row["workload"] == "Exchange"  # no other workload has Send


def test_sizes_without_a_basis_are_none(tmp_path: Path) -> None:
    assert only(read(tmp_path / "n.csv", table([{**DAY, "bytes": 900}])))["size_basis"] == "none"


@pytest.mark.parametrize("number", ["4", "4.0", " 4 ", "4E0"])
def test_numbers_as_tools_write_them(tmp_path: Path, number: str) -> None:
    assert only(read(tmp_path / "n.csv", table([{**DAY, "events": number}])))["events"] == 4


def test_spellings_and_order_of_columns(tmp_path: Path) -> None:
    row = {"Events": 4, "OPERATION": "Send", "Day": "2026-03-12T00:00:00Z", "Subject": "Ann@Contoso.Example", "more": 1}
    assert only(read(tmp_path / "n.csv", table([row])))["subject"] == "ann@contoso.example"


@pytest.mark.parametrize(
    "bad",
    [
        {"events": 0}, {"events": -1}, {"events": "many"}, {"events": ""}, {"operation": " "}, {"day": "soon"},
        {"raw_events": 3}, {"weight": 0.5}, {"weight": "x"}, {"weight": "NaN"}, {"weight": "inf"},
    ],
)  # fmt: skip
def test_a_bad_row_is_refused(tmp_path: Path, bad: dict[str, Any]) -> None:
    good = {**DAY, "operation": "Update", "raw_events": 4, "weight": 1}
    result = read(tmp_path / "n.csv", table([good, {**good, "operation": "Send", **bad}]))
    assert set(result.table["operation"]) == {"Update"}
    assert result.rejected >= 1
    assert len(result.rejects) == 1


# --------------------------------------------------------------------------------------------------- overlaps


def files(tmp_path: Path, *contents: str) -> Sequence[Path]:
    return [write(tmp_path / f"{n}.json", content.encode()) for n, content in enumerate(contents)]


def test_counts_beyond_all_counting_are_an_error(tmp_path: Path) -> None:
    rows = [{**DAY, "day": f"2026-{1 + n // 28:02d}-{1 + n % 28:02d}", "bytes": 9 * 10**14, "size_basis": "auditdata",
             "subject": f"u{k}@c.de"} for n in range(300) for k in range(40)]  # fmt: skip
    with pytest.raises(AuditExportError, match="add up to more than can be counted"):
        reduce([write(tmp_path / "a.csv", table(rows).encode())])


def test_counts_of_days_with_records_are_refused(tmp_path: Path) -> None:
    other = {**DAY, "day": "2026-03-01"}
    result = reduce(files(tmp_path, lines(EVENTS), lines([DAY, other])))
    assert (result.read, result.distinct, result.rejected) == (13, 9, 4)
    assert [finding.code for finding in result.findings if finding.code == "counts_overlap"] == ["counts_overlap"]


def test_counts_of_one_operation_and_day_in_two_files_are_refused(tmp_path: Path) -> None:
    result = reduce(files(tmp_path, lines([DAY]), lines([DAY, {**DAY, "operation": "Update"}])))
    assert (result.read, result.distinct, result.rejected) == (12, 8, 4)


def test_a_query_split_by_days_is_one_sample(tmp_path: Path) -> None:
    rows = counts_rows()
    days = sorted({row["day"] for row in rows})
    split = reduce(files(tmp_path, *(compact([row for row in rows if row["day"] == day]) for day in days)))
    whole = reduce([write(tmp_path / "whole.json", compact(rows).encode())])
    pd.testing.assert_frame_equal(split.table, whole.table)
    assert split.rejected == 0


# ------------------------------------------------------------------------------------------------- documentation


def test_the_document_names_every_column_and_every_query() -> None:
    text = (ROOT / "docs" / "counts.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) >= set(COLUMNS)
    queries = {path.name: path.read_text() for path in (ROOT / "estimator" / "collect").iterdir() if path.suffix in
               (".kql", ".spl", ".esql")}  # fmt: skip
    assert {name for name in queries if name in text} == set(queries)
    for quoted in re.findall(r"```(?:kql|spl|esql)\n(.*?)\n```", text, re.DOTALL):
        assert any(quoted in query for query in queries.values())
    for query in queries.values():
        assert "Only reads" in query
        for column in ("day", "operation", "events"):
            assert re.search(rf"\b{column}\b", query)
