"""Day kinds and weights, against calendars and counts worked out by hand."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from estimator import catalog
from estimator.calendar import (
    HOLIDAY,
    SATURDAY,
    SUNDAY,
    WEEKDAY,
    DayWeights,
    day_kinds,
    fit_weights,
    spill_holidays,
    working_hours_by_day,
)
from estimator.draws import Draws
from estimator.errors import ScenarioError

OCTOBER = pd.date_range("2026-10-01", "2026-10-31", unit="us")


def test_october_2026_in_the_united_states() -> None:
    # 1 October 2026 is a Thursday: Saturdays 3, 10, 17, 24, 31; Sundays 4, 11, 18, 25; Columbus Day Monday the 12th.
    counts = np.bincount(day_kinds(OCTOBER, "US"), minlength=4)

    assert counts.tolist() == [21, 5, 4, 1]
    assert day_kinds(OCTOBER, "US")[11] == HOLIDAY


def test_without_a_country_no_day_is_a_holiday() -> None:
    assert np.bincount(day_kinds(OCTOBER, None), minlength=4).tolist() == [22, 5, 4, 0]


def test_a_holiday_on_a_weekend_stays_a_weekend_day() -> None:
    # 4 July 2026 is a Saturday; the federal holiday is observed on Friday the 3rd.
    third_and_fourth = pd.date_range("2026-07-03", "2026-07-04", unit="us")

    assert day_kinds(third_and_fourth, "US").tolist() == [HOLIDAY, SATURDAY]


def test_an_unknown_country_is_refused_with_its_name() -> None:
    with pytest.raises(ScenarioError, match="'XX'"):
        day_kinds(OCTOBER, "XX")


def test_total_counts_weekday_equivalents() -> None:
    weights = DayWeights(np.array([[1.0], [0.2], [0.1], [0.15]]))

    # 21 x 1 + 5 x 0.2 + 4 x 0.1 + 1 x 0.15
    assert weights.total(day_kinds(OCTOBER, "US")).tolist() == pytest.approx([22.55])


def test_without_a_sample_the_published_weekend_stands() -> None:
    weights = fit_weights(np.zeros(0), np.zeros(0, np.int8), Draws(4000, 0))
    priors = catalog.priors()

    assert weights.mean[SATURDAY] == pytest.approx(priors.saturday_factor.value, rel=0.03)
    assert weights.mean[SUNDAY] == pytest.approx(priors.sunday_factor.value, rel=0.03)


def test_a_long_sample_overrules_the_published_weekend() -> None:
    days = pd.date_range("2026-01-05", periods=7 * 26, unit="us")
    kinds = day_kinds(days, None)
    events = np.where(kinds == WEEKDAY, 10_000.0, 5_000.0)

    weights = fit_weights(events, kinds, Draws(2000, 0))

    assert weights.mean[SATURDAY] == pytest.approx(0.5, abs=0.01)
    assert weights.draws[SATURDAY].std() < 0.03


def test_a_short_sample_lies_between_its_own_and_the_published_weekend() -> None:
    kinds = day_kinds(pd.date_range("2026-01-05", periods=7, unit="us"), None)
    events = np.where(kinds == WEEKDAY, 1000.0, 500.0)

    mean = fit_weights(events, kinds, Draws(2000, 0)).mean[SATURDAY]

    assert catalog.priors().saturday_factor.value < mean < 0.5


def test_an_empty_weekend_says_as_much_as_a_full_one() -> None:
    kinds = day_kinds(pd.date_range("2026-01-05", periods=14, unit="us"), None)
    events = np.where(kinds == WEEKDAY, 1000.0, 0.0)

    assert fit_weights(events, kinds, Draws(2000, 0)).mean[SATURDAY] < 0.03


def test_a_sample_of_weekends_only_says_nothing_about_what_a_weekend_weighs() -> None:
    events = np.array([5000.0, 4000.0])

    weights = fit_weights(events, np.array([SATURDAY, SUNDAY], np.int8), Draws(4000, 0))

    assert weights.mean[SATURDAY] == pytest.approx(catalog.priors().saturday_factor.value, rel=0.03)


def test_two_weekends_by_hand() -> None:
    """Four hundred a weekday, 50 and 70 on two Saturdays: gamma(6.25 + 120 / k, 6.25 / p + 800 / k)."""
    kinds = day_kinds(pd.date_range("2026-01-05", periods=14, unit="us"), None)
    events = np.where(kinds == WEEKDAY, 400.0, 0.0)
    events[[5, 12]] = 50.0, 70.0
    published = catalog.priors().saturday_factor.value
    k = 1 + 0.12**2 * published * 400

    mean = fit_weights(events, kinds, Draws(8000, 0)).mean[SATURDAY]

    assert mean == pytest.approx((6.25 + 120 / k) / (6.25 / published + 800 / k), rel=0.01)


def test_a_holiday_lies_between_a_sunday_and_a_weekday() -> None:
    draws = fit_weights(np.zeros(0), np.zeros(0, np.int8), Draws(2000, 0)).draws

    assert (draws[HOLIDAY] >= draws[SUNDAY]).all()
    assert (draws[HOLIDAY] <= 1).all()


@pytest.mark.parametrize(
    ("zone", "day", "shares"),
    [
        ("Europe/London", dt.date(2027, 1, 1), {0: 1.0}),  # 8 to 18 UTC
        ("America/New_York", dt.date(2027, 1, 1), {0: 1.0}),  # 13 to 23 UTC
        ("America/Denver", dt.date(2027, 1, 1), {0: 0.9, 1: 0.1}),  # 15 to 1 UTC
        ("America/Denver", dt.date(2027, 7, 1), {0: 1.0}),  # summer time: 14 to 24 UTC
        ("Asia/Kolkata", dt.date(2027, 1, 1), {0: 1.0}),  # 2:30 to 12:30 UTC
        ("Pacific/Auckland", dt.date(2027, 1, 1), {-1: 0.5, 0: 0.5}),  # UTC+13: 19 to 5 UTC
    ],
)
def test_the_utc_days_of_working_hours(zone: str, day: dt.date, shares: dict[int, float]) -> None:
    assert working_hours_by_day(day, zone) == pytest.approx(shares)


def test_a_holiday_is_quiet_on_the_utc_days_its_hours_fall_on() -> None:
    # New Year's Day 2027 is a Friday. In Denver a tenth of it is Saturday UTC: of the 0.8 it takes off a weekday 0.08.
    days = pd.date_range("2026-12-30", "2027-01-03", unit="us")
    kinds = day_kinds(days, "US")
    weight = np.array([1.0, 1.0, 0.2, 0.3, 0.1])[:, None]

    spilt = spill_holidays(weight, days, kinds, "America/Denver")

    assert kinds.tolist() == [WEEKDAY, WEEKDAY, HOLIDAY, SATURDAY, SUNDAY]
    assert spilt[:, 0] == pytest.approx([1.0, 1.0, 0.28, 0.22, 0.1])
    assert spilt.sum() == pytest.approx(weight.sum())
    assert spill_holidays(weight, days, kinds, "Europe/London") == pytest.approx(weight)
    # Auckland is half a day ahead of UTC: half of the quiet is on the Thursday before.
    assert spill_holidays(weight, days, kinds, "Pacific/Auckland")[:, 0] == pytest.approx([1.0, 0.6, 0.6, 0.3, 0.1])
