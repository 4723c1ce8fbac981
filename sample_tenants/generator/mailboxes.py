"""The people and mailboxes of a tenant: who they are, how they work, what they are licensed for, and who emits what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .audit_sets import CUSTOMISED, OF_2023, TODAY, VARIANTS, AuditSets
from .dice import Bools, Dice, Floats, Ints, chosen, floor
from .names import FIRST, LAST, SHARED
from .operations import KEPT_WHEN_CUSTOMISED, NEWLY_AVAILABLE, OPERATIONS, SEARCH
from .planting import AUDITED_KINDS, Ground, Plants, plant, take_licences
from .skus import ADDON, FRONTLINE, PREMIUM
from .spec import TenantSpec

_BIAS = {"none": 0.0, "mild": 0.4, "strong": 2.0}
_IMPERSONAL = {
    "SharedMailbox": "Shared", "RoomMailbox": "Room", "EquipmentMailbox": "Equipment", "GroupMailbox": "Team",
    "DiscoveryMailbox": "Discovery Search",
}  # fmt: skip
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
    """All mailboxes of a tenant as columns of equal length.

    People first, then shared mailboxes, rooms, equipment, groups, discovery and inactive mailboxes, and last those of
    service accounts.

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
        plants: What was planted for readiness to find.
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
    plants: Plants

    def __len__(self) -> int:
        return len(self.upn)

    @property
    def person(self) -> Bools:
        """Which mailboxes are people's who are there."""
        return np.array([kind == "UserMailbox" for kind in self.kind]) & ~self.plants.idle

    @property
    def audited(self) -> Bools:
        """Which mailboxes can show anything at all: people's and shared ones that are in use."""
        return np.array([kind in AUDITED_KINDS for kind in self.kind]) & ~self.plants.idle

    def licences(self, box: int) -> list[str]:
        """Return the part numbers of a mailbox's licences."""
        return [*([self.sku[box]] if self.sku[box] else []), *([ADDON] if self.plants.addon[box] else [])]

    def sets(self, box: int) -> AuditSets:
        """Return the audit sets of a mailbox."""
        if self.plants.variant[box]:
            return VARIANTS[self.plants.variant[box]]
        sets = TODAY if self.emitting[box] else CUSTOMISED if self.customised[box] else OF_2023
        return sets.with_search() if self.plants.searching[box] else sets

    def emits(self, *, by_others: bool = False) -> Bools:
        """Return who emits what today: one row an operation, one column a mailbox.

        Args:
            by_others: What delegates and applications do in it, rather than its owner.
        """
        table = np.tile(self.audited, (len(OPERATIONS), 1))
        for op, operation in enumerate(OPERATIONS):
            if op == SEARCH:
                table[op] &= self.plants.searching & (not by_others)
            elif op in NEWLY_AVAILABLE:
                table[op] &= self.emitting
            elif operation.workload == "Exchange" and op not in KEPT_WHEN_CUSTOMISED:
                table[op] &= ~self.customised
        for box in np.flatnonzero(np.array([bool(v) for v in self.plants.variant], dtype=bool)).tolist():
            sets = self.sets(box)
            actions = (sets.delegate if by_others else sets.owner).split(",")
            for op, operation in enumerate(OPERATIONS):
                if operation.workload == "Exchange" and op != SEARCH:
                    table[op, box] = operation.name in actions
        return table


