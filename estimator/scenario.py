"""Scenario files: what is enabled, connected, for whom, when. TOML, data only, validated as a whole."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from estimator import catalog
from estimator.errors import ScenarioError, UsageError
from pricing.problems import problems_of

NEWLY_AVAILABLE = "newly-available"


def _day(value: object) -> object:
    """TOML dates only: a date-time would silently drop its hour."""
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise ValueError("a date such as 2027-01-01, without quotes")
    return value


Day = Annotated[dt.date, BeforeValidator(_day)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class FeedState(_Part):
    """Whether a feed flows today. Without `connected` nobody knows, and both cases are priced."""

    id: str
    connected: bool | None = None


class Enable(_Part):
    """Enable operations on the mailboxes that `where` selects, from a day on."""

    kind: Literal["enable"]
    operations: tuple[str, ...] = Field(min_length=1)
    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    from_: Day | None = Field(default=None, alias="from")

    @field_validator("where", mode="before")
    @classmethod
    def _lists(cls, value: object) -> object:
        if isinstance(value, dict):
            return {k: (v,) if isinstance(v, str) else tuple(v) if isinstance(v, list) else v for k, v in value.items()}
        return value

    @field_validator("operations", mode="before")
    @classmethod
    def _tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class Connect(_Part):
    """Connect a feed from a day on: every operation it carries is added."""

    kind: Literal["connect"]
    feed: str
    from_: Day | None = Field(default=None, alias="from")


class PlanChoice(_Part):
    """A price table to use and the customer's own terms for it."""

    id: str
    discount_percent: Decimal = Field(default=Decimal(0), ge=0, le=100)
    commitment: str = "best"
    retention_days: int | None = Field(default=None, gt=0)
    grant_remaining_gb_per_day: Decimal | None = Field(default=None, ge=0)

    @field_validator("discount_percent", "grant_remaining_gb_per_day", mode="before")
    @classmethod
    def _decimal(cls, value: object) -> object:
        return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Budget(_Part):
    """A limit on the monthly bill, at a stated quantile of the forecast."""

    monthly: Decimal = Field(gt=0)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    quantile: Literal["mean", "p10", "p50", "p90"] = "p90"
    applies_to: Literal["added", "with"] = "added"

    @field_validator("monthly", mode="before")
    @classmethod
    def _decimal(cls, value: object) -> object:
        return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


Change = Annotated[Enable | Connect, Field(discriminator="kind")]


class Scenario(_Part):
    """One what-if, as its file states it, with the defaults filled in."""

    schema_version: Literal[1]
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    title: str = Field(min_length=1)
    start: Day
    months: int = Field(default=12, ge=1, le=60)
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    subdivision: str | None = None
    feeds: tuple[FeedState, ...] = ()
    changes: tuple[Change, ...] = ()
    plans: tuple[PlanChoice, ...] = ()
    budget: Budget | None = None

    @field_validator("feeds", "changes", "plans", mode="before")
    @classmethod
    def _tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _fits_together(self) -> Scenario:
        known = [feed.id for feed in self.feeds]
        if twice := sorted({f for f in known if known.count(f) > 1}):
            raise ValueError(f"feeds: {twice[0]!r} stands twice")
        for number, change in enumerate(self.changes, start=1):
            day = change.from_
            if day is not None and not self.start <= day < self.end:
                raise ValueError(
                    f"changes[{number}].from: {day} lies outside the scenario, which runs from {self.start} to "
                    f"{self.end - dt.timedelta(days=1)}"
                )
            if isinstance(change, Connect):
                state = next((feed for feed in self.feeds if feed.id == change.feed), None)
                if state is not None and state.connected:
                    raise ValueError(
                        f"changes[{number}]: connects {change.feed!r}, which [[feeds]] says is connected already"
                    )
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
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except FileNotFoundError as error:
        raise UsageError("there is no such scenario file", path=name) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"cannot be read: {error}", path=name) from error
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"is not valid TOML: {error}", path=name, expected="a scenario file") from error
    try:
        scenario = Scenario.model_validate(document)
    except ValidationError as error:
        raise _refusal(error, name) from error
    for feed in scenario.feed_ids():
        _known(lambda feed=feed: catalog.feed(feed), name, "feeds")
    for number, change in enumerate(scenario.changes, start=1):
        if isinstance(change, Enable):
            for key in change.operations:
                if key != NEWLY_AVAILABLE:
                    _known(lambda key=key: catalog.operation(key), name, f"changes[{number}].operations")
    return scenario


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
    for number, change in enumerate(scenario.changes, start=1):
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
            )
        cells = mailboxes[column].astype("str").str.lower()
        keep &= cells.isin([value.lower() for value in values])
        if not keep.any():
            present = sorted(cells.dropna().unique())[:8]
            raise ScenarioError(
                f"{column} = {list(values)} matches none of {len(mailboxes)} mailboxes",
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


def _known(look_up: Any, path: str, place: str) -> None:
    try:
        look_up()
    except UsageError as error:
        raise ScenarioError(error.found, path=path, place=place, expected=error.expected, mend=error.mend) from error


def _add_months(day: dt.date, months: int) -> dt.date:
    total = day.year * 12 + day.month - 1 + months
    year, month = divmod(total, 12)
    return min(
        day.replace(day=1, year=year, month=month + 1) + dt.timedelta(days=day.day - 1),
        (dt.date(year + (month == 11), (month + 1) % 12 + 1, 1) - dt.timedelta(days=1)),
    )
