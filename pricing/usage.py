"""What is billed, and on which terms: the two inputs of a bill beside the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pricing.errors import TermsError, UsageShapeError
from pricing.plan import Plan
from pricing.prices import FloatArray

__all__ = ["LIST_TERMS", "FloatArray", "Terms", "Usage"]

_MOST_GB = 1e12
_MOST_EVENTS = 1e18


@dataclass(frozen=True, eq=False)
class Usage:
    """Gigabytes a day for each stream, in the plan's own GB.

    Attributes:
        days: contiguous calendar days, D of them, at least one.
        gb: for each stream (D,) GB a day, or (D, N) over N draws. One-dimensional streams hold for every draw.
        earlier: for each stream (H,) or (H, N) GB of the days right before `days`, oldest first. Only retention looks
            at them: without them its stock starts empty. H may differ between streams.
        events: for streams of `gb` (D,) or (D, N) events a day, where the plan charges events.
        peak_events_per_second: for streams of `gb` (D,) or (D, N): the mean rate of each day's busiest hour, where the
            plan sells events a second. Streams are added up as if their busiest hours were the same.

    Raises:
        UsageShapeError: gaps in the days, shapes that do not fit, negative or non-finite GB.
    """

    days: Sequence[date]
    gb: Mapping[str, ArrayLike]
    earlier: Mapping[str, ArrayLike] = field(default_factory=dict)
    events: Mapping[str, ArrayLike] = field(default_factory=dict)
    peak_events_per_second: Mapping[str, ArrayLike] = field(default_factory=dict)

    def __post_init__(self) -> None:
        days = tuple(self.days)
        if not days:
            raise UsageShapeError("no days", expected="at least one")
        for before, day in pairwise(days):
            if day - before != timedelta(days=1):
                raise UsageShapeError(f"{day} follows {before}", place="days", expected="contiguous days")
        gb = {stream: _checked(stream, values) for stream, values in self.gb.items()}
        earlier = {stream: _checked(f"earlier {stream}", values) for stream, values in self.earlier.items()}
        events = {stream: _checked(f"events {stream}", v, _MOST_EVENTS, "events") for stream, v in self.events.items()}
        peaks = {
            stream: _checked(f"peak_events_per_second {stream}", v, _MOST_EVENTS, "events")
            for stream, v in self.peak_events_per_second.items()
        }
        for what, series in (("GB", gb), ("events", events), ("peak events", peaks)):
            for stream, values in series.items():
                if len(values) != len(days):
                    raise UsageShapeError(f"{len(values)} days of {what}", place=stream, expected=f"{len(days)}")
        for where, others in (("earlier", earlier), ("events", events), ("peak_events_per_second", peaks)):
            if unknown := others.keys() - gb.keys():
                raise UsageShapeError(f"'{min(unknown)}' stands in {where} only", expected="a stream of gb")
        arrays = (values for series in (gb, earlier, events, peaks) for values in series.values())
        draws = {values.shape[1] for values in arrays if values.ndim == 2}
        if len(draws) > 1:
            raise UsageShapeError(f"streams of {sorted(draws)} draws", expected="the same number everywhere")
        for name, value in (
            ("days", days),
            ("gb", gb),
            ("earlier", earlier),
            ("events", events),
            ("peak_events_per_second", peaks),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def from_bytes(
        cls,
        plan: Plan,
        days: Sequence[date],
        billed_bytes: Mapping[str, ArrayLike],
        earlier: Mapping[str, ArrayLike] | None = None,
        events: Mapping[str, ArrayLike] | None = None,
        peak_events_per_second: Mapping[str, ArrayLike] | None = None,
    ) -> Usage:
        """Usage from billed bytes a day: the one place where bytes become the plan's GB."""
        return cls(
            days,
            {stream: np.asarray(values, dtype=np.float64) / plan.gb_bytes for stream, values in billed_bytes.items()},
            {stream: np.asarray(v, dtype=np.float64) / plan.gb_bytes for stream, v in (earlier or {}).items()},
            events or {},
            peak_events_per_second or {},
        )

    @property
    def draws(self) -> int | None:
        """How many draws the usage has; None where every stream is one-dimensional."""
        series = (self.gb, self.earlier, self.events, self.peak_events_per_second)
        arrays = (np.asarray(values) for one in series for values in one.values())
        return next((values.shape[1] for values in arrays if values.ndim == 2), None)

    def by_draw(self, stream: str) -> FloatArray:
        """GB of a stream as (D, N), or (D, 1) where it is the same for every draw."""
        return _two_dimensional(self.gb[stream])

    def earlier_by_draw(self, stream: str) -> FloatArray:
        """GB of a stream before the first day as (H, N) or (H, 1); H is 0 where nothing is known."""
        return _two_dimensional(self.earlier.get(stream, np.zeros(0)))


