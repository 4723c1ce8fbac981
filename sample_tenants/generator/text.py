"""Tables and documents as bytes, the same on every machine."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Sequence

BOM = "\ufeff"


def csv_bytes(header: Sequence[str], table: Iterable[Sequence[object]], start: str = "") -> bytes:
    """Return a CSV with CRLF line ends."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(table)
    return (start + text.getvalue()).encode()


def json_bytes(document: object) -> bytes:
    """Return JSON as ConvertTo-Json indents it."""
    return (json.dumps(document, indent=2) + "\n").encode()


def packed(content: bytes, level: int = 6) -> bytes:
    """Return gzip without a date in it."""
    return gzip.compress(content, level, mtime=0)
