"""What is billed, and on which terms: the two inputs of a bill beside the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pricing.errors import TermsError, UsageShapeError
from pricing.plan import Plan

FloatArray = NDArray[np.float64]

_MOST_GB = 1e12


@dataclass(frozen=True, eq=False)
class Usage:
    """Gigabytes a day for each stream, in the plan's own GB.

    Attributes:
        days: contiguous calendar days, D of them, at least one.
        gb: for each stream (D,) GB a day, or (D, N) over N draws. One-dimensional streams hold for every draw.
        earlier: for each stream (H,) or (H, N) GB of the days right before `days`, oldest first. Only retention looks
            at them: without them its stock starts empty. H may differ between streams.

    Raises:
        UsageShapeError: gaps in the days, shapes that do not fit, negative or non-finite GB.
    """

    days: Sequence[date]
    gb: Mapping[str, ArrayLike]
    earlier: Mapping[str, ArrayLike] = field(default_factory=dict)

    def __post_init__(self) -> None:
        days = tuple(self.days)
        if not days:
            raise UsageShapeError("no days", expected="at least one")
        for before, day in pairwise(days):
            if day - before != timedelta(days=1):
                raise UsageShapeError(f"{day} follows {before}", place="days", expected="contiguous days")
        gb = {stream: _checked(stream, values) for stream, values in self.gb.items()}
        earlier = {stream: _checked(f"earlier {stream}", values) for stream, values in self.earlier.items()}
        for stream, values in gb.items():
            if len(values) != len(days):
                raise UsageShapeError(f"{len(values)} days of GB", place=stream, expected=f"{len(days)}")
        if unknown := earlier.keys() - gb.keys():
            raise UsageShapeError(f"'{min(unknown)}' stands in earlier only", expected="a stream of gb")
        draws = {values.shape[1] for values in (*gb.values(), *earlier.values()) if values.ndim == 2}
        if len(draws) > 1:
            raise UsageShapeError(f"streams of {sorted(draws)} draws", expected="the same number everywhere")
        for name, value in (("days", days), ("gb", gb), ("earlier", earlier)):
            object.__setattr__(self, name, value)

    @classmethod
    def from_bytes(
        cls,
        plan: Plan,
        days: Sequence[date],
        billed_bytes: Mapping[str, ArrayLike],
        earlier: Mapping[str, ArrayLike] | None = None,
    ) -> Usage:
        """Usage from billed bytes a day: the one place where bytes become the plan's GB."""
        return cls(
            days,
            {stream: np.asarray(values, dtype=np.float64) / plan.gb_bytes for stream, values in billed_bytes.items()},
            {stream: np.asarray(v, dtype=np.float64) / plan.gb_bytes for stream, v in (earlier or {}).items()},
        )

    @property
    def draws(self) -> int | None:
        """How many draws the usage has; None where every stream is one-dimensional."""
        arrays = (*self.gb.values(), *self.earlier.values())
        return next((values.shape[1] for values in map(np.asarray, arrays) if values.ndim == 2), None)

    def by_draw(self, stream: str) -> FloatArray:
        """GB of a stream as (D, N), or (D, 1) where it is the same for every draw."""
        return _two_dimensional(self.gb[stream])

    def earlier_by_draw(self, stream: str) -> FloatArray:
        """GB of a stream before the first day as (H, N) or (H, 1); H is 0 where nothing is known."""
        return _two_dimensional(self.earlier.get(stream, np.zeros(0)))


def _two_dimensional(values: ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    return array if array.ndim == 2 else array[:, np.newaxis]


def _checked(name: str, values: ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] == 0):
        raise UsageShapeError(f"an array of shape {array.shape}", place=name, expected="(days,) or (days, draws)")
    # Not-a-number fails every comparison, so it is caught with the negatives. Above the limit lies no tenant, but a
    # mistake in units, and amounts that forty digits no longer hold to the cent.
    if array.size and not (array.min() >= 0 and array.max() < _MOST_GB):
        raise UsageShapeError(
            "negative, non-finite or absurd GB", place=name, expected=f"0 or more, below {_MOST_GB:g}"
        )
    return array


@dataclass(frozen=True)
class Terms:
    """The choices and contract terms a bill is made under.

    Attributes:
        commitment: "none", the id of a tier, or "best": the one schedule of least expected cost.
        retention_days: days everything is kept, counted from ingestion; None: the days the plan includes.
        discount_percent: contract discount on everything, applied last, 0 to 100.
        grant_gb_per_day: what *remains* of each grant, GB a day; a grant left out is used up.
        billed_free_streams: free streams whose retention past the included days is charged at the full price: the
            second case where the vendor's wording leaves that open.

    Raises:
        TermsError: a figure out of range, or given as a float.
    """

    commitment: str = "none"
    retention_days: int | None = None
    discount_percent: Decimal = Decimal(0)
    grant_gb_per_day: Mapping[str, Decimal] = field(default_factory=dict)
    billed_free_streams: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        discount = _exact(self.discount_percent, "discount_percent")
        if not 0 <= discount <= 100:
            raise TermsError(f"a discount of {discount}%", place="discount_percent", expected="0 to 100")
        if self.retention_days is not None and self.retention_days < 0:
            raise TermsError(f"{self.retention_days} days", place="retention_days", expected="0 or more")
        grants = {id_: _exact(gb, f"grant_gb_per_day.{id_}") for id_, gb in self.grant_gb_per_day.items()}
        for id_, gb in grants.items():
            if gb < 0:
                raise TermsError(f"{gb} GB a day", place=f"grant_gb_per_day.{id_}", expected="0 or more")
        object.__setattr__(self, "discount_percent", discount)
        object.__setattr__(self, "grant_gb_per_day", grants)
        object.__setattr__(self, "billed_free_streams", frozenset(self.billed_free_streams))


def _exact(value: Any, place: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int) or not Decimal(value).is_finite():
        raise TermsError(f"{value!r}", place=place, expected="a finite Decimal or a whole number")
    return Decimal(value)


#: Pay-as-you-go, the included retention, list price, no grant.
LIST_TERMS = Terms()
