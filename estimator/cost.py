"""Draws of daily bytes → bills without, with and added, per plan and set of feeds.

The difference of two whole bills, never volume times a price: grants, tiers and capacity steps make the two differ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import chain

from estimator.bills import Case, Cost, Daily, Line, PlanOnTerms, Pricing, RunRate, free_notes
from estimator.errors import ScenarioError
from estimator.findings import Finding
from estimator.forecast import FeedUse, Forecast
from pricing.meters import CapacityAllUnits

#: A plan compared with its sources longer ago than this, before the day of the estimate, is doubtful.
STALE_AFTER = dt.timedelta(days=180)


def price(
    forecast: Forecast,
    plans: Sequence[PlanOnTerms],
    grant_users: int,
    as_of: dt.date,
) -> tuple[list[Cost], list[Finding]]:
    """Price every plan on the feeds it can price: each feed alone, and all of them together.

    Args:
        forecast: the volumes.
        plans: price tables and terms.
        grant_users: licensed users that a per-user grant counts.
        as_of: the day of the estimate, for how old prices are.

    Raises:
        NoPriceError: a day of the horizon has no price in force.
        ScenarioError: the budget is in another currency than every plan.
    """
    costs: list[Cost] = []
    findings: list[Finding] = []
    priced: set[str] = set()
    days, daily = [day.date() for day in forecast.days], Daily(forecast)
    for offer in plans:
        uses = [use for use in forecast.uses if use.feed.siem == offer.plan.siem]
        if not uses:
            findings.append(
                Finding(
                    "plan_without_feed",
                    "warning",
                    f"the plan {offer.plan.id} prices {offer.plan.siem} feeds, and the scenario has none; it is not "
                    "priced. Add one under [[feeds]].",
                )
            )
            continue
        priced.update(use.feed.id for use in uses)
        findings.extend(_plan_findings(offer, uses, as_of))
        sets = [[use] for use in uses] + ([uses] if len(uses) > 1 else [])
        made = [
            Pricing(offer, chosen, days, daily, grant_users, forecast.scenario).cost(forecast.months) for chosen in sets
        ]
        costs.extend(made)
        findings.extend(_at_the_end(offer, made))
    for use in forecast.uses:
        if use.feed.id not in priced:
            findings.append(
                Finding(
                    "feed_without_plan",
                    "warning",
                    f"no plan prices {use.feed.id}, so its volume is forecast and its cost is not. Name one with "
                    "--plan or under [[plans]].",
                )
            )
    if costs:
        findings.append(
            Finding(
                "no_baseline",
                "warning",
                "there is no SIEM usage in the tenant folder, so `without` is the Microsoft 365 streams alone "
                f"({_without(costs)}) and not the whole bill. Where the rest of your usage fills a commitment tier or "
                "a capacity band, the added cost differs.",
            )
        )
    findings.extend(_from_cases(costs))
    budget = forecast.scenario.budget
    if budget is not None and costs and all(cost.plan.currency != budget.currency for cost in costs):
        raise ScenarioError(
            f"the budget is in {budget.currency}, and no plan bills in it",
            place="budget.currency",
            expected=f"one of {', '.join(sorted({cost.plan.currency for cost in costs}))}",
            mend="State the budget in the plan's currency.",
        )
    return costs, findings


def _without(costs: Sequence[Cost]) -> str:
    """What the bills without the scenario are, by plan."""
    ways: dict[str, dict[str, None]] = {}
    for cost in costs:
        way = "pay-as-you-go"
        if cost.commitment_without != "none":
            way = f"on the {cost.commitment_without} GB commitment tier"
        elif isinstance(cost.plan.meters[cost.plan.ingest], CapacityAllUnits):
            way = "capacity bought for them alone"
        ways.setdefault(cost.plan.id, {})[way] = None
    return "; ".join(f"{plan}: {' or '.join(each)}" for plan, each in ways.items())


def _plan_findings(offer: PlanOnTerms, uses: Sequence[FeedUse], as_of: dt.date) -> Iterable[Finding]:
    plan = offer.plan
    age = as_of - plan.checked_on
    if age > STALE_AFTER:
        yield Finding(
            "price_stale",
            "warning",
            f"the prices of {plan.id} were last compared with their sources on {plan.checked_on}, {age.days} days "
            "before this estimate. Check them, and put a corrected copy beside your scenario.",
        )
    unit = {plan.gb_bytes}
    if unit != {1_000_000_000}:
        yield Finding("plan_bills_gib", "info", f"{plan.id} bills GB of {plan.gb_bytes:,} bytes; volumes are in 10^9.")
    if any(use.feed.stream in plan.free_streams for use in uses):
        yield Finding(
            "free_stream",
            "info",
            " ".join(free_notes(plan, [use.feed.stream for use in uses])),
        )


def _at_the_end(offer: PlanOnTerms, costs: Sequence[Cost]) -> Iterable[Finding]:
    """What to know about the month at the end."""
    plan = offer.plan
    if not all(cost.run.full for cost in costs):
        yield Finding(
            "retention_still_filling",
            "warning",
            f"{plan.id} keeps {offer.choice.retention_days} days, and the month at the end is taken from fewer days "
            "than that after the scenario's last change: what is kept still grows then, and so does the bill. What was "
            "kept before the horizon is not known and not billed.",
        )
    if parts := [cost.run.days for cost in costs if not cost.run.months]:
        yield Finding(
            "run_rate_from_part",
            "warning",
            f"no whole month of the horizon follows the last change of the scenario, so the added cost of a month at "
            f"the end is taken from the last {max(parts)} days ({plan.id}) and rests on little. Let the scenario run "
            "a month longer.",
        )


def _from_cases(costs: Sequence[Cost]) -> Iterable[Finding]:
    codes = {case.code for case in chain.from_iterable(cost.cases for cost in costs)}
    if "grant_unused" in codes:
        yield Finding(
            "grant_remaining_unknown",
            "warning",
            "how much of the licence grant other tables leave is not stated; the figures take it as used up, and the "
            "case in which all of it is left is priced beside them. State grant_remaining_gb_per_day under [[plans]].",
        )
    if "retention_unsettled" in codes:
        yield Finding(
            "retention_unsettled",
            "warning",
            "Microsoft does not say whether a free table stays free past the free retention days; the figures take 0, "
            "and the full price is the second case. What settles it in your workspace: OfficeActivity | summarize "
            "sum(_BilledSize) by Operation, _IsBillable",
        )


__all__ = ["Case", "Cost", "Line", "PlanOnTerms", "RunRate", "price"]
