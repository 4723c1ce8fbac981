"""The scenario itself: one what-if, as its file states it, with the defaults filled in."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from estimator.calendar import day_kinds
from estimator.errors import ScenarioError
from estimator.scenario.changes import Change, Connect, Disconnect
from estimator.scenario.contradictions import consistent
from estimator.scenario.terms import Budget, Exchange, FeedState, PlanChoice
from estimator.scenario.values import UNIQUE, Currency, Day, Once, Part, TimeZone, Title, Written, add_months, as_tuple
from pricing.prices import refuse


class Scenario(Part):
    """One what-if, as its file states it, with the defaults filled in.

    `changes` comes after what a change is checked against.
    """

    schema_version: Literal[1]
    id: Annotated[str, Written(r"[a-z0-9][a-z0-9._-]*", "lower-case letters, digits, '.', '_' and '-'")]
    title: Title = Field(min_length=1)
    start: Day
    months: int = Field(default=12, ge=1, le=60)
    fiscal_year_start: int = Field(
        default=1, ge=1, le=12, description="the month a fiscal year starts with, for the totals: 7 for July to June"
    )
    country: Annotated[str, Written(r"[A-Z]{2}", "an ISO 3166 code such as US, GB, DE")] | None = None
    subdivision: str | None = None
    timezone: TimeZone | None = None
    feeds: Annotated[tuple[FeedState, ...], BeforeValidator(as_tuple), Once, UNIQUE] = ()
    changes: Annotated[tuple[Change, ...], BeforeValidator(as_tuple), AfterValidator(consistent)] = ()
    plans: Annotated[tuple[PlanChoice, ...], BeforeValidator(as_tuple), Once, UNIQUE] = ()
    budget: Budget | None = None
    fx: dict[Currency, Exchange] = Field(
        default_factory=dict, description="by currency, what one unit of others is in it; for the budget alone"
    )

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
        return add_months(self.start, self.months)

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
                return state.connected if self.connected_from(feed) is None else False
        return False

    def connected_from(self, feed: str) -> dt.date | None:
        """The day the scenario connects `feed`, or None where it does not."""
        return self._day_of(Connect, feed)

    def disconnected_from(self, feed: str) -> dt.date | None:
        """The day from which the scenario leaves `feed` disconnected, or None where it does not."""
        return self._day_of(Disconnect, feed)

    def flows_on_or_after(self, feed: str, day: dt.date) -> bool:
        """Whether `feed` carries anything on `day` or later; one of unknown state may, and counts."""
        gone = self.disconnected_from(feed)
        comes = self.connected_today(feed) is not False or self.connected_from(feed) is not None
        return comes and (gone is None or gone > day)

    def _day_of(self, kind: type[Connect | Disconnect], feed: str) -> dt.date | None:
        return next((c.day(self.start) for c in self.changes if isinstance(c, kind) and c.feed == feed), None)
