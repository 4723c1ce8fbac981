"""The reduction against an independent one, on generated and on real exports, row for row and column for column."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from audit_exports import shared
from reference_reduction import KEYS, reference

from estimator.audit import Reduction, reduce


def generated(folder: Path, megabytes: float, shape: str, *options: str) -> Path:
    path = folder / f"{shape}{''.join(options)}"
    command = [sys.executable, str(shared("reference/gen_ual.py")), "--bytes", str(megabytes * 1e6)]
    subprocess.run([*command, "--format", shape, "--out", str(path), *options], check=True, capture_output=True)
    return path


def agree(result: Reduction, *paths: Path) -> None:
    table, hours, read = reference(*paths)
    ours = result.table[table.columns].sort_values(KEYS, ignore_index=True)
    theirs = table.sort_values(KEYS, ignore_index=True)
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, check_column_type=False)
    keys = ["day", "hour", "workload", "operation"]
    pd.testing.assert_frame_equal(
        result.hours.sort_values(keys, ignore_index=True),
        hours.sort_values(keys, ignore_index=True),
        check_dtype=False,
        check_column_type=False,
    )
    assert (result.read, result.distinct, result.rejected) == (read, int(table["events"].sum()), 0)
    assert result.duplicates == read - result.distinct


@pytest.mark.parametrize(
    ("shape", "options"), [("csv", ()), ("jsonl", ()), ("array", ()), ("csv", ("--gzip",)), ("jsonl", ("--gzip",))]
)
def test_three_megabytes(tmp_path: Path, shape: str, options: tuple[str, ...]) -> None:
    path = generated(tmp_path, 3, shape, *options)
    agree(reduce([path]), path)


def test_shapes_together(tmp_path: Path) -> None:
    paths = [generated(tmp_path, 1, shape) for shape in ("csv", "jsonl", "array")]
    agree(reduce(paths, threads=2), *paths)


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "megabytes"), [("csv", 200), ("jsonl", 50), ("array", 50)])
def test_many_megabytes(tmp_path: Path, shape: str, megabytes: int) -> None:
    path = generated(tmp_path, megabytes, shape)
    agree(reduce([path], memory="512MB"), path)


def test_utf16_is_the_same_sample(tmp_path: Path) -> None:
    plain = generated(tmp_path, 1, "csv")
    wide = tmp_path / "wide"
    wide.write_bytes(plain.read_bytes().decode().encode("utf-16"))
    agree(reduce([wide]), plain)


def test_tenant_a() -> None:
    path = shared("samples/tenant_a/audit.csv.gz")
    result = reduce([path])
    accessed = result.table[result.table["operation"] == "MailItemsAccessed"]
    assert (result.distinct, int(accessed["events"].sum()), accessed["subject"].nunique()) == (46_706, 37_980, 127)
    assert [finding.code for finding in result.findings] == []
    agree(result, path)


def test_plaso() -> None:
    path = shared("samples/plaso/microsoft_audit_log.jsonl")
    result = reduce([path])
    agree(result, path)
    assert result.read == 4


def test_documented_array() -> None:
    path = shared("samples/pnp/auditlog-list.json")
    result = reduce([path])
    agree(result, path)
    assert result.table["subject_kind"].tolist() == ["tenant"]
