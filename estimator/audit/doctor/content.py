"""What the records themselves say: copies, throttling, sizes, who is in them and who is not, too short a time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from estimator.audit.doctor.digest import busiest_of
from estimator.findings import Finding
from estimator.principals import OUTSIDE_SCOPES, Actor, actor, outside_scopes

if TYPE_CHECKING:
    from estimator.audit.account import FileCount
    from estimator.audit.doctor.digest import Digest

#: From this share of copies on, a count of rows misleads by more than a forecast can bear.
_MANY_COPIES = 0.05

_DAYS, _WEEKDAYS = 7, 5

#: So many users over so many operations do not come about without any system or application doing something.
_MANY_USERS, _MANY_OPERATIONS = 20, 5

_DOMINANT, _FEW_PRINCIPALS = 0.25, 3
_LARGEST = 5
_HALF = 0.5
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

#: What a principal's weight does to the forecast, by what it is.
_EFFECT: dict[Actor, str] = {
    "user": "It counts with people: what flows today holds all of it, weekends weigh as they do for it, and mailboxes "
    "that join take their share of what it does on mailboxes. If it is a program under a user's name (polling tasks or "
    "backing up), it may stop or grow by a setting: look at what it runs.",
    "application": "It is forecast as an application, by the day and apart from people, as if it went on as in the "
    "sample. Find out whether it will (backup, archiving, polling): one setting there moves the bill.",
    "system": "It is forecast apart from people, by the day, as if it went on as in the sample. If that was a single "
    "job (a migration, a policy roll-out), leave its days out.",
}


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


def throttled(digest: Digest) -> Iterator[Finding]:
    """`throttled_mailboxes`: mailboxes that Exchange stopped recording for a while."""
    records, mailboxes = digest.throttled
    if records:
        yield Finding(
            "throttled_mailboxes",
            "warning",
            f"{records:,} records of {mailboxes:,} mailboxes are marked IsThrottled: Exchange "
            'recorded only part of what these mailboxes did on those days, so their volumes are "at least". Look for '
            "the application behind them.",
        )


def span(days: Sequence[date]) -> Iterator[Finding]:
    """`short_sample`: less than a week, or fewer than five weekdays; `weekend_only`: no weekday at all."""
    length = (max(days) - min(days)).days + 1
    weekdays = sum(day.weekday() < _WEEKDAYS for day in set(days))
    if not weekdays:
        yield Finding(
            "weekend_only",
            "warning",
            "The sample shows only Saturdays and Sundays: what a weekday holds is not measured but taken from what "
            "weekends weigh in another tenant, which may be off by half. Export at least one full week.",
        )
    if length < _DAYS or weekdays < _WEEKDAYS:
        yield Finding(
            "short_sample",
            "warning",
            f"The sample spans {length} day{'s' * (length != 1)} with {weekdays} weekday{'s' * (weekdays != 1)}: it "
            "does not show a whole week, and the forecast is wider for it. Export at least one full week.",
        )


def sizes_unknown(files: Sequence[FileCount], digest: Digest) -> Iterator[Finding]:
    """`sizes_unknown`: records whose AuditData cannot be measured; their counts are as good as others'."""
    without, total = digest.unsized, digest.events
    if not without:
        return
    why = []
    if redacted := sum(file.redacted for file in files):
        why.append(f"{redacted:,} file{'s hold' if redacted > 1 else ' holds'} redacted AuditData")
    if columns := sum(file.from_columns for file in files):
        why.append(f"the AuditData of {columns:,} is empty, redacted or cut, and the other columns were counted")
    if unmeasured := sum(file.size_basis == "none" and not file.redacted for file in files):
        why.append(f"{unmeasured:,} file{'s' * (unmeasured > 1)} hold{'s' * (unmeasured == 1)} no AuditData")
    known = without < total
    yield Finding(
        "sizes_unknown",
        "warning" if without > _HALF * total else "info",
        f"{without:,} of {total:,} records ({_share(without, total)}) have no size"
        f"{': ' if why else ''}{'; '.join(why)}. Their counts make rates as any others do; GB come from "
        f"{'the other records of the same operation, else from ' if known else ''}published record sizes, which are "
        "those of other tenants. Export AuditData as it is, neither redacted nor flattened.",
    )


def no_system_principals(digest: Digest) -> Iterator[Finding]:
    """`no_system_principals`: many users and nothing that only a search of the whole tenant shows."""
    users = sum(actor(name) == "user" for name in digest.principals)
    few = users < _MANY_USERS or len(digest.operations) < _MANY_OPERATIONS
    if few or any(map(outside_scopes, digest.principals)):
        return
    yield Finding(
        "no_system_principals",
        "info",
        f"{users:,} users act in the sample, and it shows nothing of what {OUTSIDE_SCOPES}, as those of an "
        "administrator with a scoped role do. What applications do (backup, archiving, polling) can be a third of all "
        "volume and is then not in the figures. Search once more without users, by an administrator of the whole "
        "tenant.",
    )


def dominant_principal(digest: Digest) -> Iterator[Finding]:
    """`dominant_principal`: one principal makes more than a quarter of everything."""
    name = busiest_of(digest.principals)
    mine, total = digest.principals.get(name, 0), digest.events
    if len(digest.principals) < _FEW_PRINCIPALS or mine <= _DOMINANT * total:
        return
    operations, apps = digest.busiest
    who = actor(name)
    article = "an" if who == "application" else "a"
    what = f"{article} {who}{' account' if who == 'system' else ''}"
    application_id = name.lower().removeprefix("serviceprincipal_")
    if who == "application" and _GUID.fullmatch(application_id):
        what += f" ({application_id})"
    app = max(sorted(apps), key=lambda one: apps[one])
    through = f" through application {app}" if _GUID.fullmatch(app.lower()) and who != "application" else ""
    operation = max(sorted(operations), key=lambda one: operations[one])
    yield Finding(
        "dominant_principal",
        "warning",
        f"one principal of {len(digest.principals):,}, {what}, makes {_share(mine, total)} of all records, mostly "
        f"{'/'.join(operation)} ({_share(operations[operation], mine)} of its own){through}. {_EFFECT[who]}",
    )


def operations_not_in_catalogue(digest: Digest) -> Iterator[Finding]:
    """`operations_not_in_catalogue`: operations that the catalogue says nothing of."""
    from estimator import catalog
    from estimator.operations import operation_key

    strange: Counter[str] = Counter()
    for (workload, operation), count in digest.operations.items():
        key = operation_key(workload, operation)
        if key not in catalog.operations():
            strange[key] += count
    if strange:
        counts = sorted(((count, key) for key, count in strange.items()), key=lambda one: (-one[0], one[1]))
        named = ", ".join(f"{key} {count:,}" for count, key in counts[:_LARGEST])
        largest = "the largest: " if len(counts) > _LARGEST else ""
        yield Finding(
            "operations_not_in_catalogue",
            "info",
            f"{len(counts):,} operation{'s' * (len(counts) != 1)} with {_share(strange.total(), digest.events)} "
            f"of all records not in the catalogue ({largest}{named}). They are forecast as they flow in the sample; "
            "which feed carries them is judged by their workload alone, and no scenario can enable them. "
            'estimator/catalog/README.md, "Add an operation", says how to add one.',
        )


def _share(part: int, whole: int) -> str:
    share = part / whole
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"
