"""Draws of daily bytes → bills without, with and added, per plan and set of feeds.

The difference of two whole bills, never volume times a price: grants, tiers and capacity steps make the two differ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from typing import Literal

import numpy as np
import pandas as pd

from estimator.draws import Floats
from estimator.errors import ScenarioError
from estimator.findings import Finding
from estimator.forecast import DailyBytes, FeedUse, Forecast, Spread
from estimator.scenario import Budget, PlanChoice
from pricing import DrawBill, Plan, Terms, Usage, bill_draws
from pricing.bill import bill
from pricing.meters import CapacityAllUnits

#: A plan compared with its sources longer ago than this, before the day of the estimate, is doubtful.
STALE_AFTER = dt.timedelta(days=180)


@dataclass(frozen=True)
class PlanOnTerms:
    """A price table and the customer's terms for it."""

    plan: Plan
    choice: PlanChoice


@dataclass(frozen=True)
class Case:
    """The added cost in another case than the one the figures take: what is open, and what it would cost then."""

    code: str
    title: str
    added: Spread


@dataclass(frozen=True)
class Line:
    """One line of the bill with the scenario, at mean volumes, summed over the horizon.

    Attributes:
        meter: id of the plan's meter.
        stream: the stream it charges; None where streams are pooled.
        quantity: in `unit`.
        unit: what is counted: GB, GB-month, tier-day, ...
        unit_price: price of one unit; None where the line is not a product of the two.
        amount: money.
        price_from: the day the price is known from; None where no price is involved.
        sources: titles, addresses and dates of what it rests on.
        note: how it came about.
    """

    meter: str
    stream: str | None
    quantity: Decimal
    unit: str
    unit_price: Decimal | None
    amount: Decimal
    price_from: dt.date | None
    sources: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Cost:
    """What a set of feeds costs under one plan.

    Attributes:
        plan: the price table.
        feeds: the feeds priced together.
        months: the months of the horizon.
        without: monthly bills without the scenario, shape (months, draws), in the plan's currency.
        with_: with it.
        lines: the bill with it at mean volumes, line by line: what a figure is traced by.
        commitment_without, commitment_with: the tier of each bill; "none" is pay-as-you-go.
        cases: other cases of what is open, over the horizon.
        over_budget: share of draws in which some month passes the budget; None where no budget applies.
        beyond_budget: whether some month passes it at the budget's own quantile.
        notes: what the bill says about itself: why a stream is free, which tier has no price in force.
    """

    plan: Plan
    feeds: tuple[str, ...]
    months: list[str]
    without: Floats
    with_: Floats
    lines: tuple[Line, ...]
    commitment_without: str
    commitment_with: str
    cases: tuple[Case, ...]
    over_budget: float | None
    beyond_budget: bool
    notes: tuple[str, ...]

    @property
    def added(self) -> Floats:
        """With minus without, shape (months, draws)."""
        return np.asarray(self.with_ - self.without)

    def run_rate(self) -> Spread:
        """Added cost of a month once every change is in force: the mean of the last three months of the horizon."""
        return Spread.of(self.added[-3:].mean(axis=0))


def price(
    forecast: Forecast,
    plans: Sequence[PlanOnTerms],
    premium_users: int,
    as_of: dt.date,
) -> tuple[list[Cost], list[Finding]]:
    """Price every plan on the feeds it can price: each feed alone, and all of them together.

    Args:
        forecast: the volumes.
        plans: price tables and terms.
        premium_users: licensed users that a per-user grant counts.
        as_of: the day of the estimate, for how old prices are.

    Raises:
        NoPriceError: a day of the horizon has no price in force.
        ScenarioError: the budget is in another currency than every plan.
    """
    costs: list[Cost] = []
    findings: list[Finding] = []
    priced: set[str] = set()
    days, daily = [day.date() for day in forecast.days], _Daily(forecast)
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
        findings.extend(_plan_findings(offer, uses, as_of, forecast.days))
        sets = [[use] for use in uses] + ([uses] if len(uses) > 1 else [])
        costs.extend(
            _Pricing(offer, chosen, days, daily, premium_users).cost(forecast.months, forecast.scenario.budget)
            for chosen in sets
        )
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
                "there is no SIEM usage in the tenant folder, so `without` is the Microsoft 365 streams alone, at "
                "pay-as-you-go and not the whole bill. Where the rest of your usage fills a commitment tier or a "
                "capacity band, the added cost differs.",
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


