"""What is planted is in the files, does what it is said to do, and is told beside the truth."""

import csv
import dataclasses
import gzip
import io
import json
from collections import Counter

import numpy as np
import pytest

from sample_tenants.generator import Application, Exports, TenantSpec, generate, planted, planted_csv, truth, write
from sample_tenants.generator.operations import BIND, CREATE, SEARCH, SEND, SYNC
from sample_tenants.generator.planted import PLANTED_OPERATIONS, state
from sample_tenants.generator.tenant import future

JOURNAL = Application(
    "Journal", mailboxes=60, records_per_day=20.0, account="svc-journal", bypassed=True, owns_mailbox=True
)
ORDERS = Application(
    "Orders", mailboxes=6, records_per_day=50.0, kinds=("SharedMailbox",), account="svc-orders", bypassed=True
)
BACKUP = Application("Backup", mailboxes=120, records_per_day=10.0, items=5)
SPEC = TenantSpec(
    seed=8,
    mailboxes=300,
    licences={"SPE_E3": 0.55, "SPE_E5": 0.2, "SPE_F1": 0.2, "EXCHANGESTANDARD": 0.05},
    shared=0.08,
    rooms=4,
    equipment=3,
    groups=5,
    discovery=1,
    inactive=4,
    unlicensed=5,
    compliance_addon=0.1,
    pilots=0.1,
    customised=0.04,
    customised_sets={
        "owner_of_2019": 20,
        "without_mail_items_accessed": 6,
        "without_send": 5,
        "delegate_narrow": 4,
    },
    audit_disabled=9,
    unreadable=3,
    bypassed_owners=6,
    searching=7,
    forecast_months=1,
    copies=0.05,
    frontline_departments={"Foundry": 0.7, "Warehouse": 0.3},
    applications=(JOURNAL, ORDERS, BACKUP),
    exports=Exports(mailboxes="braces", licences="graph", organisation="csv", bypass=True),
)


@pytest.fixture(scope="module")
def tenant():
    return generate(SPEC)


@pytest.fixture(scope="module")
def folder(tenant, tmp_path_factory):
    path = tmp_path_factory.mktemp("planted")
    write(tenant, path)
    return path


@pytest.fixture(scope="module")
def answer(tenant):
    return truth(tenant)


@pytest.fixture(scope="module")
def boxes(folder):
    """The mailbox export by address, its lists as sets."""
    found = {}
    for row in table(folder / "mailboxes.csv"):
        for column in ("DefaultAuditSet", "AuditAdmin", "AuditDelegate", "AuditOwner"):
            row[column] = set(row[column].strip("{}").split(", ")) - {""}
        found[row["UserPrincipalName"]] = row
    return found


