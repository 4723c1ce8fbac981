"""What the tenant really went on to do: the same life, lived on through the months of the forecast, and counted."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np

from .events import Events
from .operations import BIND, NEWLY_AVAILABLE, OPERATIONS, SYNC
from .records import AuditWriter
from .sizes import SizeLaw
from .tenant import Tenant, future, seconds

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
        type and principal, and `added_by_class` by mailbox class.
    """
    spec, boxes = tenant.spec, tenant.mailboxes
    law = SizeLaw(AuditWriter(spec.seed, spec.domain, counts_only))
    length = np.array([len(upn) for upn in boxes.upn])
    emits, audited = boxes.emits(), boxes.audited
    new = np.zeros(len(OPERATIONS), dtype=bool)
    new[list(NEWLY_AVAILABLE)] = True
    starts = np.array([_seconds_of(month) for month in spec.months])
    # [flow, month, application, operation, mailbox] → events, bytes
    shape = (2, len(starts), 2, len(OPERATIONS), len(boxes))
    events_in, bytes_in = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for events in future(tenant):
        op, box = events.operation, events.mailbox
        already = emits[op, box]
        events = events.where(already | (new[op] & audited[box]))
        size = law(events, _user_length(events, length), length[events.mailbox])
        cell = np.ravel_multi_index(
            (
                (~emits[events.operation, events.mailbox]).astype(np.int64),
                np.searchsorted(starts, events.time, side="right") - 1,
                (events.principal < 0).astype(np.int64),
                events.operation,
                events.mailbox,
            ),
            shape,
        )
        np.add.at(events_in.reshape(-1), cell, 1)
        np.add.at(bytes_in.reshape(-1), cell, size)
    return {
        "schema": SCHEMA,
        "domain": spec.domain,
        "seed": spec.seed,
        "start": spec.forecast_start.isoformat(),
        "end": spec.forecast_end.isoformat(),
        "months": _by_month(spec.months, events_in, bytes_in),
        "horizon": _by_operation(events_in, bytes_in),
        "mail_items_accessed": _by_access(events_in, bytes_in),
        "added_by_class": _by_class(tenant, events_in, bytes_in),
    }


def to_json(document: dict[str, Any]) -> str:
    """Return a truth document as it is kept in files."""
    return json.dumps(document, indent=1) + "\n"


def _seconds_of(month: str) -> int:
    return seconds(date(int(month[:4]), int(month[5:]), 1))


def _user_length(events: Events, length: np.ndarray) -> np.ndarray:
    return np.where(events.principal >= 0, length[np.maximum(events.principal, 0)], 36)


def _keys() -> dict[str, list[int]]:
    keys: dict[str, list[int]] = {}
    for op, operation in enumerate(OPERATIONS):
        keys.setdefault(operation.key, []).append(op)
    return keys


def _pair(events: np.ndarray, size: np.ndarray) -> dict[str, int]:
    return {"events": int(events.sum()), "bytes": int(size.sum())}


def _flows(events: np.ndarray, size: np.ndarray) -> dict[str, dict[str, int]]:
    return {"already": _pair(events[0], size[0]), "added": _pair(events[1], size[1])}


def _by_month(months: list[str], events: np.ndarray, size: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"month": month, "operation": key, **_flows(events[:, m][:, :, ops], size[:, m][:, :, ops])}
        for m, month in enumerate(months)
        for key, ops in _keys().items()
    ]


def _by_operation(events: np.ndarray, size: np.ndarray) -> list[dict[str, Any]]:
    return [{"operation": key, **_flows(events[:, :, :, ops], size[:, :, :, ops])} for key, ops in _keys().items()]


def _by_access(events: np.ndarray, size: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"access_type": name, "principal": who, **_flows(events[:, :, app, op], size[:, :, app, op])}
        for name, op in (("Bind", BIND), ("Sync", SYNC))
        for app, who in enumerate(("person", "application"))
    ]


def _by_class(tenant: Tenant, events: np.ndarray, size: np.ndarray) -> list[dict[str, Any]]:
    boxes = tenant.mailboxes
    classes: dict[tuple[str, str, bool], list[int]] = {}
    for n in range(len(boxes)):
        if boxes.audited[n] and not boxes.emitting[n]:
            classes.setdefault((boxes.kind[n], boxes.sku[n], bool(boxes.customised[n])), []).append(n)
    return [
        {
            "operation": key,
            "kind": kind,
            "licence": sku,
            "customised": customised,
            "mailboxes": len(members),
            **_pair(events[1][:, :, ops][..., members], size[1][:, :, ops][..., members]),
        }
        for key, ops in _keys().items()
        if ops[0] in NEWLY_AVAILABLE
        for (kind, sku, customised), members in sorted(classes.items())
    ]
