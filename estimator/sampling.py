"""Samples of one operation that do not exist yet, made up from the fitted spread: how wide a forecast they would give.

The equations are in `sample_size`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from estimator import catalog
from estimator.backtest.mailboxes import Seen, predictor
from estimator.draws import Draws, Floats, Positions
from estimator.errors import UsageError
from estimator.joining import Joining, Sampled
from estimator.rates import RateModel
from estimator.readiness import Readiness

#: Days of the horizon that a precision is asked for: a year.
HORIZON = 365

_LEAST_OF_CLASS, _LEAST_SHARE, _LEAST = 5, 0.01, 10
_MADE_UP = 3
#: Mailboxes of one class are told apart by activity in so many steps.
_STEPS = 20


@dataclass(frozen=True)
class Stratum:
    """A class of mailboxes that would join.

    Attributes:
        name: `licence tier kind`.
        at: its joining mailboxes in random order, seeded: whoever is sampled is taken from the front.
        share: of the added events.
        sample: how many to sample.
    """

    name: str
    at: Positions
    share: float
    sample: int = 0


@dataclass(frozen=True)
class Option:
    """What a length of sample needs; `mailboxes` None where no number reaches the wish in that time."""

    days: int
    mailboxes: int | None
    half_width: float


class Planner:
    """What samples of one operation would give; see the module."""

    def __init__(self, model: RateModel, readiness: Readiness, operation: str, draws: Draws) -> None:
        rates = model.operations.get(operation)
        if rates is None or rates.joining is None:
            known = sorted(key for key, rate in model.operations.items() if rate.joining is not None)
            raise UsageError(
                f"nothing gives a rate of {operation}: no sample, no report, no published figure",
                place="--operation",
                expected=f"one of {', '.join(known)}",
                mend="Enable it on a dozen mailboxes of the kinds that will join, sample two weeks, and ask again.",
            )
        self.model, self.operation, self.draws = model, operation, draws
        self.population, self._predicts = model.population, rates.joining
        verdicts = readiness.of(operation)
        joins = verdicts.index[(verdicts["state"] == "blocked") & verdicts["mendable"]]
        self.joining = self.population.at(pd.Index(joins))
        nobody = Sampled(np.zeros(0, np.intp), np.zeros(0), np.zeros(0))
        seen = Seen.of(model, readiness, operation) if operation in model.rows else None
        self._seen = seen.sampled if seen is not None and seen.total.any() else nobody
        self.sampled_today = int(((self._seen.rate > 0) | (self._seen.app_rate > 0)).sum())
        self._weekday_share = float(model.weights.mean[:3] @ (5, 1, 1)) / 7

    @property
    def blind(self) -> bool:
        """Whether no sample shows the operation."""
        return not len(self._seen.at)

    @cached_property
    def strata(self) -> list[Stratum]:
        """The classes of the joining mailboxes, busiest first, each in its random order."""
        total, out = float(self._mean.sum()), []
        for c in np.unique(self.population.klass[self.joining]):
            mine = np.flatnonzero(self.population.klass[self.joining] == c)
            name = self.population.classes[int(c)]
            order = self.draws.stream(self.operation, name, "who").permutation(len(mine))
            share = float(self._mean[mine].sum()) / total if total > 0 else len(mine) / len(self.joining)
            out.append(Stratum(name, self.joining[mine[order]], share))
        return sorted(out, key=lambda stratum: (-stratum.share, stratum.name))

    def allotted(self, mailboxes: int) -> list[Stratum]:
        """The classes with so many mailboxes to sample, by what they add; more where the least of each needs more."""
        room = [len(stratum.at) for stratum in self.strata]
        counts = [min(_LEAST_OF_CLASS, len(s.at)) if s.share >= _LEAST_SHARE and mailboxes else 0 for s in self.strata]
        wished = [mailboxes * stratum.share for stratum in self.strata]
        for _ in range(min(mailboxes, sum(room)) - sum(counts)):
            # The next one is of the class that lacks most; what a small class cannot give, the others do.
            lacks = [w - c if c < r else -np.inf for w, c, r in zip(wished, counts, room, strict=True)]
            counts[int(np.argmax(lacks))] += 1
        return [replace(stratum, sample=count) for stratum, count in zip(self.strata, counts, strict=True)]

    def smallest(self, within: float, days: int) -> Option:
        """The fewest mailboxes whose sample of so many days gives the wished half width."""
        least, most = min(_LEAST, len(self.joining)), len(self.joining)
        widest = self.half_width(most, days)
        if widest > within:
            return Option(days, None, widest)
        found = widest
        while least < most:
            middle = (least + most) // 2
            width = self.half_width(middle, days)
            if width <= within:
                most, found = middle, width
            else:
                # Within a tenth of the number it is exact enough: the spread is not known better.
                least = middle + max(1, middle // 10)
        return Option(days, sum(s.sample for s in self.allotted(most)), found)

    def as_it_stands(self) -> float:
        """The half width of the forecast as it stands."""
        (level,) = self._predicts.levels([self.joining])
        days = self._weekday_share * level.people + level.applications
        return _half_width(days * self._coming())

    def half_width(self, mailboxes: int, days: int) -> float:
        """The half width that samples of so many mailboxes and days would give, the median of a few made-up ones."""
        if not mailboxes:
            return self.as_it_stands()
        strata = self.allotted(mailboxes)
        new = np.concatenate([stratum.at[: stratum.sample] for stratum in strata])
        return float(np.median([self._made_up(new, days, number) for number in range(_MADE_UP)]))

    # ---------------------------------------------------------------------------------------------- parts

    def _made_up(self, new: Positions, days: int, number: int) -> float:
        """The half width of one made-up sample of the mailboxes `new`."""
        dice = self.draws.stream(self.operation, "made up", str(number))
        rate, app_rate = self._lived(dice, days)
        where = pd.Index(self.joining).get_indexer(pd.Index(new))
        both = Sampled(
            np.concatenate([self._seen.at, new]),
            np.concatenate([self._seen.rate, rate[where]]),
            np.concatenate([self._seen.app_rate, app_rate[where]]),
        )
        if not both.rate.any():
            return float("inf")
        drawn = Draws(self.draws.count, self.draws.seed + number + 1)
        joining = predictor(self.model, self.operation, both, drawn)
        (rest,) = joining.levels([np.setdiff1d(self.joining, new)])
        people = (rate[where].sum() + rest.people) * self._tenant(days)
        applications = app_rate[where].sum() + rest.applications
        return _half_width((self._weekday_share * people + applications) * self._coming())

    def _lived(self, dice: np.random.Generator, days: int) -> tuple[Floats, Floats]:
        """What each joining mailbox would show in a sample of some days, shapes (joining,): people, applications."""
        n, mean = len(self.joining), np.maximum(self._mean, 1e-9)
        offset = catalog.priors().unseen_scatter_offset.value * float(mean.mean())
        unlike = self._phi * (1 + offset / mean)
        rate = mean * dice.gamma(1 / unlike, unlike)
        chance = catalog.priors().day_dispersion.value / (days * 5 / 7)
        rate = dice.gamma(rate / chance + 1e-9, chance)
        touched = self._seen.app_rate[self._seen.app_rate > 0]
        app_rate = np.zeros(n)
        if len(touched):
            # Of people's mailboxes and of others apart, as in `learnt`.
            user, share = self.population.is_user[self._seen.at], len(touched) / len(self._seen.at)
            of_kind = [
                (int((self._seen.app_rate[mine] > 0).sum()) + share) / (int(mine.sum()) + 1) for mine in (~user, user)
            ]
            hit = dice.random(n) < np.asarray(of_kind)[self.population.is_user[self.joining].astype(np.intp)]
            app_rate[hit] = dice.choice(touched, int(hit.sum()))
        return np.asarray(rate), app_rate

    @cached_property
    def _mean(self) -> Floats:
        """The forecast rate of each joining mailbox, alike within a step of activity, shape (joining,)."""
        return self._rates_of(self._predicts, self.joining)

    def _rates_of(self, predicts: Joining, at: Positions) -> Floats:
        counts = self.population.counts[at]
        if not len(at):
            return np.zeros(0)
        scale = np.maximum(np.nan_to_num(counts).mean(axis=0), 1e-9)
        active = np.nan_to_num((counts / scale).mean(axis=1), nan=-1.0)
        groups: list[Positions] = []
        for c in np.unique(self.population.klass[at]):
            mine = np.flatnonzero(self.population.klass[at] == c)
            for part in (mine[active[mine] < 0], mine[active[mine] >= 0]):
                ordered = part[np.argsort(active[part], kind="stable")]
                groups += [g for g in np.array_split(ordered, min(_STEPS, max(len(ordered), 1))) if len(g)]
        out = np.zeros(len(at))
        for group, level in zip(groups, predicts.levels([at[group] for group in groups]), strict=True):
            out[group] = float(level.people.mean()) / len(group)
        return out

    @cached_property
    def _phi(self) -> Floats:
        """Scatter of each joining mailbox about its forecast rate, shape (joining,)."""
        priors = catalog.priors()
        known = self.population.has_row[self.joining]
        if self.blind:
            # Whether activity tells much about rates here, nobody has seen yet.
            told = priors.bare_scatter_phi.value
            untold = float(np.expm1(priors.mailbox_log_sd.value**2)) if not known.any() else told
            return np.where(known, told, untold)
        mu = np.maximum(self._rates_of(predictor(self.model, self.operation, self._seen, self.draws), self._seen.at), 0)
        floor = priors.unseen_scatter_offset.value * float(self._seen.rate.mean())
        residual = (self._seen.rate - mu) ** 2 / np.maximum(mu * (mu + floor), 1e-12)
        seen = self.population.has_row[self._seen.at]

        def held(mine: Floats, prior: float, weight: float) -> float:
            return (weight * prior + float(np.minimum(mine, 100 * prior).sum())) / (weight + len(mine))

        told = held(residual[seen], priors.unseen_scatter_phi.value, priors.unseen_scatter_df.value)
        untold = held(residual[~seen], priors.bare_scatter_phi.value, priors.bare_scatter_df.value)
        return np.where(known, told, untold)

    def _tenant(self, days: int) -> Floats:
        """What a sample of some days leaves open of the tenant as a whole, as in `rates`, shape (draws,)."""
        priors = catalog.priors()
        swing = priors.week_swing_log_sd.value / np.sqrt(days / 7)
        shared = priors.common_day_log_sd.value / np.sqrt(days * 5 / 7)
        return self.draws.factor(float(np.sqrt(swing**2 + shared**2 + priors.drift_log_sd.value**2)), "tenant")

    def _coming(self) -> Floats:
        """The swing of the weeks of the horizon, shape (draws,)."""
        sd = catalog.priors().week_swing_log_sd.value / float(np.sqrt(HORIZON / 7))
        return self.draws.factor(sd, "weeks to come")


def _half_width(draws: Floats) -> float:
    p10, p90 = np.quantile(draws, [0.1, 0.9])
    return float((p90 - p10) / 2 / draws.mean())


__all__ = ["HORIZON", "Option", "Planner", "Stratum"]
