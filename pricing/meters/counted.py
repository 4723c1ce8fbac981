"""Charges that do not follow the volume: counts the customer states, fees, queries, machine hours, maxima.

They are owed for every day of the horizon, used or not: the same without and with, so that they add nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from pricing.meters.common import AnyMeter, CountName, Laddered, MeterTable, Period
from pricing.money import plain
from pricing.prices import Amount, Positive, Prices, SourceId, Text, refuse


class PerCount(Laddered):
    """So much per user, asset, agent, or queried GB: a count the customer states."""

    model: Literal["per_count"]
    count: CountName = Field(description="the name of the count: 'users', 'assets', 'queried_gb_per_month'")
    unit: Text = Field(description="what is counted, as the bill prints it: 'user'")
    per: Period = Field(description="what the price of one is for")
    divided_by: Positive = Field(default=Decimal(1), description="100: a hundred counted are one billed")
    minimum_units: Amount = Field(default=Decimal(0), description="fewest that are billed")
    used_up: bool = Field(
        default=False,
        description="true: used up as it is counted (GB read, core-hours); left out: held through each `per` (users)",
    )
    optional: bool = Field(
        default=False, description="true: a count that is not stated is 0 and no error; not beside minimum_units"
    )
    source: SourceId = Field(description="where the rule is documented")

    @model_validator(mode="after")
    def _a_minimum_is_owed(self) -> Self:
        # Who does not know the count does not buy it, who must buy ten of it does: only one of the two can be meant.
        if self.optional and self.minimum_units:
            raise refuse(
                f"a minimum of {plain(self.minimum_units)} beside optional = true: a count that is not stated would be "
                "0, and the minimum would not be charged",
                "one of the two",
                "Leave out 'optional', so that the count must be stated. A fee for each tenant or region is a "
                "'per_count' too: its count is how many of them there are.",
            )
        return self


class Fee(MeterTable):
    """A platform fee."""

    model: Literal["fee"]
    per: Period
    prices: Prices = Field(description="price per month or year")


class ComputeHours(MeterTable):
    """Machine time: cores × hours, as many minutes a month as the customer states."""

    model: Literal["compute_hours"]
    cores: Positive = Field(description="cores that run at once")
    minutes: CountName = Field(description="the count that states minutes a month")
    optional: bool = Field(default=False, description="true: minutes that are not stated are 0 and no error")
    source: SourceId = Field(description="where the rule is documented")
    prices: Prices = Field(description="price per core-hour")


class Scan(MeterTable):
    """Queries that are charged by what they read, each at least so much and rounded up to the MB."""

    model: Literal["scan"]
    queries: CountName = Field(description="the count that states queries a month")
    mb_per_query: CountName = Field(description="the count that states the MB a query reads")
    minimum_mb: Amount = Field(default=Decimal(0), description="MB that every query is charged at least")
    mb_per_unit: Positive = Field(description="MB in the unit that is priced: 1000000 for a TB")
    unit: Text | None = Field(
        None, description="the unit that is priced, as the bill prints it; left out: TB, GB or MB by mb_per_unit"
    )
    optional: bool = Field(default=False, description="true: counts that are not stated are 0 and no error")
    source: SourceId = Field(description="where the rule is documented")
    prices: Prices = Field(description="price per unit read")

    @property
    def priced_unit(self) -> str:
        """What is priced: "TB"."""
        named = {Decimal(1_000_000): "TB", Decimal(1000): "GB", Decimal(1): "MB"}
        return self.unit or named.get(self.mb_per_unit) or f"{plain(self.mb_per_unit)} MB"


def _several(meters: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(meters)) < 2:
        raise refuse(f"{len(set(meters))} meter to compare", "two or more")
    return meters


class GreaterOf(MeterTable):
    """The dearer of several meters in each month; the others are not charged."""

    model: Literal["greater_of"]
    of: Annotated[tuple[AnyMeter, ...], Strict(False), AfterValidator(_several)]
    source: SourceId = Field(description="where the rule is documented")
