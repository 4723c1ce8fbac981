"""The doctor: what a finished account of audit exports says against itself.

Each check is a function giving findings; a finding says what was seen, what it does to the number and what to do. None
names a person. Figures on export limits: audit_events.md §5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from estimator.audit.doctor.content import (
    copies,
    dominant_principal,
    no_system_principals,
    operations_not_in_catalogue,
    sizes_unknown,
    span,
    throttled,
)
from estimator.audit.doctor.files import overlapping, refused, zones
from estimator.audit.doctor.gaps import broken_days, gaps
from estimator.audit.doctor.truncation import EXPORT_LIMITS, cut_exports, is_cut, weight_of
from estimator.findings import Finding

if TYPE_CHECKING:
    import pandas as pd

    from estimator.audit.reduce import FileCount


def examine(
    files: Sequence[FileCount],
    table: pd.DataFrame,
    hours: pd.DataFrame,
    *,
    duplicates: int,
    overlaps: Sequence[tuple[int, int, int]],
) -> Iterator[Finding]:
    """All checks but `refused`, which needs no table.

    Args:
        files: the account of each file.
        table: `tables.REDUCTION`, not empty.
        hours: `tables.HOURS` of the same records.
        duplicates: copies over all files together.
        overlaps: pairs of files that share records: number of the one in `files`, of the other, distinct records in
            both.
    """
    yield from cut_exports(files)
    yield from copies(int(table["events"].sum()), duplicates)
    yield from overlapping(files, overlaps)
    yield from zones(files)
    yield from span(hours["day"])
    yield from gaps(hours)
    yield from throttled(table)
    yield from sizes_unknown(files, table)
    yield from no_system_principals(table)
    yield from dominant_principal(table)
    yield from operations_not_in_catalogue(table)


__all__ = [
    "EXPORT_LIMITS",
    "broken_days",
    "copies",
    "cut_exports",
    "dominant_principal",
    "examine",
    "gaps",
    "is_cut",
    "no_system_principals",
    "operations_not_in_catalogue",
    "overlapping",
    "refused",
    "sizes_unknown",
    "span",
    "throttled",
    "weight_of",
    "zones",
]
