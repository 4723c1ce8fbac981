"""Who emits what today and why, against a decision table written by hand from design §4 and audit_events.md §1.1."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import pandas as pd
import pytest

from estimator import catalog, tables
from estimator.inventory import Inventory
from estimator.readiness import Readiness, judge, will_emit
from estimator.scenario import Enabled
from tests.conftest import MANAGED, NEW_SET, OLD_SET

MIA, SEND, CREATE = "Exchange/MailItemsAccessed", "Exchange/Send", "Exchange/Create"
SEARCH, ATTACHMENT = "Exchange/SearchQueryInitiatedExchange", "Exchange/AttachmentAccess"
SEND_AS, UPDATE, COPY = "Exchange/SendAs", "Exchange/Update", "Exchange/Copy"
MONDAY = dt.date(2026, 11, 2)


def box(name: str = "ann", **settings: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "mailbox": f"{name}@contoso.example", "kind": "user", "audit_tier": "standard", "audit_enabled": True,
        "default_audit_set": MANAGED.lower(), "audit_admin": OLD_SET, "audit_delegate": OLD_SET, "audit_owner": OLD_SET,
        "bypassed": False,
    }  # fmt: skip
    return {**row, **settings}


def tenant(*boxes: dict[str, Any]) -> Inventory:
    frame = pd.DataFrame(boxes or (box(),)).sort_values("mailbox", ignore_index=True)
    text = [column for column in frame if column not in ("audit_enabled", "bypassed")]
    return Inventory(frame.astype(dict.fromkeys(text, "str")), tables.ACTIVITY.empty(), 0, {}, [])


def event(name: str = "ann", operation: str = UPDATE, day: int = 0, **fields: Any) -> dict[str, Any]:
    workload, _, verb = operation.partition("/")
    row: dict[str, Any] = {
        "day": MONDAY + dt.timedelta(days=day), "subject": f"{name}@contoso.example", "subject_kind": "mailbox",
        "principal": f"{name}@contoso.example", "workload": workload, "operation": verb, "access_type": "",
        "app_id": "", "throttled": False, "events": 1, "raw_events": 1, "items": 1, "bytes": 1000,
        "size_basis": "auditdata", "weight": 1.0,
    }  # fmt: skip
    return {**row, **fields}


def sample(*events: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(events)[tables.REDUCTION.names].astype({"day": "datetime64[us]"})


def outsider(day: int) -> dict[str, Any]:
    """A record that a search for some mailboxes would not bring: an application's, in SharePoint."""
    return event(
        operation="SharePoint/FileAccessed", day=day, subject="https://contoso/sites/a", subject_kind="site",
        principal="app@sharepoint",
    )  # fmt: skip


def verdict(readiness: Readiness, operation: str, name: str = "ann") -> pd.Series:
    return readiness.of(operation).loc[f"{name}@contoso.example"]


def told(readiness: Readiness, code: str) -> str:
    """The message of the finding of a code, or ''."""
    return next((finding.message for finding in readiness.findings if finding.code == code), "")


class Rule(NamedTuple):
    """One row of the table: what is set, and what that means without any sample."""

    operation: str
    settings: dict[str, Any]
    state: str
    reason: str
    mendable: bool


NEW = {"audit_owner": NEW_SET, "audit_delegate": NEW_SET, "audit_admin": NEW_SET}
CUSTOM = {"audit_owner": "Update,HardDelete", "default_audit_set": "admin,delegate"}
ON, UNCOVERED = "unknown", "on, but the sample does not cover the mailbox"
UNREADABLE = "audit set unreadable, and the sample does not cover the mailbox"
DISABLED = "AuditEnabled is False, and the sample does not cover the mailbox"
UNVERIFIED = "no source says whether group mailboxes log it, and the sample does not cover the mailbox"
#: What settings that say nothing become where the sample covers the mailbox and shows none.
COVERED = {
    UNREADABLE: "audit set unreadable; the covering sample shows none",
    DISABLED: "AuditEnabled is False; the covering sample shows none",
    UNVERIFIED: "no source says whether group mailboxes log it; the covering sample shows none",
}

