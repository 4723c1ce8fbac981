"""The curve from a mailbox's activity to its rate: non-negative, increasing, concave.

    mu(a) = sum_k b_k phi_k(a),  b_k >= 0,  phi = 1, min(x, q_1), min(x, q_2), ..., x   for each activity count x

What a mailbox without any activity emits, b_1, is hardly ever sampled where only the busy ones emit; left to itself the
fit then takes any bend for a floor. So a mailbox of no activity and no records is added, of a weight that is drawn: the
floor is less certain the farther it is from what was sampled.

Measured against GLMs, splines and trees on tenants of known truth this is the simplest form that is near the best: it
saturates where two-minute windows do, cannot go negative, and does not run away where only busy mailboxes were sampled
(stat_lab, 23 Nov 2026: median error 5.7 % against 55 % for the mean times the head count).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estimator.draws import Floats, Positions

#: Mailboxes are re-weighted in at most this many blocks, so that the bootstrap's cost does not grow with the tenant.
#: The variance of a weighted mean is the same, in expectation, as with one weight per mailbox.
_BLOCKS = 400

#: Of the emitting mailboxes: where the curve may bend. With the middle one alone it cannot follow the busiest, who
#: carry half of everything and saturate: at a log-sd of 1.8 and 3,000 mailboxes the error beyond the calendar's was
#: 17 % and is 5 % (ours: benchmarks.accuracy, cells, seeds 1-40).
_KNOTS = (0.5, 0.9, 0.98)

#: Weight of the mailbox of no activity, for each sampled mailbox: median and log-sd. It is a share of the sample
#: because more of the same busy mailboxes says no more about quiet ones. Ours: without it the floor is too high by a
#: tenth of all where the busy ones were sampled, at five times the weight too low by as much (same cells, seeds 1-24).
_STILL = (1 / 600, 1.5)

#: A term moves no more than this share of the fit, in the last sweep over the terms.
_SETTLED = 1e-6

#: The most sweeps over the terms.
_SWEEPS = 400

#: Rounds of the active set per term: each term enters about once.
_ROUNDS = 10

#: Below this many mailboxes the counts are folded into one index: a curve of seven terms would only fit noise.
_FEW = 40

#: Below this many there is no curve at all, only the ratio of records to activity.
_VERY_FEW = 5


@dataclass(frozen=True)
class Basis:
    """The functions phi, fixed by the mailboxes that emit.

    Attributes:
        scale: the emitting mailboxes' mean of each count, shape (counts,).
        knots: where min(x, q) bends, shape (knots, columns).
        folded: whether the counts are folded into one index.
        ratio: whether that index alone is the basis: a straight line through the origin.
    """

    scale: Floats
    knots: Floats
    folded: bool
    ratio: bool

    @staticmethod
    def of(counts: Floats) -> Basis:
        """Choose scale and knots from the emitting mailboxes' counts, shape (mailboxes, counts)."""
        scale = np.maximum(counts.mean(axis=0), 1e-9)
        folded = len(counts) < _FEW
        x = counts / scale
        if folded:
            x = x.mean(axis=1, keepdims=True)
        knots = _KNOTS[:1] if folded else _KNOTS
        return Basis(scale, np.quantile(x, knots, axis=0), folded, len(counts) < _VERY_FEW)

    def features(self, counts: Floats) -> Floats:
        """phi of each mailbox, shape (mailboxes, terms)."""
        x = counts / self.scale
        if self.folded:
            x = x.mean(axis=1, keepdims=True)
        if self.ratio:
            return x
        bent = [np.minimum(x, knot) for knot in self.knots]
        return np.hstack([np.ones((len(x), 1)), *bent, x])


@dataclass(frozen=True)
class Curves:
    """Draws of the fitted curve.

    Attributes:
        point: coefficients of the fit itself, shape (terms,).
        draws: coefficients in each bootstrap draw, shape (draws, terms).
        block: the block of each mailbox, shape (mailboxes,).
        weights: the weight of each block in each draw, shape (draws, blocks).
    """

    point: Floats
    draws: Floats
    block: Positions
    weights: Floats

    def weighted_sums(self, values: Floats) -> Floats:
        """Sum of `values` (mailboxes, ...) over mailboxes under each draw's weights, shape (draws, ...)."""
        return np.tensordot(self.weights, block_sums(values, self.block, self.weights.shape[1]), axes=1)


def fit_curves(phi: Floats, rate: Floats, draws: int, rng: np.random.Generator) -> Curves:
    """Fit rate ~ phi @ b with b >= 0 and bootstrap it over mailboxes.

    Weights (mu + 0.05 mean)^-1.5 are iterated four times on the full sample and then kept; in each draw mailboxes get
    gamma weights of mean 1 and variance n / (n - terms above 0) and the curve is refitted and rescaled so that fitted
    and observed totals agree. A first term of ones is held down by the mailbox of no activity (see the module).

    Args:
        phi: features of the emitting mailboxes, shape (mailboxes, terms).
        rate: their records per weekday equivalent, shape (mailboxes,).
        draws: how many draws.
        rng: the source of randomness.
    """
    n, terms = phi.shape
    mean = max(float(rate.mean()), 1e-12)
    mu = np.full(n, mean)
    point = np.zeros(terms)
    still = np.zeros((terms, terms))
    if terms > 1:  # else the curve is a ratio, which is nothing at no activity
        still[0, 0] = n * (0.05 * mean) ** -1.5
    for _ in range(4):
        v = (mu + 0.05 * mean) ** -1.5
        point = nnls(phi.T @ (v[:, None] * phi) + _STILL[0] * still, phi.T @ (v * rate))
        mu = phi @ point
    v = (mu + 0.05 * mean) ** -1.5
    block, weights = bootstrap_weights(n, min(int((point > 0).sum()), n - 1), draws, rng)
    count = weights.shape[1]
    gram = weights @ block_sums(v[:, None, None] * phi[:, :, None] * phi[:, None, :], block, count).reshape(count, -1)
    right = weights @ block_sums((v * rate)[:, None] * phi, block, count)
    held = _STILL[0] * np.exp(_STILL[1] * rng.standard_normal(draws))
    drawn = nnls_batch(gram.reshape(draws, terms, terms) + held[:, None, None] * still, right, start=point)
    observed = weights @ block_sums(rate, block, count)
    fitted = np.einsum("dk,dk->d", weights @ block_sums(phi, block, count), drawn)
    drawn *= (observed / np.maximum(fitted, 1e-12))[:, None]
    point = point * (rate.sum() / max(float((phi @ point).sum()), 1e-12))
    return Curves(point, drawn, block, weights)


