"""The usage report: getEmailActivityUserDetail as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .skus import reported
from .spec import REPORT_DAYS
from .tenant import Tenant
from .text import BOM, csv_bytes

_HEADER = (
    "Report Refresh Date", "User Principal Name", "Display Name", "Is Deleted", "Deleted Date", "Last Activity Date",
    "Send Count", "Receive Count", "Read Count", "Meeting Created Count", "Meeting Interacted Count",
    "Assigned Products", "Report Period",
)  # fmt: skip


def usage_files(tenant: Tenant) -> dict[str, bytes]:
    """Return the email activity of everybody who has a licence."""
    return {"email_activity.csv": csv_bytes(_HEADER, _rows(tenant), BOM)}


def _rows(tenant: Tenant) -> Iterable[Sequence[object]]:
    boxes, report = tenant.mailboxes, tenant.report
    for n in (n for n, sku in enumerate(boxes.sku) if sku):
        yield (
            tenant.spec.report_date, boxes.upn[n], boxes.name[n], False, "", report.last_active[n] or "",
            report.sent[n], report.received[n], report.read[n], report.meetings[n], 2 * report.meetings[n],
            "+".join(map(reported, boxes.licences(n))), REPORT_DAYS,
        )  # fmt: skip