TABLE = [
    # ---- the set has it
    Rule(MIA, NEW, ON, UNCOVERED, True),
    Rule(SEND, NEW, ON, UNCOVERED, True),
    Rule(CREATE, NEW, ON, UNCOVERED, True),
    Rule(ATTACHMENT, NEW, ON, UNCOVERED, True),
    Rule(UPDATE, {}, ON, UNCOVERED, True),
    Rule(SEND_AS, {}, ON, UNCOVERED, True),
    Rule(SEARCH, {"audit_owner": OLD_SET + ",SearchQueryInitiated"}, ON, UNCOVERED, True),
    Rule(COPY, {"audit_admin": OLD_SET + ",Copy"}, ON, UNCOVERED, True),
    # ---- a managed set that has not been extended yet
    Rule(MIA, {}, "blocked", "MailItemsAccessed is not in the owner set yet", True),
    Rule(SEND, {}, "blocked", "Send is not in the owner set yet", True),
    Rule(CREATE, {}, "blocked", "Create is not in the owner set yet", True),
    Rule(ATTACHMENT, {}, "blocked", "AttachmentAccess is not in the owner set yet", True),
    # ---- in the sets of others only: owners do nearly all of it
    Rule(MIA, {"audit_admin": NEW_SET, "audit_delegate": NEW_SET}, "blocked", "not in the owner set yet", True),
    Rule(CREATE, {"audit_admin": NEW_SET, "audit_delegate": NEW_SET}, "blocked", "not in the owner set yet", True),
    # ---- SendAs is what delegates do; the owner set does not count
    Rule(SEND_AS, {"audit_owner": "Update"}, ON, UNCOVERED, True),
    Rule(SEND_AS, {"audit_delegate": "Update"}, "blocked", "SendAs is not in the delegate set yet", True),
    # ---- customised years ago
    Rule(MIA, CUSTOM, "blocked", "the owner set was customised and lacks MailItemsAccessed", True),
    Rule(SEND, CUSTOM, "blocked", "the owner set was customised and lacks Send", True),
    Rule(UPDATE, CUSTOM, ON, UNCOVERED, True),
    Rule(MIA, {"default_audit_set": "", "audit_owner": ""}, "blocked", "customised and lacks", True),
    Rule(MIA, {"default_audit_set": "", **NEW}, ON, UNCOVERED, True),
    Rule(SEND_AS, {"default_audit_set": "owner", "audit_delegate": ""}, "blocked",
         "the delegate set was customised and lacks SendAs", True),
    # ---- optional actions are nobody's default
    Rule(SEARCH, {}, "blocked", "off until an administrator adds SearchQueryInitiated", True),
    Rule(SEARCH, CUSTOM, "blocked", "off until an administrator adds SearchQueryInitiated", True),
    Rule(SEARCH, NEW, "blocked", "off until an administrator adds SearchQueryInitiated", True),
    # ---- a set that could not be read says nothing
    Rule(MIA, {"audit_owner": None}, "unknown", UNREADABLE, True),
    Rule(SEND, {"audit_admin": None}, "unknown", UNREADABLE, True),
    Rule(SEND, {"audit_delegate": None, **CUSTOM}, "blocked", "customised", True),  # Send has no delegate action
    Rule(SEND_AS, {"audit_owner": None}, ON, UNCOVERED, True),
    Rule(SEARCH, {"audit_admin": None}, "blocked", "off until an administrator adds", True),
    Rule(MIA, {"default_audit_set": None}, "blocked", "MailItemsAccessed is not in the owner set yet", True),
    Rule(MIA, {"default_audit_set": None, **NEW}, ON, UNCOVERED, True),
    # ---- AuditEnabled is ignored while the organisation audits (audit_events.md §1.2), which no export here says
    Rule(MIA, {"audit_enabled": False, **NEW}, "unknown", DISABLED, True),
    Rule(UPDATE, {"audit_enabled": False}, "unknown", DISABLED, True),
    Rule(MIA, {"audit_enabled": False, "audit_owner": None}, "unknown", DISABLED, True),
    # A set without the action is off whichever way the flag counts.
    Rule(MIA, {"audit_enabled": False}, "blocked", "not in the owner set yet; AuditEnabled is False too", True),
    Rule(MIA, {"audit_enabled": False, **CUSTOM}, "blocked", "MailItemsAccessed; AuditEnabled is False too", True),
    Rule(MIA, {"audit_enabled": False, "audit_tier": "none"}, "blocked", "no licence with a mailbox", False),
    # ---- licences
    Rule(MIA, {"audit_tier": "premium", **NEW}, ON, UNCOVERED, True),
    Rule(MIA, {"audit_tier": "standard_unlisted", **NEW}, ON, UNCOVERED, True),
    Rule(MIA, {"audit_tier": "none", **NEW}, "blocked", "the user has no licence with a mailbox", False),
    Rule(UPDATE, {"audit_tier": "none"}, "blocked", "the user has no licence with a mailbox", False),
    Rule(MIA, {"audit_tier": "premium"}, "blocked", "not in the owner set yet", True),
    # ---- kinds
    # What is done in a shared mailbox is done by delegates: their set counts, save for what only owners can do.
    Rule(MIA, {"kind": "shared", "audit_tier": "none"}, "blocked", "not in the delegate set yet", True),
    Rule(MIA, {"kind": "shared", "audit_delegate": NEW_SET}, ON, UNCOVERED, True),
    Rule(MIA, {"kind": "shared", "audit_owner": NEW_SET}, "blocked", "not in the delegate set yet", True),
    Rule(SEND, {"kind": "shared", "audit_tier": "none"}, "blocked", "Send is not in the owner set yet", True),
    Rule(MIA, {"kind": "shared", "audit_tier": "none", **NEW}, ON, UNCOVERED, True),
    Rule(MIA, {"kind": "room", **NEW}, "not_applicable", "room mailboxes do not log it", False),
    Rule(UPDATE, {"kind": "equipment"}, "not_applicable", "equipment mailboxes do not log it", False),
    Rule(SEND, {"kind": "public_folder", **NEW}, "not_applicable", "public folder mailboxes do not log it", False),
    Rule(MIA, {"kind": "group", **NEW}, "not_applicable", "group mailboxes do not log it", False),
    Rule(SEND, {"kind": "group", **NEW}, "not_applicable", "group mailboxes do not log it", False),
    Rule(SEARCH, {"kind": "group"}, "not_applicable", "group mailboxes do not log it", False),
    # Group mailboxes have a fixed set, whatever their settings and licences say.
    Rule(UPDATE, {"kind": "group", "audit_owner": "", "audit_tier": "none"}, ON, UNCOVERED, False),
    Rule(CREATE, {"kind": "group", "audit_tier": "none"}, ON, UNCOVERED, False),
    Rule(SEND_AS, {"kind": "group", "audit_delegate": "", "audit_enabled": False}, ON, UNCOVERED, False),
    Rule("Exchange/UpdateInboxRules", {"kind": "group"}, "not_applicable", "group mailboxes do not log it", False),
    Rule(ATTACHMENT, {"kind": "group"}, "unknown", UNVERIFIED, False),
    # ---- not a matter of mailboxes, or of the past
    Rule("MicrosoftTeams/MeetingDetail", NEW, "not_applicable", "not an action of mailboxes", False),
    Rule("MicrosoftStream/StreamInvokeGetVideo", NEW, "not_applicable", "no longer exists", False),
]  # fmt: skip


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: f"{rule.operation.partition('/')[2]}-{rule.reason[-30:]}")
def test_the_decision_table_without_a_sample(rule: Rule) -> None:
    found = verdict(judge(tenant(box(**rule.settings)), None, [rule.operation]), rule.operation)
    assert (found["state"], found["mendable"]) == (rule.state, rule.mendable)
    assert rule.reason in found["reason"]
    assert found["settings_known"] == (rule.reason not in COVERED)


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: f"{rule.operation.partition('/')[2]}-{rule.reason[-30:]}")
def test_the_same_table_on_mailboxes_the_sample_covers(rule: Rule) -> None:
    """Another Exchange event of the mailbox was seen: what is on emits; what the settings leave open does not."""
    seen = sample(event(operation="Exchange/MoveToDeletedItems"))
    found = verdict(judge(tenant(box(**rule.settings)), seen, [rule.operation]), rule.operation)
    on = rule.reason == UNCOVERED
    assert found["state"] == ("emitting" if on else "blocked" if rule.reason in COVERED else rule.state)
    reason = "on, and covered by the sample, which shows none" if on else COVERED.get(rule.reason, rule.reason)
    assert reason in found["reason"]
    assert (found["mendable"], found["settings_known"]) == (rule.mendable, rule.reason not in COVERED)


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: f"{rule.operation.partition('/')[2]}-{rule.reason[-30:]}")
def test_the_same_table_observed(rule: Rule) -> None:
    """What was seen emits, whatever the settings say; and if they say no, that is a finding."""
    result = judge(tenant(box(**rule.settings)), sample(event(operation=rule.operation)), [rule.operation])
    found = verdict(result, rule.operation)
    assert (found["state"], found["reason"]) == ("emitting", "observed in the sample")
    against = rule.state in ("blocked", "not_applicable")
    message = told(result, "emitting_against_rule")
    assert bool(message) == against
    if against:
        assert message.endswith(
            f"{rule.operation} 1. The inventory is older than the sample, or an audit set was changed meanwhile."
        )


