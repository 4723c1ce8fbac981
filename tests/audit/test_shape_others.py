"""Splunk, Elastic, Wazuh, and records taken apart into columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from audit_exports import compact, size
from samples import EVENTS, TALLY, elastic, exploded, lines, only, read, table, tally

from estimator.audit import recognise

BYTES = sum(map(size, EVENTS))
RAW = [{"_time": "2026-03-12", "sourcetype": "o365:management:activity", "_raw": compact(one)} for one in EVENTS]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(table(RAW), id="CSV"),
        pytest.param(lines({"preview": False, "result": row} for row in RAW), id="lines"),
        pytest.param(compact({"results": RAW}), id="results"),
        pytest.param(compact({"preview": False, "init_offset": 0, "messages": [], "fields": [{"name": "_raw"}],
                              "results": RAW, "highlighted": {}}), id="REST, whole"),
        pytest.param(
            compact({"fields": ["_time", "_raw"], "rows": [[r["_time"], r["_raw"]] for r in RAW]}), id="json_rows"
        ),
    ],
)  # fmt: skip
def test_splunk(tmp_path: Path, text: str) -> None:
    result = read(tmp_path / "s", text)
    assert (tally(result), result.rejected, int(result.table["bytes"].sum())) == (TALLY, 0, BYTES)
    assert (result.files[0].kind, result.files[0].delivered) == ("audit-splunk", True)


def test_raw_events_of_other_sources_among_them_cost_themselves(tmp_path: Path) -> None:
    result = read(tmp_path / "s.csv", table([*RAW, {**RAW[0], "_raw": "Nov 1 sshd[1]: failed"}]))
    assert (result.distinct, result.rejected) == (5, 1)


def test_a_splunk_export_of_something_else_is_none(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(table([{**RAW[0], "_raw": "Nov 1 sshd[1]: failed"}]))
    assert recognise(path) is None


@pytest.mark.parametrize("original", [True, False])
@pytest.mark.parametrize("form", ["hits", "lines", "bare"])
def test_elastic(tmp_path: Path, original: bool, form: str) -> None:
    documents = [elastic(one, original=original) for one in EVENTS]
    hits = [{"_index": "a", "_id": str(n), "_source": one} for n, one in enumerate(documents)]
    text = {
        "hits": compact({"took": 3, "_shards": {"total": 1}, "hits": {"total": {"value": 5}, "hits": hits}}),
        "lines": lines(hits),
        "bare": lines(documents),
    }[form]
    result = read(tmp_path / "e", text)
    assert (tally(result), result.rejected) == (TALLY, 0)
    assert set(result.table["size_basis"]) == {"auditdata" if original else "feed:elastic-o365"}
    if original:
        assert int(result.table["bytes"].sum()) == BYTES
    else:
        assert int(result.table["bytes"].sum()) == sum(len(compact(one).encode()) for one in documents)


def test_elastic_with_and_without_the_original_in_one_file(tmp_path: Path) -> None:
    documents = [elastic(one, original=n > 2) for n, one in enumerate(EVENTS)]
    result = read(tmp_path / "e", lines(documents))
    assert (tally(result), result.rejected) == (TALLY, 0)
    assert result.files[0].from_columns == 3


def test_elastic_names_with_dots(tmp_path: Path) -> None:
    documents = [{"@timestamp": one["CreationTime"], "event.original": compact(one)} for one in EVENTS]
    path = tmp_path / "e"
    assert tally(read(path, lines(documents), fast_lane=True)) == TALLY


def test_wazuh_records_without_operation_are_refused_and_counted(tmp_path: Path) -> None:
    events: list[Any] = [{"integration": "office365", "office365": one} for one in EVENTS]
    without = {key: value for key, value in EVENTS[0].items() if key != "Operation"}
    result = read(tmp_path / "w", lines([*events, {"integration": "office365", "office365": without}]))
    assert (tally(result), result.rejected) == (TALLY, 1)
    assert "Operation" in result.rejects[0].reason
    assert int(result.table["bytes"].sum()) == BYTES


@pytest.mark.parametrize(
    "properties", ["System.Object[]", "@{Name=MailAccessType; Value=Bind} @{Name=IsThrottled; Value=True}"]
)
def test_exploded_records_have_no_size_and_what_is_left_of_nesting(tmp_path: Path, properties: str) -> None:
    row = only(read(tmp_path / "x.csv", table([{**exploded(EVENTS[0]), "OperationProperties": properties}])))
    known = "Value=Bind" in properties
    assert (row["access_type"], row["throttled"], row["items"]) == ("Bind" if known else "", known, 3)
    assert (row["bytes"], row["size_basis"], row["subject"]) == (0, "none", "ann@contoso.example")


@pytest.mark.parametrize("shape", ["api", "hits"])
def test_pages_of_several_megabytes_are_read_row_by_row(tmp_path: Path, shape: str) -> None:
    many = [{**EVENTS[n % 5], "Id": str(n), "Noise": "x" * 3_000} for n in range(400)]
    if shape == "api":
        rows = [[f"{one['CreationTime']}Z", one["Operation"], compact(one)] for one in many]
        columns = [{"name": name, "type": "string"} for name in ("TimeGenerated", "ActionType", "RawEventData")]
        text = json.dumps({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]})
    else:
        text = compact({"took": 1, "hits": {"hits": [{"_id": "x", "_source": elastic(one)} for one in many]}})
    result = read(tmp_path / "a", text)
    assert (result.distinct, result.rejected) == (400, 0)
    cut = read(tmp_path / "b", text[: len(text) // 2])
    assert (abs(cut.distinct - 200) < 10, cut.rejected) == (True, 1)
    middle = text.index('"Id', len(text) // 2) if shape == "hits" else text.index('\\"Id', len(text) // 2)
    spoiled = read(tmp_path / "c", text[:middle] + '"]"' + text[middle:])
    assert (spoiled.distinct >= 398, spoiled.rejected >= 1) == (True, True)
