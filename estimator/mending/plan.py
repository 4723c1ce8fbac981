"""What is to be mended: the mailboxes, wave by wave, and the switches of the organisation.

Readiness makes the plan; `script`, `rollback` and `runbook` write it down as PowerShell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from estimator.errors import TableError

#: The logon types of mailbox auditing, in the order in which the scripts show them.
LOGON_TYPES = ("owner", "delegate", "admin")

_ACTION = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True)
class Mend:
    """One mailbox and what it lacks.

    Attributes:
        mailbox: the address that Exchange is asked for: the UPN, or the primary SMTP address where the export has none.
        kind: user, shared, ...
        wave: the number of its wave, from 1.
        add: logon type → audit actions to add, e.g. {"owner": ("MailItemsAccessed", "Send")}.
        managed: logon types that Microsoft manages today (DefaultAuditSet); () where that is unknown.
        enable_audit: AuditEnabled is False and is to be switched on.
        lift_bypass: the mailbox's own account bypasses auditing, and is to do so no longer.

    Raises:
        TableError: a logon type or an action that Exchange cannot know, or nothing to mend.
    """

    mailbox: str
    kind: str
    wave: int
    add: Mapping[str, tuple[str, ...]]
    managed: tuple[str, ...] = ()
    enable_audit: bool = False
    lift_bypass: bool = False

    def __post_init__(self) -> None:
        if fault := _fault((*self.add, *self.managed), tuple(self.add.values())):
            raise TableError(fault[0], path=self.mailbox, place="mending", expected=fault[1])
        if self.wave < 1:
            raise TableError(f"wave {self.wave}", path=self.mailbox, place="mending", expected="1 or more")
        if not (any(self.add.values()) or self.enable_audit or self.lift_bypass):
            raise TableError(
                "nothing to mend",
                path=self.mailbox,
                place="mending",
                expected="an action to add, enable_audit or lift_bypass",
            )


@lru_cache(maxsize=1024)
def _fault(logon_types: tuple[str, ...], added: tuple[tuple[str, ...], ...]) -> tuple[str, str] | None:
    """What Exchange cannot know, and what it can. Mailboxes are many, and what they lack is one of a few things."""
    if unknown := sorted(set(logon_types) - set(LOGON_TYPES)):
        return f"the logon type {unknown[0]!r}", " | ".join(LOGON_TYPES)
    strange = (action for actions in added for action in actions if not _ACTION.fullmatch(action))
    return next(((f"the audit action {action!r}", "letters only") for action in strange), None)


@dataclass(frozen=True)
class Wave:
    """A step of the rollout.

    Attributes:
        number: from 1.
        title: as the scenario calls it.
        on: the day it is planned for, where there is one.
        mailboxes: how many mailboxes it has, those that no script can mend included.
    """

    number: int
    title: str
    on: date | None
    mailboxes: int


@dataclass(frozen=True)
class OrganisationMend:
    """The switches of the whole tenant.

    Attributes:
        enable_auditing: `AuditDisabled` is True and is to be set to False.
        enable_unified_log: the unified audit log takes nothing in, and is to be switched on.
    """

    enable_auditing: bool = False
    enable_unified_log: bool = False


@dataclass(frozen=True)
class MendingPlan:
    """All that the scripts are made from.

    Attributes:
        mends: one per mailbox and wave.
        waves: at least those that the mends name.
        organisation: switches of the tenant.
        bypassed_accounts: accounts without a mailbox that bypass auditing: listed for people, and never changed,
            because all that such an account does in any mailbox would be audited at once.
        not_mended: reason → mailboxes that no script can mend.
        operations: what is to be emitted, as the catalogue keys it.
        tenant: the tenant's name or domain.
        as_of: the day of the data.
        version: of this package.

    Raises:
        TableError: a mailbox stands twice in a wave, or its wave is not among the waves, or a wave stands twice.
    """

    mends: Sequence[Mend]
    waves: Sequence[Wave]
    organisation: OrganisationMend
    bypassed_accounts: tuple[str, ...]
    not_mended: Mapping[str, int]
    operations: tuple[str, ...]
    tenant: str
    as_of: date
    version: str

    def __post_init__(self) -> None:
        _once("wave", Counter(str(wave.number) for wave in self.waves))
        counts = Counter((mend.wave, mend.mailbox.lower()) for mend in self.mends)
        for (_, mailbox), count in counts.items():
            _once("mailbox", {mailbox: count})
        known = {wave.number for wave in self.waves}
        for mend in self.mends:
            if mend.wave not in known:
                raise TableError(
                    f"wave {mend.wave}",
                    path=mend.mailbox,
                    place="mending",
                    expected=f"one of {', '.join(map(str, sorted(known))) or 'no wave at all'}",
                )


def _once(what: str, counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        if count > 1:
            raise TableError(f"the {what} {name!r} stands {count} times", place="mending", expected="once")
