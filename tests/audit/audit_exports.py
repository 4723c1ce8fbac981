"""Writes audit exports for the tests: records, and each shape they come in."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Record = dict[str, Any]

#: The folder of reference files and samples; tests that need it are skipped where it is absent.
SHARED = Path(os.environ.get("SIEM_ESTIMATOR_SHARED", Path(__file__).parents[3] / "shared"))

PORTAL = ("RecordId", "CreationDate", "RecordType", "Operation", "UserId", "AuditData", "AssociatedAdminUnits")


#: Examples of a property: few in the ordinary run, many in the slow one.
few_or_many = pytest.mark.parametrize(
    "examples", [pytest.param(8, id="few"), pytest.param(50, id="many", marks=pytest.mark.slow)]
)


def holds(property_: Callable[[Any], None], cases: st.SearchStrategy[Any], examples: int) -> None:
    """Try a property on so many cases, each drawn anew."""
    settings(max_examples=examples, deadline=None)(given(cases)(property_))()


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return path


def record(number: int = 1, **fields: Any) -> Record:
    """A MailItemsAccessed record; `fields` replace or, where None, remove."""
    found: Record = {
        "CreationTime": "2026-03-02T10:00:00",
        "Id": f"00000000-0000-4000-8000-{number:012d}",
        "Operation": "MailItemsAccessed",
        "RecordType": 50,
        "Workload": "Exchange",
        "UserId": "Ann@Contoso.com",
        "MailboxOwnerUPN": "ann@contoso.com",
        "OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}, {"Name": "IsThrottled", "Value": "False"}],
        "OperationCount": 2,
    }
    found.update(fields)
    return {key: value for key, value in found.items() if value is not None}


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def size(one: Record) -> int:
    return len(compact(one).encode())


def csv_text(
    texts: Iterable[str],
    columns: Sequence[str] = PORTAL,
    *,
    newline: str = "\r\n",
    delimiter: str = ",",
    quoting: Any = csv.QUOTE_MINIMAL,
) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=newline, delimiter=delimiter, quoting=quoting)
    writer.writerow(columns)
    for text in texts:
        writer.writerow([text if column == "AuditData" else "x" for column in columns])
    return out.getvalue()


def as_csv(records: Iterable[Record], **options: Any) -> bytes:
    return csv_text(map(compact, records), **options).encode()


def as_jsonl(records: Iterable[Record], newline: str = "\n") -> bytes:
    return "".join(compact(one) + newline for one in records).encode()


def as_array(records: Iterable[Record]) -> bytes:
    return ("[" + ",\n".join(map(compact, records)) + "]\n").encode()


SHAPES = {"csv": as_csv, "jsonl": as_jsonl, "array": as_array}
KINDS = {"csv": "audit-rows", "jsonl": "audit-records", "array": "audit-records"}


def write(path: Path, content: bytes, *, zipped: bool = False) -> Path:
    path.write_bytes(gzip.compress(content) if zipped else content)
    return path
