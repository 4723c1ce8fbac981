"""What a reduction alone says of its sample: caps, copies, refused rows, throttling, too short a time.

Each check is a function of a finished account giving findings; figures on export limits: reference audit_events §5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from estimator.findings import Finding

if TYPE_CHECKING:
    import pandas as pd

    from estimator.audit.reduce import FileCount, Reject

#: Row counts at which exports are cut without a word, and by what.
EXPORT_LIMITS = {
    100: "Search-UnifiedAuditLog without -ResultSize",
    5_000: "one call of Search-UnifiedAuditLog",
    10_000: "a Search-UnifiedAuditLog session of mixed commands",
    50_000: "a Purview portal export (Audit Standard) or a Search-UnifiedAuditLog session",
    100_000: "the Purview portal",
    500_000: "a Purview portal export (Audit Premium, 2023)",
    1_000_000: "a Purview portal export (Audit Premium) or a Graph query",
}

#: From this share of copies on, a count of rows misleads by more than a forecast can bear.
_MANY_COPIES = 0.05

_DAYS, _WEEKDAYS = 7, 5


def at_export_limit(files: Sequence[FileCount]) -> Iterator[Finding]:
    """`sample_at_cap`: a file holds exactly as many rows as some export gives at most."""
    for file in files:
        if file.read in EXPORT_LIMITS:
            yield Finding(
                "sample_at_cap",
                "warning",
                f"{file.path}: exactly {file.read:,} records, the limit of {EXPORT_LIMITS[file.read]}: the export was "
                'probably cut, spread over all its days; its volumes are "at least". '
                "Export again in shorter time spans that each stay below the limit.",
                str(file.path),
            )


def copies(distinct: int, duplicates: int) -> Iterator[Finding]:
    """`duplicate_records`: records that came more than once."""
    if duplicates:
        share = duplicates / (distinct + duplicates)
        yield Finding(
            "duplicate_records",
            "warning" if share >= _MANY_COPIES else "info",
            f"{duplicates:,} of {distinct + duplicates:,} records ({share:.1%}) are copies of others by their Id and "
            "were counted once. Copies come from overlapping exports; where a collector delivers them, a SIEM that "
            "does not drop them bills for them.",
        )


def refused(files: Sequence[FileCount], rejects: Sequence[Reject]) -> Iterator[Finding]:
    """`rows_rejected`: records that could not be read; `file_refused`: files in which none could."""
    for file in files:
        if not file.rejected:
            continue
        first = next(reject for reject in rejects if reject.path == file.path)
        if file.rejected == file.read:
            yield Finding(
                "file_refused",
                "error",
                f"{file.path}: none of its {file.read:,} records can be read; the first, at {first.place}: "
                f"{first.reason}. The file counts for nothing. Export it again, without redaction and without opening "
                "it in Excel.",
                str(file.path),
            )
        else:
            yield Finding(
                "rows_rejected",
                "warning",
                f"{file.path}: {file.rejected:,} of {file.read:,} records cannot be read and are not counted; the "
                f"first, at {first.place}: {first.reason}. Volumes are low by as much. Export the file again if the "
                "share matters.",
                str(file.path),
            )


def throttled(table: pd.DataFrame) -> Iterator[Finding]:
    """`throttled_mailboxes`: mailboxes that Exchange stopped recording for a while."""
    rows = table[table["throttled"]]
    if len(rows):
        mailboxes = rows.loc[rows["subject_kind"] == "mailbox", "subject"].nunique()
        yield Finding(
            "throttled_mailboxes",
            "warning",
            f"{int(rows['events'].sum()):,} records of {mailboxes:,} mailboxes are marked IsThrottled: Exchange "
            'recorded only part of what these mailboxes did on those days, so their volumes are "at least". Look for '
            "the application behind them.",
        )


def span(days: pd.Series[pd.Timestamp]) -> Iterator[Finding]:
    """`short_sample`: less than a week, or fewer than five weekdays."""
    found = days.drop_duplicates()
    length = (found.max() - found.min()).days + 1
    weekdays = int((found.dt.day_of_week < _WEEKDAYS).sum())
    if length < _DAYS or weekdays < _WEEKDAYS:
        yield Finding(
            "short_sample",
            "warning",
            f"The sample spans {length} day{'s' * (length != 1)} with {weekdays} weekday{'s' * (weekdays != 1)}: it "
            "does not show a whole week, and the forecast is wider for it. Export at least one full week.",
        )
