"""The last days of the sample, hidden and forecast from the first for those that emit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from estimator import catalog
from estimator.backtest.trials import MAIL_ITEMS, MIN_EVENTS, Trial
from estimator.calendar import WEEKDAY
from estimator.draws import Draws, Floats
from estimator.forecast import Spread
from estimator.rates import Holidays, RateModel, fit_rates
from estimator.tenant import Tenant


def hide_days(found: Tenant, model: RateModel, holidays: Holidays, draws: Draws) -> list[Trial]:
    """What follows the first part of the sample, for those that emit, forecast from that part.

    The rates are fitted anew on the first part. A forecast of months averages the chance of days away; of a week it
    does not, so it is drawn here: the swing of the week, what all mailboxes share of a day, and what days do to each.
    """
    assert found.reduction is not None
    # Mailboxes that may emit without the sample showing it are forecast, but there is nothing to compare them with.
    table = found.readiness.table
    readiness = replace(found.readiness, table=table[table["state"] != "unknown"])
    out: list[Trial] = []
    for number, (first, rest) in enumerate(splits(model.sampled_days, holidays), 1):
        seen = found.reduction[found.reduction["day"].isin(first)]
        fitted = fit_rates(seen, found.inventory, readiness, holidays, Draws(draws.count, draws.seed + number))
        for key, rates in sorted(fitted.operations.items(), key=lambda item: (item[0] != MAIL_ITEMS, item[0])):
            rows = model.rows.get(key)
            if rows is None:
                continue
            before, after = rows[rows["day"].isin(first)], rows[rows["day"].isin(rest)]
            actual = float(after["events"].sum())
            if min(float(before["counted"].sum()), float(after["counted"].sum())) < MIN_EVENTS:
                continue
            people = rates.flowing.people * _weekdays(fitted, rest) * _chance(fitted, key, before, first, rest)
            forecast = Spread.of(people + rates.flowing.applications * len(rest))
            spreadsheet = float(before["events"].sum()) / len(first) * len(rest)
            boxes = int(before.loc[before["subject_kind"] == "mailbox", "subject"].nunique())
            out.append(Trial("days", key, number, boxes, len(rest), actual, forecast, spreadsheet))
    return sorted(out, key=lambda trial: (trial.operation != MAIL_ITEMS, trial.operation, trial.fold))


def splits(days: pd.DatetimeIndex, holidays: Holidays) -> Iterator[tuple[pd.DatetimeIndex, pd.DatetimeIndex]]:
    """The first part of the sample and the days to forecast: each whole week after the first; of less than two, halves.

    Both parts must hold two weekdays or more.
    """

    def weekdays(part: pd.DatetimeIndex) -> int:
        return int((holidays.kinds(part) == WEEKDAY).sum())

    if not len(days):
        return
    at = (days - days[0]).days.to_numpy()
    length = int(at[-1]) + 1
    cuts = [(7 * week, 7 * week + 7) for week in range(1, length // 7)] or [((length + 1) // 2, length)]
    for start, end in cuts:
        first, rest = days[at < start], days[(at >= start) & (at < end)]
        if weekdays(first) >= 2 and weekdays(rest) >= 2:
            yield first, rest


def _weekdays(model: RateModel, days: pd.DatetimeIndex) -> Floats:
    """Weekday equivalents of some days, under the swing of their week and what all share of a day, shape (draws,)."""
    priors = catalog.priors()
    kinds = model.holidays.kinds(days)
    week = (days - days[0]).days.to_numpy() // 7
    out = np.zeros(model.draws.count)
    for number in np.unique(week):
        swing = model.draws.factor(priors.week_swing_log_sd.value, "hidden week", str(number))
        out += model.weights.total(kinds[week == number]) * swing
    shared = priors.common_day_log_sd.value / np.sqrt(max(int((kinds == WEEKDAY).sum()), 1))
    return np.asarray(out * model.draws.factor(float(shared), "hidden days"))


def _chance(
    model: RateModel, key: str, before: pd.DataFrame, first: pd.DatetimeIndex, rest: pd.DatetimeIndex
) -> Floats:
    """Mean-one gamma for what chance days do to each mailbox's records in the hidden days, shape (draws,)."""
    people = before[before["person"]]
    total, ratio = float(people["events"].sum()), len(rest) / len(first)
    if total <= 0:
        return np.ones(model.draws.count)
    weekdays = first[model.holidays.kinds(first) == WEEKDAY]
    dispersion = catalog.priors().day_dispersion.value
    if (n := len(weekdays)) >= 3:
        cells = people[people["day"].isin(weekdays)].groupby(["subject", "principal", "day"])["events"].sum()
        sums = cells.groupby(level=[0, 1]).sum()
        one_day = (float((cells**2).sum()) - float((sums**2).sum()) / n) / (n - 1)
        dispersion = max(one_day * n / max(float(sums.sum()), 1.0), 1.0)
    mean = np.full(model.draws.count, total * ratio)
    return model.draws.gamma(mean, mean * dispersion, key, "hidden days")
