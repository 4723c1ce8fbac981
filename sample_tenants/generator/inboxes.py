"""From one day to the next: who is away, what arrives, what is opened, and what stays unread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .dice import Bools, Dice, Ints
from .mailboxes import Mailboxes
from .workdays import Workday

_LEAVE_A_DAY = 0.012
_LONGEST_LEAVE = 12
_FORGOTTEN = 0.7


@dataclass(frozen=True)
class Inboxes:
    """The state that one day hands to the next: unread mails, and days of leave still to come."""

    unread: Ints
    leave: Ints


@dataclass(frozen=True)
class Day:
    """What a day brings to each mailbox, before anybody sits down."""

    workday: Workday
    present: Bools
    arrived: Ints
    opened: Ints


def empty(boxes: Mailboxes) -> Inboxes:
    """Return the state before the first day."""
    return Inboxes(np.zeros(len(boxes), dtype=np.int64), np.zeros(len(boxes), dtype=np.int64))


def live(boxes: Mailboxes, state: Inboxes, workday: Workday, dice: Dice) -> tuple[Inboxes, Day]:
    """Live one day: mail arrives, those who are there open some of it and some old, the rest waits or is forgotten.

    Shared mailboxes take no leave. Those who are not there leave their mail lying, so the first day back is a long one.
    """
    n, habits = len(boxes), boxes.habits
    arrived = dice.count(habits["arriving"] * workday.pace)
    quieter = 1.6 if workday.day.month in (7, 8, 12) else 0.9
    starting = dice.chance(np.where(boxes.person & (state.leave == 0), _LEAVE_A_DAY * quieter, 0.0))
    leave = np.where(starting, 1 + dice.below(np.full(n, _LONGEST_LEAVE)), np.maximum(state.leave - 1, 0))
    present = dice.chance(np.full(n, 0.985) if workday.working else habits["weekend"]) & (leave == 0)
    waiting = state.unread + arrived
    attention = habits["attention"] if workday.working else habits["attention"] * 0.7
    opened = np.where(present, dice.some(waiting, attention), 0)
    unread = np.where(present, waiting - opened, waiting)
    lookups = np.where(present, dice.count(habits["lookups"] * (workday.pace if workday.working else 0.15)), 0)
    state = Inboxes(unread - dice.some(unread, np.full(n, _FORGOTTEN)), leave)
    return state, Day(workday, present, arrived, opened + lookups)
