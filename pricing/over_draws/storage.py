"""What is kept, over draws: a stock of GB that grows day by day until its window is full."""

from __future__ import annotations

import numpy as np

from pricing.days import Month, days_of_year
from pricing.meters import Retention
from pricing.over_draws.work import Work, held
from pricing.prices import FloatArray


def retention(work: Work, meter_id: str, meter: Retention) -> FloatArray:
    """The stock of all streams of the meter."""
    stock = _stock(work, meter_id)
    if stock is None:
        return np.zeros((len(work.months), 1))
    if meter.compression != 1:
        stock = stock / float(meter.compression)
    if meter.prices is None:
        return _in_bands(work, meter_id, meter, stock)
    if meter.block_gb is not None:
        stock = np.ceil(np.round(stock / float(meter.block_gb), 9))
    prices = work.weights(meter_id, stock.max(axis=1) > 0, meter.prices)
    return work.monthly(stock, prices / _lengths(work, meter))


def _lengths(work: Work, meter: Retention) -> FloatArray:
    """(D,) days of what each day's price is for."""
    days = work.settled.days
    match meter.per:
        case "day":
            return np.ones(len(days))
        case "month":
            return np.concatenate([np.full(held(month), float(month.length)) for month in work.months])
        case "year":
            return np.array([float(days_of_year(day)) for day in days])


def _in_bands(work: Work, meter_id: str, meter: Retention, stock: FloatArray) -> FloatArray:
    ladder = meter.ladder

    def of_month(month: Month) -> FloatArray:
        part, last = held(month) / month.length, month.rows.stop - 1
        whole = stock[month.rows].sum(axis=0) / month.length / part
        place = f"{work.plan.id} meters.{meter_id}"
        return part * ladder.cost(whole, lambda rung: work.price(meter_id, ladder.prices[rung], last), place)

    return work.each_month(of_month)


def _stock(work: Work, meter_id: str) -> FloatArray | None:
    """(D, N) GB charged for on each day; None where nothing is kept past what is included.

    Streams of one window are added up before they are stocked: usually there is one window for all.
    """
    alike: dict[tuple[bytes, bytes], list[str]] = {}
    kept = work.settled.windows.get(meter_id, {})
    for stream, window in kept.items():
        alike.setdefault((window.first.tobytes(), window.stop.tobytes()), []).append(stream)
    total: FloatArray | None = None
    for streams in alike.values():
        window = kept[streams[0]]
        past = max(len(work.usage.earlier_by_draw(stream)) for stream in streams)
        until = _until(work, streams, past)
        stock = until[np.maximum(0, window.stop + past)] - until[np.maximum(0, window.first + past)]
        total = stock if total is None else total + stock
    return total


def _until(work: Work, streams: list[str], past: int) -> FloatArray:
    """(past + D + 1, N) all that was ingested before each position, counted from the oldest day that is known."""
    days = len(work.settled.days)
    parts = [(work.usage.earlier_by_draw(stream), work.usage.by_draw(stream)) for stream in streams]
    draws = max(array.shape[1] for pair in parts for array in pair)
    until = np.zeros((past + days + 1, draws))
    for earlier, gb in parts:
        until[1 + past - len(earlier) : 1 + past] += earlier
        until[1 + past :] += gb
    return np.cumsum(until, axis=0, out=until)
