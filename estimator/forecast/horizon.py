"""The days of a scenario: what each weighs in every draw, how the organisation grows, and what a level comes to.

Draws factor: level(operation, draw) x weight(day, draw) x swing(week, draw) x growth(day) x share that has joined(day),
so that nothing of the size mailboxes x days x draws ever exists.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from estimator import catalog
from estimator.calendar import spill_holidays
from estimator.draws import Floats, Level
from estimator.forecast.parts import Course
from estimator.rates import RateModel
from estimator.scenario import Grow, Scenario

#: Days of a year, for growth.
YEAR = 365.25


def growth(scenario: Scenario) -> Floats | None:
    """How many times its size of the start the organisation has on each day, shape (days,); None: it does not grow.

    With g a year from a day on it is (1 + g) to the power of the years since; a later `grow` goes on from what the one
    before it has come to.
    """
    changes = sorted((c for c in scenario.changes if isinstance(c, Grow)), key=lambda c: c.day(scenario.start))
    if not changes:
        return None
    count = len(scenario.days)
    starts = [(change.day(scenario.start) - scenario.start).days for change in changes]
    out, day = np.ones(count), np.arange(count, dtype=float)
    for change, start, end in zip(changes, starts, [*starts[1:], count], strict=True):
        years = np.clip(day - start, 0.0, end - start) / YEAR
        out *= (1 + float(change.mailboxes_percent_per_year) / 100) ** years
    return out


class Horizon:
    """The calendar of one scenario under one rate model.

    Attributes:
        days: every day of it.
        months: the months it touches, `2027-01`.
        growth: see `growth`.
    """

    def __init__(self, scenario: Scenario, model: RateModel) -> None:
        self.days, self._model, self._count = scenario.days, model, model.draws.count
        self._month_of, months = pd.factorize(self.days.strftime("%Y-%m"))
        self.months = [str(month) for month in months]
        self.growth, self._timezone = growth(scenario), scenario.timezone
        self._weights: dict[Course, tuple[Floats, Floats]] = {}

    @cached_property
    def people(self) -> Floats:
        """What each day weighs for people: day weight x swing of its week x growth, shape (days, draws)."""
        kinds = self._model.holidays.kinds(self.days)
        weight = self._model.weights.draws[kinds]
        if self._timezone is not None:
            weight = spill_holidays(weight, self.days, kinds, self._timezone)
        week = (self.days - self.days[0]).days.to_numpy() // 7
        sd = catalog.priors().week_swing_log_sd.value
        stream = self._model.draws.stream("week swing")
        swing = np.exp(sd * stream.standard_normal((int(week[-1]) + 1, self._count)) - sd**2 / 2)
        out = np.asarray(weight * swing[week])
        return out if self.growth is None else out * self.growth[:, None]

    def nothing(self) -> Floats:
        """No records in any month and draw, shape (months, draws)."""
        return np.zeros((len(self.months), self._count))

    def monthly(self, course: Course, level: Level) -> Floats:
        """Records of a level by month and draw, shape (months, draws)."""
        people, days = self._month_weights(course)
        return np.asarray(people * level.people + days[:, None] * level.applications)

    def add_daily(self, target: Floats, course: Course, people: Floats, applications: Floats) -> None:
        """Add to `target`, shape (days, draws), what a level of so much a day comes to on each day."""
        rows = slice(course.start, None)
        machines = applications if self.growth is None else self.growth[rows, None] * applications
        more = self.people[rows] * people + machines
        if course.ramp > 1:
            more *= course.shares(len(self.days))[rows, None]
        target[rows] += more

    def _month_weights(self, course: Course) -> tuple[Floats, Floats]:
        """Weekday equivalents and days of each month on a course: shapes (months, draws) and (months,)."""
        if course not in self._weights:
            people = self.nothing()
            each = course.shares(len(self.days))
            for month in range(len(self.months)):
                mine = np.flatnonzero(self._month_of == month)
                mine = mine[mine >= course.start]
                risen = self.people[mine] * each[mine, None] if course.ramp > 1 else self.people[mine]
                people[month] = risen.sum(axis=0)
            whole = each if self.growth is None else each * self.growth
            days = np.bincount(self._month_of, weights=whole, minlength=len(self.months)).astype(float)
            self._weights[course] = (people, days)
        return self._weights[course]