def _two_dimensional(values: ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    return array if array.ndim == 2 else array[:, np.newaxis]


def _checked(name: str, values: ArrayLike, most: float = _MOST_GB, unit: str = "GB") -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] == 0):
        raise UsageShapeError(f"an array of shape {array.shape}", place=name, expected="(days,) or (days, draws)")
    # Not-a-number fails every comparison, so it is caught with the negatives. Above the limit lies no tenant, but a
    # mistake in units, and amounts that forty digits no longer hold to the cent.
    if array.size and not (array.min() >= 0 and array.max() < most):
        raise UsageShapeError(
            f"negative, non-finite or absurd {unit}", place=name, expected=f"0 or more, below {most:g}"
        )
    return array


#: Days kept: one number, or "from this day on so many", by ascending day.
KeptDays = int | Sequence[tuple[date, int]]


@dataclass(frozen=True)
class Terms:
    """The choices and contract terms a bill is made under.

    Attributes:
        commitment: "none", the id of a tier, or "best": the one schedule of least expected cost.
        retention_days: days everything is kept, counted from ingestion; None: the days the plan includes.
        discount_percent: contract discount on everything, applied last, 0 to 100.
        grant_gb_per_day: what *remains* of each grant, GB a day: one number, or one for each day of the usage; a grant
            left out is used up.
        billed_free_streams: free streams whose retention past the included days is charged at the full price: the
            second case where the vendor's wording leaves that open.
        total_retention_days: days everything is kept in all, where the plan sells long-term storage after the ordinary
            retention; None: no longer than that.
        stream_retention_days: for single streams (also "X@lake") the days kept in place of `retention_days`; a
            sequence is a schedule, before whose first day `retention_days` holds. What has been deleted does not come
            back.
        counts: what the plan charges beside volume: {"users": 400, "queried_gb_per_month": 1200}. The plan names them
            (`Plan.counts`).

    Raises:
        TermsError: a figure out of range, or given as a float.
    """

    commitment: str = "none"
    retention_days: int | None = None
    discount_percent: Decimal = Decimal(0)
    grant_gb_per_day: Mapping[str, Decimal | Sequence[Decimal]] = field(default_factory=dict)
    billed_free_streams: frozenset[str] = frozenset()
    total_retention_days: int | None = None
    stream_retention_days: Mapping[str, KeptDays] = field(default_factory=dict)
    counts: Mapping[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        discount = _exact(self.discount_percent, "discount_percent")
        if not 0 <= discount <= 100:
            raise TermsError(f"a discount of {discount}%", place="discount_percent", expected="0 to 100")
        for name in ("retention_days", "total_retention_days"):
            days = getattr(self, name)
            if days is not None:
                _whole_days(days, name)
        kept = {stream: _kept(days, stream) for stream, days in self.stream_retention_days.items()}
        grants = {id_: _grant(gb, f"grant_gb_per_day.{id_}") for id_, gb in self.grant_gb_per_day.items()}
        counts = {name: _not_negative(count, f"counts.{name}", "") for name, count in self.counts.items()}
        for name, value in (
            ("discount_percent", discount),
            ("grant_gb_per_day", grants),
            ("billed_free_streams", frozenset(self.billed_free_streams)),
            ("stream_retention_days", kept),
            ("counts", counts),
        ):
            object.__setattr__(self, name, value)


def _whole_days(days: Any, place: str) -> int:
    if isinstance(days, bool) or not isinstance(days, int) or days < 0:
        raise TermsError(f"{days} days", place=place, expected="0 or more")
    return days


def _kept(days: KeptDays, stream: str) -> KeptDays:
    place = f"stream_retention_days.{stream}"
    if isinstance(days, int):
        return _whole_days(days, place)
    steps = tuple((start, _whole_days(count, place)) for start, count in days)
    for (before, _), (after, _) in pairwise(steps):
        if after <= before:
            raise TermsError(f"{after} stands after {before}", place=place, expected="ascending days, each once")
    return steps


def _grant(gb: Decimal | Sequence[Decimal], place: str) -> Decimal | Sequence[Decimal]:
    if isinstance(gb, Sequence) and not isinstance(gb, str):
        return tuple(_not_negative(one, place, " GB a day") for one in gb)
    return _not_negative(gb, place, " GB a day")


def _not_negative(value: Any, place: str, unit: str) -> Decimal:
    exact = _exact(value, place)
    if exact < 0:
        raise TermsError(f"{exact}{unit}", place=place, expected="0 or more")
    return exact


def _exact(value: Any, place: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int) or not Decimal(value).is_finite():
        raise TermsError(f"{value!r}", place=place, expected="a finite Decimal or a whole number")
    return Decimal(value)


#: Pay-as-you-go, the included retention, list price, no grant.
LIST_TERMS = Terms()
