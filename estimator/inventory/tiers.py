"""From who holds which licence to each user's audit tier: the few different sets of licences are judged once each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd

from estimator import catalog
from estimator.catalog import AuditVerdict, HeldSku
from estimator.findings import Finding
from estimator.inventory.words import counted


@dataclass(frozen=True)
class Tiers:
    """What the licences of each user give.

    Attributes:
        tiers: user (lower case) → audit tier (`catalog.AUDIT_TIERS`), sorted by user.
        grants: user → whether the user counts towards Sentinel's Microsoft 365 data grant; the same index.
        findings: licences the catalogue does not know, and service plans that are switched off for users.
    """

    tiers: pd.Series
    grants: pd.Series
    findings: list[Finding]


def tiers_of(assigned: pd.DataFrame, totals: pd.DataFrame | None = None) -> Tiers:
    """The audit tier of every user of the licence files.

    Args:
        assigned: as `read_licences` gives it; the columns `disabled` and `plans` may be absent.
        totals: the table of `read_sku_totals`, where there is one: it tells the service plans of SKUs that are newer
            than the catalogue.
    """
    none = pd.Series([""] * len(assigned))
    columns = (assigned["mailbox"], assigned["sku"], assigned.get("disabled", none), assigned.get("plans", none))
    told = _plans_told(totals)
    listed: dict[str, list[tuple[str, str, str]]] = {}
    for user, sku, off, has in zip(*(column.tolist() for column in columns), strict=True):
        listed.setdefault(user, []).append((sku, off, has))
    held = {user: tuple(licences) for user, licences in listed.items()}
    verdicts: dict[tuple[tuple[str, str, str], ...], AuditVerdict] = {}
    grants: dict[tuple[tuple[str, str, str], ...], bool] = {}
    for skus in dict.fromkeys(held.values()):
        distinct = sorted({licence for licence in skus if licence[0]})
        verdicts[skus] = catalog.judge(
            HeldSku(sku, _plans(off) or frozenset(), _plans(has or told.get(sku.casefold(), "")))
            for sku, off, has in distinct
        )
        grants[skus] = catalog.has_sentinel_grant(sku for sku, _, _ in distinct)
    users = sorted(held)
    index = pd.Index(users, dtype="str")
    of_users = [verdicts[held[user]] for user in users]
    return Tiers(
        pd.Series([verdict.tier for verdict in of_users], index=index, dtype="str"),
        pd.Series([grants[held[user]] for user in users], index=index, dtype="bool"),
        _findings(of_users),
    )


@cache
def _plans(cell: str) -> frozenset[str] | None:
    """The deciding service plans in a cell of `disabled` or `plans`, by name or GUID; None where it tells none."""
    return frozenset(filter(None, map(catalog.deciding_plan, cell.split(",")))) if cell else None


def _plans_told(totals: pd.DataFrame | None) -> dict[str, str]:
    """SKU or part number, lower case → the cell of `plans` in the totals."""
    if totals is None or totals.empty:
        return {}
    columns = (totals[name].str.casefold() for name in ("sku", "part_number"))
    return {name: plans for column in columns for name, plans in zip(column, totals["plans"], strict=True) if name}


def _findings(verdicts: Sequence[AuditVerdict]) -> list[Finding]:
    """What is to be said of the users' verdicts, one finding of a kind."""
    findings = []
    unknown = sorted({sku for verdict in set(verdicts) for sku in verdict.unknown})
    if unknown:
        users = sum(bool(verdict.unknown) for verdict in verdicts)
        findings.append(
            Finding(
                "licence_unknown",
                "warning",
                f"{counted(len(unknown), 'licence is', 'licences are')} not in the catalogue "
                f"({', '.join(unknown[:5])}) and taken to bring no "
                f"mailbox, no Audit (Premium) and no data grant; {counted(users, 'user has', 'users have')} one. Put "
                "the answer of "
                "GET /subscribedSkus beside the files: it tells their service plans.",
            )
        )
    newer = sorted({sku for verdict in set(verdicts) for sku in verdict.by_plans})
    if newer:
        users = sum(bool(verdict.by_plans) for verdict in verdicts)
        findings.append(
            Finding(
                "licence_newer",
                "info",
                f"{counted(len(newer), 'licence is', 'licences are')} not in the catalogue ({', '.join(newer[:5])}) "
                "and judged by their own "
                f"service plans; {counted(users, 'user has', 'users have')} one. They count as bringing no data grant.",
            )
        )
    if users := sum(verdict.tier_all_on != "none" and verdict.tier == "none" for verdict in verdicts):
        findings.append(
            Finding(
                "exchange_plan_disabled",
                "info",
                f"the Exchange plan of their licences is switched off for {counted(users, 'user', 'users')}; their "
                "licences count as "
                "bringing no mailbox.",
            )
        )
    if users := sum(verdict.tier_all_on == "premium" and verdict.tier.startswith("standard") for verdict in verdicts):
        findings.append(
            Finding(
                "premium_plan_disabled",
                "info",
                "Audit (Premium), the service plan M365_ADVANCED_AUDITING, is switched off for "
                f"{counted(users, 'user', 'users')} whose "
                "licences have it; they count as Audit (Standard).",
            )
        )
    return findings
