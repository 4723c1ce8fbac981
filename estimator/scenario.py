"""Scenario files: what is enabled, connected, for whom, when. TOML, data only, validated as a whole."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import pandas as pd
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from estimator import catalog
from estimator.calendar import day_kinds
from estimator.errors import ScenarioError, UsageError
from pricing.money import CURRENCIES
from pricing.prices import nearest, refuse
from pricing.problems import problems_of

NEWLY_AVAILABLE = "newly-available"

#: What messages call the scenario that stands in where there is none.
DEFAULT_SCENARIO = "default scenario"


#: Kinds of change that are meant and not built yet.
PLANNED = ("disconnect", "drop", "grow", "route", "assign_licence", "retain", "price", "assume")


def _day(value: object) -> object:
    """TOML dates only (a date-time would silently drop its hour), of the years a forecast can mean."""
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise refuse(f"found {value!r}", "a date such as 2027-01-01, without quotes")
    if not 2000 <= value.year < 2100:
        raise refuse(f"found {value}", "a day of the years 2000 to 2099")
    return value


def _feed(value: str) -> str:
    try:
        return catalog.feed(value).id
    except UsageError as error:
        raise refuse(error.found, error.expected, error.mend) from error


def _operation(value: str) -> str:
    if value == NEWLY_AVAILABLE:
        return value
    try:
        return catalog.operation(value).id
    except UsageError as error:
        expected = f"{NEWLY_AVAILABLE!r}, or {error.expected}"
        raise refuse(error.found, expected, nearest(value, [NEWLY_AVAILABLE]) or error.mend) from error


def _currency(value: str) -> str:
    if value not in CURRENCIES:
        raise refuse(
            f"{value!r} is not a currency", "an ISO 4217 code such as 'USD'", nearest(value.upper(), CURRENCIES)
        )
    return value


def _number(value: object) -> object:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _list(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _conditions(value: object) -> object:
    """One value may stand without its brackets; columns are found whatever their case."""
    if not isinstance(value, dict):
        return value
    return {str(key).lower(): (v,) if isinstance(v, str) else _list(v) for key, v in value.items()}


def _written(pattern: str, expected: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise refuse(f"found {value!r}", expected)
        return value

    return AfterValidator(check)


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        raise refuse(f"found {value!r}", "a time zone such as America/Denver", nearest(value, available_timezones()))
    return value


def _no_control_characters(value: str) -> str:
    if not value.isprintable():
        raise refuse(f"found {value!r}", "one line without control characters")
    return value


def _available(value: object) -> object:
    if isinstance(value, dict) and value.get("kind") in PLANNED:
        raise refuse(
            f"changes of kind {value['kind']!r} are not available in this version",
            "changes of kind 'enable' or 'connect'",
            "Take it out; what it would change stays in the figures.",
        )
    return value


def _fits(change: Enable | Connect, info: ValidationInfo) -> Enable | Connect:
    """The change within the horizon, and what it connects not connected yet."""
    start, months, feeds = (info.data.get(key) for key in ("start", "months", "feeds"))
    if change.from_ is not None and start is not None and months is not None:
        end = _add_months(start, months)
        if not start <= change.from_ < end:
            raise refuse(
                f"from = {change.from_} lies outside the scenario",
                f"a day from {start} to {end - dt.timedelta(days=1)}",
            )
    if isinstance(change, Connect) and any(feed.id == change.feed and feed.connected for feed in feeds or ()):
        raise refuse(
            f"connects {change.feed!r}, which [[feeds]] says is connected already",
            mend="Take the change out, or say connected = false.",
        )
    return change


def _once(items: tuple[Any, ...]) -> tuple[Any, ...]:
    ids = [item.id for item in items]
    if twice := [id_ for n, id_ in enumerate(ids) if id_ in ids[:n]]:
        raise refuse(f"{twice[0]!r} stands twice", "each once")
    return items


Day = Annotated[dt.date, BeforeValidator(_day)]
FeedId = Annotated[str, AfterValidator(_feed)]
Number = Annotated[Decimal, BeforeValidator(_number)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class FeedState(_Part):
    """Whether a feed flows today. Without `connected` nobody knows, and both cases are priced."""

    id: FeedId
    connected: bool | None = None


class Enable(_Part):
    """Enable operations on the mailboxes that `where` selects, from a day on."""

    kind: Literal["enable"]
    operations: Annotated[tuple[Annotated[str, AfterValidator(_operation)], ...], BeforeValidator(_list)] = Field(
        min_length=1
    )
    where: Annotated[dict[str, tuple[str, ...]], BeforeValidator(_conditions)] = Field(default_factory=dict)
    from_: Day | None = Field(default=None, alias="from")


class Connect(_Part):
    """Connect a feed from a day on: every operation it carries is added."""

    kind: Literal["connect"]
    feed: FeedId
    from_: Day | None = Field(default=None, alias="from")


class PlanChoice(_Part):
    """A price table to use and the customer's own terms for it."""

    id: str
    discount_percent: Number = Field(default=Decimal(0), ge=0, le=100)
    commitment: str = "none"
    retention_days: int | None = Field(default=None, gt=0)
    grant_remaining_gb_per_day: Number | None = Field(default=None, ge=0)


