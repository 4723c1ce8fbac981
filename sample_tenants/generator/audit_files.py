"""The audit sample: records as the Purview portal exports them, or counts made at the source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .dice import Dice, Ints, floor
from .operations import ATTACHMENT, BIND, LOGGED_IN, OPERATIONS, SYNC
from .records import CLIENTS, LABELS, AuditWriter, Row, guid, iso, site_url
from .sizes import SizeLaw
from .tenant import Tenant, seconds
from .text import csv_bytes, packed

PORTAL_ROWS = 50_000
"""The most rows of one portal export with Audit (Standard)."""

_HEADER = "RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits,AssociatedAdminUnitsNames"
_COUNTS_HEADER = (
    "day", "subject", "principal", "workload", "operation", "access_type", "app_id", "throttled",
    "events", "raw_events", "items", "bytes", "size_basis",
)  # fmt: skip
_WITH_ITEMS = (BIND, SYNC, ATTACHMENT)
"""The operations whose records say how many messages they hold (OperationCount)."""
_COPIES = 7


def audit_files(tenant: Tenant, *, counts_only: bool = False) -> dict[str, bytes]:
    """Return the sample in the shape that the tenant's spec names."""
    if tenant.spec.exports.audit == "counts":
        return {"counts.csv.gz": packed(csv_bytes(_COUNTS_HEADER, _counts(tenant)), 9)}
    writer = AuditWriter(tenant.spec.seed, tenant.spec.domain, counts_only)
    table = list(rows(tenant))
    parts = _parts(tenant) if tenant.spec.exports.audit == "portal_parts" else [(0, 0)]
    return {
        ("audit.csv.gz" if len(parts) == 1 else f"audit_{number}.csv.gz"): packed(
            _portal(writer, table if len(parts) == 1 else [r for r in table if part[0] <= r.time < part[1]]),
            1 if counts_only else 6,
        )
        for number, part in enumerate(parts, 1)
    }


def _parts(tenant: Tenant) -> list[tuple[int, int]]:
    """Return the spans of days, in seconds, that the sample is exported by, each below what the portal cuts."""
    start, days, time = seconds(tenant.spec.sample_start), tenant.spec.sample_days, tenant.sample.time
    for parts in range(1, days + 1):
        edges = [start + 86400 * (days * part // parts) for part in range(parts + 1)]
        if np.diff(np.searchsorted(np.sort(time), edges)).max() < PORTAL_ROWS:
            return list(pairwise(edges))
    raise ValueError(f"TenantSpec.exports: a day has {PORTAL_ROWS:,} records or more; no part can hold it")


def rows(tenant: Tenant) -> Iterable[Row]:
    """Yield the sample's events as the audit writer takes them."""
    sample, upn = tenant.sample, tenant.mailboxes.upn
    names = {principal: tenant.user(principal) for principal in set(sample.principal.tolist())}
    columns = zip(
        sample.operation.tolist(), sample.time.tolist(), sample.mailbox.tolist(), sample.principal.tolist(),
        sample.client.tolist(), sample.folder.tolist(), sample.label.tolist(), sample.items.tolist(),
        sample.message.tolist(), sample.session.tolist(), strict=True,
    )  # fmt: skip
    for number, (operation, time, mailbox, principal, *rest) in enumerate(columns):
        yield Row(operation, time, names[principal], upn[mailbox], mailbox, principal, *rest, number)


def _portal(writer: AuditWriter, table: Sequence[Row]) -> bytes:
    """Return the portal's CSV, which is not in order of time.

    Records of a mailbox stand together, where gzip finds what they share.
    """
    lines = [_HEADER]
    for row in table:
        operation = OPERATIONS[row.operation]
        data = writer(row).replace('"', '""')
        lines.append(
            f'{writer.record_id(row)},{iso(row.time)}.0000000Z,{operation.record_type},{operation.name},{row.user},"{data}",,'
        )
    return "\r\n".join([*lines, ""]).encode()


class _Cells(NamedTuple):
    """What counts are kept apart by; the parts of a number, so that equal ones are found fast."""

    day: Ints
    operation: Ints
    subject: Ints
    principal: Ints
    app: Ints


def _counts(tenant: Tenant) -> Iterable[Sequence[object]]:
    """Yield the sample counted by day, mailbox or site, user, operation, access type and application."""
    sample, boxes, spec = tenant.sample, tenant.mailboxes, tenant.spec
    n, programs = len(boxes), len(spec.applications)
    exchange = np.array([o.workload == "Exchange" for o in OPERATIONS])[sample.operation]
    on_sites = np.array([o.workload == "SharePoint" for o in OPERATIONS])[sample.operation]
    signing_in = sample.operation == LOGGED_IN
    # Subjects: mailboxes, then sites, then the tenant. Applications: none, then clients, then programs.
    subject = np.where(exchange, sample.mailbox, np.where(on_sites, n + sample.label, n + LABELS))
    of_client = (exchange & (sample.principal >= 0)) | signing_in
    app = np.where(of_client, 1 + sample.client, np.where(exchange, len(CLIENTS) - sample.principal, 0))
    cells = _Cells(sample.time // 86400, sample.operation, subject, sample.principal + programs, app)
    shape = [int(c.max(initial=0)) + 1 for c in cells]
    found, first, which, events = np.unique(
        np.ravel_multi_index(cells, shape), return_index=True, return_inverse=True, return_counts=True
    )
    length = np.array([len(upn) for upn in boxes.upn])
    users = [tenant.user(p) for p in range(-programs, n)]
    user_length = np.array([len(user) for user in users])[cells.principal]
    size = SizeLaw(AuditWriter(spec.seed, spec.domain))(sample, user_length, length[sample.mailbox])
    bytes_of = np.bincount(which, weights=size, minlength=len(found)).astype(np.int64)
    counted = np.where(exchange & np.isin(sample.operation, _WITH_ITEMS), sample.items, 1)
    items = np.bincount(which, weights=counted, minlength=len(found)).astype(np.int64)
    copies = floor(events * spec.copies + Dice(spec.seed, _COPIES).unit(len(events)))
    domain = spec.domain.split(".")[0]
    subjects = [*boxes.upn, *(site_url(domain, label) for label in range(LABELS)), ""]
    apps = ["", *(c.app for c in CLIENTS), *(guid(spec.seed, "mailbox", -1 - p) for p in range(programs))]
    access = {BIND: "Bind", SYNC: "Sync"}
    for at, here, extra, messages, weight in zip(
        first.tolist(), events.tolist(), copies.tolist(), items.tolist(), bytes_of.tolist(), strict=True
    ):
        operation = int(cells.operation[at])
        yield (
            iso(int(sample.time[at]))[:10], subjects[cells.subject[at]], users[cells.principal[at]],
            OPERATIONS[operation].workload, OPERATIONS[operation].name, access.get(operation, ""),
            apps[cells.app[at]], "false", here, here + extra, messages, weight, "auditdata",
        )  # fmt: skip
