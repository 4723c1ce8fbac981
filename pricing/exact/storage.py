"""What is kept, exactly: a stock of GB that grows day by day until its window is full."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate

from pricing.days import days_of_year
from pricing.exact.capacity import whole_units
from pricing.exact.charge import Charge, Series, decimals, rows, runs, total
from pricing.exact.work import Work, line, share
from pricing.keeping import Window
from pricing.meters import Retention
from pricing.money import plain


def retention(work: Work, meter_id: str, meter: Retention) -> Iterator[Charge]:
    """The stock of each stream; pooled where blocks or bands are of the whole."""
    kept = work.settled.windows.get(meter_id, {})
    stocks = {
        stream: [gb / meter.compression for gb in _stock(work, stream, window)] for stream, window in kept.items()
    }
    if meter.prices is None:
        yield from _in_bands(work, meter_id, meter, _pooled(stocks, len(work.settled.days)))
        return
    if meter.block_gb is None:
        for stream, stock in stocks.items():
            window = kept[stream]
            note = f"{meter.title}: kept {window.kept} days, {window.included} of them included"
            yield from _by_price(work, meter_id, meter, stock, stream, note + _compressed(meter))
        return
    blocks = [whole_units(gb / meter.block_gb) for gb in _pooled(stocks, len(work.settled.days))]
    note = f"{meter.title}: whole blocks of {plain(meter.block_gb)} GB{_compressed(meter)}"
    yield from _by_price(work, meter_id, meter, blocks, None, note)


def _compressed(meter: Retention) -> str:
    return "" if meter.compression == 1 else f", billed at a {plain(meter.compression)}th of its size"


def _by_price(
    work: Work, meter_id: str, meter: Retention, stock: Series, stream: str | None, note: str
) -> Iterator[Charge]:
    assert meter.prices is not None
    prices = meter.prices
    for month in work.months:
        length = {"day": 1, "month": month.length, "year": days_of_year(work.settled.days[month.rows.start])}[meter.per]
        due = [i for i in rows(month) if stock[i]]
        for rate, run in runs(due, lambda i: work.rate(meter_id, prices, i)):
            quantity = total(stock[i] for i in run) / length
            yield line(meter_id, month, quantity, meter.unit, rate, note, stream=stream, sources=(meter.source,))


def _in_bands(work: Work, meter_id: str, meter: Retention, stock: Series) -> Iterator[Charge]:
    ladder = meter.ladder
    for month in work.months:
        part = share(month)
        for rung in ladder.rungs(total(stock[month.rows]) / month.length / part, f"{work.plan.id} meters.{meter_id}"):
            rate = work.rate(meter_id, ladder.prices[rung.position], rows(month)[-1])
            note = f"{meter.title}, band from {plain(meter.bands[rung.position].from_gb)} GB{_compressed(meter)}"
            yield line(meter_id, month, rung.quantity * part, meter.unit, rate, note, sources=(meter.source,))


def _pooled(stocks: dict[str, Series], days: int) -> Series:
    return [total(day) for day in zip(*stocks.values(), strict=True)] or [Decimal(0)] * days


def _stock(work: Work, stream: str, window: Window) -> Series:
    """GB charged for on each day: those ingested on the days of the window."""
    earlier = decimals(work.usage.earlier.get(stream, ()))
    # until[k]: all that was ingested before position k, counted from the oldest day that is known
    until = list(accumulate([*earlier, *work.ingested[stream]], initial=Decimal(0)))
    past = len(earlier)
    bounds = zip(window.first.tolist(), window.stop.tolist(), strict=True)
    return [until[max(0, stop + past)] - until[max(0, first + past)] for first, stop in bounds]