# ------------------------------------------------------------------ coverage


def test_a_scoped_sample_covers_the_mailboxes_it_shows() -> None:
    boxes = tenant(box("ann"), box("bob"), box("cyd"))
    result = judge(boxes, sample(*(event("ann", day=day) for day in range(5))), [UPDATE])
    assert verdict(result, UPDATE, "ann")["state"] == "emitting"
    assert verdict(result, UPDATE, "bob")["state"] == "unknown"
    assert told(result, "sample_scope") == (
        "the sample covers 1 of 3 mailboxes; the others' state is unknown where their settings say they emit, or do "
        "not say. An export of all users, five weekdays or longer, settles it."
    )


STRAYS = (
    "gone@contoso.example", "admin@contoso.onmicrosoft.example", "", "not available", "guest#ext#@contoso.example",
    "s-1-6-0", "4b6c6fd8", "apps@sharepoint", "nt authority",
)  # fmt: skip
SYSTEM = (
    "nt authority\\system (microsoft.exchange.servicehost)", "app@sharepoint", "s-1-5-18",
    "4b6c6fd8-0f7c-4f2c-9a3d-1d5d1f6c5a11", "serviceprincipal_4b6c6fd8-0f7c-4f2c-9a3d-1d5d1f6c5a11",
    "S-1-5-21-1-2-3-500", "NT AUTHORITY\\SYSTEM",
)  # fmt: skip


