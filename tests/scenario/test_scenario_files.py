"""Scenario files: which are refused and in which words, and what may be spelt freely."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pandas as pd
import pytest

from estimator.errors import ScenarioError, UsageError
from estimator.pipeline import estimate
from estimator.scenario import Drop, Enable, Where, dropped, load_scenario, routed
from tests.conftest import SCENARIO, Tenant, write

BAD = sorted((Path(__file__).parent.parent / "bad_inputs" / "scenarios").glob("*.toml"))
#: Refused only when a tenant and price tables stand beside them.
IN_CONTEXT = ("where_", "plan_unknown", "commitment_unknown", "budget_in_another", "route_to_an_unknown_tier",
              "route_to_a_tier_that", "price_of_an_unknown")  # fmt: skip
#: Refused only when a sample does.
SAMPLED = "sample_"
MIA = "Exchange/MailItemsAccessed"


def says(path: Path) -> list[str]:
    return re.findall(r"^# says: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def check(error: ScenarioError, path: Path) -> None:
    message = str(error)
    assert error.exit_code == 3
    assert message.startswith(str(path))
    assert says(path)
    for words in says(path):
        assert words in message
    for strange in ("pydantic", "Value error", "pattern", "Traceback"):
        assert strange not in message


def files(*, context: bool = False, sampled: bool = False) -> list[Path]:
    """The bad files that need a tenant, a sample, or nothing beside them."""
    return [
        path for path in BAD if path.stem.startswith(IN_CONTEXT) is context and path.stem.startswith(SAMPLED) is sampled
    ]


# ------------------------------------------------------------------ bad files


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_a_bad_scenario_is_refused_in_words_that_help(path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    check(caught.value, path)
    assert " problems" not in str(caught.value)  # one mistake, one problem


@pytest.mark.parametrize("path", files(context=True), ids=lambda path: path.stem)
def test_a_scenario_that_does_not_fit_its_tenant_is_refused(path: Path, tenant: Tenant) -> None:
    load_scenario(path)
    with pytest.raises(ScenarioError) as caught:
        estimate(tenant(), scenarios=[path], as_of=dt.date(2026, 11, 23), draws=200)
    check(caught.value, path)


#: Two records of one mailbox, both Bind, and a search.
SAMPLE = pd.DataFrame(
    {
        "subject": ["ann", "ann", "ann"],
        "workload": "Exchange",
        "operation": ["MailItemsAccessed", "MailItemsAccessed", "SearchQueryInitiated"],
        "access_type": ["Bind", "Bind", ""],
        "app_id": ["A91D6AC3-399B", "", ""],
    }
).astype("str")
BOXES = pd.DataFrame({"mailbox": ["ann", "cyd"], "department": ["IT", "Legal"]}).astype("str")


@pytest.mark.parametrize("path", files(sampled=True), ids=lambda path: path.stem)
def test_a_drop_of_records_that_the_sample_does_not_show_is_refused(path: Path) -> None:
    story = load_scenario(path)
    with pytest.raises(ScenarioError) as caught:
        _ = [select(story, BOXES, SAMPLE, str(path)) for select in (dropped, routed)]
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
  { kind = "grow" },
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
        ["id", "start", "months", "currency", "feeds[0].id", "changes[0].mailboxes_percent_per_year", "changes[1].kind",
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


# ------------------------------------------------------------------ spelling


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
        (MIA,), Where(department=("Finance",)), dt.date(2027, 2, 1),
    )  # fmt: skip


def test_a_drop_may_name_one_feed_or_several_and_spell_an_access_type_freely(tmp_path: Path) -> None:
    base = SCENARIO.replace('feed = "sentinel-cloudappevents"', 'feed = "sentinel-cloudappevents"\n{}')
    both = '"sentinel-officeactivity", "sentinel-cloudappevents"'
    for number, (keys, feeds) in enumerate(
        [
            ('feed = "sentinel-officeactivity"', ("sentinel-officeactivity",)),
            (f"feeds = [{both}]", ("sentinel-officeactivity", "sentinel-cloudappevents")),
            ("", ()),
        ]
    ):
        where = '{ Access_Type = "sync", NOT = { application = ["X", "y"] } }'
        text = f'[[changes]]\nkind = "drop"\n{keys}\nwhere = {where}'
        change = load_scenario(write(tmp_path / f"{number}.toml", base.replace("{}", text))).changes[-1]
        assert isinstance(change, Drop)
        assert change.named_feeds == feeds
        assert change.where.record_columns == {"access_type": ("Sync",)}
        assert change.where.not_ is not None
        assert change.where.not_.record_columns == {"application": ("X", "y")}
        assert change.where.words() == "access_type Sync, not application X or y"
