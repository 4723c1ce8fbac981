"""The reduction as most people would first write it: pandas for the table, `json.loads` for each row.

    python -m benchmarks.naive_pandas FILE.csv|FILE.jsonl OUT.csv [ROWS]

The contender of `benchmarks.reading`, in a process of its own. With ROWS the file is taken in pieces of so many rows,
where memory is too short for the whole of it; the records' texts are let go after each piece.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pandas as pd

KEYS = ["day", "workload", "operation", "principal", "subject", "access_type", "throttled"]


def _property(record: dict[str, Any], name: str) -> str:
    return next((pair["Value"] for pair in record.get("OperationProperties", ()) if pair["Name"] == name), "")


def records_of(texts: pd.Series) -> pd.DataFrame:
    """One row a record: what is grouped by, its Id and its size."""
    records = texts.map(json.loads)
    return pd.DataFrame(
        {
            "day": records.map(lambda record: record["CreationTime"][:10]),
            "workload": records.map(lambda record: record["Workload"]),
            "operation": records.map(lambda record: record["Operation"]),
            "principal": records.map(lambda record: record["UserId"].lower()),
            "subject": records.map(lambda record: record.get("MailboxOwnerUPN", "").lower()),
            "access_type": records.map(lambda record: _property(record, "MailAccessType")),
            "throttled": records.map(lambda record: _property(record, "IsThrottled")),
            "id": records.map(lambda record: record["Id"]),
            "bytes": texts.map(lambda text: len(text.encode())),
        }
    )


def pieces(path: str, rows: int | None) -> Iterator[pd.Series]:
    """The AuditData texts of a file: all, or `rows` at a time."""
    if path.endswith(".csv"):
        if rows is None:
            yield pd.read_csv(path)["AuditData"]
        else:
            for chunk in pd.read_csv(path, chunksize=rows):
                yield chunk["AuditData"]
    else:
        with open(path, encoding="utf-8") as lines:  # noqa: PTH123 - as it is first written
            while texts := [line.rstrip("\n") for line in islice(lines, rows)]:
                yield pd.Series(texts)


def main(path: str, out: str, rows: int | None = None) -> None:
    records = pd.concat([records_of(texts) for texts in pieces(path, rows)])
    copies = records.groupby("id")["id"].transform("size").rename("raw_events")
    distinct = records.assign(raw_events=copies, events=1).drop_duplicates("id")
    distinct.groupby(KEYS)[["events", "raw_events", "bytes"]].sum().to_csv(out)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
