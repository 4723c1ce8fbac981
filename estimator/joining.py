"""What mailboxes that do not emit yet would emit: learnt from those that do, derived from a report, or published.

With y_i the records of emitting mailbox i that people caused, per weekday equivalent, and a_i its activity:

    curve       mu_i = sum_k b_k phi_k(a_i), b_k >= 0, fitted on the emitting mailboxes that have an activity row;
    class       mu_i x (T_c + w ybar) / (F_c + w ybar): observed and fitted totals of class c, w the class weight;
    no row      (T_c + k r ybar) / (n_c + k): the class's mean, shrunk to r of the mean of all, worth k mailboxes;
    a group     sum of mu_i x lognormal(ratio of the class at equal activity) x gamma(scatter of the unseen mailboxes,
                variance phi mu (mu + 0.1 ybar) each);
    published   where a rate is published, the level of user mailboxes is shrunk to it by precision, on the log scale;
    applications  share of mailboxes touched, Beta(k + 1/2, n - k + 1/2), x rate on the touched ones.

All of it is drawn: mailboxes are re-weighted and curve, class ratios and means computed anew in each draw. The scatter
of a class is drawn once for all its joining mailboxes together, so that waves add up to all at once, draw by draw.

Source: stat_lab.md ("What goes into it", "The interval"). Each prior and its source: `catalog/priors.toml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from estimator import catalog
from estimator.curve import Basis, block_sums, bootstrap_weights, fit_curves
from estimator.draws import Draws, Floats, Level, Positions

USER_KIND = "user"


@dataclass(frozen=True)
class Population:
    """The inventory as arrays in one order.

    Attributes:
        index: the mailboxes.
        classes: names of the classes, `tier kind`.
        klass: class of each mailbox, shape (mailboxes,).
        counts: sends, receives and reads per weekday equivalent, shape (mailboxes, 3); NaN without an activity row.
        is_user: whether the mailbox is a person's, shape (mailboxes,).
    """

    index: pd.Index
    classes: list[str]
    klass: Positions
    counts: Floats
    is_user: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @property
    def has_row(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether the activity report has a row of the mailbox, shape (mailboxes,)."""
        return ~np.isnan(self.counts[:, 0])

    def at(self, mailboxes: pd.Index) -> Positions:
        """Positions of those of `mailboxes` that the inventory has."""
        found = self.index.get_indexer(mailboxes)
        return np.asarray(found[found >= 0], dtype=np.intp)


@dataclass(frozen=True)
class Sampled:
    """One operation on the mailboxes that emit it and that the sample covers, zeros included.

    Attributes:
        at: their positions in the population.
        rate: records people caused, per weekday equivalent.
        app_rate: records applications caused, per calendar day.
    """

    at: Positions
    rate: Floats
    app_rate: Floats


class Joining(Protocol):
    """Mailboxes → the level they would add."""

    def levels(self, groups: Sequence[Positions]) -> list[Level]:
        """The level of each group of mailboxes, were it to emit; groups must not overlap."""
        ...


@dataclass(frozen=True)
class Published:
    """From a published rate per user mailbox and working day, spread over mailboxes by their activity.

    Other mailboxes (shared, ...) and users without an activity row count `bare_ratio` of a user, as in `Learnt`.
    """

    draws: Draws
    population: Population
    operation: str

    def user_rate(self) -> Floats:
        """Records per user mailbox and working day in this tenant, shape (draws,)."""
        rate = catalog.operation(self.operation).published_rate
        assert rate is not None
        return rate.middle * self.draws.factor(catalog.priors().tenant_log_sd.value, self.operation, "published")

    def relative(self) -> Floats:
        """Each mailbox's share of an average user's rate, shape (mailboxes,); users with a row average 1."""
        population = self.population
        out = np.full(len(population.index), catalog.priors().shared_mailbox_ratio.value)
        users = population.has_row & population.is_user
        if users.any():
            index = _activity_index(population.counts, population.counts[users].mean(axis=0))
            out[population.has_row] = index[population.has_row] / max(float(index[users].mean()), 1e-9)
        elif not population.has_row.any():
            out[population.is_user] = 1.0
        return out

    def levels(self, groups: Sequence[Positions]) -> list[Level]:
        """See `Joining`."""
        relative, rate = self.relative(), self.user_rate()
        none = np.zeros(self.draws.count)
        return [Level(relative[group].sum() * rate, none) for group in groups]


