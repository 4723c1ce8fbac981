"""The benchmarks of reading, small: they must run, agree with each other, and fail where they should."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import fuzz, memory, reading
from benchmarks.fuzz_seeds import own_seeds, records, workbook, zstd, zstd_bomb
from estimator import audit

needs_generator = pytest.mark.skipif(
    not (reading.REFERENCE / "gen_ual.py").exists(), reason="the folder of reference files is not here"
)
needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")

BASELINE = """\
-- a comment
WITH raw AS (
  SELECT AuditData
  FROM read_csv(getvariable('src'), columns = {'a': 'VARCHAR'})
), parsed AS (
  SELECT 1 FROM raw
)
SELECT 1;
"""


@pytest.mark.slow
@needs_generator
@pytest.mark.parametrize("kind", ["csv", pytest.param("jsonl", marks=needs_jq)])
def test_all_contenders_count_the_same(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On 2 MB the start of Python is all there is, so whether the targets hold says nothing; what is counted does."""
    reading.main(["--mb", "2", "--rounds", "1", "--formats", kind, "--keep", str(tmp_path)])

    printed = capsys.readouterr().out
    everybody = "tool, statement, pandas" + (", jq, jq-lines" if kind == "jsonl" else "")
    assert f"the same by {everybody}\n" in printed
    assert "DIFFERS" not in printed
    assert f"measure {tmp_path / f'ual-2mb.{kind}'} --out" in printed
    assert "SET memory_limit = '1GB'" in printed
    assert [path.name for path in tmp_path.iterdir()] == [f"ual-2mb.{kind}"]


def contender(name: str, wall: float, path: Path) -> reading.Contender:
    return reading.Contender(name, [], lambda: reading.Counts(1, 1), path, runs=[reading.Run(wall, 1, 1)])


@pytest.mark.parametrize(("statement", "holds"), [(0.91, True), (0.89, False)])
def test_the_verdict_by_hand(statement: float, holds: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(5_000_000))
    found = [contender("tool", 1.0, path), contender("statement", statement, path), contender("pandas", 12.5, path)]
    counts = dict.fromkeys(("tool", "statement", "pandas"), reading.Counts(1, 1))

    assert found[0].speed == pytest.approx(5)
    names, ratios, targets = zip(*reading.verdict("csv", found), strict=True)
    assert names == ("statement", "pandas")
    assert ratios == pytest.approx((statement, 12.5))
    assert targets == (0.9, 12.0)
    assert reading.report("csv", found, counts) is holds
    assert not reading.report("csv", found, counts | {"pandas": reading.Counts(2, 1)})
    assert "pandas DIFFERS" in capsys.readouterr().out


