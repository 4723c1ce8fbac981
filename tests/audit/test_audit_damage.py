"""Damaged files: what is lost is counted and placed, what is whole is kept, and both lanes see the same."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from audit_exports import (
    SHAPES,
    Record,
    as_array,
    as_csv,
    as_jsonl,
    csv_text,
    few_or_many,
    holds,
    record,
    size,
    write,
)
from hypothesis import strategies as st
from samples import SAMPLES, lines, read

from estimator.audit import Reduction, reduce
from estimator.audit.reading import SHOWN_REJECTS
from estimator.audit.reduce import _reduce
from estimator.errors import AuditExportError

RECORDS = [record(n, Subject='a "quoted" \\ word, 発注') for n in range(1, 8)]


def account(result: Reduction) -> tuple[int, int, int, int]:
    assert result.read == result.distinct + result.duplicates + result.rejected
    assert result.read == sum(file.read for file in result.files)
    assert int(result.table["events"].sum()) == result.distinct == int(result.hours["events"].sum())
    assert int(result.table["raw_events"].sum()) == result.distinct + result.duplicates
    return result.read, result.distinct, result.duplicates, result.rejected


@pytest.mark.parametrize(
    ("find", "replace", "rejected", "places"),
    [
        pytest.param('}",x\r\n', "},x\r\n", 1, ["line 2"], id="closing quote lost"),
        pytest.param(',"{', ",{", 1, ["line 2"], id="opening quote lost"),
        pytest.param('""Id', '"Id', 1, ["line 2"], id="doubled quote halved"),
        pytest.param('""Id""', '""Id', 1, ["line 2"], id="JSON broken"),
        pytest.param('x,x,x,x,x,"{', 'x,x,"{', 1, ["line 2"], id="columns missing"),
        pytest.param('}",x\r\n', '}"\r\n', 0, [], id="last column missing"),
        pytest.param('}",x\r\n', '}",x,y\r\n', 0, [], id="column too many"),
        pytest.param("MailItemsAccessed", "MailItems\0Accessed", 1, ["line 2"], id="NUL inside"),
        pytest.param("x,x,x,x,x,", "\0\0\0\r\nx,x,x,x,x,", 1, ["line 2"], id="NULs between"),
        pytest.param('""quoted', '"\udcff', 1, ["line 2"], id="quote and byte lost"),
        pytest.param("quoted", "\udcff", 0, [], id="byte that is not UTF-8"),
        pytest.param("quoted", "\\ud83d", 0, [], id="half a surrogate pair"),
    ],
)
def test_one_fault_in_a_csv_costs_one_record_at_most(
    tmp_path: Path, find: str, replace: str, rejected: int, places: list[str]
) -> None:
    text = csv_text([one.decode().strip() for one in (as_jsonl([r]) for r in RECORDS)])
    assert find in text
    mangled = text.replace(find, replace, 1).encode("utf-8", "surrogateescape")
    result = reduce([write(tmp_path / "a.csv", mangled)])
    rows = 8 if replace.startswith("\0") else 7
    assert account(result) == (rows, rows - rejected, 0, rejected)
    assert [reject.place for reject in result.rejects] == places
    assert all(reject.reason for reject in result.rejects)


@pytest.mark.parametrize(
    ("find", "replace", "read", "rejected"),
    [
        pytest.param(b"}\n{", b"}\n<html>\n{", 8, 1, id="foreign line"),
        pytest.param(b"}\n{", b"}{", 7, 0, id="two on a line"),
        pytest.param(b"}\n{", b"} {", 7, 0, id="two on a line, apart"),
        pytest.param(b"}\n{", b"}\n\n \n{", 7, 0, id="blank lines"),
        pytest.param(b"}\n{", b"\n{", 7, 1, id="brace lost"),
        pytest.param(b"}\n{", b"}\nnull\n[1]\n5\n{", 10, 3, id="no objects"),
        pytest.param(b'"Id"', b'"Id', 7, 1, id="quote lost"),
        pytest.param("発".encode(), b"\xff", 7, 0, id="bad UTF-8"),
    ],
)
def test_one_fault_in_jsonl(tmp_path: Path, find: bytes, replace: bytes, read: int, rejected: int) -> None:
    result = reduce([write(tmp_path / "a", as_jsonl(RECORDS).replace(find, replace, 1))])
    assert account(result) == (read, read - rejected, 0, rejected)


@pytest.mark.parametrize(
    ("find", "replace", "read", "rejected"),
    [
        pytest.param(b"},\n{", b"}\n{", 7, 0, id="comma lost"),
        pytest.param(b"},\n{", b"},,\n{", 7, 0, id="comma too many"),
        pytest.param(b"}]\n", b"}", 7, 0, id="not closed"),
        pytest.param(b"}]\n", b"},]", 7, 0, id="comma at the end"),
        pytest.param(b"}]\n", b"}]\n[]", 7, 0, id="two arrays"),
        pytest.param(b"}]\n", b"", 7, 1, id="cut"),
        pytest.param(b'"Id"', b'"Id', 7, 1, id="quote lost"),
        pytest.param(b"},\n{", b",\n{", 7, 1, id="brace lost"),
        pytest.param(b"},\n{", b"},\nnull,{", 8, 1, id="null"),
        pytest.param(b"},\n{", b"},\n\0\0\0{", 8, 1, id="NULs"),
    ],
)
def test_one_fault_in_an_array(tmp_path: Path, find: bytes, replace: bytes, read: int, rejected: int) -> None:
    result = reduce([write(tmp_path / "a", as_array(RECORDS).replace(find, replace, 1))])
    assert account(result) == (read, read - rejected, 0, rejected)


def test_a_quote_lost_in_the_header_swallows_no_rows_unseen(tmp_path: Path) -> None:
    good = write(tmp_path / "b", as_jsonl([record(99)]))
    doubled = reduce([write(tmp_path / "a", b'""' + as_csv(RECORDS)), good])
    assert account(doubled) == (8, 8, 0, 0)
    open_ended = reduce([write(tmp_path / "a", b'"' + as_csv(RECORDS)), good])
    assert [finding.code for finding in open_ended.findings if finding.severity == "error"] == ["file_refused"]


def test_an_array_larger_than_the_window_with_a_fault_in_the_middle(tmp_path: Path) -> None:
    records = [record(n, Noise="x" * 3_000) for n in range(1_000)]
    whole = as_array(records)
    middle = len(whole) // 2 + 1_000
    path = write(tmp_path / "a", whole[:middle] + b'"' + whole[middle:])
    result = reduce([path])
    assert account(result) == (1_000, 999, 0, 1)
    assert int(result.table["bytes"].sum()) == sum(map(size, records)) - size(records[500])


def test_lone_surrogates_do_not_change_bytes_or_spoil_whole_pairs(tmp_path: Path) -> None:
    text = '{"CreationTime":"2026-01-05T00:00:00","Operation":"Send","Workload":"Exchange","UserId":"%s@c.de"}'
    names = ["\\ud83d", "\\ud83d\\ude00", "\\\\ud83d", "\\ude00\\ud83d", "\\\\\\uD83D"]
    path = write(tmp_path / "a", csv_text([text % name for name in names]).encode())
    result = reduce([path])
    assert account(result) == (5, 5, 0, 0)
    assert int(result.table["bytes"].sum()) == sum(len(text % name) for name in names)
    assert "😀@c.de" in set(result.table["principal"])


def test_a_row_with_empty_audit_data_is_rejected(tmp_path: Path) -> None:
    text = csv_text([as_jsonl([record()]).decode().strip(), ""])
    result = reduce([write(tmp_path / "a", text.encode())])
    assert account(result) == (2, 1, 0, 1)
    assert result.rejects[0].reason == "AuditData is empty"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda text: text.replace("x,x,x,x,x,", "x,x,", 1), "the row ends before its column AuditData"),
        (lambda text: text[:-100], "not JSON: Unterminated string starting at character 247"),
        (lambda text: text.replace('""Id""', '""Id', 1), "not JSON: Expecting ':' delimiter at character 44"),
        (lambda text: text.replace('""Operation""', '""Op""', 1), "no Operation"),
        (lambda text: text.replace("2026-03-02T10", "soon", 1), "CreationTime 'soon:00:00' is not a readable day"),
        (lambda text: text.replace('""CreationTime""', '""Created""', 1), "no CreationTime"),
    ],
)
def test_the_reason_says_what_was_found(tmp_path: Path, spoil: Callable[[str], str], reason: str) -> None:
    text = spoil(csv_text(as_jsonl([record(n)]).decode().strip() for n in range(2)))
    result = reduce([write(tmp_path / "a", text.encode())])
    assert (account(result), [reject.reason for reject in result.rejects]) == ((2, 1, 0, 1), [reason])


def test_a_line_longer_than_duckdb_takes(tmp_path: Path) -> None:
    result = reduce([write(tmp_path / "a", as_csv([record(1), record(2, Noise="x" * 3_000_000)]))])
    assert account(result) == (2, 2, 0, 0)


def noisy(count: int) -> list[Record]:
    return [record(n, Noise=f"{n * 7919 % 100_003:x}" * 5) for n in range(count)]


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_gzip_keeps_what_stands_before_the_cut(tmp_path: Path, kind: str, share: float) -> None:
    whole = gzip.compress(SHAPES[kind](noisy(5_000)))
    result = reduce([write(tmp_path / "a.gz", whole[: int(len(whole) * share)])])
    _, distinct, _, rejected = account(result)
    assert rejected == 1
    assert 0.5 * share < distinct / 5_000 < 1
    assert "compressed data is damaged" in result.rejects[0].reason


def test_a_wrong_gzip_checksum_is_noticed(tmp_path: Path) -> None:
    whole = gzip.compress(as_csv(noisy(500)))
    result = reduce([write(tmp_path / "a", whole[:-8] + bytes(8))])
    assert account(result) == (500, 499, 0, 1)
    assert "compressed data is damaged" in result.rejects[0].reason


def test_gzip_of_several_members(tmp_path: Path) -> None:
    first, second = as_jsonl(noisy(10)[:5]), as_jsonl(noisy(10)[5:])
    result = reduce([write(tmp_path / "a", gzip.compress(first) + gzip.compress(second))])
    assert account(result) == (10, 10, 0, 0)


def test_rejects_are_shown_up_to_a_number_and_counted_beyond(tmp_path: Path) -> None:
    text = csv_text(["{broken"] * 50 + [as_jsonl([record()]).decode().strip()])
    result = reduce([write(tmp_path / "a", text.encode())])
    assert account(result) == (51, 1, 0, 50)
    assert [reject.place for reject in result.rejects] == [f"line {n}" for n in range(2, 2 + SHOWN_REJECTS)]


def test_a_file_without_a_good_record_is_refused_and_the_others_read(tmp_path: Path) -> None:
    bad = write(tmp_path / "bad", csv_text(["[REDACTED]"] * 3).encode())
    good = write(tmp_path / "good", as_csv([record()]))
    result = reduce([bad, good])
    assert account(result) == (4, 1, 0, 3)
    assert [(f.code, f.severity, f.path) for f in result.findings if f.code.startswith("file")] == [
        ("file_refused", "error", str(bad))
    ]
    with pytest.raises(AuditExportError, match="bad"):
        reduce([bad])


@st.composite
def mangled(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of good records with up to three faults anywhere but in the first record, so that it is recognised."""
    kind = draw(st.sampled_from(sorted(SHAPES)))
    content = bytearray(SHAPES[kind](RECORDS))
    first = content.index(b"000000000002")
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(first, max(first, len(content) - 1)))
        fault = draw(st.sampled_from(["cut", "drop", "nul", "quote", "break", "brace", "byte", "repeat"]))
        if fault == "cut":
            del content[at:]
        elif fault == "drop":
            del content[at : at + draw(st.integers(1, 40))]
        elif fault == "repeat":
            content[at:at] = content[first : first + draw(st.integers(1, 400))]
        else:
            content[at:at] = {"nul": b"\0", "quote": b'"', "break": b"\r\n", "brace": b"}", "byte": b"\xff"}[fault]
    return kind, bytes(content)


