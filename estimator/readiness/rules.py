"""What the settings say of one mailbox and one operation: on, off, unclear, or never; and why.

The rules are those of Microsoft's documentation as `catalog/readiness.toml` cites it; the order in which they are asked
is here. The sample is not looked at: `judge.py` sets it against what the settings say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from estimator import catalog
from estimator.catalog.causes import causes
from estimator.inventory.settings import Settings

LOGON_TYPES: tuple[catalog.LogonType, ...] = ("owner", "delegate", "admin")

#: Kinds of mailbox whose audit sets say what is logged; of others no source speaks.
SPOKEN_OF = frozenset({"user", "shared", "group", "room", "equipment", "public_folder"})

#: Columns of `tables.MAILBOXES` that the rules look at; mailboxes alike in them are judged alike.
LOOKED_AT = (
    "kind", "audit_tier", "audit_enabled", "default_audit_set", "audit_admin", "audit_delegate", "audit_owner",
    "bypassed",
)  # fmt: skip

#: What stands for a setting that no file says.
UNSAID = "?"


class Ruling(NamedTuple):
    """What the settings say.

    Attributes:
        rule: whether the operation is on.
        causes: ids in `catalog.causes.causes()`, the weightiest first.
        reason: the same in words.
        mendable: where it is off or unclear, whether an administrator's script can switch it on.
    """

    rule: Literal["on", "off", "unclear", "never"]
    causes: tuple[str, ...]
    reason: str
    mendable: bool


def rule(key: str, box: Mapping[str, object], settings: Settings) -> Ruling:
    """What the settings say of an operation on a mailbox.

    Args:
        key: `Workload/Operation`.
        box: the columns `LOOKED_AT` of a mailbox, `UNSAID` where a set is not known.
        settings: of the organisation.
    """
    operation = catalog.operation(key)
    action, kind = operation.mailbox_action, str(box["kind"])
    if operation.status == "retired":
        return _ruling("never", ["retired"])
    if action is None:
        return _ruling("never", ["applications_only" if operation.caused_by == "applications" else "no_mailbox_action"])
    main = main_type(action, kind)
    words = {"kind": kind.replace("_", " "), "action": action.action, "main": main}
    if kind in action.never_on:
        return _ruling("never", ["kind_never"], words)
    if kind == "inactive":
        return _ruling("never", ["kind_inactive"])
    if kind == "user" and box["audit_tier"] == "none":
        return _ruling("off", ["no_licence"])
    if operation.licence == "premium" and box["audit_tier"] != "premium":
        return _ruling("off", ["needs_premium"])
    switches = []
    if settings.unified_log is False:
        switches.append("unified_log_off")
    if settings.organisation_disabled:
        switches.append("organisation_off")
    if kind in action.unverified_on or kind not in SPOKEN_OF:
        if switches:
            return _ruling("off", switches, mendable=False)
        return _ruling("unclear", ["kind_unverified"], words, mendable=False)
    if kind == "group":
        # Group mailboxes have a fixed set that no setting of theirs changes (audit_events.md §1.1).
        if not action.group_default:
            return _ruling("never", ["not_in_group_set"])
        return _ruling("off", switches) if switches else _ruling("on", ["group_set"], mendable=False)
    return _own_settings(action, main, box, settings, switches, words)


def main_type(action: catalog.MailboxAction, kind: str) -> catalog.LogonType:
    """The logon type whose acts are nearly all of an operation: owners', where they log it at all.

    Nobody signs in to a shared mailbox as its owner: who opens it has been granted access, and acts as a delegate.
    """
    first: tuple[catalog.LogonType, ...] = ("delegate", *LOGON_TYPES) if kind == "shared" else LOGON_TYPES
    return next((t for t in first if t in action.default | action.optional), "owner")


def set_of(box: Mapping[str, object], logon_type: str) -> frozenset[str] | None:
    """The audit actions of a logon type; None where the export does not say."""
    value = str(box[f"audit_{logon_type}"])
    return None if value == UNSAID else frozenset(filter(None, value.split(",")))


def _own_settings(
    action: catalog.MailboxAction,
    main: catalog.LogonType,
    box: Mapping[str, object],
    settings: Settings,
    switches: Sequence[str],
    words: Mapping[str, str],
) -> Ruling:
    """A mailbox that has audit sets of its own."""
    verdict, cause = _audit_sets(action, main, box)
    hindered = list(switches)
    # The bypass is the account's: what others do in the mailbox is logged all the same.
    if box["bypassed"] and box["kind"] == "user" and main == "owner":
        hindered.append("bypassed")
    # Exchange ignores AuditEnabled while mailbox auditing is on for the organisation (audit_events.md §1.2). Where no
    # file says that it is, a set that has the action leaves it open; one without it is off either way.
    flagged = not box["audit_enabled"] and settings.organisation_disabled is not False
    if hindered or verdict == "off":
        if verdict == "off":
            hindered.append(cause)
        if flagged:
            hindered.append("audit_disabled")
        return _ruling("off", hindered, words)
    if flagged:
        return _ruling("unclear", ["audit_disabled"], words)
    return _ruling(verdict, [cause], words)


def _audit_sets(
    action: catalog.MailboxAction, main: catalog.LogonType, box: Mapping[str, object]
) -> tuple[Literal["on", "off", "unclear"], str]:
    """What the audit sets say, and which cause it is."""
    types = [t for t in LOGON_TYPES if t in action.default | action.optional]
    sets = {t: set_of(box, t) for t in types}
    if any(value is None for value in sets.values()):
        return "unclear", "set_unreadable"
    # What these do is nearly all of it, so a set that has the action for others only counts as off.
    if action.action in (sets.get(main) or ()):
        return "on", "set_has"
    managed = str(box["default_audit_set"])
    if not action.default:
        return "off", "set_optional"
    if managed != UNSAID and main not in managed.split(","):
        return "off", "set_customised"
    return "off", "set_not_yet"


def _ruling(
    verdict: Literal["on", "off", "unclear", "never"],
    found: Sequence[str],
    words: Mapping[str, str] | None = None,
    *,
    mendable: bool | None = None,
) -> Ruling:
    """A ruling from its causes. Mendable is what a script can mend, all of it."""
    known = [causes()[name] for name in found]
    if mendable is None:
        mendable = verdict != "never" and all(one.mend != "licence" for one in known)
    texts = [one.text.format(**words or {}) for one in known]
    if len(texts) > 1 and found[-1] == "audit_disabled":
        texts[-1] += " too"
    return Ruling(verdict, tuple(found), "; ".join(texts), mendable)
