"""Every combination that audit_events.md §1 names, against a decision table written by hand.

licence x kind x set x bypass x organisation x unified log x AuditEnabled x operation, and then what a sample shows. The
first row that fits decides; `*` is anything, `a|b` one of them. Each row must decide something, so none is dead.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from typing import Any

import pandas as pd
import pytest

from estimator import tables
from estimator.inventory import Inventory
from estimator.inventory.settings import Settings
from estimator.readiness import judge
from tests.conftest import MANAGED, NEW_SET, OLD_SET
from tests.readiness.test_readiness_judge import event, sample

OPERATIONS = {
    "mia": "Exchange/MailItemsAccessed",
    "send": "Exchange/Send",
    "attachment": "Exchange/AttachmentAccess",
    "create": "Exchange/Create",
    "search": "Exchange/SearchQueryInitiatedExchange",
    "update": "Exchange/Update",
    "send-as": "Exchange/SendAs",
    "chat": "MicrosoftTeams/ChatRetrieved",
    "meeting": "MicrosoftTeams/MeetingDetail",
    "stream": "MicrosoftStream/StreamInvokeGetVideo",
}
KINDS = ("user", "shared", "group", "room", "equipment", "public_folder", "inactive", "discovery", "monitoringmailbox")
TIERS = ("premium", "standard", "standard_unlisted", "none")
SETS: dict[str, dict[str, Any]] = {
    "of 2023": dict.fromkeys(("audit_owner", "audit_delegate", "audit_admin"), OLD_SET),
    "of 2026": dict.fromkeys(("audit_owner", "audit_delegate", "audit_admin"), NEW_SET),
    "customised": {
        "audit_owner": "HardDelete", "audit_delegate": "HardDelete", "audit_admin": NEW_SET,
        "default_audit_set": "admin",
    },
    "customised, everything": {
        **dict.fromkeys(("audit_owner", "audit_delegate", "audit_admin"), NEW_SET + ",SearchQueryInitiated"),
        "default_audit_set": "",
    },
    "unreadable": dict.fromkeys(("audit_owner", "audit_delegate", "audit_admin"), None),
    "of admins only": {"audit_owner": OLD_SET, "audit_delegate": OLD_SET, "audit_admin": NEW_SET},
}  # fmt: skip
#: What each set is to each operation: it has the action, or lacks it and why (audit_events.md §1.1).
IN_SET = {
    "of 2023": {"update": "has", "send-as": "has", "search": "optional", "*": "not yet"},
    "of 2026": {"search": "optional", "*": "has"},
    "customised": {"search": "optional", "*": "customised"},
    "customised, everything": {"*": "has"},
    "unreadable": {"*": "unreadable"},
    "of admins only": {"update": "has", "send-as": "has", "search": "optional", "*": "not yet"},
}
ORGANISATION = {"audits": False, "off": True, "unsaid": None}
LOG = {"on": True, "off": False, "unsaid": None}

#: operation · kind · licence · unified log · organisation · bypass · AuditEnabled · set
#: → rule · first cause · whether a script mends it
TABLE = """
stream                     *      *       *     *     *    *      *           never    retired            no
chat                       *      *       *     *     *    *      *           never    applications_only  no
meeting                    *      *       *     *     *    *      *           never    no_mailbox_action  no
*                          room|equipment|public_folder * * *  *  *  *        never    kind_never         no
mia|send|search            group  *       *     *     *    *      *           never    kind_never         no
*                          inactive *     *     *     *    *      *           never    kind_inactive      no
*                          user   none    *     *     *    *      *           off      no_licence         no
attachment                 group  *       off   *     *    *      *           off      unified_log_off    no
attachment                 group  *       *     off   *    *      *           off      organisation_off   no
attachment                 group  *       *     *     *    *      *           unclear  kind_unverified    no
*                          discovery|monitoringmailbox * off * * * *          off      unified_log_off    no
*                          discovery|monitoringmailbox * * off * * *          off      organisation_off   no
*                          discovery|monitoringmailbox * *  *  * * *          unclear  kind_unverified    no
*                          *      *       off   *     *    *      *           off      unified_log_off    yes
*                          *      *       *     off   *    *      *           off      organisation_off   yes
*                          group  *       *     *     *    *      *           on       group_set          no
mia|send|attachment|create|update|search user * * * yes *         *           off      bypassed           yes
*                          *      *       *     *     *    *      not_yet     off      set_not_yet        yes
*                          *      *       *     *     *    *      customised  off      set_customised     yes
*                          *      *       *     *     *    *      optional    off      set_optional       yes
*                          *      *       *     audits *   *      has         on       set_has            yes
*                          *      *       *     unsaid *   False  has|unreadable unclear audit_disabled   yes
*                          *      *       *     *     *    *      has         on       set_has            yes
*                          *      *       *     *     *    *      unreadable  unclear  set_unreadable     yes
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]

#: What becomes of a rule: without a sample that covers the mailbox, with one that shows nothing, with one that does.
STATES = {
    "on": ("unknown", "emitting", "emitting"),
    "off": ("blocked", "blocked", "emitting"),
    "unclear": ("unknown", "blocked", "emitting"),
    "never": ("not_applicable", "not_applicable", "emitting"),
}


def fits(pattern: str, value: object) -> bool:
    return pattern == "*" or str(value) in pattern.split("|")


