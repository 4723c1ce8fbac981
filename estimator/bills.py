"""One plan on one set of feeds: the bills without and with a scenario, line by line, and those of the other cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import numpy as np

from estimator.draws import Floats
from estimator.forecast import DailyBytes, FeedUse, Forecast, Spread
from estimator.scenario import Budget, Drop, Enable, PlanChoice, Scenario
from pricing import Charge, DrawBill, Plan, Terms, Usage, bill_draws
from pricing.bill import bill
from pricing.days import months_of
from pricing.meters import CapacityAllUnits
from pricing.money import plain
from pricing.prices import in_force

#: Days of a mean month.
MEAN_MONTH = 365.25 / 12

#: A stream no plan treats in a way of its own: what else goes to the SIEM's main meter.
_REST = "the rest of your usage"


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
    """One line of the bill with the scenario, at mean volumes, its months added up.

    Attributes:
        meter: id of the plan's meter.
        stream: the stream it charges; None where streams are pooled.
        quantity: in `unit`; a percentage is not added up.
        unit: what is counted: GB, GB-month, tier-day, ...
        unit_price: price of one unit; None where the line is not a product of the two.
        amount: money.
        price_from: the day the price is known from; None where no price is involved.
        sources: titles, addresses and dates of what it rests on.
        note: how it came about, as far as it is the same in all months.
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
class RunRate:
    """The cost of a month once every change is in force.

    Attributes:
        added: draws of what a mean month of 365.25 / 12 days adds, shape (draws,).
        months: the whole months it is taken from, the last three at most; empty where no whole month follows the last
            change of the scenario, and the days of the last month after it stand in.
        days: how many days it is taken from.
        full: whether what is kept was as full on the first of these days as it gets.
    """

    added: Floats
    months: tuple[str, ...]
    days: int
    full: bool


@dataclass(frozen=True)
class Cost:
    """What a set of feeds costs under one plan.

    Attributes:
        plan: the price table.
        feeds: the feeds priced together.
        months: the months of the horizon.
        without: monthly bills without the scenario, shape (months, draws), in the plan's currency.
        with_: with it.
        run: what a month adds once every change is in force.
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
    run: RunRate
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
        """Added cost of a mean month once every change is in force."""
        return Spread.of(self.run.added)


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
        return Usage.from_bytes(self.plan, self.days, parts)

    def bills(self, terms: Terms, uses: Sequence[FeedUse] | None = None) -> tuple[DrawBill, DrawBill]:
        """Without and with the scenario."""
        return (
            bill_draws(self.plan, self.usage("without", uses), terms),
            bill_draws(self.plan, self.usage("with_", uses), terms),
        )

    def cases(self, without: DrawBill, with_: DrawBill) -> Iterable[Case]:
        """What is open, and what would be added in the other case; one thing changed at a time."""
        terms = self.terms
        for id_ in [] if terms.grant_gb_per_day or not self.grant_users else self.grants():
            grant = self.plan.grants[id_]
            pool = grant.gb_per_day(self.grant_users)
            title = f"all of the grant is left: {self.grant_users} {grant.per}s, {pool.normalize():f} GB a day"
            yield _case("grant_unused", title, self.bills(replace(terms, grant_gb_per_day={id_: pool})))
        free = self.streams & self.plan.free_streams
        included = self.plan.included_retention_days
        if free and (terms.retention_days or 0) > included:
            title = f"{', '.join(sorted(free))} pays for retention past {included} days"
            paid = replace(terms, billed_free_streams=frozenset(free))
            yield _case("retention_unsettled", title, self.bills(paid))
        if self.plan.commitment is not None and terms.commitment == "none":
            best = bill_draws(self.plan, self.usage("with_"), replace(terms, commitment="best"))
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
        without, with_ = (
            bill_draws(self.plan, Usage(usage.days, {**usage.gb, **rest}), terms)
            for usage in (self.usage("without"), self.usage("with_"))
        )
        return without, with_

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
        changes = [change.from_ for change in self.scenario.changes if isinstance(change, Enable | Drop)]
        of_feeds = (day for use in self.uses for day in (use.connects, use.disconnects))
        days = [day for day in (*changes, *of_feeds) if day is not None]
        changed = max([self.scenario.start, *days])
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
        kept = max(self.terms.retention_days or 0, self.plan.included_retention_days)
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
        return np.asarray(bill_draws(self.plan, rest, terms).total.sum(axis=0))

    def cost(self, months: list[str]) -> Cost:
        """The bills, the lines of the one with the scenario, and every open case."""
        without, with_ = self.bills(self.terms)
        over, beyond = _against(self.scenario.budget, self.plan, with_.total - without.total, with_.total)
        return Cost(
            plan=self.plan,
            feeds=tuple(use.feed.id for use in self.uses),
            months=months,
            without=without.total,
            with_=with_.total,
            run=self.run_rate(without, with_),
            lines=_lines(self.plan, self.usage("with_"), self.terms),
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


def _lines(plan: Plan, usage: Usage, terms: Terms) -> tuple[Line, ...]:
    """The exact bill of the mean volumes, equal charges of different months added up."""
    mean = Usage(usage.days, {stream: usage.by_draw(stream).mean(axis=1) for stream in usage.gb})
    made = bill(plan, mean, terms)
    alike: dict[tuple[object, ...], list[Charge]] = {}
    for charge in made.charges:
        key = (charge.meter, charge.stream, charge.unit, charge.unit_price, charge.price_from, charge.sources)
        # A contract of a year is a line of its own, whatever the next one costs.
        of_its_own = charge.note if isinstance(plan.meters.get(charge.meter), CapacityAllUnits) else ""
        alike.setdefault((*key, of_its_own), []).append(charge)
    lines = [
        Line(
            same[0].meter,
            same[0].stream,
            # A percentage is the same in every month and no sum.
            same[0].quantity if same[0].unit == "%" else sum((charge.quantity for charge in same), Decimal(0)),
            same[0].unit,
            same[0].unit_price,
            sum((charge.amount for charge in same), Decimal(0)),
            same[0].price_from,
            tuple(_cite(plan, source) for source in same[0].sources),
            _note(plan, same, made.commitment),
        )
        for same in alike.values()
    ]
    return tuple(sorted(lines, key=lambda line: line.unit == "%"))  # the discount is on all of them


def _note(plan: Plan, same: Sequence[Charge], commitment: str) -> str:
    """What the notes of several months have in common."""
    first = same[0]
    if first.unit == "%":
        return f"Contract discount of {plain(first.quantity)}%, applied last"
    if first.unit == "tier-day":
        return f"{plan.meters[first.meter].title}: {commitment} GB tier"
    notes = {charge.note for charge in same}
    return first.note if len(notes) == 1 else plan.meters[first.meter].title


def _cite(plan: Plan, source_id: str) -> str:
    source = plan.sources[source_id]
    return f"{source.title}, {source.url} (read {source.read}, confidence {source.confidence})"


def free_notes(plan: Plan, streams: Iterable[str]) -> list[str]:
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
