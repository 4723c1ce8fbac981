"""Changes that cannot hold together: all of them are told at once, each with both places."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimator.errors import ScenarioError
from estimator.scenario import load_scenario
from tests.conftest import write

HEAD = """\
schema_version = 1
id     = "s"
title  = "S"
start  = 2027-01-01

feeds = [
  { id = "sentinel-officeactivity", connected = true },
  { id = "splunk-o365", connected = false },
  { id = "elastic-o365" },
]
"""


def test_every_contradiction_of_a_file_is_told_at_its_change(tmp_path: Path) -> None:
    path = write(
        tmp_path / "s.toml",
        HEAD
        + """\
changes = [
  { kind = "drop", feed = "raw-management-api" },
  { kind = "connect", feed = "sentinel-officeactivity" },
  { kind = "connect", feed = "splunk-o365", from = 2027-02-01 },
  { kind = "drop", feeds = ["elastic-o365", "splunk-o365"] },
  { kind = "connect", feed = "splunk-o365", from = 2027-03-01 },
  { kind = "disconnect", feed = "splunk-o365", from = 2027-02-01 },
]
""",
    )
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    first, *problems = str(caught.value).splitlines()
    assert first == f"{path}: 5 problems"
    told = [tuple(problem.strip().split("; expected")[0].split(": ", 1)) for problem in problems]
    assert told == [
        ("changes[0]", "drops from 'raw-management-api', which neither [[feeds]] nor a change of kind 'connect' names"),
        (
            "changes[1]",
            "connects 'sentinel-officeactivity', which [[feeds]] says is connected already (feeds[0]). Take the change "
            "out, or say connected = false.",
        ),
        (
            "changes[3]",
            "drops from 'splunk-o365' on 2027-01-01, when it carries nothing: changes[2] connects it only on "
            "2027-02-01",
        ),
        ("changes[4]", "connects 'splunk-o365', which changes[2] connects already, on 2027-02-01"),
        ("changes[5]", "disconnects 'splunk-o365' on 2027-02-01, and changes[2] connects it that very day"),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        '{ kind = "disconnect", feed = "sentinel-officeactivity" }',
        '{ kind = "disconnect", feed = "elastic-o365", from = 2027-05-01 }',  # nobody said whether it flows
        '{ kind = "connect", feed = "splunk-o365" }, { kind = "disconnect", feed = "splunk-o365", from = 2027-01-02 }',
        '{ kind = "connect", feed = "raw-management-api" }, { kind = "drop", feed = "raw-management-api" }',
        '{ kind = "connect", feed = "splunk-o365", from = 2027-04-01 }, '
        '{ kind = "drop", feed = "splunk-o365", from = 2027-04-01 }',
        '{ kind = "disconnect", feed = "elastic-o365", from = 2027-05-01 }, '
        '{ kind = "drop", feed = "elastic-o365", from = 2027-04-30 }',
        '{ kind = "drop", operations = ["Exchange/Send"] }, { kind = "drop", operations = ["Exchange/Send"] }',
        # One of the feeds carries one of the operations.
        '{ kind = "drop", operations = ["Yammer/ThreadViewed", "Exchange/Send"], feed = "sentinel-officeactivity" }',
    ],
)
def test_what_does_hold_together_is_taken(changes: str, tmp_path: Path) -> None:
    story = load_scenario(write(tmp_path / "s.toml", f"{HEAD}changes = [{changes}]\n"))
    assert len(story.changes) == changes.count("kind")
