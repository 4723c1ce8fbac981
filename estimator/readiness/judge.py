"""Which mailbox emits which operation today, will emit it, or is blocked, and why.

What the settings say (`rules.py`) is set against what the sample shows (`sample.py`). The forecast, the verb
`readiness` and the script that mends all take their split from here, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from estimator import catalog, tables
from estimator.catalog.causes import causes
from estimator.findings import Finding
from estimator.inventory import Inventory
from estimator.inventory.words import counted
from estimator.readiness.rules import LOOKED_AT, UNSAID, Ruling, rule
from estimator.readiness.sample import Witness, look_at
from estimator.scenario import Enabled

STATES = ("emitting", "will_emit", "blocked", "unknown", "not_applicable")

#: Findings name so many mailboxes' worth of causes and no more.
_SHOWN = 5


@dataclass(frozen=True)
class Readiness:
    """The verdicts.

    Attributes:
        table: `tables.READINESS` plus `covered` (the sample would show this mailbox's events), `mendable` (where a rule
            says off today, an administrator's script can change that), `settings_known` (false where the settings
            leave open whether the mailbox emits: of state `unknown`, these may emit with any probability) and `ruling`
            (position in `rulings`).
        findings: what contradicts the rules, what the sample was taken for, and what a scenario takes for granted.
        rulings: what the settings say, once for each operation and combination of settings.
    """

    table: pd.DataFrame
    findings: list[Finding]
    rulings: list[Ruling] = field(default_factory=list)

    def emitting_today(self) -> dict[str, int]:
        """Mailboxes emitting each operation today, those of state `unknown` not counted."""
        emitting = self.table[self.table["state"] == "emitting"]
        return {str(k): int(v) for k, v in emitting.groupby("operation").size().items()}

    def of(self, operation: str) -> pd.DataFrame:
        """The rows of one operation, indexed by mailbox."""
        return self.table.take(self.rows_of(operation)).set_index("mailbox")

    def rows_of(self, operation: str) -> np.ndarray:
        """The positions of an operation's rows in the table."""
        return self._rows.get(operation, np.zeros(0, np.intp))

    @cached_property
    def _rows(self) -> dict[str, np.ndarray]:
        # Asked for again and again, of millions of rows.
        codes, names = pd.factorize(self.table["operation"])
        ends = np.searchsorted(codes[order := np.argsort(codes, kind="stable")], np.arange(len(names) + 1))
        return {str(name): order[ends[n] : ends[n + 1]] for n, name in enumerate(names)}


def judge(
    inventory: Inventory,
    reduction: pd.DataFrame | None,
    operations: Sequence[str] | None = None,
) -> Readiness:
    """Judge every mailbox for every mailbox operation, before any scenario: nothing is `will_emit` yet.

    Args:
        inventory: the tenant.
        reduction: `tables.REDUCTION` of the sample, or None without one; subjects under the names of the inventory.
        operations: which operations; by default all that the catalogue ties to a mailbox action.
    """
    boxes = tables.MAILBOXES.check(inventory.mailboxes, "readiness")
    wanted = list(operations) if operations is not None else catalog.mailbox_operations()
    sample = look_at(boxes, reduction)
    # Few distinct settings exist in a tenant, so each is judged once and not each mailbox.
    looked_at = boxes[list(LOOKED_AT)]
    codes, kinds = pd.factorize(pd.MultiIndex.from_frame(looked_at.fillna(UNSAID)))
    alike = [dict(zip(LOOKED_AT, row, strict=True)) for row in kinds]
    rulings: list[Ruling] = []
    parts = []
    for key in wanted:
        first = len(rulings)
        rulings += [rule(key, box, inventory.settings) for box in alike]
        parts.append(_judged(key, boxes, codes, rulings[first:], first, sample))
    table = pd.concat(parts, ignore_index=True) if parts else _none()
    return Readiness(
        tables.READINESS.check(table, "judge"),
        [*sample.findings, *_findings(table, boxes, inventory)],
        rulings,
    )


