"""The days of a scenario: its horizon, and from when and until when a feed flows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from estimator.scenario import Connect, Disconnect, FeedState, Scenario, default_scenario


def make(**keys: Any) -> Scenario:
    base: dict[str, Any] = {
        "schema_version": 1, "id": "s", "title": "S", "start": dt.date(2027, 1, 1),
        "feeds": (FeedState(id="raw-management-api", connected=True),),
    }  # fmt: skip
    return Scenario(**{**base, **keys})


# ------------------------------------------------------------------ the horizon


@pytest.mark.parametrize(
    ("as_of", "start", "end"),
    [
        ("2026-11-23", "2026-12-01", "2027-12-01"),
        ("2026-12-01", "2027-01-01", "2028-01-01"),
        ("2026-12-31", "2027-01-01", "2028-01-01"),
        ("2027-01-31", "2027-02-01", "2028-02-01"),
        ("2028-02-29", "2028-03-01", "2029-03-01"),
    ],
)
def test_the_default_scenario(as_of: str, start: str, end: str) -> None:
    story = default_scenario(dt.date.fromisoformat(as_of), ["sentinel-officeactivity", "splunk-o365"], "DE")
    assert (str(story.start), str(story.end), story.months) == (start, end, 12)
    assert [change.kind for change in story.changes] == ["enable", "connect", "connect"]
    assert story.feed_ids() == ["sentinel-officeactivity", "splunk-o365"]
    assert story.connected_today("splunk-o365") is False
    assert story.connected_from("splunk-o365") == story.start


@pytest.mark.parametrize(
    ("start", "months", "end", "days"),
    [
        ("2027-01-01", 1, "2027-02-01", 31),
        ("2027-01-31", 1, "2027-02-28", 28),
        ("2028-01-31", 1, "2028-02-29", 29),
        ("2027-01-31", 3, "2027-04-30", 89),  # 28 + 31 + 30
        ("2027-02-28", 1, "2027-03-28", 28),
        ("2027-11-30", 3, "2028-02-29", 91),  # 31 + 31 + 29
        ("2027-12-31", 2, "2028-02-29", 60),
        ("2027-12-15", 1, "2028-01-15", 31),
        ("2028-02-29", 12, "2029-02-28", 365),
        ("2027-01-01", 60, "2032-01-01", 1826),  # 2028 is a leap year
    ],
)
def test_the_horizon_ends_with_the_month_at_the_latest(start: str, months: int, end: str, days: int) -> None:
    story = make(start=dt.date.fromisoformat(start), months=months)
    assert (str(story.end), len(story.days)) == (end, days)


# ------------------------------------------------------------------ feeds


def test_what_is_connected_today_and_later() -> None:
    story = make(
        feeds=(
            FeedState(id="sentinel-officeactivity", connected=True), FeedState(id="splunk-o365", connected=False),
            FeedState(id="elastic-o365"), FeedState(id="raw-management-api"),
        ),
        changes=(
            Connect(kind="connect", feed="elastic-o365", from_=dt.date(2027, 2, 1)),
            Connect(kind="connect", feed="sentinel-cloudappevents"),
            Disconnect(kind="disconnect", feed="elastic-o365", from_=dt.date(2027, 5, 1)),
            Disconnect(kind="disconnect", feed="sentinel-officeactivity"),
        ),
    )  # fmt: skip
    today = {feed: story.connected_today(feed) for feed in story.feed_ids()}
    assert today == {
        "sentinel-officeactivity": True, "splunk-o365": False,
        "elastic-o365": False,  # what the scenario connects is taken not to flow yet
        "raw-management-api": None,  # nobody said
        "sentinel-cloudappevents": False,
    }  # fmt: skip
    assert {feed: str(story.connected_from(feed)) for feed in story.feed_ids()} == {
        "sentinel-officeactivity": "None", "splunk-o365": "None", "elastic-o365": "2027-02-01",
        "raw-management-api": "None", "sentinel-cloudappevents": "2027-01-01",
    }  # fmt: skip
    assert {feed: str(story.disconnected_from(feed)) for feed in story.feed_ids()} == {
        "sentinel-officeactivity": "2027-01-01", "splunk-o365": "None", "elastic-o365": "2027-05-01",
        "raw-management-api": "None", "sentinel-cloudappevents": "None",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("feed", "day", "flows"),
    [
        ("sentinel-officeactivity", "2027-04-30", True),  # connected, and disconnected on 1 May
        ("sentinel-officeactivity", "2027-05-01", False),
        ("sentinel-cloudappevents", "2027-01-01", True),  # not yet, but from 1 March on
        ("splunk-o365", "2027-01-01", False),
        ("elastic-o365", "2027-12-31", True),  # nobody said: it may
    ],
)
def test_whether_a_feed_flows_on_a_day_or_later(feed: str, day: str, flows: bool) -> None:
    story = make(
        feeds=(
            FeedState(id="sentinel-officeactivity", connected=True), FeedState(id="splunk-o365", connected=False),
            FeedState(id="elastic-o365"),
        ),
        changes=(
            Disconnect(kind="disconnect", feed="sentinel-officeactivity", from_=dt.date(2027, 5, 1)),
            Connect(kind="connect", feed="sentinel-cloudappevents", from_=dt.date(2027, 3, 1)),
        ),
    )  # fmt: skip
    assert story.flows_on_or_after(feed, dt.date.fromisoformat(day)) is flows
