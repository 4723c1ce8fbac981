"""Rows of `CloudAppEvents`: Defender advanced hunting, Sentinel, and the Defender streaming API.

`RawEventData` is the whole AuditData record, as an object or as text; the row around it is what Sentinel bills.
Advanced hunting gives one result of several tables where asked to: of OTRF's export, five rows of nine are LdapSearch
of Defender for Endpoint and two of Defender for Identity. These have neither a record nor an `ApplicationId`.
"""

from __future__ import annotations

from estimator.audit.shape import Recogniser

SHAPE = Recogniser(
    kind="audit-cloudappevents",
    title="Defender CloudAppEvents rows",
    claims=lambda one: one.has("RawEventData", "ActionType"),
    record=("RawEventData",),
    wrappers=("properties",),
    fields={
        "CreationTime": ("Timestamp", "TimeGenerated"),
        "Id": ("ReportId",),
        "Operation": ("ActionType",),
        "UserId": ("AccountId",),
    },
    size="values",
    feed="sentinel-cloudappevents",
    marks=("ApplicationId",),
    order=20,
)
