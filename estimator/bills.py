"""One plan on one set of feeds: the bills without and with a scenario, line by line, and those of the other cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import numpy as np

from estimator.bill_cases import cases
from estimator.bill_lines import counted_notes, free_notes, lines_of
from estimator.billed import Case, Cost, Line, PlanOnTerms, RunRate
from estimator.draws import Floats
from estimator.exchange import rate_of
from estimator.forecast import DailyBytes, FeedUse, Forecast, Spread
from estimator.long_run import run_rate
from estimator.scenario import Retain, Scenario
from pricing import DrawBill, Plan, Terms, Usage, bill_draws


class Daily:
    """Daily bytes of feeds, computed once however many plans and cases price them."""

    def __init__(self, forecast: Forecast) -> None:
        self._forecast = forecast
        self._kept: dict[tuple[str, bool, dt.date | None], DailyBytes] = {}

    def of(self, use: FeedUse) -> DailyBytes:
        """Billed bytes of a feed by day and draw."""
        # The figures take a feed as flowing today unless the scenario says that it does not.
        connected = use.connected is not False
        key = (use.feed.id, connected, use.connects)
        if key not in self._kept:
            self._kept[key] = self._forecast.daily(use, connected=connected)
        return self._kept[key]


@dataclass(frozen=True)
class Pricing:
    """One plan on one set of feeds: the bills, and those of the other cases."""

    offer: PlanOnTerms
    uses: Sequence[FeedUse]
    days: Sequence[dt.date]
    daily: Daily
    grant_users: int
    scenario: Scenario
    new_users: Sequence[tuple[dt.date, int]] = ()
    growth: Floats | None = None

    @property
    def plan(self) -> Plan:
        """The price table."""
        return self.offer.plan

    @property
    def streams(self) -> set[str]:
        """The names the feeds are billed under."""
        return {use.feed.stream for use in self.uses}

    @property
    def terms(self) -> Terms:
        """The customer's terms as `pricing` takes them."""
        choice = self.offer.choice
        stated = choice.grant_remaining_gb_per_day
        return Terms(
            # A plan without tiers has none to choose from.
            commitment=choice.commitment if self.plan.commitment is not None else "none",
            retention_days=choice.retention_days,
            discount_percent=choice.discount_percent,
            # What is not stated to remain of a grant is taken as used up.
            grant_gb_per_day={} if stated is None else dict.fromkeys(self.grants(), stated),
            counts=choice.plan_counts,
        )

    def grants(self) -> list[str]:
        """The grants that cover one of the streams."""
        return [id_ for id_, grant in self.plan.grants.items() if self.streams & set(grant.streams)]

    def usage(self, which: Literal["without", "with_"], uses: Sequence[FeedUse] | None = None) -> Usage:
        """Daily GB of the streams; `uses` in place of the feeds' own state."""
        parts = {use.feed.stream: getattr(self.daily.of(use), which) for use in uses or self.uses}
        if which == "with_":
            for use in uses or self.uses:
                parts |= {f"{use.feed.stream}@{tier}": gone for tier, gone in self.daily.of(use).routed.items()}
        return Usage.from_bytes(self.plan, self.days, parts)

    def bills(
        self, terms: Terms, uses: Sequence[FeedUse] | None = None, more: Terms | None = None
    ) -> tuple[DrawBill, DrawBill]:
        """Without and with the scenario; `more` are the terms with it where they differ beside what it retains."""
        usage = self.usage("with_", uses)
        return (
            bill_draws(self.plan, self.usage("without", uses), terms),
            bill_draws(self.plan, usage, self.retaining(more or terms, usage)),
        )

    def retaining(self, terms: Terms, usage: Usage) -> Terms:
        """The terms with what the scenario retains, of the streams that there are."""
        kept: dict[str, list[tuple[dt.date, int]]] = {}
        for change in self.scenario.changes:
            if isinstance(change, Retain) and change.of in usage.gb:
                kept.setdefault(change.of, []).append((change.day(self.scenario.start), change.days))
        if not kept:
            return terms
        return replace(terms, stream_retention_days={stream: sorted(days) for stream, days in kept.items()})

    def pools(self, id_: str) -> tuple[Decimal | list[Decimal], Decimal | list[Decimal]]:
        """All of a grant, GB a day, without and with the scenario; by day where the organisation or its licences grow.

        Who is given a licence by the scenario counts with it only; who comes as the organisation grows counts in both.
        """
        grant = self.plan.grants[id_]
        if self.growth is None and not self.new_users:
            pool = grant.gb_per_day(self.grant_users)
            return pool, pool
        grown = np.ones(len(self.days)) if self.growth is None else self.growth
        users = np.full(len(self.days), float(self.grant_users))
        more = sum((np.where([day >= since for day in self.days], n, 0.0) for since, n in self.new_users), users)

        def by_day(count: Floats) -> list[Decimal]:
            return [grant.gb_per_day_each * Decimal(repr(round(float(one), 6))) for one in count * grown]

        return by_day(users), by_day(np.asarray(more))

    def cost(self, months: list[str]) -> Cost:
        """The bills, the lines of the one with the scenario, and every open case."""
        without, with_ = self.bills(self.terms)
        over, beyond = _against(self.scenario, self.plan, with_.total - without.total, with_.total)
        usage = self.usage("with_")
        return Cost(
            plan=self.plan,
            feeds=tuple(use.feed.id for use in self.uses),
            months=months,
            without=without.total,
            with_=with_.total,
            run=run_rate(self, without, with_),
            lines=lines_of(self.plan, usage, self.retaining(self.terms, usage)),
            commitment_without=without.commitment,
            commitment_with=with_.commitment,
            cases=tuple(cases(self, without, with_)),
            over_budget=over,
            beyond_budget=beyond,
            notes=tuple(
                dict.fromkeys(
                    [*free_notes(self.plan, self.streams), *counted_notes(self.plan, self.streams), *with_.notes]
                )
            ),
        )


def _against(scenario: Scenario, plan: Plan, added: Floats, with_: Floats) -> tuple[float | None, bool]:
    """The share of draws in which some month passes the budget, and whether one does at its quantile."""
    budget, rate = scenario.budget, rate_of(scenario, plan.currency)
    if budget is None or rate is None:
        return None, False
    # The exchange comes last: the bill itself never leaves the plan's currency.
    monthly = (added if budget.applies_to == "added" else with_) * rate.rate
    limit = float(budget.monthly)
    beyond = any(Spread.of(month).at(budget.quantile) > limit for month in monthly)
    return float((monthly > limit).any(axis=0).mean()), beyond


__all__ = ["Case", "Cost", "Daily", "Line", "PlanOnTerms", "Pricing", "RunRate", "free_notes"]
