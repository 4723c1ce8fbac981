"""Exports cut at a row limit without a word: how to tell, and when the portal's total corrects it.

An export cut at 50,000 rows shows every day of its month, a part of each (real_samples.md §2): nothing in it says that
it is cut but the number of its rows. Where the rows are a random part of the whole, each stands for total ÷ rows
records. Where they were cut in time order the missing ones lie on other days, and nothing about them can be scaled.
The portal and large sets cut at random, so rows of theirs that run in time order may have been sorted afterwards: they
have if the first and the last day are whole. One call of the cmdlet and the queries of SIEMs keep the newest rows
(audit_events.md §5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from estimator.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from estimator.audit.account import FileCount

#: Row counts at which exports are cut, and by what (audit_events.md §5); the last is what a sheet holds under a header.
EXPORT_LIMITS = {
    100: "Search-UnifiedAuditLog without -ResultSize",
    5_000: "one call of Search-UnifiedAuditLog",
    10_000: "a Search-UnifiedAuditLog session of mixed commands",
    50_000: "a Purview portal export (Audit Standard) or a Search-UnifiedAuditLog session",
    100_000: "the Purview portal",
    500_000: "a Purview portal export (Audit Premium, 2023)",
    1_000_000: "a Purview portal export (Audit Premium) or a Graph query",
    1_048_575: "an Excel sheet",
}

# learn.microsoft.com/azure/azure-monitor/service-limits
_LOG_ANALYTICS = {30_000: "the Log Analytics query window", 500_000: "a query through the Log Analytics API"}
# learn.microsoft.com/defender-xdr/api-advanced-hunting
_HUNTING = {100_000: "an advanced hunting query"}
# elastic.co/docs/reference/query-languages/esql/commands/limit
_ELASTIC = {1_000: "an ES|QL query without LIMIT", 10_000: "an ES|QL query"}
# limits.conf, [searchresults] maxresultrows
_SPLUNK = {50_000: "a Splunk search"}
_EXCEL = {1_048_575: EXPORT_LIMITS[1_048_575]}

#: By the kind of shape: its own limits first, for the words.
_LIMITS: Mapping[str, Mapping[int, str]] = {
    "audit-officeactivity": {**EXPORT_LIMITS, **_LOG_ANALYTICS},
    "audit-cloudappevents": {**EXPORT_LIMITS, **_LOG_ANALYTICS, **_HUNTING},
    "audit-elastic": {**EXPORT_LIMITS, **_ELASTIC},
    "audit-splunk": {**EXPORT_LIMITS, **_SPLUNK},
    # No audit search gives counts, only the query of a SIEM does.
    "audit-counts": {**_EXCEL, **_LOG_ANALYTICS, **_HUNTING, **_SPLUNK, **_ELASTIC},
}

#: What the portal, a large set and Graph give, and from how many rows on such a thing was no single call.
_CUT_AT_RANDOM, _LARGE_SET = ("audit-rows", "audit-exploded", "audit-records", "audit-graph"), 50_000

_SHORTER = "Export again in shorter time spans that each stay below the limit"


def is_cut(file: FileCount) -> bool:
    """Whether a file lacks rows, by any sign, and no true count makes up for them."""
    if _corrected(file):
        return False
    more = file.true_count is not None and file.true_count > file.rows
    return more or bool(_limit(file)) or _promised(file) > file.rows


def weight_of(file: FileCount) -> float:
    """How many records each record of a file stands for: true count ÷ rows where that corrects it, else 1."""
    if file.true_count is None or not _corrected(file) or not file.rows:
        return 1.0
    return file.true_count / file.rows


def cut_exports(files: Sequence[FileCount]) -> Iterator[Finding]:
    """What is cut and what a true count did about it.

    `sample_at_cap`: exactly as many rows as some export gives at most. `sample_cut`: fewer rows than the file itself
    promises. `sample_corrected`, `true_count_not_applied`: the true count was used, or cannot be.
    """
    for file in files:
        if _corrected(file):
            yield from _correction(file)
            continue
        yield from _signs(file)
        if file.true_count is not None:
            yield _not_applied(file, file.true_count)


def _limit(file: FileCount) -> str:
    """What gives exactly as many rows as the file has; '' where nothing does."""
    return _LIMITS.get(file.kind, EXPORT_LIMITS).get(file.rows, "")


def _promised(file: FileCount) -> int:
    return file.result_count or 0


def _corrected(file: FileCount) -> bool:
    total = file.true_count
    if total is None or total < file.rows:
        return False
    # A total that is the file's own number of rows says that nothing is missing, in whatever order.
    return total == file.rows or not (_cut_in_time(file) or file.counts)


def _cut_in_time(file: FileCount) -> bool:
    """Whether rows that are missing lie at one end of the days, and not on all of them."""
    at_random = file.kind in _CUT_AT_RANDOM and file.rows >= _LARGE_SET and file.whole_edges
    return bool(file.time_ordered) and not at_random


def _correction(file: FileCount) -> Iterator[Finding]:
    weight = weight_of(file)
    if weight > 1:
        yield Finding(
            "sample_corrected",
            "warning" if file.time_ordered else "info",
            f"{file.shown}: {file.rows:,} of {file.true_count:,} rows; every record counts {weight:.3g} times, as one "
            "drawn at random from the whole, and the interval is a little wider for it. "
            + (
                "Its rows run in time order, and as its first and last day are whole they are taken to have been "
                "sorted after they were cut at random; if whole days are missing instead, leave the true count out. "
                if file.time_ordered
                else ""
            )
            + "An export that is not cut is better: export again in shorter time spans.",
            file.shown,
        )


def _signs(file: FileCount) -> Iterator[Finding]:
    rows = "rows" if file.counts else "records"
    if limit := _limit(file):
        if file.counts:
            effect = "counts of whole mailboxes or days may be missing"
        elif _cut_in_time(file):
            effect = "its rows run in time order, so whole days are missing at one end"
        else:
            effect = "spread over all its days"
        correct = "" if file.counts or _cut_in_time(file) else f", or state the portal's total: {_option(file)}"
        yield Finding(
            "sample_at_cap",
            "warning",
            f"{file.shown}: exactly {file.rows:,} {rows}, the limit of {limit}: the export was probably cut, {effect}; "
            f'its volumes are "at least". {_SHORTER}{correct}.',
            file.shown,
        )
    if _promised(file) > file.rows:
        yield Finding(
            "sample_cut",
            "warning",
            f"{file.shown}: ResultCount says {_promised(file):,}, the file holds {file.rows:,} {rows}: the export "
            'stopped before its end and its volumes are "at least". Repeat the command with the same -SessionId until '
            f"it gives nothing more{'' if _cut_in_time(file) else f', or state the total: {_option(file)}'}.",
            file.shown,
        )


def _not_applied(file: FileCount, total: int) -> Finding:
    if total < file.rows:
        why = f"the file holds {file.rows:,} rows, more than that. Look the total up again"
    elif file.counts:
        why = (
            "a table of counts lacks whole mailboxes or days, not a part of each. "
            "Run the query again in shorter time spans"
        )
    else:
        why = f"its rows run in time order, so the missing ones are on other days, not spread over these. {_SHORTER}"
    least = ' Its volumes stay "at least".' if is_cut(file) else ""
    return Finding(
        "true_count_not_applied",
        "warning",
        f"{file.shown}: the true count of {total:,} was not used: {why}.{least}",
        file.shown,
    )


def _option(file: FileCount) -> str:
    return f"--true-count {file.shown}=N"
