"""Days and what they weigh: weekday, Saturday, Sunday, public holiday.

Everything people cause is measured in *weekday equivalents*: a Saturday on which a fifth of a weekday's records are
written counts 0.2. The weights come from the sample, shrunk to the published ones where the sample is short.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from estimator import catalog
from estimator.draws import Draws, Floats
from estimator.errors import ScenarioError

WEEKDAY, SATURDAY, SUNDAY, HOLIDAY = range(4)

#: From the first to the second hour of the local day people work, as far as time zones are concerned.
_WORKING_HOURS = (8, 18)


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


def working_hours_by_day(day: dt.date, timezone: str) -> dict[int, float]:
    """Which UTC days a local day's working hours fall on: their share by -1 (the day before), 0 and 1 (the day after).

    Working hours are 8 to 18, our assumption: a sample of two weeks has no holiday to learn better ones from. Denver's
    are 15 to 1 UTC in winter: 0.9 on that day and 0.1 on the day after.

    Args:
        day: the local day, for summer time.
        timezone: IANA name.
    """
    zone, first, last = ZoneInfo(timezone), *_WORKING_HOURS
    halves = [
        dt.datetime.combine(day, dt.time(hour, minute), zone).astimezone(dt.UTC).date()
        for hour in range(first, last)
        for minute in (0, 30)
    ]
    counts = Counter((utc - day).days for utc in halves)
    return {shift: count / len(halves) for shift, count in sorted(counts.items())}


def spill_holidays(weight: Floats, days: pd.DatetimeIndex, kinds: npt.NDArray[np.int8], timezone: str) -> Floats:
    """Day weights with the quiet of each public holiday on the UTC days its working hours fall on.

    A holiday takes 1 - w off a weekday, w its weight. Of that a share s lies on a neighbouring UTC day, so the holiday
    weighs w + s (1 - w) and the neighbour s (1 - w) less, never below 0. What weekends weigh is left alone: it is
    learnt from UTC days as they are, Friday's evening on Saturday and all.

    Args:
        weight: of each day by draw, shape (days, draws).
        days: contiguous UTC days.
        kinds: their kinds, see `day_kinds`.
        timezone: IANA name.
    """
    out = weight.copy()
    for at, day in enumerate(days):
        if kinds[at] != HOLIDAY:
            continue
        quiet = 1.0 - weight[at]
        for shift, share in working_hours_by_day(day.date(), timezone).items():
            if not shift:
                continue
            out[at] += share * quiet
            if 0 <= at + shift < len(days):
                out[at + shift] = np.maximum(out[at + shift] - share * quiet, 0.0)
    return out


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
