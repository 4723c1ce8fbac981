"""Rates x scenario x calendar → draws of daily bytes per stream, and spreads of events and GB per month.

Draws factor: level(operation, draw) x weight(day, draw) x swing(week, draw), so that nothing of the size mailboxes x
days x draws ever exists; only a feed's total is materialised by day and draw, for the bill.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from estimator import catalog
from estimator.catalog import Feed
from estimator.draws import Floats, Level
from estimator.dropping import ALL, NOTHING, Drops, Share
from estimator.findings import Finding
from estimator.rates import Basis, OperationRates, RateModel, feed_factor
from estimator.readiness import Readiness
from estimator.scenario import Dropped, Enabled, Scenario

Flow = Literal["already", "added", "saved"]

#: From what rests on most to what rests on least: a sum is as good as its weakest part.
_BASES: tuple[Basis, ...] = ("measured", "partly_measured", "derived", "published", "assumed")

BYTES_PER_GB = 1e9


@dataclass(frozen=True)
class Spread:
    """What the draws of a figure look like."""

    mean: float
    p10: float
    p50: float
    p90: float

    @staticmethod
    def of(draws: Floats) -> Spread:
        """The spread of draws, shape (draws,)."""
        p10, p50, p90 = np.quantile(draws, [0.1, 0.5, 0.9])
        return Spread(float(draws.mean()), float(p10), float(p50), float(p90))

    def to_json(self) -> dict[str, float]:
        """The spread as the JSON contract has it."""
        return {"mean": self.mean, "p10": self.p10, "p50": self.p50, "p90": self.p90}

    def at(self, quantile: str) -> float:
        """One of `mean`, `p10`, `p50`, `p90`."""
        return float(getattr(self, quantile))


@dataclass(frozen=True)
class Volume:
    """Events and GB of one operation on one feed, in one month or (month None) over the whole horizon."""

    month: str | None
    feed: str
    operation: str
    flow: Flow
    basis: Basis
    events: Spread
    gb: Spread


@dataclass(frozen=True)
class FeedUse:
    """When a feed flows: today or not (None: nobody said), from which day the scenario connects it, and until when."""

    feed: Feed
    connected: bool | None
    connects: dt.date | None
    disconnects: dt.date | None = None


@dataclass(frozen=True)
class DailyBytes:
    """Billed bytes of one stream by day and draw, shape (days, draws), without and with the scenario.

    `added` is what it adds less what it saves, and may be negative.
    """

    without: Floats
    added: Floats

    @property
    def with_(self) -> Floats:
        """The scenario's bytes: what flows without it, plus what it adds, less what it saves."""
        # What is taken away is never more than what is there, save for rounding.
        return np.maximum(self.without + self.added, 0.0)


@dataclass(frozen=True)
class Total:
    """Events and GB of all operations of a feed together, by month and draw, shape (months, draws)."""

    months: list[str]
    events: Floats
    gb: Floats


@dataclass(frozen=True)
class _Part:
    """A level that starts on a day of the horizon, negative where it is taken away from another.

    Attributes:
        start: day of the horizon.
        level: records.
        volume: the same in records of the operation's mean size: what is dropped may be smaller than others.
        basis: what it rests on.
        drops: of mailboxes that join, the drops they meet; None for what flows today.
    """

    start: int
    level: Level
    volume: Level
    basis: Basis
    drops: frozenset[int] | None = None

    def taken(self, start: int, share: Share) -> _Part:
        """A part of it from a day on."""
        level, volume = self.level, self.volume
        return replace(
            self,
            start=max(start, self.start),
            level=Level(level.people * share.people, level.applications * share.applications),
            volume=Level(volume.people * share.people_bytes, volume.applications * share.applications_bytes),
        )

    def negative(self) -> _Part:
        return replace(self, level=self.level.scaled(-1.0), volume=self.volume.scaled(-1.0))