def _judged(
    key: str, boxes: pd.DataFrame, codes: np.ndarray, rulings: Sequence[Ruling], first: int, sample: Witness
) -> pd.DataFrame:
    """The rows of one operation."""
    rules = np.array([ruling.rule for ruling in rulings], dtype=object)[codes]
    bypassed = np.array(["bypassed" in ruling.causes for ruling in rulings])[codes]
    mailboxes = boxes["mailbox"]
    seen = mailboxes.isin(sample.seen.get(key, set())).to_numpy()
    if bypassed.any():  # what others do in the mailbox is no sign that its owner's acts are logged
        seen = np.where(bypassed, mailboxes.isin(sample.by_owner.get(key, set())).to_numpy(), seen)
    covered = sample.covered.to_numpy()
    on, off, unclear = (rules == word for word in ("on", "off", "unclear"))
    silent, hidden = covered & ~seen, ~covered & ~seen
    state = np.full(len(boxes), "not_applicable", dtype=object)
    # Where the settings leave it open, a sample that would show it and does not is the better witness.
    state[off | (unclear & silent)] = "blocked"
    state[(on | unclear) & hidden] = "unknown"
    state[(on & silent) | seen] = "emitting"
    reason = np.array([ruling.reason for ruling in rulings], dtype=object)[codes]
    cause = np.array([ruling.causes[0] for ruling in rulings], dtype=object)[codes]
    for rows, name in ((seen, "observed"), (on & silent, "covered"), (on & hidden, "not_covered")):
        reason[rows], cause[rows] = causes()[name].text, name
    for rows, more in (
        (unclear & silent, "; the covering sample shows none"),
        (unclear & hidden, ", and the sample does not cover the mailbox"),
    ):
        reason[rows] = reason[rows] + more
    return pd.DataFrame(
        {
            "mailbox": mailboxes.array,
            "kind": boxes["kind"].array,
            "audit_tier": boxes["audit_tier"].array,
            "operation": pd.array([key] * len(boxes), dtype="str"),
            "state": pd.array(state, dtype="str"),
            "cause": pd.array(cause, dtype="str"),
            "reason": pd.array(reason, dtype="str"),
            "covered": covered,
            "mendable": np.array([ruling.mendable for ruling in rulings])[codes],
            "settings_known": ~unclear,
            "ruling": first + codes,
            # Settings that could not be read say nothing that a sample could contradict.
            "against": seen & ~on & ~unclear,
        }
    )


def _none() -> pd.DataFrame:
    more = {name: pd.Series([], dtype="bool") for name in ("covered", "mendable", "settings_known", "against")}
    return tables.READINESS.empty().assign(**more, ruling=pd.Series([], dtype="int64"))


