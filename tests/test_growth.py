"""Growth and ramps: the world grows in both bills, and a ramp ends where all at once begins, draw by draw."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.forecast.horizon import growth
from estimator.forecast.parts import Course
from estimator.scenario import Connect, Enable, Grow
from tests.test_forecast import MAIL_ITEMS, sample
from tests.what_if import CLOUD, ENABLE, FROM, START, WhatIf, story


def grow(percent: float, day: dt.date | None = None) -> Grow:
    return Grow(kind="grow", mailboxes_percent_per_year=Decimal(repr(percent)), **{FROM: day})


def ramp(days: int, day: dt.date | None = None, **where: Any) -> Enable:
    return Enable(kind="enable", operations=(MAIL_ITEMS,), ramp_days=days, where=where, **{FROM: day})


def day_number(year: int, month: int, day: int) -> int:
    return (dt.date(year, month, day) - START).days


# ---------------------------------------------------------------- growth


def test_everything_that_flows_or_joins_grows_with_the_years() -> None:
    plain, grown = WhatIf(story(ENABLE)).daily(), WhatIf(story(ENABLE, grow(10))).daily()
    days = np.arange(92)
    for before, after in zip(plain, grown, strict=True):
        assert after == pytest.approx(before * 1.1 ** (days[:, None] / 365.25))


def test_applications_grow_too() -> None:
    seen = sample(40, 10)
    # Records of a program that reads everybody's mail.
    seen = seen.assign(principal=seen["principal"].where(seen["subject_kind"] == "site", "app@sharepoint"))
    plain, grown = (WhatIf(story(ENABLE, *more), seen=seen).daily()[0] for more in ((), (grow(50),)))
    assert plain.any()
    assert grown == pytest.approx(plain * 1.5 ** (np.arange(92)[:, None] / 365.25))


def test_growth_begins_on_its_day_and_a_later_rate_goes_on_from_there() -> None:
    index = growth(story(grow(10), grow(-50, dt.date(2026, 11, 1)), months=24))
    assert index is not None
    assert index[0] == 1.0
    first = day_number(2026, 11, 1)
    assert index[first] == pytest.approx(1.1 ** (first / 365.25))
    assert index[-1] == pytest.approx(index[first] * 0.5 ** ((len(index) - 1 - first) / 365.25))


def test_months_and_days_grow_alike() -> None:
    made = WhatIf(story(ENABLE, grow(30))).result
    (use,) = made.uses
    for flow, part in (("already", "without"), ("added", "added")):
        daily = getattr(made.daily(use, connected=True), part).sum(axis=0) / 1e9
        assert made.total(CLOUD, flow).gb.sum(axis=0) == pytest.approx(daily)  # type: ignore[arg-type]


def test_growth_is_told_and_no_growth_changes_nothing() -> None:
    assert "growth" in WhatIf(story(ENABLE, grow(4))).codes()
    plain, nil = (WhatIf(story(ENABLE, *more)).daily()[1] for more in ((), (grow(0),)))
    assert (plain == nil).all()


def test_the_grant_grows_with_its_users() -> None:
    plain, grown = (WhatIf(story(ENABLE, *more)) for more in ((), (grow(100),)))
    for one in (plain, grown):
        object.__setattr__(one.tenant, "grant_users", 2)
    (before,) = [case for case in plain.priced()[0].cases if case.code == "grant_unused"]
    (after,) = [case for case in grown.priced()[0].cases if case.code == "grant_unused"]
    assert before.added.mean < plain.priced()[0].added.sum(axis=0).mean()
    assert after.added.mean > before.added.mean  # volumes double within the year, and so does the grant


# ---------------------------------------------------------------- ramps


def test_a_ramp_joins_evenly_and_ends_as_all_at_once() -> None:
    at_once, ramped = (WhatIf(story(one)).result for one in (ENABLE, ramp(30)))
    (use,) = at_once.uses
    whole, risen = (one.daily(use, connected=True).added for one in (at_once, ramped))
    share = np.minimum((np.arange(92) + 1) / 30, 1.0)
    assert risen == pytest.approx(whole * share[:, None])
    assert (risen[29:] == whole[29:]).all()


def test_a_wave_adds_nothing_before_its_day_and_all_waves_are_all_at_once_after_the_last() -> None:
    last = dt.date(2026, 11, 15)
    waves = story(ramp(1, dt.date(2026, 10, 20), department=("Finance",)), ramp(20, last, department=("Legal",)))
    in_waves, at_once = WhatIf(waves).result, WhatIf(story(ENABLE)).result
    (use,) = at_once.uses
    added, whole = (one.daily(use, connected=True).added for one in (in_waves, at_once))
    assert not added[: day_number(2026, 10, 20)].any()
    assert (added[day_number(2026, 10, 20)] > 0).all()
    done = day_number(2026, 11, 15) + 19
    assert added[done:] == pytest.approx(whole[done:])
    assert (added[done - 1] < whole[done - 1]).all()


def test_a_mailbox_joins_with_the_change_that_is_done_first() -> None:
    everybody = ramp(60)
    finance = ramp(1, dt.date(2026, 10, 20), department=("Finance",))
    both, apart = (
        WhatIf(story(*changes)).daily()[1]
        for changes in ((everybody, finance), (ramp(60, department=("Legal",)), finance))
    )
    assert both == pytest.approx(apart)


def test_a_feed_that_connects_during_a_ramp_sees_who_has_joined() -> None:
    day = dt.date(2026, 10, 16)
    connect = Connect(kind="connect", feed=CLOUD, **{FROM: day})
    late = WhatIf(story(ramp(30), connect, connected=False)).daily()[1]
    whole = WhatIf(story(ramp(30))).daily()[1]
    assert not late[:15].any()
    assert late[15:] == pytest.approx(whole[15:])


def test_the_month_at_the_end_is_taken_after_the_ramp() -> None:
    cost, _ = WhatIf(story(ramp(45))).priced()
    assert cost.run.months == ("2026-12",)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 40), st.integers(1, 60), st.integers(0, 80))
def test_a_course_never_falls_and_never_passes_the_whole(start: int, days: int, cut: int) -> None:
    whole = Course.joining(start, days).shares(100)
    assert (np.diff(whole) >= 0).all()
    assert whole[:start].sum() == 0
    assert (whole[start + days - 1 :] == 1).all()
    assert whole[start] == pytest.approx(1 / days)
    later = Course.joining(start, days).not_before(cut).shares(100)
    assert (later == np.where(np.arange(100) < cut, 0, whole)).all()
