"""One part of the sample hidden and forecast, and what several of them come to."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from estimator.forecast import Spread

MAIL_ITEMS = "Exchange/MailItemsAccessed"

Holdout = Literal["mailboxes", "least_active", "days"]

#: Fewer mailboxes with a record than this make folds of three or less, whose error says nothing.
MIN_MAILBOXES = 20
#: Fewer records than this before and in the hidden days, or on the quiet mailboxes, are a matter of chance.
MIN_EVENTS = 100


@dataclass(frozen=True)
class Trial:
    """One part hidden and forecast.

    Attributes:
        holdout: what was hidden.
        operation: `Workload/Operation`.
        fold: number of the trial, from 1.
        mailboxes: hidden mailboxes; of hidden days, those that emit.
        days: days forecast.
        actual: records there were.
        forecast: what was forecast.
        spreadsheet: what a spreadsheet says.
    """

    holdout: Holdout
    operation: str
    fold: int
    mailboxes: int
    days: int
    actual: float
    forecast: Spread
    spreadsheet: float

    @property
    def error(self) -> float:
        """Of the forecast's mean, as a share of what was."""
        return self.forecast.mean / self.actual - 1

    @property
    def spreadsheet_error(self) -> float:
        """Of the spreadsheet, as a share of what was."""
        return self.spreadsheet / self.actual - 1

    @property
    def held(self) -> bool:
        """Whether P10-P90 held what was."""
        return self.forecast.p10 <= self.actual <= self.forecast.p90

    @property
    def width(self) -> float:
        """P10 to P90, as a share of the mean."""
        return (self.forecast.p90 - self.forecast.p10) / self.forecast.mean

    def to_json(self) -> dict[str, Any]:
        """The trial as the JSON contract has it."""
        return {
            "holdout": self.holdout,
            "operation": self.operation,
            "fold": self.fold,
            "mailboxes": self.mailboxes,
            "days": self.days,
            "actual": self.actual,
            "forecast": self.forecast.to_json(),
            "spreadsheet": self.spreadsheet,
            "held": self.held,
        }


@dataclass(frozen=True)
class Score:
    """The trials of one operation and one kind of holdout together; shares of 1.

    `mailboxes` is the median of what a trial hid; of hidden days, of those that emit.
    """

    holdout: Holdout
    operation: str
    mailboxes: int
    trials: int
    held: int
    median_abs_error: float
    coverage_80: float
    median_width_80: float
    spreadsheet_median_abs_error: float

    @staticmethod
    def of(trials: Sequence[Trial]) -> Score:
        """Of the trials of one operation and holdout; there must be one."""
        held = sum(trial.held for trial in trials)
        return Score(
            trials[0].holdout,
            trials[0].operation,
            statistics.median_high(trial.mailboxes for trial in trials),
            len(trials),
            held,
            statistics.median(abs(trial.error) for trial in trials),
            held / len(trials),
            statistics.median(trial.width for trial in trials),
            statistics.median(abs(trial.spreadsheet_error) for trial in trials),
        )

    def to_json(self) -> dict[str, Any]:
        """The score as the JSON contract has it."""
        return dict(self.__dict__)
