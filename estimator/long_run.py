"""What a month adds in the long run: every change is in force, and as much is kept as will be.

Where what is kept is full before the horizon ends, its last whole months show that. Where it is not, the last days are
taken to go on, see `pricing.run_rate`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from estimator.billed import RunRate
from estimator.draws import Floats
from estimator.scenario import AssignLicence, Drop, Enable, Price, Retain, Route
from pricing import DrawBill, Usage, bill_draws
from pricing.days import months_of
from pricing.meters import CapacityAllUnits, CapacitySteps
from pricing.prices import in_force
from pricing.run_rate import run_rate as steady_state

if TYPE_CHECKING:  # `bills` imports this module
    from estimator.bills import Pricing

#: Days of a mean month.
MEAN_MONTH = 365.25 / 12

#: Days of the weeks that stand for those to come, as `pricing.run_rate` takes them.
_WEEKS = 28


def run_rate(pricing: Pricing, without: DrawBill, with_: DrawBill) -> RunRate:
    """From the last whole months after the scenario's last change that these feeds see."""
    kinds = Enable | Drop | Route | AssignLicence | Price | Retain
    changes = [change for change in pricing.scenario.changes if isinstance(change, kinds)]
    # Of a ramp the day on which the last mailboxes join.
    ramps = [dt.timedelta(days=c.ramp_days - 1 if isinstance(c, Enable) else 0) for c in changes]
    taking_hold = [change.day(pricing.scenario.start) + ramp for change, ramp in zip(changes, ramps, strict=True)]
    of_feeds = (day for use in pricing.uses for day in (use.connects, use.disconnects))
    days = [day for day in (*taking_hold, *of_feeds) if day is not None]
    changed = min(max([pricing.scenario.start, *days]), pricing.days[-1])
    months = months_of(pricing.days)
    whole = [
        number
        for number, month in enumerate(months)
        if month.rows.stop - month.rows.start == month.length and pricing.days[month.rows.start] >= changed
    ][-3:]
    if whole:
        first, last = months[whole[0]].rows.start, months[whole[-1]].rows.stop
        added = (with_.total - without.total)[whole].sum(axis=0)
    else:
        last = len(pricing.days)
        first = max((changed - pricing.days[0]).days, months[-1].rows.start)
        added = _part(pricing, first, "with_", with_.commitment) - _part(pricing, first, "without", without.commitment)
    # On a day t what is kept is of the days from t - kept + 1 on.
    kept = _longest_kept(pricing)
    full = kept == 0 or (pricing.days[first] - changed).days >= kept - 1
    labels = tuple(months[n].label for n in whole)
    if full:
        return RunRate(added * MEAN_MONTH / (last - first), labels, last - first, True)
    return _once_filled(pricing, (changed - pricing.days[0]).days, without, with_)


def _longest_kept(pricing: Pricing) -> int:
    """The longest that anything is kept beyond what its price of ingestion includes, in days; 0: nothing is."""
    changes = [change for change in pricing.scenario.changes if isinstance(change, Retain)]
    # A free stream is kept for nothing in the figures; that it may not be is another case.
    parts = set(pricing.usage("with_").gb) - pricing.plan.free_streams
    wanted = [(stream, pricing.terms.retention_days or 0) for stream in parts]
    wanted += [(change.of, change.days) for change in changes if change.of in parts]
    return max((days for stream, days in wanted if days > _included(pricing, stream)), default=0)


def _included(pricing: Pricing, stream: str) -> int:
    """The days that the price of ingesting a stream includes, where its tier of storage has its own in that."""
    _, tier = pricing.plan.tier_of(stream)
    return pricing.plan.included_retention_days if tier is None else pricing.plan.tiers[tier].included_retention_days


def _once_filled(pricing: Pricing, first: int, without: DrawBill, with_: DrawBill) -> RunRate:
    """What a month adds once every stock is full, if the last days after the last change go on as they are."""
    left = len(pricing.days) - first
    sized = any(isinstance(meter, CapacityAllUnits | CapacitySteps) for meter in pricing.plan.meters.values())
    # Four weeks around Christmas are a poor year, so their place takes the mean of twelve, weekday by weekday; what is
    # sized by a busy day keeps its busy days.
    blocks = 1 if sized else max(min(left // _WEEKS, 3), 1)
    days = min(left, _WEEKS) // 7 * 7 or left
    first = len(pricing.days) - days

    def steady(which: Literal["without", "with_"], commitment: str) -> Floats:
        usage = pricing.usage(which)
        shape = (blocks, days, -1)
        gb = {stream: usage.by_draw(stream)[-blocks * days :].reshape(shape).mean(axis=0) for stream in usage.gb}
        tail = Usage(pricing.days[first:], gb)
        terms = replace(pricing.terms, commitment=commitment)
        terms = pricing.retaining(terms, usage) if which == "with_" else terms
        return steady_state(pricing.plan, tail, terms).month

    added = steady("with_", with_.commitment) - steady("without", without.commitment)
    return RunRate(np.asarray(added), (), blocks * days, False)


def _part(pricing: Pricing, first: int, which: Literal["without", "with_"], commitment: str) -> Floats:
    """The bill of the days from `first` on, with what was ingested before them still kept, shape (draws,)."""
    usage = pricing.usage(which)
    days = pricing.days[first:]
    tier = pricing.plan.commitment[1].tier(commitment) if pricing.plan.commitment is not None else None
    # On days after a tier's price has ended the bill is pay-as-you-go.
    held = tier is not None and any(in_force(tier.prices, day) for day in days)
    gb = {stream: usage.by_draw(stream) for stream in usage.gb}
    rest = Usage(days, {s: v[first:] for s, v in gb.items()}, {s: v[:first] for s, v in gb.items()})
    terms = replace(pricing.terms, commitment=commitment if held else "none")
    terms = pricing.retaining(terms, rest) if which == "with_" else terms
    return np.asarray(bill_draws(pricing.plan, rest, terms).total.sum(axis=0))
