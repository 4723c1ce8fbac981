"""Records as the Management Activity API delivers them: arrays, lines, pretty-printed, several together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from audit_exports import compact, size
from samples import EVENTS, TALLY, lines, only, read, tally

BYTES = sum(map(size, EVENTS))


@pytest.mark.parametrize(
    ("encoding", "newline", "last"),
    [
        *(("utf-8", "\n", False), ("utf-8-sig", "\r\n", True), ("utf-16", "\r\n", True)),
        *(("utf-16-le", "\n", False), ("utf-16-be", "\r\n", True)),
    ],
)
@pytest.mark.parametrize("array", [True, False])
def test_encodings_line_ends_and_the_last_line(
    tmp_path: Path, encoding: str, newline: str, last: bool, array: bool
) -> None:
    text = "[" + lines(EVENTS).rstrip().replace("\n", ",\n") + "]\n" if array else lines(EVENTS)
    text = text.replace("\n", newline)
    path = tmp_path / "r.json"
    result = read(path, (text if last else text.rstrip("\r\n")).encode(encoding), fast_lane=True)
    assert (tally(result), int(result.table["bytes"].sum())) == (TALLY, BYTES)


@pytest.mark.parametrize("indent", [1, 2, 4, "\t"])
@pytest.mark.parametrize("array", [True, False])
def test_white_space_between_is_no_part_of_a_record(tmp_path: Path, indent: int | str, array: bool) -> None:
    def pretty(value: object) -> str:
        return json.dumps(value, indent=indent, ensure_ascii=False)

    text = pretty(EVENTS) if array else "\n\n".join(map(pretty, EVENTS))
    result = read(tmp_path / "r.json", text)
    assert (tally(result), int(result.table["bytes"].sum())) == (TALLY, BYTES)


def test_content_blobs_saved_one_after_the_other(tmp_path: Path) -> None:
    text = compact(EVENTS[:2]) + "\n" + compact(EVENTS[2:]) + "\n[]\n"
    assert tally(read(tmp_path / "r.json", text)) == TALLY


def test_blobs_one_a_line_without_objects_between(tmp_path: Path) -> None:
    assert tally(read(tmp_path / "r.json", compact([EVENTS[0]]) + compact(EVENTS[1:]))) == TALLY


def test_copies_are_delivered_by_design_and_told_so(tmp_path: Path) -> None:
    result = read(tmp_path / "r.jsonl", lines([*EVENTS, *EVENTS[:2]]))
    assert (result.read, result.distinct, result.duplicates) == (7, 5, 2)
    assert int(result.table["raw_events"].sum()) == 7
    assert result.files[0].delivered


@pytest.mark.parametrize("record_type", [50, "50", "ExchangeItemAggregated", None, 9_999])
def test_record_type_is_not_what_a_record_is_told_by(tmp_path: Path, record_type: object) -> None:
    one = {**EVENTS[0], "RecordType": record_type}
    row = only(read(tmp_path / "r.jsonl", lines([one])))
    assert (row["workload"], row["operation"], row["access_type"], row["items"]) == (
        *("Exchange", "MailItemsAccessed", "Bind", 3),
    )


def test_sync_has_no_folders_and_one_item(tmp_path: Path) -> None:
    row = only(read(tmp_path / "r.jsonl", lines([EVENTS[1]])))
    assert (row["access_type"], row["items"], row["throttled"]) == ("Sync", 1, False)


def test_trailing_garbage_costs_itself_alone(tmp_path: Path) -> None:
    for text in (compact(EVENTS) + "\n<html>oops</html>", lines(EVENTS) + "<html>oops</html>"):
        result = read(tmp_path / "r.json", text)
        assert (result.distinct, result.rejected) == (5, 1)


def test_commas_and_ellipses_of_documentation_pages(tmp_path: Path) -> None:
    text = "[\n" + ",\n".join(map(compact, EVENTS)) + ",\n...\n]"
    result = read(tmp_path / "r.json", text)
    assert (tally(result), result.rejected) == (TALLY, 1)


@pytest.mark.parametrize("time", ["2026-03-12T07:31:34", "2026-03-12T07:31:34Z", "2026-03-12T09:31:34+02:00"])
def test_a_time_without_zone_is_utc(tmp_path: Path, time: str) -> None:
    result = read(tmp_path / "r.jsonl", lines([{**EVENTS[0], "CreationTime": time}]))
    assert result.hours["hour"].tolist() == [7]
