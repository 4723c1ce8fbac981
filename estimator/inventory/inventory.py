"""One `Inventory` of a tenant: who has a mailbox, under which licence, how much they mail, and what is audited."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from estimator import tables
from estimator.audit.opening import read_head
from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory import activity as activity_report
from estimator.inventory import joins
from estimator.inventory import licences as licence_file
from estimator.inventory import mailboxes as mailbox_export
from estimator.inventory import usage as usage_report
from estimator.inventory.layout import is_json
from estimator.inventory.mailbox_exports import read_exports
from estimator.inventory.names import Names
from estimator.inventory.settings import Settings, combine, read_settings
from estimator.inventory.sheet import Part
from estimator.inventory.sku_totals import check_totals, read_sku_totals
from estimator.inventory.tiers import tiers_of

Files = Sequence[tuple[Path, str]]
Reader = Callable[[Path, str], Part]

#: The reader of each kind of inventory file.
READERS: dict[str, Reader] = {
    "mailboxes": mailbox_export.read_mailboxes,
    "licences": licence_file.read_licences,
    "sku-totals": read_sku_totals,
    "email-activity": activity_report.read_activity,
    "mailbox-usage": usage_report.read_mailbox_usage,
    "teams-activity": usage_report.read_teams_activity,
    "settings": read_settings,
}

#: What is said of a page that names a next one.
_PAGES = {"export_page", "licences_cut"}

#: The kinds of file an inventory is read from.
INVENTORY_KINDS = tuple(READERS)


@dataclass(frozen=True)
class Inventory:
    """What is known of the tenant apart from its audit log.

    Attributes:
        mailboxes: `tables.MAILBOXES`, one row per mailbox, sorted by it; further columns of the export in lower case.
        activity: `tables.ACTIVITY`, one row per mailbox of the report; empty where there is no report.
        grant_users: users whose licences count towards Sentinel's Microsoft 365 data grant, with a mailbox or without.
        rows: rows read of each file, by its name for messages.
        findings: what was wrong or doubtful.
        settings: what the exports of audit settings say.
        unjoined: `tables.ACTIVITY` of reports that conceal names: `mailbox` is the concealed name.
        canonical: other names of mailboxes (aliases, primary addresses, former UPNs) → `mailbox`, all lower case; only
            names that mean one mailbox and are not its `mailbox` already.
        usage: `tables.MAILBOX_USAGE`, one row per mailbox of the report.
        teams: `tables.TEAMS_ACTIVITY`, one row per user of the report, with a mailbox or without.
    """

    mailboxes: pd.DataFrame
    activity: pd.DataFrame
    grant_users: int
    rows: dict[str, int]
    findings: list[Finding]
    settings: Settings = field(default_factory=Settings)
    unjoined: pd.DataFrame = field(default_factory=tables.ACTIVITY.empty)
    canonical: dict[str, str] = field(default_factory=dict)
    usage: pd.DataFrame = field(default_factory=tables.MAILBOX_USAGE.empty)
    teams: pd.DataFrame = field(default_factory=tables.TEAMS_ACTIVITY.empty)


def read_inventory(files: Mapping[str, Files]) -> Inventory:
    """Read and join the inventory files.

    Args:
        files: kind (`INVENTORY_KINDS`) → its files, each as its path and its name for messages.

    Raises:
        InventoryError: there is no mailbox or no licence file, or one of these cannot be used. Of the others, what
            cannot be used is left out, and `file_refused` says so.
    """
    with _no_collection():
        return _read_inventory(files)


def _read_inventory(files: Mapping[str, Files]) -> Inventory:
    if not files.get("mailboxes"):
        raise InventoryError("there is no mailbox inventory", mend=mailbox_export.EXPORT_COMMAND)
    if not files.get("licences"):
        raise InventoryError("there is no licence inventory", mend=licence_file.EXPORT_COMMAND)
    exports = read_exports(files["mailboxes"])
    rows, findings = exports.rows, _pages_together(files["mailboxes"], exports.findings)
    found = {kind: _read(kind, files.get(kind, ()), rows, findings) for kind in INVENTORY_KINDS[1:]}
    boxes = joins.each_once(exports.table, findings)
    names = Names(boxes)
    settings, bypassed, doubts = combine(found["settings"], names)
    findings += doubts
    boxes["bypassed"] |= boxes["mailbox"].isin(bypassed)
    totals = found["sku-totals"]
    held = tiers_of(found["licences"], None if totals.empty else totals)
    findings += held.findings
    if not totals.empty:
        findings += check_totals(found["licences"], totals)
    boxes["audit_tier"], grant_users = joins.licences(boxes, held, names, findings)
    activity, unjoined = joins.activity(found["email-activity"], names, findings)
    if found["email-activity"].columns.empty:
        findings.append(
            Finding(
                "no_activity_report",
                "warning",
                "there is no email activity report that can be read, so mailboxes are told apart by licence and kind "
                "only and the "
                f"interval is wider. {activity_report.EXPORT_COMMAND}",
            )
        )
    boxes = boxes.sort_values("mailbox").reset_index(drop=True)
    return Inventory(
        tables.MAILBOXES.check(boxes, "read_inventory"),
        activity,
        grant_users,
        rows,
        findings,
        replace(settings, bypass_known=settings.bypass_known or exports.tells_bypass),
        unjoined,
        names.canonical,
        joins.usage(found["mailbox-usage"], boxes, names, findings),
        joins.latest(found["teams-activity"], tables.TEAMS_ACTIVITY),
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the collector of reference cycles: a million cells make none, and it looks at them again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read(kind: str, files: Files, rows: dict[str, int], findings: list[Finding]) -> pd.DataFrame:
    """All files of one kind under each other; counts and findings are added to those given."""
    frames, doubts = [], []
    for path, shown in files:
        try:
            part = READERS[kind](path, shown)
        except InventoryError as error:
            if kind == "licences":  # without them everybody would count as unlicensed
                raise
            doubts.append(Finding("file_refused", "error", f"{error} Nothing of the file counts.", shown))
            continue
        frames.append(part.table)
        rows[shown] = part.rows
        doubts += part.findings
    findings += _pages_together(files, doubts)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _pages_together(files: Files, findings: list[Finding]) -> list[Finding]:
    """Findings on pages of one answer; where the last page is among the files too, none is missing, most likely."""
    pages = {finding.path for finding in findings if finding.code in _PAGES}
    if not pages or not any(shown not in pages and is_json(read_head(path)) for path, shown in files):
        return findings
    together = Finding(
        "export_pages",
        "info",
        f"{len(pages) + 1} files are taken for the pages of one answer: {', '.join(sorted(map(str, pages)))} "
        f"{'names' if len(pages) == 1 else 'name'} a next page, and another file is a last one. That no page between "
        "them is missing cannot be told.",
    )
    return [*(finding for finding in findings if finding.code not in _PAGES), together]