@few_or_many
def test_every_record_of_a_mangled_file_is_accounted_for(tmp_path: Path, examples: int) -> None:
    def accounted_for(case: tuple[str, bytes]) -> None:
        path = write(tmp_path / "a", case[1])
        either, tolerant = reduce([path]), _reduce([path], fast=False)
        assert account(either) == account(tolerant)
        pd.testing.assert_frame_equal(either.table, tolerant.table)
        pd.testing.assert_frame_equal(either.hours, tolerant.hours)
        assert either.rejects == tolerant.rejects

    holds(accounted_for, mangled(), examples)


#: A shape, whether it is zipped, and the fields of its records.
valid = st.tuples(
    st.sampled_from(sorted(SHAPES)),
    st.booleans(),
    st.lists(
        st.fixed_dictionaries(
            {"number": st.integers(0, 5)},
            optional={
                "UserId": st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=20)),
                "MailboxOwnerUPN": st.one_of(st.none(), st.emails()),
                "Workload": st.sampled_from(["Exchange", "SharePoint", "OneDrive", ""]),
                "SiteUrl": st.text(st.characters(codec="utf-8"), max_size=20),
                "OperationCount": st.integers(-3, 50),
                "AffectedItems": st.lists(st.just({"Id": 'a "b" \\'}), max_size=3),
                "CreationTime": st.datetimes().map(lambda at: at.isoformat()),
                "Extra": st.recursive(
                    st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
                ),
            },
        ),
        min_size=1,
        max_size=8,
    ),
)


