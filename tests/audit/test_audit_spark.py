"""Spark against DuckDB: the same table, hours, account of every file, rejects and findings, bad input included.

Slow, for Spark takes ten seconds to start; skipped where Spark or Java is absent, unless SIEM_ESTIMATOR_SPARK=required.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from audit_exports import as_array, as_csv, as_jsonl, compact, csv_text, record, shared, write

from estimator.audit.account import Account, FileCount, Reject
from estimator.audit.reduce import keep_books
from estimator.audit.sources import Source
from estimator.audit.spark import _bins, keep_books_on_spark
from estimator.audit.spark_session import share, start
from estimator.audit.spark_task import Item
from estimator.cli import main
from estimator.errors import AuditExportError, UsageError

needs_spark = pytest.mark.skipif(
    os.environ.get("SIEM_ESTIMATOR_SPARK") != "required"
    and not (find_spec("pyspark") and find_spec("pyarrow") and shutil.which("java")),
    reason="Spark (pip install '.[spark]') or Java is not here",
)
slow = pytest.mark.slow

CALL = "import sys; from estimator.cli import main; sys.exit(main(sys.argv[1:]))"

State = tuple[pd.DataFrame, pd.DataFrame, list[FileCount], list[Reject], list[tuple[int, int, int]], Account]


def state(keep: Any, paths: Sequence[Path | str], **options: Any) -> State:
    with keep(paths, **options) as books:
        engine = books.engine
        return engine.table(), engine.hours(), books.files, books.rejects, books.overlaps, books.account()


def same(ours: State, theirs: State) -> None:
    pd.testing.assert_frame_equal(ours[0], theirs[0])
    pd.testing.assert_frame_equal(ours[1], theirs[1])
    for mine, other in zip(ours[2:], theirs[2:], strict=True):
        assert mine == other


def agree(paths: Sequence[Path | str], **options: Any) -> State:
    duckdb = state(keep_books, paths, **options)
    same(state(keep_books_on_spark, paths, **options), duckdb)
    account = duckdb[5]
    assert account.read == account.distinct + account.duplicates + account.rejected
    return duckdb


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An active session, as a notebook has one: ours is used, and left open."""
    session = start("local[2]", "1GB", tmp_path_factory.mktemp("spark"))
    yield session
    assert session.range(1).count() == 1
    session.stop()


# ------------------------------------------------------------------------------------------ without Spark


def test_files_are_dealt_out_largest_first_and_small_ones_together() -> None:
    sizes = [1 << 10] * 1_000 + [200 << 20, 40 << 20, 300 << 20]
    items = [Item(n, Source(str(n), Path(str(n)), size=size)) for n, size in enumerate(sizes)]
    bins = _bins(items, 2)
    assert [item.number for one in bins for item in one[:1]][:3] == [1_002, 1_000, 1_001]
    assert [len(one) for one in bins] == [1, 1, 1, 1_000]
    assert sorted(item.number for one in bins for item in one) == list(range(len(sizes)))
    assert _bins([], 2) == []


@pytest.mark.parametrize(
    ("memory", "cores", "each"),
    [("1GB", 2, "500MB"), ("512MB", 64, "128MB"), ("1.5 GiB", 3, "500MB"), ("80%", 2, "128MB"), ("2gb", 1, "2000MB")],
)
def test_tasks_share_the_memory_of_a_machine(memory: str, cores: int, each: str) -> None:
    assert share(memory, cores) == each


def test_without_java_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark")
    pytest.importorskip("pyarrow")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="needs Java"):
        start("local[1]", "1GB", tmp_path)


# --------------------------------------------------------------------------------------------------- files


def rows(*found: tuple[str, dict[str, Any]]) -> bytes:
    """Rows of Search-UnifiedAuditLog: AuditData as text, and the columns beside it."""
    lines = [{"AuditData": text, **columns} for text, columns in found]
    return as_jsonl(lines)


def columns(number: int, **also: str) -> dict[str, Any]:
    return {
        "CreationDate": "2026-03-02T10:00:00Z",
        "Operations": "MailItemsAccessed",
        "RecordType": "ExchangeItemAggregated",
        "UserIds": "Ann@Contoso.com",
        "Identity": record(number)["Id"],
        **also,
    }