def bootstrap_weights(n: int, spent: int, draws: int, rng: np.random.Generator) -> tuple[Positions, Floats]:
    """Blocks and their gamma weights for the Bayesian bootstrap.

    The variance of a weight is n / (n - spent): residuals of a fit that spent degrees of freedom are too small by
    that much.

    Returns:
        The block of each of n mailboxes, and weights of shape (draws, blocks).
    """
    blocks = min(n, _BLOCKS)
    block = rng.permutation(n) % blocks
    shape = max(n - spent, 1) / n
    return block, rng.gamma(shape, 1 / shape, (draws, blocks))


def block_sums(values: Floats, block: Positions, blocks: int) -> Floats:
    """Sums of `values` (mailboxes, ...) by block, shape (blocks, ...)."""
    out = np.zeros((blocks, *values.shape[1:]))
    np.add.at(out, block, values)
    return out


def nnls(gram: Floats, right: Floats) -> Floats:
    """The b >= 0 that minimises b' gram b / 2 - right' b, shape (terms,), by the active set of Lawson and Hanson.

    Exact where `nnls_batch` creeps: of few mailboxes and nearly collinear terms its sweeps end before they are there.
    """
    terms = len(right)
    # A trace of ridge, as in `nnls_batch`: collinear columns share, and a column of zeros keeps 0.
    gram = gram + 1e-9 * max(float(np.diag(gram).mean()), 1e-300) * np.eye(terms)
    tolerance = 1e-10 * max(float(np.abs(right).max(initial=0.0)), 1e-300)
    b, inside = np.zeros(terms), np.zeros(terms, bool)
    for _ in range(_ROUNDS * terms):
        gradient = np.where(inside, -np.inf, right - gram @ b)
        entering = int(gradient.argmax())
        if gradient[entering] <= tolerance:
            break
        inside[entering] = True
        while True:
            solved = np.zeros(terms)
            solved[inside] = np.linalg.solve(gram[np.ix_(inside, inside)], right[inside])
            below = inside & (solved <= 0)
            if not below.any():
                b = solved
                break
            # As far towards the solution as all stay at 0 or above; whoever gets there leaves.
            reach = b[below] / np.maximum(b[below] - solved[below], 1e-300)
            b = np.maximum(b + reach.min() * (solved - b), 0.0)
            inside &= ~below | (b > 0)
            inside[np.flatnonzero(below)[reach.argmin()]] = False
            b[~inside] = 0.0
    return b


def nnls_batch(gram: Floats, right: Floats, start: Floats | None, sweeps: int = _SWEEPS) -> Floats:
    """Many small non-negative least-squares problems at once, by cyclic coordinate descent on the normal equations.

    Args:
        gram: shape (problems, terms, terms), positive semi-definite.
        right: shape (problems, terms).
        start: where to begin, shape (terms,), or None for zero.
        sweeps: the most sweeps over the terms.

    Returns:
        shape (problems, terms).
    """
    problems, terms = right.shape
    diagonal = np.einsum("dkk->kd", gram)
    # A column of zeros has no say: it keeps 0. A trace of ridge makes collinear columns share instead of cycling.
    diagonal = diagonal + 1e-9 * np.maximum(diagonal.mean(axis=0), 1e-300)
    out = np.zeros((terms, problems)) if start is None else np.tile(start[:, None], (1, problems))
    # Problems last, so that a term of all of them lies together; those that have settled are left alone.
    open_ = np.arange(problems)
    rows, wanted = np.ascontiguousarray(gram.transpose(1, 2, 0)), right.T.copy()
    b, scale = out.copy(), np.sqrt(diagonal)
    for sweep in range(sweeps):
        moved = np.zeros(len(open_))
        for k in range(terms):
            gradient = wanted[k] - (rows[k] * b).sum(axis=0)
            step = np.maximum(b[k] + gradient / diagonal[k], 0.0) - b[k]
            b[k] += step
            np.maximum(moved, np.abs(step) * scale[k], out=moved)
        settled = moved < _SETTLED * (np.sqrt(np.abs(wanted * b).sum(axis=0)) + 1e-300)
        last = sweep == sweeps - 1
        if settled.mean() > 0.3 or settled.all() or last:
            done = settled | last
            out[:, open_[done]] = b[:, done]
            if done.all():
                break
            keep = ~done
            open_, wanted, b = open_[keep], wanted[:, keep], b[:, keep]
            rows, diagonal, scale = rows[:, :, keep], diagonal[:, keep], scale[:, keep]
    return out.T
