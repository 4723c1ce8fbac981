"""Rows with an AuditData column: the Purview portal's export, Search-UnifiedAuditLog as CSV or JSON.

Columns come in any order and number (the portal's eight, the cmdlet's ten, a SIEM's thirty more). AuditData alone is
the same in all of them; the others stand in where it is empty or redacted (real_samples.md §5).
"""

from __future__ import annotations

from estimator.audit.shape import Recogniser

SHAPE = Recogniser(
    kind="audit-rows",
    title="audit log rows with AuditData (Purview portal, Search-UnifiedAuditLog)",
    claims=lambda one: one.has("AuditData"),
    record=("AuditData",),
    fields={
        "CreationTime": ("CreationDate",),
        "Id": ("RecordId", "Identity"),
        "Operation": ("Operation", "Operations"),
        "RecordType": ("RecordType",),
        "UserId": ("UserId", "UserIds"),
    },
)
