"""Send, from the usage report's Send Count: no sample is needed, and one says how closely the report is followed.

A report that conceals its names still says what all users send together, of which the sample shows a part: `Unnamed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from estimator import catalog
from estimator.curve import bootstrap_weights
from estimator.draws import Draws, Floats, Level, Positions
from estimator.joining import Population, Sampled, together, weighted
from estimator.learnt import Learnt, learn


@dataclass(frozen=True)
class Derived:
    """The report's Send Count times how closely the sample follows it.

    Attributes:
        ratio: sampled records ÷ messages of the report, shape (draws,).
        rest: for mailboxes without a row; None where none was sampled. Users then stand at a part of the mean of the
            users with a row, and the other kinds at none: what is sent from a shared mailbox is logged as SendAs.
    """

    draws: Draws
    population: Population
    operation: str
    ratio: Floats
    rest: Learnt | None

    def levels(self, groups: Sequence[Positions]) -> list[Level]:
        """See `Joining`."""
        has, none = self.population.has_row, np.zeros(self.draws.count)
        sends = np.nan_to_num(self.population.counts[:, 0])
        everyone = together(groups)
        known = everyone[has[everyone]]
        scatter = self._scatter(sends[known], catalog.priors().unseen_scatter_phi.value, "scatter")
        out = [Level(float(sends[group[has[group]]].sum()) * self.ratio * scatter, none) for group in groups]
        unseen = [group[~has[group]] for group in groups]
        rest = self.rest.levels(unseen) if self.rest else self._missing(unseen)
        return [level + more for level, more in zip(out, rest, strict=True)]

    def _missing(self, groups: Sequence[Positions]) -> list[Level]:
        """Users whom the report does not list: a part of the mean, and far from certain."""
        priors, population = catalog.priors(), self.population
        listed = population.has_row & population.is_user
        each = priors.shared_mailbox_ratio.value * float(population.counts[listed, 0].mean()) if listed.any() else 0.0
        users = [float(population.is_user[group].sum()) for group in groups]
        scatter = self._scatter(np.full(int(sum(users)), each), priors.bare_scatter_phi.value, "missing scatter")
        level = self.draws.factor(priors.no_activity_log_sd.value, self.operation, "missing")
        return [Level(n * each * self.ratio * level * scatter, np.zeros(self.draws.count)) for n in users]

    def _scatter(self, each: Floats, phi: float, name: str) -> Floats:
        count = self.draws.count
        return self.draws.gamma(
            np.full(count, each.sum()), np.full(count, phi * np.square(each).sum()), self.operation, name
        )


@dataclass(frozen=True)
class Unnamed:
    """From a report that conceals its names: what all its users send, less what the emitting ones are seen to send.

    Who of the rest joins is not known, so each joining user is a draw without replacement from them: a mean of `each`,
    a variance of `spread` a user, and nothing left open where all of the rest join. Other kinds stand at none, as in
    `Derived`.

    Attributes:
        each: records per weekday of a user who does not emit yet, shape (draws,).
        spread: variance of the report's rows, of one of them.
        left: users of the report who do not emit yet.
    """

    draws: Draws
    population: Population
    operation: str
    each: Floats
    spread: float
    left: int

    def levels(self, groups: Sequence[Positions]) -> list[Level]:
        """See `Joining`."""
        counts = [float(self.population.is_user[group].sum()) for group in groups]
        joining, none = sum(counts), np.zeros(self.draws.count)
        open_ = max(1.0 - joining / max(self.left, 1), 0.0)
        # The busy ones may well be those that are enabled first.
        selected = catalog.priors().no_activity_selection_log_sd.value * float(np.sqrt(open_))
        factor = self.draws.factor(selected, self.operation, "selected")
        variance = np.full(self.draws.count, joining * open_ * self.spread)
        scatter = self.draws.gamma(joining * self.each, variance, self.operation, "unnamed")
        return [Level(count * self.each * factor * scatter, none) for count in counts]


def derive(draws: Draws, population: Population, operation: str, sampled: Sampled | None) -> Derived | Unnamed:
    """How closely the operation follows the report's Send Count: the sample's ratio, shrunk to 1."""
    spread = catalog.priors().send_ratio_log_sd.value
    log_ratio = spread * draws.stream(operation, "ratio prior").standard_normal(draws.count)
    if not population.has_row.any():
        return _unnamed(draws, population, operation, sampled, np.exp(log_ratio))
    rest = None
    if sampled is not None and len(sampled.at):
        known = population.has_row[sampled.at]
        sent, logged = population.counts[sampled.at[known], 0], sampled.rate[known]
        if len(sent) >= 3 and sent.sum() > 0 and logged.sum() > 0:
            block, weights = bootstrap_weights(len(sent), 1, draws.count, draws.stream(operation, "ratio"))
            drawn = np.log(np.maximum(weighted(weights, block, logged) / weighted(weights, block, sent), 1e-3))
            share = spread**2 / (spread**2 + float(drawn.var()))
            log_ratio = share * drawn + (1 - share) * log_ratio
        if (~known).any():
            rest = learn(draws, population, operation, sampled)
    return Derived(draws, population, operation, np.exp(log_ratio), rest)


def _unnamed(draws: Draws, population: Population, operation: str, sampled: Sampled | None, ratio: Floats) -> Unnamed:
    users = np.zeros(0, bool) if sampled is None else population.is_user[sampled.at]
    emit = 0.0 if sampled is None else float(sampled.rate[users].sum())
    rows = population.unnamed
    left = max(len(rows) - int(users.sum()), 1)
    # What is left over is never less than nothing, and hardly ever nothing: a tenth of the mean is the least.
    least = 0.1 * float(rows.mean())
    each = np.maximum((float(rows.sum()) * ratio - emit) / left, least)
    return Unnamed(draws, population, operation, each, float(rows.var()), left)
