"""Send, from the usage report's Send Count: no sample is needed, and one says how closely the report is followed."""

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


def derive(draws: Draws, population: Population, operation: str, sampled: Sampled | None) -> Derived:
    """How closely the operation follows the report's Send Count: the sample's ratio, shrunk to 1."""
    spread = catalog.priors().send_ratio_log_sd.value
    log_ratio = spread * draws.stream(operation, "ratio prior").standard_normal(draws.count)
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
