"""What the tolerant lane hands to DuckDB, a few thousand texts at a time, and why a text is no record."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from estimator.audit.shape import Candidate, Shape

if TYPE_CHECKING:
    import pandas as pd

#: Texts handed to DuckDB at once by the tolerant lane: few enough to stay within 100 MB whatever their size.
BATCH_RECORDS = 4_096
_BATCH_CHARS = 16 << 20

#: A lone half of a surrogate pair, as Microsoft's own truncation leaves one. The first branches pass over what is
#: whole: an escaped backslash, a full pair.
_SURROGATE = re.compile(
    r"\\(?:[^uU]|[uU][dD][89aAbB][0-9a-fA-F]{2}\\[uU][dD][c-fC-F][0-9a-fA-F]{2}|([uU][dD][89a-fA-F][0-9a-fA-F]{2}))"
)


@dataclass
class Rejected:
    """The records of one file that were refused: how many, and the first of them as (place, reason).

    Attributes:
        shown: how many of them are kept.
        count: records refused; of a row of counts, those it stands for.
        rows: rows refused.
        day_first: how the file's dates were read that begin with a day or a month; None where there were none.
    """

    shown: int
    count: int = 0
    rows: int = 0
    first: list[tuple[str, str]] = field(default_factory=list)
    day_first: bool | None = None

    def add(self, place: str, reason: Callable[[], str], records: int = 1) -> None:
        """Count one; while there is room, ask for its reason and keep it."""
        self.count += records
        self.rows += 1
        if len(self.first) < self.shown:
            self.first.append((place, reason()))


def batches(candidates: Iterable[Candidate]) -> Iterator[pd.DataFrame]:
    """The candidates in frames of bounded size, numbered, measured, and fit for DuckDB."""
    import pandas as pd

    rows: list[tuple[int, str, str, str, str, int]] = []
    chars = 0
    for number, (place, text, row, fault) in enumerate(candidates):
        text, size = _measured(text)
        rows.append((number, place, text, _measured(row)[0], fault, size))
        chars += len(text) + len(row)
        if len(rows) >= BATCH_RECORDS or chars >= _BATCH_CHARS:
            yield pd.DataFrame(rows, columns=_BATCH_COLUMNS)
            rows, chars = [], 0
    if rows:
        yield pd.DataFrame(rows, columns=_BATCH_COLUMNS)


_BATCH_COLUMNS = ["number", "place", "text", "row", "fault", "size"]


def _measured(text: str) -> tuple[str, int]:
    """A text made valid UTF-8 and valid JSON where a half of a character spoils it, and its length in bytes before."""
    if text.isascii():
        size = len(text)
    else:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raw = text.encode("utf-8", "surrogateescape")
            text, size = raw.decode("utf-8", "replace"), len(raw)
    if "\\ud" in text or "\\uD" in text:
        text = _SURROGATE.sub(lambda match: "\\ufffd" if match[1] else match[0], text)
    return text, size


def why_refused(shape: Shape, fault: str, text: str, operation: str | None, moment: str | None) -> str:
    """Why a candidate is no record."""
    if fault:
        return fault
    of, counts = shape.recogniser, shape.recogniser.counts
    if text:
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            return f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}"
        except (ValueError, RecursionError) as error:
            return f"not JSON that can be read: {error}"
        if not isinstance(value, dict):
            return "not a JSON object"
    elif shape.table is not None and shape.table.cell is None:
        return "not a row of the header's columns"
    names = {name: name if of.record else paths[0] for name, paths in of.fields.items()}
    if of.marks and not operation:
        return (
            f"no record in {of.record[0]}, and the other columns are no row of this shape: {of.fields['Operation'][0]} "
            f"and a date, with {' or '.join(of.marks)} or an operation that the catalogue knows"
        )
    if not text:
        return f"{of.record[0] if of.record and of.record[0] else 'AuditData'} is empty"
    if not operation:
        return f"no {'operation' if counts else names.get('Operation', 'Operation')}"
    if counts and re.match(r"\s*\d{4}-\d\d-\d\d", moment or ""):
        return NO_COUNT
    name = "day" if counts else names.get("CreationTime", "CreationTime")
    return f"{name} {moment[:40]!r} is not a readable day" if moment and moment.strip() else f"no {name}"


NO_COUNT = "events, raw_events, items, bytes or weight is no such number (docs/counts.md)"
