"""Choosing a commitment tier: one schedule for the whole horizon, judged day by day on its expected cost.

A tier's bill is convex in the day's volume: a quiet day costs the whole tier, a busy one its overage. So the cost of
the mean day says little, and every tier is priced on every day; over draws, on every draw of every day. What is chosen
is then fixed, because a commitment is signed before the draw is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pricing.errors import TermsError
from pricing.meters import DailyCommitment, Flat, Tier
from pricing.money import EXACT
from pricing.plan import Plan
from pricing.prices import Price, in_force, nearest, price_on
from pricing.rates import rate_on
from pricing.usage import FloatArray

PAY_AS_YOU_GO = "none"
BEST = "best"


@dataclass(frozen=True)
class Schedule:
    """Which days a tier is billed; the others are pay-as-you-go.

    Attributes:
        tier: the tier's id, or "none". Hand it on as `Terms.commitment` to bill other usage under the same choice.
        prices: for each day the tier's price in force, or None where the day is pay-as-you-go.
        notes: what a reader of the bill should know about the choice.
    """

    tier: str
    prices: tuple[Price | None, ...]
    notes: tuple[str, ...] = ()


class Quote(NamedTuple):
    """The expected ingestion cost of the horizon under one tier ("none": pay-as-you-go), in the plan's currency."""

    tier: str
    cost: Decimal


def choose(plan: Plan, days: Sequence[date], expected_gb: ArrayLike) -> Schedule:
    """The schedule of least expected cost; on equal cost the smaller commitment.

    Args:
        plan: with a commitment meter; without one the answer is pay-as-you-go.
        days: the D days of the horizon.
        expected_gb: (D,) expected GB a day that reach the meter the tiers replace, after grants
            (`pricing.settle.committable_gb`), or (D, N) over draws: then the cost is averaged, not the volume.

    Raises:
        NoPriceError: the pay-as-you-go price is not known on a day with volume.
    """
    if plan.commitment is None:
        return schedule(plan, days, PAY_AS_YOU_GO)
    return schedule(plan, days, compare(plan, days, expected_gb)[0].tier)


def compare(plan: Plan, days: Sequence[date], gb: ArrayLike) -> list[Quote]:
    """What the horizon would cost under each tier that can be chosen, cheapest first.

    A tier can be chosen while its price is in force on the first day and its sign-up has not closed before it. On days
    when its price has ended it is priced as pay-as-you-go. Empty where the plan has no commitment meter.

    Args:
        plan: whose tiers to compare.
        days: the D days of the horizon.
        gb: (D,) or (D, N), as for `choose`.

    Raises:
        NoPriceError: the pay-as-you-go price is not known on a day with volume.
    """
    if plan.commitment is None:
        return []
    _, meter = plan.commitment
    volume = _Volume(gb)
    sizes = {PAY_AS_YOU_GO: Decimal(0)} | {
        tier.id: tier.gb_per_day
        for tier in meter.tiers
        if in_force(tier.prices, days[0]) and (tier.signup_until is None or days[0] <= tier.signup_until)
    }
    with localcontext(EXACT):
        quotes = [Quote(tier_id, _cost(plan, meter, days, volume, schedule(plan, days, tier_id))) for tier_id in sizes]
    return sorted(quotes, key=lambda quote: (quote.cost, sizes[quote.tier]))


def schedule(plan: Plan, days: Sequence[date], tier_id: str) -> Schedule:
    """The schedule of a tier named by the user, or of "none".

    Sign-up dates are not enforced: who names a tier may have signed up long ago.

    Raises:
        TermsError: the plan has no such tier.
        NoPriceError: the tier's price is not known yet on one of the days, or has ended before all of them.
    """
    if tier_id == PAY_AS_YOU_GO:
        return Schedule(PAY_AS_YOU_GO, (None,) * len(days))
    place, meter, tier = _tier(plan, tier_id)
    prices = tuple(in_force(tier.prices, day) for day in days)
    # A price that is not known yet is an error; one that has ended is a day of pay-as-you-go, unless all days are.
    if not any(prices) or days[0] < tier.prices[0].start:
        price_on(tier.prices, days[0], place)
    notes = []
    if tier.signup_until is not None and tier.signup_until < days[0]:
        notes.append(f"Sign-up for tier {tier_id} closed on {tier.signup_until}; priced as signed up before.")
    if None in prices:
        notes.append(
            f"Tier {tier_id} has no price in force from {days[prices.index(None)]}: "
            f"{prices.count(None)} of {len(days)} days fall back to pay-as-you-go."
        )
    if len(days) < meter.lock_days:
        notes.append(f"A tier is kept for at least {meter.lock_days} days; only {len(days)} of them are billed here.")
    return Schedule(tier_id, prices, tuple(notes))


