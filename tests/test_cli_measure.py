"""`measure`: counts of audit exports, the file they are written to, and what the command line refuses."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from estimator import audit, tables
from estimator.cli import main
from estimator.errors import UsageError
from estimator.schemas import schema
from estimator.true_counts import parse, refuse_strangers
from tests.conftest import AUDIT, audit_jsonl, audit_record, csv_text, write
from tests.test_cli import CALL, Capture, Ran, process, refused

MAIL, UPDATE = "Exchange/MailItemsAccessed", "Exchange/Update"


def damaged() -> str:
    """Twelve of ann's a day apart, six Updates of bob's, three copies and two lines that are no records."""
    return audit_jsonl(*AUDIT, *AUDIT[:3]) + '{broken\n{"Operation": 1}\n'


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write(tmp_path / "audit.jsonl", damaged())


def cells(table: str, name: str) -> list[str]:
    """The cells of the row of a printed table that starts with `name`."""
    (row,) = [line for line in table.splitlines() if line.startswith(f"{name} ")]
    return [cell.strip() for cell in row.split("  ") if cell.strip()]


# ------------------------------------------------------------------ formats


def test_the_json_keeps_its_contract(export: Path, capsys: Capture) -> None:
    ran = Ran(capsys, "measure", export, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    found = ran.json
    jsonschema.validate(found, schema("measure"), jsonschema.Draft202012Validator)
    # Counted by hand: 18 distinct, 3 copies, 2 broken lines.
    assert (found["records"], found["distinct"], found["duplicates"], found["rejected"]) == (23, 18, 3, 2)
    assert found["records"] == found["distinct"] + found["duplicates"] + found["rejected"]
    assert (found["first"], found["last"], found["subjects"]) == ("2026-11-02", "2026-11-13", 2)
    operations = {one["operation"]: one for one in found["operations"]}
    assert set(operations) == {MAIL, UPDATE}
    mail, update = operations[MAIL], operations[UPDATE]
    assert (mail["events"], mail["raw_events"], mail["subjects"]) == (12, 15, 1)
    assert (update["events"], update["raw_events"], update["subjects"]) == (6, 6, 1)
    assert update["peak_hour"] == {"day": "2026-11-02", "hour": 10, "events": 1}
    (file,) = found["files"]
    assert (file["path"], file["records"], file["rejected"]) == (str(export), 23, 2)
    assert len(found["rejects"]) == 2
    assert {"duplicate_records", "rows_rejected"} <= {finding["code"] for finding in found["findings"]}


def test_the_json_says_whether_the_sample_was_cut(tmp_path: Path, capsys: Capture) -> None:
    """A hundred is what Search-UnifiedAuditLog gives unasked; a total that the portal states corrects it."""
    for count, options, cut in ((100, (), True), (99, (), False), (100, ("--true-count", "250"), False)):
        path = write(tmp_path / "a.jsonl", audit_jsonl(*(audit_record(n) for n in range(count))))
        found = Ran(capsys, "measure", path, *options, "--format", "json").json
        jsonschema.validate(found, schema("measure"), jsonschema.Draft202012Validator)
        assert found["cut"] is cut


@pytest.mark.parametrize("named", ["the file", "its folder", "a link to it"])
def test_an_export_is_never_overwritten(tmp_path: Path, capsys: Capture, named: str) -> None:
    export = write(tmp_path / "exports" / "audit.json", damaged())
    (tmp_path / "link.json").symlink_to(export)
    before = export.read_bytes()
    given = {"the file": export, "its folder": export.parent, "a link to it": tmp_path / "link.json"}[named]
    refused(Ran(capsys, "measure", given, "--out", export), 3, "is one of the exports", str(export))
    assert export.read_bytes() == before
    assert [path.name for path in export.parent.iterdir()] == ["audit.json"]


def test_counts_below_the_folder_that_is_read_are_replaced(tmp_path: Path, capsys: Capture) -> None:
    write(tmp_path / "audit.jsonl", damaged())
    out = tmp_path / "counts.csv"
    first = Ran(capsys, "measure", tmp_path, "--out", out)
    content = out.read_bytes()
    again = Ran(capsys, "measure", tmp_path, "--out", out)
    assert (first.code, again.code, out.read_bytes()) == (0, 3, content)  # the old counts are refused, as told
    assert "counts_overlap" in again.out


def test_the_schema_refuses_another_contract(export: Path, capsys: Capture) -> None:
    found = Ran(capsys, "measure", export, "--format", "json").json
    del found["rejected"]
    with pytest.raises(jsonschema.ValidationError, match="rejected"):
        jsonschema.validate(found, schema("measure"), jsonschema.Draft202012Validator)


def test_the_table_adds_up(export: Path, capsys: Capture) -> None:
    ran = Ran(capsys, "measure", export)
    assert (ran.code, ran.err) == (0, "")
    assert "23 records read = 18 distinct + 3 duplicates + 2 rejected." in ran.out
    assert "2026-11-02 to 2026-11-13 (UTC), 12 days; 2 mailboxes and sites." in ran.out
    mail = cells(ran.out, MAIL)
    assert mail[1:4] == ["12", "66.7%", "3"]
    assert mail[5] == "1"
    assert cells(ran.out, UPDATE)[1:4] == ["6", "33.3%", "0"]
    assert ran.out.index("Files\n-----") < ran.out.index("Rejected records") < ran.out.index("Findings")
    assert cells(ran.out.partition("Rejected records")[0], str(export))[2:5] == ["23", "3", "2"]


def test_markdown_and_csv_say_the_same(export: Path, capsys: Capture) -> None:
    found = Ran(capsys, "measure", export, "--format", "json").json
    markdown = Ran(capsys, "measure", export, "--format", "markdown").out
    assert markdown.startswith("# Audit exports\n")
    assert f"| {MAIL} " in markdown
    ran = Ran(capsys, "measure", export, "--format", "csv")
    rows = {row["operation"]: row for row in ran.rows}
    for one in found["operations"]:
        row = rows[one["operation"]]
        assert [int(row[name]) for name in ("events", "raw_events", "bytes", "subjects")] == [
            one[name] for name in ("events", "raw_events", "bytes", "subjects")
        ]
        peak = one["peak_hour"]
        assert (row["peak_day"], int(row["peak_hour"]), int(row["peak_events"])) == tuple(peak.values())
    # CSV has no room for findings.
    warnings = {f["code"] for f in found["findings"] if f["severity"] == "warning"}
    assert set(ran.err.splitlines()) == {f"warning: {code}" for code in warnings}


def test_bytes_each_are_of_the_records_that_have_a_size(tmp_path: Path, capsys: Capture) -> None:
    """One Send whole, one whose AuditData is gone and that its other columns tell."""
    text = json.dumps(audit_record(1, operation="Send"))
    row = {"CreationDate": "2026-11-04T10:00:00", "RecordType": "ExchangeItem", "Operation": "Send"}
    rows = [{**row, "RecordId": "a", "AuditData": text}, {**row, "RecordId": "b", "AuditData": ""}]
    export = write(tmp_path / "a.csv", csv_text(rows, ["RecordId", *row, "AuditData"]))
    ran = Ran(capsys, "measure", export)
    assert cells(ran.out, "Exchange/Send")[1:5] == ["2", "100.0%", "0", f"{float(f'{len(text):.3g}'):,.0f}"]
    assert "Bytes each are of the records that show their size" in " ".join(ran.out.split())


def test_many_operations_are_cut_for_people_and_counted(tmp_path: Path, capsys: Capture) -> None:
    records = [audit_record(n, operation=f"Op{n:03d}") for n in range(70)]
    export = write(tmp_path / "a.jsonl", audit_jsonl(*records))
    assert "The 60 most frequent; 10 more come to 10 records." in " ".join(Ran(capsys, "measure", export).out.split())
    assert len(Ran(capsys, "measure", export, "--format", "json").json["operations"]) == 70


def test_names_from_the_log_steer_nothing(tmp_path: Path, capsys: Capture) -> None:
    records = [audit_record(n, operation=name) for n, name in enumerate(("a|b\x1b[31m", "<img>"))]
    records.append(audit_record(9, Workload="=cmd()", operation="x"))
    export = write(tmp_path / "a.jsonl", audit_jsonl(*records))
    outputs = [Ran(capsys, "measure", export, "--format", form).out for form in ("table", "markdown", "csv")]
    assert not any("\x1b" in text for text in outputs[:2])
    assert "<img" not in outputs[1]
    assert "'=cmd()/x" in {row["operation"] for row in csv.DictReader(io.StringIO(outputs[2]))}


# ------------------------------------------------------------------ inputs


def test_folders_and_standard_input(export: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Ran(capsys, "measure", export, "--format", "json").json
    assert Ran(capsys, "measure", export.parent, "--format", "json").json["operations"] == whole["operations"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(damaged().encode())))
    ran = Ran(capsys, "measure", "-", "--format", "json")
    assert ran.json["operations"] == whole["operations"]
    assert [file["path"] for file in ran.json["files"]] == ["-"]
    assert "/tmp" not in ran.out + ran.err


def test_standard_input_without_a_pipe(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(Ran(capsys, "measure", "-", "-"), 2, "'-' is given twice")
    monkeypatch.setattr(sys, "stdin", Terminal())
    refused(Ran(capsys, "measure", "-"), 2, "nothing is piped into it", "siem-estimator measure -")


def test_a_refused_file_is_told_and_the_rest_counts(export: Path, capsys: Capture) -> None:
    strange = write(export.parent / "strange.dat", b"\x00\x01\x02")
    ran = Ran(capsys, "measure", export, strange, "--format", "json")
    assert ran.code == 3
    assert ran.err.startswith(f"error: {strange}: ")
    assert ran.json["distinct"] == 18
    refused(Ran(capsys, "measure", export, strange, "--strict"), 3, str(strange))


def test_nothing_to_count(tmp_path: Path, capsys: Capture) -> None:
    refused(Ran(capsys, "measure", write(tmp_path / "a.jsonl", "{broken\n")), 3, "a.jsonl")


# ------------------------------------------------------------------ --out


def test_the_counts_as_csv_hold_the_figures(export: Path, capsys: Capture) -> None:
    out = export.parent / "counts.csv"
    ran = Ran(capsys, "measure", export, "--out", out, "--format", "json")
    assert ran.code == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert list(rows[0]) == tables.REDUCTION.names
    assert {float(row["weight"]) for row in rows} == {1}
    totals = {figure: sum(int(row[figure]) for row in rows) for figure in ("events", "raw_events", "bytes")}
    assert totals == {"events": 18, "raw_events": 21, "bytes": sum(one["bytes"] for one in ran.json["operations"])}
    assert {row["day"] for row in rows} == {f"2026-11-{day:02d}" for day in range(2, 14)}
    assert sorted(path.name for path in export.parent.iterdir()) == ["audit.jsonl", "counts.csv"]


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_the_counts_are_read_like_any_export(export: Path, capsys: Capture, tmp_path: Path, suffix: str) -> None:
    (tmp_path / "out").mkdir()
    counts = tmp_path / "out" / f"counts.{suffix}"
    whole = Ran(capsys, "measure", export, "--out", counts, "--format", "json").json
    again = Ran(capsys, "measure", counts, "--format", "json").json
    figures = ("operation", "events", "raw_events", "bytes", "subjects")
    assert [[one[name] for name in figures] for one in again["operations"]] == [
        [one[name] for name in figures] for one in whole["operations"]
    ]
    assert (again["distinct"], again["first"], again["last"]) == (18, whole["first"], whole["last"])


def test_what_the_counts_are_not_written_to(export: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = export.parent
    monkeypatch.setattr(audit, "measure", lambda *_, **__: pytest.fail("read"))
    refused(Ran(capsys, "measure", export, "--out", "counts.txt"), 2, "--out counts.txt: .txt is no format", ".parquet")
    refused(Ran(capsys, "measure", export, "--out", "counts"), 2, "no ending is no format")
    refused(Ran(capsys, "measure", export, "--out", folder / "no" / "counts.csv"), 3, "there is no such folder")
    (folder / "x.csv").mkdir()
    refused(Ran(capsys, "measure", export, "--out", folder / "x.csv"), 3, "it is a folder")


def test_with_strict_a_refusal_leaves_the_old_counts(export: Path, capsys: Capture) -> None:
    strange = write(export.parent / "strange.dat", b"\x00\x01\x02")
    out = write(export.parent / "counts.csv", "old")
    refused(Ran(capsys, "measure", export, strange, "--out", out, "--strict"), 3, "strange.dat")
    assert out.read_text() == "old"
    assert Ran(capsys, "measure", export, strange, "--out", out).code == 3
    assert out.read_text() != "old"
    assert sorted(path.name for path in out.parent.iterdir()) == ["audit.jsonl", "counts.csv", "strange.dat"]


# ------------------------------------------------------------------ --true-count


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ([], {}),
        (["150000"], {None: 150_000}),
        (["150,000"], {None: 150_000}),
        (["a.csv=2", "b=c.csv=3"], {"a.csv": 2, "b=c.csv": 3}),
    ],
)
def test_true_counts(options: list[str], counts: dict[str | None, int]) -> None:
    assert parse(options) == counts


@pytest.mark.parametrize("option", ["abc", "-5", "0", "1.5", "150.000", "1,50", "a.csv=", "=5", "a.csv=many", ""])
def test_true_counts_that_are_none(option: str) -> None:
    with pytest.raises(UsageError, match="true-count"):
        parse([option])


def test_two_true_counts_of_one_file() -> None:
    for options in (["5", "6"], ["a=5", "a=6"]):
        with pytest.raises(UsageError, match="a second total"):
            parse(options)


def test_a_stated_total_stands_with_its_file(export: Path, capsys: Capture) -> None:
    for option in ("230", f"{export}=230", "audit.jsonl=230"):
        ran = Ran(capsys, "measure", export, "--true-count", option, "--format", "json")
        (file,) = ran.json["files"]
        assert (file["true_count"], file["weight"]) == (230, 10)
        assert ran.json["distinct"] == 18  # what was counted stays what it was


def test_a_total_of_a_file_that_is_not_there(export: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "measure", lambda *_, **__: pytest.fail("read"))
    ran = Ran(capsys, "measure", export, "--true-count", "other.csv=5")
    refused(ran, 2, "--true-count other.csv=…: there is no such file among the inputs", str(export))


def test_a_total_of_a_file_that_was_not_read(export: Path, capsys: Capture) -> None:
    ran = Ran(capsys, "measure", export.parent, "--true-count", f"{export.parent}/none.jsonl=50")
    refused(ran, 2, "none.jsonl")
    assert Ran(capsys, "measure", export.parent, "--true-count", "audit.jsonl=50").code == 0


def test_a_total_below_the_rows_of_its_file(export: Path, capsys: Capture) -> None:
    refused(Ran(capsys, "measure", export, "--true-count", "22"), 2, str(export), "22")


# ------------------------------------------------------------------ engines


def test_spark_that_is_not_installed(export: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("estimator.measuring.find_spec", lambda _: None)
    refused(Ran(capsys, "measure", export, "--engine", "spark"), 2, "pip install 'siem-estimator[spark]'")


def test_options_of_another_engine(export: Path, capsys: Capture) -> None:
    refused(Ran(capsys, "measure", export, "--master", "local[2]"), 2, "--master is for --engine spark")


def test_the_engine_is_told_what_was_asked(export: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    real = audit.measure

    def note(paths: Any, **options: Any) -> Any:
        asked.update(options)
        return real(paths)

    monkeypatch.setattr(audit, "measure", note)
    monkeypatch.setattr("estimator.measuring.find_spec", lambda _: object())
    options = ["--engine", "spark", "--master", "local[2]", "--memory", "512MB", "--threads", "2"]
    assert Ran(capsys, "measure", export, *options).code == 0
    assert {name: asked[name] for name in ("engine", "master", "memory", "threads", "out", "progress")} == {
        "engine": "spark", "master": "local[2]", "memory": "512MB", "threads": 2, "out": None, "progress": None,
    }  # fmt: skip


@pytest.mark.parametrize("options", [["--threads", "0"], ["--engine", "pandas"], ["--format", "html"], []])
def test_usage(options: list[str], capsys: Capture) -> None:
    ran = Ran(capsys, "measure", *([*options, "x"] if options else []))
    assert ran.code == 2
    assert "Usage:" in ran.err + ran.out


def test_memory_that_makes_no_sense(export: Path, capsys: Capture) -> None:
    assert Ran(capsys, "measure", export, "--memory", "plenty").code == 2


# ------------------------------------------------------------------ the bar


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal_only(export: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    assert Ran(capsys, "measure", export).err == ""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    assert main(["measure", str(export)]) == 0
    assert "audit.jsonl" in screen.getvalue()
    assert "bytes" in screen.getvalue()
    assert "audit.jsonl" not in capsys.readouterr().out.splitlines()[0]


def test_what_help_and_counting_import(export: Path) -> None:
    for arguments in (["measure", "--help"], ["check", "--help"]):
        code = CALL + "print([m for m in ('pandas', 'duckdb', 'numpy', 'rich') if m in sys.modules], code)"
        assert process(*arguments, code=code).stdout.decode().splitlines()[-1] == "[] 0"
    # Where stderr is no terminal, nothing draws a bar.
    counted = process("measure", export, code=CALL + "print('rich' in sys.modules, code)")
    assert counted.stdout.decode().splitlines()[-1] == "False 0"


def test_the_same_input_gives_the_same_bytes(export: Path) -> None:
    runs = [process("measure", os.path.relpath(export, Path(__file__).parents[1]), "--format", "json",
                    PYTHONHASHSEED=seed) for seed in ("1", "2")]  # fmt: skip
    assert runs[0].returncode == 0
    assert runs[0].stdout == runs[1].stdout
    assert json.loads(runs[0].stdout)["distinct"] == 18


def test_what_stands_around_the_counting_imports_nothing_heavy() -> None:
    code = (
        "import sys, estimator.measuring, estimator.progress, estimator.true_counts, estimator.report.measure; "
        "print([m for m in ('pandas', 'duckdb', 'numpy', 'rich', 'pydantic') if m in sys.modules])"
    )
    assert process(code=code).stdout.decode().split() == ["[]"]


@pytest.mark.parametrize(
    ("path", "file", "held"),
    [
        ("a.csv", "a.csv", True),
        ("a.csv", "b.csv", False),
        ("exports", "exports/sub/a.csv", True),
        ("exports/", "exports/a.csv", True),
        ("exports", "exports2/a.csv", False),
        ("a.zip", "a.zip/inside/a.csv", True),
        ("exports/*.csv", "exports/a.csv", True),
        ("exports/*.zip", "exports/a.zip/a.csv", True),
        ("exports/*.csv", "exports/a.json", False),
        ("exports/*.csv", "a.csv", True),  # as far as can be told before it is read
        ("exports/a.csv", "a.csv", True),
        ("exports", "a.csv", False),
        ("-", "-", True),
    ],
)
def test_which_inputs_can_hold_a_file(path: str, file: str, held: bool) -> None:
    if held:
        refuse_strangers({file: 5}, [path])
    else:
        with pytest.raises(UsageError, match="no such file among the inputs"):
            refuse_strangers({file: 5}, ["other", path])
