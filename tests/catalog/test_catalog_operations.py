from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from estimator import catalog
from estimator.catalog import AuditTier, Operation, PublishedRate, Size
from estimator.errors import ScenarioError, UsageError

OPERATIONS = catalog.operations()


def sizes(one: Operation) -> list[Size]:
    return [size for size in (one.size, *one.size_by_access_type.values()) if size is not None]


def test_thirty_moved_and_two_added() -> None:
    moved = [one for one in OPERATIONS.values() if one.moved_to_standard]
    assert Counter(one.workload for one in moved) == {
        "Exchange": 3,
        "SharePoint": 1,
        "MicrosoftTeams": 15,
        "Yammer": 6,
        "MicrosoftStream": 5,
    }
    added = {key for key in catalog.newly_available() if not OPERATIONS[key].moved_to_standard}
    assert added == {"Exchange/AttachmentAccess", "Exchange/Create"}
    assert len(catalog.newly_available()) == 32
    assert all(one.licence_before == "premium" and one.licence == "standard" for one in moved)


def test_stream_classic_is_retired_and_nothing_else() -> None:
    retired = {key for key, one in OPERATIONS.items() if one.status == "retired"}
    assert retired == {key for key in OPERATIONS if key.startswith("MicrosoftStream/")}
    assert len(retired) == 5
    assert all((one := OPERATIONS[key].retired) and one.reason and one.on.year == 2024 for key in retired)
    assert not retired & set(catalog.newly_available(retired=False))
    assert len(catalog.newly_available(retired=False)) == 27


def test_message_updated_is_two_operations() -> None:
    twice = [key for key in catalog.newly_available() if key.endswith("/MessageUpdated")]
    assert twice == ["MicrosoftTeams/MessageUpdated", "Yammer/MessageUpdated"]


def test_only_mail_items_accessed_has_a_published_rate() -> None:
    rated = {key: one.published_rate for key, one in OPERATIONS.items() if one.published_rate}
    assert list(rated) == ["Exchange/MailItemsAccessed"]
    rate = rated["Exchange/MailItemsAccessed"]
    assert (rate.low, rate.high, rate.source) == (30, 40, "redmond")
    assert [key for key, one in OPERATIONS.items() if one.derived_from] == ["Exchange/Send"]


def test_what_applications_cause() -> None:
    new = [OPERATIONS[key] for key in catalog.newly_available()]
    assert sum(one.caused_by == "applications" for one in new) == 13
    assert OPERATIONS["MicrosoftTeams/MeetingDetail"].caused_by == "people"


@pytest.mark.parametrize("one", OPERATIONS.values(), ids=OPERATIONS)
def test_every_figure_has_basis_and_source(one: Operation) -> None:
    known = catalog.sources()
    figures: list[Size | PublishedRate] = [*sizes(one), *([one.published_rate] if one.published_rate else [])]
    for figure in figures:
        assert figure.basis == "published"
        assert figure.source in known
    for size in sizes(one):
        assert 0 < size.low <= size.mean <= size.high
        assert size.n >= 1
    assert one.sources
    assert set(one.sources) <= known.keys()
    assert one.trigger
    assert one.content_type in {
        "Audit.Exchange",
        "Audit.SharePoint",
        "Audit.General",
        "Audit.AzureActiveDirectory",
    }


@pytest.mark.parametrize("one", OPERATIONS.values(), ids=OPERATIONS)
def test_what_is_off_says_how_to_switch_it_on(one: Operation) -> None:
    assert (one.enable_how is not None) == (not one.on_by_default) == (one.status == "optional")
    if one.mailbox_action and one.enable_how:
        assert one.mailbox_action.action in one.enable_how


def test_mailbox_actions_of_the_default_set() -> None:
    """The table of audit-mailboxes: which logon types gained what since 2023."""
    tiers: tuple[AuditTier, ...] = ("standard", "premium")
    gained = {
        tier: {
            one.mailbox_action.action: set(one.mailbox_action.gained(tier))
            for key in catalog.mailbox_operations()
            if (one := OPERATIONS[key]).mailbox_action and one.mailbox_action.gained(tier)
        }
        for tier in tiers
    }
    both = {"AttachmentAccess": {"admin", "delegate", "owner"}, "Create": {"owner"}}
    assert gained["premium"] == both
    assert gained["standard"] == both | {
        "MailItemsAccessed": {"admin", "delegate", "owner"},
        "Send": {"admin", "owner"},
    }
    actions = {OPERATIONS[key].mailbox_action for key in catalog.mailbox_operations()}
    assert len({one.action for one in actions if one and one.default}) == 14
    optional = {one.action for one in actions if one and one.optional}
    assert optional == {
        "Copy",
        "FolderBind",
        "MailboxLogin",
        "MessageBind",
        "Move",
        "RecordDelete",
        "SearchQueryInitiated",
    }
    for action in actions:
        assert action is not None
        assert {"room", "equipment", "public_folder"} <= action.never_on
        assert bool(action.group_default) + ("group" in action.never_on) + ("group" in action.unverified_on) == 1
    by_action = {one.action: one for one in actions if one}
    assert "group" in by_action["MailItemsAccessed"].never_on


