"""Sample + inventory → what each operation flows today, what a record of it weighs, and what joining mailboxes add.

Everything people cause is in *weekday equivalents* (see `calendar`), drawn (see `draws`): a level is records per
weekday of the whole group it stands for, and a day's records are the level times the day's weight times the swing of
its week. Mailboxes that emit already are known, not predicted: their own records, up to what chance days did to them.
What the others would emit is in `joining`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from estimator import catalog, doubts, tables
from estimator.calendar import WEEKDAY, DayWeights, day_kinds, fit_weights
from estimator.derived import derive
from estimator.draws import Draws, Floats, Level, Positions
from estimator.findings import Finding
from estimator.inventory import Inventory
from estimator.joining import Joining, Population, Published, Sampled
from estimator.learnt import learn
from estimator.operations import operation_keys
from estimator.principals import is_person
from estimator.readiness import Readiness

Basis = Literal["measured", "partly_measured", "derived", "published", "assumed"]

_COUNTS = ["sends", "receives", "reads"]


@dataclass(frozen=True)
class Holidays:
    """Whose public holidays count."""

    country: str | None = None
    subdivision: str | None = None

    def kinds(self, days: pd.DatetimeIndex) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
        """The kind of each day, see `calendar.day_kinds`."""
        return day_kinds(days, self.country, self.subdivision)


@dataclass(frozen=True)
class OperationRates:
    """What sample, report and priors say of one operation.

    Attributes:
        operation: `Workload/Operation`.
        flowing: what flows today, of all subjects together.
        flowing_basis: what that rests on.
        joining: what mailboxes that do not emit yet would add; None where nothing is known of them.
        joining_basis: what that rests on.
        unknown_share: share of the mailboxes of state `unknown` that emit already, shape (draws,): of those whose
            settings say so, and of those whose settings do not decide.
        bytes: AuditData bytes of one record, shape (draws,).
        bytes_basis: what that rests on.
        sampled_events: distinct records of it on the sampled days, as they were counted.
        sampled_mailboxes: mailboxes that had one.
        per_mailbox_day: what a spreadsheet takes for a joining mailbox: sampled records (each as many as it stands
            for) ÷ mailboxes that have any ÷ days; None without a sample of it.
    """

    operation: str
    flowing: Level
    flowing_basis: Basis
    joining: Joining | None
    joining_basis: Basis
    unknown_share: tuple[Floats, Floats]
    bytes: Floats
    bytes_basis: Basis
    sampled_events: int = 0
    sampled_mailboxes: int = 0
    per_mailbox_day: float | None = None


@dataclass(frozen=True)
class RateModel:
    """The rates of a tenant.

    Attributes:
        operations: by key; an operation without any rate is not in it.
        population: the mailboxes, as the predictors know them.
        weights: what each kind of day weighs.
        holidays: whose holidays.
        draws: how everything was drawn.
        sampled_days: first to last day of the sample, empty ones included, broken ones left out.
        copies: records delivered ÷ distinct ones, where the sample came by the API that delivers them; else None.
        filtered: whether the sample looks filtered by operation, so that what it does not show is not known.
        findings: what is doubtful.
        rows: the sampled rows that the rates of each operation rest on, each record as many as it stands for.
    """

    operations: dict[str, OperationRates]
    population: Population
    weights: DayWeights
    holidays: Holidays
    draws: Draws
    sampled_days: pd.DatetimeIndex
    copies: float | None
    filtered: bool
    findings: list[Finding]
    rows: dict[str, pd.DataFrame] = field(default_factory=dict)


def fit_rates(
    reduction: pd.DataFrame | None,
    inventory: Inventory,
    readiness: Readiness,
    holidays: Holidays,
    draws: Draws,
    copies: float | None = None,
    broken: Collection[dt.date] = (),
) -> RateModel:
    """Fit the rates of every operation that the sample shows, or that a report or a published figure stands for.

    Args:
        reduction: `tables.REDUCTION`, or None without a sample.
        inventory: the tenant.
        readiness: `readiness.judge` of the same tenant and sample.
        holidays: whose public holidays count, in sample and report too.
        draws: how many draws, from which seed.
        copies: records delivered ÷ distinct ones, where the sample can tell.
        broken: days that do not hold what they should (`audit.doctor.broken_days`): no rate rests on them, unless there
            is no other day, or nothing but them shows an operation.
    """
    return _Fit(reduction, inventory, readiness, holidays, draws, broken).model(copies)


def feed_factor(draws: Draws, feed: catalog.Feed, which: Literal["size", "delivery"]) -> Floats | float:
    """A feed's factor from AuditData bytes to billed bytes, or from distinct records to delivered ones.

    Shape (draws,), or a float where it has no range. Whoever asks gets the same draws: a size measured as one feed
    bills it is divided by them on its way in and multiplied by them on its way out.
    """
    factor = feed.size_factor if which == "size" else feed.delivery_factor
    if factor.low == factor.high:
        return factor.mode
    return np.asarray(draws.stream(feed.id, which).triangular(factor.low, factor.mode, factor.high, draws.count))


class _Fit:
    """The steps of `fit_rates`, sharing what every operation needs."""

    def __init__(
        self,
        reduction: pd.DataFrame | None,
        inventory: Inventory,
        readiness: Readiness,
        holidays: Holidays,
        draws: Draws,
        broken: Collection[dt.date] = (),
    ) -> None:
        self.reduction, self.inventory, self.readiness = reduction, inventory, readiness
        self.holidays, self.draws = holidays, draws
        self.everything = _prepared(reduction)
        self.days = _sampled_days(self.everything["day"], broken)
        self.sample = self.everything[self.everything["day"].isin(self.days)]
        self.kinds = holidays.kinds(self.days)
        people = self.sample[self.sample["person"] & (self.sample["subject_kind"] == "mailbox")]
        totals = people.groupby("day")["events"].sum().reindex(self.days, fill_value=0).to_numpy(float)
        # Days are compared with days: in records as they were counted, whose chance is that of counts.
        thinned = float(people["events"].sum()) / max(float(people["counted"].sum()), 1.0) or 1.0
        self.weights = fit_weights(totals / thinned, self.kinds, draws)
        self.effective = self.weights.total(self.kinds)
        self.population = _population(inventory, self.weights, holidays)

    def model(self, copies: float | None) -> RateModel:
        operations = {str(key): self.from_sample(str(key), rows) for key, rows in self.sample.groupby("key")}
        operations |= self.from_broken_days({str(key) for key in self.everything["key"].unique()} - set(operations))
        for key, operation in catalog.operations().items():
            if key not in operations and operation.mailbox_action is not None:
                without = self.without_sample(key)
                if without is not None:
                    operations[key] = without
        few = doubts.few_emitting({k: o.sampled_mailboxes for k, o in operations.items() if o.joining is not None})
        return RateModel(
            operations,
            self.population,
            self.weights,
            self.holidays,
            self.draws,
            self.days,
            copies,
            doubts.filtered(self.everything),
            [*doubts.of_sample(self.everything, self.population), *doubts.of_report(self.population), *few],
            {str(key): rows for key, rows in (*self.everything.groupby("key"), *self.sample.groupby("key"))},
        )

    def from_sample(self, key: str, rows: pd.DataFrame) -> OperationRates:
        """An operation that the sample shows."""
        people, machines = rows[rows["person"]], rows[~rows["person"]]
        flowing = Level(
            people["events"].sum() / self.effective * self.day_noise(people, key, "people") * self.tenant,
            machines["events"].sum() / len(self.days) * self.day_noise(machines, key, "applications"),
        )
        joining: Joining | None = None
        basis: Basis = "measured"
        boxes = rows[rows["subject_kind"] == "mailbox"]
        if len(boxes):
            sampled = self.sampled(key, boxes)
            if self.is_derived(key):
                joining, basis = _Scaled(derive(self.draws, self.population, key, sampled), self.learnt), "derived"
            elif len(sampled.at):
                learnt = learn(self.draws, self.population, key, sampled)
                joining = _Scaled(learnt, self.learnt)
                basis = "partly_measured" if learnt.shrink else "measured"
        shares = self.unknown_share(key)
        flowing_basis: Basis = "measured"
        if joining is not None and len(self.in_state(key, "unknown")):
            flowing = flowing + self.unknown_level(key, joining)
            flowing_basis = "partly_measured"
        size, size_basis = self.bytes(key, rows)
        mailboxes = int(boxes["subject"].nunique())
        return OperationRates(
            key,
            flowing,
            flowing_basis,
            joining,
            basis,
            shares,
            size,
            size_basis,
            sampled_events=int(rows["counted"].sum()),
            sampled_mailboxes=mailboxes,
            per_mailbox_day=float(boxes["events"].sum()) / mailboxes / len(self.days) if mailboxes else None,
        )

    def from_broken_days(self, keys: set[str]) -> dict[str, OperationRates]:
        """Operations that only broken days show: those days count for them, for what was seen is not zero."""
        if not keys:
            return {}
        rows = self.everything[self.everything["key"].isin(keys)]
        whole = _Fit(self.reduction, self.inventory, self.readiness, self.holidays, self.draws)
        return {str(key): whole.from_sample(str(key), mine) for key, mine in rows.groupby("key")}

    def without_sample(self, key: str) -> OperationRates | None:
        """An operation the sample does not show: derived from the report, else published, else unknown."""
        joining: Joining
        basis: Basis
        if self.is_derived(key):
            joining, basis = _Scaled(derive(self.draws, self.population, key, None), self.tenant), "derived"
        elif catalog.operation(key).published_rate is not None:
            joining, basis = _Scaled(Published(self.draws, self.population, key), self.tenant), "published"
        else:
            return None
        # The settings say that these emit, and a sample that shows none of it at all cannot say how much.
        flowing = joining.levels([self.in_state(key, "emitting")])[0] + self.unknown_level(key, joining)
        shares = self.unknown_share(key)
        size, size_basis = self.bytes(key, None)
        return OperationRates(key, flowing, basis, joining, basis, shares, size, size_basis)

    # ---------------------------------------------------------------------------------------------- parts

    @cached_property
    def tenant(self) -> Floats:
        """Swing of the sampled weeks and drift until the horizon, common to all operations, mean 1."""
        priors = catalog.priors()
        # A sample of days is one of weeks and of weekdays: one day shows neither the week's swing nor its own.
        weeks, weekdays = len(self.days) / 7 or 1.0, int((self.kinds == WEEKDAY).sum()) or 1
        swing = priors.week_swing_log_sd.value / np.sqrt(weeks)
        days = priors.common_day_log_sd.value / np.sqrt(weekdays) if len(self.days) else 0.0
        return self.draws.factor(float(np.sqrt(swing**2 + days**2 + priors.drift_log_sd.value**2)), "tenant")

    @cached_property
    def learnt(self) -> Floats:
        """What scales rates learnt from the sample, shape (draws,): the tenant's swing, and the sample's length.

        Rates are taken over the mean length of the sample in weekdays. In a draw in which weekends weigh more the
        sample was longer and a weekday held less; what flows already is counted that way from the start.
        """
        return np.asarray(self.tenant * self.effective.mean() / self.effective)

    def is_derived(self, key: str) -> bool:
        operation = catalog.operations().get(key)
        derived = operation is not None and operation.derived_from == "email_activity.send_count"
        return derived and bool(self.population.has_row.any() or len(self.population.unnamed))

    def in_state(self, key: str, state: str, *, decided: bool | None = None) -> Positions:
        """Mailboxes of a state; of those, where `decided` is given, only those whose settings do (not) decide."""
        if key not in self.verdicts:
            return np.zeros(0, np.intp)
        table = self.verdicts[key]
        mine = table["state"] == state
        if decided is not None:
            mine &= table["settings_known"] == decided
        return self.population.at(pd.Index(table.loc[mine, "mailbox"]))

    @cached_property
    def verdicts(self) -> dict[str, pd.DataFrame]:
        """The verdicts of each operation: the table of them all is long, and asked three times an operation."""
        columns = ["mailbox", "state", "settings_known"]
        return {str(key): rows[columns] for key, rows in self.readiness.table.groupby("operation")}

    def unknown_level(self, key: str, joining: Joining) -> Level:
        """What the mailboxes of state `unknown` emit already."""
        groups = [self.in_state(key, "unknown", decided=decided) for decided in (True, False)]
        said, unsaid = joining.levels(groups)
        for_said, for_unsaid = self.unknown_share(key)
        return said.scaled(for_said) + unsaid.scaled(for_unsaid)

    def unknown_share(self, key: str) -> tuple[Floats, Floats]:
        def drawn(share: catalog.Prior, name: str) -> Floats:
            low, high = share.low or 0.0, share.high or 1.0
            return np.asarray(self.draws.stream(key, name).triangular(low, share.value, high, self.draws.count))

        priors = catalog.priors()
        return drawn(priors.unknown_emitting_share, "unknown"), drawn(priors.unclear_emitting_share, "unclear")

    def sampled(self, key: str, rows: pd.DataFrame) -> Sampled:
        """Rates of the mailboxes that emit `key` by the readiness verdict, zeros included."""
        at = self.in_state(key, "emitting")
        names = self.population.index[at]
        people = rows[rows["person"]].groupby("subject")["events"].sum()
        machines = rows[~rows["person"]].groupby("subject")["events"].sum()
        return Sampled(
            at,
            people.reindex(names, fill_value=0).to_numpy(float) / float(self.effective.mean()),
            machines.reindex(names, fill_value=0).to_numpy(float) / len(self.days),
        )

    def day_noise(self, rows: pd.DataFrame, *names: str) -> Floats:
        """Mean-one gamma for what chance days did to a sampled total, shape (draws,).

        The spread of a subject's weekdays is measured, summed over subjects; it is far smaller than the spread
        between subjects, which does not matter here because the subjects stay (real_samples.md §2). Of an export that
        was cut a share p of the records is known, drawn at random: each stands for w = 1 / p, which adds a variance of
        (1 - p) / p = w - 1 per record of the whole. Where days are compared it is in what they differ by already.
        """
        total = float(rows["events"].sum())
        if total <= 0:
            return np.ones(self.draws.count)
        weekdays = self.days[self.kinds == WEEKDAY]
        thinned = float((rows["events"] * (rows["weight"] - 1)).sum())
        variance = total * catalog.priors().day_dispersion.value + thinned
        if (n := len(weekdays)) >= 3:
            variance = total + thinned  # Poisson, the least it can be
            cells = rows[rows["day"].isin(weekdays)].groupby(["subject", "principal", "day"])["events"].sum()
            sums = cells.groupby(level=[0, 1]).sum()
            one_day = (float((cells**2).sum()) - float((sums**2).sum()) / n) / (n - 1)
            variance = max(variance, one_day * n * total / max(float(sums.sum()), 1.0))
        return self.draws.gamma(
            np.full(self.draws.count, total), np.full(self.draws.count, variance), *names, "day noise"
        )

    def bytes(self, key: str, rows: pd.DataFrame | None) -> tuple[Floats, Basis]:
        """AuditData bytes of one record: the sample's mean, else the catalogue's, drawn from its range.

        Without AuditData the mean is that of records as a feed bills them, divided by what the feed makes of a byte.
        """
        if rows is not None:
            sized = rows[(rows["size_basis"] == "auditdata") & (rows["events"] > 0)]
            if len(sized):
                return self.sample_mean(key, sized), "measured"
            by_feed = rows[rows["size_basis"].isin([f"feed:{feed}" for feed in catalog.feeds()]) & (rows["events"] > 0)]
            if len(by_feed):
                return self.feeds_mean(by_feed) * self.sample_spread(key, _unbilled(by_feed)), "partly_measured"
        size = catalog.size_of(key)
        stream = self.draws.stream(key, "bytes")
        mode = min(max(size.mean, size.low), size.high)
        return np.asarray(stream.triangular(size.low, mode, size.high, self.draws.count)), size.basis

    def sample_mean(self, key: str, sized: pd.DataFrame) -> Floats:
        """Mean bytes of a record of some rows, and how little they say of others, shape (draws,)."""
        return float(sized["bytes"].sum()) / float(sized["events"].sum()) * self.sample_spread(key, sized)

    def sample_spread(self, key: str, sized: pd.DataFrame) -> Floats:
        """Mean-one factors for a mean record size that other mailboxes' records need not share, shape (draws,)."""
        priors = catalog.priors()
        events = float(sized["events"].sum())
        by = sized.groupby("subject")[["bytes", "events"]].sum()
        mean = float(by["bytes"].sum()) / events
        clustered = float(np.sqrt(((by["bytes"] - mean * by["events"]) ** 2).sum())) / max(mean * events, 1e-9)
        # However many were sampled, the joining mailboxes' records need not be of their size.
        counted = float(sized["counted"].sum())
        sd = np.sqrt(clustered**2 + priors.size_cv.value**2 / counted + priors.size_shift_log_sd.value**2)
        return self.draws.factor(float(sd), key, "bytes")

    def feeds_mean(self, rows: pd.DataFrame) -> Floats:
        """Mean AuditData bytes of records that feeds measured, shape (draws,): under the draws that bill them again."""
        total = np.zeros(self.draws.count)
        for basis, mine in rows.groupby("size_basis"):
            feed = catalog.feed(str(basis).removeprefix("feed:"))
            total += float(mine["bytes"].sum()) / feed_factor(self.draws, feed, "size")
        return total / float(rows["events"].sum())


