"""A copy of a plan with a further price: what a customer expects a meter to cost from some day on."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pricing.errors import PlanError
from pricing.meters import Band, Meter, Step, Tier, UnitBand, price_lists
from pricing.prices import Price, Prices, nearest
from pricing.tables import Source

if TYPE_CHECKING:
    from pricing.plan import Plan


def reprice(plan: Plan, meter_path: str, start: date, amount: Decimal, source_title: str, note: str) -> Plan:
    """A copy of `plan` in which a meter costs `amount` from `start` on, whatever the list says of later days.

    Args:
        plan: the price table; it is not changed.
        meter_path: a meter ("analytics"), or a tier, band or step of one ("commitment.100", "capacity.5").
        start: first day of the new price.
        amount: in the plan's currency, or in credits where the meter is priced in them.
        source_title: whose statement the price is; it becomes a source of confidence E, `urn:scenario:…`.
        note: why; may be "".

    Raises:
        PlanError: no such price, with those that exist; or an amount that is no price.
    """
    if not (isinstance(amount, Decimal) and amount.is_finite() and 0 <= amount < 10**12):
        raise PlanError(f"{amount!r}", place=meter_path, expected="a price: a finite Decimal, 0 or more")
    lists = {
        f"{meter_id}.{part}" if part else meter_id: (meter_id, part, prices)
        for meter_id, meter in plan.meters.items()
        for part, prices in price_lists(meter).items()
    }
    if meter_path not in lists:
        raise PlanError(
            f"'{meter_path}' has no price in {plan.id}",
            place="meter",
            expected=f"one of {', '.join(lists)}",
            mend=nearest(meter_path, lists),
        )
    meter_id, part, prices = lists[meter_path]
    slug = re.sub(r"[^a-z0-9._-]+", "-", source_title.lower()).strip("-._") or "stated"
    source_id = slug
    while source_id in plan.sources:
        source_id += "-again"
    source = Source(title=source_title, url=f"urn:scenario:{slug}", read=start, confidence="E", note=note or None)
    changed = _with_prices(plan.meters[meter_id], part, _from(prices, start, amount, source_id))
    return plan.model_copy(
        update={
            "sources": {**plan.sources, source_id: source},
            "meters": {**plan.meters, meter_id: changed},
        }
    )


def _from(prices: Prices, start: date, amount: Decimal, source: str) -> Prices:
    day_before = start - timedelta(days=1)
    before = [
        price if price.until is None or price.until < start else price.model_copy(update={"until": day_before})
        for price in prices
        if price.start < start
    ]
    # The source was checked above; a price cannot be validated outside its file.
    return (*before, Price.model_construct(start=start, until=None, amount=amount, source=source))


def _with_prices(meter: Meter, part: str, prices: Prices) -> Meter:
    if not part:
        return meter.model_copy(update={"prices": prices})
    position = list(price_lists(meter)).index(part)
    for key in ("tiers", "bands", "steps"):
        rows: tuple[Tier | Band | UnitBand | Step, ...] = getattr(meter, key, ())
        if rows:
            changed: list[Any] = list(rows)
            changed[position] = rows[position].model_copy(update={"prices": prices})
            return meter.model_copy(update={key: tuple(changed)})
    raise AssertionError(meter)  # price_lists names nothing else
