"""What a scenario says of its price tables: other prices from a day on, and tiers that records are routed to.

Both are held against the plans before anything is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from estimator import catalog
from estimator.bills import PlanOnTerms
from estimator.errors import PlanError, ScenarioError
from estimator.findings import Finding
from estimator.scenario import Price, Route, Scenario
from pricing.errors import TermsError
from pricing.plan import reprice
from pricing.prices import nearest


def repriced(
    story: Scenario, shown: str, offers: Sequence[PlanOnTerms], *, replaced: bool
) -> tuple[list[PlanOnTerms], list[Finding]]:
    """The plans under the prices that a scenario states; each of these is a finding.

    Args:
        story: the scenario.
        shown: its name for messages.
        offers: the plans it is priced with.
        replaced: whether the command line names these in place of the scenario's own.

    Raises:
        ScenarioError: a price of a plan that the scenario does not use, or of a meter that the plan does not have.
    """
    by, findings = {offer.plan.id: offer for offer in offers}, []
    for number, change in enumerate(story.changes):
        if not isinstance(change, Price):
            continue
        place = f"changes[{number}]"
        if change.plan not in by:
            if replaced:
                findings.append(
                    Finding(
                        "price_not_used",
                        "info",
                        f"{place} states a price of {change.plan}, which is not among the plans given; it is not used.",
                    )
                )
                continue
            raise ScenarioError(
                f"states a price of {change.plan!r}, which the scenario is not priced with",
                path=shown,
                place=f"{place}.plan",
                expected=f"one of {', '.join(by)}",
                mend=nearest(change.plan, by) or "List it under [[plans]].",
            )
        offer, start = by[change.plan], change.day(story.start)
        try:
            plan = reprice(offer.plan, change.meter, start, change.amount, f"scenario {story.id}", change.reason)
        except PlanError as error:
            raise ScenarioError(
                error.found, path=shown, place=f"{place}.meter", expected=error.expected, mend=error.mend
            ) from error
        by[change.plan] = replace(offer, plan=plan)
        findings.append(
            Finding(
                "price_stated",
                "warning",
                f"{place}: {change.meter} of {change.plan} is priced at {change.amount.normalize():f} {plan.currency} "
                f"from {start} on, in both bills, because the scenario says so and not the list. Reason given: "
                f"{change.reason}",
            )
        )
    return list(by.values()), findings


def check_routes(story: Scenario, shown: str, offers: Sequence[PlanOnTerms]) -> None:
    """Refuse routes to tiers that a plan of the feed does not have, or that do not take its stream.

    Raises:
        ScenarioError: there is one.
    """
    for number, change in enumerate(story.changes):
        if not isinstance(change, Route):
            continue
        fed = catalog.feed(change.feed)
        for offer in offers:
            if offer.plan.siem != fed.siem:
                continue
            try:
                offer.plan.tier_of(f"{fed.stream}@{change.to}")
            except TermsError as error:
                raise ScenarioError(
                    f"{offer.plan.id}: {error.found}",
                    path=shown,
                    place=f"changes[{number}].to",
                    expected=error.expected,
                    mend=error.mend,
                ) from error