@dataclass(frozen=True)
class _Scaled:
    """A predictor under the tenant-wide factors that the flowing levels are under, draw by draw."""

    inner: Joining
    factor: Floats

    def levels(self, groups: Sequence[Positions]) -> list[Level]:
        """See `Joining`."""
        return [Level(level.people * self.factor, level.applications) for level in self.inner.levels(groups)]


def _prepared(reduction: pd.DataFrame | None) -> pd.DataFrame:
    """The sample with keys, and with each record as many as it stands for: the one place that applies weights.

    Bytes go along, so that means per record stay what they are. `counted` keeps the records as they were counted: how
    far chance may have gone is a matter of those.
    """
    frame = tables.REDUCTION.empty() if reduction is None else tables.REDUCTION.check(reduction, "fit_rates")
    return frame.assign(
        key=operation_keys(frame),
        person=is_person(frame["principal"]),
        counted=frame["events"],
        events=frame["events"] * frame["weight"],
        bytes=frame["bytes"] * frame["weight"],
    )


def _sampled_days(days: pd.Series[pd.Timestamp], broken: Collection[dt.date]) -> pd.DatetimeIndex:
    """First to last day without the broken ones; all of them if none would stay. Not contiguous."""
    if not len(days):
        return pd.DatetimeIndex([])
    span = pd.date_range(days.min(), days.max(), unit="us")
    sound = span[~span.isin(pd.DatetimeIndex(list(broken)))]
    return sound if days.isin(sound).any() else span


