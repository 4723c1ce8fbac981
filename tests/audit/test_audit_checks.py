"""What a sample says against itself: accounts, tables and hours by hand, and what the doctor makes of them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from audit_exports import as_csv, csv_text, record, write

from estimator import tables
from estimator.audit import FileCount, Reject, doctor, reduce
from estimator.audit.doctor.digest import hour_rows
from estimator.findings import Finding

MONDAY = dt.date(2026, 3, 2)
GUID = "3c8e478f-21ca-493a-b87c-c7366d664d54"


def day(number: int) -> dt.date:
    return MONDAY + dt.timedelta(number)


def account(rows: int = 70, **fields: Any) -> FileCount:
    """The account of one file of `rows` distinct records."""
    shown = str(fields.pop("shown", "a.csv"))
    base: dict[str, Any] = {
        "path": Path(shown), "shown": shown, "kind": "audit-rows", "title": "", "read": rows, "rows": rows,
        "distinct": rows, "rejected": 0, "first": day(0), "last": day(6),
    }  # fmt: skip
    return FileCount(**{**base, **fields})


def found(findings: Iterable[Finding]) -> dict[str, Finding]:
    out: dict[str, Finding] = {}
    for finding in findings:
        assert finding.code not in out, finding.code
        assert finding.message[-1] == "."
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", finding.code)
        out[finding.code] = finding
    return out


def row(events: int = 1, **cells: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "day": day(0), "subject": "ann@x.example", "subject_kind": "mailbox", "principal": "ann@x.example",
        "workload": "Exchange", "operation": "MailItemsAccessed", "access_type": "", "app_id": "", "throttled": False,
        "events": events, "raw_events": events, "items": events, "bytes": events * 1000, "size_basis": "auditdata",
        "weight": 1.0,
    }  # fmt: skip
    return {**base, **cells}


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)[tables.REDUCTION.names].astype({"day": "datetime64[us]"})
    return tables.REDUCTION.check(frame, "test")


NO_HOURS = tables.HOURS.empty()


def of_table(frame: pd.DataFrame) -> doctor.Digest:
    return doctor.Digest.of(frame, NO_HOURS)


def digest(*rows: dict[str, Any]) -> doctor.Digest:
    return of_table(table(*rows))


def gaps(frame: pd.DataFrame) -> Iterator[Finding]:
    return doctor.gaps(hour_rows(frame))


# ---------------------------------------------------------------------------------------------- truncation


@pytest.mark.parametrize(
    ("rows", "kind", "limit"),
    [
        (99, "audit-rows", ""),
        (100, "audit-rows", "without -ResultSize"),
        (101, "audit-rows", ""),
        (5_000, "audit-rows", "one call of Search-UnifiedAuditLog"),
        (10_000, "audit-rows", "mixed commands"),
        (50_000, "audit-rows", "Audit Standard"),
        (100_000, "audit-graph", "Purview portal"),
        (500_000, "audit-rows", "Audit Premium, 2023"),
        (1_000_000, "audit-rows", "Graph query"),
        (1_048_575, "audit-rows", "an Excel sheet"),
        (30_000, "audit-officeactivity", "the Log Analytics query window"),
        (30_000, "audit-cloudappevents", "the Log Analytics query window"),
        (30_000, "audit-rows", ""),
        (500_000, "audit-officeactivity", "the Log Analytics API"),
        (100_000, "audit-cloudappevents", "advanced hunting"),
        (1_000, "audit-elastic", "ES|QL query without LIMIT"),
        (10_000, "audit-elastic", "an ES|QL query"),
        (1_000, "audit-rows", ""),
        (50_000, "audit-splunk", "a Splunk search"),
        (30_000, "audit-counts", "Log Analytics"),
        (50_000, "audit-counts", "a Splunk search"),
        (1_000, "audit-counts", "ES|QL"),
        (100, "audit-counts", ""),
    ],
)
def test_a_file_at_a_row_limit(rows: int, kind: str, limit: str) -> None:
    file = account(rows, kind=kind, counts=kind == "audit-counts")
    codes = found(doctor.cut_exports([account(99), file]))

    assert doctor.is_cut(file) == bool(limit)
    assert set(codes) == ({"sample_at_cap"} if limit else set())
    if limit:
        finding = codes["sample_at_cap"]
        assert (finding.severity, finding.path) == ("warning", "a.csv")
        assert f"exactly {rows:,}" in finding.message
        assert limit in finding.message
        assert '"at least"' in finding.message


def test_counts_are_judged_by_their_rows_and_not_by_the_records_they_stand_for() -> None:
    assert not doctor.is_cut(account(41, kind="audit-counts", counts=True, read=50_000, distinct=50_000))
    assert doctor.is_cut(account(30_000, kind="audit-counts", counts=True, read=812_345, distinct=812_345))


def test_a_file_that_holds_less_than_its_resultcount_says() -> None:
    whole, cut = account(4_321, result_count=4_321), account(4_321, result_count=12_000)
    more = account(9_000, result_count=4_000)  # two searches in one file

    assert [doctor.is_cut(file) for file in (whole, cut, more)] == [False, True, False]
    finding = found(doctor.cut_exports([whole, cut, more]))["sample_cut"]
    assert "ResultCount says 12,000, the file holds 4,321" in finding.message


def test_a_true_count_corrects_a_file_that_was_cut() -> None:
    file = account(50_000, true_count=150_000, time_ordered=False)
    codes = found(doctor.cut_exports([file]))

    assert not doctor.is_cut(file)
    assert doctor.weight_of(file) == 3
    assert set(codes) == {"sample_corrected"}
    assert codes["sample_corrected"].severity == "info"
    assert "50,000 of 150,000 rows; every record counts 3 times" in codes["sample_corrected"].message


@pytest.mark.parametrize("ordered", [None, False, True])
def test_a_true_count_that_is_the_files_own_says_that_it_is_whole(ordered: bool | None) -> None:
    file = account(50_000, true_count=50_000, time_ordered=ordered)

    assert not doctor.is_cut(file)
    assert doctor.weight_of(file) == 1
    assert found(doctor.cut_exports([file])) == {}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"time_ordered": True, "true_count": 150_000, "kind": "audit-splunk"}, "its rows run in time order"),
        ({"counts": True, "kind": "audit-counts", "true_count": 150_000}, "a table of counts lacks whole mailboxes"),
        ({"true_count": 20_000}, "the file holds 50,000 rows, more than that"),
    ],
)
def test_a_true_count_that_cannot_be_used(fields: dict[str, Any], why: str) -> None:
    file = account(50_000, **fields)
    codes = found(doctor.cut_exports([file]))

    assert doctor.is_cut(file)
    assert doctor.weight_of(file) == 1
    assert set(codes) == {"sample_at_cap", "true_count_not_applied"}
    assert why in codes["true_count_not_applied"].message
    assert 'stay "at least"' in codes["true_count_not_applied"].message


@pytest.mark.parametrize(("rows", "whole", "weight"), [(5_000, True, 1), (50_000, False, 1), (50_000, True, 3)])
def test_rows_in_time_order_were_sorted_if_a_large_set_has_whole_edges(rows: int, whole: bool, weight: float) -> None:
    file = account(rows, true_count=3 * rows, time_ordered=True, whole_edges=whole)
    codes = found(doctor.cut_exports([file]))

    assert doctor.weight_of(file) == weight
    assert doctor.is_cut(file) == (weight == 1)
    assert ("sample_corrected" in codes) == (weight > 1)
    assert any("run in time order" in finding.message for finding in codes.values())


def test_a_true_count_is_itself_a_sign_of_a_cut() -> None:
    ordered, mixed = (account(48_123, true_count=90_000, time_ordered=order) for order in (True, False))

    assert [doctor.is_cut(file) for file in (ordered, mixed)] == [True, False]
    assert doctor.weight_of(mixed) == pytest.approx(90_000 / 48_123)


def test_a_true_count_below_a_whole_file_marks_nothing_as_cut() -> None:
    file = account(48_123, true_count=1_000)

    assert not doctor.is_cut(file)
    assert "at least" not in found(doctor.cut_exports([file]))["true_count_not_applied"].message


# ---------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(("copies", "severity"), [(1, "info"), (30, "warning")])
def test_duplicates(copies: int, severity: str) -> None:
    finding = found(doctor.copies(70, copies))["duplicate_records"]

    assert finding.severity == severity
    assert f"{copies} of {70 + copies}" in finding.message
    assert found(doctor.copies(70, 0)) == {}


def test_rejected_rows_and_refused_files() -> None:
    files = [account(8, shown="x.zip/a.csv", rejected=1), account(3, shown="x.zip/b.csv", rejected=3), account(4)]
    rejects = [Reject("x.zip/a.csv", "line 9", "not JSON"), Reject("x.zip/b.csv", "line 2", "no Operation")]
    codes = found(doctor.refused(files, rejects))

    assert codes["rows_rejected"].severity == "warning"
    assert "x.zip/a.csv: 1 of 8" in codes["rows_rejected"].message
    assert "line 9" in codes["rows_rejected"].message
    assert (codes["file_refused"].severity, codes["file_refused"].path) == ("error", "x.zip/b.csv")


def test_the_same_export_under_two_names() -> None:
    files = [
        account(9, shown="march.csv", sha256="aa"), account(9, shown="april.csv", sha256="aa"),
        account(9, shown="may.csv", sha256="bb"), account(9, shown="may.json", sha256="cc"),
    ]  # fmt: skip
    finding = found(doctor.overlapping(files, [(2, 3, 9), (0, 1, 9)]))["same_export_twice"]

    assert finding.severity == "warning"
    assert "may.csv and may.json, march.csv and april.csv" in finding.message
    assert "another month" in finding.message


def test_files_of_no_hash_are_not_the_same() -> None:
    assert found(doctor.overlapping([account(9), account(9, shown="b")], [])) == {}


def test_overlapping_exports() -> None:
    files = [account(90, shown=name) for name in "abc"]
    finding = found(doctor.overlapping(files, [(0, 1, 12), (1, 2, 40)]))["overlapping_exports"]

    assert finding.severity == "info"
    assert "b and c share 40, a and b share 12" in finding.message


def test_two_corrected_files_that_overlap_count_their_days_twice() -> None:
    corrected = [account(50_000, shown=name, true_count=150_000, time_ordered=False) for name in "ab"]
    whole = account(20_000, shown="c")
    beside = found(doctor.overlapping([*corrected, whole], [(0, 2, 6_000)]))["overlapping_exports"]
    finding = found(doctor.overlapping([*corrected, whole], [(0, 1, 6_000)]))["overlapping_exports"]

    assert (beside.severity, finding.severity) == ("info", "warning")
    assert "Leave one of the two out" in finding.message


def test_time_zones() -> None:
    utc, offset = account(), account(shown="b", zone="UTC-6")
    local = account(shown="c", zone="Local")

    assert found(doctor.zones([utc])) == {}
    converted = found(doctor.zones([utc, offset]))["mixed_time_zones"]
    assert converted.severity == "info"
    assert "b (UTC-6); those of 1 more are" in converted.message
    shifted = found(doctor.zones([offset, local]))["mixed_time_zones"]
    assert shifted.severity == "warning"
    assert "c (a local time)" in shifted.message


# ---------------------------------------------------------------------------------------------- content


def test_throttled_mailboxes() -> None:
    frame = table(row(8), row(2, throttled=True), row(1, throttled=True, subject="bob@x.example"))

    assert "3 records of 2 mailboxes" in found(doctor.throttled(of_table(frame)))["throttled_mailboxes"].message
    assert found(doctor.throttled(digest(row(8)))) == {}


@pytest.mark.parametrize(
    ("days", "codes"),
    [
        (range(7), set()),
        (range(6), {"short_sample"}),
        ((0, 6), {"short_sample"}),
        ((0, 1, 2, 3, 7), set()),
        ((5, 6), {"short_sample", "weekend_only"}),
        ((5, 6, 12, 13), {"short_sample", "weekend_only"}),
    ],
)
def test_short_samples(days: Iterable[int], codes: set[str]) -> None:
    assert set(found(doctor.span([day(n) for n in days]))) == codes


def test_sizes_that_nothing_tells() -> None:
    sized, bare = row(30), row(70, bytes=0, size_basis="none")
    files = [account(redacted=True), account(from_columns=12), account(size_basis="none")]
    finding = found(doctor.sizes_unknown(files, digest(sized, bare)))["sizes_unknown"]

    assert finding.severity == "warning"
    assert "70 of 100 records (70%) have no size" in finding.message
    assert "1 file holds redacted AuditData; the AuditData of 12 is empty" in finding.message
    assert "1 file holds no AuditData" in finding.message
    assert "other records of the same operation" in finding.message
    few = found(doctor.sizes_unknown([account(from_columns=3)], digest(row(97), row(3, size_basis="none"))))
    assert few["sizes_unknown"].severity == "info"
    assert "(3.0%)" in few["sizes_unknown"].message
    assert found(doctor.sizes_unknown([account()], digest(sized, row(3, size_basis="feed:raw-management-api")))) == {}


def staff(users: int, operations: int) -> Iterator[dict[str, Any]]:
    for n in range(users):
        for m in range(operations):
            yield row(principal=f"u{n}@x.example", subject=f"u{n}@x.example", operation=f"Operation{m}")


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ([], True),
        ([row(principal="Not Available")], True),
        ([row(principal="nt authority\\system (microsoft.exchange.servicehost)")], False),
        ([row(principal="app@sharepoint")], False),
        ([row(principal="s-1-5-18")], False),
        ([row(principal=GUID)], False),
        ([row(principal=f"serviceprincipal_{GUID}")], False),
    ],
)
def test_nothing_that_systems_did(others: list[dict[str, Any]], told: bool) -> None:
    findings = found(doctor.no_system_principals(digest(*staff(20, 5), *others)))

    assert ("no_system_principals" in findings) == told
    if told:
        assert findings["no_system_principals"].severity == "info"
        assert "20 users act in the sample" in findings["no_system_principals"].message


@pytest.mark.parametrize(("users", "operations"), [(19, 5), (20, 4)])
def test_in_few_records_systems_need_not_show(users: int, operations: int) -> None:
    assert found(doctor.no_system_principals(digest(*staff(users, operations)))) == {}


@pytest.mark.parametrize(
    ("principal", "words"),
    [
        ("poller@x.example", f"a user, makes 36% of all records, mostly MicrosoftTodo/TaskListRead (98% of its own)"
                             f" through application {GUID}. It counts with people"),
        (GUID, f"an application ({GUID}), makes 36% of all records, mostly MicrosoftTodo/TaskListRead (98% of its own)."
               " It is forecast as an application"),
        ("serviceprincipal_ann", "an application, makes 36%"),
        ("nt authority\\system", "a system account, makes 36%"),
    ],
)  # fmt: skip
def test_one_principal_with_a_large_share(principal: str, words: str) -> None:
    busy = [
        row(490, principal=principal, workload="MicrosoftTodo", operation="TaskListRead", app_id=GUID),
        row(10, principal=principal),
    ]
    others = [row(300 - n, principal=f"u{n}@x.example") for n in range(3)]
    finding = found(doctor.dominant_principal(digest(*busy, *others)))["dominant_principal"]

    assert f"one principal of 4, {words}" in finding.message
    assert "x.example" not in finding.message
    assert "nt authority" not in finding.message


def test_shares_that_dominate_nothing() -> None:
    even = [row(10, principal=f"u{n}@x.example") for n in range(4)]

    assert found(doctor.dominant_principal(digest(*even))) == {}
    assert found(doctor.dominant_principal(digest(row(90), row(10, principal="b@x.example")))) == {}  # two people


def test_an_app_id_that_is_no_guid_is_not_shown() -> None:
    rows = [row(50, app_id="<b>ann@x.example"), *(row(5, principal=f"u{n}@x.example") for n in range(3))]

    assert "through application" not in found(doctor.dominant_principal(digest(*rows)))["dominant_principal"].message


def test_operations_the_catalogue_does_not_know() -> None:
    strange = [row(n, operation=f"New{n}") for n in range(1, 8)]
    finding = found(doctor.operations_not_in_catalogue(digest(row(972), *strange)))["operations_not_in_catalogue"]

    assert finding.severity == "info"
    assert "7 operations with 2.8% of all records" in finding.message
    assert "the largest: Exchange/New7 7, Exchange/New6 6, Exchange/New5 5, Exchange/New4 4, Exchange/New3 3)" in (
        finding.message
    )
    assert found(doctor.operations_not_in_catalogue(digest(row(), row(operation="mailitemsaccessed")))) == {}


# ---------------------------------------------------------------------------------------------- gaps

#: An office, UTC-6: records of a weekday's hours, from 0 to 23 UTC; a weekend day holds a fifth.
OFFICE = np.array([31, 22, 19, 15, 11, 18, 21, 8, 12, 5, 9, 11, 23, 47, 116, 115, 99, 76, 65, 73, 76, 53, 50, 26])
#: One that works day and night, so that every hour can be missed.
BUSY = OFFICE + 300


def made(days: int, shape: np.ndarray[Any, Any] = OFFICE, start: int = 0) -> np.ndarray[Any, Any]:
    """Records by day and hour, days numbered from a Monday."""
    factor = [0.2 if (start + n) % 7 >= 5 else 1.0 for n in range(days)]
    return np.round(np.outer(factor, shape)).astype(int)


def hours(counts: np.ndarray[Any, Any], start: int = 0) -> pd.DataFrame:
    rows = [
        (day(start + n), hour, "Exchange", "Send", int(count))
        for n, one in enumerate(counts)
        for hour, count in enumerate(one)
        if count
    ]
    frame = pd.DataFrame(rows, columns=tables.HOURS.names)
    return tables.HOURS.check(frame.astype({"day": "datetime64[us]", "workload": "str", "operation": "str"}), "test")


def untimed(counts: np.ndarray[Any, Any]) -> pd.DataFrame:
    """The same by the day only, as counts made at the source are."""
    frame = hours(counts)
    return frame.assign(hour=-1).groupby(["day", "hour", "workload", "operation"], as_index=False)["events"].sum()


Edit = Callable[[np.ndarray[Any, Any]], None]


def numbers(found_days: list[dt.date]) -> list[int]:
    return [(one - MONDAY).days for one in found_days]


@pytest.mark.parametrize("days", [1, 2, 3, 5, 7, 14, 30])
@pytest.mark.parametrize("start", range(7))
@pytest.mark.parametrize("scale", [0.01, 0.1, 1, 50])
def test_a_whole_sample_has_no_gaps(days: int, start: int, scale: float) -> None:
    counts = np.random.default_rng(days).poisson(made(days, start=start) * scale)

    assert found(gaps(hours(counts, start))) == {}
    assert doctor.broken_days(hours(counts, start)) == []


@pytest.mark.parametrize("offset", range(-12, 13, 3))
def test_offices_of_any_time_zone_have_evenings_on_other_utc_days(offset: int) -> None:
    """Local weeks of offices that sleep at night, cut at UTC days: no Monday begins late, no Friday ends early."""
    local = np.zeros((28, 24), int)
    local[:, 7:20] = 200
    local[[n for n in range(28) if n % 7 >= 5]] = 0
    counts = np.roll(local.ravel(), -offset).reshape(28, 24)[7:21]

    assert found(gaps(hours(counts, 7))) == {}


def test_whole_days_without_a_record() -> None:
    counts = made(14)
    counts[[2, 3, 8]] = 0
    finding = found(gaps(hours(counts)))["sample_gap_days"]

    assert finding.severity == "warning"
    assert "3 days without a single record" in finding.message
    assert "2026-03-04 to 2026-03-05, 2026-03-10" in finding.message
    assert "low by about 28%" in finding.message  # 3 of 10 weekdays and 4 fifths
    assert "The forecast leaves such days out" in finding.message
    assert numbers(doctor.broken_days(hours(counts))) == [2, 3, 8]


def test_days_counted_at_the_source_have_gaps_too_and_no_hours() -> None:
    counts = made(14)
    counts[3] = 0

    assert set(found(gaps(untimed(counts)))) == {"sample_gap_days"}
    assert numbers(doctor.broken_days(untimed(counts))) == [3]


def test_two_exports_weeks_apart() -> None:
    counts = made(49)
    counts[7:42] = 0

    assert numbers(doctor.broken_days(hours(counts))) == list(range(7, 42))


@pytest.mark.parametrize(
    ("scale", "silent", "broken"),
    [
        (0.02, [5, 6, 12], []),  # an office of few: five on a Saturday, and on some none
        (0.02, [5, 6, 12, 13], []),
        (1, [12], [12]),  # a Saturday otherwise holds 200
        (1, [5, 6, 12, 13], []),  # all weekends are silent: it is what weekends are like here
        (0.02, [4, 5, 6], [4, 5, 6]),  # from Friday on
        (0.005, [2], []),  # five on a weekday
    ],
)
def test_silent_weekends_of_small_offices(scale: float, silent: list[int], broken: list[int]) -> None:
    counts = np.round(made(14) * scale).astype(int)
    counts[:, 15] += counts.sum(axis=1) == 0
    counts[silent] = 0
    counts[0, 0] += 1
    counts[13, 23] += 1
    expected = [n for n in broken if n < 13]

    assert numbers(doctor.broken_days(hours(counts))) == expected


def test_hours_without_a_record() -> None:
    counts = made(14, BUSY)
    counts[2, 15:17] = 0
    counts[8, 20:24] = counts[9, :2] = 0
    finding = found(gaps(hours(counts)))["sample_gap_hours"]

    assert "2 stretches of hours" in finding.message
    assert "2026-03-10 20:00 UTC for 6 hours, 2026-03-04 15:00 UTC for 2 hours" in finding.message
    assert "and are by 0.9%" in finding.message
    assert numbers(doctor.broken_days(hours(counts))) == [8, 9]


def test_one_silent_hour_is_chance() -> None:
    counts = made(14, BUSY)
    counts[2, 15] = 0

    assert found(gaps(hours(counts))) == {}


def test_hours_that_are_silent_on_other_days_too() -> None:
    counts = made(14)
    counts[:, 3:10] = 0

    assert found(gaps(hours(counts))) == {}


def test_records_without_a_readable_time_are_no_gap() -> None:
    counts = made(14, BUSY)
    counts[2, 9:17] = 0
    frame = hours(counts)
    timeless = pd.DataFrame([(day(2), -1, "Exchange", "Send", 4_000)], columns=tables.HOURS.names)
    frame = pd.concat([frame, timeless.astype({"day": "datetime64[us]"})], ignore_index=True)

    assert found(gaps(frame)) == {}


@pytest.mark.parametrize("from_hour", [6, 12, 18])
def test_a_first_day_that_begins_late(from_hour: int) -> None:
    counts = made(14, start=1)
    counts[0, :from_hour] = 0
    finding = found(gaps(hours(counts, 1)))["partial_edge_day"]

    assert finding.severity == "info"
    assert f"the first day, 2026-03-03, begins at {from_hour:02}:00 UTC" in finding.message
    assert numbers(doctor.broken_days(hours(counts, 1))) == [1]


@pytest.mark.parametrize("end", [14, 16, 20])
def test_a_last_day_that_ends_early(end: int) -> None:
    counts = made(11)  # to a Thursday
    counts[10, end:] = 0
    findings = found(gaps(hours(counts)))

    assert set(findings) == {"partial_edge_day"}
    assert f"the last day, 2026-03-12, ends at {end:02}:00 UTC" in findings["partial_edge_day"].message
    assert numbers(doctor.broken_days(hours(counts))) == [10]


def test_an_export_of_local_days_has_two_partial_ones() -> None:
    """Tuesday 00:00 to Monday 24:00, UTC-6: from 06:00 UTC to 06:00 UTC of the next day."""
    counts = made(15, start=1)
    counts[0, :6] = 0
    counts[14, 6:] = 0
    findings = list(gaps(hours(counts, 1)))

    assert [finding.code for finding in findings] == ["partial_edge_day"] * 2
    assert numbers(doctor.broken_days(hours(counts, 1))) == [1, 15]


def test_last_days_that_have_not_arrived_whole() -> None:
    dice = np.random.default_rng(1)
    counts = dice.poisson(made(11))
    counts[9], counts[10] = dice.binomial(counts[9], 0.5), dice.binomial(counts[10], 0.2)
    findings = found(gaps(hours(counts)))

    assert set(findings) == {"late_last_days"}
    assert findings["late_last_days"].severity == "warning"
    assert "2026-03-11 to 2026-03-12 hold 3" in findings["late_last_days"].message
    assert "two days later" in findings["late_last_days"].message
    assert numbers(doctor.broken_days(hours(counts))) == [9, 10]


def test_late_days_that_end_early_too_are_told_once() -> None:
    counts = np.random.default_rng(1).poisson(made(11))
    counts[10] = counts[10] // 4
    counts[10, 18:] = 0

    assert set(found(gaps(hours(counts)))) == {"late_last_days"}


def test_a_slow_friday_is_not_late() -> None:
    counts = made(12)
    counts[11] = counts[11] * 7 // 10

    assert found(gaps(hours(counts))) == {}


def test_days_are_not_left_out_until_none_is_left() -> None:
    counts = made(4, BUSY)
    counts[1, 9:15] = 0
    counts[3, 12:] = 0
    findings = found(gaps(hours(counts)))

    assert doctor.broken_days(hours(counts)) == []
    assert set(findings) == {"sample_gap_hours", "partial_edge_day"}
    assert "they count all the same" in findings["partial_edge_day"].message
    assert "Rates are low by about" in findings["sample_gap_hours"].message


# ---------------------------------------------------------------------------------------------- all together

WEEK = [record(n, CreationTime=f"{MONDAY + dt.timedelta(n)}T12:00:00") for n in range(7)]


def codes(*paths: Path) -> dict[str, Finding]:
    return {finding.code: finding for finding in reduce(paths).findings}


def test_a_clean_week_has_no_findings(tmp_path: Path) -> None:
    assert codes(write(tmp_path / "a", as_csv(WEEK))) == {}


@pytest.mark.parametrize(("rows", "capped"), [(99, False), (100, True), (101, False), (5_000, True)])
def test_a_real_file_at_an_export_limit(tmp_path: Path, rows: int, capped: bool) -> None:
    path = write(tmp_path / "a", as_csv(record(n, CreationTime=WEEK[n % 7]["CreationTime"]) for n in range(rows)))
    result = reduce([path])

    assert ("sample_at_cap" in {finding.code for finding in result.findings}) == capped
    assert result.cut == capped


def test_the_limit_is_looked_for_in_each_file(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, as_csv(record(n) for n in range(50))) for name in "ab"]
    assert "sample_at_cap" not in codes(*paths)


def test_a_real_rejected_row(tmp_path: Path) -> None:
    text = as_csv(WEEK).decode() + csv_text(["{"]).partition("\r\n")[2]
    finding = codes(write(tmp_path / "a", text.encode()))["rows_rejected"]

    assert "1 of 8" in finding.message
    assert "line 9" in finding.message


def test_no_finding_names_a_person() -> None:
    rows = [
        row(500, principal="poller@x.example", subject="victim@x.example", operation="Strange", throttled=True),
        row(40, size_basis="none", principal="bob@x.example"),
        *staff(20, 5),
    ]
    counts = made(14, BUSY)
    counts[3] = counts[4, 5:9] = counts[13, 12:] = 0
    files = [account(100, result_count=900), account(100, shown="b", zone="Local", sha256="a", redacted=True)]
    findings = list(
        doctor.examine(files, doctor.Digest.of(table(*rows), hours(counts)), duplicates=30, overlaps=[(0, 1, 40)])
    )

    assert len({finding.code for finding in findings}) >= 13
    assert not any("x.example" in finding.message for finding in findings)
