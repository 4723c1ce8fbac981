"""Plain usage for `plans price`: so many GB a day, or a file of days.

A file is CSV or JSON with `day`, `gb` and, where wanted, `stream` and `events`: one row a day and stream. GB are 10^9
bytes as the SIEM counts them. All that is wrong with a file is told together, each row with its place, and nothing is
priced: a bill over the rows that happen to be readable would look like one.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pricing import Plan, Usage
from pricing.errors import SiemEstimatorError

#: What usage is called that no stream is named for: no plan treats it in a way of its own.
UNNAMED = "usage"

_GB = 1_000_000_000
_COLUMNS = ("day", "stream", "gb", "events")
_MOST_BYTES = 64_000_000
_MOST_DAYS = 3660
_MOST_GB = Decimal(10) ** 12
_SHOWN = 20


class UsageFileError(SiemEstimatorError):
    """A usage file, or usage named on the command line, cannot be priced."""


@dataclass(frozen=True)
class PlainUsage:
    """Daily volumes, before any plan's own GB.

    Attributes:
        days: contiguous calendar days.
        gb: for each stream, GB (10^9 bytes) of each day.
        events: for each stream, events of each day; streams without are left out.
        peaks: for each stream, events a second in each day's busiest hour.
        notes: what was taken for granted.
    """

    days: tuple[dt.date, ...]
    gb: Mapping[str, tuple[Decimal, ...]]
    events: Mapping[str, tuple[Decimal, ...]] = field(default_factory=dict)
    peaks: Mapping[str, tuple[Decimal, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def for_plan(self, plan: Plan) -> Usage:
        """The usage in the plan's own GB."""
        # Divided as decimals: 130.1 GB of a plan that counts 10^9 bytes stay 130.1.
        gb = {s: [float(one * _GB / plan.gb_bytes) for one in series] for s, series in self.gb.items()}
        return Usage(
            self.days,
            gb,
            events={s: [float(one) for one in series] for s, series in self.events.items()},
            peak_events_per_second={s: [float(one) for one in series] for s, series in self.peaks.items()},
        )


def steady(
    start: dt.date,
    days: int,
    gb_per_day: Mapping[str, Decimal],
    events_per_day: Mapping[str, Decimal],
    peak_events_per_second: Mapping[str, Decimal],
) -> PlainUsage:
    """The same volume every day.

    Args:
        start: the first day.
        days: how many.
        gb_per_day: GB of each stream.
        events_per_day: events of each stream, where they are known.
        peak_events_per_second: events a second in the busiest hour of each stream, where they are known.

    Raises:
        UsageFileError: events of a stream that has no GB.
    """
    for place, counted in (("--events-per-day", events_per_day), ("--peak-events-per-second", peak_events_per_second)):
        if unknown := sorted(set(counted) - set(gb_per_day)):
            raise UsageFileError(
                f"events of '{unknown[0]}', a stream without GB",
                place=place,
                expected=f"a stream of --gb-per-day: {', '.join(sorted(gb_per_day))}",
            )
    return PlainUsage(
        tuple(start + dt.timedelta(days=n) for n in range(days)),
        {stream: (gb,) * days for stream, gb in gb_per_day.items()},
        {stream: (events,) * days for stream, events in events_per_day.items()},
        {stream: (rate,) * days for stream, rate in peak_events_per_second.items()},
    )


def number_of(word: str, place: str) -> Decimal:
    """A number of 0 or more, as an option gives it.

    Raises:
        UsageFileError: it is none.
    """
    try:
        return _number(word)
    except ValueError as error:
        raise UsageFileError(str(error), place=place) from None


