"""Mending and rollback as exact inverses, on a tenant made of dictionaries.

No PowerShell runs here. `mend` and `undo` follow, on the data read out of the scripts' own parse trees, what the
scripts say they do; what is tested is that these data are enough to come back, also after a run that was cut short.
"""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from mending_plans import plan
from powershell_reading import data

from estimator.mending import LOGON_TYPES, Mend, Wave, write_rollback, write_script

ACTIONS = ("MailItemsAccessed", "Send", "SearchQueryInitiated", "Create")
DEFAULTS = frozenset({"Update", "HardDelete"})
TYPES = ("Owner", "Delegate", "Admin")

Box = dict[str, Any]


def tasks(script: str) -> list[tuple[str, dict[str, Any]]]:
    found = data(script)
    return [(name, found["Changes"][g["Change"]]) for g in found["Groups"] for name in g["Mailboxes"]]


def add(box: Box, logon: str, actions: list[str]) -> None:
    """Set-Mailbox -AuditOwner @{ Add = ... }: the set becomes a customised one."""
    if lacking := [a for a in actions if a not in box[logon]]:
        box[logon] = box[logon] | set(lacking)
        box["managed"] = box["managed"] - {logon}


def mend(tenant: dict[str, Box], name: str, task: dict[str, Any]) -> None:
    box = tenant[name]
    for logon in TYPES:
        add(box, logon, task[logon])
    box["enabled"] = box["enabled"] or task["EnableAudit"]
    box["bypassed"] = box["bypassed"] and not task["LiftBypass"]


def undo(tenant: dict[str, Box], name: str, task: dict[str, Any]) -> None:
    box = tenant[name]
    for logon in TYPES:
        if logon in box["managed"]:
            continue
        if logon in task["Managed"] and task[logon]:  # Set-Mailbox -DefaultAuditSet
            box[logon] = DEFAULTS
            box["managed"] = box["managed"] | {logon}
        else:  # @{ Remove = ... }
            box[logon] = box[logon] - set(task[logon])
    if task["EnableAudit"]:
        box["enabled"] = False
    if task["LiftBypass"]:
        box["bypassed"] = True


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    managed = draw(st.sets(st.sampled_from(TYPES)))
    own = st.frozensets(st.sampled_from((*ACTIONS, "Copy")), max_size=3)
    sets = {logon: DEFAULTS if logon in managed else draw(own) for logon in TYPES}
    return {**sets, "managed": frozenset(managed), "enabled": draw(st.booleans()), "bypassed": draw(st.booleans())}


def lacking(name: str, box: Box, wanted: list[str], wave: int) -> Mend | None:
    """What readiness would ask for this mailbox."""
    sets = {logon: tuple(a for a in wanted if a not in box[logon.capitalize()]) for logon in LOGON_TYPES}
    managed = tuple(logon for logon in LOGON_TYPES if logon.capitalize() in box["managed"])
    if not (any(sets.values()) or not box["enabled"] or box["bypassed"]):
        return None
    return Mend(name, "user", wave, sets, managed, enable_audit=not box["enabled"], lift_bypass=box["bypassed"])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(boxes(), min_size=1, max_size=5),
    st.lists(st.sampled_from(ACTIONS), min_size=1, unique=True),
    st.integers(0, 5),
    st.sampled_from([{1}, {2}, {1, 2}]),
)
def test_rollback_brings_back_what_was_also_after_part_of_a_run(
    made: list[Box], wanted: list[str], done: int, chosen: set[int]
) -> None:
    before = {f"user{n}@contoso.example": box for n, box in enumerate(made)}
    asked = [lacking(name, box, wanted, 1 + n % 2) for n, (name, box) in enumerate(before.items())]
    made_plan = plan([m for m in asked if m], waves=[Wave(1, "a", None, 3), Wave(2, "b", None, 2)])
    todo = [t for t in tasks(write_script(made_plan)) if t[1]["Wave"] in chosen] if any(asked) else []
    tenant = copy.deepcopy(before)
    for name, task in todo[:done]:
        mend(tenant, name, task)
        assert all(set(wanted) <= tenant[name][logon] for logon in TYPES)
        assert tenant[name]["enabled"]
        assert not tenant[name]["bypassed"]
    assert all(tenant[name] == before[name] for name, _ in todo[done:])
    back = tasks(write_rollback(made_plan)) if any(asked) else []
    for name, task in back:
        undo(tenant, name, task)
    assert tenant == before


def test_a_customised_set_keeps_what_was_chosen_and_a_managed_one_goes_back_to_microsoft() -> None:
    """By hand: cyd's owner set was chosen by an administrator, bob's is Microsoft's."""
    chosen = frozenset({"Update", "Copy"})
    box = {"Delegate": DEFAULTS, "Admin": DEFAULTS, "enabled": True, "bypassed": False}
    tenant: dict[str, Box] = {
        "cyd@x": {**box, "Owner": chosen, "managed": frozenset({"Delegate", "Admin"})},
        "bob@x": {**box, "Owner": DEFAULTS, "managed": frozenset(TYPES)},
    }
    made = plan(
        [
            Mend("cyd@x", "user", 1, {"owner": ("Send",)}, ("delegate", "admin")),
            Mend("bob@x", "user", 1, {"owner": ("SearchQueryInitiated",)}, LOGON_TYPES),
        ]
    )
    before = copy.deepcopy(tenant)
    for name, task in tasks(write_script(made)):
        mend(tenant, name, task)
    assert tenant["cyd@x"]["Owner"] == {"Update", "Copy", "Send"}
    assert tenant["bob@x"]["managed"] == {"Delegate", "Admin"}
    for name, task in tasks(write_rollback(made)):
        undo(tenant, name, task)
    assert tenant == before
