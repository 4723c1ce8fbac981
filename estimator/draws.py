"""Draws: how everything random is seeded and shaped. Every quantity has a stream of its own, named by what it is."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

#: What streams drew, by their names: each time one number a draw, shape (count,).
Record = dict[tuple[str, ...], list[Floats]]


class _Recorded(np.random.Generator):
    """A generator that keeps what it draws, where that is one number a draw or a row of such."""

    def __init__(self, plain: np.random.Generator, count: int, kept: list[Floats]) -> None:
        super().__init__(plain.bit_generator)
        self._count, self._kept = count, kept

    def _keep(self, drawn: Any) -> Any:
        # Weights of mailboxes, (draws, blocks), are no single quantity.
        single = isinstance(drawn, np.ndarray) and drawn.ndim and drawn.shape[-1] == self._count
        if single and (drawn.ndim == 1 or drawn.shape[0] != self._count):
            # Of a week's swing in each draw the mean over the weeks.
            one = drawn if drawn.ndim == 1 else drawn.reshape(-1, self._count).mean(axis=0)
            if not any(np.array_equal(one, other) for other in self._kept):
                self._kept.append(one.copy())
        return drawn

    def standard_normal(self, *args: Any, **kwargs: Any) -> Any:
        return self._keep(super().standard_normal(*args, **kwargs))

    def gamma(self, *args: Any, **kwargs: Any) -> Any:
        return self._keep(super().gamma(*args, **kwargs))

    def beta(self, *args: Any, **kwargs: Any) -> Any:
        return self._keep(super().beta(*args, **kwargs))

    def triangular(self, *args: Any, **kwargs: Any) -> Any:
        return self._keep(super().triangular(*args, **kwargs))

    def chisquare(self, *args: Any, **kwargs: Any) -> Any:
        return self._keep(super().chisquare(*args, **kwargs))


@dataclass(frozen=True)
class Draws:
    """How many draws, and the seed of every stream.

    Attributes:
        count: number of draws.
        seed: the same seed, inputs and version give the same draws.
        record: where one is given, what each stream drew is kept in it by the stream's names, one number a draw (see
            `sensitivity`); the draws are the same.
    """

    count: int
    seed: int
    record: Record | None = field(default=None, compare=False, repr=False)

    def stream(self, *names: str) -> np.random.Generator:
        """The stream of one quantity; adding another quantity leaves its draws alone."""
        generator = np.random.default_rng([self.seed, *(zlib.crc32(name.encode()) for name in names)])
        if self.record is None:
            return generator
        return _Recorded(generator, self.count, self.record.setdefault(names, []))

    def factor(self, sd: float, *names: str) -> Floats:
        """Mean-one lognormal factors of log-sd `sd`, shape (count,): spread must not shift the mean."""
        return np.asarray(np.exp(sd * self.stream(*names).standard_normal(self.count) - sd**2 / 2))

    def gamma(self, mean: Floats, variance: Floats, *names: str) -> Floats:
        """Mean-one gamma factors for sums of the given mean and variance, shape (count,); 1 where the mean is 0."""
        shape = np.square(mean) / np.maximum(variance, 1e-300)
        shape = np.clip(np.where(mean > 0, shape, 1e12), 1e-3, 1e12)
        return np.asarray(self.stream(*names).gamma(shape, 1 / shape, self.count))

    def scatter(self, residual: Floats, spent: int, prior: float, prior_df: float, *names: str) -> Floats:
        """Draws of a variance factor: scaled inverse chi-square from squared residuals and a prior.

        Args:
            residual: squared residuals over the variance function, shape (mailboxes,).
            spent: degrees of freedom the fit spent.
            prior: what the factor is without data.
            prior_df: how many mailboxes the prior is worth.
            names: of the stream.
        """
        df = prior_df + max(len(residual) - spent, 0)
        # One wild mailbox among few would make the variance itself unbounded; ten times the prior is wide enough.
        total = prior_df * prior + float(np.minimum(residual, 100 * prior).sum())
        drawn = total / self.stream(*names).chisquare(df, self.count)
        return np.asarray(np.minimum(drawn, 10 * max(prior, total / df)))


@dataclass(frozen=True)
class Level:
    """How much a group of subjects causes.

    Attributes:
        people: records per weekday equivalent that people cause, shape (draws,).
        applications: records per calendar day that applications cause, shape (draws,).
    """

    people: Floats
    applications: Floats

    @staticmethod
    def nothing(count: int) -> Level:
        """No records, in every draw."""
        return Level(np.zeros(count), np.zeros(count))

    def __add__(self, other: Level) -> Level:
        return Level(self.people + other.people, self.applications + other.applications)

    def scaled(self, factor: Floats | float) -> Level:
        """The level times a factor, the same for people and applications."""
        return Level(np.asarray(self.people * factor), np.asarray(self.applications * factor))
