"""One plan on one set of feeds: the bills without and with a scenario, line by line, and those of the other cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import numpy as np

from estimator.bill_lines import free_notes, lines_of
from estimator.billed import Case, Cost, Line, PlanOnTerms, RunRate
from estimator.draws import Floats
from estimator.exchange import rate_of
from estimator.forecast import DailyBytes, FeedUse, Forecast, Spread
from estimator.scenario import AssignLicence, Drop, Enable, Price, Retain, Route, Scenario
from pricing import DrawBill, Plan, Terms, Usage, bill_draws
from pricing.days import months_of
from pricing.meters import CapacityAllUnits
from pricing.money import plain
from pricing.prices import in_force

#: Days of a mean month.
MEAN_MONTH = 365.25 / 12

#: A stream no plan treats in a way of its own: what else goes to the SIEM's main meter.
_REST = "the rest of your usage"


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

    def cases(self, without: DrawBill, with_: DrawBill) -> Iterable[Case]:
        """What is open, and what would be added in the other case; one thing changed at a time."""
        terms = self.terms
        for id_ in [] if terms.grant_gb_per_day or not (self.grant_users or self.new_users) else self.grants():
            grant = self.plan.grants[id_]
            pool = grant.gb_per_day(self.grant_users)
            title = f"all of the grant is left: {self.grant_users} {grant.per}s, {pool.normalize():f} GB a day"
            title += "".join(f", {count} more from {since} on" for since, count in self.new_users)
            before, after = (replace(terms, grant_gb_per_day={id_: gb}) for gb in self.pools(id_))
            yield _case("grant_unused", title, self.bills(before, more=after))
        free = self.streams & self.plan.free_streams
        included = self.plan.included_retention_days
        retained = [change.days for change in self.scenario.changes if isinstance(change, Retain) and change.of in free]
        if free and max([terms.retention_days or 0, *retained]) > included:
            title = f"{', '.join(sorted(free))} pays for retention past {included} days"
            paid = replace(terms, billed_free_streams=frozenset(free))
            yield _case("retention_unsettled", title, self.bills(paid))
        if self.plan.commitment is not None and terms.commitment == "none":
            usage = self.usage("with_")
            best = bill_draws(self.plan, usage, self.retaining(replace(terms, commitment="best"), usage))
            if best.commitment != "none":
                yield _case("commitment_best", f"the {best.commitment} GB commitment tier is taken", (without, best))
        charged = any(self.plan.ingestion_meter(stream) for stream in self.streams)
        if charged and without.commitment == with_.commitment != "none":
            title = f"{_REST} fills the {with_.commitment} GB tier"
            yield _case("tier_filled", title, self.on_a_full_tier(replace(terms, commitment=with_.commitment)))
        # Without the rest of the usage nobody knows whether a step of capacity is crossed; this is the other end.
        steps = [meter for meter in self.plan.meters.values() if isinstance(meter, CapacityAllUnits)]
        if steps and (with_.total - without.total).any():
            yield Case("capacity_has_room", "the capacity bought already has room", Spread(0.0, 0.0, 0.0, 0.0))
        elif steps and any(self.daily.of(use).added.any() for use in self.uses):
            least = steps[0].minimum_gb_per_day
            title = f"the capacity bought is full, priced at the smallest that is sold, {plain(least)} GB a day"
            yield _case("capacity_full", title, self.on_full_capacity(float(least), terms))
        unsure = [use.feed.id for use in self.uses if use.connected is None]
        if unsure:
            start = self.scenario.start
            new = [replace(use, connected=False, connects=start) if use.connected is None else use for use in self.uses]
            one = len(unsure) == 1
            title = f"{' and '.join(unsure)} {'is' if one else 'are'} not connected today, so all "
            title += f"{'it carries' if one else 'they carry'} is new from {start}"
            yield _case("feed_state_unknown", title, self.bills(terms, new))

    def on_a_full_tier(self, terms: Terms) -> tuple[DrawBill, DrawBill]:
        """The bills where other usage fills the tier already, so that what is added is overage at the tier's rate."""
        assert self.plan.commitment is not None  # a tier was billed
        _, meter = self.plan.commitment
        tier = meter.tier(terms.commitment)
        rest = {_REST: np.full(len(self.days), float(tier.gb_per_day) if tier else 0.0)}
        before, after = self.usage("without"), self.usage("with_")
        return (
            bill_draws(self.plan, Usage(before.days, {**before.gb, **rest}), terms),
            bill_draws(self.plan, Usage(after.days, {**after.gb, **rest}), self.retaining(terms, after)),
        )

    def on_full_capacity(self, gb_per_day: float, terms: Terms) -> tuple[DrawBill, DrawBill]:
        """The bills where other usage, and what flows already, fills the capacity to the last byte.

        What the scenario saves is then taken off that.
        """
        added = {use.feed.stream: self.daily.of(use).added for use in self.uses}
        more = Usage.from_bytes(self.plan, self.days, {name: np.maximum(gb, 0.0) for name, gb in added.items()})
        saved = sum((np.minimum(one, 0.0) for one in added.values()), np.zeros(1)) / self.plan.gb_bytes
        full = {_REST: np.full(len(self.days), gb_per_day)}
        less = {_REST: np.maximum(gb_per_day + saved, 0.0)} if saved.any() else full
        without, with_ = (bill_draws(self.plan, Usage(more.days, gb), terms) for gb in (full, {**less, **more.gb}))
        return without, with_

    def run_rate(self, without: DrawBill, with_: DrawBill) -> RunRate:
        """From the last whole months after the scenario's last change that these feeds see."""
        kinds = Enable | Drop | Route | AssignLicence | Price | Retain
        changes = [change for change in self.scenario.changes if isinstance(change, kinds)]
        # Of a ramp the day on which the last mailboxes join.
        ramps = [dt.timedelta(days=c.ramp_days - 1 if isinstance(c, Enable) else 0) for c in changes]
        taking_hold = [change.day(self.scenario.start) + ramp for change, ramp in zip(changes, ramps, strict=True)]
        of_feeds = (day for use in self.uses for day in (use.connects, use.disconnects))
        days = [day for day in (*taking_hold, *of_feeds) if day is not None]
        changed = min(max([self.scenario.start, *days]), self.days[-1])
        months = months_of(self.days)
        whole = [
            number
            for number, month in enumerate(months)
            if month.rows.stop - month.rows.start == month.length and self.days[month.rows.start] >= changed
        ][-3:]
        if whole:
            first, last = months[whole[0]].rows.start, months[whole[-1]].rows.stop
            added = (with_.total - without.total)[whole].sum(axis=0)
        else:
            last = len(self.days)
            first = max((changed - self.days[0]).days, months[-1].rows.start)
            added = self.part(first, "with_", with_.commitment) - self.part(first, "without", without.commitment)
        # On a day t what is kept is of the days from t - kept + 1 on.
        retained = [change.days for change in changes if isinstance(change, Retain)]
        kept = max([self.terms.retention_days or 0, self.plan.included_retention_days, *retained])
        full = kept <= self.plan.included_retention_days or (self.days[first] - changed).days >= kept - 1
        return RunRate(added * MEAN_MONTH / (last - first), tuple(months[n].label for n in whole), last - first, full)

    def part(self, first: int, which: Literal["without", "with_"], commitment: str) -> Floats:
        """The bill of the days from `first` on, with what was ingested before them still kept, shape (draws,)."""
        usage = self.usage(which)
        days = self.days[first:]
        tier = self.plan.commitment[1].tier(commitment) if self.plan.commitment is not None else None
        # On days after a tier's price has ended the bill is pay-as-you-go.
        held = tier is not None and any(in_force(tier.prices, day) for day in days)
        gb = {stream: usage.by_draw(stream) for stream in usage.gb}
        rest = Usage(days, {s: v[first:] for s, v in gb.items()}, {s: v[:first] for s, v in gb.items()})
        terms = replace(self.terms, commitment=commitment if held else "none")
        terms = self.retaining(terms, rest) if which == "with_" else terms
        return np.asarray(bill_draws(self.plan, rest, terms).total.sum(axis=0))

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
            run=self.run_rate(without, with_),
            lines=lines_of(self.plan, usage, self.retaining(self.terms, usage)),
            commitment_without=without.commitment,
            commitment_with=with_.commitment,
            cases=tuple(self.cases(without, with_)),
            over_budget=over,
            beyond_budget=beyond,
            notes=tuple(dict.fromkeys([*free_notes(self.plan, self.streams), *with_.notes])),
        )


def _case(code: str, title: str, bills: tuple[DrawBill, DrawBill]) -> Case:
    without, with_ = bills
    return Case(code, title, Spread.of((with_.total - without.total).sum(axis=0)))


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
