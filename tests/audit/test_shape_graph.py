"""Records of a Graph audit log query: pages, arrays, lines; identities that Graph crosses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from audit_exports import compact, size
from samples import EVENTS, TALLY, graph_record, lines, only, read, tally

RECORDS = [graph_record(one) for one in EVENTS]
BYTES = sum(map(size, EVENTS))


def page(records: list[Any], **more: Any) -> dict[str, Any]:
    return {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x", **more, "value": records}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(compact(page(RECORDS)), id="a page"),
        pytest.param(json.dumps(page(RECORDS), indent=2, ensure_ascii=False), id="a page, pretty-printed"),
        pytest.param(compact(page(RECORDS[:2])) + "\n" + compact(page(RECORDS[2:])) + "\n", id="a page a line"),
        pytest.param(compact([page(RECORDS[:2]), page(RECORDS[2:])]), id="an array of pages"),
        pytest.param(
            compact({"value": RECORDS, "@odata.nextLink": "https://x.example/?a=[1]"}), id="a link at the end"
        ),
        pytest.param(compact(RECORDS), id="an array"),
        pytest.param(lines(RECORDS), id="lines"),
        pytest.param("\ufeff" + compact(page(RECORDS)), id="a byte order mark"),
    ],
)
def test_ways_of_saving_it(tmp_path: Path, text: str) -> None:
    result = read(tmp_path / "g.json", text)
    assert (tally(result), result.rejected) == (TALLY, 0)
    assert result.files[0].kind == "audit-graph"
    # Graph's own type marks are in no feed.
    assert (int(result.table["bytes"].sum()), set(result.table["size_basis"])) == (BYTES, {"auditdata"})


def test_lines_and_arrays_are_read_by_duckdb(tmp_path: Path) -> None:
    for text in (lines(RECORDS), compact(RECORDS)):
        path = tmp_path / "g.json"
        read(path, text, fast_lane=True)


def test_identities_come_from_audit_data_and_not_from_the_crossed_fields(tmp_path: Path) -> None:
    crossed = {**RECORDS[0], "userPrincipalName": "10032001", "userId": "Ann@Contoso.Example"}
    row = only(read(tmp_path / "g.jsonl", lines([crossed])))
    assert (row["principal"], row["subject"]) == ("ann@contoso.example", "ann@contoso.example")


@pytest.mark.parametrize("data", [None, {}, ""])
def test_without_audit_data_the_crossed_fields_stand_in(tmp_path: Path, data: Any) -> None:
    bare = {**graph_record(EVENTS[2]), "auditData": data}
    result = read(tmp_path / "g.jsonl", lines([RECORDS[0], bare]))
    send = result.table[result.table["operation"] == "Send"].iloc[0]
    # The classic UserId stands under userPrincipalName, the classic UserKey under userId.
    assert (send["principal"], send["workload"], send["bytes"]) == ("ann@contoso.example", "Exchange", 0)
    assert str(send["day"].date()) == "2026-03-13"


def test_audit_data_as_text(tmp_path: Path) -> None:
    records = [{**record, "auditData": compact(record["auditData"])} for record in RECORDS]
    result = read(tmp_path / "g.jsonl", lines(records))
    assert (tally(result), int(result.table["bytes"].sum())) == (TALLY, BYTES)


def test_a_cut_page_costs_the_record_it_was_cut_in(tmp_path: Path) -> None:
    text = compact(page(RECORDS))
    result = read(tmp_path / "g.json", text[: text.index(EVENTS[4]["Id"])])
    assert (result.distinct, result.rejected) == (4, 1)


def test_a_page_of_other_things_is_none(tmp_path: Path) -> None:
    from estimator.audit import recognise

    path = tmp_path / "g.json"
    path.write_text(compact(page([{"id": "1", "userPrincipalName": "a@b.example", "assignedLicenses": []}])))
    assert recognise(path) is None
