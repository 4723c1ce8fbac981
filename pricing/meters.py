"""The shapes a charge can have: one class a meter model, and the union a plan file chooses from by its `model` key.

The model is written in the file and never inferred from the keys that happen to be there. To add a shape: a class here,
its member in `Meter`, and its arithmetic in `pricing.bill` (exact) and `pricing.draws` (over draws); mypy points at
every place that does not know it yet.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, assert_never

from pydantic import AfterValidator, Field, Strict, ValidationInfo, model_validator

from pricing.errors import NoPriceError
from pricing.prices import Amount, Positive, Prices, SourceId, Table, Text, names, refer, refuse

#: Words that stand for something else where a meter's or a tier's id could stand.
RESERVED_METERS = frozenset({"free", "discount"})
RESERVED_TIERS = frozenset({"none", "best"})


_MODELS = frozenset({"flat", "daily_commitment", "retention", "capacity_all_units"})


def ingestion_meters(info: ValidationInfo) -> list[str]:
    """The meters of the file that charge ingestion, as opposed to what replaces or follows it."""
    return _of_model(info, "flat", "capacity_all_units")


def _of_model(info: ValidationInfo, *wanted: str) -> list[str]:
    # A meter whose model is misspelt is reported as that, and not once more at every reference to it.
    return [id_ for id_, model in names(info).meters.items() if model in wanted or model not in _MODELS]


IngestionMeter = Annotated[
    str, AfterValidator(lambda value, info: refer(value, ingestion_meters(info), "an ingestion meter"))
]
FlatMeter = Annotated[str, AfterValidator(lambda value, info: refer(value, _of_model(info, "flat"), "a flat meter"))]


class Flat(Table):
    """So much per GB, whatever the volume."""

    model: Literal["flat"]
    title: Text
    prices: Prices = Field(description="price per GB")


class Tier(Table):
    """A daily commitment one can sign up for."""

    id: Text
    gb_per_day: Positive = Field(description="GB a day the tier covers")
    prices: Prices = Field(description="price per calendar day")
    signup_until: date | None = Field(None, description="last day new customers may choose the tier")
    signup_source: SourceId | None = None


def _tiers_in_order(tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    seen: set[str] = set()
    for tier in tiers:
        if tier.id in seen:
            raise refuse(f"the tier id '{tier.id}' stands twice", "every tier id once")
        if tier.id in RESERVED_TIERS:
            raise refuse(f"a tier is called '{tier.id}'", "another id", "'none' and 'best' are choices of their own.")
        if tier.signup_until is not None and tier.signup_source is None:
            raise refuse(f"tier '{tier.id}' has 'signup_until' without a source", "'signup_source' beside it")
        seen.add(tier.id)
    for smaller, larger in pairwise(tiers):
        if larger.gb_per_day <= smaller.gb_per_day:
            raise refuse(
                f"tier '{larger.id}' ({larger.gb_per_day} GB) stands after '{smaller.id}' ({smaller.gb_per_day} GB)",
                "tiers by ascending gb_per_day",
            )
    return tiers


class DailyCommitment(Table):
    """Tiers billed per calendar day in place of a flat meter: the full price on a quiet day, overage on a busy one."""

    model: Literal["daily_commitment"]
    title: Text
    instead_of: FlatMeter = Field(description="the pay-as-you-go meter a tier replaces")
    overage: Literal["tier_rate"] = Field(description="what GB above the tier cost: the tier's price ÷ its GB")
    lock_days: int = Field(ge=0, description="days a tier must be kept before it may be lowered")
    source: SourceId = Field(description="where the rule is documented")
    tiers: Annotated[tuple[Tier, ...], Strict(False), Field(min_length=1), AfterValidator(_tiers_in_order)]

    def tier(self, tier_id: str) -> Tier | None:
        """The tier of that id, if there is one."""
        return next((tier for tier in self.tiers if tier.id == tier_id), None)


class Retention(Table):
    """A stock of GB kept past the included days, per GB and calendar month."""

    model: Literal["retention"]
    title: Text
    of: IngestionMeter = Field(description="the ingestion meter whose streams are kept here")
    max_days: int = Field(gt=0, description="longest retention that can be bought, counted from ingestion")
    source: SourceId = Field(description="where the rule is documented")
    prices: Prices = Field(description="price per GB-month")


class Band(Table):
    """The rate of every unit once the total reaches `from_gb`."""

    from_gb: Amount
    prices: Prices = Field(description="price per GB/day and year")


def _bands_in_order(bands: tuple[Band, ...]) -> tuple[Band, ...]:
    for lower, upper in pairwise(bands):
        if upper.from_gb <= lower.from_gb:
            raise refuse(
                f"the band from {upper.from_gb} GB stands after the one from {lower.from_gb} GB",
                "bands by ascending from_gb",
            )
    return bands


class CapacityAllUnits(Table):
    """Daily capacity bought for a year; the band of the total sets one rate for all of it."""

    model: Literal["capacity_all_units"]
    title: Text
    unit_gb_per_day: Positive = Field(description="capacity is sold in steps of so many GB a day")
    minimum_gb_per_day: Positive = Field(description="smallest capacity that can be bought")
    maximum_gb_per_day: Positive | None = Field(None, description="the list ends here; beyond it no price is known")
    percentile: int = Field(ge=1, le=100, description="the day of the term the capacity is bought for; 95: the P95 day")
    source: SourceId = Field(description="where the rule is documented")
    bands: Annotated[tuple[Band, ...], Strict(False), Field(min_length=1), AfterValidator(_bands_in_order)]

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

    @model_validator(mode="after")
    def _range_is_covered(self) -> CapacityAllUnits:
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


Meter = Annotated[
    Flat | DailyCommitment | Retention | CapacityAllUnits,
    Field(discriminator="model"),
]


def is_open(meter: Meter) -> bool:
    """Whether some price of the meter is left open: its shape is known, its figure is not."""
    match meter:
        case DailyCommitment():
            return not all(tier.prices for tier in meter.tiers)
        case CapacityAllUnits():
            return not all(band.prices for band in meter.bands)
        case Flat() | Retention():
            return not meter.prices
        case _:
            assert_never(meter)