def _unbilled(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that feeds measured with their bytes on one scale, by the middle of each feed's factor."""
    factor = {f"feed:{feed.id}": feed.size_factor.mode for feed in catalog.feeds().values()}
    return rows.assign(bytes=rows["bytes"] / rows["size_basis"].map(factor))


def _population(inventory: Inventory, weights: DayWeights, holidays: Holidays) -> Population:
    frame = tables.MAILBOXES.check(inventory.mailboxes, "fit_rates")
    index = pd.Index(frame["mailbox"])
    klass, classes = pd.factorize(frame["audit_tier"] + " " + frame["kind"], sort=True)
    counts = np.full((len(index), len(_COUNTS)), np.nan)
    activity = inventory.activity
    counts[index.get_indexer(pd.Index(activity["mailbox"]))] = _per_weekday(activity, weights, holidays)
    unnamed = _per_weekday(inventory.unjoined, weights, holidays)[:, 0]
    is_user = (frame["kind"] == "user").to_numpy()
    return Population(index, [str(c) for c in classes], klass.astype(np.intp), counts, is_user, unnamed)


def _per_weekday(activity: pd.DataFrame, weights: DayWeights, holidays: Holidays) -> Floats:
    """The counts of report rows per weekday equivalent of their period, shape (rows, counts)."""
    out = np.zeros((len(activity), len(_COUNTS)))
    for end, length in activity[["period_end", "period_days"]].drop_duplicates().itertuples(index=False):
        mine = ((activity["period_end"] == end) & (activity["period_days"] == length)).to_numpy()
        period = pd.date_range(end=end, periods=int(length), unit="us")
        out[mine] = activity.loc[mine, _COUNTS].to_numpy(float) / float(weights.mean[holidays.kinds(period)].sum())
    return out
