"""The volumes of a scenario as sections: by operation, by month, and what is routed to another tier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from estimator.forecast import Spread, Volume
from estimator.pipeline import ScenarioEstimate
from estimator.report.figures import interval, money_interval, money_of, significant
from estimator.report.headline import whole_bills
from estimator.report.layout import Section

#: Operations of a feed shown to people, of those the scenario moves the largest; machines get them all.
SHOWN = 8


def volume(one: ScenarioEstimate) -> Section:
    """One row an operation and feed: what flows already beside what is added, and what is saved of it."""
    by = {(v.feed, v.operation, v.flow): v for v in one.horizon if v.events.mean > 0}
    keys = dict.fromkeys((feed, operation) for feed, operation, _ in by)
    order = {use.feed.id: n for n, use in enumerate(one.forecast.uses)}

    def size(key: tuple[str, str]) -> tuple[int, float, float]:
        already = by.get((*key, "already"))
        mine = (*key, "added"), (*key, "saved")
        moved = max((by[one].gb.mean for one in mine if one in by), default=0.0)
        return order[key[0]], -moved, -(already.gb.mean if already else 0)

    saves = any(one.forecast.saves(use.feed.id) for use in one.forecast.uses)
    rows = []
    for feed, mine in groupby(sorted(keys, key=size), key=lambda key: key[0]):
        each = [[by.get((*key, flow)) for flow in ("already", "added", "saved")] for key in mine]
        moved = sum(1 for _, added, saved in each if added or saved) or len(each)
        shown = each[: min(moved, SHOWN)]
        if len(each) - len(shown) == 1:
            shown = each
        rows += [_row(feed, *flows)[: None if saves else -2] for flows in shown]
        if rest := each[len(shown) :]:
            rows.append(_rest(feed, rest)[: None if saves else -2])
    words = []
    if any(row[1].startswith("others") for row in rows):
        words.append(
            "Operations that add little or nothing are summed up; quantiles do not add up. JSON and CSV have each."
        )
    return Section(
        f"Volume over the {one.scenario.months} months",
        level=3,
        words=words,
        headers=["feed", "operation", "flowing: events", "GB", "added: events", "P10 – P90", "GB", "P10 – P90",
                 "added rests on", *["saved: events", "GB"][: 2 * saves]],
        rows=rows,
    )  # fmt: skip


def _row(feed: str, already: Volume | None, added: Volume | None, saved: Volume | None) -> list[str]:
    return [
        feed,
        next(v.operation for v in (already, added, saved) if v is not None),
        *([significant(already.events.mean), significant(already.gb.mean)] if already else ["", ""]),
        *(
            [significant(added.events.mean), interval(added.events), significant(added.gb.mean), interval(added.gb),
             added.basis]
            if added
            else ["", "", "", "", ""]
        ),
        *([significant(saved.events.mean), significant(saved.gb.mean)] if saved else ["", ""]),
    ]  # fmt: skip


def _rest(feed: str, each: Sequence[Sequence[Volume | None]]) -> list[str]:
    """The operations too small for a row of their own: their means added up."""
    sums = []
    for flow in range(3):
        mine = [one for flows in each if (one := flows[flow]) is not None]
        sums.append([significant(sum(v.events.mean for v in mine)), significant(sum(v.gb.mean for v in mine))]
                    if mine else ["", ""])  # fmt: skip
    (already, gb), (added, added_gb), saved = sums
    return [feed, f"others: {len(each)}", already, gb, added, "", added_gb, "", "", *saved]


def routed(one: ScenarioEstimate) -> Iterator[Section]:
    """What goes to another tier of storage, over the horizon; nothing where nothing does."""
    rows = []
    for use in one.forecast.uses:
        for tier in one.forecast.tiers(use):
            total = one.forecast.routed(use.feed.id, tier)
            events, gb = Spread.of(total.events.sum(axis=0)), Spread.of(total.gb.sum(axis=0))
            rows.append([use.feed.id, tier, significant(events.mean), interval(events), significant(gb.mean),
                         interval(gb)])  # fmt: skip
    if rows:
        yield Section(
            f"Routed to another tier over the {one.scenario.months} months",
            level=3,
            words=["It is in the volumes above as well."],
            headers=["feed", "tier", "events", "P10 – P90", "GB", "P10 – P90"],
            rows=rows,
        )


def by_month(one: ScenarioEstimate) -> Section:
    """Means of volumes add up over operations; their quantiles do not, and so stand only where draws were added."""
    bills = whole_bills(one)
    headers = ["month"]
    for use in one.forecast.uses:
        net = " less saved" if one.forecast.saves(use.feed.id) else ""
        headers += [f"{use.feed.id}: events{net}", "GB"]
    for cost in bills:
        headers += [f"{cost.plan.id}: {cost.plan.currency}", "P10 – P90"]
    rows = []
    for number, month in enumerate(one.forecast.months):
        row = [month]
        for use in one.forecast.uses:
            sign = {"added": 1.0, "saved": -1.0}
            mine = [v for v in one.monthly if (v.month, v.feed) == (month, use.feed.id) and v.flow in sign]
            row += [
                significant(sum(sign[v.flow] * v.events.mean for v in mine)),
                significant(sum(sign[v.flow] * v.gb.mean for v in mine)),
            ]
        for cost in bills:
            added = Spread.of(cost.added[number])
            row += [money_of(added), money_interval(added)]
        rows.append(row)
    return Section("Added by month", level=3, headers=headers, rows=rows)
