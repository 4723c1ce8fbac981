"""Mailboxes that emit, hidden as if they did not yet, and forecast as joining mailboxes are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from estimator import catalog
from estimator.backtest.trials import MIN_EVENTS, MIN_MAILBOXES, Holdout, Trial
from estimator.derived import derive
from estimator.draws import Draws, Floats, Positions
from estimator.forecast import Spread
from estimator.joining import Joining, Sampled
from estimator.learnt import learn
from estimator.rates import RateModel
from estimator.readiness import Readiness


@dataclass(frozen=True)
class Seen:
    """One operation on the mailboxes that emit it, as the sample shows them.

    Attributes:
        sampled: their rates, in the units of `learn`.
        weekdays: weekday equivalents of the sampled days.
        days: sampled days.
    """

    sampled: Sampled
    weekdays: float
    days: int

    @staticmethod
    def of(model: RateModel, readiness: Readiness, operation: str) -> Seen:
        """From the rows that the model rests on, each record as many as it stands for."""
        verdicts = readiness.of(operation)
        at = model.population.at(pd.Index(verdicts.index[verdicts["state"] == "emitting"]))
        names, days = model.population.index[at], model.sampled_days
        weekdays = float(model.weights.total(model.holidays.kinds(days)).mean())
        rows = model.rows[operation]
        rows = rows[(rows["subject_kind"] == "mailbox") & rows["day"].isin(days)]

        def records(mine: pd.DataFrame) -> Floats:
            return np.asarray(mine.groupby("subject")["events"].sum().reindex(names, fill_value=0).to_numpy(float))

        people, machines = records(rows[rows["person"]]), records(rows[~rows["person"]])
        return Seen(Sampled(at, people / weekdays, machines / len(days)), weekdays, len(days))

    @property
    def total(self) -> Floats:
        """Records of each mailbox over the sampled days, shape (mailboxes,)."""
        return np.asarray(self.sampled.rate * self.weekdays + self.sampled.app_rate * self.days)

    def only(self, keep: Positions) -> Sampled:
        """Some of the mailboxes, by their place among the emitting ones."""
        mine = self.sampled
        return Sampled(mine.at[keep], mine.rate[keep], mine.app_rate[keep])


def predictor(model: RateModel, operation: str, sampled: Sampled, draws: Draws) -> Joining:
    """What joining mailboxes are forecast with, fitted to some emitting ones and without the swing of weeks."""
    known, population = catalog.operations().get(operation), model.population
    if known is not None and known.derived_from is not None and (population.has_row.any() or len(population.unnamed)):
        return derive(draws, population, operation, sampled)
    return learn(draws, population, operation, sampled)


def hide_mailboxes(
    model: RateModel, readiness: Readiness, operation: str, draws: Draws, folds: int, repeats: int
) -> list[Trial]:
    """Each fold of the emitting mailboxes hidden and forecast from the others; `repeats` partitions, seeded."""
    seen = Seen.of(model, readiness, operation)
    n, dice, out = len(seen.sampled.at), draws.stream(operation, "folds"), list[Trial]()
    for repeat in range(repeats):
        fold_of = dice.permutation(n) % folds
        for fold in range(folds):
            number = repeat * folds + fold + 1
            out += _hidden(model, seen, operation, draws, "mailboxes", number, np.flatnonzero(fold_of == fold))
    return out


def hide_least_active(model: RateModel, readiness: Readiness, operation: str, draws: Draws) -> list[Trial]:
    """The third of the emitting mailboxes with a report row that is least active, forecast from all others."""
    seen = Seen.of(model, readiness, operation)
    counts = model.population.counts[seen.sampled.at]
    rows = np.flatnonzero(~np.isnan(counts[:, 0]))
    if len(rows) < MIN_MAILBOXES:
        return []
    active = (counts[rows] / np.maximum(counts[rows].mean(axis=0), 1e-9)).mean(axis=1)
    quiet = rows[np.argsort(active, kind="stable")[: len(rows) // 3]]
    if float(seen.total[quiet].sum()) < MIN_EVENTS:
        return []
    return list(_hidden(model, seen, operation, draws, "least_active", 1, quiet))


def _hidden(
    model: RateModel, seen: Seen, operation: str, draws: Draws, holdout: Holdout, number: int, hide: Positions
) -> Iterator[Trial]:
    """One trial; none where what is hidden or what is left shows no record, for then no error can be said."""
    keep = np.setdiff1d(np.arange(len(seen.sampled.at)), hide)
    total = seen.total
    actual, left = float(total[hide].sum()), total[keep]
    if not len(hide) or actual <= 0 or not (seen.sampled.rate[keep] > 0).any():
        return
    # Draws of its own for each trial, lest all folds share one chance.
    mine = Draws(draws.count, draws.seed + number)
    (level,) = predictor(model, operation, seen.only(keep), mine).levels([seen.sampled.at[hide]])
    applications = level.applications * seen.days * _touched(level.applications, seen.only(keep), mine, operation)
    forecast = Spread.of(level.people * seen.weekdays + applications)
    if forecast.mean > 0:
        spreadsheet = float(left.sum()) / int((left > 0).sum()) * len(hide)
        yield Trial(holdout, operation, number, len(hide), seen.days, actual, forecast, spreadsheet)


def _touched(applications: Floats, kept: Sampled, draws: Draws, operation: str) -> Floats:
    """Mean-one factors for how many of a few hidden mailboxes an application touches, shape (draws,).

    Of the many that join, chance averages out, and the forecast leaves it out; of a fold of a dozen it does not.
    """
    rates = kept.app_rate[kept.app_rate > 0]
    expected = float(applications.mean()) / float(rates.mean()) if len(rates) else 0.0
    if expected <= 0:
        return np.ones(draws.count)
    return np.asarray(draws.stream(operation, "hidden touched").poisson(expected, draws.count) / expected)
