"""What a forecast says: spreads, volumes of an operation on a feed, totals by month, bytes by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from estimator.catalog import Feed
from estimator.draws import Floats
from estimator.rates import Basis

Flow = Literal["already", "added", "saved"]

#: From what rests on most to what rests on least: a sum is as good as its weakest part.
BASES: tuple[Basis, ...] = ("measured", "partly_measured", "derived", "published", "assumed")

BYTES_PER_GB = 1e9


@dataclass(frozen=True)
class Spread:
    """What the draws of a figure look like."""

    mean: float
    p10: float
    p50: float
    p90: float

    @staticmethod
    def of(draws: Floats) -> Spread:
        """The spread of draws, shape (draws,)."""
        p10, p50, p90 = np.quantile(draws, [0.1, 0.5, 0.9])
        return Spread(float(draws.mean()), float(p10), float(p50), float(p90))

    def to_json(self) -> dict[str, float]:
        """The spread as the JSON contract has it."""
        return {"mean": self.mean, "p10": self.p10, "p50": self.p50, "p90": self.p90}

    def at(self, quantile: str) -> float:
        """One of `mean`, `p10`, `p50`, `p90`."""
        return float(getattr(self, quantile))


@dataclass(frozen=True)
class Volume:
    """Events and GB of one operation on one feed, in one month or (month None) over the whole horizon."""

    month: str | None
    feed: str
    operation: str
    flow: Flow
    basis: Basis
    events: Spread
    gb: Spread


@dataclass(frozen=True)
class FeedUse:
    """When a feed flows: today or not (None: nobody said), from which day the scenario connects it, and until when."""

    feed: Feed
    connected: bool | None
    connects: dt.date | None
    disconnects: dt.date | None = None


@dataclass(frozen=True)
class DailyBytes:
    """Billed bytes of one stream by day and draw, shape (days, draws), without and with the scenario.

    `added` is what it adds less what it saves, and may be negative. `routed` is, by tier, what of all that goes to
    another tier of storage than the stream's own; it is in `added` and `without` all the same.
    """

    without: Floats
    added: Floats
    routed: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def with_(self) -> Floats:
        """The scenario's bytes in the stream itself: what flows without it, plus added, less saved, less routed."""
        # What is taken away is never more than what is there, save for rounding.
        left = self.without + self.added
        for gone in self.routed.values():
            left -= gone
        return np.maximum(left, 0.0)


@dataclass(frozen=True)
class Total:
    """Events and GB of all operations of a feed together, by month and draw, shape (months, draws)."""

    months: list[str]
    events: Floats
    gb: Floats