def test_lookup_by_alias_and_case() -> None:
    assert catalog.operation("exchange/mailitemsaccessed").id == "Exchange/MailItemsAccessed"
    assert catalog.operation("Exchange/SearchQueryInitiated").id == "Exchange/SearchQueryInitiatedExchange"
    assert catalog.operation("MicrosoftTeams/SubscribedtoMessages").id == "MicrosoftTeams/SubscribedToMessages"


def test_unknown_operation_names_the_nearest_and_the_file() -> None:
    with pytest.raises(UsageError, match="nearest: 'Exchange/MailItemsAccessed'"):
        catalog.operation("Exchange/MailItemAccessed")
    with pytest.raises(ScenarioError, match=r"^wave\.toml:changes\.0: the operation 'MailItemsAccessed' is unknown"):
        catalog.operation("MailItemsAccessed", path="wave.toml", place="changes.0")


def test_size_falls_back_from_access_type_to_workload_to_all() -> None:
    key = "Exchange/MailItemsAccessed"
    bind, sync = catalog.size_of(key, "Bind"), catalog.size_of(key, "Sync")
    assert (bind.mean, sync.mean) == (1708, 1310)
    assert bind.fit
    assert bind.fit_2026
    assert bind.fit.bytes_at(4) == pytest.approx(1774.8)  # the Splunk record of 2024 with 4 items has 1,754
    assert bind.fit.bytes_at(3.56) == pytest.approx(bind.mean, rel=0.01)
    assert bind.low < bind.fit_2026.bytes_at(3.56) < bind.high
    assert catalog.size_of(key).mean == pytest.approx((288 * 1708 + 30 * 1310) / 318, abs=0.5)
    assert catalog.size_of("MicrosoftTeams/MessageSent").mean == 732
    assert catalog.size_of("AzureActiveDirectory/Add user.").mean == 1849
    fallback = catalog.size_of("Planner/TaskListRead")
    assert (fallback.mean, fallback.p50, fallback.p95, fallback.basis) == (1348, 1286, 2125, "assumed")
    assert fallback.source in catalog.sources()


def test_results_cannot_spoil_the_cache() -> None:
    catalog.operations().clear()
    assert len(catalog.operations()) == len(OPERATIONS)


# ---------------------------------------------------------------- against the reference files


def test_every_operation_of_the_reference_is_here(reference: Path) -> None:
    text = (reference / "audit_events.yaml").read_text(encoding="utf-8")
    entries = re.split(r'\n  - id: "', text)[1:]
    assert len(entries) == 53
    for entry in entries:
        found = dict(re.findall(r'^    (\w+): "?([^"\n]*)"?$', entry, re.MULTILINE))
        one = OPERATIONS[f"{found['workload']}/{found['operation']}"]
        assert one.content_type == found["content_type"]
        assert one.moved_to_standard == (found["moved_to_standard_2023_24"] == "true")
        assert one.on_by_default == (found["on_by_default"] == "true")
        assert (one.licence == "standard") == (found["standard_after"] == "true")
        assert one.record_types == tuple(map(int, re.findall(r"\d+", found["record_type"])))


def test_sizes_are_the_measured_ones(reference: Path) -> None:
    """Means stand in record_sizes.csv; ranges cover every unmasked AuditData sample of the operation."""
    unmasked = {"invictus-o365_dataset", "huntress-ctf-2023", "splunk-security_content"}
    measured: dict[str, list[tuple[int, int]]] = {}
    with (reference / "record_sizes.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["source"] in unmasked:
                measured.setdefault(row["operation"], []).append((int(row["n"]), int(row["mean_bytes"])))
    checked = 0
    for one in OPERATIONS.values():
        if one.size is None or one.name not in measured or one.size_by_access_type:
            continue
        assert (one.size.n, one.size.mean) in measured[one.name], one.id
        assert all(one.size.low <= mean <= one.size.high for _, mean in measured[one.name]), one.id
        checked += 1
    assert checked >= 15
