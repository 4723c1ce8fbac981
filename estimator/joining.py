"""What mailboxes that do not emit yet would emit: the mailboxes, what was sampled of them, and the published rate.

`learnt` predicts from the mailboxes that emit, `derived` from a usage report; here is what both share, and the
predictor that needs neither. A predictor draws the scatter of unseen mailboxes once for all that join together, so that
waves add up to all at once, draw by draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from estimator import catalog
from estimator.curve import block_sums
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
        unnamed: sends per weekday equivalent of report rows whose names are concealed, shape (rows,).
    """

    index: pd.Index
    classes: list[str]
    klass: Positions
    counts: Floats
    is_user: np.ndarray[tuple[int], np.dtype[np.bool_]]
    unnamed: Floats = field(default_factory=lambda: np.zeros(0))

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
        priors = catalog.priors()
        sd = priors.tenant_log_sd.value
        if not self.population.has_row.any():
            # The rate is that of all users, and nothing says whether those that join are the busy or the quiet ones.
            sd = float(np.hypot(sd, priors.no_activity_selection_log_sd.value))
        return rate.middle * self.draws.factor(sd, self.operation, "published")

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
        each = relative[together(groups)]
        # Nothing tells one mailbox's rate from another's of the same activity.
        scatter = self.draws.gamma(
            np.full(self.draws.count, each.sum()),
            np.full(self.draws.count, catalog.priors().bare_scatter_phi.value * np.square(each).sum()),
            self.operation,
            "published scatter",
        )
        return [Level(relative[group].sum() * rate * scatter, np.zeros(self.draws.count)) for group in groups]


def together(groups: Sequence[Positions]) -> Positions:
    """The mailboxes of all groups."""
    return np.concatenate([*groups, np.zeros(0, np.intp)]).astype(np.intp)


def weighted(weights: Floats, block: Positions, values: Floats) -> Floats:
    """Sums of `values` (mailboxes, ...) under each draw's weights, shape (draws, ...)."""
    return np.tensordot(weights, block_sums(values, block, weights.shape[1]), axes=1)


def _activity_index(counts: Floats, scale: Floats) -> Floats:
    return np.asarray((counts / np.maximum(scale, 1e-9)).mean(axis=1))
