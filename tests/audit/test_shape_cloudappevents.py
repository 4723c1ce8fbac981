"""Defender's CloudAppEvents: advanced hunting, Sentinel, the streaming API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from audit_exports import compact, shared, size
from samples import EVENTS, TALLY, cloudappevent, lines, log_analytics, read, table, tally

ROWS = [cloudappevent(one) for one in EVENTS]
SENTINEL = [cloudappevent(one, "TimeGenerated") for one in EVENTS]
BYTES = sum(map(size, EVENTS))


def streamed(row: dict[str, Any]) -> dict[str, Any]:
    return {"time": row["Timestamp"], "tenantId": "x", "category": "AdvancedHunting-CloudAppEvents", "properties": row}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(table(ROWS), id="hunting CSV"),
        pytest.param("\ufeff" + table(SENTINEL).replace("TimeGenerated", "TimeGenerated [UTC]", 1), id="Sentinel CSV"),
        pytest.param(compact({"Schema": [{"Name": "Timestamp"}], "Results": ROWS}), id="hunting API, old"),
        pytest.param(compact({"schema": [{"name": "Timestamp"}], "results": ROWS}), id="hunting API, Graph"),
        pytest.param(lines(ROWS), id="lines"),
        pytest.param(lines(map(streamed, ROWS)), id="streamed"),
        pytest.param(compact({"records": list(map(streamed, ROWS))}), id="event hub"),
        pytest.param(compact([{"records": list(map(streamed, ROWS))}]), id="event hub, array"),
        pytest.param(lines([{"records": list(map(streamed, ROWS[:2]))}, {"records": list(map(streamed, ROWS[2:]))}]),
                     id="event hub, lines"),
        pytest.param(
            log_analytics([{**row, "RawEventData": compact(row["RawEventData"])} for row in SENTINEL]), id="query API"
        ),
        pytest.param(json.dumps([{**row, "RawEventData": json.dumps(row["RawEventData"], indent=2)} for row in ROWS]),
                     id="pretty text"),
    ],
)  # fmt: skip
def test_ways_of_saving_it(tmp_path: Path, text: str) -> None:
    result = read(tmp_path / "a", text)
    assert (tally(result), result.rejected) == (TALLY, 0)
    assert result.files[0].kind == "audit-cloudappevents"
    assert set(result.table["size_basis"]) == {"auditdata"}
    ascii_escapes = "\\u" in text
    assert int(result.table["bytes"].sum()) == BYTES or ascii_escapes


@pytest.mark.parametrize("form", ["lines", "csv"])
def test_what_was_billed_is_used_where_it_is_told(tmp_path: Path, form: str) -> None:
    rows = [{**row, "_BilledSize": 3_000 + n} for n, row in enumerate(SENTINEL)]
    result = read(tmp_path / "a", lines(rows) if form == "lines" else table(rows))
    assert tally(result) == TALLY
    assert (int(result.table["bytes"].sum()), set(result.table["size_basis"])) == (
        *(15_010, {"feed:sentinel-cloudappevents"}),
    )


@pytest.mark.parametrize("form", ["lines", "csv"])
def test_without_raw_event_data_the_other_columns_stand_in(tmp_path: Path, form: str) -> None:
    rows = [ROWS[0], {**ROWS[2], "RawEventData": None}]
    result = read(tmp_path / "a", lines(rows) if form == "lines" else table(rows))
    send = result.table[result.table["operation"] == "Send"].iloc[0]
    assert (send["principal"], send["workload"], send["bytes"], send["size_basis"]) == (
        *("ann@contoso.example", "Exchange", 0, "none"),
    )
    assert result.rejected == 0


#: A row of another table in one export with CloudAppEvents, as a union of advanced hunting tables gives it.
STRANGER = {**dict.fromkeys(ROWS[0], None), "Timestamp": "2026-03-13T10:00:00Z", "ActionType": "LdapSearch",
            "DeviceName": "dc1", "InitiatingProcessAccountUpn": "ann@contoso.example"}  # fmt: skip


@pytest.mark.parametrize("form", ["lines", "csv"])
def test_rows_of_other_tables_are_refused(tmp_path: Path, form: str) -> None:
    """They have neither a record nor an ApplicationId: CloudAppEvents has one of an application in every row."""
    bare = {**ROWS[2], "RawEventData": None}
    rows = [
        ROWS[0],
        STRANGER,
        {**STRANGER, "Application": "Active Directory"},
        {**bare, "ActionType": "New-Thing", "ReportId": "1"},  # of an application, whatever the catalogue knows
        {**bare, "ApplicationId": None},  # an operation that the catalogue knows, ApplicationId not exported
    ]
    result = read(tmp_path / "a", lines(rows) if form == "lines" else table(rows))
    assert (result.read, result.distinct, result.rejected) == (5, 3, 2)
    assert set(result.table["operation"]) == {"MailItemsAccessed", "New-Thing", "Send"}
    assert {reject.reason for reject in result.rejects} == {
        "no record in RawEventData, and the other columns are no row of this shape: ActionType and a date, with "
        "ApplicationId or an operation that the catalogue knows"
    }


def test_records_behind_many_rows_of_other_tables_are_read_from_their_raw_event_data(tmp_path: Path) -> None:
    """More strangers than recognisers are shown."""
    result = read(tmp_path / "a.jsonl", lines([*[STRANGER] * 300, *ROWS]))
    assert (tally(result), result.rejected, int(result.table["bytes"].sum())) == (TALLY, 300, BYTES)


def test_the_other_tables_of_a_real_export(tmp_path: Path) -> None:
    """OTRF's: five LdapSearch of Defender for Endpoint, two of Defender for Identity, two of CloudAppEvents."""
    result = read(shared("samples/otrf/Microsoft365DefenderEvents.json"))
    assert (result.read, result.distinct, result.rejected) == (9, 2, 7)
    assert set(result.table["operation"]) == {"MailItemsAccessed", "Add delegated permission grant."}


def test_a_row_exported_twice_without_raw_event_data_is_one(tmp_path: Path) -> None:
    rows = [ROWS[0], *[{**ROWS[2], "RawEventData": None}] * 2]
    result = read(tmp_path / "a.jsonl", lines(rows))
    assert (result.distinct, result.duplicates) == (2, 1)


def test_lines_are_read_by_duckdb(tmp_path: Path) -> None:
    for text in (lines(ROWS), lines(map(streamed, ROWS)), table(ROWS)):
        path = tmp_path / "a"
        read(path, text, fast_lane=True)


def test_copies_of_audit_records_are_found(tmp_path: Path) -> None:
    from estimator.audit import reduce

    (tmp_path / "a.jsonl").write_text(lines(ROWS))
    (tmp_path / "r.jsonl").write_text(lines(EVENTS))
    result = reduce([tmp_path])
    assert (result.distinct, result.duplicates) == (5, 5)
