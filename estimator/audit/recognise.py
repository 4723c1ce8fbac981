"""Which audit export a file is, told from its content and never from its name.

The first rows or objects of a file are shown to each recogniser; the file is what the first of them claims. What else
those first ones tell (dates in another zone, things blacked out, rows in time order) is noted on the way.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from estimator.audit.framing.csv_rows import has_plain_header, layouts
from estimator.audit.framing.json_values import lines, rows_of, values
from estimator.audit.opening import read_head
from estimator.audit.shape import FramingName, Head, Recogniser, Shape, TableLayout, Unit, parsed
from estimator.audit.shapes import all_shapes
from estimator.errors import AuditExportError

#: Objects or rows of a file that recognisers are shown.
_SHOWN = 50

_REDACTED = re.compile(r"\[?redacted[\]_]|█{3}|\[REDACTED", re.IGNORECASE)
#: `TimeGenerated [UTC]`: Sentinel's portal writes the zone it displays behind the names of date columns.
_ZONE = re.compile(r"\s{0,9}\[(?P<zone>[^\[\]]{1,80})\]\s{0,9}$")
_OFFSET = re.compile(r"\d(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)\s*$")
_ORDERED_FROM = 100
#: Longer names, or more of them, are no header.
_NAME_CHARS, _NAMES = 300, 5_000

_ZIP, _PARQUET = b"PK\x03\x04", b"PAR1"


def recognise(path: Path) -> Shape | None:
    """What audit export a file is; None if it is none. Reads the first MiB (of a workbook, all of it).

    Raises:
        AuditExportError: the file cannot be read at all.
    """
    try:
        head = read_head(path)
        if head.start.startswith(_ZIP):
            return _workbook(path)
        if head.start.startswith(_PARQUET):
            return _parquet(path)
    except OSError as error:
        raise AuditExportError(f"cannot be read: {error.strerror or error}", path=path) from error
    shape = _json(head) or _csv(head)
    return shape and replace(shape, compression=head.compression, encoding=head.encoding)


def _json(head: Head) -> Shape | None:
    text = head.text.lstrip("\ufeff \t\r\n")
    if text.startswith("["):
        return _of_objects("array", [parsed(one.text) for one in _few(values(_stream(text), _any_claims))], head)
    # A table in text form has no line that is an object; a foreign line before the objects does no harm.
    found = _of_objects("jsonl", [parsed(one.text) for one in _few(lines(_stream(head.text.lstrip("\ufeff"))))], head)
    if found is not None or not text.startswith("{"):
        return found
    units: list[Any] = []
    for one in islice(values(_stream(text), _any_claims), _SHOWN):
        value = parsed(one.text)
        rows = rows_of(value)
        units += [value] if rows is None else rows
    return _of_objects("documents", units, head)


def _stream(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


def _few(found: Iterator[Any]) -> list[Any]:
    return list(islice(found, 4 * _SHOWN))


def _any_claims(value: Any) -> bool:
    return isinstance(value, dict) and any(_match(shape, [value]) is not None for shape in all_shapes())


def _match(recogniser: Recogniser, units: Iterable[Mapping[str, Any]]) -> str | None:
    """The wrapper under which a recogniser claims one of the objects, '' for none; None if it claims none of them."""
    for value in units:
        for wrapper in ("", *recogniser.wrappers):
            inner = Unit(value)(wrapper) if wrapper else value
            if isinstance(inner, Mapping) and recogniser.claims(Unit(inner)):
                return wrapper
    return None


def _of_objects(framing: FramingName, found: Sequence[Any], head: Head) -> Shape | None:
    objects = [value for value in found if isinstance(value, dict)]
    for recogniser in all_shapes():
        wrapper = _match(recogniser, objects[: 4 * _SHOWN])
        if wrapper is None:
            continue
        inner = [Unit(value)(wrapper) if wrapper else value for value in objects]
        units = [Unit(value) for value in inner if isinstance(value, Mapping)]
        shape = Shape(recogniser, framing, wrapper=wrapper, record=_record_paths(recogniser, units))
        return _noted(shape, units, head.text)
    return None


def _record_paths(recogniser: Recogniser, units: Sequence[Unit]) -> tuple[str, ...]:
    """Those of the recogniser's record paths that the first objects have, filled or not: the next ones may be."""
    return tuple(path for path in recogniser.record if path == "" or any(unit.has(path) for unit in units))


def _csv(head: Head) -> Shape | None:
    for delimiter, preamble, header, rows in layouts(head):
        found = _of_table("csv", [("", header, rows)], head.text)
        if found is not None and found.table is not None:
            plain = has_plain_header(head, delimiter, preamble)
            return replace(found, table=replace(found.table, delimiter=delimiter, preamble=preamble, plain=plain))
    return None


