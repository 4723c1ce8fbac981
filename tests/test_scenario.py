"""Scenario files: what is refused and in which words; what is enabled for whom from when."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from estimator import catalog
from estimator.errors import ScenarioError, UsageError
from estimator.pipeline import estimate
from estimator.scenario import Connect, Enable, FeedState, Scenario, default_scenario, enabled, load_scenario
from tests.conftest import SCENARIO, Tenant, write

BAD = sorted((Path(__file__).parent / "bad_inputs" / "scenarios").glob("*.toml"))
#: Refused only when a tenant and price tables stand beside them.
IN_CONTEXT = {"where_", "plan_unknown", "commitment_unknown", "budget_in_another"}
MIA, SEND = "Exchange/MailItemsAccessed", "Exchange/Send"


def says(path: Path) -> list[str]:
    return re.findall(r"^# says: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def alone(path: Path) -> bool:
    return not any(path.stem.startswith(name) for name in IN_CONTEXT)


def check(error: ScenarioError, path: Path) -> None:
    message = str(error)
    assert error.exit_code == 3
    assert message.startswith(str(path))
    assert says(path)
    for words in says(path):
        assert words in message
    for strange in ("pydantic", "Value error", "pattern", "Traceback"):
        assert strange not in message


# ------------------------------------------------------------------ bad files


@pytest.mark.parametrize("path", [path for path in BAD if alone(path)], ids=lambda path: path.stem)
def test_a_bad_scenario_is_refused_in_words_that_help(path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    check(caught.value, path)
    assert " problems" not in str(caught.value)  # one mistake, one problem


@pytest.mark.parametrize("path", [path for path in BAD if not alone(path)], ids=lambda path: path.stem)
def test_a_scenario_that_does_not_fit_its_tenant_is_refused(path: Path, tenant: Tenant) -> None:
    load_scenario(path)
    with pytest.raises(ScenarioError) as caught:
        estimate(tenant(), scenarios=[path], as_of=dt.date(2026, 11, 23), draws=200)
    check(caught.value, path)


def test_the_scenario_the_others_are_made_from_is_good(tmp_path: Path) -> None:
    story = load_scenario(write(tmp_path / "good.toml", "\ufeff" + SCENARIO))
    assert (story.id, story.months, story.end) == ("enable-and-connect", 3, dt.date(2027, 4, 1))
    assert story.feed_ids() == ["sentinel-officeactivity", "sentinel-cloudappevents"]


def test_all_problems_of_a_file_are_reported_together(tmp_path: Path) -> None:
    path = write(
        tmp_path / "many.toml",
        """\
schema_version = 1
id = "Many"
title = "Many"
start = "2027-01-01"
months = -3
currency = "USD"
feeds = [{ id = "splunk" }]
changes = [
  { kind = "drop" },
  { kind = "enabel" },
  { kind = "enable", operations = ["Exchange/Sent"], form = 2027-01-01 },
  { kind = "connect", feed = "elastic" },
]
plans = [{ id = "a", discount_percent = -1 }]
budget = { monthly = "50", currency = "usd" }
""",
    )
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    first, *problems = str(caught.value).splitlines()
    assert first == f"{path}: 13 problems"
    assert sorted(problem.strip().partition(": ")[0] for problem in problems) == sorted(
        ["id", "start", "months", "currency", "feeds[0].id", "changes[0]", "changes[1].kind",
         "changes[2].operations[0]", "changes[2].form", "changes[3].feed", "plans[0].discount_percent",
         "budget.monthly", "budget.currency"]
    )  # fmt: skip


def test_a_file_that_is_not_there_is_a_mistake_on_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml: there is no such scenario file"):
        load_scenario(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", "title = 'Bücher'".encode("latin-1")])
def test_what_is_no_text_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ScenarioError, match=r"^x\.toml: cannot be read: .*utf-8"):
        load_scenario(write(tmp_path / "x.toml", content), "x.toml")


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario(tmp_path)


# ------------------------------------------------------------------ dates


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


def make(**keys: Any) -> Scenario:
    base: dict[str, Any] = {
        "schema_version": 1, "id": "s", "title": "S", "start": dt.date(2027, 1, 1),
        "feeds": (FeedState(id="raw-management-api", connected=True),),
    }  # fmt: skip
    return Scenario(**{**base, **keys})


def test_what_is_connected_today() -> None:
    story = make(
        feeds=(
            FeedState(id="sentinel-officeactivity", connected=True), FeedState(id="splunk-o365", connected=False),
            FeedState(id="elastic-o365"), FeedState(id="raw-management-api"),
        ),
        changes=(
            Connect(kind="connect", feed="elastic-o365", from_=dt.date(2027, 3, 1)),
            Connect(kind="connect", feed="elastic-o365", from_=dt.date(2027, 2, 1)),
            Connect(kind="connect", feed="sentinel-cloudappevents"),
        ),
    )  # fmt: skip
    today = {feed: story.connected_today(feed) for feed in story.feed_ids()}
    assert today == {
        "sentinel-officeactivity": True, "splunk-o365": False,
        "elastic-o365": False,  # what the scenario connects is taken not to flow yet
        "raw-management-api": None,  # nobody said
        "sentinel-cloudappevents": False,
    }  # fmt: skip
    assert story.connected_from("elastic-o365") == dt.date(2027, 2, 1)
    assert story.connected_from("sentinel-cloudappevents") == dt.date(2027, 1, 1)
    assert story.connected_from("splunk-o365") is None


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


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, ["ann", "bob", "cyd", "dan"]),
        ({"department": ("FINANCE",)}, ["ann", "bob"]),
        ({"department": ("Finance", "IT")}, ["ann", "bob", "cyd"]),
        ({"department": ("",)}, ["dan"]),
        ({"department": ("finance",), "audit_tier": ("standard",)}, ["bob"]),
        ({"audit_enabled": ("false",)}, ["cyd"]),
        ({"mailbox": ("dan",)}, ["dan"]),
    ],
)
def test_where(where: dict[str, tuple[str, ...]], expected: list[str]) -> None:
    assert list(chosen(enable(**where))) == expected


def test_newly_available_is_every_operation_of_the_catalogue_that_is() -> None:
    parts = enabled(make(changes=(enable(operations=("newly-available",)),)), BOXES, "s.toml")
    assert [part.operation for part in parts] == catalog.newly_available()
    assert {MIA, SEND, "Exchange/AttachmentAccess", "Exchange/Create"} <= {part.operation for part in parts}


def test_a_file_may_spell_columns_operations_and_single_values_freely(tmp_path: Path) -> None:
    story = load_scenario(
        write(
            tmp_path / "s.toml",
            SCENARIO.replace('"newly-available"', '"exchange/MAILITEMSACCESSED"')
            .replace('kind       = "enable"', 'kind = "enable"\nwhere = { Department = "Finance" }\nfrom = 2027-02-01'),
        )
    )  # fmt: skip
    change = story.changes[0]
    assert isinstance(change, Enable)
    assert (change.operations, change.where, change.from_) == (
        (MIA,), {"department": ("Finance",)}, dt.date(2027, 2, 1),
    )  # fmt: skip
