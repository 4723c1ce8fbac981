"""Counts made at the source: the reduction itself, as `measure --out` writes it and as a SIEM's query gives it.

The shape is documented in docs/counts.md; its columns are those of `tables.REDUCTION`, most of them optional.
"""

from __future__ import annotations

from estimator.audit.shape import Recogniser

#: Those without which a row says nothing; all others may be missing.
NEEDED = ("day", "operation", "events")
COLUMNS = (
    *NEEDED,
    *("subject", "principal", "workload", "access_type", "app_id", "throttled"),
    *("raw_events", "items", "bytes", "size_basis", "weight"),
)

SHAPE = Recogniser(
    kind="audit-counts",
    title="counts of audit records made at the source",
    claims=lambda one: one.has(*NEEDED),
    wrappers=("result", "_source"),
    counts=True,
    columns=COLUMNS,
    order=10,
)
