"""Splunk search results with `_raw`: CSV, JSON lines with `result`, and `results` of the REST API.

What the Splunk Add-on for Microsoft 365 indexes is the record as the API delivers it, copies included.
"""

from __future__ import annotations

from estimator.audit.shape import Recogniser, is_record, parsed

SHAPE = Recogniser(
    kind="audit-splunk",
    title="Splunk results with _raw audit records",
    # A Splunk export of anything else has _raw too; an export of rows with AuditData has it beside that.
    claims=lambda one: is_record(parsed(one("_raw"))) and not one.has("AuditData"),
    record=("_raw",),
    wrappers=("result",),
    delivered=True,
    order=20,
)
