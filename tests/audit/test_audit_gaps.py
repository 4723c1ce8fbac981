"""What days of a sample are missing: a date far off must not cost time, and what is normal is the others' median."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import pytest
from audit_exports import as_jsonl, record, write
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.audit import reduce
from estimator.audit.doctor.gaps import Timeline


def test_one_wrong_date_among_records_costs_no_time(tmp_path: Path) -> None:
    """Two hundred years of silence took half a minute while each silent day was compared with every other."""
    far = [record(1, CreationTime="1900-01-01T00:00:00"), record(2, CreationTime="2100-12-31T23:00:00")]
    path = write(tmp_path / "a.jsonl", as_jsonl([record(0), *far]))
    start = time.process_time()
    assert reduce([path]).read == 3
    assert time.process_time() - start < 10


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=3, max_size=40), st.integers(0, 39))
def test_a_silent_weekend_day_is_compared_with_the_median_of_the_others(totals: list[int], pick: int) -> None:
    first = date(2026, 9, 5)  # a Saturday
    days = [first + timedelta(days=7 * week) for week in range(len(totals))]
    weekdays = [(first + timedelta(days=2), 9, 5)]  # a Monday, so that the days between are there
    line = Timeline.of([*((day, 9, total) for day, total in zip(days, totals, strict=True)), *weekdays])
    day = days[pick % len(days)]
    others = [line.totals[other] for other in line.totals if other.weekday() == day.weekday() and other != day]
    assert line.normal_day(day) == pytest.approx(median(others))
