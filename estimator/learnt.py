"""What joining mailboxes would emit, learnt from the mailboxes that emit.

With y_i the records of emitting mailbox i that people caused, per weekday equivalent, and a_i its activity:

    curve       mu_i = sum_k b_k phi_k(a_i), b_k >= 0, fitted on the emitting mailboxes that have an activity row and
                on one more without activity or records, of a weight n h, h drawn (see `curve`);
    class       mu_i x (T_c + w ybar) / (F_c + w ybar): observed and fitted totals of class c, w the class weight;
    no row      (T_c + k r m) / (n_c + k): the class's mean, shrunk to r of m, worth k mailboxes; m is the mean of mu
                over all mailboxes with a row, emitting or not, and ybar where there is none;
    a group     sum of mu_i x lognormal(ratio of the class at equal activity) x gamma(scatter of the unseen mailboxes,
                variance phi mu (mu + 0.1 ybar) each) x lognormal(how little n sampled mailboxes say, below);
    published   where a rate is published, the level of user mailboxes is shrunk to it by precision, on the log scale;
    applications  share of mailboxes touched x rate on the touched ones; of user mailboxes and of other kinds apart,
                each Beta(k + p, n - k + 1 - p), with p ~ Beta(k + 1/2, n - k + 1/2) of all kinds together.

All of it is drawn: mailboxes are re-weighted and curve, class ratios and means computed anew in each draw. Re-weighting
a handful of mailboxes cannot show how unlike the rest they may be, so the prior of the scatter, s^2, adds what its
share of the evidence says about a mean of n: s^2 d / (d + n) / n, d its weight in mailboxes.

Without any activity report nobody knows whether the sampled mailboxes are the busy ones, and they usually are: classes
that were not sampled then stand at half the mean, and every class is far less certain (`no_activity_*`).

Source: stat_lab.md ("What goes into it", "The interval"). Each prior and its source: `catalog/priors.toml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from estimator import catalog
from estimator.curve import Basis, bootstrap_weights, fit_curves
from estimator.draws import Draws, Floats, Level, Positions
from estimator.joining import USER_KIND, Population, Published, Sampled, together, weighted


@dataclass(frozen=True)
class _Rows:
    """Mailboxes with an activity row: the curve. Fields are draws; the first axis is the draw.

    Attributes:
        basis: None where no emitting mailbox has a row; the curve then says nothing.
        coefficients: of the curve, shape (draws, terms).
        class_factor: observed to fitted total of each class, shrunk, shape (draws, classes).
        sampled: emitting mailboxes with a row by class, shape (classes,).
        scatter: phi of mailboxes about the curve, shape (draws,).
    """

    basis: Basis | None
    coefficients: Floats
    class_factor: Floats
    sampled: Positions
    scatter: Floats

    def features(self, population: Population, at: Positions) -> Floats:
        assert self.basis is not None
        return self.basis.features(population.counts[at])

    def mean(self, population: Population, c: int, at: Positions) -> Floats:
        """Summed rate of the mailboxes `at` of class `c`, without their scatter, shape (draws,)."""
        if not len(at):
            return np.zeros(len(self.coefficients))
        total = self.coefficients @ self.features(population, at).sum(axis=0)
        return np.asarray(total * self.class_factor[:, c])


@dataclass(frozen=True)
class _Bare:
    """Mailboxes without a row: their class's mean.

    Attributes:
        mean: shape (draws, classes).
        sampled: emitting mailboxes the means rest on by class, shape (classes,).
        scatter: phi of mailboxes about the mean, shape (draws,).
    """

    mean: Floats
    sampled: Positions
    scatter: Floats


@dataclass(frozen=True)
class Learnt:
    """Learnt from the mailboxes that emit; see the module.

    Attributes:
        mean_rate: over all emitting mailboxes, shape (draws,).
        rows, bare: for mailboxes with and without an activity row.
        app_rate: applications' records per calendar day and joining mailbox, of users and of other kinds, shape
            (2, draws).
        shrink: the published rate, where there is one.
    """

    draws: Draws
    population: Population
    operation: str
    mean_rate: Floats
    rows: _Rows
    bare: _Bare
    app_rate: Floats
    shrink: Published | None

    def levels(self, groups: Sequence[Positions]) -> list[Level]:
        """See `Joining`."""
        everyone = together(groups)
        others = [np.zeros(self.draws.count) for _ in groups]
        users = [np.zeros(self.draws.count) for _ in groups]
        for c in np.unique(self.population.klass[everyone]):
            with_row, bare = self._factors(int(c), everyone[self.population.klass[everyone] == c])
            into = users if self.population.classes[c].endswith(f" {USER_KIND}") else others
            for n, group in enumerate(groups):
                mine, rest = self._split(group[self.population.klass[group] == c])
                into[n] += self.rows.mean(self.population, int(c), mine) * with_row
                into[n] += len(rest) * self.bare.mean[:, c] * bare
        ratio = self._towards_published(sum(users, np.zeros(self.draws.count)), everyone)
        return [
            Level(other + mine * ratio, self._applications(group))
            for other, mine, group in zip(others, users, groups, strict=True)
        ]

    def _applications(self, group: Positions) -> Floats:
        """Applications' records per calendar day on mailboxes that join, shape (draws,)."""
        users = int(self.population.is_user[group].sum())
        return np.asarray(self.app_rate[0] * users + self.app_rate[1] * (len(group) - users))

    def _split(self, at: Positions) -> tuple[Positions, Positions]:
        if self.rows.basis is None:
            return at[:0], at
        has = self.population.has_row[at]
        return at[has], at[~has]

    def _factors(self, c: int, at: Positions) -> tuple[Floats, Floats]:
        """Class ratio x scatter x thinness, for the joining mailboxes of a class with and without a row."""
        priors, name = catalog.priors(), self.population.classes[c]
        floor = priors.unseen_scatter_offset.value * self.mean_rate
        mine, rest = self._split(at)
        known = np.log1p(priors.unseen_scatter_phi.value)
        with_row = self.draws.factor(_class_sd(int(self.rows.sampled[c])), self.operation, name, "ratio")
        with_row = with_row * self._thin(known, priors.unseen_scatter_df.value, int(self.rows.sampled.sum()), "thin")
        if len(mine):
            features = self.rows.features(self.population, mine)
            mean = self.rows.mean(self.population, c, mine)
            second = np.einsum("dk,kl,dl->d", self.rows.coefficients, features.T @ features, self.rows.coefficients)
            variance = self.rows.scatter * (second * self.rows.class_factor[:, c] ** 2 + floor * mean)
            with_row = with_row * self.draws.gamma(mean, variance, self.operation, name, "scatter")
        # Where no report tells how busy anybody is, the sampled mailboxes may be unlike the rest of their class.
        blind = self.rows.basis is None
        sd = _bare_class_sd(int(self.bare.sampled[c]), blind=blind)
        bare = self.draws.factor(sd, self.operation, name, "bare ratio")
        # Where none without a row was sampled, their mean is a part of the mean of all.
        rests_on = int(self.bare.sampled.sum()) or int(self.rows.sampled.sum())
        unlike = priors.mailbox_log_sd.value**2
        bare = bare * self._thin(unlike, priors.bare_scatter_df.value, rests_on, "bare thin")
        if len(rest):
            each = self.bare.mean[:, c]
            variance = self.bare.scatter * len(rest) * each * (each + floor)
            bare = bare * self.draws.gamma(len(rest) * each, variance, self.operation, name, "bare scatter")
        return with_row, bare

    def _thin(self, variance: float, weight: float, sampled: int, name: str) -> Floats:
        """What a mean of `sampled` mailboxes may be off by beyond what they show themselves, shape (draws,)."""
        n = max(sampled, 1)
        return self.draws.factor(float(np.sqrt(variance * weight / (weight + n) / n)), self.operation, name)

    def _towards_published(self, level: Floats, at: Positions) -> Floats:
        """What the shrinkage of user mailboxes' level to the published rate multiplies it by, shape (draws,)."""
        if self.shrink is None or not (level > 0).all():
            return np.ones(self.draws.count)
        published = self.shrink.levels([at[self.population.is_user[at]]])[0].people
        if not (published > 0).all():
            return np.ones(self.draws.count)
        own, prior = float(np.log(level).var()), float(np.log(published).var())
        return np.asarray((published / level) ** (own / (own + prior)))


