"""The people and mailboxes of a tenant: who they are, how they work, what they are licensed for, and who emits what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .dice import Bools, Dice, Floats, Ints, floor
from .names import FIRST, LAST, SHARED
from .operations import KEPT_WHEN_CUSTOMISED, NEWLY_AVAILABLE, OPERATIONS
from .spec import TenantSpec

PREMIUM = frozenset({"SPE_E5", "ENTERPRISEPREMIUM", "M365EDU_A5_FACULTY", "M365_G5_GCC"})
FRONTLINE = frozenset({"SPE_F1", "M365_F1", "DESKLESSPACK"})

_BIAS = {"none": 0.0, "mild": 0.4, "strong": 2.0}
_HANDS = 6
"""The most people who open one shared mailbox."""


@dataclass(frozen=True)
class _Role:
    """How people of one kind work with mail, before personal differences."""

    share: float
    arriving: float  # mails a working day
    attention: float  # share of them opened
    sittings: float  # times a day they sit down to their mail
    lookups: float  # old mails opened a day
    phone: float  # share of them with a phone that fetches mail as it arrives
    reply: float  # replies per mail opened
    writing: float  # new mails a day
    desktop: float  # share of sittings at desktop Outlook; half the rest in the browser
    weekend: float  # share of days off on which they look in
    files: float  # files opened a day
    meetings: float  # meetings called a day


_OFFICE = (
    _Role(0.14, 1.5, 0.30, 1.0, 0.1, 0.05, 0.01, 0.02, 0.3, 0.03, 0.3, 0.00),  # hardly there
    _Role(0.28, 9.0, 0.55, 2.2, 1.0, 0.20, 0.05, 0.2, 0.6, 0.10, 3.0, 0.05),  # light
    _Role(0.34, 32.0, 0.65, 6.0, 7.0, 0.50, 0.06, 0.8, 0.7, 0.32, 7.0, 0.20),  # regular
    _Role(0.17, 110.0, 0.75, 13.0, 35.0, 0.75, 0.06, 2.0, 0.7, 0.60, 9.0, 0.50),  # busy
    _Role(0.07, 250.0, 0.80, 22.0, 70.0, 0.90, 0.06, 4.0, 0.6, 0.80, 6.0, 0.90),  # everything goes through them
)
_FRONTLINE_ROLE = _Role(1.0, 3.5, 0.45, 1.3, 0.2, 0.25, 0.03, 0.05, 0.0, 0.15, 0.5, 0.0)
_SHARED_ROLE = _Role(1.0, 22.0, 0.85, 5.0, 0.5, 0.0, 0.08, 0.2, 0.8, 0.08, 0.0, 0.0)
_ROOM_ROLE = _Role(1.0, *[0.0] * 11)
_ROLES = (_FRONTLINE_ROLE, *_OFFICE, _SHARED_ROLE, _ROOM_ROLE)
_HUB, _SHARED, _ROOM = len(_OFFICE), len(_OFFICE) + 1, len(_OFFICE) + 2


@dataclass(frozen=True)
class Mailboxes:
    """All mailboxes of a tenant as columns of equal length; people first, then shared mailboxes, then rooms.

    Attributes:
        upn: User principal names, lower case.
        name: Display names.
        kind: RecipientTypeDetails.
        sku: SKU part number, empty where there is no licence.
        department: Empty where there is none.
        emitting: Whether the newly available operations are enabled.
        customised: Whether the owner's audit set was customised.
        hands: Who may open the mailbox, one row a mailbox; `hand_count` says how many of them count.
        habits: What `_Role` describes, with each person's own measure.
    """

    upn: list[str]
    name: list[str]
    kind: list[str]
    sku: list[str]
    department: list[str]
    emitting: Bools
    customised: Bools
    hands: Ints
    hand_count: Ints
    habits: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.upn)

    @property
    def person(self) -> Bools:
        """Which mailboxes are people's."""
        return np.array([kind == "UserMailbox" for kind in self.kind])

    @property
    def audited(self) -> Bools:
        """Which mailboxes can be audited at all: not rooms."""
        return np.array([kind != "RoomMailbox" for kind in self.kind])

    def emits(self) -> Bools:
        """Return who emits what today: one row an operation, one column a mailbox."""
        table = np.tile(self.audited, (len(OPERATIONS), 1))
        for op, operation in enumerate(OPERATIONS):
            if op in NEWLY_AVAILABLE:
                table[op] &= self.emitting
            elif operation.workload == "Exchange" and op not in KEPT_WHEN_CUSTOMISED:
                table[op] &= ~self.customised
        return table


