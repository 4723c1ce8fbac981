"""What is open about a bill, and what would be added in the other case; one thing changed at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

import numpy as np

from estimator.billed import Case
from estimator.draws import Floats
from estimator.forecast import Spread
from estimator.scenario import Retain
from pricing import DrawBill, Terms, Usage, bill_draws
from pricing.meters import CapacityAllUnits, CapacitySteps, PrepaidPool
from pricing.money import plain

if TYPE_CHECKING:  # `bills` imports this module
    from estimator.bills import Pricing

#: A stream no plan treats in a way of its own: what else goes to the SIEM's main meter.
_REST = "the rest of your usage"


def cases(pricing: Pricing, without: DrawBill, with_: DrawBill) -> Iterable[Case]:
    """What is open, and what would be added in the other case; one thing changed at a time."""
    terms = pricing.terms
    for id_ in [] if terms.grant_gb_per_day or not (pricing.grant_users or pricing.new_users) else pricing.grants():
        grant = pricing.plan.grants[id_]
        pool = grant.gb_per_day(pricing.grant_users)
        title = f"all of the grant is left: {pricing.grant_users} {grant.per}s, {pool.normalize():f} GB a day"
        title += "".join(f", {count} more from {since} on" for since, count in pricing.new_users)
        before, after = (replace(terms, grant_gb_per_day={id_: gb}) for gb in pricing.pools(id_))
        yield _case("grant_unused", title, pricing.bills(before, more=after))
    free = pricing.streams & pricing.plan.free_streams
    included = pricing.plan.included_retention_days
    retained = [change.days for change in pricing.scenario.changes if isinstance(change, Retain) and change.of in free]
    if free and max([terms.retention_days or 0, *retained]) > included:
        title = f"{', '.join(sorted(free))} pays for retention past {included} days"
        paid = replace(terms, billed_free_streams=frozenset(free))
        yield _case("retention_unsettled", title, pricing.bills(paid))
    if pricing.plan.commitment is not None and terms.commitment == "none":
        usage = pricing.usage("with_")
        best = bill_draws(pricing.plan, usage, pricing.retaining(replace(terms, commitment="best"), usage))
        if best.commitment != "none":
            yield _case("commitment_best", f"the {best.commitment} GB commitment tier is taken", (without, best))
    charged = any(pricing.plan.ingestion_meter(stream) for stream in pricing.streams)
    if charged and without.commitment == with_.commitment != "none":
        title = f"{_REST} fills the {with_.commitment} GB tier"
        yield _case("tier_filled", title, _on_a_full_tier(pricing, replace(terms, commitment=with_.commitment)))
    yield from _capacity_cases(pricing, without, with_)
    unsure = [use.feed.id for use in pricing.uses if use.connected is None]
    if unsure:
        start = pricing.scenario.start
        new = [replace(use, connected=False, connects=start) if use.connected is None else use for use in pricing.uses]
        one = len(unsure) == 1
        title = f"{' and '.join(unsure)} {'is' if one else 'are'} not connected today, so all "
        title += f"{'it carries' if one else 'they carry'} is new from {start}"
        yield _case("feed_state_unknown", title, pricing.bills(terms, new))


def _capacity_cases(pricing: Pricing, without: DrawBill, with_: DrawBill) -> Iterable[Case]:
    """The other end of what is bought whole: without the rest of the usage nobody knows if a step is crossed."""
    charging = dict.fromkeys(meter for stream in pricing.streams for meter in pricing.plan.ingestion_meters(stream))
    bought = {
        id_: meter
        for id_, meter in pricing.plan.meters.items()
        if id_ in charging and isinstance(meter, CapacityAllUnits | CapacitySteps | PrepaidPool)
    }
    if not bought:
        return
    if any((with_.amount[id_] - without.amount[id_]).any() for id_ in bought):
        pools = all(isinstance(meter, PrepaidPool) for meter in bought.values())
        title = f"the {'pool' if pools else 'capacity'} bought already has room"
        yield Case("capacity_has_room", title, Spread.of(_beside(pricing, bought, without, with_)))
    elif any(pricing.daily.of(use).added.any() for use in pricing.uses):
        for id_, meter in bought.items():
            if isinstance(meter, CapacityAllUnits):
                least, unit = meter.minimum_gb_per_day, "GB a day"
                gb = least
            elif isinstance(meter, CapacitySteps) and meter.measure == "gb_per_day":
                lots = (meter.minimum_units / meter.sold_in).to_integral_value(ROUND_CEILING)
                least, unit = max(lots, Decimal(1)) * meter.sold_in, meter.unit
                gb = least * meter.per_unit
            else:  # what fills a pool, or events a second, is not in GB a day
                continue
            title = f"the capacity bought is full, priced at the smallest that is sold, {plain(least)} {unit}"
            bills = _on_full_capacity(pricing, float(gb), pricing.terms)
            if (bills[1].amount[id_] - bills[0].amount[id_]).any():
                yield _case("capacity_full", title, bills)


def _beside(pricing: Pricing, bought: Iterable[str], without: DrawBill, with_: DrawBill) -> Floats:
    """What is added by everything but these meters, over the horizon, shape (draws,)."""
    rest = [id_ for id_ in pricing.plan.meters if id_ not in set(bought)]
    added = sum((with_.amount[id_] - without.amount[id_] for id_ in rest), np.zeros_like(with_.total))
    return np.asarray(added.sum(axis=0) * float(1 - pricing.terms.discount_percent / 100))


def _on_a_full_tier(pricing: Pricing, terms: Terms) -> tuple[DrawBill, DrawBill]:
    """The bills where other usage fills the tier already, so that what is added is overage at the tier's rate."""
    assert pricing.plan.commitment is not None  # a tier was billed
    _, meter = pricing.plan.commitment
    tier = meter.tier(terms.commitment)
    rest = {_REST: np.full(len(pricing.days), float(tier.gb_per_day) if tier else 0.0)}
    before, after = pricing.usage("without"), pricing.usage("with_")
    return (
        bill_draws(pricing.plan, Usage(before.days, {**before.gb, **rest}), terms),
        bill_draws(pricing.plan, Usage(after.days, {**after.gb, **rest}), pricing.retaining(terms, after)),
    )


def _on_full_capacity(pricing: Pricing, gb_per_day: float, terms: Terms) -> tuple[DrawBill, DrawBill]:
    """The bills where other usage, and what flows already, fills the capacity to the last byte.

    What the scenario saves is then taken off that.
    """
    added = {use.feed.stream: pricing.daily.of(use).added for use in pricing.uses}
    more = Usage.from_bytes(pricing.plan, pricing.days, {name: np.maximum(gb, 0.0) for name, gb in added.items()})
    saved = sum((np.minimum(one, 0.0) for one in added.values()), np.zeros(1)) / pricing.plan.gb_bytes
    full = {_REST: np.full(len(pricing.days), gb_per_day)}
    less = {_REST: np.maximum(gb_per_day + saved, 0.0)} if saved.any() else full
    without, with_ = (bill_draws(pricing.plan, Usage(more.days, gb), terms) for gb in (full, {**less, **more.gb}))
    return without, with_


def _case(code: str, title: str, bills: tuple[DrawBill, DrawBill]) -> Case:
    without, with_ = bills
    return Case(code, title, Spread.of((with_.total - without.total).sum(axis=0)))