class Budget(_Part):
    """A limit on the monthly bill, at a stated quantile of the forecast."""

    monthly: Number = Field(gt=0)
    currency: Annotated[str, AfterValidator(_currency)]
    quantile: Literal["mean", "p10", "p50", "p90"] = "p90"
    applies_to: Literal["added", "with"] = "added"


Change = Annotated[
    Annotated[Enable | Connect, Field(discriminator="kind")], BeforeValidator(_available), AfterValidator(_fits)
]


class Scenario(_Part):
    """One what-if, as its file states it, with the defaults filled in.

    `changes` comes after what a change is checked against.
    """

    schema_version: Literal[1]
    id: Annotated[str, _written(r"[a-z0-9][a-z0-9._-]*", "lower-case letters, digits, '.', '_' and '-'")]
    title: Annotated[str, AfterValidator(_no_control_characters)] = Field(min_length=1)
    start: Day
    months: int = Field(default=12, ge=1, le=60)
    country: Annotated[str, _written(r"[A-Z]{2}", "an ISO 3166 code such as US, GB, DE")] | None = None
    subdivision: str | None = None
    timezone: Annotated[str, AfterValidator(_time_zone)] | None = None
    feeds: Annotated[tuple[FeedState, ...], BeforeValidator(_list), AfterValidator(_once)] = ()
    changes: Annotated[tuple[Change, ...], BeforeValidator(_list)] = ()
    plans: Annotated[tuple[PlanChoice, ...], BeforeValidator(_list), AfterValidator(_once)] = ()
    budget: Budget | None = None

    @model_validator(mode="after")
    def _as_a_whole(self) -> Scenario:
        if not self.feed_ids():
            raise refuse("the scenario names no feed", "[[feeds]], or a change of kind 'connect'")
        try:
            day_kinds(self.days[:1], self.country, self.subdivision)
        except ScenarioError as error:
            raise refuse(f"country: {error.found}", error.expected, error.mend) from error
        return self

    @property
    def end(self) -> dt.date:
        """The first day after the horizon."""
        return _add_months(self.start, self.months)

    @property
    def days(self) -> pd.DatetimeIndex:
        """Every day of the horizon."""
        return pd.date_range(self.start, self.end, inclusive="left", unit="us")

    def feed_ids(self) -> list[str]:
        """The feeds of the scenario: those listed, then those only connected, in order of appearance."""
        connects = [change.feed for change in self.changes if isinstance(change, Connect)]
        return list(dict.fromkeys([feed.id for feed in self.feeds] + connects))

    def connected_today(self, feed: str) -> bool | None:
        """Whether `feed` flows before the scenario; None where the file does not say."""
        for state in self.feeds:
            if state.id == feed:
                return state.connected if not self._connect_day(feed) else False
        return False

    def connected_from(self, feed: str) -> dt.date | None:
        """The day the scenario connects `feed`, or None where it does not."""
        return self._connect_day(feed)

    def _connect_day(self, feed: str) -> dt.date | None:
        days = [c.from_ or self.start for c in self.changes if isinstance(c, Connect) and c.feed == feed]
        return min(days) if days else None


@dataclass(frozen=True)
class Enabled:
    """Which mailboxes a scenario enables for an operation, and from which day."""

    operation: str
    day: dt.date
    mailboxes: pd.Index


def load_scenario(path: Path, shown: str | None = None) -> Scenario:
    """Read a scenario file; every problem of it is reported together.

    Raises:
        ScenarioError: unreadable, not TOML, unknown keys, bad values, unknown feeds or operations.
    """
    name = shown or str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError("there is no such scenario file", path=name) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"cannot be read: {error}", path=name, expected="a scenario file in TOML, UTF-8") from error
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        # Numbers too long for Python and nesting without end are errors of their own, not TOML's.
        place = re.search(r"at line (\d+)", str(error))
        raise ScenarioError(
            f"is not valid TOML: {error}", path=name, place=place and place[1], expected="a scenario file"
        ) from error
    try:
        return Scenario.model_validate(document)
    except ValidationError as error:
        raise _refusal(error, name) from error