def break_even(plan: Plan, day: date) -> dict[str, Decimal]:
    """For each tier with a price on `day`, the GB a day above which it costs less than pay-as-you-go.

    Below the tier's size a day costs its whole price, so that is the price ÷ the pay-as-you-go rate; where the rate is
    no higher than the tier's own, the tier never costs less and is left out. Empty without a commitment meter.

    Raises:
        NoPriceError: the pay-as-you-go price is not known on that day.
    """
    if plan.commitment is None:
        return {}
    meter_id, meter = plan.commitment
    flat = plan.meters[meter.instead_of]
    assert isinstance(flat, Flat)  # the loader refuses any other reference
    with localcontext(EXACT):
        payg = rate_on(plan, flat, flat.prices, day, f"{plan.id} meters.{meter.instead_of}").amount
        out: dict[str, Decimal] = {}
        for tier in meter.tiers:
            price = in_force(tier.prices, day)
            if price is None:
                continue
            cost = rate_on(plan, meter, (price,), day, f"{plan.id} meters.{meter_id}").amount
            if cost < payg * tier.gb_per_day:
                out[tier.id] = cost / payg
    return out


def _tier(plan: Plan, tier_id: str) -> tuple[str, DailyCommitment, Tier]:
    """The place of a tier for errors, its meter and itself."""
    if plan.commitment is None:
        raise TermsError(
            f"tier '{tier_id}'", place="commitment", expected="'none'", mend=f"{plan.id} has no commitment tiers."
        )
    meter_id, meter = plan.commitment
    tier = meter.tier(tier_id)
    if tier is None:
        known = [PAY_AS_YOU_GO, BEST, *(tier.id for tier in meter.tiers)]
        raise TermsError(
            f"'{tier_id}' is not a tier of {plan.id}",
            place="commitment",
            expected=f"one of {', '.join(known)}",
            mend=nearest(tier_id, known),
        )
    return f"{plan.id} meters.{meter_id}.tiers.{tier_id}", meter, tier


class _Volume:
    """Daily volume over draws, able to say what a tier is expected to bill."""

    def __init__(self, gb: ArrayLike) -> None:
        values = np.asarray(gb, dtype=np.float64)
        self._gb = values if values.ndim == 2 else values[:, np.newaxis]
        self._low, self._high = self._gb.min(axis=1), self._gb.max(axis=1)
        self.mean: FloatArray = self._gb.mean(axis=1)

    def billed_under(self, tier_gb: float) -> FloatArray:
        """(D,) expectation of max(GB, tier): all draws are only visited on days that lie on both sides of the tier."""
        billed = np.maximum(self.mean, tier_gb)
        mixed = (self._low < tier_gb) & (tier_gb < self._high)
        billed[mixed] = np.maximum(self._gb[mixed], tier_gb).mean(axis=1)
        return billed


def _cost(plan: Plan, meter: DailyCommitment, days: Sequence[date], volume: _Volume, chosen: Schedule) -> Decimal:
    flat = plan.meters[meter.instead_of]
    assert isinstance(flat, Flat)  # the loader refuses any other reference
    tier = meter.tier(chosen.tier)
    size = tier.gb_per_day if tier else Decimal(1)
    billed = volume.billed_under(float(size)) if tier else volume.mean
    total, place = Decimal(0), f"{plan.id} meters.{meter.instead_of}"
    for day, price, units, gb in zip(days, chosen.prices, billed, volume.mean, strict=True):
        if price is not None:
            total += exact(units) * rate_on(plan, meter, (price,), day, place).amount / size
        elif gb > 0:
            total += exact(gb) * rate_on(plan, flat, flat.prices, day, place).amount
    return total


def exact(value: float) -> Decimal:
    """A float as the shortest decimal that stands for it: 130.1 is 130.1, not 130.099999999999994."""
    return Decimal(repr(float(value)))
