"""Charges by volume as it comes in: per GB or per million events, at one price, in bands, or as committed beforehand.

What is per calendar month (bands, free allowances, commitments) is taken in proportion where the horizon holds only a
part of the month: it is priced as that share of a whole month of the same daily use.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, Strict, model_validator

from pricing.meters.common import AnyMeter, Band, Bands, CountName, Ladder, MeterTable, VolumeUnit
from pricing.prices import Amount, Positive, Prices, SourceId, refuse


class Flat(MeterTable):
    """So much per GB, whatever the volume."""

    model: Literal["flat"]
    included_gb_per_month: Amount = Field(default=Decimal(0), description="GB of a calendar month that cost nothing")
    prices: Prices = Field(description="price per GB")

    @property
    def included(self) -> Decimal:
        """GB of a calendar month that cost nothing."""
        return self.included_gb_per_month

    @property
    def ladder(self) -> Ladder:
        """The price as a ladder of one rung."""
        return Ladder("all_units", (Decimal(0),), (self.prices,))


class Graduated(MeterTable):
    """Bands of the calendar month's volume, the GB of each at its own rate."""

    model: Literal["graduated"]
    included_gb_per_month: Amount = Field(default=Decimal(0), description="GB of a calendar month that cost nothing")
    source: SourceId = Field(description="where the rule is documented")
    bands: Bands = Field(description="counted after what is included")

    @model_validator(mode="after")
    def _from_zero(self) -> Self:
        return from_zero(self, self.bands)

    @property
    def included(self) -> Decimal:
        """GB of a calendar month that cost nothing."""
        return self.included_gb_per_month

    @property
    def ladder(self) -> Ladder:
        """The bands as a ladder."""
        return Ladder("graduated", tuple(b.from_gb for b in self.bands), tuple(b.prices for b in self.bands))


M = TypeVar("M", bound=MeterTable)


def from_zero(meter: M, bands: tuple[Band, ...]) -> M:
    """Refuse graduated bands of which the first leaves something unpriced."""
    if bands and bands[0].from_gb:
        raise refuse(f"the first band starts at {bands[0].from_gb} GB", "a first band from 0")
    return meter


class PerEvent(MeterTable):
    """So much per million events, such as those a SIEM indexes."""

    model: Literal["per_event"]
    included_million_events_per_month: Amount = Field(
        default=Decimal(0), description="million events of a calendar month that cost nothing"
    )
    indexed_days: Annotated[int, Field(gt=0)] | None = Field(
        None, description="days the price keeps them searchable; told on the bill"
    )
    prices: Prices = Field(description="price per million events")

    @property
    def included(self) -> Decimal:
        """Million events of a calendar month that cost nothing."""
        return self.included_million_events_per_month

    @property
    def ladder(self) -> Ladder:
        """The price as a ladder of one rung."""
        return Ladder("all_units", (Decimal(0),), (self.prices,))


class MonthlyCommitment(MeterTable):
    """So much promised for every calendar month and paid whether used or not; what goes beyond it at a premium."""

    model: Literal["monthly_commitment"]
    unit: VolumeUnit
    committed: CountName = Field(
        description="the count that states the units promised a month; left out by the customer: 0, all at the premium"
    )
    overage_multiplier: Positive = Field(description="what a unit beyond it costs, in times the committed price")
    source: SourceId = Field(description="where the rule is documented")
    prices: Prices = Field(description="price of a committed unit")


class PrepaidPool(MeterTable):
    """A pool bought for a term of a year and drawn down as it is used."""

    model: Literal["prepaid_pool"]
    unit: Literal["GB", "million events", "money"] = Field(
        description="what the pool holds; 'money': commit units that pay for what other meters charge"
    )
    covers: Annotated[tuple[AnyMeter, ...], Strict(False)] = Field(
        default=(), description="the meters a pool of money pays for"
    )
    size: CountName = Field(description="the count that states the units bought for a term")
    beyond: Literal["price", "multiplier", "cut"] = Field(
        description="a unit beyond the pool costs the same, more, or is cut off and costs nothing"
    )
    overage_multiplier: Positive | None = Field(None, description="times the price, where beyond is 'multiplier'")
    source: SourceId = Field(description="where the rule is documented")
    prices: Prices = Field(description="price of a unit of the pool")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.beyond == "multiplier") != (self.overage_multiplier is not None):
            raise refuse("'overage_multiplier' and beyond = \"multiplier\" do not stand together", "both, or neither")
        if (self.unit == "money") != bool(self.covers):
            raise refuse("'covers' and unit = \"money\" do not stand together", "both, or neither")
        if self.unit == "money" and self.beyond != "price":
            raise refuse(f'a pool of money with beyond = "{self.beyond}"', '"price": beyond it, meters charge money')
        return self