def _of_table(
    framing: FramingName, sheets: Sequence[tuple[str, list[str], list[list[str]]]], text: str = ""
) -> Shape | None:
    """The shape of a table, given the header and first rows of each of its sheets."""
    sheets = [one for one in sheets if len(one[1]) <= _NAMES and max(map(len, one[1]), default=0) <= _NAME_CHARS]
    for recogniser in all_shapes():
        mine = []
        for sheet, header, rows in sheets:
            names = _names(header, recogniser)
            units = [Unit(dict(_pairs(names, row)), table=True) for row in rows[: _ORDERED_FROM * 4]]
            if recogniser.claims(Unit(dict.fromkeys(names, ""), table=True)) or any(map(recogniser.claims, units)):
                mine.append((sheet, names, units))
        if not mine:
            continue
        _, names, units = mine[0]
        cell = next((names.index(path) for path in recogniser.record if path in names), None)
        record = (names[cell],) if cell is not None else ()
        layout = TableLayout(names, cell, headers=tuple((sheet, header) for sheet, header, _ in mine))
        shape = Shape(recogniser, framing, table=layout, record=record)
        zones = {match["zone"] for name in sheets[0][1] if (match := _ZONE.search(name))}
        local = ", ".join(sorted(zones - {"UTC"}))
        shape = replace(shape, result_count="ResultCount" in names, zone=local)
        return _noted(shape, units, text or json.dumps([row for _, _, rows in sheets for row in rows[:_SHOWN]]))
    return None


def _names(header: Sequence[str], recogniser: Recogniser) -> tuple[str, ...]:
    """The columns of a header under the names the recogniser declares; others as they stand, without the zone."""
    known = {name.lower(): name for name in (*recogniser.names(), "ResultCount", "ResultIndex", "_BilledSize")}
    bare = [_ZONE.sub("", name).strip() for name in header]
    return tuple(known.get(name.lower(), name) for name in bare)


def _pairs(names: Sequence[str], row: Sequence[str]) -> Iterator[tuple[str, str]]:
    found: dict[str, str] = {}
    for name, value in zip(names, row, strict=False):
        if not found.get(name):
            found[name] = value
    yield from found.items()


def _workbook(path: Path) -> Shape | None:
    from estimator.audit.framing import xlsx_rows

    if xlsx_rows.fault(path):
        return None
    return _of_table("xlsx", list(xlsx_rows.sheets(path)))


def _parquet(path: Path) -> Shape | None:
    from estimator.audit.framing import parquet_rows

    try:
        header, rows = parquet_rows.columns(path)
    except ValueError:
        return None
    found = _of_table("parquet", [("", header, [[row.get(name, "") for name in header] for row in rows])])
    if found is None or found.table is None:
        return None
    return replace(found, table=replace(found.table, headers=(("", tuple(header)),)))


# ---------------------------------------------------------------------------------------------- what the head tells


@dataclass(frozen=True)
class _Moment:
    """A record's time as AuditData has it and as a column beside it has it."""

    own: str
    beside: str


def _noted(shape: Shape, units: Sequence[Unit], text: str) -> Shape:
    """The shape with what its first rows or objects tell besides."""
    if shape.recogniser.counts:
        return shape
    moments = list(_moments(shape, units))
    billed = any(_positive(unit("_BilledSize")) for unit in units)
    return replace(
        shape,
        redacted=("redacted" in text.lower() or "█" in text) and bool(_REDACTED.search(text)),
        billed=billed and bool(shape.recogniser.feed),
        time_ordered=_ordered([moment.own for moment in moments]),
        zone=shape.zone or _zone(moments),
    )


def _positive(value: Any) -> bool:
    try:
        return float(value) > 0
    except (TypeError, ValueError):
        return False


def _moments(shape: Shape, units: Sequence[Unit]) -> Iterator[_Moment]:
    for unit in units:
        own: Any = None
        for path in shape.record:
            record = parsed(unit(path)) if path else unit.values
            if isinstance(record, Mapping):
                own = record.get("CreationTime")
        beside = next((unit(path) for path in shape.recogniser.fields.get("CreationTime", ()) if unit(path)), "")
        if own or beside:
            yield _Moment(str(own or beside).strip(), str(beside).strip() if own else "")


def _ordered(moments: Sequence[str]) -> bool | None:
    """Whether the moments never fall or never rise; None where they are few or not in a form that sorts as text."""
    iso = [moment[:19] for moment in moments if re.match(r"\d{4}-\d\d-\d\dT", moment)]
    if len(iso) < _ORDERED_FROM or len(set(iso)) < _ORDERED_FROM // 10:
        return None
    rises = sum(a < b for a, b in pairwise(iso))
    falls = sum(a > b for a, b in pairwise(iso))
    return min(rises, falls) <= 0.01 * len(iso)


def _zone(moments: Sequence[_Moment]) -> str:
    """The zone of dates that are not UTC: by an offset of their own, or by how a column differs from AuditData."""
    offsets: Counter[str] = Counter()
    for moment in moments:
        if match := _OFFSET.search(moment.own):
            hours = int(match["hours"]) + int(match["minutes"]) / 60
            offsets[_utc(hours if match["sign"] == "+" else -hours)] += 1
        elif moment.beside and (apart := _hours_apart(moment)):
            offsets[_utc(apart)] += 1
    del offsets[_utc(0)]
    return ", ".join(sorted(offsets))


def _utc(hours: float) -> str:
    return f"UTC{hours:+g}" if hours else "UTC"


def _hours_apart(moment: _Moment) -> float:
    try:
        own = dt.datetime.fromisoformat(moment.own[:19])
        beside = dt.datetime.fromisoformat(moment.beside[:19])
    except ValueError:
        return 0.0
    apart = (beside - own).total_seconds() / 3600
    return apart if abs(apart) <= 14 and (apart * 4).is_integer() else 0.0