def decide(*facts: object) -> tuple[int, str, str, bool]:
    """The first row that fits: its number, rule, first cause, and whether a script mends it."""
    for number, row in enumerate(ROWS):
        if all(fits(pattern, fact) for pattern, fact in zip(row[:8], facts, strict=True)):
            return number, row[8], row[9], row[10] == "yes"
    raise AssertionError(f"no row fits {facts}")


BOXES = [
    {
        "mailbox": f"box{number:04d}@contoso.example", "kind": kind, "audit_tier": tier, "audit_enabled": enabled,
        "default_audit_set": MANAGED.lower(), "bypassed": bypassed, "set": name, **SETS[name],
    }
    for number, (kind, tier, enabled, bypassed, name) in enumerate(
        product(KINDS, TIERS, (True, False), (True, False), SETS)
    )
]  # fmt: skip


def tenant(settings: Settings) -> Inventory:
    frame = pd.DataFrame(BOXES)
    text = [column for column in frame if column not in ("audit_enabled", "bypassed")]
    inventory = Inventory(frame.astype(dict.fromkeys(text, "str")), tables.ACTIVITY.empty(), 0, {}, [])
    return replace(inventory, settings=settings)


def expected(operation: str, box: dict[str, Any], log: str, organisation: str) -> tuple[int, str, str, bool]:
    by_operation = IN_SET[box["set"]]
    in_set = by_operation.get(operation, by_operation["*"]).replace(" ", "_")
    bypass, enabled = "yes" if box["bypassed"] else "no", box["audit_enabled"]
    return decide(operation, box["kind"], box["audit_tier"], log, organisation, bypass, enabled, in_set)


@pytest.mark.parametrize("log", LOG)
@pytest.mark.parametrize("organisation", ORGANISATION)
def test_every_combination_is_judged_as_the_table_says(organisation: str, log: str) -> None:
    inventory = tenant(Settings(organisation_disabled=ORGANISATION[organisation], unified_log=LOG[log]))
    names = [box["mailbox"].partition("@")[0] for box in BOXES]
    silent = sample(*(event(name, "Exchange/MoveToDeletedItems") for name in names))
    for operation, key in OPERATIONS.items():
        shown = sample(*(event(name, key) for name in names))
        for at, reduction in enumerate((None, silent, shown)):
            found = judge(inventory, reduction, [key]).of(key)
            for box, row in zip(BOXES, found.itertuples(), strict=True):
                _, rule, cause, mendable = expected(operation, box, log, organisation)
                wanted = STATES[rule][at]
                assert (row.state, row.mendable) == (wanted, mendable), (operation, box, log, organisation, at)
                if wanted in ("blocked", "not_applicable") or (rule == "unclear" and at == 0):
                    assert row.cause == cause
                elif at == 0:
                    assert row.cause == "not_covered"
                else:
                    assert row.cause == ("observed" if at == 2 else "covered")


def test_no_row_of_the_table_is_dead() -> None:
    used: Counter[int] = Counter()
    for operation, log, organisation in product(OPERATIONS, LOG, ORGANISATION):
        used.update(expected(operation, box, log, organisation)[0] for box in BOXES)
    assert set(used) == set(range(len(ROWS)))


def test_what_others_do_in_the_mailbox_does_not_speak_against_the_bypass_of_its_account() -> None:
    mail = OPERATIONS["mia"]
    boxes = [box for box in BOXES if box["kind"] == "user" and box["audit_tier"] == "standard"]
    bypassed = next(b for b in boxes if b["bypassed"] and b["set"] == "of 2026" and b["audit_enabled"])
    name = bypassed["mailbox"].partition("@")[0]
    inventory = tenant(Settings(organisation_disabled=False))
    for principal, state in (("assistant@contoso.example", "blocked"), (bypassed["mailbox"], "emitting")):
        row = judge(inventory, sample(event(name, mail, principal=principal)), [mail]).of(mail).loc[bypassed["mailbox"]]
        assert row["state"] == state


@pytest.mark.parametrize(
    ("box", "settings", "reason"),
    [
        (
            {"bypassed": True, "audit_enabled": False, **SETS["customised"]},
            Settings(organisation_disabled=True),
            "mailbox auditing is off for the organisation (AuditDisabled is True); its account bypasses mailbox "
            "auditing (AuditBypassEnabled is True): nothing its owner does is logged; the owner set was customised and "
            "lacks MailItemsAccessed; AuditEnabled is False too",
        ),
        ({"audit_enabled": False, **SETS["of 2023"]}, Settings(organisation_disabled=False),
         "MailItemsAccessed is not in the owner set yet"),
        ({"audit_tier": "none", "bypassed": True}, Settings(unified_log=False),
         "the user has no licence with a mailbox"),
    ],
)  # fmt: skip
def test_all_that_has_to_be_mended_is_told_together(box: dict[str, Any], settings: Settings, reason: str) -> None:
    row = {
        "mailbox": "ann@contoso.example", "kind": "user", "audit_tier": "standard", "audit_enabled": True,
        "default_audit_set": MANAGED.lower(), "bypassed": False, **SETS["of 2026"], **box,
    }  # fmt: skip
    frame = pd.DataFrame([row])
    text = [column for column in frame if column not in ("audit_enabled", "bypassed")]
    inventory = replace(
        Inventory(frame.astype(dict.fromkeys(text, "str")), tables.ACTIVITY.empty(), 0, {}, []), settings=settings
    )
    assert judge(inventory, None, [OPERATIONS["mia"]]).table["reason"].tolist() == [reason]
