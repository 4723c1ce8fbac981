"""The tables of a plan file beside its meters: sources, streams, tiers of storage, grants, credits, examples."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from math import prod
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict, ValidationInfo, field_validator

from pricing.meters.common import CountName, IngestionMeter, Period, ingestion_meters
from pricing.prices import (
    Amount,
    FreeStream,
    GrantId,
    Positive,
    Prices,
    SourceId,
    Table,
    Text,
    names,
    refer,
    refuse,
)

#: How sure a source is: A the vendor's own page, B the vendor's prices transcribed with a date, C a reseller's or
#: government filing, D a third party's estimate (never shipped as a price), E arithmetic on A to C.
Confidence = Literal["A", "B", "C", "D", "E"]


class Source(Table):
    """Where a figure or a rule was read."""

    title: Text
    url: Annotated[str, Field(pattern=r"^(https?://|urn:)\S+$")]
    read: date = Field(description="day it was read, or filed where the filing carries a date")
    confidence: Confidence
    note: Text | None = None


def _free_or_meter(value: str, info: ValidationInfo) -> str:
    return refer(value, ["free", *ingestion_meters(info)], "'free' or an ingestion meter")


class Stream(Table):
    """A stream the plan treats in a way of its own; all others go to the plan's `ingest` meter."""

    ingest: Annotated[str, AfterValidator(_free_or_meter)] = Field(description="'free', or the id of a meter")
    why: Text = Field(description="the explanation the bill carries")
    source: SourceId


class StorageTier(Table):
    """A place other than the main one that streams can be sent to: a lake, a cheaper table plan.

    Usage names a stream in it `STREAM@TIER`.
    """

    title: Text
    ingest: Annotated[tuple[IngestionMeter, ...], Strict(False)] = Field(
        description="the meters that each charge every GB; none: it costs nothing to ingest"
    )
    included_retention_days: Annotated[int, Field(ge=0)] = Field(description="days kept at no further cost")
    max_days: Annotated[int, Field(gt=0)] = Field(description="longest retention, counted from ingestion")
    streams: Annotated[tuple[Text, ...], Strict(False)] = Field(
        default=(), description="only these may be sent there; left out: any that is not refused"
    )
    refused: dict[Text, Text] = Field(default_factory=dict, description="streams that may not, each with the reason")
    loses: Text = Field(description="what cannot be done with data there")
    source: SourceId


class Grant(Table):
    """Ingestion that is not charged: pooled per day, taken before tiers, for the named streams only."""

    title: Text
    per: Text = Field(description="what it is counted by: 'licensed user'")
    gb_per_day_each: Positive = Field(description="GB a day for each of them, in the plan's own GB")
    streams: Annotated[tuple[str, ...], Strict(False), Field(min_length=1)]
    source: SourceId
    note: Text | None = None

    def gb_per_day(self, count: int) -> Decimal:
        """The whole pool of `count` licences, in GB a day; what remains of it is for the caller to say."""
        return self.gb_per_day_each * count

    @field_validator("streams")
    @classmethod
    def _none_is_free(cls, streams: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if free := names(info).free_streams.intersection(streams):
            raise refuse(f"the grant covers '{min(free)}', which is free to ingest", "streams that are charged")
        return streams


class Multiplier(Table):
    """A factor on the price of a credit: the region's, the payment plan's."""

    name: Text
    factor: Positive
    source: SourceId


class Credit(Table):
    """What turns credits into money: the price of one, times every multiplier."""

    title: Text
    prices: Prices = Field(description="price of a credit in the plan's currency")
    multipliers: Annotated[tuple[Multiplier, ...], Strict(False)] = ()

    @property
    def factor(self) -> Decimal:
        """The product of the multipliers."""
        return prod((multiplier.factor for multiplier in self.multipliers), start=Decimal(1))


class Minimum(Table):
    """The least a month or a year costs at list price; what is missing is a line of its own."""

    title: Text
    per: Period
    prices: Prices


class Pipeline(Table):
    """The plan charges a pipeline in front of a SIEM: by what comes in, which may be more than what goes on."""

    title: Text
    note: Text
    source: SourceId


Series = Annotated[tuple[Amount, ...], Strict(False), Field(min_length=1)]


class Example(Table):
    """Usage whose total is known; the tests run it at the precision `expected` is printed with."""

    title: Text
    source: SourceId
    first_day: date
    days: Annotated[int, Field(ge=1, le=3660)]
    gb_per_day: dict[str, Series] = Field(
        min_length=1, description="GB day by day for each stream, repeated until the days are full"
    )
    events_per_day: dict[str, Series] = Field(default_factory=dict, description="events of a stream, likewise")
    peak_events_per_second: dict[str, Series] = Field(
        default_factory=dict, description="mean of each day's busiest hour of a stream, likewise"
    )
    earlier_gb_per_day: dict[str, Series] = Field(
        default_factory=dict, description="GB of the days right before, oldest first, not repeated"
    )
    commitment: Text = "none"
    retention_days: Annotated[int, Field(ge=0)] | None = None
    total_retention_days: Annotated[int, Field(ge=0)] | None = None
    discount_percent: Annotated[Amount, Field(le=100)] = Decimal(0)
    grant_gb_per_day: dict[GrantId, Amount] = Field(default_factory=dict)
    billed_free_streams: Annotated[tuple[FreeStream, ...], Strict(False)] = ()
    counts: dict[CountName, Amount] = Field(default_factory=dict, description="users, assets and the like")
    expected: str = Field(description="the total as its source prints it")

    @field_validator("expected")
    @classmethod
    def _is_a_number(cls, text: str) -> str:
        if not re.fullmatch(r"\d{1,12}(\.\d{1,12})?", text):
            raise refuse(f"'{text}'", 'an amount in quotes, such as "822.00"')
        return text
