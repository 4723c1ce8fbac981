"""`assign_licence`: what mailboxes emit, and who counts towards the data grant, once they have another licence.

The same rules are asked again with the changed licence. A mailbox that only its licence held back, and whose settings
have the operation on, emits from that day by itself; one that its settings hold back as well can be enabled from that
day on. How busy a mailbox is does not change with its licence: it keeps the rate of its class of today.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from estimator import catalog
from estimator.findings import Finding
from estimator.inventory import Inventory
from estimator.readiness import Readiness, judge
from estimator.scenario import Enabled, Licensed


@dataclass(frozen=True)
class Relicensed:
    """A tenant under the licences that a scenario assigns.

    Attributes:
        readiness: today's verdicts, in which what a licence alone held back can be mended.
        enabled: who joins and when: as the scenario enables them, none before its licence, and who emits by itself.
        grant_users: from which day how many more users count towards the data grant.
        findings: one `licence_assigned` a change.
    """

    readiness: Readiness
    enabled: list[Enabled]
    grant_users: list[tuple[dt.date, int]]
    findings: list[Finding]


def relicense(
    licensed: Sequence[Licensed], enabled: Sequence[Enabled], inventory: Inventory, readiness: Readiness
) -> Relicensed:
    """Judge again the mailboxes that a scenario gives a licence.

    Args:
        licensed: who is given what, see `scenario.licensed`.
        enabled: what the scenario enables.
        inventory: the tenant.
        readiness: today's verdicts.
    """
    if not licensed:
        return Relicensed(readiness, list(enabled), [], [])
    boxes = inventory.mailboxes.set_index("mailbox", drop=False)
    tiers = boxes["audit_tier"].astype("str").copy()
    counted = set(boxes.index[(boxes["kind"] == "user") & (tiers == "premium")])
    held = _held_back(readiness)
    #: By operation: from which day a mailbox emits by itself, and from which it can be enabled.
    alone: dict[str, dict[str, dt.date]] = {}
    mendable: dict[str, dict[str, dt.date]] = {}
    grants, findings = [], []
    for one in sorted(licensed, key=lambda one: one.day):
        sku = catalog.licence_tier(one.sku)
        assert sku is not None  # the scenario's types have looked it up
        before = tiers[one.mailboxes]
        after = before.map(lambda tier, sku=sku: _together(tier, sku))
        changed = before.index[(before != after).to_numpy()]
        tiers[changed] = after[changed]
        begin: set[str] = set()
        can: set[str] = set()
        if len(changed):
            mine = inventory.mailboxes[inventory.mailboxes["mailbox"].isin(changed)].reset_index(drop=True)
            mine = mine.assign(audit_tier=pd.array(tiers[mine["mailbox"]].to_numpy(), dtype="str"))
            again = judge(replace(inventory, mailboxes=mine), None)
            rules = again.table["ruling"].map(lambda n, again=again: again.rulings[n].rule)
            verdicts = again.table[["operation", "mailbox", "mendable"]].assign(on=rules == "on")
            for key, rows in verdicts.groupby("operation"):
                rows = rows[rows["mailbox"].isin(held.get(str(key), set()))]
                for names, into, told in (
                    (rows.loc[rows["on"], "mailbox"], alone, begin),
                    (rows.loc[~rows["on"] & rows["mendable"], "mailbox"], mendable, can),
                ):
                    days = into.setdefault(str(key), {}) if len(names) else {}
                    for name in names:
                        days.setdefault(name, one.day)
                    told.update(names)
        kinds = boxes.loc[one.mailboxes, "kind"]
        users = [name for name in kinds.index[kinds == "user"] if name not in counted]
        if sku.sentinel_grant and users:
            grants.append((one.day, len(users)))
            counted.update(users)
        findings.append(_said(one, sku, before[changed], after[changed], len(begin), len(can - begin), len(users)))
    return Relicensed(_mendable(readiness, alone, mendable), _joining(enabled, alone, mendable), grants, findings)


def _together(tier: str, sku: catalog.LicenceSku) -> str:
    """The audit tier of a mailbox that is given a licence beside those it has."""
    if sku.premium_addon and tier != "none":
        return "premium"
    return min(tier, sku.audit_tier, key=lambda one: list(catalog.AUDIT_TIERS).index(one))


def _held_back(readiness: Readiness) -> dict[str, set[str]]:
    """By operation the mailboxes that emit none and that no script can make emit it."""
    table = readiness.table
    mine = table[(table["state"] == "blocked") & ~table["mendable"]]
    return {str(key): set(rows["mailbox"]) for key, rows in mine.groupby("operation")}


def _mendable(readiness: Readiness, *found: dict[str, dict[str, dt.date]]) -> Readiness:
    table = readiness.table
    mendable = table["mendable"].to_numpy(dtype=bool, copy=True)
    for by in found:
        for key, names in by.items():
            rows = readiness.rows_of(key)
            mendable[rows[table["mailbox"].array[rows].isin(list(names))]] = True
    return Readiness(table.assign(mendable=mendable), readiness.findings, readiness.rulings)


def _joining(
    enabled: Sequence[Enabled], alone: dict[str, dict[str, dt.date]], mendable: dict[str, dict[str, dt.date]]
) -> list[Enabled]:
    out = []
    for part in enabled:
        by_itself, waits = alone.get(part.operation, {}), mendable.get(part.operation, {})
        others = part.mailboxes[~part.mailboxes.isin([*by_itself, *waits])]
        out.append(replace(part, mailboxes=others))
        done = part.day + dt.timedelta(days=part.ramp_days - 1)
        for since in sorted({waits[name] for name in part.mailboxes if name in waits}):
            names = [name for name in part.mailboxes if waits.get(name) == since and name not in by_itself]
            day = max(part.day, since)
            out.append(Enabled(part.operation, day, pd.Index(names), max((done - day).days + 1, 1)))
    for key, days in alone.items():
        for since in sorted(set(days.values())):
            out.append(Enabled(key, since, pd.Index([name for name, day in days.items() if day == since])))
    return [part for part in out if len(part.mailboxes)]


def _said(
    one: Licensed, sku: catalog.LicenceSku, before: pd.Series, after: pd.Series, begin: int, can: int, users: int
) -> Finding:
    if len(before):
        moves = (before + " to " + after).value_counts()
        tiers = f"changes the audit tier of {', '.join(f'{n} ({move})' for move, n in moves.items())}"
        if begin or can:
            then = f"{begin} of them emit from that day by themselves what only their licence held back"
            then += f", and {can} more can be enabled from then on" if can else ""
        else:
            then = "no event waits for it: what mailboxes log, they log with the licence they have (Audit (Standard))"
    else:
        tiers, then = "changes the audit tier of none: theirs is as good already", "so nothing more is logged"
    grant = (
        f"{users} users more count towards the licence grant from then on (those with Audit (Premium) are taken to "
        "count already)"
        if sku.sentinel_grant and users
        else "nobody more counts towards the licence grant"
    )
    return Finding(
        "licence_assigned",
        "info",
        f"{one.place} gives {len(one.mailboxes)} mailboxes {sku.product_name} ({sku.part_number}) from {one.day} on, "
        f"which {tiers}; {then}. {grant[0].upper()}{grant[1:]}. What the licence itself costs is in none of the bills.",
    )
