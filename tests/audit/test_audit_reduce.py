"""Hand-written exports and the tables counted from them by hand."""

from __future__ import annotations

import csv
import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from audit_exports import KINDS, SHAPES, Record, as_array, as_csv, as_jsonl, compact, csv_text, record, size, write

from estimator.audit import Reduction, reduce, sums
from estimator.audit.reduce import _reduce
from estimator.errors import AuditExportError, UsageError
from estimator.tables import HOURS, REDUCTION


def reduced(tmp_path: Path, *records: Record, **options: Any) -> Reduction:
    return reduce([write(tmp_path / "sample.csv", as_csv(records))], **options)


def only(reduction: Reduction) -> dict[str, Any]:
    assert len(reduction.table) == 1
    return reduction.table.iloc[0].to_dict()


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("kind", SHAPES)
def test_the_table_counted_by_hand(tmp_path: Path, kind: str, zipped: bool, fast: bool) -> None:
    first, second = record(1), record(2, UserId="ann@contoso.com", OperationCount=3)
    third = record(
        3, Operation="Send ", OperationCount=None, OperationProperties=None, CreationTime="2026-03-03T23:59:59"
    )
    path = write(tmp_path / "sample", SHAPES[kind]([first, second, first, third]), zipped=zipped)
    result = _reduce([path], fast=fast)

    REDUCTION.check(result.table, "test")
    HOURS.check(result.hours, "test")
    assert result.table[REDUCTION.names].to_numpy().tolist() == [
        [
            *(pd.Timestamp("2026-03-02"), "ann@contoso.com", "mailbox", "ann@contoso.com", "Exchange"),
            *("MailItemsAccessed", "Bind", "", False, 2, 3, 5, size(first) + size(second), "auditdata", 1.0),
        ],
        [
            *(pd.Timestamp("2026-03-03"), "ann@contoso.com", "mailbox", "ann@contoso.com", "Exchange"),
            *("Send", "", "", False, 1, 1, 1, size(third), "auditdata", 1.0),
        ],
    ]
    assert result.hours.to_numpy().tolist() == [
        [pd.Timestamp("2026-03-02"), 10, "Exchange", "MailItemsAccessed", 2],
        [pd.Timestamp("2026-03-03"), 23, "Exchange", "Send", 1],
    ]
    assert (result.read, result.distinct, result.duplicates, result.rejected) == (4, 3, 1, 0)
    assert (result.first, result.last) == (date(2026, 3, 2), date(2026, 3, 3))
    (file,) = result.files
    assert (file.path, file.kind, file.read, file.distinct, file.rejected) == (path, KINDS[kind], 4, 3, 0)
    assert (file.first, file.last) == (date(2026, 3, 2), date(2026, 3, 3))


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize(
    ("prefix", "encoding", "newline", "last"),
    [
        (b"\xef\xbb\xbf", "utf-8", "\n", "\n"),
        (b"", "utf-8", "\r\n", "\r\n"),
        (b"", "utf-8", "\n", ""),
        (b"", "utf-16", "\r\n", "\r\n"),
    ],
)
def test_encodings_and_line_ends(
    tmp_path: Path, kind: str, prefix: bytes, encoding: str, newline: str, last: str
) -> None:
    records = [record(1, Subject="Zürich 発注 😀"), record(2)]
    text = SHAPES[kind](records).decode().replace("\r\n", "\n").rstrip("\n").replace("\n", newline) + last
    result = reduce([write(tmp_path / "a", prefix + text.encode(encoding))])
    row = only(result)
    assert (row["events"], row["bytes"], result.rejected) == (2, sum(map(size, records)), 0)


@pytest.mark.parametrize("fast", [True, False])
def test_line_breaks_inside_fields_and_foreign_columns(tmp_path: Path, fast: bool) -> None:
    columns = ("Identity", "AuditData", "Notes")
    rows = [["1", '{\r\n "a\\"b": "\\r\\n",\n' + compact(record(n))[1:], 'two\nlines, "quoted"'] for n in (1, 2)]
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    result = _reduce([path], fast=fast)
    row = only(result)
    # White space between lines is no part of what any feed carries.
    assert (row["events"], row["bytes"], result.rejected) == (2, sum(len(compact(json.loads(r[1]))) for r in rows), 0)


def test_copies_are_found_over_files_and_shapes(tmp_path: Path) -> None:
    one, two, three = record(1), record(2), record(3)
    files = [
        write(tmp_path / "a", as_csv([one, two])),
        write(tmp_path / "b", as_jsonl([two, three, three])),
        write(tmp_path / "c", as_array([record(1, Id=one["Id"].upper())]), zipped=True),
    ]
    result = reduce(files)
    row = only(result)
    assert (row["events"], row["raw_events"], row["items"]) == (3, 6, 6)
    assert (result.read, result.distinct, result.duplicates) == (6, 3, 3)
    assert [(file.read, file.distinct) for file in result.files] == [(2, 2), (3, 2), (1, 1)]


