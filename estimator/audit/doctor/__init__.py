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
from estimator.audit.doctor.digest import Digest
from estimator.audit.doctor.files import overlapping, refused, zones
from estimator.audit.doctor.gaps import broken_days, gaps
from estimator.audit.doctor.truncation import EXPORT_LIMITS, cut_exports, is_cut, weight_of
from estimator.findings import Finding

if TYPE_CHECKING:
    from estimator.audit.account import FileCount


def examine(
    files: Sequence[FileCount],
    digest: Digest,
    *,
    duplicates: int,
    overlaps: Sequence[tuple[int, int, int]],
) -> Iterator[Finding]:
    """All checks but `refused`, which needs no sample.

    Args:
        files: the account of each file.
        digest: of a sample that is not empty.
        duplicates: copies over all files together.
        overlaps: pairs of files that share records: number of the one in `files`, of the other, distinct records in
            both.
    """
    yield from cut_exports(files)
    yield from copies(digest.events, duplicates)
    yield from overlapping(files, overlaps)
    yield from zones(files)
    yield from span(digest.days)
    yield from gaps(digest.hours)
    yield from throttled(digest)
    yield from sizes_unknown(files, digest)
    yield from no_system_principals(digest)
    yield from dominant_principal(digest)
    yield from operations_not_in_catalogue(digest)


__all__ = [
    "EXPORT_LIMITS",
    "Digest",
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
