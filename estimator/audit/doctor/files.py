"""Files against each other: refused rows, records that stand in two files, time zones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from estimator.audit.doctor.truncation import weight_of
from estimator.findings import Finding

if TYPE_CHECKING:
    from estimator.audit.account import FileCount, Reject

#: So many files or pairs are named, then they are counted.
_NAMED = 5


def refused(files: Sequence[FileCount], rejects: Sequence[Reject]) -> Iterator[Finding]:
    """`rows_rejected`: records that could not be read; `file_refused`: files in which none could."""
    for file in files:
        if not file.rejected:
            continue
        first = next(reject for reject in rejects if reject.shown == file.shown)
        if file.rejected == file.read:
            yield Finding(
                "file_refused",
                "error",
                f"{file.shown}: none of its {file.read:,} records can be read; the first, at {first.place}: "
                f"{first.reason}. The file counts for nothing. Export it again, without redaction and without opening "
                "it in Excel.",
                file.shown,
            )
        else:
            yield Finding(
                "rows_rejected",
                "warning",
                f"{file.shown}: {file.rejected:,} of {file.read:,} records cannot be read and are not counted; the "
                f"first, at {first.place}: {first.reason}. Volumes are low by as much. Export the file again if the "
                "share matters.",
                file.shown,
            )


def overlapping(files: Sequence[FileCount], overlaps: Sequence[tuple[int, int, int]]) -> Iterator[Finding]:
    """`same_export_twice`: files with the same records; `overlapping_exports`: files that share some.

    Args:
        files: the account of each file.
        overlaps: number of one file, of another, distinct records that stand in both.
    """
    twins = [(a, b) for a, b, shared in overlaps if shared == files[a].distinct == files[b].distinct]
    first_of: dict[str, int] = {}
    for number, file in enumerate(files):
        if file.sha256 and (first := first_of.setdefault(file.sha256, number)) != number:
            twins.append((first, number))
    twins = list(dict.fromkeys((min(pair), max(pair)) for pair in twins))
    if twins:
        pairs = _named([f"{files[a].shown} and {files[b].shown}" for a, b in twins])
        yield Finding(
            "same_export_twice",
            "warning",
            f"the same records under two names: {pairs}. They were counted once. If one was to be the export of "
            "another month, that month is missing: look at the days it should cover, and export it again.",
        )
    others = [one for one in overlaps if (min(one[:2]), max(one[:2])) not in twins and one[2]]
    if not others:
        return
    others.sort(key=lambda one: (-one[2], one))
    pairs = _named([f"{files[a].shown} and {files[b].shown} share {shared:,}" for a, b, shared in others])
    # Of copies the one that stands for fewer counts, so a file that came whole is right beside a corrected one.
    weighted = [one for one in others if min(weight_of(files[one[0]]), weight_of(files[one[1]])) > 1]
    if weighted:
        yield Finding(
            "overlapping_exports",
            "warning",
            f"files that share records: {pairs}. Shared records were counted once, but where both were cut and "
            "corrected by their true counts each stands for the whole of the days it covers, so days in both count too "
            "much. Leave one of the two out.",
        )
    else:
        yield Finding(
            "overlapping_exports",
            "info",
            f"files that share records: {pairs}. Each was counted once, so volumes are right and nothing need be done.",
        )


def zones(files: Sequence[FileCount]) -> Iterator[Finding]:
    """`mixed_time_zones`: files whose dates are not UTC."""
    told = [file for file in files if file.zone]
    if not told:
        return
    local = [file for file in told if file.zone == "Local"]
    each = _named([f"{file.shown} ({'a local time' if file in local else file.zone})" for file in told])
    effect = "Times with an offset were converted to UTC"
    if local:
        effect += (
            "; where only a local time stands, its days begin and end with the local day, which shifts some hours of "
            "records to a neighbouring day and records that stand in two files may count twice. Export with UTC times"
        )
    others = len(files) - len(told)
    yield Finding(
        "mixed_time_zones",
        "warning" if local else "info",
        f"dates that are not UTC: {each}{f'; those of {others:,} more are' if others else ''}. {effect}.",
    )


def _named(each: Sequence[str]) -> str:
    more = len(each) - _NAMED
    return ", ".join(each[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