class Forecast:
    """The forecast of one scenario.

    Attributes:
        scenario: the what-if.
        days: every day of the horizon.
        months: the months it touches, `2027-01`.
        not_known: operations in question without any rate.
        findings: what is doubtful.
    """

    def __init__(
        self,
        scenario: Scenario,
        model: RateModel,
        readiness: Readiness,
        enabled: Sequence[Enabled],
        dropped: Sequence[Dropped] = (),
        shown: str = "",
    ) -> None:
        self.scenario, self.days = scenario, scenario.days
        self._model, self._count = model, model.draws.count
        labels = self.days.strftime("%Y-%m")
        self._month_of, months = pd.factorize(labels)
        self.months = [str(m) for m in months]
        self.uses = [
            FeedUse(
                catalog.feed(f),
                scenario.connected_today(f),
                scenario.connected_from(f),
                scenario.disconnected_from(f),
            )
            for f in scenario.feed_ids()
        ]
        self.findings: list[Finding] = []
        self._drops = Drops(dropped, model.rows, _emitting(readiness) if dropped else {}, shown)
        self._flowing = {
            key: _Part(0, rates.flowing, rates.flowing, rates.flowing_basis) for key, rates in model.operations.items()
        }
        self._joining = self._joined(readiness, enabled)
        self.not_known = self._not_known(readiness, enabled)
        self.findings.extend(self._feed_findings())
        self.findings.extend(self._drop_findings(dropped))

    # ---------------------------------------------------------------------------------------------- results

    def volumes(self, *, monthly: bool) -> Iterable[Volume]:
        """Spreads per feed, operation and flow: by month, or over the horizon."""
        for use in self.uses:
            for key in self._carried(use.feed):
                size = self._record_bytes(use.feed, self._model.operations[key]) / BYTES_PER_GB
                for flow, parts in self._parts(use, key, use.connected is not False).items():
                    if not parts:
                        continue
                    events, records = self._summed(parts)
                    basis = max((part.basis for part in parts), key=_BASES.index)
                    if monthly:
                        for month, row, sized in zip(self.months, events, records * size, strict=True):
                            yield Volume(month, use.feed.id, key, flow, basis, Spread.of(row), Spread.of(sized))
                    else:
                        total, sized = events.sum(axis=0), (records * size).sum(axis=0)
                        yield Volume(None, use.feed.id, key, flow, basis, Spread.of(total), Spread.of(sized))

    def events(self, operation: str, flow: Flow, feed: str) -> Floats:
        """Draws of an operation's events over the whole horizon on one feed, shape (draws,)."""
        use = next(u for u in self.uses if u.feed.id == feed)
        parts = self._parts(use, operation, use.connected is not False)[flow]
        return np.asarray(self._summed(parts)[0].sum(axis=0))

    def total(self, feed: str, flow: Flow) -> Total:
        """Draws of what all operations of one feed come to by month: they add up, where quantiles do not."""
        use = next(u for u in self.uses if u.feed.id == feed)
        events = np.zeros((len(self.months), self._count))
        gb = np.zeros_like(events)
        for key in self._carried(use.feed):
            size = self._record_bytes(use.feed, self._model.operations[key]) / BYTES_PER_GB
            mine, records = self._summed(self._parts(use, key, use.connected is not False)[flow])
            events += mine
            gb += records * size
        return Total(self.months, events, gb)

    def saves(self, feed: str) -> bool:
        """Whether the scenario takes anything away of what flows today on a feed."""
        use = next(u for u in self.uses if u.feed.id == feed)
        return any(self._parts(use, key, use.connected is not False)["saved"] for key in self._carried(use.feed))

    def daily(self, use: FeedUse, *, connected: bool) -> DailyBytes:
        """Billed bytes of a feed by day and draw, given whether it flows today."""
        without = np.zeros((len(self.days), self._count))
        added = np.zeros_like(without)
        starts: dict[tuple[str, int], tuple[Floats, Floats]] = {}
        nothing = np.zeros(self._count)
        for key in self._carried(use.feed):
            size = self._record_bytes(use.feed, self._model.operations[key])
            flows = self._parts(use, key, connected)
            net = [*flows["added"], *(part.negative() for part in flows["saved"])]
            for name, parts in (("without", flows["already"]), ("added", net)):
                for part in parts:
                    people, apps = starts.get((name, part.start), (nothing, nothing))
                    starts[name, part.start] = (
                        people + part.volume.people * size,
                        apps + part.volume.applications * size,
                    )
        for (name, start), (people, apps) in starts.items():
            target = without if name == "without" else added
            target[start:] += self._people[start:] * people + apps
        return DailyBytes(without, added)

    # ---------------------------------------------------------------------------------------------- parts

    def _parts(self, use: FeedUse, key: str, connected: bool) -> dict[Flow, list[_Part]]:
        """What flows already, what the scenario adds and what it saves on one feed.

        Of a feed that the scenario connects all is new, and what is dropped of it never comes.
        """
        flowing, joining = self._flowing[key], self._joining.get(key, [])
        if connected:
            added = [*joining, *(part.negative() for one in joining for part in self._taken(use, key, one))]
            return {"already": [flowing], "added": added, "saved": self._taken(use, key, flowing)}
        if use.connects is None:
            return {"already": [], "added": [], "saved": []}
        at = (use.connects - self.scenario.start).days
        new = [replace(part, start=max(part.start, at)) for part in (flowing, *joining)]
        new += [part.negative() for one in new for part in self._taken(use, key, one)]
        return {"already": [], "added": new, "saved": []}

    def _taken(self, use: FeedUse, key: str, part: _Part) -> list[_Part]:
        """What drops and a disconnection take of a part, each from its day on."""
        steps = self._drops.steps(use.feed.id, key, part.drops)
        if use.disconnects is not None:
            steps = [*(step for step in steps if step[0] < use.disconnects), (use.disconnects, ALL)]
        out, before = [], NOTHING
        for day, share in steps:
            start = (day - self.scenario.start).days
            if share != before:
                out.append(part.taken(start, share - before))
            before = share
        return out

    def _summed(self, parts: Iterable[_Part]) -> tuple[Floats, Floats]:
        """Records of parts by month and draw, and the same in records of mean size: shapes (months, draws)."""
        events = np.zeros((len(self.months), self._count))
        records = np.zeros_like(events)
        for part in parts:
            mine = self._monthly(part.start, part.level)
            events += mine
            records += mine if part.volume is part.level else self._monthly(part.start, part.volume)
        return events, records

    def _carried(self, feed: Feed) -> list[str]:
        return [key for key in self._model.operations if feed.carries(*key.split("/", 1))]

    def _joined(self, readiness: Readiness, enabled: Sequence[Enabled]) -> dict[str, list[_Part]]:
        """The level of each operation's joining mailboxes, by the day they join."""
        out: dict[str, list[_Part]] = {}
        customised: dict[str, tuple[int, int, float]] = {}
        for key in dict.fromkeys(part.operation for part in enabled):
            rates = self._model.operations.get(key)
            if rates is None or rates.joining is None:
                continue
            verdicts = readiness.of(key)
            groups, starts, shares, drops = [], [], [], []
            for part in (p for p in enabled if p.operation == key):
                mine = verdicts[verdicts.index.isin(part.mailboxes)]
                joins = mine[(mine["state"] == "blocked") & mine["mendable"]]
                perhaps = mine[(mine["state"] == "unknown") & mine["mendable"]]
                said, unsaid = rates.unknown_share
                split = (
                    (joins.index, np.ones(1)),
                    (perhaps.index[perhaps["settings_known"]], 1 - said),
                    (perhaps.index[~perhaps["settings_known"]], 1 - unsaid),
                )
                for names, share in split:
                    for mine_of, meets in self._drops.partition(key, names) if len(names) else ():
                        groups.append(self._model.population.at(mine_of))
                        starts.append((part.day - self.scenario.start).days)
                        shares.append(share)
                        drops.append(meets)
                custom = joins["reason"].str.contains("customised")
                if custom.any() and key not in customised:
                    at = self._model.population.at
                    ours, others = rates.joining.levels([at(joins.index[custom]), at(joins.index[~custom])])
                    part_of = float(ours.people.mean() / max(float((ours + others).people.mean()), 1e-12))
                    customised[key] = (int(custom.sum()), len(joins), part_of)
            levels = rates.joining.levels(groups)
            out[key] = []
            for start, level, share, meets in zip(starts, levels, shares, drops, strict=True):
                scaled = level.scaled(share)
                out[key].append(_Part(start, scaled, scaled, rates.joining_basis, meets))
        if customised:
            each = "; ".join(
                f"{key}: {count} of {joining} joining mailboxes, {part_of:.1%} of what they add"
                for key, (count, joining, part_of) in customised.items()
            )
            self.findings.append(
                Finding(
                    "customised_sets_join",
                    "warning",
                    "some mailboxes that join have a customised audit set, which Microsoft does not extend by itself; "
                    "the forecast takes it that you do (Set-Mailbox -DefaultAuditSet Owner). Without that step "
                    f"subtract them. {each}.",
                )
            )
        return out

    def _not_known(self, readiness: Readiness, enabled: Sequence[Enabled]) -> list[str]:
        """Operations enabled for somebody, or new on a feed, that nothing gives a rate for: unknown is not zero."""
        asked = {part.operation for part in enabled}
        new = list(catalog.newly_available(retired=False))
        if self._model.filtered:
            # Of a sample filtered by operation nobody can say that what it does not show does not flow.
            on = readiness.table[readiness.table["state"].isin(["emitting", "unknown"])]
            new += sorted(set(on["operation"]) - set(new))
        carried_new = {
            key
            for use in self.uses
            if use.connects is not None
            for key in new
            if use.feed.coverage(*key.split("/", 1)) != "no"
        }
        anywhere = {key for use in self.uses for key in asked if use.feed.coverage(*key.split("/", 1)) != "no"}
        out = []
        for key in [*catalog.operations(), *sorted(asked - set(catalog.operations()))]:
            operation = catalog.operations().get(key)
            if key not in anywhere | carried_new or (operation is not None and operation.status == "retired"):
                continue
            rates = self._model.operations.get(key)
            joins = False
            if operation is not None and operation.mailbox_action is not None:
                states = readiness.of(key)
                joins = bool(((states["state"] == "blocked") & states["mendable"]).any())
            if rates is None or (key in asked and joins and rates.joining is None):
                out.append(key)
        return out

    def _record_bytes(self, feed: Feed, rates: OperationRates) -> Floats:
        """Billed bytes of one distinct record on a feed, shape (draws,)."""
        size = rates.bytes * feed_factor(self._model.draws, feed, "size")
        if feed.dedupes:
            return np.asarray(size)
        # Only what came by the API shows what the API delivers: copies among portal exports are overlapping searches.
        copies = self._model.copies
        return np.asarray(size * (feed_factor(self._model.draws, feed, "delivery") if copies is None else copies))

    # ---------------------------------------------------------------------------------------------- calendar

    @cached_property
    def _people(self) -> Floats:
        """What each day weighs for people: day weight x swing of its week, shape (days, draws)."""
        weight = self._model.weights.draws[self._model.holidays.kinds(self.days)]
        week = (self.days - self.days[0]).days.to_numpy() // 7
        sd = catalog.priors().week_swing_log_sd.value
        stream = self._model.draws.stream("week swing")
        swing = np.exp(sd * stream.standard_normal((int(week[-1]) + 1, self._count)) - sd**2 / 2)
        return np.asarray(weight * swing[week])

    def _monthly(self, start: int, level: Level) -> Floats:
        """Records of a level by month and draw from a day of the horizon on, shape (months, draws)."""
        people, days = self._month_weights(start)
        return np.asarray(people * level.people + days[:, None] * level.applications)

    def _month_weights(self, start: int) -> tuple[Floats, Floats]:
        """Weekday equivalents and days of each month from day `start` on: shapes (months, draws) and (months,)."""
        if start not in self._weights_by_start:
            people = np.zeros((len(self.months), self._count))
            for month in range(len(self.months)):
                mine = np.flatnonzero(self._month_of == month)
                people[month] = self._people[mine[mine >= start]].sum(axis=0)
            days = np.bincount(self._month_of[start:], minlength=len(self.months)).astype(float)
            self._weights_by_start[start] = (people, days)
        return self._weights_by_start[start]

    @cached_property
    def _weights_by_start(self) -> dict[int, tuple[Floats, Floats]]:
        return {}

    # ---------------------------------------------------------------------------------------------- findings

    def _drop_findings(self, dropped: Sequence[Dropped]) -> Iterable[Finding]:
        """What investigators lose: a saving is never shown without its price."""
        for one in dropped:
            keys = one.operations if one.operations is not None else set(self._model.operations)
            keys = {key for key in keys if self._drops.meets(one, key)}
            for key in sorted(keys):
                operation = catalog.operations().get(key)
                if operation is None or operation.investigation_use is None:
                    continue
                use = operation.investigation_use
                source = catalog.sources()[use.source]
                yield Finding(
                    "drop_loses",
                    "warning",
                    f"{one.place} drops {key}{_what(one)} from {one.day} on, before {', '.join(one.feeds)}. What an "
                    f"investigation then lacks: {use.text} ({source.title}{f', {source.url}' if source.url else ''})",
                )
            silent = [k for k in sorted(keys) if (o := catalog.operations().get(k)) is None or not o.investigation_use]
            if silent and one.operations is not None:
                yield Finding(
                    "drop_loses_unsaid",
                    "info",
                    f"{one.place} drops {', '.join(silent)}: no source here says what investigations use it for. Ask "
                    "those who do them before you drop it.",
                )
        for fed in self.uses:
            if fed.disconnects is not None:
                yield Finding(
                    "feed_disconnected",
                    "warning",
                    f"from {fed.disconnects} on nothing reaches the SIEM by {fed.feed.id}: rules, dashboards and "
                    "investigations that read it go blind unless another feed brings the same records.",
                )
        for key, place in sorted(self._drops.unmeasured):
            yield Finding(
                "drop_unmeasured",
                "warning",
                f"{place} drops a part of {key} by access type or application, and the sample shows no record of it, "
                "so nobody knows how large that part is: none of it is taken off.",
            )

    def _feed_findings(self) -> Iterable[Finding]:
        if self.scenario.timezone is not None:
            yield Finding(
                "timezone_not_used",
                "info",
                f"days are UTC days: the scenario's time zone {self.scenario.timezone} does not shift them yet, so an "
                "evening's records may count on the next day, Friday's on Saturday. Monthly totals hardly move.",
            )
        flowing = {use.feed.id for use in self.uses if use.connected is not False or use.connects is not None}
        told: set[frozenset[str]] = set()
        for use in self.uses:
            if use.connected is None:
                yield Finding(
                    "feed_state_unknown",
                    "warning",
                    f"the scenario does not say whether {use.feed.id} is connected today. The figures take it as "
                    "connected, so only what is enabled is added; the other case, in which all it carries is new, is "
                    "priced beside it. Set `connected` under [[feeds]].",
                )
            unsure = [key for key in self._model.operations if use.feed.coverage(*key.split("/", 1)) == "unknown"]
            if unsure and (use.connected is not False or use.connects is not None):
                yield Finding(
                    "coverage_unknown",
                    "warning",
                    f"nobody says whether {use.feed.id} carries {', '.join(unsure)}, which the sample shows; they "
                    "are not in its figures, which are low by them if it does.",
                )
            if use.connected is False and use.connects is None:
                yield Finding(
                    "feed_idle",
                    "info",
                    f"{use.feed.id} is not connected and no change connects it, so it carries nothing.",
                )
            for other in use.feed.same_records_as:
                pair = frozenset({use.feed.id, other})
                if {use.feed.id, other} <= flowing and pair not in told:
                    told.add(pair)
                    yield Finding(
                        "double_ingestion",
                        "warning",
                        f"{use.feed.id} and {other} carry copies of the same events: with both connected each is "
                        "ingested twice. GB and cost count both copies; drop one of the two unless both are needed.",
                    )


def _emitting(readiness: Readiness) -> dict[str, pd.Index]:
    """By operation, the mailboxes that emit it or may."""
    table = readiness.table[readiness.table["state"].isin(["emitting", "unknown"])]
    return {str(key): pd.Index(rows["mailbox"]) for key, rows in table.groupby("operation")}


def _what(one: Dropped) -> str:
    """Which records of an operation a drop takes, in brackets; nothing where it takes all."""
    said = one.where.words()
    return f" ({said})" if said else ""
