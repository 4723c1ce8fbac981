"""What holds for the product as a whole: its errors, its clock, and what it writes of hostile input."""

from __future__ import annotations

import ast
import csv
import datetime as dt
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import estimator.errors
import pricing.errors
from estimator import audit, tables
from estimator.errors import SiemEstimatorError
from estimator.files import write_whole
from estimator.findings import Finding, below
from estimator.folder import read_folder
from estimator.inventory import read_inventory
from estimator.pipeline import Estimate, estimate
from estimator.report import render
from estimator.scenario import load_scenario
from pricing import Plan, Terms, Usage, find_plan, load_plan
from tests.conftest import SCENARIO, Tenant, audit_record, mailbox, mailboxes_csv, write

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for package in ("estimator", "pricing") for path in (ROOT / package).rglob("*.py"))
DAY = dt.date(2026, 11, 1)

# ------------------------------------------------------------------ errors


def _no_price(tmp: Path) -> object:
    from pricing.bill import bill

    plan = find_plan("sentinel-eastus")
    return bill(plan, Usage([dt.date(2020, 1, 1)], {"CloudAppEvents": np.array([1.0])}), Terms())


def _quoted(plan: str) -> Plan:
    """A plan that leaves its price open, with a price."""
    price = find_plan("sentinel-eastus").meters["analytics"].prices[0].model_copy(update={"source": "model"})
    open_ = find_plan(plan)
    meters = {name: meter.model_copy(update={"prices": (price,)}) for name, meter in open_.meters.items()}
    return open_.model_copy(update={"meters": meters})


def _on_one_day(plan: Plan) -> object:
    from pricing.bill import bill

    return bill(plan, Usage([dt.date(2027, 1, 1)], {"usage": np.array([1.0])}), Terms())


#: Every error a user or a caller can meet, and one input that brings it. An error nothing brings would stand here too,
#: with the reason; there is none.
BROUGHT_BY: dict[str, Callable[[Path], object]] = {
    "UsageError": lambda tmp: load_scenario(tmp / "nowhere.toml"),
    "TenantFolderError": lambda tmp: read_folder(tmp / "nowhere"),
    "InventoryError": lambda tmp: read_inventory(
        {
            "mailboxes": [(write(tmp / "m.csv", mailboxes_csv(mailbox(), columns=["UserPrincipalName"])), "m.csv")],
            "licences": [(tmp, "l")],
        }
    ),
    "AuditExportError": lambda tmp: audit.reduce([write(tmp / "a.csv", '"RecordId","AuditData"\r\n')]),
    "ScenarioError": lambda tmp: load_scenario(write(tmp / "s.toml", "months = 0")),
    "OutputError": lambda tmp: write_whole(tmp / "nowhere" / "chart.png", b""),
    "TableError": lambda tmp: tables.MAILBOXES.check(tables.ACTIVITY.empty(), "a step"),
    "PlanError": lambda tmp: find_plan("no-such-plan"),
    "PlanFileError": lambda tmp: load_plan(write(tmp / "p.toml", "schema_version = 1")),
    "NoPriceError": _no_price,
    "MissingCountError": lambda _: _on_one_day(_quoted("exabeam")),
    "NotCountedError": lambda _: _on_one_day(find_plan("datadog-logs")),
    "TermsError": lambda tmp: Terms(discount_percent=120),
    "UsageShapeError": lambda tmp: Usage([], {}),
}


def test_every_error_is_brought_by_some_input() -> None:
    declared = {
        value.__name__
        for module in (estimator.errors, pricing.errors)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, SiemEstimatorError) and value is not SiemEstimatorError
    }
    assert set(BROUGHT_BY) == declared


@pytest.mark.parametrize("name", BROUGHT_BY)
def test_each_error_says_where_what_and_what_else(name: str, tmp_path: Path) -> None:
    with pytest.raises(SiemEstimatorError) as caught:
        BROUGHT_BY[name](tmp_path)
    error = caught.value
    assert type(error).__name__ == name
    assert error.exit_code in (2, 3, 4, 70)
    assert error.found
    assert error.expected or error.mend or error.exit_code == 2 or "problems" in error.found
    assert str(error).rstrip().endswith((".", "?", "!", "UTF8")) or "\n" in str(error)


# ------------------------------------------------------------------ the clock


