"""AuditData taken apart into columns: `… | Select-Object -ExpandProperty AuditData | ConvertFrom-Json | Export-Csv`.

What was nested is lost (`System.Object[]`) or flattened (`@{Name=MailAccessType; Value=Bind}`), and no size is left.
"""

from __future__ import annotations

from estimator.audit.shape import Recogniser, is_record

SHAPE = Recogniser(
    kind="audit-exploded",
    title="audit records taken apart into columns",
    claims=lambda one: one.table and is_record(one.values),
    fields={
        "CreationTime": ("CreationTime",),
        "Id": ("Id",),
        "Operation": ("Operation",),
        "Workload": ("Workload",),
        "RecordType": ("RecordType",),
        "UserId": ("UserId",),
        "MailboxOwnerUPN": ("MailboxOwnerUPN",),
        "SiteUrl": ("SiteUrl",),
        "ClientAppId": ("ClientAppId",),
        "AppId": ("AppId",),
        "ApplicationId": ("ApplicationId",),
        "OperationCount": ("OperationCount",),
        "AffectedItems": ("AffectedItems",),
        "Folders": ("Folders",),
        "OperationProperties": ("OperationProperties",),
    },
    order=60,
)
