"""Rows of `CloudAppEvents`: Defender advanced hunting, Sentinel, and the Defender streaming API.

`RawEventData` is the whole AuditData record, as an object or as text; the row around it is what Sentinel bills.
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
    order=20,
)
