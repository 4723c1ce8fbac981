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
from estimator.scenario import Enabled

_LOGON_TYPES = ("owner", "delegate", "admin")


@dataclass(frozen=True)
class Readiness:
    """The verdicts.

    Attributes:
        table: `tables.READINESS` plus `covered` (the sample would show this mailbox's events) and `mendable` (a rule
            says off today, and an administrator can change that).
        findings: what contradicts the rules.
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
    seen, covered = _seen(boxes, reduction)
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
        part = boxes[["mailbox", "kind", "audit_tier"]].copy()
        part["operation"] = key
        part[["rule", "reason", "mendable"]] = rules.iloc[group].to_numpy()
        part["covered"] = covered.to_numpy()
        part["seen"] = part["mailbox"].isin(seen.get(key, set()))
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    on, off, unclear = (table["rule"] == r for r in ("on", "off", "unclear"))
    table["state"] = "not_applicable"
    table.loc[off, "state"] = "blocked"
    table.loc[on | unclear, "state"] = "unknown"
    table.loc[on & table["covered"], "state"] = "emitting"
    # Settings that could not be read say nothing that a sample could contradict.
    against = table["seen"] & ~on & ~unclear
    table.loc[table["seen"], "state"] = "emitting"
    table.loc[table["seen"], "reason"] = "observed in the sample"
    table.loc[on & ~table["seen"] & table["covered"], "reason"] = "on, and covered by the sample, which shows none"
    table.loc[on & ~table["seen"] & ~table["covered"], "reason"] = "on, but the sample does not cover the mailbox"
    table["mendable"] = table["mendable"].astype(bool)
    findings = []
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
    columns = [*tables.READINESS.names, "covered", "mendable"]
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


def _seen(boxes: pd.DataFrame, reduction: pd.DataFrame | None) -> tuple[dict[str, set[str]], pd.Series]:
    """Mailboxes seen per operation, and whether the sample covers each mailbox.

    A mailbox is covered if any Exchange event of it was seen, or if the sample is of the whole tenant (it holds
    records of principals that are no mailbox, which scoped searches leave out) over five weekdays or more.
    """
    nobody = pd.Series(False, index=boxes.index)
    if reduction is None or reduction.empty:
        return {}, nobody
    mine = reduction[reduction["subject_kind"] == "mailbox"]
    seen = {str(key): set(group) for key, group in mine["subject"].groupby(operation_keys(mine))}
    days = pd.DatetimeIndex(reduction["day"].unique())
    outsiders = (~reduction["principal"].isin(boxes["mailbox"]) & (reduction["principal"] != "")).any()
    if outsiders and (days.day_of_week < 5).sum() >= 5:
        return seen, ~nobody
    return seen, boxes["mailbox"].isin(set(mine["subject"]))


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
    if not box["audit_enabled"]:
        return "off", "AuditEnabled is False", True
    types = [t for t in _LOGON_TYPES if t in action.default or t in action.optional]
    sets = {t: str(box[f"audit_{t}"]) for t in types}
    if any(value == "?" for value in sets.values()):
        return "unclear", "the audit set could not be read", True
    having = [t for t in types if action.action in sets[t].split(",")]
    # What owners do is nearly all of it, so a set that has the action for others only counts as off.
    main = types[0] if types else "owner"
    if main in having:
        return "on", f"{action.action} is in the {main} set", True
    managed = str(box["default_audit_set"])
    if not action.default:
        return "off", f"off until an administrator adds {action.action}", True
    if managed != "?" and main not in managed.split(","):
        return "off", f"the {main} set was customised and lacks {action.action}", True
    return "off", f"{action.action} is not in the {main} set yet", True
