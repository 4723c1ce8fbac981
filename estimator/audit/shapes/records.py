"""Records as the Management Activity API delivers them: content blobs, what collectors write, Splunk's raw events.

Schema: learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
"""

from __future__ import annotations

from estimator.audit.shape import Recogniser, is_record

SHAPE = Recogniser(
    kind="audit-records",
    title="audit records, JSON (Management Activity API)",
    claims=lambda one: not one.table and is_record(one.values),
    record=("",),
    delivered=True,
)
