"""The changes of a scenario, one type for each kind, each checked by itself; `contradictions` checks them together."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from estimator import catalog
from estimator.scenario.values import (
    Amount,
    Day,
    FeedId,
    Growth,
    Keywords,
    OneOperation,
    Operation,
    Part,
    Positive,
    Sku,
    Title,
    Written,
    add_months,
    as_tuple,
)
from estimator.scenario.where import RECORD_COLUMNS, Where
from pricing.prices import refuse

Operations = Annotated[tuple[Operation, ...], Field(min_length=1), BeforeValidator(as_tuple)]
Feeds = Annotated[tuple[FeedId, ...], Field(min_length=1), BeforeValidator(as_tuple)]


def _of_mailboxes(where: Where) -> Where:
    """Only drops and routes tell records apart: what is enabled is enabled for all records of a mailbox."""
    asked = list(where.record_columns)
    asked += [f"not.{column}" for column in (where.not_.record_columns if where.not_ else ())]
    if asked:
        raise refuse(
            f"{asked[0]} asks about records",
            "conditions on mailboxes; only changes of kind 'drop' and 'route' select records",
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
    ramp_days: int = Field(
        default=1, ge=1, le=1826, description="over how many days the mailboxes join, as many each day; 1: all at once"
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


class Grow(_Change):
    """The organisation grows or shrinks, with the scenario and without it: mailboxes, what flows, what joins."""

    kind: Literal["grow"]
    mailboxes_percent_per_year: Growth = Field(description="percent a year from that day on; negative: it shrinks")


class AssignLicence(_Change):
    """Assign a licence to mailboxes from a day on, beside those they have."""

    kind: Literal["assign_licence"]
    sku: Sku = Field(description="part number, GUID or product name, such as 'SPE_E5'")
    where: Annotated[Where, AfterValidator(_of_mailboxes), Keywords(_no_record_columns)] = Field(
        default_factory=Where, description="the mailboxes; left out: all"
    )


def _route_says_where(schema: dict[str, Any]) -> None:
    """What `Route._to_a_tier` checks, in the JSON Schema's words."""
    schema["properties"]["to"]["not"] = {"enum": list(catalog.feeds())}


class Route(_Change):
    """Send records of a feed to another tier of the SIEM, such as its lake, in place of its main store."""

    model_config = ConfigDict(json_schema_extra=_route_says_where)

    kind: Literal["route"]
    feed: FeedId
    to: Annotated[str, Written(r"[a-z0-9][a-z0-9-]*", "a tier of the feed's plan, such as 'lake'")]
    operations: Operations = Field(
        default=(), description="keys of the operations, or 'newly-available'; left out: all"
    )
    where: Where = Field(default_factory=Where, description="which mailboxes and records; left out: all")

    @model_validator(mode="after")
    def _to_a_tier(self) -> Route:
        if self.to in catalog.feeds():
            raise refuse(
                f"{self.to!r} is a feed: records of {self.feed} do not reach the SIEM by it",
                "a tier of storage, such as 'lake'",
                f"To change feeds, disconnect {self.feed} and connect {self.to}.",
            )
        return self

    @property
    def named_feeds(self) -> tuple[str, ...]:
        """The feed it routes, as `Drop` names those it drops from."""
        return (self.feed,)


def _one_of_feed_and_stream(schema: dict[str, Any]) -> None:
    """What `Retain._of_something` checks, in the JSON Schema's words."""
    schema["oneOf"] = [{"required": ["feed"]}, {"required": ["stream"]}]