def learn(draws: Draws, population: Population, operation: str, sampled: Sampled) -> Learnt:
    """Fit `Learnt` to the mailboxes that emit `operation`; there must be at least one."""
    overall = max(float(sampled.rate.mean()), 1e-9)
    block, weights = bootstrap_weights(len(sampled.at), 1, draws.count, draws.stream(operation, "mean"))
    mean_rate = weighted(weights, block, sampled.rate) / weighted(weights, block, np.ones(len(sampled.at)))
    rows = _fit_rows(draws, population, operation, sampled, overall)
    # A mailbox without a row is likened to all that have one, not to those that emit, which may be the busy ones.
    reference = mean_rate if rows.basis is None else _mean_with_row(rows, population)
    bare = _fit_bare(draws, population, operation, sampled, reference, overall, blind=rows.basis is None)
    known = catalog.operations().get(operation)
    shrink = Published(draws, population, operation) if known and known.published_rate else None
    app_rate = _application_rate(draws, population, operation, sampled)
    return Learnt(draws, population, operation, mean_rate, rows, bare, app_rate, shrink)


def _fit_rows(draws: Draws, population: Population, operation: str, sampled: Sampled, overall: float) -> _Rows:
    priors, classes = catalog.priors(), len(population.classes)
    has = population.has_row[sampled.at]
    at, rate = sampled.at[has], sampled.rate[has]
    if not rate.sum() > 0:
        nobody, ones = np.zeros(classes, np.intp), np.ones((draws.count, classes))
        return _Rows(None, np.zeros((draws.count, 0)), ones, nobody, np.ones(draws.count))
    basis = Basis.of(population.counts[at])
    phi = basis.features(population.counts[at])
    curves = fit_curves(phi, rate, draws.count, draws.stream(operation, "curve"))
    hot = np.eye(classes)[population.klass[at]]
    seen = curves.weighted_sums(rate[:, None] * hot)
    fitted = np.einsum("dck,dk->dc", curves.weighted_sums(hot[:, :, None] * phi[:, None, :]), curves.draws)
    pull = priors.class_pseudo_weight.value * overall
    prior, df = priors.unseen_scatter_phi.value, priors.unseen_scatter_df.value
    residual = _residual(rate, phi @ curves.point, overall)
    scatter = draws.scatter(residual, phi.shape[1], prior, df, operation, "phi")
    return _Rows(basis, curves.draws, (seen + pull) / (fitted + pull), hot.sum(axis=0).astype(np.intp), scatter)