@dataclass(frozen=True)
class Learnt:
    """From the mailboxes that emit. Fields are draws of the module's formulas, the first axis being the draw."""

    draws: Draws
    population: Population
    operation: str
    basis: Basis | None
    coefficients: Floats  # (draws, terms)
    class_factor: Floats  # (draws, classes)
    with_row: Positions  # emitting mailboxes with a row, by class
    scatter: Floats
    mean_rate: Floats  # over all emitting mailboxes
    bare_mean: Floats  # (draws, classes)
    without_row: Positions  # emitting mailboxes that the means rest on, by class
    bare_scatter: Floats
    app_rate: Floats  # applications' records per calendar day and joining mailbox
    shrink: Published | None

    def levels(self, groups: Sequence[Positions]) -> list[Level]:
        """See `Joining`."""
        everyone = np.concatenate([*groups, np.zeros(0, np.intp)]).astype(np.intp)
        people = [np.zeros(self.draws.count) for _ in groups]
        users = [np.zeros(self.draws.count) for _ in groups]
        for c in np.unique(self.population.klass[everyone]):
            factor_row, factor_bare = self._common(int(c), everyone[self.population.klass[everyone] == c])
            for n, group in enumerate(groups):
                mine = group[self.population.klass[group] == c]
                row, bare = self._split(mine)
                level = self._mean_with_row(int(c), row) * factor_row + len(bare) * self.bare_mean[:, c] * factor_bare
                (users if self.population.classes[c].endswith(f" {USER_KIND}") else people)[n] += level
        ratio = self._towards_published(sum(users, np.zeros(self.draws.count)), everyone)
        return [
            Level(other + mine * ratio, self.app_rate * len(group))
            for other, mine, group in zip(people, users, groups, strict=True)
        ]

    def _split(self, at: Positions) -> tuple[Positions, Positions]:
        if self.basis is None:
            return at[:0], at
        has = self.population.has_row[at]
        return at[has], at[~has]

    def _features(self, at: Positions) -> Floats:
        assert self.basis is not None
        return self.basis.features(self.population.counts[at])

    def _mean_with_row(self, c: int, at: Positions) -> Floats:
        if not len(at):
            return np.zeros(self.draws.count)
        return np.asarray((self.coefficients @ self._features(at).sum(axis=0)) * self.class_factor[:, c])

    def _common(self, c: int, at: Positions) -> tuple[Floats, Floats]:
        """Class ratio x scatter, for the joining mailboxes of a class with and without a row."""
        priors, name = catalog.priors(), self.population.classes[c]
        floor = priors.unseen_scatter_offset.value * self.mean_rate
        row, bare = self._split(at)
        sampled, unsampled = priors.class_ratio_log_sd_sampled.value, priors.class_ratio_log_sd_unsampled.value
        factor_row = self.draws.factor(
            float(np.sqrt(sampled**2 + unsampled**2 / (1 + self.with_row[c]))), self.operation, name, "ratio"
        )
        if len(row):
            features = self._features(row)
            mean = self._mean_with_row(c, row)
            second = np.einsum("dk,kl,dl->d", self.coefficients, features.T @ features, self.coefficients)
            variance = self.scatter * (second * self.class_factor[:, c] ** 2 + floor * mean)
            factor_row = factor_row * self.draws.gamma(mean, variance, self.operation, name, "scatter")
        factor_bare = self.draws.factor(
            float(np.sqrt(sampled**2 + unsampled**2 / (1 + self.without_row[c]))), self.operation, name, "bare ratio"
        )
        if len(bare):
            each = self.bare_mean[:, c]
            variance = self.bare_scatter * len(bare) * each * (each + floor)
            factor_bare = factor_bare * self.draws.gamma(
                len(bare) * each, variance, self.operation, name, "bare scatter"
            )
        return factor_row, factor_bare

    def _towards_published(self, level: Floats, at: Positions) -> Floats:
        """What the shrinkage of user mailboxes' level to the published rate multiplies it by, shape (draws,)."""
        if self.shrink is None or not (level > 0).all():
            return np.ones(self.draws.count)
        users = at[self.population.is_user[at]]
        published = self.shrink.levels([users])[0].people
        if not (published > 0).all():
            return np.ones(self.draws.count)
        own, prior = float(np.log(level).var()), catalog.priors().tenant_log_sd.value ** 2
        return np.asarray((published / level) ** (own / (own + prior)))


