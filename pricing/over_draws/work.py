"""One bill over draws in the making: volumes after grants, and sums by month."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pricing.days import Month, months_of
from pricing.meters import Meter
from pricing.plan import Plan
from pricing.prices import FloatArray, Prices
from pricing.rates import rate_on
from pricing.settle import Settlement, billable_gb
from pricing.usage import Terms, Usage


@dataclass
class Work:
    """A bill in the making. Attributes as in `pricing.exact.work.Work`; `shape` is (M, N)."""

    plan: Plan
    usage: Usage
    terms: Terms
    settled: Settlement
    months: list[Month] = field(init=False)
    billable: dict[str, FloatArray] = field(init=False)
    shape: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.months = months_of(self.settled.days)
        self.billable = billable_gb(self.plan, self.usage, self.terms)
        self.shape = (len(self.months), self.usage.draws or 1)

    def pooled(self, meter_id: str, unit: str = "GB") -> FloatArray:
        """(D, N) GB a day of all streams that go to one meter, after grants; or million events, or peak events."""
        mine = [stream for stream in self.billable if meter_id in self.plan.ingestion_meters(stream)]
        match unit:
            case "GB":
                series = [self.billable[stream] for stream in mine]
            case "million events":
                series = [two_dimensional(self.usage.events[s]) / 1e6 for s in mine if s in self.usage.events]
            case _:
                peaks = self.usage.peak_events_per_second
                series = [two_dimensional(peaks[stream]) for stream in mine if stream in peaks]
        if len(series) == 1:
            return series[0]
        return sum(series, np.zeros((len(self.settled.days), 1)))

    def price(self, meter_id: str, prices: Prices, row: int) -> float:
        """What one of a meter's prices comes to on a day."""
        meter: Meter = self.plan.meters[meter_id]
        place = f"{self.plan.id} meters.{meter_id}"
        return float(rate_on(self.plan, meter, prices, self.settled.days[row], place).amount)

    def weights(self, meter_id: str, due: NDArray[np.bool_], prices: Prices) -> FloatArray:
        """(D,) the unit price of each day; 0 on days on which nothing is due, which need no price."""
        return np.array([self.price(meter_id, prices, i) if is_due else 0.0 for i, is_due in enumerate(due)])

    def monthly(self, volume: FloatArray, weight: FloatArray) -> FloatArray:
        """(M, N) sums over each month's days of (D, N) volume times (D,) weight."""
        return np.stack([weight[month.rows] @ volume[month.rows] for month in self.months])

    def each_month(self, of_month: Callable[[Month], FloatArray]) -> FloatArray:
        """(M, N) from (N,) or (1,) of every month."""
        return np.stack([np.broadcast_to(of_month(month), self.shape[1:]) for month in self.months])


def two_dimensional(values: object) -> FloatArray:
    """(D, N), or (D, 1) of one dimension."""
    array = np.asarray(values, dtype=np.float64)
    return array if array.ndim == 2 else array[:, np.newaxis]


def held(month: Month) -> int:
    """Days of the month that the horizon holds."""
    days: int = month.rows.stop - month.rows.start
    return days


def shared(month: Month, rows: slice) -> int:
    """Days of the month that lie in a stretch of the horizon."""
    days: int = min(month.rows.stop, rows.stop) - max(month.rows.start, rows.start)
    return max(0, days)


def mine(month: Month, rows: slice) -> slice:
    """The stretch of the horizon that is in both."""
    return slice(max(month.rows.start, rows.start), min(month.rows.stop, rows.stop))