def default_scenario(as_of: dt.date, feeds: Sequence[str], country: str | None = None) -> Scenario:
    """Without a file: enable the newly available operations everywhere and connect each feed, for 12 months.

    The horizon starts on the first of the month after `as_of`.
    """
    start = _add_months(as_of.replace(day=1), 1)
    return Scenario(
        schema_version=1,
        id="default",
        title="Newly available operations on every mailbox, each feed connected",
        start=start,
        months=12,
        country=country,
        feeds=tuple(FeedState(id=feed, connected=False) for feed in feeds),
        changes=(
            Enable(kind="enable", operations=(NEWLY_AVAILABLE,)),
            *(Connect(kind="connect", feed=feed) for feed in feeds),
        ),
    )


def enabled_operations(scenario: Scenario) -> list[str]:
    """The operations that the scenario enables for somebody."""
    changes = (change for change in scenario.changes if isinstance(change, Enable))
    return list(dict.fromkeys(key for change in changes for key in _expand(change.operations)))


def enabled(scenario: Scenario, mailboxes: pd.DataFrame, shown: str) -> list[Enabled]:
    """Which mailboxes each `enable` selects, expanded by operation; a mailbox keeps its earliest day.

    Args:
        scenario: the what-if.
        mailboxes: `tables.MAILBOXES` with the export's further columns in lower case.
        shown: the scenario's name for messages.

    Raises:
        ScenarioError: a `where` names no column of the inventory or matches no mailbox.
    """
    first: dict[str, pd.Series] = {}
    for number, change in enumerate(scenario.changes):
        if not isinstance(change, Enable):
            continue
        chosen = _where(change, mailboxes, shown, f"changes[{number}].where")
        day = pd.Timestamp(change.from_ or scenario.start)
        for key in _expand(change.operations):
            days = first.setdefault(key, pd.Series(pd.NaT, index=mailboxes["mailbox"], dtype="datetime64[us]"))
            first[key] = days.where(~days.index.isin(chosen) | (days <= day), day)
    out = []
    for key, days in first.items():
        for day, group in days.dropna().groupby(days):
            out.append(Enabled(key, pd.Timestamp(day).date(), group.index))
    return out


def _expand(operations: Sequence[str]) -> Iterator[str]:
    for key in operations:
        if key == NEWLY_AVAILABLE:
            yield from catalog.newly_available()
        else:
            yield catalog.operation(key).id


def _where(change: Enable, mailboxes: pd.DataFrame, shown: str, place: str) -> pd.Index:
    keep = pd.Series(True, index=mailboxes.index)
    for column, values in change.where.items():
        if column not in mailboxes.columns:
            raise ScenarioError(
                f"there is no column {column!r} in the mailbox inventory",
                path=shown,
                place=place,
                expected=f"one of {', '.join(map(str, mailboxes.columns))}",
                mend=nearest(column, map(str, mailboxes.columns)),
            )
        cells = mailboxes.loc[keep, column].astype("str").str.lower()
        keep &= cells.isin([value.lower() for value in values]).reindex(keep.index, fill_value=False)
        if not keep.any():
            present = sorted(cells.dropna().unique())[:8]
            met = "that meet the conditions before it" if len(cells) < len(mailboxes) else "there are"
            raise ScenarioError(
                f"{column} = {list(values)} matches none of the {len(cells)} mailboxes {met}",
                path=shown,
                place=place,
                expected=f"a value that occurs, such as {', '.join(map(repr, present))}",
                mend="Correct the value or drop the condition.",
            )
    chosen: pd.Index = pd.Index(mailboxes.loc[keep, "mailbox"])
    return chosen


def _refusal(error: ValidationError, path: str) -> ScenarioError:
    """Every problem of the file in one error."""
    problems = problems_of(error, Scenario)
    if len(problems) == 1:
        only = problems[0]
        return ScenarioError(only.found, path=path, place=only.place, expected=only.expected, mend=only.mend)
    lines = "".join(f"\n  {problem}" for problem in problems)
    return ScenarioError(f"{len(problems)} problems{lines}", path=path)


def _add_months(day: dt.date, months: int) -> dt.date:
    total = day.year * 12 + day.month - 1 + months
    year, month = divmod(total, 12)
    return min(
        day.replace(day=1, year=year, month=month + 1) + dt.timedelta(days=day.day - 1),
        (dt.date(year + (month == 11), (month + 1) % 12 + 1, 1) - dt.timedelta(days=1)),
    )