@few_or_many
def test_both_lanes_give_the_same_table(tmp_path: Path, examples: int) -> None:
    def same(case: tuple[str, bool, list[dict[str, Any]]]) -> None:
        kind, zipped, fields = case
        records = [record(0), *(record(**one) for one in fields)]
        path = write(tmp_path / "a", SHAPES[kind](records), zipped=zipped)
        fast, tolerant = reduce([path]), _reduce([path], fast=False)
        assert account(fast) == account(tolerant)
        assert fast.read == len(records)
        pd.testing.assert_frame_equal(fast.table, tolerant.table)
        pd.testing.assert_frame_equal(fast.hours, tolerant.hours)

    holds(same, valid, examples)


@cache
def sample_file(name: str) -> tuple[str, bytes]:
    """The file of a sample: its name and its bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = SAMPLES[name](Path(folder))
        return path.name, path.read_bytes()


@st.composite
def mangled_sample(draw: st.DrawFn) -> tuple[str, bytes]:
    """The name of a sample and its file with up to three faults anywhere, compressed and binary ones included."""
    name = draw(st.sampled_from(sorted(SAMPLES)))
    content = bytearray(sample_file(name)[1])
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        fault = draw(st.sampled_from(["drop", "nul", "quote", "break", "brace", "flip", "repeat", "cut"]))
        if fault == "cut":
            del content[at:]
        elif fault == "drop":
            del content[at : at + draw(st.integers(1, 40))]
        elif fault == "repeat":
            content[at:at] = content[at : at + draw(st.integers(1, 2_000))]
        elif fault == "flip":
            content[at : at + 1] = bytes(byte ^ draw(st.integers(1, 255)) for byte in content[at : at + 1])
        else:
            content[at:at] = {"nul": b"\0", "quote": b'"', "break": b"\r\n", "brace": b"}"}[fault]
    return name, bytes(content)


@few_or_many
def test_every_record_of_a_mangled_sample_is_accounted_for(tmp_path: Path, examples: int) -> None:
    # Whatever becomes of the mangled one, there is something to read.
    good = write(tmp_path / "good", lines([record(99, CreationTime="2026-02-01T00:00:00")]).encode())

    def accounted_for(case: tuple[str, bytes]) -> None:
        name, content = case
        path = write(tmp_path / sample_file(name)[0], content)
        either, tolerant = reduce([path, good]), _reduce([path, good], fast=False)
        assert account(either) == account(tolerant)
        assert all(file.read >= file.distinct + file.rejected for file in either.files)
        assert [(f.read, f.distinct, f.rejected) for f in either.files] == [
            (f.read, f.distinct, f.rejected) for f in tolerant.files
        ]
        assert either.rejects == tolerant.rejects
        pd.testing.assert_frame_equal(either.table, tolerant.table)
        pd.testing.assert_frame_equal(either.hours, tolerant.hours)

    holds(accounted_for, mangled_sample(), examples)


@pytest.mark.parametrize("name", ["records-jsonl", "records-array", "officeactivity-jsonl", "elastic-no-original"])
def test_a_key_that_stands_twice_in_an_object(tmp_path: Path, name: str) -> None:
    content = (
        sample_file(name)[1]
        .replace(b'"UserId":', b'"UserId":"x","UserId":')
        .replace(b'"_index":', b'"_index":"a","_index":')
    )
    result = read(tmp_path / "a", content.replace(b'"Type":', b'"Type":"x","Type":'))
    assert result.read == 5


def test_columns_of_the_same_name(tmp_path: Path) -> None:
    content = sample_file("exploded")[1].decode()
    twice = "\r\n".join(f"{'Operation' if not n else ''},{one}" for n, one in enumerate(content.split("\r\n")) if one)
    result = read(tmp_path / "a", twice)
    assert (result.read, result.distinct) == (5, 5)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_desert_of_empty_lines_is_passed_over_and_still_counted(newline: str, tmp_path: Path) -> None:
    """Millions of them pack into a small file; read one by one they took a minute."""
    header, first, second, third = as_csv(RECORDS[:3]).decode().split("\r\n")[:4]
    broken = second.replace("MailItemsAccessed", "MailItems\0Accessed")
    desert = newline * 300_000
    text = newline.join([header, first, desert + second + desert + broken, third, ""])
    result = reduce([write(tmp_path / "a.csv", text.encode())])
    assert account(result) == (4, 3, 0, 1)
    # Line 1 is the header, line 2 the first record; each desert is 300,000 lines long.
    assert [reject.place for reject in result.rejects] == ["line 600003"]