def make_mailboxes(spec: TenantSpec) -> Mailboxes:
    """Make the mailboxes of a tenant."""
    # A stream of its own for each question, so that other licences or pilots leave the people as they are.
    dice, licensing, custom, handing, naming, placing = (Dice(spec.seed, 0, topic) for topic in range(6))
    n, rooms = spec.mailboxes, spec.rooms
    shared = floor(spec.shared * n + 0.5).item()
    people = n - shared - rooms
    kind = ["UserMailbox"] * people + ["SharedMailbox"] * shared + ["RoomMailbox"] * rooms

    frontline = floor(people * sum(s for k, s in spec.licences.items() if k in FRONTLINE) + 0.5).item()
    roles = np.concatenate([1 + dice.pick([r.share for r in _OFFICE], people - frontline), np.zeros(frontline)])
    roles = roles[np.argsort(dice.unit(people), kind="stable")]
    roles = np.concatenate([roles, np.full(shared, _SHARED), np.full(rooms, _ROOM)]).astype(np.int64)
    habits = {
        field: np.array([getattr(role, field) for role in _ROLES], dtype=np.float64)[roles]
        for field in _Role.__dataclass_fields__
        if field != "share"
    }
    # Some people get far more mail than others of their kind; the tail of 1 / sqrt(u) is what inboxes look like.
    tail = np.minimum(1.0 / np.sqrt(dice.unit(n) + 1e-3), 9.0)
    own = (0.2 + 0.9 * dice.unit(n)) * np.where(roles == _SHARED, tail * np.sqrt(tail), tail)
    habits["arriving"] = habits["arriving"] * own * spec.mail
    habits["attention"] = np.minimum(habits["attention"] * (0.5 + dice.unit(n)), 0.95)
    habits["lookups"] = habits["lookups"] * spec.mail
    habits["sittings"] = 1.0 + np.maximum(habits["sittings"] - 1.0, 0.0) * spec.mail
    for field in ("lookups", "files", "meetings"):
        habits[field] = habits[field] * (0.3 + 1.4 * dice.unit(n))
    # What somebody sends says little of what they read: some answer everything, one in eight nothing at all.
    talk = 0.5 + 1.6 * dice.unit(n) * dice.unit(n) / np.sqrt(dice.unit(n) + 0.05)
    talk = np.where(dice.chance(np.full(n, 0.125)), 0.0, talk)
    habits["reply"], habits["writing"] = habits["reply"] * talk, habits["writing"] * talk
    habits["files"] = habits["files"] * spec.files
    habits["phone"] = dice.chance(habits["phone"]).astype(np.float64)

    sku, emitting = _licences(spec, licensing, roles[:people], habits["arriving"][:people])
    sku = sku + [""] * (shared + rooms)
    emitting = np.concatenate(
        [emitting, _chosen(spec.shared_emitting, licensing.unit(shared)), np.zeros(rooms, dtype=bool)]
    )
    standard = np.array([bool(s) for s in sku]) & ~emitting
    customised = standard.copy()
    customised[standard] = _chosen(spec.customised, custom.unit(int(standard.sum())))
    hands, hand_count = _hands(handing, roles, people, kind)
    upn, name = _names(spec, naming, kind)
    departments = list(spec.departments)
    department = [departments[d] for d in placing.pick(list(spec.departments.values()), people)] + [""] * (
        shared + rooms
    )
    return Mailboxes(upn, name, kind, sku, department, emitting, customised, hands, hand_count, habits)


