"""One `Inventory` of a tenant: who has a mailbox, under which licence, how much they mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from estimator import catalog, tables
from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory import activity as activity_report
from estimator.inventory import licences as licence_file
from estimator.inventory import mailboxes as mailbox_export
from estimator.inventory.sheet import Part


@dataclass(frozen=True)
class Inventory:
    """What is known of the tenant apart from its audit log.

    Attributes:
        mailboxes: `tables.MAILBOXES`, one row per mailbox, sorted by it; further columns of the export in lower case.
        activity: `tables.ACTIVITY`, one row per mailbox of the report; empty where there is no report.
        grant_users: users whose licences count towards Sentinel's Microsoft 365 data grant, with a mailbox or without.
        rows: rows read of each file, by its name for messages.
        findings: what was wrong or doubtful.
    """

    mailboxes: pd.DataFrame
    activity: pd.DataFrame
    grant_users: int
    rows: dict[str, int]
    findings: list[Finding]


def read_inventory(
    mailbox_files: Sequence[tuple[Path, str]],
    licence_files: Sequence[tuple[Path, str]],
    activity_files: Sequence[tuple[Path, str]],
) -> Inventory:
    """Read and join the inventory files, each given as its path and its name for messages.

    Raises:
        InventoryError: there is no mailbox or no licence file, or one of them cannot be used.
    """
    if not mailbox_files:
        raise InventoryError("there is no mailbox inventory", mend=mailbox_export.EXPORT_COMMAND)
    if not licence_files:
        raise InventoryError("there is no licence inventory", mend=licence_file.EXPORT_COMMAND)
    findings: list[Finding] = []
    rows: dict[str, int] = {}
    boxes = _read(mailbox_export.read_mailboxes, mailbox_files, rows, findings)
    assigned = _read(licence_file.read_licences, licence_files, rows, findings)
    activity = _read(activity_report.read_activity, activity_files, rows, findings)
    boxes = _once(boxes, findings)
    tiers, grant_users = _tiers(assigned, findings)
    boxes["audit_tier"] = boxes["mailbox"].map(tiers).fillna("none").astype("str")
    unlicensed = int(((boxes["audit_tier"] == "none") & (boxes["kind"] == "user")).sum())
    if unlicensed:
        findings.append(
            Finding(
                "mailbox_without_licence",
                "warning",
                f"{unlicensed} user mailboxes have no licence that includes a mailbox; no scenario can make them emit "
                "and they add nothing. If the licence file is half an export, the forecast is low.",
            )
        )
    licensed_without_mailbox = sorted(set(tiers[tiers != "none"].index) - set(boxes["mailbox"]))
    if licensed_without_mailbox:
        findings.append(
            Finding(
                "licence_without_mailbox",
                "info",
                f"{len(licensed_without_mailbox)} licensed users have no mailbox in the inventory and add nothing.",
            )
        )
    if activity.empty:
        activity = tables.ACTIVITY.empty()
        if not activity_files:
            findings.append(
                Finding(
                    "no_activity_report",
                    "warning",
                    "there is no email activity report, so mailboxes are told apart by licence and kind only and the "
                    f"interval is wider. {activity_report.EXPORT_COMMAND}",
                )
            )
    else:
        activity = activity.drop_duplicates("mailbox", keep="last")
        unknown = ~activity["mailbox"].isin(boxes["mailbox"])
        if unknown.any():
            findings.append(
                Finding(
                    "activity_without_mailbox",
                    "info",
                    f"{int(unknown.sum())} users of the activity report have no mailbox in the inventory.",
                )
            )
        activity = activity[~unknown].sort_values("mailbox").reset_index(drop=True)
    boxes = boxes.sort_values("mailbox").reset_index(drop=True)
    return Inventory(tables.MAILBOXES.check(boxes, "read_inventory"), activity, grant_users, rows, findings)


def _read(
    reader: Callable[[Path, str], Part],
    files: Sequence[tuple[Path, str]],
    rows: dict[str, int],
    findings: list[Finding],
) -> pd.DataFrame:
    """All files of one kind under each other; counts and findings are added to those given."""
    frames = []
    for path, shown in files:
        part = reader(path, shown)
        frames.append(part.table)
        rows[shown] = part.rows
        findings.extend(part.findings)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _once(boxes: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    again = boxes.duplicated("mailbox")
    if again.any():
        settings = ["kind", "audit_enabled", "default_audit_set", "audit_admin", "audit_delegate", "audit_owner"]
        differ = boxes.drop_duplicates(["mailbox", *settings]).duplicated("mailbox").sum()
        findings.append(
            Finding(
                "mailbox_twice",
                "warning" if differ else "info",
                f"{int(again.sum())} rows repeat a mailbox, {int(differ)} of them with other settings; the first row "
                "of each counts.",
            )
        )
    return boxes[~again].copy()


def _tiers(assigned: pd.DataFrame, findings: list[Finding]) -> tuple[pd.Series, int]:
    """The audit tier of each user, and how many count for the grant. Few sets of SKUs exist: each is judged once."""
    held: dict[str, set[str]] = {}
    for user, sku in zip(assigned["mailbox"], assigned["sku"], strict=True):
        held.setdefault(user, set()).add(sku)
    sets = {user: frozenset(held[user] - {""}) for user in sorted(held)}
    unknown: set[str] = set()
    meaning: dict[frozenset[str], str] = {}
    grant: dict[frozenset[str], bool] = {}
    for skus in dict.fromkeys(sets.values()):
        meaning[skus], strange = catalog.best_tier(sorted(skus))
        grant[skus] = catalog.has_sentinel_grant(skus)
        unknown.update(strange)
    if unknown:
        users = sum(bool(unknown & skus) for skus in sets.values())
        findings.append(
            Finding(
                "licence_unknown",
                "warning",
                f"{len(unknown)} licences are not in the catalogue ({', '.join(sorted(unknown)[:5])}) and count as "
                f"bringing no mailbox, no Audit (Premium) and no data grant; {users} users have one.",
            )
        )
    tiers = pd.Series({user: meaning[skus] for user, skus in sets.items()}, dtype="str")
    return tiers, sum(grant[skus] for skus in sets.values())