def make_mailboxes(spec: TenantSpec) -> Mailboxes:
    """Make the mailboxes of a tenant."""
    # A stream of its own for each question, so that other licences or pilots leave the people as they are.
    dice, licensing, custom, handing, naming, placing = (Dice(spec.seed, 0, topic) for topic in range(6))
    n, shared, people = spec.mailboxes, spec.shared_mailboxes, spec.people
    kind = ["UserMailbox"] * people + ["SharedMailbox"] * shared + ["RoomMailbox"] * spec.rooms
    kind += ["EquipmentMailbox"] * spec.equipment + ["GroupMailbox"] * spec.groups
    kind += ["DiscoveryMailbox"] * spec.discovery + ["UserMailbox"] * (spec.inactive + len(spec.service_accounts))
    rest = n - people - shared

    frontline = floor(people * sum(s for k, s in spec.licences.items() if k in FRONTLINE) + 0.5).item()
    roles = np.concatenate([1 + dice.pick([r.share for r in _OFFICE], people - frontline), np.zeros(frontline)])
    roles = roles[np.argsort(dice.unit(people), kind="stable")]
    roles = np.concatenate([roles, np.full(shared, _SHARED), np.full(rest, _ROOM)]).astype(np.int64)
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
    gone, addon = take_licences(spec, sku, roles[:people] > 0)
    sku = ["" if lost else s for s, lost in zip(sku, gone.tolist(), strict=True)]
    service = ["EXCHANGESTANDARD"] * len(spec.service_accounts)
    sku = sku + [""] * (shared + rest - len(service)) + service
    nobody = np.zeros(rest, dtype=bool)
    emitting = np.concatenate(
        [(emitting | addon) & ~gone, chosen(spec.shared_emitting, licensing.unit(shared)), nobody]
    )
    none = np.zeros(shared + rest, dtype=bool)
    gone, addon = np.concatenate([gone, none]), np.concatenate([addon, none])
    standard = np.array([bool(s) for s in sku]) & ~emitting & (np.arange(n) < people)
    customised = standard.copy()
    customised[standard] = chosen(spec.customised, custom.unit(int(standard.sum())))
    # Their mail no longer arrives, and others open the shared mailboxes in their stead.
    habits = {field: np.where(gone, 0.0, column) for field, column in habits.items()}
    hands, hand_count = _hands(handing, roles, people, kind)
    if gone.any():
        stand_in = np.maximum.accumulate(np.where(gone, int(np.argmin(gone)), np.arange(n)))
        hands = np.where(hands < people, stand_in[hands], hands)
    inactive = np.zeros(n, dtype=bool)
    inactive[n - len(service) - spec.inactive : n - len(service)] = True
    desk = (roles > 0) & (np.arange(n) < people)
    plants = plant(spec, Ground(kind, desk, emitting, customised, hand_count, gone, addon, inactive))
    upn, name = _names(spec, naming, kind)
    departments = list(spec.departments)
    department = [departments[d] for d in placing.pick(list(spec.departments.values()), people)] + [""] * (
        shared + rest
    )
    if spec.frontline_departments:
        for box, place in zip(
            np.flatnonzero(roles[:people] == 0).tolist(),
            placing.pick(list(spec.frontline_departments.values()), int((roles[:people] == 0).sum())).tolist(),
            strict=True,
        ):
            department[box] = list(spec.frontline_departments)[place]
    return Mailboxes(upn, name, kind, sku, department, emitting, customised, hands, hand_count, habits, plants)


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
            taken = members[chosen(min(share, 1.0), score)] if k != ordered[-1] else members
            sku[taken] = k
            left[taken] = False
            total -= spec.licences[k]
    emitting = np.array([s in PREMIUM for s in sku])
    candidates = np.flatnonzero(desk & ~emitting)
    score = dice.unit(len(candidates)) + _BIAS[spec.bias] * rank[candidates]
    emitting[candidates[chosen(spec.pilots, score)]] = True
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
    numbers = dict.fromkeys(_IMPERSONAL, 0)
    accounts = iter(spec.service_accounts)
    for box, (k, (first, last)) in enumerate(zip(kind, draws, strict=True)):
        if box >= len(kind) - len(spec.service_accounts):
            name = next(accounts).account
        elif k == "UserMailbox":
            name = f"{FIRST[first]} {LAST[last]}"
        else:
            numbers[k] += 1
            name = SHARED[(numbers[k] - 1) % len(SHARED)].title() if k == "SharedMailbox" else ""
            name = name or f"{_IMPERSONAL[k]} {numbers[k]}"
        local = name.lower().replace(" ", ".")
        seen[local] = seen.get(local, 0) + 1
        number = "" if seen[local] == 1 else str(seen[local])
        upns.append(f"{local}{number}@{spec.domain}")
        names.append(f"{name} {number}".strip())
    return upns, names