class _Daily:
    """Daily bytes of feeds, computed once however many plans and cases price them."""

    def __init__(self, forecast: Forecast) -> None:
        self._forecast = forecast
        self._kept: dict[tuple[str, bool], DailyBytes] = {}

    def of(self, use: FeedUse, *, connected: bool) -> DailyBytes:
        key = (use.feed.id, connected)
        if key not in self._kept:
            self._kept[key] = self._forecast.daily(use, connected=connected)
        return self._kept[key]


def _taken(use: FeedUse) -> bool:
    """Whether the figures take a feed as flowing today: unless the scenario says that it does not."""
    return use.connected is not False


@dataclass(frozen=True)
class _Pricing:
    """One plan on one set of feeds: the bills, and those of the other cases."""

    offer: PlanOnTerms
    uses: Sequence[FeedUse]
    days: Sequence[dt.date]
    daily: _Daily
    premium_users: int

    @property
    def plan(self) -> Plan:
        return self.offer.plan

    @property
    def streams(self) -> set[str]:
        return {use.feed.stream for use in self.uses}

    @property
    def terms(self) -> Terms:
        choice = self.offer.choice
        stated = choice.grant_remaining_gb_per_day
        return Terms(
            # A plan without tiers has none to choose from.
            commitment=choice.commitment if self.plan.commitment is not None else "none",
            retention_days=choice.retention_days,
            discount_percent=choice.discount_percent,
            # What is not stated to remain of a grant is taken as used up.
            grant_gb_per_day={} if stated is None else dict.fromkeys(self.grants(), stated),
        )

    def grants(self) -> list[str]:
        """The grants that cover one of the streams."""
        return [id_ for id_, grant in self.plan.grants.items() if self.streams & set(grant.streams)]

    def usage(self, which: Literal["without", "with_"], taken: Callable[[FeedUse], bool] = _taken) -> Usage:
        parts = {use.feed.stream: getattr(self.daily.of(use, connected=taken(use)), which) for use in self.uses}
        return Usage.from_bytes(self.plan, self.days, parts)

    def bills(self, terms: Terms, taken: Callable[[FeedUse], bool] = _taken) -> tuple[DrawBill, DrawBill]:
        """Without and with the scenario."""
        return (
            bill_draws(self.plan, self.usage("without", taken), terms),
            bill_draws(self.plan, self.usage("with_", taken), terms),
        )

    def cases(self) -> Iterable[Case]:
        """What is open, and what would be added in the other case; one thing changed at a time."""
        terms = self.terms
        for id_ in [] if terms.grant_gb_per_day or not self.premium_users else self.grants():
            grant = self.plan.grants[id_]
            pool = grant.gb_per_day(self.premium_users)
            title = f"all of the grant is left: {self.premium_users} {grant.per}s, {pool.normalize():f} GB a day"
            yield self.case("grant_unused", title, replace(terms, grant_gb_per_day={id_: pool}))
        free = self.streams & self.plan.free_streams
        included = self.plan.included_retention_days
        if free and (terms.retention_days or 0) > included:
            title = f"{', '.join(sorted(free))} pays for retention past {included} days"
            yield self.case("retention_unsettled", title, replace(terms, billed_free_streams=frozenset(free)))
        if self.plan.commitment is not None and terms.commitment == "none":
            best = bill_draws(self.plan, self.usage("with_"), replace(terms, commitment="best"))
            if best.commitment != "none":
                before = bill_draws(self.plan, self.usage("without"), terms)
                added = Spread.of((best.total - before.total).sum(axis=0))
                yield Case("commitment_best", f"the {best.commitment} GB commitment tier is taken", added)
        if any(isinstance(meter, CapacityAllUnits) for meter in self.plan.meters.values()):
            # Without the rest of the usage nobody knows whether a step is crossed; this is the other end.
            room = Spread(0.0, 0.0, 0.0, 0.0)
            yield Case("capacity_has_room", "the capacity bought already has room", room)
        unsure = [use.feed.id for use in self.uses if use.connected is None]
        if unsure:
            title = f"{', '.join(unsure)} is not connected today"
            yield self.case("feed_state_unknown", title, terms, lambda use: bool(use.connected))

    def case(self, code: str, title: str, terms: Terms, taken: Callable[[FeedUse], bool] = _taken) -> Case:
        without, with_ = self.bills(terms, taken)
        return Case(code, title, Spread.of((with_.total - without.total).sum(axis=0)))

    def cost(self, months: list[str], budget: Budget | None) -> Cost:
        without, with_ = self.bills(self.terms)
        over, beyond = _against(budget, self.plan, with_.total - without.total, with_.total)
        return Cost(
            plan=self.plan,
            feeds=tuple(use.feed.id for use in self.uses),
            months=months,
            without=without.total,
            with_=with_.total,
            lines=_lines(self.plan, self.usage("with_"), self.terms),
            commitment_without=without.commitment,
            commitment_with=with_.commitment,
            cases=tuple(self.cases()),
            over_budget=over,
            beyond_budget=beyond,
            notes=tuple(dict.fromkeys([*_free_notes(self.plan, self.streams), *with_.notes])),
        )