def test_of_copies_that_differ_the_longest_counts_whatever_the_order(tmp_path: Path) -> None:
    short, long = record(1, UserId="b@c.de"), record(1, UserId="aa@c.de")
    tied = record(1, UserId="ab@c.de")
    for order in ([short, long, tied], [tied, long, short]):
        row = only(reduced(tmp_path, *order))
        assert (row["principal"], row["raw_events"], row["bytes"]) == ("ab@c.de", 3, size(tied))


def test_without_id_equal_records_are_copies(tmp_path: Path) -> None:
    a, b = record(Id=None), record(Id="", OperationCount=7)
    result = reduced(tmp_path, a, a, b, record(Id="not-a-guid"), record(Id="not-a-guid"))
    assert (result.distinct, result.duplicates) == (3, 2)


@pytest.mark.parametrize(
    ("text", "day", "hour"),
    [
        ("2026-03-02T10:00:00", "2026-03-02", 10),
        ("2026-03-02T10:00:00Z", "2026-03-02", 10),
        (" 2026-03-02T10:00:00.1234567Z ", "2026-03-02", 10),
        ("2026-03-02T23:30:00-02:00", "2026-03-03", 1),
        ("2026-03-02T01:30:00.0000000+05:30", "2026-03-01", 20),
        ("2026-03-02T23:30-0200", "2026-03-03", 1),
        ("2026-03-02T17:08:65", "2026-03-02", -1),
        ("2026-03-02", "2026-03-02", -1),
    ],
)
def test_the_day_is_utc(tmp_path: Path, text: str, day: str, hour: int) -> None:
    result = reduced(tmp_path, record(CreationTime=text))
    assert only(result)["day"] == pd.Timestamp(day)
    assert result.hours["hour"].tolist() == [hour]


@pytest.mark.parametrize("text", ["", "yesterday", "9/10/2023 4:05:03 AM", "infinity", "0001-01-01T00:00:00", None, 5])
def test_a_record_without_a_readable_day_is_rejected(tmp_path: Path, text: Any) -> None:
    result = reduced(tmp_path, record(1), record(2, CreationTime=text))
    assert (result.distinct, result.rejected) == (1, 1)
    (reject,) = result.rejects
    assert reject.place == "line 3"
    assert "CreationTime" in reject.reason or "may begin with its day" in reject.reason


@pytest.mark.parametrize("operation", [None, "", "  "])
def test_a_record_without_operation_is_rejected(tmp_path: Path, operation: str | None) -> None:
    result = reduced(tmp_path, record(1), record(2, Operation=operation))
    assert (result.distinct, result.rejected) == (1, 1)
    assert "Operation" in result.rejects[0].reason


@pytest.mark.parametrize(
    ("fields", "items"),
    [
        ({"OperationCount": 4, "AffectedItems": [{}]}, 4),
        ({"OperationCount": "4"}, 4),
        ({"OperationCount": 0, "AffectedItems": [{"Id": "x"}, {"Id": "y"}, {}]}, 3),
        ({"OperationCount": None, "AffectedItems": []}, 1),
        ({"OperationCount": "many", "AffectedItems": "text"}, 1),
        ({"OperationCount": 10**30}, 1),
    ],
)
def test_items(tmp_path: Path, fields: dict[str, Any], items: int) -> None:
    assert only(reduced(tmp_path, record(**fields)))["items"] == items


SITE = "https://Contoso.sharepoint.com/sites/A/"


@pytest.mark.parametrize(
    ("fields", "subject", "kind", "principal"),
    [
        ({"MailboxOwnerUPN": "Boss@Contoso.com"}, "boss@contoso.com", "mailbox", "ann@contoso.com"),
        ({"MailboxOwnerUPN": None}, "ann@contoso.com", "mailbox", "ann@contoso.com"),
        ({"MailboxOwnerUPN": None, "UserId": "app@sharepoint"}, "", "tenant", "app@sharepoint"),
        ({"MailboxOwnerUPN": None, "UserId": "S-1-5-18"}, "", "tenant", "s-1-5-18"),
        ({"MailboxOwnerUPN": None, "UserId": "0f3c1a52-7d1e-4b7a-9a55-3c0d5a1e7b10"}, "", "tenant", None),
        ({"MailboxOwnerUPN": None, "UserId": "NT AUTHORITY\\SYSTEM (a@b.c)"}, "", "tenant", None),
        ({"MailboxOwnerUPN": "app@sharepoint"}, "", "tenant", "ann@contoso.com"),
        ({"MailboxOwnerUPN": None, "Operation": "Set-Mailbox"}, "", "tenant", "ann@contoso.com"),
        (
            {"MailboxOwnerUPN": None, "Operation": "FileAccessed", "Workload": "SharePoint", "SiteUrl": SITE},
            *(SITE.lower(), "site", "ann@contoso.com"),
        ),
        (
            {"MailboxOwnerUPN": None, "Operation": "MessageUpdated", "Workload": "MicrosoftTeams"},
            *("", "tenant", "ann@contoso.com"),
        ),
        ({"UserId": None}, "ann@contoso.com", "mailbox", ""),
    ],
)
def test_subject_and_principal(
    tmp_path: Path, fields: dict[str, Any], subject: str, kind: str, principal: str | None
) -> None:
    row = only(reduced(tmp_path, record(**fields)))
    assert (row["subject"], row["subject_kind"]) == (subject, kind)
    assert row["principal"] == (fields["UserId"].lower() if principal is None else principal)