def clock_reads(tree: ast.AST) -> list[str]:
    """Calls that read the clock: `date.today()`, `dt.datetime.now()`, `pd.Timestamp.now()`, `time.time()`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            if node.func.attr in ("now", "utcnow", "today") or owner == "time":
                found.append(f"{node.lineno}: {owner}.{node.func.attr}")
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found.append(f"{node.lineno}: from time import")
    return found


def test_the_sweep_sees_a_clock() -> None:
    code = (
        "import time\nfrom time import time\ndt.date.today()\ndt.datetime.now(dt.UTC)\npd.Timestamp.now()\ntime.time()"
    )
    assert len(clock_reads(ast.parse(code))) == 5
    assert clock_reads(ast.parse("day.strftime('%b'); as_of.today; times.time()")) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_only_the_command_line_reads_the_clock(path: Path) -> None:
    reads = clock_reads(ast.parse(path.read_text(encoding="utf-8")))
    assert bool(reads) == (path == ROOT / "estimator" / "cli" / "options.py"), reads


# ------------------------------------------------------------------ hostile input

TITLE = "a | b <script>alert(1)</script> ![x](http://evil.example/x.png) =cmd() \\\\"
FORMULA = "=HYPERLINK(1)"


def result_of(root: Path) -> Estimate:
    return estimate(root, as_of=dt.date(2026, 11, 23), draws=200)


def hostile_records() -> str:
    """Names of workloads and operations come from the log, and whoever can write to it chooses them."""
    names = [(FORMULA, "x"), ("@SUM(1)", "<img src=x>"), ("+1", "a|b"), ("-1", "c\nd\u001b[31m"), ("\t=1", "[e](f)")]
    records = [audit_record(n) for n in range(12)]
    for n, (workload, operation) in enumerate(names):
        records += [
            audit_record(100 * n + day + 100, Workload=workload, Operation=operation, OperationProperties=[])
            for day in range(12)
        ]
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def hostile(tenant: Tenant) -> Estimate:
    # Splunk's add-on carries every workload, those nobody knows too.
    story = (
        SCENARIO.replace('"New events everywhere, CloudAppEvents connected"', f"'{TITLE}'")
        .replace("sentinel-cloudappevents", "splunk-o365")
        .replace("sentinel-eastus", "splunk-cloud-ingest")
    )
    return result_of(tenant({"scenario.toml": story, "audit.jsonl": hostile_records()}))


def test_the_hostile_names_reach_the_result(hostile: Estimate) -> None:
    operations = {volume.operation for volume in hostile.scenarios[0].horizon}
    assert f"{FORMULA}/x" in operations
    assert any("<img" in operation for operation in operations)


def test_no_cell_of_a_csv_is_a_formula(hostile: Estimate) -> None:
    rows = list(csv.reader(io.StringIO(render.text(hostile, "csv"))))
    assert f"'{FORMULA}/x" in {cell for row in rows for cell in row}
    assert {len(row) for row in rows} == {len(rows[0])}
    for row in rows:
        for cell in row:
            assert not re.match(r"[=+@\t\r]|-(?![\d.]|inf|nan)", cell), cell


def test_markdown_shows_hostile_words_as_they_stand(hostile: Estimate) -> None:
    text = render.text(hostile, "markdown")
    assert "<script" not in text
    assert "<img" not in text
    assert r"a \| b &lt;script>" in text
    assert r"!\[x\](http" in text
    assert "\x1b" not in text
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in block.splitlines()}) == 1


def test_no_output_steers_a_terminal(hostile: Estimate) -> None:
    for form in ("table", "markdown"):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", render.text(hostile, form))


def test_json_survives_hostile_names(hostile: Estimate) -> None:
    found: Any = json.loads(render.text(hostile, "json"))
    assert found["scenarios"][0]["title"] == TITLE


def test_a_title_cannot_add_a_heading(tenant: Tenant) -> None:
    story = SCENARIO.replace('"New events everywhere, CloudAppEvents connected"', '"""x\n# Added cost: 0"""')
    with pytest.raises(SiemEstimatorError, match="expected one line without control characters"):
        result_of(tenant({"scenario.toml": story}))


@pytest.mark.parametrize(
    ("text", "root", "told"),
    [
        ("/data/t/audit.csv: cut; see /data/t/b.csv.", "/data/t", "audit.csv: cut; see b.csv."),
        ("s/audit.csv: mailboxes/sites, /s/s/a", "s", "audit.csv: mailboxes/sites, /s/s/a"),
        ("--true-count ../t/a.csv=N", "../t", "--true-count a.csv=N"),
        ("other/t/a.csv", "t", "other/t/a.csv"),
    ],
)
def test_findings_name_paths_below_the_folder_and_touch_no_other_word(text: str, root: str, told: str) -> None:
    (found,) = below([Finding("code", "info", text, text)], Path(root))
    assert (found.message, found.path) == (told, told)


# ------------------------------------------------------------------ this repository


def test_no_test_file_names_a_path_of_one_machine() -> None:
    homes = re.compile(r"(?<![\w.])/(?:home|root|Users|work)/\w")
    for path in (ROOT / "tests").rglob("*"):
        if path.suffix in (".py", ".toml", ".csv", ".json"):
            assert not homes.search(path.read_text(encoding="utf-8")), path