def by_stream(words: Sequence[str], place: str) -> dict[str, Decimal]:
    """`N` or `STREAM=N`, as options give them.

    Raises:
        UsageFileError: no number, a negative one, or a stream that stands twice.
    """
    found: dict[str, Decimal] = {}
    for word in words:
        stream, _, number = word.rpartition("=")
        stream = stream.strip() or UNNAMED
        if stream in found:
            raise UsageFileError(f"'{stream}' stands twice", place=place, expected="each stream once")
        try:
            found[stream] = _number(number)
        except ValueError as error:
            raise UsageFileError(
                f"'{word}': {error}", place=place, expected="a number such as 3.5, or STREAM=3.5"
            ) from None
    return found


def read_usage(path: Path) -> PlainUsage:
    """The usage in a file.

    Raises:
        UsageFileError: the file cannot be read, with every problem of its rows, or its days have a gap.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageFileError(
                f"{path.stat().st_size:,} bytes",
                path=path,
                expected=f"at most {_MOST_BYTES:,}: one row a day and stream",
            )
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageFileError("not UTF-8 text", path=path, expected="usage as CSV or JSON") from None
    except OSError as error:
        raise UsageFileError(f"cannot be read ({error.strerror})", path=path, expected="usage as CSV or JSON") from None
    rows = _json_rows(text, path) if text.lstrip()[:1] in ("[", "{") else _csv_rows(text, path)
    return _gathered(rows, path)


_Row = tuple[str, Mapping[str, Any]]


def _csv_rows(text: str, path: Path) -> Iterator[_Row]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        _known_columns(header, path)
        for cells in reader:
            place = f"line {reader.line_num}"
            if any(cell.strip() for cell in cells):
                yield place, dict(zip(header, cells, strict=False)) if len(cells) == len(header) else {"": cells}
    except csv.Error as error:
        raise UsageFileError(f"no CSV: {error}", path=path, place=f"line {reader.line_num}") from None


def _known_columns(header: Sequence[str], path: Path) -> None:
    listed = "day, gb and, where wanted, stream and events"
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise UsageFileError(
            f"the column '{twice[0]}' stands twice", path=path, place="line 1", expected="each column once"
        )
    if unknown := [name for name in header if name not in _COLUMNS]:
        raise UsageFileError(
            f"the column '{unknown[0]}' is not known", path=path, place="line 1", expected=listed,
            mend="Rename the columns, and leave out what is not billed.",
        )  # fmt: skip
    if missing := [name for name in ("day", "gb") if name not in header]:
        raise UsageFileError(f"no column '{missing[0]}'", path=path, place="line 1", expected=listed)


def _json_rows(text: str, path: Path) -> Iterator[_Row]:
    try:
        found = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError, InvalidOperation) as error:
        place = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else None
        raise UsageFileError(
            f"no JSON ({error})", path=path, place=place, expected='[{"day": "2027-01-04", "gb": 3.5}, …]'
        ) from None
    if not isinstance(found, list):
        raise UsageFileError("no list", path=path, expected='[{"day": "2027-01-04", "gb": 3.5}, …]')
    for number, row in enumerate(found):
        yield f"[{number}]", row if isinstance(row, dict) else {"": row}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _gathered(rows: Iterable[_Row], path: Path) -> PlainUsage:
    problems: list[str] = []
    at: dict[tuple[str, dt.date], str] = {}
    gb: dict[str, dict[dt.date, Decimal]] = {}
    events: dict[str, dict[dt.date, Decimal]] = {}
    for place, row in rows:
        try:
            day, stream, volume, count = _row(row)
        except ValueError as error:
            problems.append(f"{place}: {error}")
            continue
        if (stream, day) in at:
            problems.append(f"{place}: {day} of '{stream}' stands at {at[stream, day]} already; expected it once")
            continue
        at[stream, day] = place
        gb.setdefault(stream, {})[day] = volume
        if count is not None:
            events.setdefault(stream, {})[day] = count
    if problems:
        more = [f"and {len(problems) - _SHOWN:,} more"] if len(problems) > _SHOWN else []
        lines = "".join(f"\n  {problem}" for problem in [*problems[:_SHOWN], *more])
        raise UsageFileError(
            f"{len(problems):,} bad row{'s' * (len(problems) > 1)}, nothing is priced:{lines}", path=path
        )
    if not gb:
        raise UsageFileError("no rows", path=path, expected="one row a day and stream")
    return _filled(gb, events, path)


def _row(row: Mapping[str, Any]) -> tuple[dt.date, str, Decimal, Decimal | None]:
    if "" in row:
        raise ValueError(f"found {_shown(row[''])}; expected day, gb and, where wanted, stream and events")
    if unknown := sorted(str(key) for key in row if key not in _COLUMNS):
        raise ValueError(f"the key '{unknown[0]}' is not known; expected one of {', '.join(_COLUMNS)}")
    for key in ("day", "gb"):
        if row.get(key) in (None, ""):
            raise ValueError(f"no {key}")
    stream = row.get("stream")
    if stream is not None and not isinstance(stream, str):
        raise ValueError(f"stream: found {_shown(stream)}; expected a name")
    count = row.get("events")
    try:
        volume = _number(row["gb"])
    except ValueError as error:
        raise ValueError(f"gb: {error}") from None
    try:
        counted = None if count in (None, "") else _number(count)
    except ValueError as error:
        raise ValueError(f"events: {error}") from None
    return _day(row["day"]), (stream or "").strip() or UNNAMED, volume, counted


def _day(value: object) -> dt.date:
    # Log queries export the start of a day with its time: 2027-01-04T00:00:00Z.
    found = re.fullmatch(r"\s*(\d{4}-\d{2}-\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|\+00:00)?)?\s*", str(value))
    try:
        if not isinstance(value, str) or not found:
            raise ValueError
        return dt.date.fromisoformat(found[1])
    except ValueError:
        raise ValueError(f"day: found {_shown(value)}; expected a day such as 2027-01-04") from None


def _number(value: object) -> Decimal:
    """A number of 0 or more.

    Raises:
        ValueError: with what was found and what was expected.
    """
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,18}(\.\d{1,18})?([eE][+-]?\d{1,2})?\s*", value):
        value = Decimal(value.strip())
    if isinstance(value, Decimal) and value.is_finite() and 0 <= value < _MOST_GB:
        return value
    raise ValueError(f"found {_shown(value)}; expected a number of 0 or more with a decimal point, such as 3.5")


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str | list | dict) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _filled(
    gb: Mapping[str, Mapping[dt.date, Decimal]], events: Mapping[str, Mapping[dt.date, Decimal]], path: Path
) -> PlainUsage:
    """Every day of every stream; a day on which only other streams have a row is a day without usage, and told."""
    known = {day for series in gb.values() for day in series}
    first, last = min(known), max(known)
    if (last - first).days >= _MOST_DAYS:
        raise UsageFileError(
            f"days from {first} to {last}", path=path, place="day", expected=f"at most {_MOST_DAYS} days"
        )
    days = tuple(first + dt.timedelta(days=n) for n in range((last - first).days + 1))
    if gaps := [day for day in days if day not in known]:
        raise UsageFileError(
            f"no row for {len(gaps)} of {len(days)} days, the first of them {gaps[0]}",
            path=path, place="day", expected=f"every day from {first} to {last}",
            mend="Write 0 GB for a day without usage: a commitment is charged on it too.",
        )  # fmt: skip
    notes = []
    for stream, series in sorted(gb.items()):
        if lacking := len(days) - len(series):
            notes.append(f"{stream}: no row on {lacking} of {len(days)} days; taken as days without usage.")
        if stream in events and (uncounted := sum(day not in events[stream] for day in series)):
            raise UsageFileError(
                f"no events of '{stream}' on {uncounted} of its days", path=path, place="events",
                expected="events on every day of a stream, or on none",
            )  # fmt: skip
    none = Decimal(0)
    return PlainUsage(
        days,
        {stream: tuple(series.get(day, none) for day in days) for stream, series in gb.items()},
        {stream: tuple(series.get(day, none) for day in days) for stream, series in events.items()},
        notes=tuple(notes),
    )