def _findings(table: pd.DataFrame, boxes: pd.DataFrame, inventory: Inventory) -> list[Finding]:
    """What contradicts the rules, and what the settings mean for the tenant as a whole."""
    settings, findings = inventory.settings, []
    if table["against"].any():
        by = table[table["against"]].groupby("operation").size()
        text = ", ".join(f"{op} {n}" for op, n in by.items())
        findings.append(
            Finding(
                "emitting_against_rule",
                "warning",
                "the sample shows events of mailboxes whose settings say they emit none, and they count as emitting: "
                f"{text}. The inventory is older than the sample, or an audit set was changed meanwhile.",
            )
        )
    for off, name, command in (
        (settings.unified_log is False, "unified_log_off", "Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled "),
        (settings.organisation_disabled, "organisation_off", "Set-OrganizationConfig -AuditDisabled "),
    ):
        if off:
            value = "$true" if name == "unified_log_off" else "$false"
            findings.append(
                Finding(
                    name,
                    "warning",
                    f"{causes()[name].text}. The forecast takes it that you switch it on where a scenario enables "
                    f"operations ({command}{value}); every other audit event then flows as well, and is not in the "
                    "figures unless the sample shows it.",
                )
            )
    disabled = ~boxes["audit_enabled"]
    if settings.organisation_disabled is False and disabled.any():
        findings.append(
            Finding(
                "audit_flag_ignored",
                "info",
                f"{counted(int(disabled.sum()), 'mailbox has', 'mailboxes have')} AuditEnabled False, which Exchange "
                "ignores while mailbox "
                "auditing is on for the organisation (AuditDisabled is False, as your export says).",
            )
        )
    joining = table["mendable"] & table["state"].isin(["blocked", "unknown"])
    off_names = set(boxes.loc[disabled, "mailbox"])
    if settings.organisation_disabled is None and off_names:
        count = int(table.loc[joining & table["mailbox"].isin(off_names), "mailbox"].nunique())
        if count:
            findings.append(
                Finding(
                    "audit_disabled_join",
                    "warning",
                    f"{counted(count, 'mailbox has', 'mailboxes have')} AuditEnabled False. Where a scenario enables "
                    "operations for them, the "
                    "forecast takes it that you switch it on (Set-Mailbox -AuditEnabled $true), unless the sample "
                    "shows that they emit anyway: Exchange ignores the switch while mailbox auditing is on for the "
                    "organisation (Get-OrganizationConfig, AuditDisabled False).",
                )
            )
    lifted = joining & (table["cause"] == "bypassed")
    if lifted.any():
        findings.append(
            Finding(
                "bypass_join",
                "warning",
                f"{counted(int(table.loc[lifted, 'mailbox'].nunique()), 'mailbox belongs', 'mailboxes belong')} to "
                "accounts that "
                "bypass mailbox auditing. Where a scenario enables operations for them, the forecast takes it that "
                "you lift the "
                "bypass (Set-MailboxAuditBypassAssociation -AuditBypassEnabled $false); then all that these accounts "
                "do in any mailbox is logged, and what they do in others' is not in the figures.",
            )
        )
    if accounts := settings.bypassed_accounts:
        findings.append(
            Finding(
                "bypass_hides_volume",
                "warning",
                f"{counted(len(accounts), 'account', 'accounts')} without a mailbox of their own "
                f"{'bypasses' if len(accounts) == 1 else 'bypass'} mailbox auditing (service accounts, "
                "as a rule). The sample shows nothing of what they do in mailboxes, and the forecast has none of it: "
                "it holds only as long as the bypass stays.",
            )
        )
    unlisted = (boxes["audit_tier"] == "standard_unlisted") & (boxes["kind"] == "user")
    if unlisted.any():
        findings.append(
            Finding(
                "licence_unlisted",
                "info",
                f"{counted(int(unlisted.sum()), 'user has', 'users have')} only a licence that Microsoft's list of "
                "Audit (Standard) licences "
                "does not name (standalone Exchange Online plans and others). They are taken to log what Audit "
                "(Standard) logs; no source says that they do or do not.",
            )
        )
    shared = boxes["kind"] == "shared"
    if shared.any():
        findings.append(
            Finding(
                "shared_by_delegates",
                "info",
                f"{counted(int(shared.sum()), 'shared mailbox is', 'shared mailboxes are')} judged by what delegates "
                "do there: nobody signs in to one as its owner. That is our inference; no source says it.",
            )
        )
    return findings


def will_emit(readiness: Readiness, enabled: Sequence[Enabled]) -> Readiness:
    """The verdicts under a scenario: what can be mended and is enabled becomes `will_emit`, `since` then."""
    table = readiness.table
    mailboxes, mendable = table["mailbox"].array, table["mendable"].to_numpy()
    state, reason = (table[name].to_numpy(dtype=object, copy=True) for name in ("state", "reason"))
    since = np.full(len(table), np.datetime64("NaT"), dtype="datetime64[us]")
    for part in enabled:
        rows = everybody = readiness.rows_of(part.operation)
        rows = rows[(state[rows] == "blocked") & mendable[rows]]
        if len(part.mailboxes) < len(everybody):  # else it is for all of them, as most often
            rows = rows[pd.Series(mailboxes[rows]).isin(part.mailboxes).to_numpy()]
        state[rows], since[rows] = "will_emit", np.datetime64(part.day)
        reason[rows] += f"; the scenario enables it on {part.day}"
    table = table.assign(state=pd.array(state, dtype="str"), reason=pd.array(reason, dtype="str"), since=since)
    return Readiness(table, readiness.findings, readiness.rulings)