@pytest.mark.parametrize(
    ("principal", "state"), [*((one, "unknown") for one in STRAYS), *((one, "emitting") for one in SYSTEM)]
)
def test_only_what_no_scoped_search_brings_makes_a_sample_one_of_the_whole_tenant(principal: str, state: str) -> None:
    boxes = tenant(box("ann"), box("bob"), box("cyd"))
    seen = sample(*(event("ann", day=day) for day in range(5)), event("ann", principal=principal))
    result = judge(boxes, seen, [UPDATE])
    assert verdict(result, UPDATE, "bob")["state"] == state
    assert ("one of the whole tenant: it shows" in told(result, "sample_scope")) == (state == "emitting")


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        ([event("ann", day=day) for day in range(5)], "unknown"),  # one of three
        ([event(name, day=day) for day in range(5) for name in ("ann", "bob")], "emitting"),
        # acting elsewhere, or on another's mailbox, counts as seen
        ([event("ann", day=day, principal="bob@contoso.example") for day in range(5)], "emitting"),
        # shared mailboxes and users without a licence are not among those that must be seen
        ([event(name, day=day) for day in range(5) for name in ("ann", "info", "eve")], "unknown"),
        ([event(name, day=day) for day in range(4) for name in ("ann", "bob")], "unknown"),
    ],
)
def test_more_than_half_of_the_licensed_users_seen_make_a_sample_one_of_the_whole_tenant(
    seen: list[dict[str, Any]], state: str
) -> None:
    boxes = tenant(
        box("ann"), box("bob"), box("cyd"), box("eve", audit_tier="none"), box("info", kind="shared", audit_tier="none")
    )
    result = judge(boxes, sample(*seen), [UPDATE])
    assert verdict(result, UPDATE, "cyd")["state"] == state
    whole = "the sample is taken as one of the whole tenant: 2 of 3 licensed user mailboxes act in it or are acted on"
    assert told(result, "sample_scope").startswith(whole) == (state == "emitting")


@pytest.mark.parametrize(
    ("days", "state"),
    [
        (range(5), "emitting"),  # Monday to Friday
        (range(4), "unknown"),  # four weekdays
        ((3, 4, 5, 6, 7), "unknown"),  # five days, and two of them a weekend
        ((0, 1, 2, 3, 4, 5, 6), "emitting"),
        ((0, 7, 14, 21, 28), "emitting"),  # five Mondays
        ((0, 0, 0, 0, 0), "unknown"),
    ],
)
def test_a_sample_of_the_whole_tenant_covers_everyone_from_five_weekdays_on(days: Any, state: str) -> None:
    result = judge(tenant(box("ann"), box("bob")), sample(*(outsider(day) for day in days)), [UPDATE])
    assert verdict(result, UPDATE, "bob")["state"] == state


def test_an_empty_principal_does_not_make_a_sample_one_of_the_whole_tenant() -> None:
    result = judge(
        tenant(box("ann"), box("bob"), box("cyd")),
        sample(*(event(day=day, principal="") for day in range(5))),
        [UPDATE],
    )
    assert verdict(result, UPDATE, "bob")["state"] == "unknown"


@pytest.mark.parametrize("nothing", [None, tables.REDUCTION.empty()], ids=["no sample", "an empty one"])
def test_no_sample_covers_nobody(nothing: pd.DataFrame | None) -> None:
    result = judge(tenant(), nothing, [UPDATE])
    assert verdict(result, UPDATE)["state"] == "unknown"
    assert result.emitting_today() == {}
    assert result.findings == []


