"""Wazuh's office365 module: events with the record under `office365`, and alerts with it under `data.office365`.

Of 129 test records in Wazuh's own rule set 100 have no Operation (real_samples.md §5); such are refused and counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from estimator.audit.shape import Recogniser

SHAPE = Recogniser(
    kind="audit-wazuh",
    title="Wazuh office365 events",
    claims=lambda one: isinstance(one("office365"), Mapping),
    record=("office365",),
    wrappers=("data", "_source.data"),
    delivered=True,
    order=20,
)
