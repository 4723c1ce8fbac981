"""Which mailbox emits which operation today, will emit it, or is blocked, and why.

The forecast takes its split from here, so that readiness and forecast cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from estimator import catalog, tables
from estimator.findings import Finding
from estimator.inventory import Inventory
from estimator.operations import operation_keys
from estimator.principals import OUTSIDE_SCOPES, outside_scopes
from estimator.scenario import Enabled

_LOGON_TYPES = ("owner", "delegate", "admin")

_UNREADABLE = "audit set unreadable"
_DISABLED = "AuditEnabled is False"

#: Weekdays that a sample of the whole tenant must span before silence says that nothing is emitted.
_WEEKDAYS = 5
#: The share of licensed user mailboxes seen beyond which a sample without system principals is of the whole tenant.
_SEEN_SHARE = 0.5


@dataclass(frozen=True)
class Readiness:
    """The verdicts.

    Attributes:
        table: `tables.READINESS` plus `covered` (the sample would show this mailbox's events), `mendable` (where a rule
            says off today, an administrator can change that) and `settings_known` (false where the settings leave
            open whether the mailbox emits: of state `unknown`, these may emit with any probability).
        findings: what contradicts the rules, what the sample was taken for, and what a scenario takes for granted.
    """

    table: pd.DataFrame
    findings: list[Finding]

    def emitting_today(self) -> dict[str, int]:
        """Mailboxes emitting each operation today, those of state `unknown` not counted."""
        emitting = self.table[self.table["state"] == "emitting"]
        return {str(k): int(v) for k, v in emitting.groupby("operation").size().items()}

    def of(self, operation: str) -> pd.DataFrame:
        """The rows of one operation, indexed by mailbox."""
        return self.table[self.table["operation"] == operation].set_index("mailbox")


def judge(
    inventory: Inventory,
    reduction: pd.DataFrame | None,
    operations: Sequence[str] | None = None,
) -> Readiness:
    """Judge every mailbox for every mailbox operation, before any scenario: nothing is `will_emit` yet.

    Args:
        inventory: the tenant.
        reduction: `tables.REDUCTION` of the sample, or None without one.
        operations: which operations; by default all that the catalogue ties to a mailbox action.
    """
    boxes = tables.MAILBOXES.check(inventory.mailboxes, "readiness")
    wanted = list(operations) if operations is not None else catalog.mailbox_operations()
    sample = _look_at(boxes, reduction)
    # Few distinct settings exist in a tenant, so each is judged once and not each mailbox.
    settings = [
        "kind",
        "audit_tier",
        "audit_enabled",
        "default_audit_set",
        "audit_admin",
        "audit_delegate",
        "audit_owner",
    ]
    group, rows = pd.factorize(pd.MultiIndex.from_frame(boxes[settings].fillna("?")))
    parts = []
    for key in wanted:
        rules = pd.DataFrame(
            [_rule(key, dict(zip(settings, row, strict=True))) for row in rows], columns=["rule", "reason", "mendable"]
        )
        part = boxes[["mailbox", "kind", "audit_tier", "audit_enabled"]].copy()
        part["operation"] = key
        part[["rule", "reason", "mendable"]] = rules.iloc[group].to_numpy()
        part["covered"] = sample.covered.to_numpy()
        part["seen"] = part["mailbox"].isin(sample.seen.get(key, set()))
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    on, off, unclear = (table["rule"] == r for r in ("on", "off", "unclear"))
    silent = table["covered"] & ~table["seen"]
    hidden = ~table["covered"] & ~table["seen"]
    table["state"] = "not_applicable"
    # Where the settings leave it open, a sample that would show it and does not is the better witness.
    table.loc[off | (unclear & silent), "state"] = "blocked"
    table.loc[(on | unclear) & hidden, "state"] = "unknown"
    table.loc[(on & silent) | table["seen"], "state"] = "emitting"
    # Settings that could not be read say nothing that a sample could contradict.
    against = table["seen"] & ~on & ~unclear
    table.loc[table["seen"], "reason"] = "observed in the sample"
    table.loc[on & silent, "reason"] = "on, and covered by the sample, which shows none"
    table.loc[on & hidden, "reason"] = "on, but the sample does not cover the mailbox"
    table.loc[unclear & silent, "reason"] += "; the covering sample shows none"
    table.loc[unclear & hidden, "reason"] += ", and the sample does not cover the mailbox"
    table["mendable"] = table["mendable"].astype(bool)
    table["settings_known"] = ~unclear
    findings = list(sample.findings)
    if against.any():
        by = table[against].groupby("operation").size()
        text = ", ".join(f"{op} {n}" for op, n in by.items())
        findings.append(
            Finding(
                "emitting_against_rule",
                "warning",
                "the sample shows events of mailboxes whose settings say they emit none, and they count as emitting: "
                f"{text}. The inventory is older than the sample, or an audit set was changed meanwhile.",
            )
        )
    joining = table["mendable"] & table["state"].isin(["blocked", "unknown"])
    if disabled := int(table.loc[joining & ~table["audit_enabled"], "mailbox"].nunique()):
        findings.append(
            Finding(
                "audit_disabled_join",
                "warning",
                f"{disabled} mailboxes have AuditEnabled False. Where a scenario enables operations for them, the "
                "forecast takes it that you switch it on (Set-Mailbox -AuditEnabled $true), unless the sample shows "
                "that they emit anyway: Exchange ignores the switch while mailbox auditing is on for the organisation "
                "(Get-OrganizationConfig, AuditDisabled False).",
            )
        )
    columns = [*tables.READINESS.names, "covered", "mendable", "settings_known"]
    table = table[columns].astype({"reason": "str", "state": "str"})
    return Readiness(tables.READINESS.check(table, "judge"), findings)


def will_emit(readiness: Readiness, enabled: Sequence[Enabled]) -> Readiness:
    """The verdicts under a scenario: what can be mended and is enabled becomes `will_emit`."""
    table = readiness.table.copy()
    for part in enabled:
        joins = (
            (table["operation"] == part.operation)
            & (table["state"] == "blocked")
            & table["mendable"]
            & table["mailbox"].isin(part.mailboxes)
        )
        table.loc[joins, "state"] = "will_emit"
    return Readiness(table, readiness.findings)


@dataclass(frozen=True)
class _Sample:
    """What the sample shows of the mailboxes.

    Attributes:
        seen: mailboxes seen per operation.
        covered: of each mailbox, whether the sample would show its events.
        findings: what the sample was taken for.
    """

    seen: dict[str, set[str]]
    covered: pd.Series
    findings: list[Finding]


def _look_at(boxes: pd.DataFrame, reduction: pd.DataFrame | None) -> _Sample:
    """Mailboxes seen per operation, and whether the sample covers each mailbox.

    A mailbox is covered if any Exchange event of it was seen, or if the sample is of the whole tenant (no search for
    some users would have brought it) over five weekdays or more.
    """
    nobody = pd.Series(False, index=boxes.index)
    if reduction is None or reduction.empty:
        return _Sample({}, nobody, [])
    mine = reduction[reduction["subject_kind"] == "mailbox"]
    seen = {str(key): set(group) for key, group in mine["subject"].groupby(operation_keys(mine))}
    days = pd.DatetimeIndex(reduction["day"].unique())
    whole = _why_whole(boxes, reduction) if (days.day_of_week < 5).sum() >= _WEEKDAYS else ""
    if whole:
        covered, message = ~nobody, f"the sample is taken as one of the whole tenant: {whole}."
        message += " Mailboxes it does not show count as emitting nothing."
    else:
        covered = boxes["mailbox"].isin(set(mine["subject"]))
        message = (
            f"the sample covers {int(covered.sum())} of {len(boxes)} mailboxes; the others' state is unknown where "
            "their settings say they emit, or do not say. An export of all users, five weekdays or longer, settles it."
        )
    return _Sample(seen, covered, [Finding("sample_scope", "info", message)])


def _why_whole(boxes: pd.DataFrame, reduction: pd.DataFrame) -> str:
    """Why a sample cannot come from a search for some users; '' where it can.

    A stray account without a mailbox (a departed user, an administrator) proves nothing: one can search for it.
    """
    principals = reduction["principal"].unique()
    if system := sum(map(outside_scopes, principals)):
        return f"it shows what {system} {OUTSIDE_SCOPES}"
    licensed = boxes.loc[(boxes["kind"] == "user") & (boxes["audit_tier"] != "none"), "mailbox"]
    subjects = reduction.loc[reduction["subject_kind"] == "mailbox", "subject"]
    active = int(licensed.isin({*principals, *subjects}).sum())
    if active > _SEEN_SHARE * len(licensed):
        return f"{active} of {len(licensed)} licensed user mailboxes act in it or are acted on"
    return ""


def _rule(key: str, box: dict[str, object]) -> tuple[str, str, bool]:
    """What the settings say: on, off, unclear or never; why; and whether an administrator can switch it on."""
    operation = catalog.operation(key)
    action = operation.mailbox_action
    if operation.status == "retired":
        return "never", "the operation no longer exists", False
    if action is None:
        return "never", "not an action of mailboxes", False
    if box["kind"] in action.never_on:
        return "never", f"{box['kind']} mailboxes do not log it", False
    if box["kind"] == "user" and box["audit_tier"] == "none":
        return "off", "the user has no licence with a mailbox", False
    if operation.licence == "premium" and box["audit_tier"] != "premium":
        return "off", "needs Audit (Premium)", False
    if box["kind"] in action.unverified_on:
        return "unclear", f"no source says whether {box['kind']} mailboxes log it", False
    if box["kind"] == "group":
        # Group mailboxes have a fixed set that no setting changes (audit_events.md §1.1).
        on = bool(action.group_default)
        return ("on", "in the fixed set of group mailboxes", False) if on else ("never", "not in the fixed set", False)
    verdict, reason = _rule_of_sets(action, box)
    # Exchange ignores the switch while auditing is on for the organisation (audit_events.md §1.2), which no export here
    # says; a set without the action is off either way.
    if not box["audit_enabled"]:
        return (
            ("off", f"{reason}; AuditEnabled is False too", True) if verdict == "off" else ("unclear", _DISABLED, True)
        )
    return verdict, reason, True


def _rule_of_sets(action: catalog.MailboxAction, box: dict[str, object]) -> tuple[str, str]:
    """What the audit sets of a mailbox that has its own say: on, off or unclear; and why."""
    types = [t for t in _LOGON_TYPES if t in action.default or t in action.optional]
    sets = {t: str(box[f"audit_{t}"]) for t in types}
    if any(value == "?" for value in sets.values()):
        return "unclear", _UNREADABLE
    having = [t for t in types if action.action in sets[t].split(",")]
    # What owners do is nearly all of it, so a set that has the action for others only counts as off.
    main = types[0] if types else "owner"
    if main in having:
        return "on", f"{action.action} is in the {main} set"
    managed = str(box["default_audit_set"])
    if not action.default:
        return "off", f"off until an administrator adds {action.action}"
    if managed != "?" and main not in managed.split(","):
        return "off", f"the {main} set was customised and lacks {action.action}"
    return "off", f"{action.action} is not in the {main} set yet"
