"""Blocked mailboxes and reasons of the sample tenants equal what their generator planted, which it wrote down in words
of its own; and a tenant of twenty mailboxes, written by hand."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from estimator.catalog.causes import causes
from estimator.readiness import Readiness
from estimator.readiness.tenant import TODAY, readiness_of
from tests.conftest import (
    AUDIT,
    NEW_SET,
    Tenant,
    audit_jsonl,
    csv_text,
    licence,
    licences_csv,
    mailbox,
    mailboxes_csv,
)

SAMPLES = Path(__file__).parents[2] / "sample_tenants"
AS_OF = dt.date(2026, 11, 23)
OPERATIONS = ("MailItemsAccessed", "Send", "SearchQueryInitiatedExchange", "AttachmentAccess", "Create")

#: What stands against a mailbox, in the generator's words → state and cause, in ours. The samples are of the whole
#: tenant, so silence is blocked where the settings leave it open.
MEANS = {
    "on": ("emitting", ""),
    "on_for_others": ("emitting", ""),
    "kind_not_audited": ("not_applicable", "kind_never"),
    "inactive": ("not_applicable", "kind_inactive"),
    "discovery_mailbox": ("blocked", "kind_unverified"),
    "no_licence": ("blocked", "no_licence"),
    "bypassed_owner": ("blocked", "bypassed"),
    "managed_set_of_2023": ("blocked", "set_not_yet"),
    "customised_owner_set": ("blocked", "set_customised"),
    "search_not_added": ("blocked", "set_optional"),
}


def expected(planted: dict[str, str], operation: str) -> tuple[str, str]:
    facts = planted[operation].split("+")
    if facts == ["group_fixed_set"]:  # of AttachmentAccess, which came later, no source speaks
        unsaid = operation == "AttachmentAccess"
        return ("blocked", "kind_unverified") if unsaid else ("not_applicable", "kind_never")
    if planted["shown_shortened"] == "True" and len(facts) == 1 and facts != ["on"]:
        return "blocked", "set_unreadable"
    return MEANS[facts[0]]


@pytest.mark.parametrize("name", ["manufacturer", "town"])
def test_blocked_mailboxes_and_reasons_are_those_that_were_planted(name: str) -> None:
    found = readiness_of(SAMPLES / name, scenario=TODAY, as_of=AS_OF).readiness
    with (SAMPLES / f"{name}.planted.csv").open(newline="") as file:
        planted = list(csv.DictReader(file))
    for operation in OPERATIONS:
        rows = found.of(f"Exchange/{operation}")
        assert set(rows.index) == {one["mailbox"] for one in planted}
        for one in planted:
            row = rows.loc[one["mailbox"]]
            state, cause = expected(one, operation)
            assert row["state"] == state, (one, operation, row["reason"])
            if cause:
                assert row["cause"] == cause, (one, operation, row["reason"])
            facts = one[operation].split("+")
            if state == "blocked" and cause == "bypassed":  # what else has to be mended is told as well
                assert ("not in the owner set yet" in row["reason"]) == ("managed_set_of_2023" in facts)
        counts = Counter(rows["state"])
        assert counts["emitting"] == sum(one[operation] in ("on", "on_for_others") for one in planted)


# ------------------------------------------------------------------ twenty mailboxes by hand

LEAST = "Update,HardDelete"
NEW = {"AuditOwner": NEW_SET, "AuditDelegate": NEW_SET, "AuditAdmin": NEW_SET}
TWENTY = {
    # name: (cells of the mailbox export, SKU, state of MailItemsAccessed, cause). The sample is scoped to u01-u04.
    "u01": (NEW, "SPE_E5", "emitting", "observed"),
    "u02": (NEW, "SPE_E3", "emitting", "covered"),
    "u03": ({}, "SPE_E3", "blocked", "set_not_yet"),
    "u04": ({}, "SPE_E3", "emitting", "observed"),  # enabled since the inventory was taken
    "u05": (NEW, "SPE_E5", "unknown", "not_covered"),
    "u06": (NEW, "SPB", "unknown", "not_covered"),
    "u07": (NEW, "EXCHANGESTANDARD", "unknown", "not_covered"),
    "u08": ({}, "SPE_F1", "blocked", "set_not_yet"),
    "u09": ({"DefaultAuditSet": "Admin, Delegate", "AuditOwner": LEAST}, "SPE_E3", "blocked", "set_customised"),
    "u10": ({"DefaultAuditSet": "", "AuditOwner": LEAST, "AuditDelegate": LEAST, "AuditAdmin": LEAST}, "SPE_E5",
            "blocked", "set_customised"),
    "u11": ({"DefaultAuditSet": "Owner, Admin", "AuditDelegate": LEAST, "AuditOwner": NEW_SET}, "SPE_E3",
            "unknown", "not_covered"),  # what delegates do is not what is waited for
    "u12": ({"AuditOwner": "System.Collections.ArrayList"}, "SPE_E3", "unknown", "set_unreadable"),
    "u13": (NEW, None, "blocked", "no_licence"),
    "u14": ({**NEW, "AuditEnabled": "False"}, "SPE_E3", "unknown", "not_covered"),  # the organisation audits
    "u15": (NEW, "SPE_E5", "blocked", "bypassed"),
    "s16": ({"RecipientTypeDetails": "SharedMailbox"}, None, "blocked", "set_not_yet"),
    "s17": ({"RecipientTypeDetails": "SharedMailbox", "AuditDelegate": NEW_SET}, None, "unknown", "not_covered"),
    "r18": ({"RecipientTypeDetails": "RoomMailbox"}, None, "not_applicable", "kind_never"),
    "g19": ({"RecipientTypeDetails": "GroupMailbox"}, None, "not_applicable", "kind_never"),
    "d20": ({"RecipientTypeDetails": "DiscoveryMailbox"}, None, "unknown", "kind_unverified"),
}  # fmt: skip


@pytest.fixture
def twenty(tenant: Tenant) -> Readiness:
    names = ("u01", "u02", "u03", "u04")
    records = [
        {**AUDIT[0], "Id": f"{n:08d}-0000-4000-8000-00000000000{day}", "Operation": operation,
         "CreationTime": f"2026-11-0{day}T09:00:00", "UserId": f"{name}@contoso.example",
         "MailboxOwnerUPN": f"{name}@contoso.example"}
        for n, name in enumerate(names) for day in range(2, 7)
        for operation in [("MailItemsAccessed" if name in ("u01", "u04") else "Update")]
    ]  # fmt: skip
    bypass = [{"Name": "u15", "Identity": "u15@contoso.example", "ObjectId": "", "AuditBypassEnabled": "True"}]
    root = tenant(
        {
            "mailboxes.csv": mailboxes_csv(*(mailbox(name, **cells) for name, (cells, *_) in TWENTY.items())),
            "licences.csv": licences_csv(*(licence(name, sku) for name, (_, sku, *_) in TWENTY.items() if sku)),
            "email_activity.csv": None,
            "audit.jsonl": audit_jsonl(*records),
            "bypass.csv": csv_text(bypass, list(bypass[0])),
            "organisation.txt.csv": "AuditDisabled\r\nFalse\r\n",
            "scenario.toml": None,
        }
    )
    return readiness_of(root, scenario=TODAY, as_of=AS_OF).readiness


def test_twenty_mailboxes_are_judged_as_a_person_would(twenty: Readiness) -> None:
    rows = twenty.of("Exchange/MailItemsAccessed")
    found = {name.partition("@")[0]: (row["state"], row["cause"]) for name, row in rows.iterrows()}
    assert found == {name: (state, cause) for name, (_, _, state, cause) in TWENTY.items()}


def test_the_causes_have_words_and_sources() -> None:
    for one in causes().values():
        assert one.title == one.title.strip()
        assert not one.title.endswith(".")
        assert (one.basis == "assumed") == (one.source == "assumption")
