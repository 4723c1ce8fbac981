"""Days as a tenant lives them: weekends, holidays, seasons, and weeks that are busier or quieter for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from .dice import Dice
from .spec import TenantSpec

WARM_UP = 28
"""Days lived before the first that is looked at, so that leave and unread mail have settled."""

_SEASON = (1.00, 1.02, 1.03, 1.01, 1.00, 0.98, 0.93, 0.91, 1.02, 1.04, 1.02, 0.93)
_WEEKDAY = (1.04, 1.05, 1.03, 1.00, 0.88)
_DAY_OFF = 0.28


@dataclass(frozen=True)
class Workday:
    """One local day: `pace` is the mail and work of the tenant against an ordinary working day's."""

    day: date
    working: bool
    pace: float


def workdays(spec: TenantSpec) -> Iterator[Workday]:
    """Yield the days from the warm-up to the day after the forecast.

    Weeks swing around one by about 0.06, and a busy week is often followed by another.
    """
    import holidays

    first = spec.history_start - timedelta(days=WARM_UP)
    last = spec.forecast_end
    off = holidays.country_holidays(spec.country, years=range(first.year, last.year + 1))
    dice, swing = Dice(spec.seed, 1), 0.0
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        if n == 0 or day.weekday() == 0:
            u = dice.unit(3)
            swing = 0.6 * swing + 0.1 * (float(u[0]) + float(u[1]) + float(u[2]) - 1.5)
        working = day.weekday() < 5 and day not in off
        weekday = _WEEKDAY[day.weekday()] if working else _DAY_OFF
        yield Workday(day, working, weekday * _SEASON[day.month - 1] * (1.0 + swing))
