"""A file is told by its content, whatever its name; what is no audit export is left to others."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from audit_exports import KINDS, SHAPES, as_array, as_csv, as_jsonl, compact, csv_text, record, write

from estimator.audit import recognise
from estimator.errors import AuditExportError


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_each_shape_is_told_by_its_content(tmp_path: Path, kind: str, zipped: bool, bom: bytes) -> None:
    path = write(tmp_path / "misnamed.toml", bom + SHAPES[kind]([record()]), zipped=zipped)
    shape = recognise(path)
    assert shape is not None
    assert (shape.kind, shape.framing, shape.compressed) == (KINDS[kind], kind, zipped)
    assert shape.title


@pytest.mark.parametrize(
    "columns",
    [
        ("RecordType", "CreationDate", "UserIds", "Operations", "AuditData", "ResultIndex", "Identity"),
        ("AuditData",),
        ("PSComputerName", "auditdata ", "_raw", "_raw"),
    ],
)
def test_csv_with_any_columns_in_any_order(tmp_path: Path, columns: tuple[str, ...]) -> None:
    shape = recognise(write(tmp_path / "a", csv_text(["{}"], columns).encode()))
    assert shape is not None
    assert shape.kind == "audit-rows"


@pytest.mark.parametrize("prefix", ["#TYPE Deserialized.Microsoft.Exchange.Data\r\n", "sep=,\r\n"])
def test_a_line_before_the_header(tmp_path: Path, prefix: str) -> None:
    shape = recognise(write(tmp_path / "a", prefix.encode() + as_csv([record()])))
    assert shape is not None
    assert shape.kind == "audit-rows"


def test_utf16_with_semicolons(tmp_path: Path) -> None:
    text = csv_text([compact(record())], delimiter=";")
    shape = recognise(write(tmp_path / "a", text.encode("utf-16")))
    assert shape is not None
    assert shape.encoding == "utf-16"


@pytest.mark.parametrize(
    "content",
    [
        '{"value":[{"userPrincipalName":"a@b.c","assignedLicenses":[{"skuId":"x"}]}]}',
        '[{"userPrincipalName":"a@b.c","assignedLicenses":[]}]',
        '{"userPrincipalName":"a@b.c"}\n{"userPrincipalName":"b@b.c"}\n',
        "UserPrincipalName,RecipientTypeDetails,AuditEnabled\r\na@b.c,UserMailbox,True\r\n",
        "UserPrincipalName,SkuPartNumber\na@b.c,SPE_E5\n",
        'schema_version = 1\n[[feeds]]\nid = "x"\n',
        "[[feeds]]\nid = 1\n",
        "[]",
        "",
        "[" * 100_000,
        '{"TimeGenerated":"2026-01-01T00:00:00Z","OperationName":"Update user","LoggedByService":"Core Directory"}\n',
        "day,events\n2026-01-01,5\n",
        "\x00\x01\x02PK\x03\x04",
    ],
)
def test_what_is_no_audit_export_is_not_claimed(tmp_path: Path, content: str) -> None:
    assert recognise(write(tmp_path / "a.csv", content.encode())) is None


def test_a_broken_first_record_does_not_hide_the_others(tmp_path: Path) -> None:
    jsonl = recognise(write(tmp_path / "a", b"<html>\n" + as_jsonl([record()])))
    array = recognise(write(tmp_path / "b", as_array([record(1), record(2)]).replace(b'"Id"', b'"Id', 1)))
    assert jsonl is not None
    assert jsonl.framing == "jsonl"
    assert array is not None
    assert array.framing == "array"


def test_a_cut_gzip_is_still_recognised(tmp_path: Path) -> None:
    whole = gzip.compress(as_csv(record(n, Noise=str(hash(str(n)))) for n in range(2_000)))
    shape = recognise(write(tmp_path / "a", whole[: len(whole) // 2]))
    assert shape is not None
    assert shape.compressed


def test_a_missing_file_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(AuditExportError, match=r"nowhere\.csv"):
        recognise(tmp_path / "nowhere.csv")


def test_importing_the_package_loads_neither_duckdb_nor_pandas() -> None:
    code = "import sys, estimator.audit; sys.exit(any(m in sys.modules for m in ('duckdb', 'pandas', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
