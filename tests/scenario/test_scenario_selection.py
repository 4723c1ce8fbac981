"""What is enabled for whom from when, and what is dropped of what."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from estimator import catalog
from estimator.errors import ScenarioError
from estimator.scenario import (
    Connect,
    Disconnect,
    Drop,
    Dropped,
    Enable,
    FeedState,
    Scenario,
    Where,
    dropped,
    enabled,
    enabled_operations,
)

MIA, SEND = "Exchange/MailItemsAccessed", "Exchange/Send"
OFFICE, CLOUD, SPLUNK = "sentinel-officeactivity", "sentinel-cloudappevents", "splunk-o365"


def make(**keys: Any) -> Scenario:
    base: dict[str, Any] = {
        "schema_version": 1, "id": "s", "title": "S", "start": dt.date(2027, 1, 1),
        "feeds": (FeedState(id="raw-management-api", connected=True),),
    }  # fmt: skip
    return Scenario(**{**base, **keys})


# ------------------------------------------------------------------ enabled

BOXES = pd.DataFrame(
    {
        "mailbox": ["ann", "bob", "cyd", "dan"],
        "department": ["Finance", "finance", "IT", ""],
        "audit_tier": ["premium", "standard", "standard", "none"],
        "audit_enabled": [True, True, False, True],
    }
).astype({"mailbox": "str", "department": "str", "audit_tier": "str"})


def chosen(*changes: Enable, operation: str = MIA) -> dict[str, str]:
    parts = enabled(make(changes=changes), BOXES, "s.toml")
    return {box: str(part.day) for part in parts if part.operation == operation for box in part.mailboxes}


def enable(day: str | None = None, operations: tuple[str, ...] = (MIA,), **where: tuple[str, ...]) -> Enable:
    start = None if day is None else dt.date.fromisoformat(day)
    return Enable(kind="enable", operations=operations, where=where, from_=start)


@pytest.mark.parametrize("order", [1, -1])
def test_where_two_changes_overlap_the_earlier_day_wins(order: int) -> None:
    waves = (enable("2027-03-01"), enable("2027-02-01", department=("Finance",)))[::order]
    assert chosen(*waves) == {"ann": "2027-02-01", "bob": "2027-02-01", "cyd": "2027-03-01", "dan": "2027-03-01"}


def test_without_a_day_a_change_holds_from_the_start() -> None:
    assert chosen(enable(), enable("2027-02-01")) == dict.fromkeys(("ann", "bob", "cyd", "dan"), "2027-01-01")


def test_operations_are_independent() -> None:
    changes = enable("2027-02-01", (MIA, SEND), audit_tier=("standard",)), enable("2027-01-01", (SEND,))
    assert chosen(*changes) == {"bob": "2027-02-01", "cyd": "2027-02-01"}
    assert set(chosen(*changes, operation=SEND).values()) == {"2027-01-01"}


def test_where_leaves_mailboxes_out() -> None:
    some = Enable(kind="enable", operations=(MIA,), where={"not": {"department": ["Finance"]}})
    assert list(chosen(some)) == ["cyd", "dan"]


def test_newly_available_is_every_operation_of_the_catalogue_that_is() -> None:
    parts = enabled(make(changes=(enable(operations=("newly-available",)),)), BOXES, "s.toml")
    assert [part.operation for part in parts] == catalog.newly_available()
    assert {MIA, SEND, "Exchange/AttachmentAccess", "Exchange/Create"} <= {part.operation for part in parts}


# ------------------------------------------------------------------ dropped

SAMPLE = pd.DataFrame(
    {
        "subject": ["ann", "ann", "bob", "https://site"],
        "workload": ["Exchange", "Exchange", "Exchange", "SharePoint"],
        "operation": ["MailItemsAccessed", "MailItemsAccessed", "send", "FileAccessed"],
        "access_type": ["Bind", "Sync", "", ""],
        "app_id": ["", "backup", "", "backup"],
    }
).astype("str")
FEEDS = (
    FeedState(id=OFFICE, connected=True),
    FeedState(id=CLOUD, connected=False),
    FeedState(id=SPLUNK),
    FeedState(id="elastic-o365", connected=False),
)
CHANGES = (
    Connect(kind="connect", feed=CLOUD, from_=dt.date(2027, 3, 1)),
    Disconnect(kind="disconnect", feed=OFFICE, from_=dt.date(2027, 6, 1)),
)


def drops(*changes: dict[str, Any], sample: pd.DataFrame | None = SAMPLE) -> list[Dropped]:
    told = (Drop.model_validate({"kind": "drop", **change}) for change in changes)
    return dropped(make(feeds=FEEDS, changes=(*CHANGES, *told)), BOXES, sample, "s.toml")


def test_a_drop_of_an_operation_is_one_of_every_feed_that_flows_then() -> None:
    whole, late = drops({"operations": (MIA,)}, {"operations": (MIA, "exchange/SEND"), "from": dt.date(2027, 6, 1)})
    # Cloud flows from March on; Elastic never; of Splunk nobody knows.
    assert whole == Dropped((OFFICE, CLOUD, SPLUNK), frozenset({MIA}), dt.date(2027, 1, 1), None, Where(), "changes[2]")
    assert late == Dropped((CLOUD, SPLUNK), frozenset({MIA, SEND}), dt.date(2027, 6, 1), None, Where(), "changes[3]")


def test_a_drop_of_a_feed_is_one_of_every_operation() -> None:
    one, several = drops({"feed": SPLUNK}, {"feeds": (OFFICE, SPLUNK)})
    assert (one.feeds, one.operations, one.mailboxes) == ((SPLUNK,), None, None)
    assert (several.feeds, several.operations) == ((OFFICE, SPLUNK), None)


def test_newly_available_is_written_out() -> None:
    (one,) = drops({"operations": ("newly-available",)})
    assert one.operations == frozenset(catalog.newly_available())


def test_a_drop_for_mailboxes_names_them() -> None:
    (one,) = drops({"where": {"department": "Finance", "not": {"audit_tier": "premium"}}})
    assert one.mailboxes == frozenset({"bob"})
    (records,) = drops({"where": {"application": "backup"}})
    assert records.mailboxes is None  # of sites and the tenant as well
    assert records.where.record_columns == {"application": ("backup",)}
    (both,) = drops({"where": {"access_type": "Sync", "not": {"department": "IT"}}})
    assert both.mailboxes == frozenset({"ann", "bob", "dan"})


def test_records_are_looked_for_among_the_operations_and_mailboxes_of_the_drop() -> None:
    drops({"where": {"application": "backup"}}, {"operations": (MIA,), "where": {"application": "backup"}})
    drops({"operations": (SEND, MIA), "where": {"access_type": "Sync"}})  # of one of them is enough
    with pytest.raises(ScenarioError, match=r"s\.toml:changes\[2\]\.where: application = .* none of the 1 rows"):
        drops({"operations": (SEND,), "where": {"application": "backup"}})
    with pytest.raises(ScenarioError, match=r"access_type = .*Sync.* none of the 1 rows"):
        drops({"where": {"mailbox": "bob", "access_type": "Sync"}})


@pytest.mark.parametrize("sample", [None, SAMPLE.iloc[:0]])
def test_without_a_sample_nothing_tells_the_share_of_an_access_type(sample: pd.DataFrame | None) -> None:
    drops({"operations": (MIA,), "where": {"department": "IT"}}, sample=sample)  # needs none
    with pytest.raises(ScenarioError) as caught:
        drops({"where": {"not": {"access_type": "Bind"}}}, sample=sample)
    assert str(caught.value) == (
        "s.toml:changes[2].where: not access_type Bind: without an audit sample nothing tells which share of the "
        "records that is; expected an audit export in the tenant folder. Add one, or drop whole operations, feeds or "
        "mailboxes."
    )


def test_what_enables_nothing_has_no_operations() -> None:
    story = make(feeds=FEEDS, changes=(*CHANGES, Enable(kind="enable", operations=(SEND, SEND))))
    assert enabled_operations(story) == [SEND]
    assert enabled_operations(make(feeds=FEEDS, changes=CHANGES)) == []
