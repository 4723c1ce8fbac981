"""What every meter has, and the ladders of prices that several shapes share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
from pydantic import AfterValidator, Field, Strict, ValidationInfo, field_validator, model_validator

from pricing.errors import NoPriceError
from pricing.prices import Amount, FloatArray, Positive, Prices, Table, Text, names, refer, refuse

#: The models a stream can be sent to. Those of counts and fees charge it nothing by volume.
INGESTION_MODELS = (
    "flat", "graduated", "per_event", "monthly_commitment", "prepaid_pool", "capacity_all_units", "capacity_steps",
    "per_count", "fee",
)  # fmt: skip
#: Every model; a test holds it to the union of `pricing.meters`.
MODELS = (*INGESTION_MODELS, "daily_commitment", "retention", "compute_hours", "scan", "greater_of")

#: What a volume is counted in: GB of the plan, or millions of events.
VolumeUnit = Literal["GB", "million events"]
#: What a price is for, besides the unit.
Period = Literal["month", "year"]
#: The name of a figure the customer states: users, assets, queried_gb_per_month.
CountName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def ingestion_meters(info: ValidationInfo) -> list[str]:
    """The meters of the file a stream can be sent to, as opposed to what replaces or follows them."""
    return of_model(info, *INGESTION_MODELS)


def of_model(info: ValidationInfo, *wanted: str) -> list[str]:
    """The meters of the file of these models."""
    # A meter whose model is misspelt is reported as that, and not once more at every reference to it.
    return [id_ for id_, model in names(info).meters.items() if model in wanted or model not in MODELS]


IngestionMeter = Annotated[
    str, AfterValidator(lambda value, info: refer(value, ingestion_meters(info), "an ingestion meter"))
]
FlatMeter = Annotated[str, AfterValidator(lambda value, info: refer(value, of_model(info, "flat"), "a flat meter"))]
AnyMeter = Annotated[str, AfterValidator(lambda value, info: refer(value, list(names(info).meters), "a meter"))]
Kept = Annotated[
    str,
    AfterValidator(
        lambda value, info: refer(value, [*ingestion_meters(info), *names(info).tiers], "an ingestion meter or a tier")
    ),
]


class MeterTable(Table):
    """What every meter has beside its shape."""

    title: Text
    at_least: bool = Field(default=False, description="true: a floor price ('as low as'), so the bill says 'at least'")
    in_credits: bool = Field(default=False, description="true: the prices are credits, which [credit] turns into money")

    @field_validator("in_credits")
    @classmethod
    def _credit_is_priced(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not names(info).credit:
            raise refuse("priced in credits, and no credit is priced", "a [credit] table with the price of a credit")
        return value


class Band(Table):
    """The rate from `from_gb` on: of every unit, or of the units above it; the meter says which."""

    from_gb: Amount
    prices: Prices = Field(description="price of a unit in this band")


class UnitBand(Table):
    """The rate from `from_units` on: of every unit, or of the units above it; the meter says which."""

    from_units: Amount
    prices: Prices = Field(description="price of a unit in this band")


class Step(Table):
    """A size that is sold whole, whatever part of it is used."""

    up_to: Positive = Field(description="units the step covers")
    prices: Prices = Field(description="price of the whole step")


def ascending(values: Sequence[Decimal], key: str, unit: str = "") -> None:
    """Refuse values of a list that do not rise."""
    for lower, upper in pairwise(values):
        if upper <= lower:
            raise refuse(
                f"the band from {upper}{unit} stands after the one from {lower}{unit}", f"bands by ascending {key}"
            )


def _gb_bands(bands: tuple[Band, ...]) -> tuple[Band, ...]:
    ascending([band.from_gb for band in bands], "from_gb", " GB")
    return bands


def _unit_bands(bands: tuple[UnitBand, ...]) -> tuple[UnitBand, ...]:
    ascending([band.from_units for band in bands], "from_units")
    return bands


def _steps(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    for lower, upper in pairwise(steps):
        if upper.up_to <= lower.up_to:
            raise refuse(f"the step up to {upper.up_to} stands after the one up to {lower.up_to}", "ascending up_to")
    return steps


Bands = Annotated[tuple[Band, ...], Strict(False), Field(min_length=1), AfterValidator(_gb_bands)]
UnitBands = Annotated[tuple[UnitBand, ...], Strict(False), AfterValidator(_unit_bands)]
Steps = Annotated[tuple[Step, ...], Strict(False), AfterValidator(_steps)]


class Rung(NamedTuple):
    """Units that cost one price: those of a band, or 1 of a whole step."""

    quantity: Decimal
    position: int


class Ladder(NamedTuple):
    """How many units cost what.

    Attributes:
        application: "all_units": the rung the total reaches sets the rate of every unit; "graduated": each rung's
            units at its own rate; "steps": the smallest step that holds them all, whole.
        edges: where each rung starts, or for steps where it ends, ascending.
        prices: of each rung.
    """

    application: Literal["all_units", "graduated", "steps"]
    edges: tuple[Decimal, ...]
    prices: tuple[Prices, ...]

    def rungs(self, units: Decimal, place: str) -> list[Rung]:
        """What so many units cost, exactly: quantities with the rung that prices them; nothing for no units."""
        if not units:
            return []
        if self.application == "steps":
            fitting = [i for i, end in enumerate(self.edges) if units <= end]
            if not fitting:
                raise self.beyond(units, place)
            return [Rung(Decimal(1), fitting[0])]
        reached = [i for i, start in enumerate(self.edges) if start < units or not i]
        if self.application == "all_units":
            return [Rung(units, max(i for i, start in enumerate(self.edges) if start <= units or not i))]
        ends = [*self.edges[1:], units]
        return [Rung(min(ends[i], units) - self.edges[i], i) for i in reached]

    def cost(self, units: FloatArray, price: Callable[[int], float], place: str) -> FloatArray:
        """The same for an array of units; `price` is asked only for rungs that are reached."""
        edges = np.array([float(edge) for edge in self.edges])
        if self.application == "graduated":
            total = np.zeros_like(units)
            for i, start in enumerate(edges):
                end = edges[i + 1] if i + 1 < len(edges) else np.inf
                inside = np.clip(units, start, end) - start
                if inside.any():
                    total += inside * price(i)
            return total
        if self.application == "steps":
            rung = np.searchsorted(edges, units, side="left")
            if (rung == len(edges)).any():
                raise self.beyond(f"{units.max():g}", place)
            bought = (units > 0).astype(np.float64)
        else:
            rung = np.maximum(np.searchsorted(edges, units, side="right") - 1, 0)
            bought = units
        rates = np.zeros(len(edges))
        for needed in np.unique(rung[units > 0]):
            rates[needed] = price(int(needed))
        return np.asarray(bought * rates[rung])

    def beyond(self, units: object, place: str) -> NoPriceError:
        """The error for more units than the list prices."""
        return NoPriceError(
            f"no price is known for {units} units; the list ends at {self.edges[-1]}",
            place=place,
            mend="Ask the vendor, and add the step with its source to a copy of the plan.",
        )


class Laddered(MeterTable):
    """A meter whose units cost one price, or what bands or steps say: exactly one of the three."""

    prices: Prices | None = Field(None, description="price of a unit, whatever their number")
    bands: UnitBands = Field(default=(), description="prices by how many units there are")
    application: Literal["all_units", "graduated"] | None = Field(
        None, description="how bands are read: the band of the total for all units, or each band at its own rate"
    )
    steps: Steps = Field(default=(), description="sizes that are sold whole")

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if (self.prices is not None) + bool(self.bands) + bool(self.steps) != 1:
            raise refuse("not exactly one of 'prices', 'bands' and 'steps'", "one of them")
        if bool(self.bands) != (self.application is not None):
            raise refuse("'application' and 'bands' do not stand together", "both, or neither")
        if self.application == "graduated" and self.bands[0].from_units:
            raise refuse(f"the first band starts at {self.bands[0].from_units}", "a first band from 0")
        return self

    @property
    def ladder(self) -> Ladder:
        """The prices as a ladder."""
        if self.prices is not None:
            return Ladder("all_units", (Decimal(0),), (self.prices,))
        if self.steps:
            return Ladder("steps", tuple(s.up_to for s in self.steps), tuple(s.prices for s in self.steps))
        assert self.application is not None  # refused above
        return Ladder(self.application, tuple(b.from_units for b in self.bands), tuple(b.prices for b in self.bands))