def _chosen(share: float, score: Floats) -> Bools:
    """Choose a share of things, those with the highest scores."""
    wanted = floor(share * len(score) + 0.5).item()
    chosen = np.zeros(len(score), dtype=bool)
    chosen[np.argsort(-score, kind="stable")[:wanted]] = True
    return chosen


def _licences(spec: TenantSpec, dice: Dice, roles: Ints, arriving: Floats) -> tuple[list[str], Bools]:
    """Hand out licences: frontline ones by role, premium ones and pilots by bias, the others as they come."""
    people = len(roles)
    rank = np.argsort(np.argsort(arriving, kind="stable"), kind="stable") / max(people, 1)
    sku = np.full(people, "", dtype=object)
    desk = roles > 0
    for group, part in ((desk, set(spec.licences) - FRONTLINE), (~desk, FRONTLINE & set(spec.licences))):
        left = group.copy()
        ordered = sorted(part, key=lambda k: (k not in PREMIUM, k))
        total = sum(spec.licences[k] for k in ordered)
        for k in ordered:
            members = np.flatnonzero(left)
            bias = _BIAS[spec.bias] if k in PREMIUM else 0.0
            score = dice.unit(len(members)) + bias * rank[members]
            share = spec.licences[k] / total
            taken = members[_chosen(min(share, 1.0), score)] if k != ordered[-1] else members
            sku[taken] = k
            left[taken] = False
            total -= spec.licences[k]
    emitting = np.array([s in PREMIUM for s in sku])
    candidates = np.flatnonzero(desk & ~emitting)
    score = dice.unit(len(candidates)) + _BIAS[spec.bias] * rank[candidates]
    emitting[candidates[_chosen(spec.pilots, score)]] = True
    return list(sku), emitting


def _hands(dice: Dice, roles: Ints, people: int, kind: list[str]) -> tuple[Ints, Ints]:
    """Say who opens each mailbox: its owner, an assistant of the busiest, or the members of a shared one."""
    n = len(kind)
    hands = np.tile(np.arange(n)[:, None], (1, _HANDS))
    count = np.ones(n, dtype=np.int64)
    anyone = dice.below(np.full((n, _HANDS), max(people, 1)))
    shared = np.array([k == "SharedMailbox" for k in kind])
    hands[shared] = anyone[shared]
    count[shared] = 2 + dice.below(np.full(int(shared.sum()), _HANDS - 1))
    helped = (roles == _HUB) & dice.chance(np.full(n, 0.5))
    hands[helped, 3] = anyone[helped, 3]
    count[helped] = 4  # three sittings by the owner to one by the assistant
    return hands, count


def _names(spec: TenantSpec, dice: Dice, kind: list[str]) -> tuple[list[str], list[str]]:
    """Name everybody; a second bearer of a name gets a number."""
    upns: list[str] = []
    names: list[str] = []
    seen: dict[str, int] = {}
    draws = zip(dice.below(np.full(len(kind), len(FIRST))), dice.below(np.full(len(kind), len(LAST))), strict=True)
    others = {"SharedMailbox": 0, "RoomMailbox": 0}
    for k, (first, last) in zip(kind, draws, strict=True):
        if k == "UserMailbox":
            name = f"{FIRST[first]} {LAST[last]}"
        elif k == "SharedMailbox":
            name = SHARED[others[k] % len(SHARED)].title()
            others[k] += 1
        else:
            others[k] += 1
            name = f"Room {others[k]}"
        local = name.lower().replace(" ", ".")
        seen[local] = seen.get(local, 0) + 1
        number = "" if seen[local] == 1 else str(seen[local])
        upns.append(f"{local}{number}@{spec.domain}")
        names.append(f"{name} {number}".strip())
    return upns, names
