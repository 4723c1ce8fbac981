"""Dice: random draws that give the same tenant on every machine.

The raw stream of a NumPy bit generator is guaranteed never to change; its distributions are not, and `exp` and `log`
may differ in the last bit from one processor to the next. So everything here is made from raw 64-bit numbers with
`+ - * / sqrt floor` and comparisons, which IEEE 754 fixes to the bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_ELEVEN = np.uint64(11)
_STEP = 2.0**-53


def floor(values: ArrayLike) -> Ints:
    """Return the values rounded down, as integers."""
    return np.floor(values).astype(np.int64)


class Dice:
    """A stream of draws, named by a key of integers: the same key always throws the same numbers."""

    def __init__(self, *key: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(key))

    def unit(self, size: int | tuple[int, ...]) -> Floats:
        """Draw numbers in [0, 1)."""
        raw = self._bits.random_raw(int(np.prod(size)))
        return ((raw >> _ELEVEN) * _STEP).reshape(size)

    def chance(self, probability: ArrayLike) -> Bools:
        """Draw yes or no, one for each probability."""
        odds = np.asarray(probability, dtype=np.float64)
        return self.unit(odds.shape) < odds

    def below(self, limit: ArrayLike) -> Ints:
        """Draw whole numbers in [0, limit), one for each limit."""
        top = np.asarray(limit, dtype=np.float64)
        return floor(self.unit(top.shape) * top)

    def between(self, low: float, high: float, size: int) -> Floats:
        """Draw numbers evenly spread over [low, high)."""
        return low + (high - low) * self.unit(size)

    def count(self, mean: ArrayLike) -> Ints:
        """Draw counts with the given means, about 0.6 of the mean apart from day to day when the mean is large."""
        level = np.asarray(mean, dtype=np.float64)
        wobble = self.unit(level.shape) + 2.0 * self.unit(level.shape) * self.unit(level.shape)
        return floor(level * wobble + self.unit(level.shape))

    def some(self, things: ArrayLike, share: ArrayLike) -> Ints:
        """Draw how many of some things are taken when each has the given chance; never more than there are."""
        have = np.asarray(things, dtype=np.int64)
        wobble = 0.5 + self.unit(have.shape)
        return np.minimum(have, floor(have * np.asarray(share) * wobble + self.unit(have.shape)))

    def pick(self, weights: ArrayLike, size: int) -> Ints:
        """Draw positions in a list of weights (which sum to one), each as often as its weight says."""
        edges = np.cumsum(np.asarray(weights, dtype=np.float64))[:-1]
        return np.searchsorted(edges, self.unit(size), side="right").astype(np.int64)


def chosen(share: float, score: Floats) -> Bools:
    """Choose a share of things, those with the highest scores."""
    return few(np.ones(len(score), dtype=bool), floor(share * len(score) + 0.5).item(), score)


def few(open_to: Bools, wanted: int, score: Floats) -> Bools:
    """Choose a number of the things that can be chosen, those with the highest scores.

    Raises:
        ValueError: There are not so many.
    """
    taken = np.zeros(len(score), dtype=bool)
    candidates = np.flatnonzero(open_to)
    if wanted > len(candidates):
        raise ValueError(f"TenantSpec: {wanted} wanted, and there are {len(candidates)} to choose from")
    taken[candidates[np.argsort(-score[candidates], kind="stable")[:wanted]]] = True
    return taken
