"""What the tenant really went on to do: the same life, lived on through the months of the forecast, and counted."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np

from .events import Events
from .operations import BIND, NEWLY_AVAILABLE, OPERATIONS, OPTIONAL, SEARCH, SYNC
from .records import AuditWriter
from .sizes import SizeLaw
from .tenant import Tenant, future, seconds
from .visibility import Hidden, Visibility

SCHEMA = "siem-estimator/truth/1"


def truth(tenant: Tenant, *, counts_only: bool = False) -> dict[str, Any]:
    """Return what is emitted in the forecast period, and what would be added.

    `already` is what the mailboxes emit that emit today. `added` is what the others would emit of the newly available
    operations from the first day on: a mailbox whose owner set was customised is counted as mended. Neither contains
    the other, and together they are everything. Bytes are those of the AuditData JSON.

    Args:
        tenant: The tenant.
        counts_only: Measure the short records that `write(..., counts_only=True)` writes.

    Returns:
        A document for JSON: `months` by operation and month, `horizon` by operation, `mail_items_accessed` by access
        type and principal, and `added_by_class` by mailbox class. Of tenants that say what was planted in them, also
        `added_by_department`, by licence and with a figure for each month, so that waves can be added up. Where
        something hides newly available events, `hidden` counts by cause what neither flow contains: it would be added
        were the cause removed as well.
    """
    spec, boxes = tenant.spec, tenant.mailboxes
    law = SizeLaw(AuditWriter(spec.seed, spec.domain, counts_only))
    length = np.array([len(upn) for upn in boxes.upn])
    emits, audited = boxes.emits(), boxes.audited
    visibility, hidden = Visibility(spec, boxes), Hidden(spec, boxes)
    new = np.zeros(len(OPERATIONS), dtype=bool)
    new[[*NEWLY_AVAILABLE, *OPTIONAL]] = True
    starts = np.array([_seconds_of(month) for month in spec.months])
    # [flow, month, application, operation, mailbox] → events, bytes
    shape = (2, len(starts), 2, len(OPERATIONS), len(boxes))
    events_in, bytes_in = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for events in future(tenant):
        op, box = events.operation, events.mailbox
        flows = emits[op, box]  # of what others do in it, too: a mailbox joins once, with its owner's set
        shown, wanted = visibility.shows(events), new[op] & audited[box]
        added = wanted & ~flows & ~shown & ~visibility.bypassed(events)
        hidden.count(events, wanted & ~shown & ~added)
        events, shown = events.where(shown | added), shown[shown | added]
        size = law(events, _user_length(tenant, events, length), length[events.mailbox])
        cell = np.ravel_multi_index(
            (
                (~shown).astype(np.int64),
                np.searchsorted(starts, events.time, side="right") - 1,
                (events.principal < 0).astype(np.int64),
                events.operation,
                events.mailbox,
            ),
            shape,
        )
        np.add.at(events_in.reshape(-1), cell, 1)
        np.add.at(bytes_in.reshape(-1), cell, size)
    keys = _keys(spec.searching > 0)
    document = {
        "schema": SCHEMA,
        "domain": spec.domain,
        "seed": spec.seed,
        "start": spec.forecast_start.isoformat(),
        "end": spec.forecast_end.isoformat(),
        "months": _by_month(keys, spec.months, events_in, bytes_in),
        "horizon": _by_operation(keys, events_in, bytes_in),
        "mail_items_accessed": _by_access(events_in, bytes_in),
        "added_by_class": _by_class(keys, tenant, events_in, bytes_in),
    }
    if spec.plants:
        document["added_by_department"] = _by_department(keys, tenant, events_in[1], bytes_in[1])
    if hidden.possible:
        document["hidden"] = hidden.rows()
    return document


def to_json(document: dict[str, Any]) -> str:
    """Return a truth document as it is kept in files."""
    return json.dumps(document, indent=1) + "\n"


def _seconds_of(month: str) -> int:
    return seconds(date(int(month[:4]), int(month[5:]), 1))


def _user_length(tenant: Tenant, events: Events, length: np.ndarray) -> np.ndarray:
    # Programs, the last first, and then the people: what a negative principal finds when it counts from the end.
    programs = [len(tenant.user(-1 - number)) for number in range(len(tenant.spec.applications))]
    return np.concatenate([length, np.array(programs[::-1], dtype=np.int64)])[events.principal]


def _keys(searching: bool) -> dict[str, list[int]]:
    """Return the operations by key; searches only where somebody has them on."""
    keys: dict[str, list[int]] = {}
    for op, operation in enumerate(OPERATIONS):
        if op != SEARCH or searching:
            keys.setdefault(operation.key, []).append(op)
    return keys


def _pair(events: np.ndarray, size: np.ndarray) -> dict[str, int]:
    return {"events": int(events.sum()), "bytes": int(size.sum())}


def _flows(events: np.ndarray, size: np.ndarray) -> dict[str, dict[str, int]]:
    return {"already": _pair(events[0], size[0]), "added": _pair(events[1], size[1])}


def _by_month(
    keys: dict[str, list[int]], months: list[str], events: np.ndarray, size: np.ndarray
) -> list[dict[str, Any]]:
    return [
        {"month": month, "operation": key, **_flows(events[:, m][:, :, ops], size[:, m][:, :, ops])}
        for m, month in enumerate(months)
        for key, ops in keys.items()
    ]


def _by_operation(keys: dict[str, list[int]], events: np.ndarray, size: np.ndarray) -> list[dict[str, Any]]:
    return [{"operation": key, **_flows(events[:, :, :, ops], size[:, :, :, ops])} for key, ops in keys.items()]


def _by_access(events: np.ndarray, size: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"access_type": name, "principal": who, **_flows(events[:, :, app, op], size[:, :, app, op])}
        for name, op in (("Bind", BIND), ("Sync", SYNC))
        for app, who in enumerate(("person", "application"))
    ]


def _by_class(keys: dict[str, list[int]], tenant: Tenant, events: np.ndarray, size: np.ndarray) -> list[dict[str, Any]]:
    boxes, emits = tenant.mailboxes, tenant.mailboxes.emits()
    found = []
    for key, ops in keys.items():
        if ops[0] not in (*NEWLY_AVAILABLE, *OPTIONAL):
            continue
        classes: dict[tuple[str, str, bool], list[int]] = {}
        for n in np.flatnonzero(boxes.audited & ~emits[ops[0]]).tolist():
            customised = bool(boxes.customised[n]) or bool(boxes.plants.variant[n])
            classes.setdefault((boxes.kind[n], boxes.sku[n], customised), []).append(n)
        found += [
            {
                "operation": key,
                "kind": kind,
                "licence": sku,
                "customised": customised,
                "mailboxes": len(members),
                **_pair(events[1][:, :, ops][..., members], size[1][:, :, ops][..., members]),
            }
            for (kind, sku, customised), members in sorted(classes.items())
        ]
    return found


def _by_department(
    keys: dict[str, list[int]], tenant: Tenant, events: np.ndarray, size: np.ndarray
) -> list[dict[str, Any]]:
    boxes = tenant.mailboxes
    groups: dict[tuple[str, str], list[int]] = {}
    for n in np.flatnonzero(boxes.audited).tolist():
        groups.setdefault((boxes.department[n], "+".join(boxes.licences(n))), []).append(n)
    return [
        {
            "department": department,
            "licence": licence,
            "operation": key,
            "mailboxes": len(members),
            "events": events[:, :, ops][..., members].sum(axis=(1, 2, 3)).tolist(),
            "bytes": size[:, :, ops][..., members].sum(axis=(1, 2, 3)).tolist(),
        }
        for (department, licence), members in sorted(groups.items())
        for key, ops in keys.items()
        if events[:, :, ops][..., members].any()
    ]