def test_the_statement_is_the_baseline_word_for_word(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.sql"
    baseline.write_text(BASELINE)

    as_csv = reading.statement(baseline, Path("/x/o'hara.csv"), Path("/x/out"))
    as_jsonl = reading.statement(baseline, Path("/x/a.jsonl"), Path("/x/out"))

    assert "SET VARIABLE src = '/x/o''hara.csv';" in as_csv
    assert BASELINE.removeprefix("-- a comment\n").rstrip(";\n") in as_csv
    assert "SELECT json AS AuditData FROM read_ndjson_objects(getvariable('src'))" in as_jsonl
    assert "read_csv" not in as_jsonl


def test_a_pipe_is_measured_and_a_failure_in_it_is_told(tmp_path: Path) -> None:
    run = reading.run_pipe([["printf", "b\\na\\n"], ["sort"]], tmp_path / "out")
    assert (tmp_path / "out").read_text() == "a\nb\n"
    assert run.wall > 0
    assert run.rss > 0
    with pytest.raises(reading.ContenderError, match="exit code 3"):
        reading.run_pipe([["sh", "-c", "echo why >&2; exit 3"], ["cat"]], tmp_path / "out")


def test_output_beside_the_json_is_no_result(tmp_path: Path) -> None:
    stdout = tmp_path / "stdout"
    stdout.write_text('10 % done {"distinct": 1, "operations": []}')
    with pytest.raises(reading.ContenderError, match="not JSON"):
        reading.measured(stdout)


@pytest.mark.slow
@needs_generator
def test_memory_of_a_small_file_and_of_twice_as_much(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in reading.FORMATS:
        assert memory.main(["--gb", "1", "2", "--part-mb", "0.2", "--formats", kind, "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("holds") == 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_later_record_is_another_one_of_the_same_length(kind: str) -> None:
    one = {"CreationTime": "2026-03-02T10:00:00", "Id": "5e0f6a5c-31d4-4c0e-9d1f-000000000000", "Operation": "Send"}
    text = json.dumps(one, separators=(",", ":"))
    doubled = text.replace('"', '""')
    line = text + "\n" if kind == "jsonl" else f'{one["Id"]},2026-03-02T10:00:00Z,2,Send,a,"{doubled}"\r\n'

    (moved,) = memory.later(iter([line.encode()]), kind, 10)

    assert len(moved) == len(line)
    assert moved.decode() == line.replace("2026-03-02", "2026-07-20").replace("5e0f6a5c", "0a0f6a5c")


def test_the_valid_files_are_valid() -> None:
    seeds = own_seeds()
    assert [json.loads(line) for line in seeds["records.jsonl"].splitlines()] == records()
    assert json.loads(seeds["array.json"]) == records() == json.loads(seeds["pretty.json"])


def test_stored_zstd_and_made_workbooks_are_read_by_others(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    calamine = pytest.importorskip("python_calamine")
    for name, content, expected in (("a", zstd(b"a\n" * 200_000), 400_000), ("b", zstd_bomb(1), 1 << 20)):
        path = tmp_path / name
        path.write_bytes(content)
        text = duckdb.sql(f"SELECT sum(strlen(line) + 1) FROM read_csv('{path}', columns = {{'line': 'VARCHAR'}}, "
                          "header = false, auto_detect = false, delim = '', max_line_size = 2000000, "
                          "compression = 'zstd')").fetchall()  # fmt: skip
        assert int(text[0][0]) in (expected, expected + 1)
    book = tmp_path / "a.xlsx"
    book.write_bytes(workbook([["a", "<&"], ["b", "=1+1"]]))
    assert calamine.load_workbook(str(book)).get_sheet_by_index(0).to_python() == [["a", "<&"], ["b", 1.0]]


def test_a_case_is_the_same_every_time_and_another_one_differs() -> None:
    seeds = own_seeds()

    def digest(seed: int, first: int) -> list[str]:
        cases = [fuzz.make_case(seed, number, seeds) for number in range(first, first + 40)]
        return [hashlib.sha256(case.name.encode() + case.data).hexdigest() for case in cases]

    first = len(seeds)
    assert digest(1, first) == digest(1, first)
    assert len({*digest(1, first), *digest(2, first), *digest(1, first + 40)}) > 100
    assert fuzz.make_case(1, 0, seeds).data == seeds[min(seeds)]


def test_a_few_cases_break_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The valid files and about as many mangled ones; ten minutes of it is a command in CONTRIBUTING.md."""
    status = fuzz.main(["--cases", "100", "--seed", "20261124", "--minutes", "1", "--save", str(tmp_path / "failed")])
    printed = capsys.readouterr().out
    assert status == 0, printed
    assert printed.startswith("100 cases")
    assert "whole" in printed
    assert not (tmp_path / "failed").exists()


@pytest.mark.slow
def test_half_a_minute_of_fuzzing_breaks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = fuzz.main(["--seed", "20261125", "--minutes", "0.5", "--jobs", "2", "--save", str(tmp_path)])
    assert status == 0, capsys.readouterr().out


def fails(step: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> fuzz.Account:
    """What the fuzzer makes of two cases where `audit.reduce` is `step`."""
    monkeypatch.setattr(audit, "reduce", step)
    account = fuzz.Account()
    for number in (1, 2):
        case = fuzz.Case("records.jsonl", "a b.jsonl", own_seeds()["records.jsonl"])
        fuzz.try_case(case, number, account, tmp_path / "work", tmp_path / "kept")
    return account


def test_an_exception_is_found_told_once_and_its_input_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def crash(*_: Any, **__: Any) -> Any:
        raise RecursionError("deep")

    account = fails(crash, monkeypatch, tmp_path)

    assert account.failed == 2
    (failure,) = account.failures
    assert failure.where.startswith("RecursionError")
    assert "deep" in failure.said
    assert Path(failure.saved) == tmp_path / "kept" / "1-a_b.jsonl"
    assert Path(failure.saved).read_bytes() == own_seeds()["records.jsonl"]


def test_a_record_that_is_not_accounted_for_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = audit.reduce

    def lossy(*paths: Any, **options: Any) -> Any:
        result = real(*paths, **options)
        object.__setattr__(result, "rejected", result.rejected + 1)
        return result

    (failure,) = fails(lossy, monkeypatch, tmp_path).failures
    assert failure.where.startswith("read ≠ distinct + duplicates + rejected")


def test_a_file_left_behind_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = audit.reduce

    def untidy(paths: Any, **options: Any) -> Any:
        (paths[0].parent / "evil.json").write_text("x")
        return real(paths, **options)

    (failure,) = fails(untidy, monkeypatch, tmp_path).failures
    assert failure.where == "left behind: ['tenant/evil.json']"
