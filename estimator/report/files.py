"""Files as `measure` and `check` list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from estimator.report.figures import significant

if TYPE_CHECKING:
    from datetime import date

    from estimator.audit import FileCount

_UNITS = ("bytes", "kB", "MB", "GB", "TB")

_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8 with BOM", "utf-16": "UTF-16"}


def file_json(file: FileCount) -> dict[str, Any]:
    """The account of one audit export as the JSON contracts have it."""
    return {
        "path": file.shown,
        "kind": file.kind,
        "title": file.title,
        "rows": file.rows,
        "records": file.read,
        "distinct": file.distinct,
        "rejected": file.rejected,
        "first": iso(file.first),
        "last": iso(file.last),
        "encoding": file.encoding,
        "compressed": file.compressed,
        "size": file.size,
        "sha256": file.sha256 or None,
        "size_basis": file.size_basis,
        "true_count": file.true_count,
        "weight": file.weight,
    }


def iso(day: date | None) -> str | None:
    """A day as JSON has it."""
    return None if day is None else day.isoformat()


def days_of(first: date | None, last: date | None) -> str:
    """The days of a file."""
    if first is None or last is None:
        return ""
    return str(first) if first == last else f"{first} – {last}"


def laid_out(encoding: str, compressed: str) -> str:
    """Encoding and compression in words."""
    return ", ".join(word for word in (_ENCODINGS.get(encoding, encoding.upper()), compressed) if word)


def size_of(count: int) -> str:
    """A number of bytes in decimal units, three digits: 1234567 → 1.23 MB."""
    size, unit = float(count), 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{count} {'byte' if count == 1 else 'bytes'}" if unit == 0 else f"{significant(size)} {_UNITS[unit]}"