def test_another_spelling_of_the_operation_is_the_same_operation() -> None:
    result = judge(tenant(), sample(event(operation="Exchange/mailitemsaccessed")), [MIA])
    assert verdict(result, MIA)["reason"] == "observed in the sample"


def test_the_same_word_in_another_workload_is_another_operation() -> None:
    result = judge(tenant(), sample(event(operation="OneDrive/Create")), [CREATE])
    assert verdict(result, CREATE)["state"] == "blocked"


def test_half_of_the_licensed_users_may_be_a_search_for_two_of_four() -> None:
    boxes = tenant(box("ann"), box("bob"), box("cyd"), box("dan"))
    result = judge(boxes, sample(*(event(name, day=day) for day in range(5) for name in ("ann", "bob"))), [UPDATE])
    assert verdict(result, UPDATE, "cyd")["state"] == "unknown"


# ------------------------------------------------------------------ AuditEnabled


def test_mailboxes_with_auditing_off_that_would_join_are_counted_once() -> None:
    off = {"audit_enabled": False}
    boxes = tenant(
        box("ann", **off, **NEW), box("bob", **off), box("cyd"), box("dan", **off, **NEW),
        box("eve", audit_tier="none", **off), box("room1", kind="room", **off), box("team", kind="group", **off),
    )  # fmt: skip
    result = judge(boxes, sample(event("dan", MIA), event("ann")), [MIA])
    assert [verdict(result, MIA, name)["state"] for name in ("ann", "bob", "dan")] == ["blocked", "blocked", "emitting"]
    # ann and bob; dan emits, eve has no licence, and no switch of theirs makes rooms and groups emit.
    assert told(result, "audit_disabled_join").startswith("2 mailboxes have AuditEnabled False")


def test_no_word_of_auditing_off_where_it_is_on() -> None:
    assert told(judge(tenant(box("ann"), box("bob", **NEW)), sample(event("ann"))), "audit_disabled_join") == ""


def test_that_shared_mailboxes_are_judged_by_delegates_is_told() -> None:
    result = judge(tenant(box("ann"), box("info", kind="shared")), None, [MIA])
    assert told(result, "shared_by_delegates").startswith("1 shared mailbox is judged by what delegates do")
    assert told(judge(tenant(box("ann")), None, [MIA]), "shared_by_delegates") == ""


# ------------------------------------------------------------------ the whole table


def test_every_mailbox_is_judged_for_every_mailbox_operation() -> None:
    result = judge(tenant(box("ann", **NEW), box("bob"), box("room1", kind="room")), sample(event("ann")))
    assert len(result.table) == 3 * len(catalog.mailbox_operations())
    assert not result.table.duplicated(["mailbox", "operation"]).any()
    assert set(result.table["state"]) <= {"emitting", "blocked", "unknown", "not_applicable"}
    counts = result.emitting_today()
    assert counts[MIA] == counts[SEND] == counts[UPDATE] == 1  # ann; bob has Update on and is not covered
    assert SEARCH not in counts


def test_will_emit_takes_what_is_blocked_enabled_and_can_be_mended() -> None:
    boxes = tenant(
        box("ann", **NEW), box("bob"), box("cyd", **CUSTOM), box("eve", audit_tier="none"), box("fay"),
        box("room1", kind="room"),
    )  # fmt: skip
    today = judge(boxes, sample(event("ann", MIA)), [MIA, SEND])
    everyone = pd.Index(boxes.mailboxes["mailbox"]).drop("fay@contoso.example")
    later = will_emit(today, [Enabled(MIA, dt.date(2027, 1, 1), everyone)])
    states = {name: verdict(later, MIA, name)["state"] for name in ("ann", "bob", "cyd", "eve", "fay", "room1")}
    assert states == {
        "ann": "emitting", "bob": "will_emit", "cyd": "will_emit", "eve": "blocked", "fay": "blocked",
        "room1": "not_applicable",
    }  # fmt: skip
    assert set(later.of(SEND)["state"]) == set(today.of(SEND)["state"])
    assert verdict(today, MIA, "bob")["state"] == "blocked"  # the verdicts of today are left alone


def test_unknown_stays_unknown_under_a_scenario() -> None:
    boxes = tenant(box("ann", **NEW))
    enabled = [Enabled(MIA, dt.date(2027, 1, 1), pd.Index(boxes.mailboxes["mailbox"]))]
    assert verdict(will_emit(judge(boxes, None, [MIA]), enabled), MIA)["state"] == "unknown"