@pytest.mark.parametrize(
    ("fields", "app"),
    [
        ({"ClientAppId": "c", "AppId": "a", "ApplicationId": "p"}, "c"),
        ({"ClientAppId": "", "AppId": "a", "ApplicationId": "p"}, "a"),
        ({"ClientAppId": "", "AppId": "", "ApplicationId": "p"}, "p"),
        ({}, ""),
    ],
)
def test_application(tmp_path: Path, fields: dict[str, Any], app: str) -> None:
    assert only(reduced(tmp_path, record(**fields)))["app_id"] == app


@pytest.mark.parametrize("value", ["True", "true", True])
def test_access_type_and_throttling_in_any_order(tmp_path: Path, value: Any) -> None:
    properties = [
        {"Name": "Else"},
        {"Name": "IsThrottled", "Value": value},
        {"Name": "MailAccessType", "Value": "Sync"},
    ]
    row = only(reduced(tmp_path, record(OperationProperties=properties)))
    assert (row["access_type"], row["throttled"]) == ("Sync", True)


@pytest.mark.parametrize("step", ["add_up", "overlaps"])
def test_memory_that_does_not_suffice_once_all_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    known = getattr(sums, step)

    def starved(db: Any, *args: Any) -> Any:
        db.execute("SET memory_limit = '1KB'")
        return known(db, *args)

    monkeypatch.setattr(sums, step, starved)
    paths = [write(tmp_path / name, as_jsonl([record(1)])) for name in "ab"]
    with pytest.raises(AuditExportError, match="memory limit does not suffice"):
        reduce(paths)


def test_the_result_does_not_depend_on_threads_memory_or_order(tmp_path: Path) -> None:
    chance = random.Random(1)
    records = [
        record(
            chance.randrange(3_000),
            UserId=f"u{chance.randrange(50)}@c.de",
            CreationTime=f"2026-03-0{n % 7 + 1}T0{n % 9}:00",
        )
        for n in range(6_000)
    ]
    paths = [write(tmp_path / f"{n}", as_csv(records[n::3])) for n in range(3)]
    one = reduce(paths, threads=1, memory="200MB")
    two = reduce(paths[::-1], threads=2)
    pd.testing.assert_frame_equal(one.table, two.table)
    pd.testing.assert_frame_equal(one.hours, two.hours)


@pytest.mark.parametrize("name", ["a[1].csv", "a*.csv", "q?.csv", "it's.csv", "year=2026.csv"])
def test_file_names_are_taken_literally(tmp_path: Path, name: str) -> None:
    write(tmp_path / "a1.csv", as_csv([record(7), record(8)]))
    assert reduce([write(tmp_path / name, as_csv([record(1)]))]).read == 1


@pytest.mark.parametrize("fast", [True, False])
def test_progress_is_told_in_bytes(tmp_path: Path, fast: bool) -> None:
    seen: list[tuple[str | None, int, int]] = []
    paths = [write(tmp_path / name, as_csv([record()])) for name in "ab"]
    sizes = [path.stat().st_size for path in paths]
    _reduce(paths, progress=lambda *now: seen.append(now), fast=fast)
    assert seen[0] == (str(paths[0]), 0, sum(sizes))
    assert (str(paths[0]), sizes[0], sum(sizes)) in seen
    assert (str(paths[1]), sum(sizes), sum(sizes)) in seen
    assert seen[-1] == (None, sum(sizes), sum(sizes))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_a_sample_without_a_record_is_an_error_that_says_how_to_export(tmp_path: Path) -> None:
    path = write(tmp_path / "empty.csv", csv_text([]).encode())
    with pytest.raises(AuditExportError, match=r"empty\.csv.*Purview"):
        reduce([path])


def test_an_unknown_file_is_refused_and_the_others_read(tmp_path: Path) -> None:
    other, missing = write(tmp_path / "x", b"hello"), tmp_path / "missing"
    good = write(tmp_path / "good", as_csv([record()]))
    result = reduce([other, missing, good])
    refused = [finding for finding in result.findings if finding.code == "file_refused"]
    assert [finding.path for finding in refused] == [str(other), str(missing)]
    assert all(finding.severity == "error" for finding in refused)
    assert [file.kind for file in result.files] == ["", "", "audit-rows"]
    with pytest.raises(AuditExportError, match="missing"):
        reduce([other, missing])


@pytest.mark.parametrize("options", [{"memory": "plenty"}, {"threads": 0}])
def test_senseless_limits_are_a_usage_error(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        reduced(tmp_path, record(), **options)
