"""Rates x scenario x calendar → draws of daily bytes per stream, and spreads of events and GB per month.

Only a feed's total is materialised by day and draw, for the bill; see `horizon` for how draws factor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from estimator import catalog
from estimator.assuming import assume
from estimator.catalog import Feed
from estimator.draws import Floats
from estimator.dropping import ALL, NOTHING, Drops
from estimator.findings import Finding
from estimator.forecast import findings as doubts
from estimator.forecast.horizon import Horizon
from estimator.forecast.parts import Course, FlowPart
from estimator.forecast.volumes import BASES, BYTES_PER_GB, DailyBytes, FeedUse, Flow, Spread, Total, Volume
from estimator.rates import OperationRates, RateModel, feed_factor
from estimator.readiness import Readiness
from estimator.scenario import Dropped, Enabled, Routed, Scenario


class Forecast:
    """The forecast of one scenario.

    Attributes:
        scenario: the what-if.
        days: every day of the horizon.
        months: the months it touches, `2027-01`.
        uses: the feeds, and when each flows.
        growth: how many times its size of the start the organisation has on each day; None: it does not grow.
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
        routed: Sequence[Routed] = (),
    ) -> None:
        assumed = assume(scenario, model, readiness, shown)
        self.scenario, self._model, self._factors = scenario, assumed.model, assumed.factors
        self._horizon = Horizon(scenario, model)
        self.days, self.months, self.growth = self._horizon.days, self._horizon.months, self._horizon.growth
        self._count = model.draws.count
        self.uses = [
            FeedUse(
                catalog.feed(f),
                scenario.connected_today(f),
                scenario.connected_from(f),
                scenario.disconnected_from(f),
            )
            for f in scenario.feed_ids()
        ]
        self.findings: list[Finding] = list(assumed.findings)
        taken = [*dropped, *routed]
        self._drops = Drops(taken, model.rows, _emitting(readiness) if taken else {}, shown, assumed.pooled)
        self._flowing = {
            key: FlowPart(Course(), rates.flowing, rates.flowing, rates.flowing_basis)
            for key, rates in self._model.operations.items()
        }
        self._joining = self._joined(readiness, enabled)
        self.not_known = self._not_known(readiness, enabled)
        self.findings.extend(doubts.of_growth(scenario))
        self.findings.extend(doubts.of_feeds(scenario, self.uses, list(self._model.operations)))
        sizes = {(use.feed.id, tier): self._routed_means(use, tier) for use in self.uses for tier in self.tiers(use)}
        self.findings.extend(doubts.of_routed(scenario, sizes))
        self.findings.extend(doubts.of_drops(taken, self._drops, self.uses, self._model.operations))

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
                    basis = max((part.basis for part in parts), key=BASES.index)
                    if monthly:
                        for month, row, sized in zip(self.months, events, records * size, strict=True):
                            yield Volume(month, use.feed.id, key, flow, basis, Spread.of(row), Spread.of(sized))
                    else:
                        total, sized = events.sum(axis=0), (records * size).sum(axis=0)
                        yield Volume(None, use.feed.id, key, flow, basis, Spread.of(total), Spread.of(sized))

    def events(self, operation: str, flow: Flow, feed: str) -> Floats:
        """Draws of an operation's events over the whole horizon on one feed, shape (draws,)."""
        use = self._use(feed)
        parts = self._parts(use, operation, use.connected is not False)[flow]
        return np.asarray(self._summed(parts)[0].sum(axis=0))

    def total(self, feed: str, flow: Flow) -> Total:
        """Draws of what all operations of one feed come to by month: they add up, where quantiles do not."""
        use = self._use(feed)
        return self._total(use, lambda key: self._parts(use, key, use.connected is not False)[flow])

    def routed(self, feed: str, tier: str) -> Total:
        """Draws of what of one feed goes to another tier by month; it is in the other totals of the feed as well."""
        use = self._use(feed)
        return self._total(use, lambda key: self._routed(use, key, tier, use.connected is not False))

    def tiers(self, use: FeedUse) -> list[str]:
        """The tiers that routes of the scenario send records of a feed to."""
        return self._drops.tiers(use.feed.id)

    def saves(self, feed: str) -> bool:
        """Whether the scenario takes anything away of what flows today on a feed."""
        use = self._use(feed)
        return any(self._parts(use, key, use.connected is not False)["saved"] for key in self._carried(use.feed))

    def daily(self, use: FeedUse, *, connected: bool) -> DailyBytes:
        """Billed bytes of a feed by day and draw, given whether it flows today."""
        shape = (len(self.days), self._count)
        tiers = self.tiers(use)
        by = {name: np.zeros(shape) for name in ("without", "added", *(f"@{tier}" for tier in tiers))}
        starts: dict[tuple[str, Course], tuple[Floats, Floats]] = {}
        nothing = np.zeros(self._count)
        for key in self._carried(use.feed):
            size = self._record_bytes(use.feed, self._model.operations[key])
            flows = self._parts(use, key, connected)
            net = [*flows["added"], *(part.negative() for part in flows["saved"])]
            groups = [("without", flows["already"]), ("added", net)]
            groups += [(f"@{tier}", self._routed(use, key, tier, connected)) for tier in tiers]
            for name, parts in groups:
                for part in parts:
                    people, apps = starts.get((name, part.course), (nothing, nothing))
                    starts[name, part.course] = (
                        people + part.volume.people * size,
                        apps + part.volume.applications * size,
                    )
        for (name, course), (people, apps) in starts.items():
            self._horizon.add_daily(by[name], course, people, apps)
        routed = {tier: np.maximum(by[f"@{tier}"], 0.0) for tier in tiers}
        return DailyBytes(by["without"], by["added"], routed)

    # ---------------------------------------------------------------------------------------------- parts

    def _use(self, feed: str) -> FeedUse:
        return next(use for use in self.uses if use.feed.id == feed)

    def _parts(self, use: FeedUse, key: str, connected: bool) -> dict[Flow, list[FlowPart]]:
        """What flows already, what the scenario adds and what it saves on one feed.

        Of a feed that the scenario connects all is new, and what is dropped of it never comes.
        """
        flowing, joining = self._flowing[key], self._joining.get(key, [])
        if connected:
            added = [*joining, *(part.negative() for one in joining for part in self._taken(use, key, one))]
            return {"already": [flowing], "added": added, "saved": self._taken(use, key, flowing)}
        new = self._new(use, key)
        new += [part.negative() for one in new for part in self._taken(use, key, one)]
        return {"already": [], "added": new, "saved": []}

    def _new(self, use: FeedUse, key: str) -> list[FlowPart]:
        """All that a feed brings which the scenario connects; nothing where it does not."""
        if use.connects is None:
            return []
        at = (use.connects - self.scenario.start).days
        return [part.not_before(at) for part in (self._flowing[key], *self._joining.get(key, []))]

    def _routed(self, use: FeedUse, key: str, tier: str, connected: bool) -> list[FlowPart]:
        """What routes take of everything that flows with the scenario."""
        whole = [self._flowing[key], *self._joining.get(key, [])] if connected else self._new(use, key)
        return [part for one in whole for part in self._taken(use, key, one, tier)]

    def _taken(self, use: FeedUse, key: str, part: FlowPart, to: str | None = None) -> list[FlowPart]:
        """What drops and a disconnection take of a part, or (with `to`) what routes send to a tier."""
        steps = [(day, shares.get(to, NOTHING)) for day, shares in self._drops.steps(use.feed.id, key, part.drops)]
        if use.disconnects is not None:
            gone = ALL if to is None else NOTHING
            steps = [*(step for step in steps if step[0] < use.disconnects), (use.disconnects, gone)]
        out, before = [], NOTHING
        for day, share in steps:
            start = (day - self.scenario.start).days
            if share != before:
                out.append(part.taken(start, share - before))
            before = share
        return out

    def _summed(self, parts: Iterable[FlowPart]) -> tuple[Floats, Floats]:
        """Records of parts by month and draw, and the same in records of mean size: shapes (months, draws)."""
        events = self._horizon.nothing()
        records = np.zeros_like(events)
        for part in parts:
            mine = self._horizon.monthly(part.course, part.level)
            events += mine
            records += mine if part.volume is part.level else self._horizon.monthly(part.course, part.volume)
        return events, records

    def _total(self, use: FeedUse, parts: Callable[[str], list[FlowPart]]) -> Total:
        events = self._horizon.nothing()
        gb = np.zeros_like(events)
        for key in self._carried(use.feed):
            size = self._record_bytes(use.feed, self._model.operations[key]) / BYTES_PER_GB
            mine, records = self._summed(parts(key))
            events += mine
            gb += records * size
        return Total(self.months, events, gb)

    def _routed_means(self, use: FeedUse, tier: str) -> tuple[float, float]:
        total = self.routed(use.feed.id, tier)
        return float(total.events.sum(axis=0).mean()), float(total.gb.sum(axis=0).mean())

    def _carried(self, feed: Feed) -> list[str]:
        return [key for key in self._model.operations if feed.carries(*key.split("/", 1))]

    def _joined(self, readiness: Readiness, enabled: Sequence[Enabled]) -> dict[str, list[FlowPart]]:
        """The level of each operation's joining mailboxes, by the day they join."""
        out: dict[str, list[FlowPart]] = {}
        customised: dict[str, tuple[int, int, float]] = {}
        for key in dict.fromkeys(part.operation for part in enabled):
            rates = self._model.operations.get(key)
            if rates is None or rates.joining is None:
                continue
            verdicts = readiness.of(key)
            groups, courses, shares, drops = [], [], [], []
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
                        start = (part.day - self.scenario.start).days
                        courses.append(Course.joining(start, part.ramp_days))
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
            for course, level, share, meets in zip(courses, levels, shares, drops, strict=True):
                scaled = level.scaled(share)
                out[key].append(FlowPart(course, scaled, scaled, rates.joining_basis, meets))
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
        draws, told = self._model.draws, self._factors
        size = rates.bytes * told.get((feed.id, "size_factor"), feed_factor(draws, feed, "size"))
        if (feed.id, "delivery_factor") in told:
            return np.asarray(size * told[feed.id, "delivery_factor"])
        if feed.dedupes:
            return np.asarray(size)
        # Only what came by the API shows what the API delivers: copies among portal exports are overlapping searches.
        copies = self._model.copies
        return np.asarray(size * (feed_factor(draws, feed, "delivery") if copies is None else copies))


def _emitting(readiness: Readiness) -> dict[str, pd.Index]:
    """By operation, the mailboxes that emit it or may."""
    table = readiness.table[readiness.table["state"].isin(["emitting", "unknown"])]
    return {str(key): pd.Index(rows["mailbox"]) for key, rows in table.groupby("operation")}
