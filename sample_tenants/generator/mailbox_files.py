"""The mailbox inventory: `Get-EXOMailbox -PropertySets Minimum,Audit`, in three shapes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from .audit_sets import AuditSets
from .records import guid
from .tenant import Tenant
from .text import BOM, csv_bytes, json_bytes

_HEADER = (
    "UserPrincipalName", "DisplayName", "PrimarySmtpAddress", "RecipientTypeDetails", "AuditEnabled",
    "DefaultAuditSet", "AuditAdmin", "AuditDelegate", "AuditOwner", "WhenMailboxCreated", "Department",
)  # fmt: skip
_BRACES_HEADER = (
    "ExternalDirectoryObjectId", "UserPrincipalName", "Alias", "Name", "DisplayName", "PrimarySmtpAddress",
    "RecipientTypeDetails", "IsInactiveMailbox", "AuditEnabled", "AuditLogAgeLimit", "DefaultAuditSet", "AuditAdmin",
    "AuditDelegate", "AuditOwner", "WhenMailboxCreated", "Department",
)  # fmt: skip
_SHOWN = 4
"""How many values PowerShell shows of a list before it shortens it ($FormatEnumerationLimit)."""


def mailbox_files(tenant: Tenant) -> dict[str, bytes]:
    """Return the inventory in the shape that the tenant's spec names."""
    shape = tenant.spec.exports.mailboxes
    if shape == "json":
        return {"mailboxes.json": json_bytes([_object(tenant, n) for n in range(len(tenant.mailboxes))])}
    if shape == "braces":
        return {"mailboxes.csv": csv_bytes(_BRACES_HEADER, _braces_rows(tenant), BOM)}
    return {"mailboxes.csv": csv_bytes(_HEADER, _rows(tenant), BOM)}


def object_id(tenant: Tenant, box: int) -> str:
    """Return the directory's id of a mailbox's account; a discovery mailbox has none."""
    return "" if tenant.mailboxes.kind[box] == "DiscoveryMailbox" else guid(tenant.spec.seed, "object", box)


def alias(tenant: Tenant, box: int) -> str:
    """Return the alias of a mailbox, which is its Name too: the left part of its address."""
    return tenant.mailboxes.upn[box].split("@")[0]


def _created(tenant: Tenant, box: int) -> str:
    days = int(guid(tenant.spec.seed, "created", box)[:4], 16) % 3000
    return f"{date(2017, 1, 9) + timedelta(days=days)}T09:00:00Z"


def _rows(tenant: Tenant) -> Iterable[Sequence[object]]:
    boxes = tenant.mailboxes
    for n, upn in enumerate(boxes.upn):
        sets = boxes.sets(n)
        yield (
            upn, boxes.name[n], upn, boxes.kind[n], not boxes.plants.audit_disabled[n], sets.managed,
            sets.admin, sets.delegate, sets.owner, _created(tenant, n), boxes.department[n],
        )  # fmt: skip


def _braces_rows(tenant: Tenant) -> Iterable[Sequence[object]]:
    boxes = tenant.mailboxes
    for n, upn in enumerate(boxes.upn):
        sets = AuditSets(*[_braces(one, shortened=bool(boxes.plants.unreadable[n])) for one in boxes.sets(n)])
        yield (
            object_id(tenant, n), upn, alias(tenant, n), alias(tenant, n), boxes.name[n], upn, boxes.kind[n],
            bool(boxes.plants.inactive[n]), not boxes.plants.audit_disabled[n], "90.00:00:00", *sets,
            _created(tenant, n), boxes.department[n],
        )  # fmt: skip


def _braces(actions: str, *, shortened: bool) -> str:
    values = actions.split(",")
    if shortened and len(values) > _SHOWN:
        return f"{{{', '.join(values[:_SHOWN])}...}}"
    return f"{{{', '.join(values)}}}"


def _object(tenant: Tenant, box: int) -> dict[str, object]:
    boxes, upn, initial = tenant.mailboxes, tenant.mailboxes.upn[box], tenant.spec.domain.split(".")[0]
    sets = boxes.sets(box)
    listed = [[v for v in one.split(",") if v] for one in sets]
    return {
        "ExternalDirectoryObjectId": object_id(tenant, box),
        "UserPrincipalName": upn,
        "Alias": alias(tenant, box),
        "Name": alias(tenant, box),
        "DisplayName": boxes.name[box],
        "EmailAddresses": [f"SMTP:{upn}", f"smtp:{alias(tenant, box)}@{initial}.onmicrosoft.com"],
        "PrimarySmtpAddress": upn,
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": boxes.kind[box],
        "IsInactiveMailbox": bool(boxes.plants.inactive[box]),
        "AuditEnabled": not boxes.plants.audit_disabled[box],
        "AuditLogAgeLimit": "90.00:00:00",
        "AuditAdmin": listed[1],
        "AuditDelegate": listed[2],
        "AuditOwner": listed[3],
        "DefaultAuditSet": listed[0],
        "WhenMailboxCreated": _created(tenant, box),
    }