class Retain(_Change):
    """Keep what a feed, or a stream the plan bills, has ingested for so many days from a day on."""

    model_config = ConfigDict(json_schema_extra=_one_of_feed_and_stream)

    kind: Literal["retain"]
    feed: FeedId | None = Field(default=None, description="the feed; its main store, not what is routed elsewhere")
    stream: Title | None = Field(default=None, min_length=1, description="or the stream, such as 'CloudAppEvents@lake'")
    days: int = Field(gt=0, le=36525, description="days from ingestion on")

    @model_validator(mode="after")
    def _of_something(self) -> Retain:
        if (self.feed is None) == (self.stream is None):
            what = "neither 'feed' nor 'stream' is given" if self.feed is None else "both 'feed' and 'stream' are given"
            raise refuse(what, "one of the two", "Name the feed whose records are kept.")
        return self

    @property
    def of(self) -> str:
        """The stream, as plans name it."""
        return catalog.feed(self.feed).stream if self.feed is not None else str(self.stream)


class Price(_Change):
    """Another price from a day on, with the scenario and without it."""

    kind: Literal["price"]
    plan: Title = Field(min_length=1, description="a plan's id, as under [[plans]]")
    meter: Title = Field(min_length=1, description="'analytics', a tier 'commitment.100' or a band 'capacity.5'")
    amount: Amount = Field(description="money in the plan's currency for the meter's unit")
    reason: Title = Field(min_length=1, description="where the price comes from")


#: What `assume` overrides: of an operation, and of a feed.
OF_OPERATIONS = ("events_per_mailbox_day", "record_bytes")
OF_FEEDS = ("size_factor", "delivery_factor")


def _about_one(schema: dict[str, Any]) -> None:
    """What `Assume._about_one` checks, in the JSON Schema's words."""
    schema["oneOf"] = [
        {"required": [key], "not": {"required": [other]}, "properties": {"what": {"enum": list(names)}}}
        for key, other, names in (("operation", "feed", OF_OPERATIONS), ("feed", "operation", OF_FEEDS))
    ]
    schema["dependentRequired"] = {"low": ["high"], "high": ["low"]}


class Assume(Part):
    """A figure of one's own in place of the measured or published one: always, with the scenario and without it."""

    model_config = ConfigDict(json_schema_extra=_about_one)

    kind: Literal["assume"]
    operation: OneOperation | None = Field(default=None, description="whose events or record size")
    feed: FeedId | None = Field(default=None, description="whose factor")
    what: Literal["events_per_mailbox_day", "record_bytes", "size_factor", "delivery_factor"] = Field(
        description="events of an emitting mailbox on a weekday; AuditData bytes of a record; billed bytes for one of "
        "AuditData; records delivered for a distinct one"
    )
    value: Positive = Field(description="the likeliest value")
    low: Positive | None = Field(default=None, description="with `high`: the ends of what it may be")
    high: Positive | None = None
    reason: Title = Field(min_length=1, description="why the figure of the sample or catalogue does not hold")

    @model_validator(mode="after")
    def _holds_together(self) -> Assume:
        if self.operation is not None and self.feed is not None:
            raise refuse("both 'operation' and 'feed' are given", "one of the two", "Make two changes of it.")
        named = "operation" if self.what in OF_OPERATIONS else "feed"
        if getattr(self, named) is None:
            raise refuse(f"{self.what!r} is said of no {named}", f"the key {named!r} beside it")
        if (self.low is None) != (self.high is None):
            raise refuse("only one end of the range is given", "both 'low' and 'high', or neither")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise refuse(
                f"the value {self.value} does not lie between {self.low} and {self.high}", "low <= value <= high"
            )
        return self

    @property
    def about(self) -> str:
        """The operation or feed."""
        return str(self.operation or self.feed)


def _within(change: Part, info: ValidationInfo) -> Part:
    """The change within the horizon, where that itself is good."""
    start, months = info.data.get("start"), info.data.get("months")
    if not isinstance(change, _Change):
        return change
    if change.from_ is not None and start is not None and months is not None:
        end = add_months(start, months)
        if not start <= change.from_ < end:
            raise refuse(
                f"from = {change.from_} lies outside the scenario",
                f"a day from {start} to {end - dt.timedelta(days=1)}",
            )
    return change


Change = Annotated[
    Annotated[
        Enable | Connect | Disconnect | Drop | Route | Grow | AssignLicence | Assume | Price | Retain,
        Field(discriminator="kind"),
    ],
    AfterValidator(_within),
]
