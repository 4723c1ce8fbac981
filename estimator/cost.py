"""Draws of daily bytes → bills without, with and added, per plan and set of feeds.

The difference of two whole bills, never volume times a price: grants, tiers and capacity steps make the two differ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import chain

from estimator.bills import Case, Cost, Daily, Line, PlanOnTerms, Pricing, RunRate, free_notes
from estimator.errors import ScenarioError
from estimator.exchange import rate_of, rate_wanted
from estimator.findings import Finding
from estimator.forecast import FeedUse, Forecast
from estimator.scenario import Retain, Scenario
from pricing.meters import CapacityAllUnits, CapacitySteps, Fee, PerCount, PrepaidPool

#: A plan compared with its sources longer ago than this, before the day of the estimate, is doubtful.
STALE_AFTER = dt.timedelta(days=180)


def price(
    forecast: Forecast,
    plans: Sequence[PlanOnTerms],
    grant_users: int,
    as_of: dt.date,
    new_users: Sequence[tuple[dt.date, int]] = (),
) -> tuple[list[Cost], list[Finding]]:
    """Price every plan on the feeds it can price: each feed alone, and all of them together.

    Args:
        forecast: the volumes.
        plans: price tables and terms.
        grant_users: licensed users that a per-user grant counts.
        as_of: the day of the estimate, for how old prices are.
        new_users: from which day the scenario licenses how many more of these users.

    Raises:
        NoPriceError: a day of the horizon has no price in force.
        ScenarioError: the budget is in another currency than every plan, and no rate leads from one to the other.
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
        findings.extend(_tier_findings(offer, uses, forecast))
        findings.extend(_retained(offer, uses, forecast))
        sets = [[use] for use in uses] + ([uses] if len(uses) > 1 else [])
        made = [
            Pricing(offer, chosen, days, daily, grant_users, forecast.scenario, new_users, forecast.growth).cost(
                forecast.months
            )
            for chosen in sets
        ]
        costs.extend(made)
        findings.extend(_in_the_long_run(offer, made))
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
    findings.extend(_budget_findings(forecast.scenario, costs))
    return costs, findings


def _budget_findings(scenario: Scenario, costs: Sequence[Cost]) -> Iterable[Finding]:
    """Through which rate the budget is compared with each currency.

    Raises:
        ScenarioError: with none.
    """
    budget = scenario.budget
    currencies = dict.fromkeys(cost.plan.currency for cost in costs)
    if budget is None or not currencies:
        return
    rates = {currency: rate_of(scenario, currency) for currency in currencies}
    if all(rate is None for rate in rates.values()):
        wanted = rate_wanted(budget.currency, next(iter(currencies)))
        raise ScenarioError(
            f"the budget is in {budget.currency}, and no plan bills in it",
            place="budget.currency",
            expected=f"one of {', '.join(sorted(currencies))}, or a rate under [fx]",
            mend=f"State the budget in the plan's currency, or add {wanted}.",
        )
    for currency, rate in rates.items():
        if rate is None:
            yield Finding(
                "budget_not_compared",
                "warning",
                f"the budget is in {budget.currency}, so bills in {currency} are not held against it. Add "
                f"{rate_wanted(budget.currency, currency)}.",
            )
        elif currency != budget.currency:
            yield Finding(
                "budget_converted",
                "info",
                f"bills in {currency} are held against the budget at {rate.rate:.6g} {budget.currency} for one "
                f"{currency}{' (the inverse of what is stated)' if rate.inverse else ''}, of {rate.on}, source: "
                f"{rate.source}. Everything else stays in {currency}; the rate is held for the whole horizon.",
            )


def _tier_findings(offer: PlanOnTerms, uses: Sequence[FeedUse], forecast: Forecast) -> Iterable[Finding]:
    """What cannot be done with records where routes send them."""
    for use in uses:
        for tier_id in forecast.tiers(use):
            tier = offer.plan.tiers[tier_id]
            source = offer.plan.sources[tier.source]
            yield Finding(
                "route_tier_loses",
                "warning",
                f"{tier.title} ({offer.plan.id}), where records of {use.feed.id} go: {tier.loses.rstrip('.')}. Source: "
                f"{source.title}, {source.url} (read {source.read}).",
            )


def _retained(offer: PlanOnTerms, uses: Sequence[FeedUse], forecast: Forecast) -> Iterable[Finding]:
    """What a change of retention does not do."""
    plan = offer.plan
    streams, anywhere = (
        {use.feed.stream for use in some}
        | {f"{use.feed.stream}@{tier}" for use in some for tier in forecast.tiers(use)}
        for some in (uses, forecast.uses)
    )
    for number, change in enumerate(forecast.scenario.changes):
        if not isinstance(change, Retain):
            continue
        if change.of not in streams:
            if change.of not in anywhere:
                yield Finding(
                    "retain_of_nothing",
                    "warning",
                    f"changes[{number}] retains {change.of}, and the scenario brings nothing there: its streams are "
                    f"{', '.join(sorted(anywhere))}.",
                )
            continue
        _, tier_id = plan.tier_of(change.of)
        included = plan.included_retention_days if tier_id is None else plan.tiers[tier_id].included_retention_days
        if change.days <= included:
            yield Finding(
                "retain_covered",
                "info",
                f"changes[{number}] keeps {change.of} for {change.days} days, and {plan.id} includes {included}: that "
                "costs nothing more.",
            )


def _without(costs: Sequence[Cost]) -> str:
    """What the bills without the scenario are, by plan."""
    ways: dict[str, dict[str, None]] = {}
    for cost in costs:
        way = "pay-as-you-go"
        if cost.commitment_without != "none":
            way = f"on the {cost.commitment_without} GB commitment tier"
        elif isinstance(meter := cost.plan.meters[cost.plan.ingest], CapacityAllUnits | CapacitySteps):
            way = "capacity bought for them alone"
        elif isinstance(meter, PrepaidPool):
            way = "the pool that is bought"
        elif isinstance(meter, PerCount | Fee):
            way = "what is charged whatever the volume"
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
    leaving = [use for use in uses if use.disconnects is not None]
    if leaving and any(isinstance(meter, CapacityAllUnits | CapacitySteps) for meter in plan.meters.values()):
        yield Finding(
            "capacity_owed_until_renewal",
            "warning",
            f"{plan.id} is bought for a term. From {max(use.disconnects for use in leaving if use.disconnects)} on "
            f"{', '.join(use.feed.id for use in leaving)} carries nothing, and the term is owed to its end all the "
            "same: the figures, those of the long run too, show no saving within it. What is saved comes at the "
            "renewal, if less or nothing is bought then.",
        )


def _in_the_long_run(offer: PlanOnTerms, costs: Sequence[Cost]) -> Iterable[Finding]:
    """What to know about the month in the long run."""
    plan = offer.plan
    if filling := [cost.run.days for cost in costs if not cost.run.full]:
        yield Finding(
            "retention_still_filling",
            "warning",
            f"{plan.id}: what is kept still grows at the end of the horizon, so the bills in it hold less of it than "
            "those to come. The added cost of a month in the long run is that of a year in which the last "
            f"{max(filling)} days go on and all is kept as long as it is to be. What was kept before the horizon is "
            "not known and not billed.",
        )
    if parts := [cost.run.days for cost in costs if cost.run.full and not cost.run.months]:
        yield Finding(
            "run_rate_from_part",
            "warning",
            f"no whole month of the horizon follows the last change of the scenario, so the added cost of a month in "
            f"the long run is taken from the last {max(parts)} days ({plan.id}) and rests on little. Let the scenario "
            "run a month longer.",
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
