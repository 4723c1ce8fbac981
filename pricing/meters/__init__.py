"""The shapes a charge can have: one class a meter model, and the union a plan file chooses from by its `model` key.

The model is written in the file and never inferred from the keys that happen to be there. To add a shape: a class in a
module here, its member in `Meter` and in `pricing.meters.common.MODELS`, and its arithmetic in `pricing.exact` and
`pricing.over_draws`; mypy points at every place that does not know it yet.
"""

from __future__ import annotations

from typing import Annotated, assert_never

from pydantic import Field

from pricing.meters.capacity import CapacityAllUnits, CapacitySteps
from pricing.meters.commitments import RESERVED_TIERS, DailyCommitment, Pool, Tier
from pricing.meters.common import (
    Band,
    FlatMeter,
    IngestionMeter,
    Ladder,
    MeterTable,
    Step,
    UnitBand,
    ingestion_meters,
)
from pricing.meters.counted import ComputeHours, Fee, GreaterOf, PerCount, Scan
from pricing.meters.storage import Retention
from pricing.meters.volume import Flat, Graduated, MonthlyCommitment, PerEvent, PrepaidPool
from pricing.prices import Prices

__all__ = [
    "RESERVED_METERS",
    "RESERVED_TIERS",
    "Band",
    "CapacityAllUnits",
    "CapacitySteps",
    "ComputeHours",
    "DailyCommitment",
    "Fee",
    "Flat",
    "FlatMeter",
    "Graduated",
    "GreaterOf",
    "IngestionMeter",
    "Ladder",
    "Meter",
    "MeterTable",
    "MonthlyCommitment",
    "PerCount",
    "PerEvent",
    "Pool",
    "PrepaidPool",
    "Retention",
    "Scan",
    "Step",
    "Tier",
    "UnitBand",
    "counts_of",
    "ingestion_meters",
    "is_open",
    "price_lists",
]

#: Words that stand for something else where a meter's id could stand.
RESERVED_METERS = frozenset({"free", "discount", "minimum"})

Meter = Annotated[
    Flat
    | Graduated
    | PerEvent
    | MonthlyCommitment
    | PrepaidPool
    | DailyCommitment
    | CapacityAllUnits
    | CapacitySteps
    | Retention
    | PerCount
    | Fee
    | ComputeHours
    | Scan
    | GreaterOf,
    Field(discriminator="model"),
]


def price_lists(meter: Meter) -> dict[str, Prices]:
    """Every list of dated prices of a meter by what names it inside the meter: "" where there is one for all.

    A tier of a commitment goes by its id, a band by where it starts, a step by where it ends: "commitment.100" is the
    list "100" of the meter "commitment".
    """
    match meter:
        case DailyCommitment():
            return {tier.id: tier.prices for tier in meter.tiers}
        case CapacityAllUnits() | Graduated():
            return {f"{band.from_gb.normalize():f}": band.prices for band in meter.bands}
        case CapacitySteps() | PerCount():
            if meter.prices is not None:
                return {"": meter.prices}
            ladder = meter.ladder
            return {f"{e.normalize():f}": prices for e, prices in zip(ladder.edges, ladder.prices, strict=True)}
        case Retention():
            if meter.prices is not None:
                return {"": meter.prices}
            return {f"{band.from_gb.normalize():f}": band.prices for band in meter.bands}
        case Flat() | PerEvent() | MonthlyCommitment() | PrepaidPool() | Fee() | ComputeHours() | Scan():
            return {"": meter.prices}
        case GreaterOf():
            return {}
        case _:
            assert_never(meter)


def is_open(meter: Meter) -> bool:
    """Whether some price of the meter is left open: its shape is known, its figure is not."""
    return not all(price_lists(meter).values())


def counts_of(meter: Meter) -> dict[str, bool]:
    """The counts a meter asks the customer for, and whether each must be stated."""
    match meter:
        case PerCount():
            return {meter.count: not meter.optional}
        case ComputeHours():
            return {meter.minutes: not meter.optional}
        case Scan():
            return {meter.queries: not meter.optional, meter.mb_per_query: not meter.optional}
        case PrepaidPool():
            return {meter.size: True}
        case MonthlyCommitment():
            return {meter.committed: False}
        case CapacitySteps():
            return {} if meter.owned is None else {meter.owned: False}
        case Flat() | Graduated() | PerEvent() | DailyCommitment() | CapacityAllUnits() | Retention() | Fee():
            return {}
        case GreaterOf():
            return {}
        case _:
            assert_never(meter)
