"""What was planted, in words of the facts: of every mailbox and newly available operation, what stands against it.

A cell is `on` where the mailbox logs what its owner does (of a shared mailbox, which nobody opens as its owner: what
its members do), `on_for_others` where only what administrators and delegates do, and otherwise all that stands against
it, joined by `+`:

- `kind_not_audited`: rooms and equipment log nothing;
- `group_fixed_set`: the set of a Microsoft 365 group mailbox is fixed, and does not have the action;
- `inactive`: nobody can sign in to it;
- `discovery_mailbox`: nobody's own, and no source says what it logs;
- `no_licence`: the user's licence was taken away;
- `bypassed_owner`: the owner's account bypasses mailbox auditing, so nothing the owner does is logged;
- `managed_set_of_2023`: Microsoft manages the owner's set and has not extended it;
- `customised_owner_set`: the owner's set was customised and lacks the action;
- `search_not_added`: nobody added the optional action SearchQueryInitiated.

AuditEnabled False stands against nothing, as AuditDisabled is False for the organisation; the mailboxes are named all
the same, and so are those whose sets the export shows shortened.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from .audit_sets import ACTIONS
from .operations import ATTACHMENT, BIND, CREATE, OPERATIONS, SEARCH, SEND
from .planting import touched
from .tenant import Tenant
from .text import csv_bytes

PLANTED_OPERATIONS = (BIND, SEND, SEARCH, ATTACHMENT, CREATE)
_HEADER = (
    "mailbox", "kind", "licences", "owner_set", "audit_enabled", "bypassed", "shown_shortened",
    *(OPERATIONS[op].name for op in PLANTED_OPERATIONS),
)  # fmt: skip


def state(tenant: Tenant, box: int, operation: int) -> str:
    """Return what a mailbox logs of an operation today, or what stands against it (see the module)."""
    boxes, plants = tenant.mailboxes, tenant.mailboxes.plants
    kind = boxes.kind[box]
    if kind in ("RoomMailbox", "EquipmentMailbox"):
        return "kind_not_audited"
    if kind == "GroupMailbox":
        return "on_for_others" if operation == CREATE else "group_fixed_set"
    sets = boxes.sets(box)
    against = [
        name
        for name, stands in (
            ("inactive", plants.inactive[box]),
            ("discovery_mailbox", kind == "DiscoveryMailbox"),
            ("no_licence", plants.unlicensed[box]),
            ("bypassed_owner", plants.bypassed[box]),
        )
        if stands
    ]
    if kind == "SharedMailbox" and ACTIONS[operation] in sets.delegate.split(","):
        return "on" if ACTIONS[operation] in sets.owner.split(",") else "on_for_others"
    if ACTIONS[operation] not in sets.owner.split(","):
        managed = "Owner" in sets.managed.split(",")
        against.append(
            "search_not_added" if operation == SEARCH else "managed_set_of_2023" if managed else "customised_owner_set"
        )
    return "+".join(against) or "on"


def owner_set(tenant: Tenant, box: int) -> str:
    """Return which set the owner of a mailbox has: by its name where it was customised."""
    boxes = tenant.mailboxes
    if boxes.kind[box] in ("RoomMailbox", "EquipmentMailbox", "GroupMailbox"):
        return ""
    if boxes.plants.variant[box]:
        return boxes.plants.variant[box]
    if boxes.customised[box]:
        return "least"
    return ("today" if boxes.emitting[box] else "2023") + ("_with_search" if boxes.plants.searching[box] else "")


def planted(tenant: Tenant) -> dict[str, Any]:
    """Return what was planted, counted."""
    boxes, plants, spec = tenant.mailboxes, tenant.mailboxes.plants, tenant.spec
    every = range(len(boxes))
    kinds = ["inactive" if plants.inactive[n] else boxes.kind[n] for n in every]
    return {
        "mailboxes": len(boxes),
        "kinds": _counted(kinds),
        "licences": _counted(sku for n in every for sku in boxes.licences(n)),
        "owner_sets": _counted(owner_set(tenant, n) for n in every if owner_set(tenant, n)),
        "states": {
            OPERATIONS[op].key: _counted(state(tenant, n, op) for n in every) for op in PLANTED_OPERATIONS
        },
        "audit_enabled_false": int(plants.audit_disabled.sum()),
        "shown_shortened": int(plants.unreadable.sum()),
        "bypassed_mailbox_accounts": [boxes.upn[n] for n in np.flatnonzero(plants.bypassed).tolist()],
        "bypassed_accounts_without_mailbox": [
            f"{a.account}@{spec.domain}" for a in spec.applications if a.bypassed and not a.owns_mailbox
        ],
        "applications": [
            {
                "name": application.name,
                "principal": tenant.user(-1 - number),
                "bypassed": application.bypassed,
                "mailboxes": int(touched(spec, boxes.audited, boxes.kind, number).sum()),
                "records_per_mailbox_day": application.records_per_day,
                "sampled_events": int((tenant.sample.principal == -1 - number).sum()),
            }
            for number, application in enumerate(spec.applications)
        ],
        "sampled_events": len(tenant.sample),
    }  # fmt: skip


def planted_csv(tenant: Tenant) -> bytes:
    """Return the lists behind the counts: one row a mailbox."""
    boxes, plants = tenant.mailboxes, tenant.mailboxes.plants
    return csv_bytes(
        _HEADER,
        (
            (
                upn, "inactive" if plants.inactive[n] else boxes.kind[n], "+".join(boxes.licences(n)),
                owner_set(tenant, n), not plants.audit_disabled[n], bool(plants.bypassed[n]),
                bool(plants.unreadable[n]), *(state(tenant, n, op) for op in PLANTED_OPERATIONS),
            )
            for n, upn in enumerate(boxes.upn)
        ),
    )  # fmt: skip


def _counted(things: Any) -> dict[str, int]:
    return dict(sorted(Counter(things).items()))
