"""Rows of Sentinel's `OfficeActivity`: portal CSV, JSON of the query API, data export.

There is no AuditData. RecordType mixes names and numbers in one column; `TimeGenerated` is AuditData's CreationTime,
and `OfficeId` its Id (real_samples.md §5; a row of OTRF Security-Datasets has OfficeId and SourceRecordId, equal).
"""

from __future__ import annotations

from estimator.audit.shape import Recogniser

SHAPE = Recogniser(
    kind="audit-officeactivity",
    title="Sentinel OfficeActivity rows",
    claims=lambda one: one.has("OfficeWorkload", "Operation") and not one.has("events"),
    wrappers=("properties",),
    fields={
        "CreationTime": ("TimeGenerated",),
        "Id": ("OfficeId", "SourceRecordId"),
        "Operation": ("Operation",),
        "Workload": ("OfficeWorkload",),
        "RecordType": ("RecordType",),
        "UserId": ("UserId", "UserId_"),
        "MailboxOwnerUPN": ("MailboxOwnerUPN",),
        "SiteUrl": ("Site_Url", "Site_Url_", "SiteUrl"),
        "ClientAppId": ("ClientAppId",),
        "AppId": ("AppId",),
        "ApplicationId": ("ApplicationId",),
        "OperationCount": ("OperationCount",),
        "AffectedItems": ("AffectedItems",),
        "Folders": ("Folders",),
        "OperationProperties": ("OperationProperties",),
    },
    size="values",
    feed="sentinel-officeactivity",
)
