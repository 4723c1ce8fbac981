"""Sentinel's OfficeActivity: no AuditData, nested values as text, names and numbers in one column, its own size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from audit_exports import compact
from samples import (
    EVENTS,
    TALLY,
    Row,
    flattened,
    lines,
    log_analytics,
    officeactivity_row,
    only,
    read,
    table,
    tally,
)

from estimator.audit import reduce

ROWS = [officeactivity_row(one) for one in EVENTS]


def billed(row: Mapping[str, Any]) -> int:
    """The text of the values of all columns but Type and those with a leading underscore."""
    return sum(len(str(value).encode()) for name, value in row.items() if name != "Type" and not name.startswith("_"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(lines(ROWS), id="lines"),
        pytest.param(compact(ROWS), id="array"),
        pytest.param(table(ROWS), id="csv"),
        pytest.param(log_analytics(ROWS), id="query API"),
        pytest.param(json.dumps([{**row, "TableName": "PrimaryResult"} for row in ROWS], indent=2), id="az CLI"),
        pytest.param(lines({"time": "x", "category": "OfficeActivity", "properties": row} for row in ROWS), id="hub"),
    ],
)
def test_size_is_the_text_of_the_values(tmp_path: Path, text: str) -> None:
    result = read(tmp_path / "o", text)
    assert tally(result) == TALLY
    assert set(result.table["size_basis"]) == {"feed:sentinel-officeactivity"}
    assert int(result.table["bytes"].sum()) == sum(map(billed, ROWS))


def test_size_of_one_row_by_hand(tmp_path: Path) -> None:
    row = {"OfficeWorkload": "Exchange", "Operation": "Send", "TimeGenerated": "2026-03-12T07:31:34Z",
           "UserId": "ü@b.example", "Count": 12, "Flag": True, "Nothing": None, "_ResourceId": "not counted",
           "Type": "OfficeActivity"}  # fmt: skip
    result = read(tmp_path / "o.jsonl", lines([row]))
    assert only(result)["bytes"] == 8 + 4 + 20 + 12 + 2 + 4


@pytest.mark.parametrize("form", ["lines", "csv"])
def test_what_was_billed_is_used_where_it_is_told(tmp_path: Path, form: str) -> None:
    rows = [{**row, "_BilledSize": 1_000 + n, "_IsBillable": "False"} for n, row in enumerate(ROWS)]
    result = read(tmp_path / "o", lines(rows) if form == "lines" else table(rows))
    assert (int(result.table["bytes"].sum()), set(result.table["size_basis"])) == (
        *(5_010, {"feed:sentinel-officeactivity"}),
    )


@pytest.mark.parametrize("zone", ["UTC", "Local", "UTC+01:00"])
def test_the_zone_behind_the_names_of_date_columns(tmp_path: Path, zone: str) -> None:
    columns = list(ROWS[0])
    text = table([{**row, "Start_Time": ""} for row in ROWS], [*columns, "Start_Time"])
    text = text.replace("TimeGenerated", f"TimeGenerated [{zone}]", 1).replace("Start_Time", f"Start_Time [{zone}]", 1)
    path = tmp_path / "o.csv"
    result = read(path, "\ufeff" + text, fast_lane=True)
    assert tally(result) == TALLY
    assert result.files[0].zone == ("" if zone == "UTC" else zone)


def test_the_portals_dates(tmp_path: Path) -> None:
    rows = [{**ROWS[2], "TimeGenerated": "4/28/2021, 3:05:26.000 PM"}]
    result = read(tmp_path / "o.csv", table(rows))
    assert (str(result.first), result.hours["hour"].tolist()) == ("2021-04-28", [15])


def test_record_type_is_a_name_or_a_number_in_one_column(tmp_path: Path) -> None:
    # Where the workload is not told, it is the record type's.
    rows = [{**ROWS[0], "OfficeId": str(n), "SourceRecordId": "", "OfficeWorkload": "", "Operation": "Invented",
             "RecordType": kind} for n, kind in enumerate(["ExchangeItem", "50", 36, "56"])]  # fmt: skip
    result = read(tmp_path / "o.jsonl", lines([*rows, *ROWS]))
    found = result.table[result.table["operation"] == "Invented"].groupby("workload")["events"].sum().to_dict()
    assert found == {"Exchange": 2, "SharePoint": 2}


@pytest.mark.parametrize("form", ["text", "pretty", "list", "reversed", "flattened", "flattened, reversed", "object"])
def test_nested_values_in_every_form(tmp_path: Path, form: str) -> None:
    pairs = [{"Name": "MailAccessType", "Value": "Bind"}, {"Name": "IsThrottled", "Value": "True"}]
    forms: dict[str, Any] = {
        "text": compact(pairs),
        "pretty": json.dumps(pairs, indent=2).replace("\n", "\r\n"),
        "list": pairs,
        "reversed": [{"Value": pair["Value"], "Name": pair["Name"]} for pair in pairs[::-1]],
        "flattened": ["@{Name=MailAccessType; Value=Bind}", "@{Name=IsThrottled; Value=True}"],
        "flattened, reversed": ["@{Value=Bind; Name=MailAccessType}", "@{Value=True; Name=IsThrottled}"],
        "object": {"MailAccessType": "Bind", "IsThrottled": "True"},
    }
    row = only(read(tmp_path / "o.jsonl", lines([{**ROWS[0], "OperationProperties": forms[form]}])))
    assert (row["access_type"], row["throttled"]) == ("Bind", True)


def test_items_are_the_messages_in_folders_or_the_count(tmp_path: Path) -> None:
    assert only(read(tmp_path / "o.jsonl", lines(ROWS[:1])))["items"] == 3
    assert only(read(tmp_path / "o.jsonl", lines([{**ROWS[0], "OperationCount": "7"}])))["items"] == 7
    assert only(read(tmp_path / "o.jsonl", lines([flattened(EVENTS[0])])))["items"] == 3


def test_the_reason_names_the_columns_of_the_shape(tmp_path: Path) -> None:
    rows = [
        ROWS[0],
        {**ROWS[1], "Operation": ""},
        {**ROWS[2], "TimeGenerated": ""},
        {**ROWS[3], "TimeGenerated": "soon"},
    ]
    result = read(tmp_path / "o.csv", table(rows) + "too,short\r\n")
    assert [reject.reason for reject in result.rejects] == [
        "no Operation",
        "no TimeGenerated",
        "TimeGenerated 'soon' is not a readable day",
        "not a row of the header's columns",
    ]


def test_line_breaks_within_values(tmp_path: Path) -> None:
    assert ROWS[0]["OriginatingServer"].endswith("\r\n")
    path = tmp_path / "o.csv"
    assert tally(read(path, table(ROWS), fast_lane=True)) == TALLY


def test_no_time_column_at_all_is_no_sample(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    rows = [{key: value for key, value in row.items() if key != "TimeGenerated"} for row in ROWS]
    path.write_text(table(rows), newline="")
    good = tmp_path / "good.jsonl"
    good.write_text(lines(ROWS))
    result = reduce([path, good])
    assert (result.read, result.distinct, result.rejected) == (10, 5, 5)


@pytest.mark.parametrize("columns", [("OfficeId",), ("SourceRecordId",), ("OfficeId", "SourceRecordId")])
def test_its_record_id_tells_copies_from_records_of_other_exports(tmp_path: Path, columns: tuple[str, ...]) -> None:
    first, second = tmp_path / "o.jsonl", tmp_path / "r.jsonl"
    names = {"OfficeId", "SourceRecordId"} - set(columns)
    rows: list[Row] = [{key: value for key, value in row.items() if key not in names} for row in ROWS]
    first.write_text(lines(rows))
    second.write_text(lines(EVENTS))
    result = reduce([first, second])
    assert (result.distinct, result.duplicates) == (5, 5)
    assert set(result.table["size_basis"]) == {"auditdata"}  # the better known of the two


def test_a_lab_export_of_others(shared: Path) -> None:
    result = read(shared / "samples/otrf/OfficeActivityEvents.json")
    assert (result.rejected, {row["operation"] for row in result.table.to_dict("records")}) == (
        0,
        {"MailItemsAccessed"},
    )
    row = only(result)
    assert (row["items"], row["access_type"]) == (7, "Bind")
