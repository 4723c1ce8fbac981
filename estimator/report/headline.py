"""The headline of a scenario: what each feed adds or saves, what each bill comes to, and what that depends on."""

from __future__ import annotations

from collections.abc import Iterator

from estimator.cost import Case, Cost
from estimator.forecast import Spread
from estimator.pipeline import ScenarioEstimate
from estimator.report.figures import interval, is_saving, money_interval, money_of, significant, turned


def headline(one: ScenarioEstimate) -> Iterator[str]:
    """One line for each feed, then one for the bill of each plan."""
    at_least = "at least " if one.at_least else ""
    for use in one.forecast.uses:
        saves = one.forecast.saves(use.feed.id)
        total = one.forecast.total(use.feed.id, "added")
        events, gb = (Spread.of(draws.sum(axis=0)) for draws in (total.events, total.gb))
        if events.mean or not saves:
            yield (
                f"{use.feed.id}: {at_least}{significant(events.mean)} events{_within(interval(events))} and "
                f"{significant(gb.mean)} GB{_within(interval(gb))} added."
            )
        if saves:
            total = one.forecast.total(use.feed.id, "saved")
            events, gb = (Spread.of(draws.sum(axis=0)) for draws in (total.events, total.gb))
            yield (
                f"{use.feed.id}: {significant(events.mean)} events{_within(interval(events))} and "
                f"{significant(gb.mean)} GB{_within(interval(gb))} saved of what flows today; what investigators lose "
                "stands under the findings."
            )
        for tier in one.forecast.tiers(use):
            gb = Spread.of(one.forecast.routed(use.feed.id, tier).gb.sum(axis=0))
            yield (
                f"{use.feed.id}: {significant(gb.mean)} GB{_within(interval(gb))} of it go to the tier {tier}; what "
                "cannot be done there stands under the findings."
            )
    for cost in whole_bills(one):
        spread, month = Spread.of(cost.added.sum(axis=0)), Spread.of(cost.added.mean(axis=0))
        unit = cost.plan.currency
        least = "at least " if means_at_least(one, cost) else ""
        verb = "added"
        if is_saving(spread):
            verb, least, spread, month = "saved", "", turned(spread), turned(month)
        words = (
            f"{cost.plan.title}, {feeds_of(cost)}: {least}{unit} {money_of(spread)} {verb} in all"
            f"{_within(money_interval(spread))}, {unit} {money_of(month)} a month{rising_to(cost)}."
        )
        if cases := differing(cost):
            both = [Spread.of(cost.added.sum(axis=0)), *(case.added for case in cases)]
            ends = sorted(both, key=lambda end: end.mean)
            words += (
                f" From {unit} {money_of(ends[0])} to {unit} {money_of(ends[-1])}, depending on whether "
                f"{'; and whether '.join(case.title for case in cases)}."
            )
        yield words


def _within(span: str) -> str:
    """An interval in brackets; nothing where it is one value."""
    return f" ({span})" if "–" in span else ""


def differing(cost: Cost) -> list[Case]:
    """The open cases that come to another amount than the figure: by a cent and a hundredth of it at least."""
    figure = float(cost.added.sum(axis=0).mean())

    def far(other: float) -> bool:
        return abs(other - figure) >= max(0.01, 0.01 * max(abs(other), abs(figure)))

    return [case for case in cost.cases if far(case.added.mean)]


def rising_to(cost: Cost) -> str:
    """What follows a mean month where one in the long run is another: alone it would understate what is paid on."""
    mean, end = Spread.of(cost.added.mean(axis=0)), cost.run_rate()
    if is_saving(mean) and is_saving(end):
        mean, end = turned(mean), turned(end)
    unlike = abs(end.mean - mean.mean) > 0.1 * abs(mean.mean)
    return f" on average, {money_of(end)} in the long run" if unlike else ""


def means_at_least(one: ScenarioEstimate, cost: Cost) -> bool:
    """Whether a cost is a lower bound worth saying.

    It lacks operations or has floor prices, is not 0, and no open case lies below it.
    """
    figure = float(cost.added.sum(axis=0).mean())
    floor = one.at_least or cost.plan.at_least
    return floor and figure != 0 and not any(case.added.mean < figure for case in cost.cases)


def feeds_of(cost: Cost) -> str:
    """The feeds of a bill."""
    return " + ".join(cost.feeds)


def whole_bills(one: ScenarioEstimate) -> list[Cost]:
    """For each plan the bill of all its feeds together."""
    largest: dict[str, Cost] = {}
    for cost in one.costs:
        if cost.plan.id not in largest or len(cost.feeds) > len(largest[cost.plan.id].feeds):
            largest[cost.plan.id] = cost
    return list(largest.values())
