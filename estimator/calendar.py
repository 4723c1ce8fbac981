"""Days and what they weigh: weekday, Saturday, Sunday, public holiday.

Everything people cause is measured in *weekday equivalents*: a Saturday on which a fifth of a weekday's records are
written counts 0.2. The weights come from the sample, shrunk to the published ones where the sample is short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from estimator import catalog
from estimator.draws import Draws, Floats
from estimator.errors import ScenarioError

WEEKDAY, SATURDAY, SUNDAY, HOLIDAY = range(4)


def day_kinds(days: pd.DatetimeIndex, country: str | None, subdivision: str | None = None) -> npt.NDArray[np.int8]:
    """The kind of each day, shape (days,). A public holiday on a weekend stays a weekend day.

    Raises:
        ScenarioError: no holiday calendar exists for the country or subdivision.
    """
    weekday = np.asarray(days.day_of_week)
    kinds = np.where(weekday == 5, SATURDAY, np.where(weekday == 6, SUNDAY, WEEKDAY)).astype(np.int8)
    if country is None or not len(days):
        return kinds
    import holidays  # slow to import, so only where a country is given

    try:
        public = holidays.country_holidays(
            country, subdiv=subdivision, years=range(int(days.year.min()), int(days.year.max()) + 1)
        )
    except NotImplementedError as error:
        raise ScenarioError(
            f"there is no holiday calendar for country {country!r}, subdivision {subdivision!r}",
            place="country",
            expected="an ISO 3166 code such as US, GB, DE",
            mend="Correct the code, or leave it out: no day is then a holiday.",
        ) from error
    off = np.fromiter((day.date() in public for day in days), dtype=bool, count=len(days))
    kinds[off & (kinds == WEEKDAY)] = HOLIDAY
    return kinds


@dataclass(frozen=True)
class DayWeights:
    """What each kind of day weighs against a weekday.

    Attributes:
        draws: shape (4, draws), rows in the order WEEKDAY, SATURDAY, SUNDAY, HOLIDAY; the first is 1.
    """

    draws: Floats

    @property
    def mean(self) -> Floats:
        """The mean weight of each kind, shape (4,)."""
        return np.asarray(self.draws.mean(axis=1))

    def total(self, kinds: npt.NDArray[np.int8]) -> Floats:
        """Weekday equivalents of the days given, in each draw, shape (draws,)."""
        counts = np.bincount(kinds, minlength=4).astype(float)
        return counts @ self.draws


def fit_weights(events: Floats, kinds: npt.NDArray[np.int8], draws: Draws) -> DayWeights:
    """Learn the weights from daily totals of what people caused.

    With W the mean weekday, a Saturday's (Sunday's) total is Poisson about r W, overdispersed by what days vary among
    themselves (`weekday_cv`); the prior of r is a gamma about the published factor with the spread between tenants
    (`weekend_log_sd`). So r given n such days of total S is gamma(a + S / k, b + n W / k), k = 1 + cv^2 p W: a weekend
    without a single record says as much as one full of them. A holiday lies between a Sunday and a weekday; where, no
    source says, so it is drawn.

    Args:
        events: daily totals of the sampled days, shape (days,).
        kinds: their kinds, shape (days,).
        draws: how many draws, from which seed.
    """
    priors = catalog.priors()
    weekdays = events[kinds == WEEKDAY]
    mean = float(weekdays.mean()) if len(weekdays) else 0.0
    out = np.ones((4, draws.count))
    for kind, published in ((SATURDAY, priors.saturday_factor.value), (SUNDAY, priors.sunday_factor.value)):
        # Without a weekday to compare with, a weekend's records say nothing about what a weekend weighs.
        seen = events[kinds == kind] if mean > 0 else np.zeros(0)
        dispersion = 1 + priors.weekday_cv.value**2 * published * mean
        shape = priors.weekend_log_sd.value**-2 + float(seen.sum()) / dispersion
        rate = priors.weekend_log_sd.value**-2 / published + len(seen) * mean / dispersion
        out[kind] = draws.stream("day weight", str(kind)).gamma(shape, 1 / rate, draws.count)
    worked = priors.holiday_worked
    share = draws.stream("holiday").triangular(worked.low or 0.0, worked.value, worked.high or 1.0, draws.count)
    out[HOLIDAY] = out[SUNDAY] + (1 - out[SUNDAY]) * share
    return DayWeights(out)
