"""What is planted in a tenant for readiness to find: licences taken away, audit sets customised, accounts that bypass.

Every question has dice of its own, so that planting one thing moves nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .audit_sets import VARIANTS
from .dice import Bools, Dice, Ints, chosen, few
from .spec import TenantSpec

AUDITED_KINDS = frozenset({"UserMailbox", "SharedMailbox"})

_TOPIC = 6
"""The first of the dice; those before it are the people's (`make_mailboxes`)."""
_LICENCES, _VARIANTS, _DISABLED, _UNREADABLE, _BYPASS, _SEARCH = range(_TOPIC, _TOPIC + 6)


@dataclass(frozen=True)
class Plants:
    """What was planted, as columns with one place a mailbox.

    Attributes:
        variant: Name in `VARIANTS` of the customised sets; empty for none.
        addon: Whether the user has the E5 Compliance add-on.
        unlicensed: Whether the user's licence was taken away.
        inactive: Whether the mailbox is inactive.
        idle: Whether nobody uses it: unlicensed, inactive, or of a service account.
        audit_disabled: Whether AuditEnabled is False.
        unreadable: Whether the export shows the sets shortened.
        bypassed: Whether the mailbox's account bypasses mailbox auditing.
        searching: Whether SearchQueryInitiated was added for the owner.
    """

    variant: list[str]
    addon: Bools
    unlicensed: Bools
    inactive: Bools
    idle: Bools
    audit_disabled: Bools
    unreadable: Bools
    bypassed: Bools
    searching: Bools


def take_licences(spec: TenantSpec, sku: list[str], desk: Bools) -> tuple[Bools, Bools]:
    """Say whose licence is taken away, among those at desks, and which of the others with E3 get the add-on."""
    dice = Dice(spec.seed, 0, _LICENCES)
    unlicensed = few(desk, spec.unlicensed, dice.unit(len(desk)))
    e3 = np.flatnonzero(np.array([s == "SPE_E3" for s in sku], dtype=bool) & ~unlicensed)
    addon = np.zeros(len(desk), dtype=bool)
    addon[e3[chosen(spec.compliance_addon, dice.unit(len(e3)))]] = True
    return unlicensed, addon


def touched(spec: TenantSpec, audited: Bools, kind: list[str], number: int) -> Bools:
    """Say which mailboxes an application touches: the same ones every day."""
    application, dice = spec.applications[number], Dice(spec.seed, 3, number)
    open_to = audited
    if application.kinds:
        open_to = audited & np.array([k in application.kinds for k in kind], dtype=bool)
    if application.mailboxes:
        return few(open_to, application.mailboxes, dice.unit(len(kind)))
    return dice.chance(np.where(open_to, application.share, 0.0))


@dataclass(frozen=True)
class Ground:
    """What things are planted in: all mailboxes, people first, as columns with one place a mailbox.

    Attributes:
        kind: RecipientTypeDetails.
        desk: Whether it is used by somebody at a desk.
        emitting: Whether it has the sets of today.
        customised: Whether its owner's set was cut to the least.
        hand_count: How many people open it.
        unlicensed: As in `Plants`.
        addon: As in `Plants`.
        inactive: As in `Plants`.
    """

    kind: list[str]
    desk: Bools
    emitting: Bools
    customised: Bools
    hand_count: Ints
    unlicensed: Bools
    addon: Bools
    inactive: Bools


def plant(spec: TenantSpec, ground: Ground) -> Plants:
    """Plant what the spec asks for."""
    n = len(ground.kind)
    service = np.arange(n) >= n - len(spec.service_accounts)
    idle = ground.unlicensed | ground.inactive | service
    audited = np.array([k in AUDITED_KINDS for k in ground.kind], dtype=bool) & ~idle

    variant, free = [""] * n, ground.desk & ~ground.emitting & ~ground.customised & ~idle
    dice = Dice(spec.seed, 0, _VARIANTS)
    for name, wanted in spec.customised_sets.items():
        if name not in VARIANTS:
            raise ValueError(f"TenantSpec.customised_sets: {name!r} is none of {', '.join(VARIANTS)}")
        taken = few(free, wanted, dice.unit(n))
        free &= ~taken
        for box in np.flatnonzero(taken).tolist():
            variant[box] = name
    disabled = few(audited, spec.audit_disabled, Dice(spec.seed, 0, _DISABLED).unit(n))
    disabled |= np.array([k == "DiscoveryMailbox" for k in ground.kind], dtype=bool)  # as it comes
    # Nobody but its owner may be seen in it, or the sample would show what the settings rule out.
    seen = np.zeros(n, dtype=bool)
    for number, application in enumerate(spec.applications):
        if not application.bypassed:
            seen |= touched(spec, audited, ground.kind, number)
    alone = audited & ground.desk & (ground.hand_count == 1) & ~seen & ~np.array([bool(v) for v in variant])
    score, pilots = Dice(spec.seed, 0, _BYPASS).unit(n), spec.bypassed_owners // 2
    bypassed = few(alone & ground.emitting, pilots, score)
    bypassed |= few(alone & ~ground.emitting, spec.bypassed_owners - pilots, score)
    plain = free & alone & ~bypassed & ~disabled
    unreadable = few(plain, spec.unreadable, Dice(spec.seed, 0, _UNREADABLE).unit(n))
    open_to = audited & ground.desk & ground.emitting & ~bypassed
    searching = few(open_to, spec.searching, Dice(spec.seed, 0, _SEARCH).unit(n))
    for place, application in enumerate(spec.service_accounts):
        bypassed[n - len(spec.service_accounts) + place] = application.bypassed
    return Plants(
        variant, ground.addon, ground.unlicensed, ground.inactive, idle, disabled, unreadable, bypassed, searching
    )
