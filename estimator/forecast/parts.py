"""The parts that a feed's volume is made of: a level each, with the days on which it flows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from estimator.draws import Floats, Level
from estimator.dropping import Share
from estimator.rates import Basis


@dataclass(frozen=True)
class Course:
    """From which day of the horizon a part flows, and how it rises to the whole.

    Attributes:
        start: the first day of the horizon on which it flows.
        since: the day on which its mailboxes begin to join; 0 where all join at once.
        ramp: over how many days they join, as many each day; 1: all at once.
    """

    start: int = 0
    since: int = 0
    ramp: int = 1

    @staticmethod
    def joining(start: int, ramp: int = 1) -> Course:
        """Of mailboxes that join from a day on, over some days."""
        return Course(start, start if ramp > 1 else 0, max(ramp, 1))

    def not_before(self, start: int) -> Course:
        """The same, cut off before a day: who has joined by then has joined."""
        return replace(self, start=max(start, self.start))

    def shares(self, days: int) -> Floats:
        """The share that flows on each day of the horizon, shape (days,)."""
        day = np.arange(days, dtype=float)
        risen = np.clip((day - self.since + 1) / self.ramp, 0.0, 1.0) if self.ramp > 1 else np.ones(days)
        return np.asarray(np.where(day >= self.start, risen, 0.0))


@dataclass(frozen=True)
class FlowPart:
    """A level that flows for a part of the horizon, negative where it is taken away from another.

    Attributes:
        course: on which days, and how much of it.
        level: records.
        volume: the same in records of the operation's mean size: what is dropped may be smaller than others.
        basis: what it rests on.
        drops: of mailboxes that join, the drops and routes they meet; None for what flows today.
    """

    course: Course
    level: Level
    volume: Level
    basis: Basis
    drops: frozenset[int] | None = None

    def taken(self, start: int, share: Share) -> FlowPart:
        """A part of it from a day on."""
        level, volume = self.level, self.volume
        return replace(
            self,
            course=self.course.not_before(start),
            level=Level(level.people * share.people, level.applications * share.applications),
            volume=Level(volume.people * share.people_bytes, volume.applications * share.applications_bytes),
        )

    def not_before(self, start: int) -> FlowPart:
        """The part of it from a day on, whole."""
        return replace(self, course=self.course.not_before(start))

    def negative(self) -> FlowPart:
        """What takes it away."""
        return replace(self, level=self.level.scaled(-1.0), volume=self.volume.scaled(-1.0))