def _lines(plan: Plan, usage: Usage, terms: Terms) -> tuple[Line, ...]:
    """The exact bill of the mean volumes, equal charges of different months added up."""
    mean = Usage(usage.days, {stream: usage.by_draw(stream).mean(axis=1) for stream in usage.gb})
    lines: dict[tuple[object, ...], Line] = {}
    for charge in bill(plan, mean, terms).charges:
        key = (charge.meter, charge.stream, charge.unit, charge.unit_price, charge.price_from, charge.sources)
        before = lines.get(key)
        lines[key] = Line(
            charge.meter,
            charge.stream,
            charge.quantity + (before.quantity if before else 0),
            charge.unit,
            charge.unit_price,
            charge.amount + (before.amount if before else 0),
            charge.price_from,
            tuple(_cite(plan, source) for source in charge.sources),
            before.note if before else charge.note,
        )
    return tuple(lines.values())


def _cite(plan: Plan, source_id: str) -> str:
    source = plan.sources[source_id]
    return f"{source.title}, {source.url} (read {source.read}, confidence {source.confidence})"


def _free_notes(plan: Plan, streams: Iterable[str]) -> list[str]:
    """Why a stream costs nothing to ingest, with the source."""
    out = []
    for name in sorted(set(streams) & plan.free_streams):
        stream = plan.streams[name]
        source = plan.sources[stream.source]
        why = stream.why if stream.why.endswith((".", "!", "?")) else f"{stream.why}."
        out.append(f"{name} costs 0 to ingest. {why} Source: {source.title}, {source.url} (read {source.read}).")
    return out


def _against(budget: Budget | None, plan: Plan, added: Floats, with_: Floats) -> tuple[float | None, bool]:
    if budget is None or budget.currency != plan.currency:
        return None, False
    monthly = added if budget.applies_to == "added" else with_
    limit = float(budget.monthly)
    beyond = any(Spread.of(month).at(budget.quantile) > limit for month in monthly)
    return float((monthly > limit).any(axis=0).mean()), beyond


def _plan_findings(
    offer: PlanOnTerms, uses: Sequence[FeedUse], as_of: dt.date, days: pd.DatetimeIndex
) -> Iterable[Finding]:
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
    kept = offer.choice.retention_days or 0
    if kept > plan.included_retention_days and kept > len(days):
        yield Finding(
            "retention_still_filling",
            "warning",
            f"{plan.id} keeps {kept} days and the horizon has {len(days)}: what is kept still grows at its end, and so "
            "does the bill after it. What was kept before the horizon is not known and not billed.",
        )
    if any(use.feed.stream in plan.free_streams for use in uses):
        yield Finding(
            "free_stream",
            "info",
            " ".join(_free_notes(plan, [use.feed.stream for use in uses])),
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
