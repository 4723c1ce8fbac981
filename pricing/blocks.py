"""Storage that is sold in whole blocks for a year and shown by the blocks of each day: what a growing stock hides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import numpy as np

from pricing.days import terms_of
from pricing.keeping import Window
from pricing.meters import Retention
from pricing.money import money, short
from pricing.plan import Plan
from pricing.prices import FloatArray
from pricing.rates import rate_on
from pricing.usage import Usage


def growing_blocks(plan: Plan, usage: Usage, kept: Mapping[str, Mapping[str, Window]]) -> Iterator[str]:
    """A remark for each year in which the blocks held are not the same every day, on expectation over the draws.

    Args:
        plan: the price table.
        usage: the volumes.
        kept: for each retention meter the streams it charges, with their windows.

    Raises:
        NoPriceError: no price of a block is in force on the day most are held, which must be billed.
    """
    for meter_id, meter in plan.meters.items():
        if not isinstance(meter, Retention) or meter.block_gb is None or meter.prices is None or meter.per != "year":
            continue
        mine = kept.get(meter_id, {})
        stock = sum((_expected(usage, stream, window) for stream, window in mine.items()), np.zeros(len(usage.days)))
        blocks = np.ceil(np.round(stock / float(meter.block_gb * meter.compression), 9))
        for term in terms_of(usage.days):
            held = blocks[term.rows]
            fullest = int(held.argmax())
            most = int(held[fullest])
            if (held == most).all():
                continue
            day = usage.days[term.rows.start + fullest]
            price = rate_on(plan, meter, meter.prices, day, f"{plan.id} meters.{meter_id}").amount
            yield (
                f"{meter.title}: blocks are bought for a year, and only those held on each day are priced, "
                f"{short(Decimal(str(held.mean())))} on average from {term.start}. The {most} held on {day} cost "
                f"{money(most * price, plan.currency):,} {plan.currency} for a whole year at list price: while the "
                "stock grows, expect to pay more than is shown."
            )


def _expected(usage: Usage, stream: str, window: Window) -> FloatArray:
    """(D,) GB of a stream that are charged for on each day, the mean over the draws."""
    earlier = usage.earlier_by_draw(stream).mean(axis=1)
    until = np.concatenate([[0.0], np.cumsum(np.concatenate([earlier, usage.by_draw(stream).mean(axis=1)]))])
    past = len(earlier)
    return np.asarray(until[np.maximum(0, window.stop + past)] - until[np.maximum(0, window.first + past)])
