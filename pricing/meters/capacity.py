"""Capacity bought for a term, sized by a busy day or hour: what is used below it changes nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from pricing.errors import NoPriceError
from pricing.meters.common import Band, Bands, CountName, Laddered, MeterTable, Period
from pricing.money import plain
from pricing.prices import ENTER_THE_QUOTE, Amount, Positive, SourceId, Text, refuse


class CapacityAllUnits(MeterTable):
    """Daily capacity bought for a year; the band of the total sets one rate for all of it."""

    model: Literal["capacity_all_units"]
    unit_gb_per_day: Positive = Field(description="capacity is sold in steps of so many GB a day")
    minimum_gb_per_day: Positive = Field(description="smallest capacity that can be bought")
    maximum_gb_per_day: Positive | None = Field(None, description="the list ends here; beyond it no price is known")
    percentile: int = Field(ge=1, le=100, description="the day of the term the capacity is bought for; 95: the P95 day")
    source: SourceId = Field(description="where the rule is documented")
    bands: Bands

    def band(self, capacity: Decimal) -> Band:
        """The band a capacity of so many GB/day falls in."""
        return [band for band in self.bands if band.from_gb <= capacity][-1]

    def beyond_the_list(self, capacity: object, place: str) -> NoPriceError:
        """The error for a capacity above what the list prices."""
        return NoPriceError(
            f"no price is known for {capacity} GB/day; the list ends at {self.maximum_gb_per_day} GB/day",
            place=place,
            mend="Ask the vendor, and add the band with its source to a copy of the plan.",
        )

    def open_band(self, band: Band, capacity: object, place: str) -> NoPriceError:
        """The error for a capacity in a band whose price is left open; it names the bands that are priced."""
        known = ", ".join(self._reach(i) for i, one in enumerate(self.bands) if one.prices) or "none"
        return NoPriceError(
            f"the plan leaves this price open: {capacity} GB/day lie in the band {self._reach(self.bands.index(band))}",
            place=place,
            expected=f"a band with a price: {known}",
            mend=ENTER_THE_QUOTE,
        )

    def _reach(self, position: int) -> str:
        """A band in words: "500 to below 1000 GB/day"."""
        start = plain(self.bands[position].from_gb)
        if position + 1 < len(self.bands):
            return f"{start} to below {plain(self.bands[position + 1].from_gb)} GB/day"
        return f"{start} {'and more' if self.maximum_gb_per_day is None else f'to {self.maximum_gb_per_day}'} GB/day"

    @model_validator(mode="after")
    def _range_is_covered(self) -> Self:
        first, last, minimum = self.bands[0].from_gb, self.bands[-1].from_gb, self.minimum_gb_per_day
        if first > minimum:
            raise refuse(
                f"the first band starts at {first} GB, above the minimum of {minimum} GB", "a band for the minimum"
            )
        if self.maximum_gb_per_day is not None and self.maximum_gb_per_day <= max(last, minimum):
            raise refuse(
                f"the list ends at {self.maximum_gb_per_day} GB, but its last band starts at {last} GB"
                f" and its minimum is {minimum} GB",
                "'maximum_gb_per_day' above both",
            )
        return self


class CapacitySteps(Laddered):
    """Units of capacity (SVC, EPS, GB/day) bought for a term; use above them is not billed but held back or refused."""

    model: Literal["capacity_steps"]
    unit: Text = Field(description="what is sold: 'SVC', 'EPS'")
    measure: Literal["gb_per_day", "peak_events_per_second"] = Field(
        description="what a unit is sized by: the volume of a day, or its busiest hour"
    )
    per_unit: Positive = Field(description="GB a day, or events a second, that one unit carries")
    sold_in: Positive = Field(default=Decimal(1), description="units are sold in multiples of this")
    minimum_units: Amount = Field(default=Decimal(0), description="fewest units that can be bought")
    percentile: int = Field(ge=1, le=100, description="the day of the term that must fit; 100: the busiest")
    owned: CountName | None = Field(
        None, description="the count by which the customer states the units held; then they are billed, used or not"
    )
    per: Period = Field(description="what the price of a unit is for")
    above: Text = Field(description="what happens to use above the capacity, as the bill tells it")
    source: SourceId = Field(description="where the rule is documented")