def learn(draws: Draws, population: Population, operation: str, sampled: Sampled) -> Learnt:
    """Fit `Learnt` to the mailboxes that emit `operation`; there must be at least one."""
    priors = catalog.priors()
    stream = draws.stream(operation, "curve")
    classes = len(population.classes)
    one_hot = np.eye(classes)
    overall = max(float(sampled.rate.mean()), 1e-9)
    block, weights = bootstrap_weights(len(sampled.at), 1, draws.count, stream)
    mean_rate = _weighted(weights, block, sampled.rate) / _weighted(weights, block, np.ones(len(sampled.at)))

    has = population.has_row[sampled.at]
    basis: Basis | None = None
    coefficients, factor = np.zeros((draws.count, 0)), np.ones((draws.count, classes))
    scatter = np.full(draws.count, priors.unseen_scatter_phi.value)
    with_row = np.zeros(classes, np.intp)
    if has.sum() >= priors.curve_least_mailboxes.value and sampled.rate[has].sum() > 0:
        at, rate = sampled.at[has], sampled.rate[has]
        basis = Basis.of(population.counts[at])
        phi = basis.features(population.counts[at])
        curves = fit_curves(phi, rate, draws.count, stream)
        coefficients = curves.draws
        hot = one_hot[population.klass[at]]
        seen = curves.weighted_sums(rate[:, None] * hot)
        fitted = np.einsum("dck,dk->dc", curves.weighted_sums(hot[:, :, None] * phi[:, None, :]), coefficients)
        pull = priors.class_pseudo_weight.value * overall
        factor = (seen + pull) / (fitted + pull)
        with_row = hot.sum(axis=0).astype(np.intp)
        scatter = draws.scatter(
            _residual(rate, phi @ curves.point, overall),
            phi.shape[1],
            priors.unseen_scatter_phi.value,
            priors.unseen_scatter_df.value,
            operation,
            "phi",
        )

    # Without a curve nobody's activity says anything, so every emitting mailbox counts for its class's mean.
    keep = np.ones(len(sampled.at), bool) if basis is None else ~has
    at, rate = sampled.at[keep], sampled.rate[keep]
    hot = one_hot[population.klass[at]]
    without_row = hot.sum(axis=0).astype(np.intp)
    total = count = np.zeros((draws.count, classes))
    if len(at):
        block, weights = bootstrap_weights(len(at), 1, draws.count, stream)
        total, count = _weighted(weights, block, rate[:, None] * hot), _weighted(weights, block, hot)
    pseudo = priors.shared_mailbox_pseudo_observations.value
    bare_mean = (total + pseudo * priors.shared_mailbox_ratio.value * mean_rate[:, None]) / (count + pseudo)
    bare_scatter = draws.scatter(
        _residual(rate, bare_mean.mean(axis=0)[population.klass[at]], overall),
        1,
        priors.bare_scatter_phi.value,
        priors.bare_scatter_df.value,
        operation,
        "bare phi",
    )
    published = catalog.operations().get(operation)
    shrink = Published(draws, population, operation) if published and published.published_rate else None
    return Learnt(
        draws,
        population,
        operation,
        basis,
        coefficients,
        factor,
        with_row,
        scatter,
        mean_rate,
        bare_mean,
        without_row,
        bare_scatter,
        _application_rate(draws, operation, sampled),
        shrink,
    )


@dataclass(frozen=True)
class Derived:
    """Send: the usage report's Send Count times how closely the sample follows it.

    Attributes:
        ratio: sampled records ÷ messages of the report, shape (draws,).
        rest: for mailboxes without a row; None where none was sampled, and they then send nothing of their own.
    """

    draws: Draws
    population: Population
    operation: str
    ratio: Floats
    rest: Learnt | None

    def levels(self, groups: Sequence[Positions]) -> list[Level]:
        """See `Joining`."""
        has = self.population.has_row
        rest = self.rest.levels([group[~has[group]] for group in groups]) if self.rest else None
        out = []
        for n, group in enumerate(groups):
            sends = float(self.population.counts[group[has[group]], 0].sum())
            level = Level(sends * self.ratio, np.zeros(self.draws.count))
            out.append(level + rest[n] if rest else level)
        return out


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
            drawn = np.log(np.maximum(_weighted(weights, block, logged) / _weighted(weights, block, sent), 1e-3))
            share = spread**2 / (spread**2 + float(drawn.var()))
            log_ratio = share * drawn + (1 - share) * log_ratio
        rest = learn(draws, population, operation, sampled)
    return Derived(draws, population, operation, np.exp(log_ratio), rest)


def _weighted(weights: Floats, block: Positions, values: Floats) -> Floats:
    return np.asarray(weights @ block_sums(values, block, weights.shape[1]))


def _residual(rate: Floats, mu: Floats, overall: float) -> Floats:
    floor = catalog.priors().unseen_scatter_offset.value * overall
    return np.asarray((rate - mu) ** 2 / np.maximum(mu * (mu + floor), 1e-12))


def _activity_index(counts: Floats, scale: Floats) -> Floats:
    return np.asarray((counts / np.maximum(scale, 1e-9)).mean(axis=1))


def _application_rate(draws: Draws, operation: str, sampled: Sampled) -> Floats:
    touched = int((sampled.app_rate > 0).sum())
    if not touched:
        return np.zeros(draws.count)
    stream, half = draws.stream(operation, "applications"), catalog.priors().application_touch_prior.value
    share = stream.beta(touched + half, len(sampled.at) - touched + half, draws.count)
    rate = sampled.app_rate[sampled.app_rate > 0].mean() * stream.gamma(touched, 1 / touched, draws.count)
    return np.asarray(share * rate)
