"""The changes of a scenario, one type for each kind, each checked by itself; `contradictions` checks them together."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from estimator.scenario.values import Day, FeedId, Keywords, Operation, Part, add_months, as_tuple
from estimator.scenario.where import RECORD_COLUMNS, Where
from pricing.prices import refuse

#: Kinds of change that are meant and not built yet.
PLANNED = ("grow", "route", "assign_licence", "retain", "price", "assume")

Operations = Annotated[tuple[Operation, ...], Field(min_length=1), BeforeValidator(as_tuple)]
Feeds = Annotated[tuple[FeedId, ...], Field(min_length=1), BeforeValidator(as_tuple)]


def _of_mailboxes(where: Where) -> Where:
    """Only a drop can tell records apart: what is enabled is enabled for all records of a mailbox."""
    asked = list(where.record_columns)
    asked += [f"not.{column}" for column in (where.not_.record_columns if where.not_ else ())]
    if asked:
        raise refuse(
            f"{asked[0]} asks about records",
            "conditions on mailboxes; only changes of kind 'drop' select records",
            "Take the condition out, or drop these records with a change of kind 'drop'.",
        )
    return where


def _no_record_columns() -> dict[str, Any]:
    named: list[dict[str, Any]] = [{"required": [column]} for column in RECORD_COLUMNS]
    inside = {"required": ["not"], "properties": {"not": {"anyOf": named}}}
    return {"not": {"anyOf": [*named, inside]}}


class _Change(Part):
    from_: Day | None = Field(default=None, alias="from", description="first day it holds; left out: from the start")

    def day(self, start: dt.date) -> dt.date:
        """The first day it holds in a scenario that starts on `start`."""
        return self.from_ or start


class Enable(_Change):
    """Enable operations on the mailboxes that `where` selects, from a day on."""

    kind: Literal["enable"]
    operations: Operations = Field(description="keys such as 'Exchange/MailItemsAccessed', or 'newly-available'")
    where: Annotated[Where, AfterValidator(_of_mailboxes), Keywords(_no_record_columns)] = Field(
        default_factory=Where, description="the mailboxes; left out: all"
    )


class Connect(_Change):
    """Connect a feed from a day on: every operation it carries is added."""

    kind: Literal["connect"]
    feed: FeedId


class Disconnect(_Change):
    """Disconnect a feed from a day on: every operation it carries is saved."""

    kind: Literal["disconnect"]
    feed: FeedId


def _says_what(schema: dict[str, Any]) -> None:
    """What `Drop._says_something` checks, in the JSON Schema's words."""
    schema["anyOf"] = [
        {"required": ["operations"]},
        {"required": ["feed"]},
        {"required": ["feeds"]},
        {"required": ["where"], "properties": {"where": {"minProperties": 1}}},
    ]
    schema["not"] = {"required": ["feed", "feeds"]}


class Drop(_Change):
    """Drop records before the SIEM from a day on: of which feeds, operations, mailboxes, access types, applications."""

    model_config = ConfigDict(json_schema_extra=_says_what)

    kind: Literal["drop"]
    feed: FeedId | None = Field(default=None, description="the one feed it is dropped from")
    feeds: Feeds = Field(default=(), description="the feeds it is dropped from; left out, as `feed` is: every feed")
    operations: Operations = Field(
        default=(), description="keys of the operations, or 'newly-available'; left out: all"
    )
    where: Where = Field(default_factory=Where, description="which mailboxes and records; left out: all")

    @model_validator(mode="after")
    def _says_something(self) -> Drop:
        if self.feed is not None and self.feeds:
            raise refuse("both 'feed' and 'feeds' are given", "one of the two", "Put all of them into 'feeds'.")
        if not (self.named_feeds or self.operations or self.where.about_mailboxes or self.where.about_records):
            raise refuse(
                "the drop does not say what it drops",
                "at least one of 'operations', 'where', 'feed', 'feeds'",
                "To drop everything of a feed, change it by kind 'disconnect'.",
            )
        return self

    @property
    def named_feeds(self) -> tuple[str, ...]:
        """The feeds it names; empty means every feed of the scenario."""
        return self.feeds if self.feed is None else (self.feed,)


def _available(value: object) -> object:
    if isinstance(value, dict) and value.get("kind") in PLANNED:
        raise refuse(
            f"changes of kind {value['kind']!r} are not available in this version",
            "changes of kind 'enable', 'connect', 'disconnect' or 'drop'",
            "Take it out; what it would change stays in the figures.",
        )
    return value


def _within(change: _Change, info: ValidationInfo) -> _Change:
    """The change within the horizon, where that itself is good."""
    start, months = info.data.get("start"), info.data.get("months")
    if change.from_ is not None and start is not None and months is not None:
        end = add_months(start, months)
        if not start <= change.from_ < end:
            raise refuse(
                f"from = {change.from_} lies outside the scenario",
                f"a day from {start} to {end - dt.timedelta(days=1)}",
            )
    return change


Change = Annotated[
    Annotated[Enable | Connect | Disconnect | Drop, Field(discriminator="kind")],
    BeforeValidator(_available),
    AfterValidator(_within),
]
