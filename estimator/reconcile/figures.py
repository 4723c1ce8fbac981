"""The arithmetic of `reconcile`: parts of months, what lasts of a deviation, and what a factor does to the rest.

Z is the standard normal's P90; all spreads are of logs. Of a month whose forecast is P10, P50, P90 over W weeks with D
weekdays,

    v = (ln(P90 / P10) / 2Z)^2                      all of its spread,
    t^2 = max(v - s^2 / W, 0)                       what lasts: level, size, drift; s the swing from week to week.

A part of it (w weeks, d weekdays, the share q of its weight) has the quantiles

    q P50 (P / P50)^sqrt(v' / v),  v' = v + s^2 (1/w - 1/W) + c^2 (1/d - 1/D),

c the swing all mailboxes share from weekday to weekday. Parts of several months move together in what lasts: medians
and t (weighted by medians) add up, weeks and weekdays too.

With y what came and f the median forecast of the same days, e = ln(y / f) is the lasting deviation x plus noise:

    x ~ N(0, t^2),   e | x ~ N(x, n^2),   n^2 = s^2 / w + c^2 / d + k / N,

k / N the chance of single days: k variance / mean of a mailbox's daily records, N records forecast. So x given e is
normal:

    g = t^2 / (t^2 + n^2),   mean m = g e,   variance u^2 = g n^2,

which shrinks what was seen by how much of it the weeks alone may do. The rest of the horizon, of lasting spread r^2:

    b = min(1, r / t),   P50' = P50 exp(b m),
    v' = min(v, b^2 u^2 + max(r^2 - t^2, 0) + (v - r^2) + h^2),
    P' = P50' (P / P50)^sqrt(v' / v),   mean' = mean exp(b m + (v' - v) / 2):

what is to come and cannot be seen yet (r > t) keeps its spread; the swing of the weeks to come stays; and the tenant
may drift on from the days that came as it may from those that were sampled (h). There is no season in it, nor in the
forecast: a quiet month says more than it should of busy ones.

Source: conjugate normal updating (Gelman et al., Bayesian Data Analysis, 2.5); s, c, k and h: `catalog/priors.toml`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from estimator import catalog
from estimator.forecast import Spread

#: The standard normal's P90.
Z = 1.2815515655446004


@dataclass(frozen=True)
class Length:
    """How long something is: weeks, and the weekdays in it."""

    weeks: float
    weekdays: int

    def __add__(self, other: Length) -> Length:
        return Length(self.weeks + other.weeks, self.weekdays + other.weekdays)

    @property
    def noise(self) -> float:
        """Variance of what its weeks and days do."""
        priors = catalog.priors()
        return priors.week_swing_log_sd.value**2 / self.weeks + priors.common_day_log_sd.value**2 / max(
            self.weekdays, 1
        )


@dataclass(frozen=True)
class Figure:
    """A forecast of some days.

    Attributes:
        spread: its quantiles.
        lasting: t, the log-sd of what lasts of a deviation; None where the forecast reaches 0 and has no logs.
        length: of the days it is of.
        whole: of the months these days are of.
    """

    spread: Spread
    lasting: float | None
    length: Length
    whole: Length

    @property
    def variance(self) -> float:
        """v."""
        sd = log_sd(self.spread)
        return 0.0 if sd is None else sd**2


@dataclass(frozen=True)
class Factor:
    """What the lasting deviation is, given what came.

    Attributes:
        mean: m.
        sd: u.
        prior: t.
        weight: g, how much of what was seen is taken to last.
    """

    mean: float
    sd: float
    prior: float
    weight: float

    def quantile(self, z: float) -> float:
        """Of the factor, at z standard deviations."""
        return math.exp(self.mean + z * self.sd)


def log_sd(spread: Spread) -> float | None:
    """The log-sd of P10 to P90; None where they have no logs."""
    if not spread.p10 > 0:
        return None
    return math.log(max(spread.p90, spread.p10) / spread.p10) / (2 * Z)


def part(month: Spread, share: float, length: Length, whole: Length) -> Figure:
    """The forecast of a part of a month."""
    scaled = Spread(*(share * value for value in (month.mean, month.p10, month.p50, month.p90)))
    sd = log_sd(scaled)
    if sd is None:
        return Figure(scaled, None, length, whole)
    swing = catalog.priors().week_swing_log_sd.value ** 2
    lasting = math.sqrt(max(sd**2 - swing / whole.weeks, 0.0))
    return Figure(_widened(scaled, sd**2, sd**2 + length.noise - whole.noise), lasting, length, whole)


def together(parts: Sequence[Figure]) -> Figure:
    """Parts of several months as one."""
    if len(parts) == 1:
        return parts[0]
    names = ("mean", "p10", "p50", "p90")
    added = Spread(*(sum(getattr(one.spread, name) for one in parts) for name in names))
    length, whole = parts[0].length, parts[0].whole
    for one in parts[1:]:
        length, whole = length + one.length, whole + one.whole
    sd = log_sd(added)
    known = [(one.lasting, one.spread.p50) for one in parts if one.lasting is not None]
    if sd is None or not known:
        return Figure(added, None, length, whole)
    lasting = sum(t * p50 for t, p50 in known) / sum(p50 for _, p50 in known)
    swing = catalog.priors().week_swing_log_sd.value ** 2
    variance = lasting**2 + swing / whole.weeks + length.noise - whole.noise
    # A forecast without any spread gets none here.
    return Figure(_widened(added, sd**2, variance), lasting, length, whole)


def learnt(forecast: Figure, actual: float, records: float) -> Factor | None:
    """The factor of what came; None where nothing can be learnt: a forecast or an actual of nothing.

    Args:
        forecast: of the days that are known.
        actual: what came on them.
        records: how many records were forecast on them.
    """
    if forecast.lasting is None or not actual > 0:
        return None
    noise = forecast.length.noise + catalog.priors().day_dispersion.value / max(records, 1.0)
    prior = forecast.lasting**2
    weight = prior / (prior + noise)
    return Factor(weight * math.log(actual / forecast.spread.p50), math.sqrt(weight * noise), forecast.lasting, weight)


def recalibrated(forecast: Figure, factor: Factor) -> Spread:
    """The forecast of days to come, given the factor."""
    if forecast.lasting is None or not factor.prior > 0:
        return forecast.spread
    before, lasting = forecast.variance, forecast.lasting
    follows = min(1.0, lasting / factor.prior)
    unseen = max(lasting**2 - factor.prior**2, 0.0) + catalog.priors().drift_log_sd.value ** 2
    after = min(before, (follows * factor.sd) ** 2 + unseen + max(before - lasting**2, 0.0))
    shift = math.exp(follows * factor.mean)
    narrow = _widened(forecast.spread, before, after)
    mean = forecast.spread.mean * shift * math.exp((after - before) / 2)
    return Spread(mean, *(shift * value for value in (narrow.p10, narrow.p50, narrow.p90)))


def _widened(spread: Spread, before: float, after: float) -> Spread:
    """A spread of log-variance `before` with `after` instead, about its median."""
    if not before > 0:
        return spread
    power = math.sqrt(max(after, 0.0) / before)
    p10, p90 = (spread.p50 * (value / spread.p50) ** power for value in (spread.p10, spread.p90))
    return Spread(spread.mean, p10, spread.p50, p90)
