"""One scenario of an estimate as the JSON contract `siem-estimator/estimate/1` has it; figures unrounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from estimator.billed import Cost
from estimator.forecast import Forecast, Spread, Volume

if TYPE_CHECKING:
    from estimator.pipeline import ScenarioEstimate


def scenario_json(one: ScenarioEstimate) -> dict[str, Any]:
    """What one scenario comes to."""
    story = one.scenario
    return {
        "id": story.id,
        "title": story.title,
        "start": story.start.isoformat(),
        "months": story.months,
        "not_known": one.not_known,
        "emitting": list(one.emitting),
        "volume": [{"month": v.month, **_volume(v)} for v in one.monthly],
        "volume_horizon": [_volume(v) for v in one.horizon],
        "total": list(_totals(one.forecast)),
        "routed": list(_routed(one.forecast)),
        "cost": [line for cost in one.costs for line in _months(cost)],
        "cost_year": [line for cost in one.costs for line in _years(cost, story.fiscal_year_start)],
        "cost_horizon": [_horizon(cost) for cost in one.costs],
    }


def _volume(volume: Volume) -> dict[str, Any]:
    return {
        "feed": volume.feed,
        "operation": volume.operation,
        "flow": volume.flow,
        "basis": volume.basis,
        "events": volume.events.to_json(),
        "gb": volume.gb.to_json(),
    }


def _totals(forecast: Forecast) -> Iterator[dict[str, Any]]:
    """All operations of a feed together: draws add up, quantiles do not."""
    for use in forecast.uses:
        for flow in ("already", "added", "saved"):
            if flow == "saved" and not forecast.saves(use.feed.id):
                continue
            total = forecast.total(use.feed.id, flow)
            for month, events, gb in zip(total.months, total.events, total.gb, strict=True):
                yield {
                    "feed": use.feed.id,
                    "flow": flow,
                    "month": month,
                    "events": Spread.of(events).to_json(),
                    "gb": Spread.of(gb).to_json(),
                }


def _routed(forecast: Forecast) -> Iterator[dict[str, Any]]:
    """What goes to another tier of storage than the feed's own; it is in the other volumes as well."""
    for use in forecast.uses:
        for tier in forecast.tiers(use):
            total = forecast.routed(use.feed.id, tier)
            for month, events, gb in zip(total.months, total.events, total.gb, strict=True):
                yield {
                    "feed": use.feed.id,
                    "tier": tier,
                    "month": month,
                    "events": Spread.of(events).to_json(),
                    "gb": Spread.of(gb).to_json(),
                }


def _months(cost: Cost) -> Iterator[dict[str, Any]]:
    for m, month in enumerate(cost.months):
        yield {
            "plan": cost.plan.id,
            "feeds": list(cost.feeds),
            "month": month,
            "currency": cost.plan.currency,
            "without": Spread.of(cost.without[m]).to_json(),
            "with": Spread.of(cost.with_[m]).to_json(),
            "added": Spread.of(cost.added[m]).to_json(),
        }


def _years(cost: Cost, first_month: int) -> Iterator[dict[str, Any]]:
    for year in cost.years(first_month):
        yield {
            "plan": cost.plan.id,
            "feeds": list(cost.feeds),
            "year": year.label,
            "currency": cost.plan.currency,
            "months": len(year.months),
            "without": year.without.to_json(),
            "with": year.with_.to_json(),
            "added": year.added.to_json(),
        }


def _horizon(cost: Cost) -> dict[str, Any]:
    return {
        "plan": cost.plan.id,
        "feeds": list(cost.feeds),
        "currency": cost.plan.currency,
        "at_least": cost.plan.at_least,
        "without": Spread.of(cost.without.sum(axis=0)).to_json(),
        "with": Spread.of(cost.with_.sum(axis=0)).to_json(),
        "added": Spread.of(cost.added.sum(axis=0)).to_json(),
        "run_rate_month": cost.run_rate().to_json(),
        "run_rate_of": cost.run.taken_from,
        "over_budget_probability": cost.over_budget,
        "commitment": {"without": cost.commitment_without, "with": cost.commitment_with},
        "cases": [{"code": c.code, "title": c.title, "added": c.added.to_json()} for c in cost.cases],
        "notes": list(cost.notes),
    }