def small(folder: Path) -> list[Path]:
    """A few of everything that can differ between engines."""
    site = "https://Contoso.sharepoint.com/sites/A"
    first = [record(n, OperationCount=n % 4, Note="é😀" * n) for n in range(12)]
    first += [
        record(20, UserId="app@sharepoint", MailboxOwnerUPN="S-1-5-18"),
        record(21, SiteUrl=site, Workload="OneDrive"),
    ]
    # Copies that are not equal: one longer, one of another name, one of the same length with a greater name.
    other = [record(1, Note="longer" * 9), record(2, UserId="zoe@contoso.com"), record(3, UserId="BnÅ@contoso.com")]
    other += [record(n, CreationTime="2026-03-03T23:59:59") for n in (4, 5)] + [record(6, Id=None), record(6, Id=None)]
    damaged = as_jsonl(first[:6]).replace(b'"Id"', b'"Id', 1) + b"<html>\n\0\0\0\n" + as_jsonl(first[6:9])
    cut = gzip.compress(as_csv([record(n, Note=f"{n * 7919 % 100_003:x}" * 5) for n in range(30, 900)]))
    counts = b"day,operation,events,raw_events\n2026-01-01,Send,5,7\n2026-03-02,Send,3,\nx,Send,1,1\n"
    office = [
        {"TimeGenerated": "2026-03-02T10:00:00Z", "Operation": "MailItemsAccessed", "OfficeWorkload": "Exchange",
         "RecordType": "ExchangeItemAggregated", "UserId": "ann@contoso.com", "OfficeId": record(n)["Id"],
         "Type": "OfficeActivity", "_BilledSize": 900 + n}
        for n in (7, 8, 2_070)
    ]  # fmt: skip
    # A name given twice.
    twice = (
        compact({**office[0], "_BilledSize": "", "OfficeId": record(2_071)["Id"]})[:-1] + ',"UserId":"ann@contoso.com"}'
    )
    found = [
        write(folder / "first.csv", as_csv(first)),
        write(folder / "first again.csv", as_csv(first)),
        write(folder / "other.json", as_array(other)),
        write(folder / "damaged.jsonl", damaged),
        write(folder / "cut.csv.gz", cut[: len(cut) // 2]),
        write(folder / "quote.csv", csv_text(map(compact, first[:5])).replace('}",x', "},x", 1).encode()),
        write(folder / "counts.csv", counts),
        write(folder / "office.jsonl", as_jsonl(office)),
        write(folder / "twice.jsonl", f"{twice}\n{{\n".encode()),
        write(folder / "redacted.jsonl", rows(("[REDACTED]", columns(9)), ("", columns(2_072)), ("{", {}))),
        write(folder / "dates.jsonl", rows(("", columns(2_073, CreationDate="13/03/2026 10:00")),
                                           ("", columns(2_074, CreationDate="04/03/2026 11:00")))),
        write(folder / "unknown.txt", b"nothing of ours\n"),
        write(folder / "empty", b""),
    ]  # fmt: skip
    archive = folder / "both.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("a/one.jsonl", as_jsonl(first[:3]))
        zipped.writestr("two.csv", as_csv([record(2_080)]))
    return [*found, archive, folder / "absent.csv"]


@slow
@needs_spark
def test_every_kind_of_file_and_of_damage(tmp_path: Path, spark: Any) -> None:
    paths = small(tmp_path)
    told: list[tuple[str | None, int, int]] = []
    duckdb = state(keep_books, paths)
    ours = state(keep_books_on_spark, paths, progress=lambda *at: told.append(at))
    same(ours, duckdb)
    codes = {finding.code for finding in duckdb[5].findings}
    assert {"file_refused", "counts_overlap", "date_order"} <= codes  # the sample has what it is meant to have
    assert duckdb[5].rejected > 5
    assert duckdb[4]
    assert {"auditdata", "none", "feed:sentinel-officeactivity"} <= set(duckdb[0]["size_basis"])
    assert told[-1] == (None, told[-1][2], told[-1][2])
    assert [at[1] for at in told] == sorted(at[1] for at in told)


@slow
@needs_spark
def test_true_counts_weigh_copies_alike(tmp_path: Path, spark: Any) -> None:
    paths = [write(tmp_path / "a.csv", as_csv([record(n) for n in range(5)])),
             write(tmp_path / "b.csv", as_csv([record(n) for n in range(3, 9)]))]  # fmt: skip
    table = agree(paths, true_counts={"b.csv": 60})[0]
    assert sorted(set(table["weight"])) == [1.0, 10.0]
    with pytest.raises(UsageError, match="true count"):
        state(keep_books_on_spark, paths, true_counts={"c.csv": 60})


@slow
@needs_spark
def test_counts_alone(tmp_path: Path, spark: Any) -> None:
    agree([write(tmp_path / "c.csv", b"day,operation,events\n2026-01-01,Send,5\n2026-01-02,Send,0\n")])


@slow
@needs_spark
def test_nothing_readable_is_the_same_error(tmp_path: Path, spark: Any) -> None:
    path = write(tmp_path / "a.txt", b"nothing\n")
    messages = []
    for keep in (keep_books, keep_books_on_spark):
        for paths in ([path], []):
            with pytest.raises(AuditExportError) as caught:
                state(keep, paths)
            messages.append(str(caught.value))
    assert messages[:2] == messages[2:]


@slow
@needs_spark
def test_the_limit_of_memory_is_refused_by_name(tmp_path: Path, spark: Any) -> None:
    with pytest.raises(UsageError, match="memory limit 'much'"):
        state(keep_books_on_spark, [write(tmp_path / "a.csv", as_csv([record()]))], memory="much")


# -------------------------------------------------------------------------------------- tables and URLs


@slow
@needs_spark
def test_a_table_of_records_is_read_like_its_parquet_file(tmp_path: Path, spark: Any) -> None:
    found = [
        (compact(record(n)), f"2026-03-02T10:00:0{n % 10}", "MailItemsAccessed", record(n)["Id"]) for n in range(40)
    ]
    found += [found[3], ("{broken", "", "", ""), ("[REDACTED]", "2026-03-02T10:00:00", "Send", record(50)["Id"])]
    frame = spark.createDataFrame(found, "AuditData STRING, CreationDate STRING, Operation STRING, RecordId STRING")
    frame.repartition(3).write.option("path", str(tmp_path / "stored")).saveAsTable("audit_rows")
    frame.coalesce(1).write.parquet(str(tmp_path / "parquet"))
    (file,) = (tmp_path / "parquet").glob("*.parquet")
    try:
        table, hours, files, rejects, overlaps, account = state(keep_books_on_spark, ["table:default.audit_rows"])
    finally:
        spark.sql("DROP TABLE audit_rows")
    duckdb = state(keep_books, [file])
    pd.testing.assert_frame_equal(table, duckdb[0])
    pd.testing.assert_frame_equal(hours, duckdb[1])
    (one,) = files
    asked = ("kind", "title", "read", "distinct", "rejected", "first", "last", "rows", "size_basis", "from_columns")
    assert [getattr(one, name) for name in asked] == [getattr(duckdb[2][0], name) for name in asked]
    assert (one.shown, account.read, account.duplicates, account.rejected) == ("table:default.audit_rows", 43, 1, 1)
    assert (one.rejected, overlaps) == (1, [])
    assert rejects[0].place.startswith("partition ")
    assert rejects[0].reason == duckdb[3][0].reason


@slow
@needs_spark
def test_a_table_of_nested_records(tmp_path: Path, spark: Any) -> None:
    """As CloudAppEvents lies in a lake: a timestamp, and the record as a column of structs."""
    event = {"Id": record(1)["Id"], "CreationTime": "2026-03-02T10:00:00", "Operation": "Send", "Workload": "Exchange",
             "RecordType": 2, "UserId": "ann@contoso.com"}  # fmt: skip
    text = as_jsonl([{"Timestamp": "2026-03-02T10:00:00Z", "ActionType": "Send", "RawEventData": event}] * 2)
    frame = spark.read.json(str(write(tmp_path / "a.jsonl", text)))
    frame = frame.selectExpr("CAST(Timestamp AS TIMESTAMP) AS Timestamp", "ActionType", "RawEventData")
    frame.coalesce(1).write.parquet(str(tmp_path / "parquet"))
    (file,) = (tmp_path / "parquet").glob("*.parquet")
    frame.createOrReplaceTempView("events")
    ours, theirs = state(keep_books_on_spark, ["table:events"]), state(keep_books, [file])
    pd.testing.assert_frame_equal(ours[0], theirs[0])
    assert (ours[5].read, ours[5].duplicates) == (2, 1)


@slow
@needs_spark
def test_what_is_no_table_is_refused_and_the_rest_read(tmp_path: Path, spark: Any) -> None:
    spark.range(3).createOrReplaceTempView("numbers")
    good = write(tmp_path / "a.csv", as_csv([record()]))
    account = state(keep_books_on_spark, ["table:absent", "table:numbers", str(good), f"file://{tmp_path}/none"])[5]
    refused = [finding.message for finding in account.findings if finding.code == "file_refused"]
    assert [message.split(" ")[0] for message in refused] == [
        "table:absent:",
        "table:numbers:",
        f"file://{tmp_path}/none:",
    ]
    assert account.read == 1


@slow
@needs_spark
def test_urls_are_read_like_files(tmp_path: Path, spark: Any) -> None:
    paths = small(tmp_path)
    (tmp_path / "readme.md").write_text("no export")
    ours = state(keep_books_on_spark, [f"file://{tmp_path}/", f"file://{tmp_path}/first.csv"])
    theirs = state(keep_books, [tmp_path, paths[0]])
    pd.testing.assert_frame_equal(ours[0], theirs[0])
    pd.testing.assert_frame_equal(ours[1], theirs[1])
    assert ours[4] == theirs[4]

    def plain(files: list[FileCount]) -> list[FileCount]:
        return [replace(one, path=Path(), shown=re.sub("^file:/+", "/", one.shown)) for one in files]

    assert plain(ours[2]) == plain(theirs[2])
    assert ours[2][-1].shown == f"file://{tmp_path}/first.csv"


# ------------------------------------------------------------------------------------- the command line, by itself


@slow
@needs_spark
def test_the_command_line_prints_the_same_json(tmp_path: Path) -> None:
    paths = [str(path) for path in small(tmp_path)[:6]]
    printed = []
    for engine in ("duckdb", "spark"):
        out = tmp_path / f"{engine}.csv"
        command = [sys.executable, "-c", CALL, "measure", *paths, "--format", "json", "--engine", engine]
        ran = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")
        printed.append((json.loads(ran.stdout), out.read_text()))
    assert printed[0] == printed[1]


@slow
@needs_spark
def test_an_executor_without_the_package_is_told_how_to_get_it(tmp_path: Path) -> None:
    """Tasks in a Python of their own, which has nothing installed."""
    bare = tmp_path / "bare.sh"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    code = (
        "import sys; from pyspark.sql import SparkSession; from estimator.cli import main\n"
        "SparkSession.builder.master('local[1]').getOrCreate().sparkContext.setLogLevel('OFF')\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    path = write(tmp_path / "a.csv", as_csv([record()]))
    ran = subprocess.run(
        [sys.executable, "-c", code, "measure", str(path), "--engine", "spark"],
        env={**os.environ, "PYSPARK_PYTHON": str(bare)}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "executors lack the Python package" in ran.stderr
    assert "siem-estimator[spark]" in ran.stderr


def test_the_command_line_refuses_a_master_without_spark(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", "a.csv", "--master", "local[1]"]) == 2
    assert "--engine spark" in capsys.readouterr().err


# -------------------------------------------------------------------------------------------------- 200 MB


def generated(folder: Path, name: str, megabytes: float, shape: str, *options: str) -> Path:
    path = folder / name
    command = [sys.executable, str(shared("reference/gen_ual.py")), "--bytes", str(megabytes * 1e6)]
    subprocess.run([*command, "--format", shape, "--out", str(path), *options], check=True, capture_output=True)
    return path


def spoil(path: Path, *faults: tuple[bytes, bytes]) -> None:
    """Put each fault where its text is found next after some place of the file."""
    content, dice = bytearray(path.read_bytes()), random.Random(1)
    for find, put in faults:
        at = content.index(find, dice.randrange(len(content) * 9 // 10))
        content[at : at + len(find)] = put
    path.write_bytes(content)


def damaged_sample(folder: Path, megabytes: float = 200) -> list[Path]:
    """An export in many files: portal CSV, JSONL, gzip, an array, copies over all of them, and everything wrong."""
    folder.mkdir(exist_ok=True)
    share = megabytes / 10
    table = generated(folder, "portal.csv", 3 * share, "csv")
    spoil(
        table,
        *[(b'}"', b"}")] * 3,
        *[(b'""Id""', b'""Id')] * 20,
        (b'""Workload""', b'""Work\0load""'),
        (b'""Id', b'"Id'),
    )
    lines = generated(folder, "api.jsonl", 3 * share, "jsonl", "--seed", "2")
    spoil(
        lines, *[(b'"Id"', b'"Id')] * 20, *[(b"}\n{", b"}\n<html>\n{")] * 3, (b"}\n{", b"}{"), (b"}\n{", b"}\n\0\0\n{")
    )
    array = generated(folder, "blob.json", share, "array", "--seed", "2")
    spoil(array, *[(b'"Id"', b'"Id')] * 10, (b"},", b","))
    packed = generated(folder, "cut.csv.gz", 1.5 * share, "csv", "--gzip", "--seed", "3")
    packed.write_bytes(packed.read_bytes()[:-100_000])
    whole = generated(folder, "whole.jsonl.gz", 1.5 * share, "jsonl", "--gzip", "--seed", "3")
    rest = folder / "rest"
    rest.mkdir()
    return [table, lines, array, packed, whole, *small(rest)]


@slow
@needs_spark
def test_two_hundred_damaged_megabytes(tmp_path: Path, spark: Any) -> None:
    table, hours, files, rejects, overlaps, account = agree(damaged_sample(tmp_path / "sample"), memory="512MB")
    assert account.read > 100_000
    assert account.rejected > 40
    assert account.duplicates > 1_000
    assert len(overlaps) >= 3
    assert len(rejects) > 40
    assert account.distinct == int(table["events"].sum()) == int(hours["events"].sum())
    assert sum(file.read for file in files) == account.read