def _mean_with_row(rows: _Rows, population: Population) -> Floats:
    """Mean rate of all mailboxes with a row, whether they emit or not, shape (draws,)."""
    total, having = np.zeros(len(rows.coefficients)), np.flatnonzero(population.has_row)
    for c in np.unique(population.klass[having]):
        total += rows.mean(population, int(c), having[population.klass[having] == c])
    return np.asarray(total / len(having))


def _fit_bare(
    draws: Draws,
    population: Population,
    operation: str,
    sampled: Sampled,
    reference: Floats,
    overall: float,
    *,
    blind: bool,
) -> _Bare:
    """Means of mailboxes without a row, shrunk to a part of `reference`, shape (draws,).

    `blind` is where no row exists, so that every mailbox counts for its class.
    """
    priors, classes = catalog.priors(), len(population.classes)
    keep = np.ones(len(sampled.at), bool) if blind else ~population.has_row[sampled.at]
    at, rate = sampled.at[keep], sampled.rate[keep]
    hot = np.eye(classes)[population.klass[at]]
    total = count = np.zeros((draws.count, classes))
    if len(at):
        block, weights = bootstrap_weights(len(at), 1, draws.count, draws.stream(operation, "bare"))
        total, count = weighted(weights, block, rate[:, None] * hot), weighted(weights, block, hot)
    ratio = priors.no_activity_ratio.value if blind else priors.shared_mailbox_ratio.value
    pseudo = priors.shared_mailbox_pseudo_observations.value
    mean = (total + pseudo * ratio * reference[:, None]) / (count + pseudo)
    residual = _residual(rate, mean.mean(axis=0)[population.klass[at]], overall)
    prior, df = priors.bare_scatter_phi.value, priors.bare_scatter_df.value
    scatter = draws.scatter(residual, 1, prior, df, operation, "bare phi")
    return _Bare(mean, hot.sum(axis=0).astype(np.intp), scatter)


def _class_sd(sampled: int) -> float:
    """Log-sd of a class's ratio at equal activity, given how many of it were sampled."""
    priors = catalog.priors()
    seen, unseen = priors.class_ratio_log_sd_sampled.value, priors.class_ratio_log_sd_unsampled.value
    return float(np.sqrt(seen**2 + unseen**2 / (1 + sampled)))


def _bare_class_sd(sampled: int, *, blind: bool) -> float:
    """Log-sd of the ratio of a class whose mailboxes have no row; `blind` where no mailbox at all has one."""
    priors = catalog.priors()
    seen = (priors.no_activity_selection_log_sd if blind else priors.class_ratio_log_sd_sampled).value
    return float(np.sqrt(seen**2 + priors.no_activity_log_sd.value**2 / (1 + sampled)))


def _residual(rate: Floats, mu: Floats, overall: float) -> Floats:
    floor = catalog.priors().unseen_scatter_offset.value * overall
    return np.asarray((rate - mu) ** 2 / np.maximum(mu * (mu + floor), 1e-12))


def _application_rate(draws: Draws, population: Population, operation: str, sampled: Sampled) -> Floats:
    """Of user mailboxes and of other kinds apart: a program that polls shared mailboxes leaves people's alone.

    Each kind's share is shrunk to that of all, worth one mailbox.
    """
    touched, n = int((sampled.app_rate > 0).sum()), len(sampled.at)
    if not touched:
        return np.zeros((2, draws.count))
    half = catalog.priors().application_touch_prior.value
    stream = draws.stream(operation, "applications")
    share = stream.beta(touched + half, n - touched + half, draws.count)
    rate = sampled.app_rate[sampled.app_rate > 0].mean() * stream.gamma(touched, 1 / touched, draws.count)
    out = []
    for name, mine in (("users", population.is_user[sampled.at]), ("others", ~population.is_user[sampled.at])):
        hit = int((sampled.app_rate[mine] > 0).sum())
        stratum = draws.stream(operation, "applications", name)
        out.append(stratum.beta(hit + share, int(mine.sum()) - hit + 1 - share, draws.count) * rate)
    return np.asarray(out)