@pytest.fixture(scope="module")
def records(folder):
    with gzip.open(folder / "audit.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return [json.loads(row["AuditData"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def lists(tenant):
    return list(csv.DictReader(io.StringIO(planted_csv(tenant).decode())))


def table(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def bypassing(folder):
    return {row["Identity"] for row in table(folder / "bypass.csv") if row["AuditBypassEnabled"] == "True"}


def test_kinds_are_as_many_as_asked_for(boxes):
    kinds = Counter(
        "inactive" if row["IsInactiveMailbox"] == "True" else row["RecipientTypeDetails"] for row in boxes.values()
    )

    assert kinds == {
        "UserMailbox": 300 - 24 - 4 - 3 - 5 - 1 - 4,
        "SharedMailbox": 24,
        "RoomMailbox": 4,
        "EquipmentMailbox": 3,
        "GroupMailbox": 5,
        "DiscoveryMailbox": 1,
        "inactive": 4,
    }


def test_states_are_what_the_files_say(boxes, folder, lists):
    """Each cause, told again from the files alone."""
    bypassed = bypassing(folder)
    users = {u["userPrincipalName"]: u for u in json.loads((folder / "users.json").read_text())["value"]}
    action = {"SearchQueryInitiatedExchange": "SearchQueryInitiated"}
    shortened = {row["mailbox"] for row in lists if row["shown_shortened"] == "True"}
    for row in lists:
        box = boxes[row["mailbox"]]
        owner, operations = box["AuditOwner"], list(row)[7:]
        assert len(operations) == 5
        for operation in operations:
            told = row[operation].split("+")
            kind = box["RecipientTypeDetails"]
            assert ("kind_not_audited" in told) == (kind in ("RoomMailbox", "EquipmentMailbox"))
            if kind in ("RoomMailbox", "EquipmentMailbox", "GroupMailbox") or row["mailbox"] in shortened:
                continue
            assert ("inactive" in told) == (box["IsInactiveMailbox"] == "True")
            assert ("discovery_mailbox" in told) == (kind == "DiscoveryMailbox")
            assert ("bypassed_owner" in told) == (box["Alias"] in bypassed)
            unlicensed = (
                kind == "UserMailbox"
                and box["IsInactiveMailbox"] == "False"
                and not users[row["mailbox"]]["assignedLicenses"]
            )
            assert ("no_licence" in told) == unlicensed
            has = action.get(operation, operation) in (box["AuditDelegate"] if kind == "SharedMailbox" else owner)
            assert has == (not {"managed_set_of_2023", "customised_owner_set", "search_not_added"} & set(told))
            if "managed_set_of_2023" in told:
                assert "Owner" in box["DefaultAuditSet"]
            if "customised_owner_set" in told:
                assert "Owner" not in box["DefaultAuditSet"]


def test_counts_are_those_of_the_lists(tenant, lists):
    document = planted(tenant)

    assert len(lists) == document["mailboxes"] == 300
    for key, counts in document["states"].items():
        assert Counter(row[key.split("/")[1]] for row in lists) == counts
        assert sum(counts.values()) == 300
    assert Counter(row["kind"] for row in lists) == document["kinds"]
    assert Counter(s for row in lists for s in row["licences"].split("+") if s) == document["licences"]
    assert Counter(row["owner_set"] for row in lists if row["owner_set"]) == document["owner_sets"]
    for cause, wanted in (("no_licence", 5), ("bypassed_owner", 6 + 1), ("inactive", 4)):
        states = document["states"]["Exchange/Send"]
        assert sum(n for told, n in states.items() if cause in told.split("+")) == wanted
    assert {name: document["owner_sets"][name] for name in SPEC.customised_sets} == SPEC.customised_sets
    assert document["audit_enabled_false"] == 9 + 1  # the discovery mailbox comes so
    assert sum(row["audit_enabled"] == "False" for row in lists) == 10
    assert document["states"]["Exchange/SearchQueryInitiatedExchange"]["on"] == 7


def test_shortened_sets_are_shown_as_powershell_shortens_them(boxes, lists, folder):
    shortened = [row["mailbox"] for row in lists if row["shown_shortened"] == "True"]

    assert len(shortened) == 3
    raw = {row["UserPrincipalName"]: row["AuditOwner"] for row in table(folder / "mailboxes.csv")}
    assert {upn for upn, cell in raw.items() if cell.endswith("...}")} == set(shortened)
    assert all(cell.count(",") == 3 for upn, cell in raw.items() if upn in shortened)


def test_customised_sets_let_through_what_they_name(tenant, boxes, records):
    """No record of the mailbox audit that the set of its logon type does not name."""
    cut = {n for n, s in enumerate(tenant.mailboxes.plants.variant) if s}
    named = {tenant.mailboxes.upn[n] for n in cut}
    seen = Counter()
    for data in records:
        if data.get("MailboxOwnerUPN") in named and data["Workload"] == "Exchange":
            box = boxes[data["MailboxOwnerUPN"]]
            assert data["Operation"] in box["AuditOwner" if data["LogonType"] == 0 else "AuditDelegate"]
            seen[data["Operation"]] += 1

    assert seen["MailItemsAccessed"] > 0  # without_send and delegate_narrow
    assert seen["Send"] > 0  # without_mail_items_accessed
    assert seen["Update"] > 0  # owner_of_2019


def test_nothing_of_a_bypassed_account_is_in_the_sample(folder, records, tenant):
    accounts = {f"{name}@{SPEC.domain}" for name in bypassing(folder)}

    assert len(accounts) == 6 + 2
    assert not [r for r in records if r["Workload"] == "Exchange" and r["UserId"] in accounts]
    # They are at work all the same: what is no mailbox audit is logged of them, and the truth knows what is hidden.
    assert {r["UserId"] for r in records if r["Workload"] != "Exchange"} & accounts
    shared = [n for n, kind in enumerate(tenant.mailboxes.kind) if kind == "SharedMailbox"]
    day = next(events for events in future(tenant) if len(events))
    assert (day.principal == -1).any()
    assert set(day.mailbox[day.principal == -2].tolist()) <= set(shared)


def test_what_is_hidden_is_in_neither_flow(tenant, answer):
    hidden = {(row["cause"], row["account"], row["operation"]): row["events"] for row in answer["hidden"]}
    days = 31
    journal = hidden["bypassed_application", f"svc-journal@{SPEC.domain}", "Exchange/MailItemsAccessed"]
    orders = hidden["bypassed_application", f"svc-orders@{SPEC.domain}", "Exchange/MailItemsAccessed"]

    assert journal == pytest.approx(60 * 20 * days, rel=0.05)
    assert orders == pytest.approx(6 * 50 * days, rel=0.05)
    assert len({account for cause, account, _ in hidden if cause == "bypassed_owner"}) == 6
    # What the backup reads in mailboxes whose sets were cut down for everybody but the owner.
    assert hidden["customised_delegate_set", "", "Exchange/MailItemsAccessed"] > 0
    # Already, added and hidden together are all that happened.
    counted = Counter()
    for events in future(tenant):
        for name, ops in (("MailItemsAccessed", (BIND, SYNC)), ("Send", (SEND,)), ("Create", (CREATE,))):
            counted[name] += int(np.isin(events.operation, ops).sum())
        counted["SearchQueryInitiatedExchange"] += int((events.operation == SEARCH).sum())
    for row in answer["horizon"]:
        name = row["operation"].split("/")[1]
        if name in counted:
            unseen = sum(n for (_, _, operation), n in hidden.items() if operation == row["operation"])
            assert row["already"]["events"] + row["added"]["events"] + unseen == counted[name]


def test_truth_by_department_and_class_adds_up(answer):
    for row in answer["horizon"]:
        parts = [d for d in answer["added_by_department"] if d["operation"] == row["operation"]]
        assert sum(sum(d["events"]) for d in parts) == row["added"]["events"]
        assert sum(sum(d["bytes"]) for d in parts) == row["added"]["bytes"]
        classes = [c for c in answer["added_by_class"] if c["operation"] == row["operation"]]
        assert sum(c["events"] for c in classes) == row["added"]["events"]
    departments = {d["department"] for d in answer["added_by_department"] if d["licence"] == "SPE_F1"}
    assert departments == {"Foundry", "Warehouse"}


def test_applications_touch_as_many_mailboxes_as_asked_for(tenant, records):
    told = {a["name"]: a for a in planted(tenant)["applications"]}
    program = told["Backup"]["principal"]
    touched = {r["MailboxOwnerUPN"] for r in records if r["UserId"] == program}
    emitting = [n for n in range(300) if state(tenant, n, BIND) == "on"]

    assert {name: a["mailboxes"] for name, a in told.items()} == {"Journal": 60, "Orders": 6, "Backup": 120}
    assert {name: a["sampled_events"] > 0 for name, a in told.items()} == {
        "Journal": False,
        "Orders": False,
        "Backup": True,
    }
    assert 0 < len(touched) <= min(120, len(emitting))
    assert len([r for r in records if r["UserId"] == program]) == told["Backup"]["sampled_events"]
    assert told["Backup"]["sampled_events"] == pytest.approx(len(touched) * 10 * 14, rel=0.1)


def test_nobody_uses_what_is_idle(tenant, records):
    gone = {tenant.mailboxes.upn[n] for n in np.flatnonzero(tenant.mailboxes.plants.idle)}

    assert len(gone) == 5 + 4 + 1
    assert not {r["UserId"] for r in records} & gone
    assert not {r.get("MailboxOwnerUPN") for r in records} & gone


def test_searches_are_of_those_who_have_the_action(tenant, records, boxes):
    searching = {r["MailboxOwnerUPN"] for r in records if r["Operation"] == "SearchQueryInitiatedExchange"}
    on = {upn for upn, box in boxes.items() if "SearchQueryInitiated" in box["AuditOwner"]}

    assert len(on) == 7
    assert searching <= on
    assert len(searching) >= 5
    assert all(r["LogonType"] == 0 for r in records if r["Operation"] == "SearchQueryInitiatedExchange")


def test_addon_users_have_two_licences_and_emit(tenant, folder):
    users = json.loads((folder / "users.json").read_text())["value"]
    addon = "184efa21-98c3-4e5d-95ab-d07053a96e67"
    twice = [u for u in users if addon in {one["skuId"] for one in u["assignedLicenses"]}]
    boxes = tenant.mailboxes

    assert len(twice) == boxes.plants.addon.sum() == round(0.1 * (boxes.sku.count("SPE_E3")))
    assert all(len(u["assignedLicenses"]) == 2 for u in twice)
    assert boxes.emitting[boxes.plants.addon].all()


def test_planting_leaves_people_as_they_are(tenant):
    """More searches or bypassed accounts change what is logged, and nothing of what happens otherwise."""
    other = generate(dataclasses.replace(SPEC, bypassed_owners=0, audit_disabled=0, unreadable=0))

    assert other.mailboxes.upn == tenant.mailboxes.upn
    assert (other.report.sent == tenant.report.sent).all()
    assert len(other.sample) > len(tenant.sample)


def test_planted_operations_are_the_newly_available_ones():
    assert PLANTED_OPERATIONS == (BIND, SEND, SEARCH, 3, CREATE)


class TestSpec:
    def test_more_than_there_are_is_refused(self):
        with pytest.raises(ValueError, match="9000 wanted, and there are"):
            generate(dataclasses.replace(SPEC, unlicensed=9000))

    def test_unknown_set_is_refused(self):
        with pytest.raises(ValueError, match="customised_sets: 'odd' is none of owner_of_2019"):
            generate(dataclasses.replace(SPEC, customised_sets={"odd": 1}))

    def test_bypass_needs_an_account(self):
        with pytest.raises(ValueError, match="'Mail Backup': bypassed and owns_mailbox are of an account"):
            Application(bypassed=True)

    def test_frontline_departments_must_sum_to_one(self):
        with pytest.raises(ValueError, match=r"frontline_departments: shares sum to 0\.5"):
            TenantSpec(frontline_departments={"Foundry": 0.5})
