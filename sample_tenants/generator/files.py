"""The files an administrator would export from the tenant, byte for byte the same for the same spec."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

from .operations import CUSTOMISED_OWNER_SET, DELEGATE_SET, FULL_SET, OPERATIONS, OWNER_SET
from .records import AuditWriter, Row, guid, iso
from .spec import REPORT_DAYS
from .tenant import Tenant

AUDIT = "audit.csv.gz"
MAILBOXES = "mailboxes.csv"
LICENCES = "licences.csv"
EMAIL_ACTIVITY = "email_activity.csv"

_BOM = "\ufeff"
_PRODUCTS = {
    "SPE_E3": "MICROSOFT 365 E3",
    "SPE_E5": "MICROSOFT 365 E5",
    "SPE_F1": "MICROSOFT 365 F3",
    "SPB": "MICROSOFT 365 BUSINESS PREMIUM",
}
_MAILBOX_HEADER = (
    "UserPrincipalName", "DisplayName", "PrimarySmtpAddress", "RecipientTypeDetails", "AuditEnabled",
    "DefaultAuditSet", "AuditAdmin", "AuditDelegate", "AuditOwner", "WhenMailboxCreated", "Department",
)  # fmt: skip
_ACTIVITY_HEADER = (
    "Report Refresh Date", "User Principal Name", "Display Name", "Is Deleted", "Deleted Date", "Last Activity Date",
    "Send Count", "Receive Count", "Read Count", "Meeting Created Count", "Meeting Interacted Count",
    "Assigned Products", "Report Period",
)  # fmt: skip
_AUDIT_HEADER = (
    "RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits,AssociatedAdminUnitsNames"
)


def write(tenant: Tenant, folder: Path, *, counts_only: bool = False) -> None:
    """Write the tenant's exports into a folder: mailboxes, licences, email activity and the audit sample.

    Args:
        tenant: The tenant.
        folder: Made if it is not there; files of the same names are replaced, others left alone.
        counts_only: Write audit records with the few fields that counting needs: much smaller, and faster to make.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MAILBOXES).write_bytes(_csv(_MAILBOX_HEADER, _mailbox_rows(tenant), _BOM))
    (folder / LICENCES).write_bytes(_csv(("UserPrincipalName", "SkuPartNumber"), _licence_rows(tenant)))
    (folder / EMAIL_ACTIVITY).write_bytes(_csv(_ACTIVITY_HEADER, _activity_rows(tenant), _BOM))
    level = 1 if counts_only else 6
    (folder / AUDIT).write_bytes(gzip.compress(_audit(tenant, counts_only).encode(), level, mtime=0))


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


def _audit(tenant: Tenant, counts_only: bool) -> str:
    """Return the audit sample as the Purview portal exports it, which is not in order of time.

    Records of a mailbox stand together, where gzip finds what they share.
    """
    writer = AuditWriter(tenant.spec.seed, tenant.spec.domain, counts_only)
    lines = []
    for row in rows(tenant):
        operation = OPERATIONS[row.operation]
        data = writer(row).replace('"', '""')
        lines.append(
            f'{writer.record_id(row)},{iso(row.time)}.0000000Z,{operation.record_type},{operation.name},{row.user},"{data}",,'
        )
    return "\r\n".join([_AUDIT_HEADER, *lines, ""])


def _csv(header: Sequence[str], table: Iterable[Sequence[object]], start: str = "") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(table)
    return (start + text.getvalue()).encode()


def _mailbox_rows(tenant: Tenant) -> Iterable[Sequence[object]]:
    boxes = tenant.mailboxes
    for n, upn in enumerate(boxes.upn):
        emitting, customised = bool(boxes.emitting[n]), bool(boxes.customised[n])
        owner = FULL_SET if emitting else CUSTOMISED_OWNER_SET if customised else OWNER_SET
        other = FULL_SET if emitting else DELEGATE_SET
        created = date(2017, 1, 9) + timedelta(days=int(guid(tenant.spec.seed, "created", n)[:4], 16) % 3000)
        yield (
            upn, boxes.name[n], upn, boxes.kind[n], True, "Admin,Delegate" if customised else "Admin,Delegate,Owner",
            other, other, owner, f"{created}T09:00:00Z", boxes.department[n],
        )  # fmt: skip


def _licence_rows(tenant: Tenant) -> Iterable[Sequence[object]]:
    boxes = tenant.mailboxes
    return ((upn, sku) for upn, sku in zip(boxes.upn, boxes.sku, strict=True) if sku)


def _activity_rows(tenant: Tenant) -> Iterable[Sequence[object]]:
    boxes, report = tenant.mailboxes, tenant.report
    for n in (n for n, sku in enumerate(boxes.sku) if sku):
        yield (
            tenant.spec.report_date, boxes.upn[n], boxes.name[n], False, "", report.last_active[n] or "",
            report.sent[n], report.received[n], report.read[n], report.meetings[n], 2 * report.meetings[n],
            _PRODUCTS.get(boxes.sku[n], boxes.sku[n]), REPORT_DAYS,
        )  # fmt: skip
