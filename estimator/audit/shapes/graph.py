"""Records of a Graph audit log query (`/security/auditLog/queries/…/records`), as pages, an array or one a line.

Graph's `userId` is the record's UserKey and its `userPrincipalName` the record's UserId, and `clientIp` is null
(real_samples.md §5): identities come from `auditData`, and the crossed field only where that is missing.
"""

from __future__ import annotations

from estimator.audit.shape import Recogniser

SHAPE = Recogniser(
    kind="audit-graph",
    title="audit records of a Graph audit log query",
    claims=lambda one: one.has("auditData") and (one.has("auditLogRecordType") or one.has("createdDateTime")),
    record=("auditData",),
    fields={
        "CreationTime": ("createdDateTime",),
        "Id": ("id",),
        "Operation": ("operation",),
        "Workload": ("service",),
        "RecordType": ("auditLogRecordType",),
        "UserId": ("userPrincipalName",),
    },
    order=10,
)
