"""A forecast small enough to check by hand: one feed of two operations, two months, and what came of it.

January and February 2027 of `splunk-o365`, which bills what AuditData weighs. MailItemsAccessed: 100 mailboxes emit it
already, 50 join on 1 January; Update flows already. A record weighs 2,000 and 1,000 bytes.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import audit_jsonl, audit_record

MAIL, UPDATE, FEED, STREAM = "Exchange/MailItemsAccessed", "Exchange/Update", "splunk-o365", "o365:management:activity"
Z = 1.2815515655446004
MONTHS = ("2027-01", "2027-02")


def spread(median: float, sd: float = 0.2) -> dict[str, float]:
    low, high = (median * math.exp(sign * Z * sd) for sign in (-1, 1))
    return {"mean": median * math.exp(sd**2 / 2), "p10": low, "p50": median, "p90": high}


def scaled(one: dict[str, float], factor: float) -> dict[str, float]:
    return {name: value * factor for name, value in one.items()}


def document() -> dict[str, Any]:
    """The part of an estimate's JSON that `reconcile` reads."""
    rows = []
    for month in MONTHS:
        for operation, flow, median, size in (
            (MAIL, "already", 20_000.0, 2000), (MAIL, "added", 10_000.0, 2000), (UPDATE, "already", 5_000.0, 1000)
        ):  # fmt: skip
            events = spread(median)
            rows.append({"month": month, "feed": FEED, "operation": operation, "flow": flow, "basis": "measured",
                         "events": events, "gb": scaled(events, size / 1e9)})  # fmt: skip
    return {
        "schema": "siem-estimator/estimate/1",
        "as_of": "2026-11-23",
        "tenant": {"mailboxes": 150, "emitting_today": {MAIL: 100, UPDATE: 100}},
        "scenarios": [
            {
                "id": "all", "title": "All", "start": "2027-01-01", "months": 2, "not_known": [], "volume": rows,
                "emitting": [{"operation": MAIL, "month": month, "mailboxes": 150} for month in MONTHS]
                + [{"operation": UPDATE, "month": month, "mailboxes": 100} for month in MONTHS],
            }
        ],
    }  # fmt: skip


Write = Callable[..., Path]


@pytest.fixture
def forecast(tmp_path: Path) -> Write:
    """Writes the forecast above; a function may change it."""

    def make(change: Callable[[dict[str, Any]], object] = lambda _: None) -> Path:
        made = document()
        change(made)
        path = tmp_path / "forecast.json"
        path.write_text(json.dumps(made))
        return path

    return make


@pytest.fixture
def billed(tmp_path: Path) -> Write:
    """Writes rows of billed volume."""

    def make(*rows: str, header: str = "day,stream,gb", name: str = "billed.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join([header, *rows]) + "\n")
        return path

    return make


def january(each: float = 2.0, *, first: int = 1, last: int = 31) -> list[str]:
    """A row a day of January."""
    return [f"2027-01-{day:02d},{STREAM},{each}" for day in range(first, last + 1)]


def sample(path: Path, mailboxes: int, per_day: int, days: range, operation: str = "MailItemsAccessed") -> Path:
    """An audit export of January 2027: each mailbox has so many records a day, one an hour from midnight on."""
    # Two samples share no record.
    first = zlib.crc32(operation.encode())
    rows = []
    for day in days:
        for box in range(mailboxes):
            for number in range(per_day):
                at = dt.datetime(2027, 1, day, number % 24, box % 60)
                rows.append(
                    audit_record(first + len(rows), f"u{box:03}", operation, CreationTime=f"{at:%Y-%m-%dT%H:%M:%S}")
                )
    path.write_text(audit_jsonl(*rows))
    return path
