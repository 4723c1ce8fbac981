"""What `check` says of a tenant folder: what each file was taken for, what is missing, what is doubtful.

It computes no forecast and goes on where one could not: a folder that lacks its inventories is what it is there for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from estimator import audit
from estimator.audit import Reduction
from estimator.audit.opening import read_head
from estimator.audit.shapes import all_shapes
from estimator.audit.sources import is_archive
from estimator.errors import AuditExportError, InventoryError
from estimator.findings import Finding, below, distinct, name_below
from estimator.folder import InputFile, TenantFolder, read_folder
from estimator.inventory import INVENTORY_KINDS, Inventory, Settings, read_inventory
from estimator.inventory.activity import EXPORT_COMMAND as ACTIVITY_COMMAND
from estimator.inventory.inventory import READERS
from estimator.inventory.licences import EXPORT_COMMAND as LICENCES_COMMAND
from estimator.inventory.mailbox_exports import read_exports
from estimator.inventory.mailboxes import EXPORT_COMMAND as MAILBOXES_COMMAND
from estimator.inventory.settings import missing_commands, without_mailboxes
from estimator.progress import Bytes
from estimator.readiness import judge
from estimator.tenant import under_inventory_names
from estimator.true_counts import of_folder

Needed = Literal["needed", "strongly wished", "wished"]

#: What the files that are no audit exports are called; those say themselves what they are.
_TITLES = {
    "mailboxes": "mailbox inventory",
    "licences": "licences",
    "sku-totals": "licence totals",
    "email-activity": "email activity report",
    "mailbox-usage": "mailbox usage report",
    "teams-activity": "Teams activity report",
    "settings": "audit settings",
    "usage-report": "usage report, not used",
    "scenario": "scenario",
    "document": "document, passed over",
    "unknown": "nothing known",
}


@dataclass(frozen=True)
class CheckedFile:
    """One file of the folder, or one member of a zip in it.

    Attributes:
        path: below the tenant folder.
        kind: what it was taken for; `unknown` where it is nothing known.
        title: the same in words.
        rows: rows or records read; None where none are counted (scenarios, documents, refused files).
        first: first day (UTC) of its records; None where it has none.
        last: last day.
        size: bytes on disk.
        sha256: of the file as it stands, in hex; of a member that of its zip.
        encoding: `utf-8`, `utf-8-sig` or `utf-16`; '' where it is not known.
        compressed: '' or the name of the compression.
        refused: whether it was refused; a finding says why.
    """

    path: str
    kind: str
    title: str
    rows: int | None
    first: dt.date | None
    last: dt.date | None
    size: int
    sha256: str
    encoding: str
    compressed: str
    refused: bool

    def to_json(self) -> dict[str, Any]:
        """The file as the JSON contract has it."""
        return {
            "path": self.path,
            "kind": self.kind,
            "title": self.title,
            "rows": self.rows,
            "first": None if self.first is None else self.first.isoformat(),
            "last": None if self.last is None else self.last.isoformat(),
            "size": self.size,
            "sha256": self.sha256,
            "encoding": self.encoding,
            "compressed": self.compressed,
            "refused": self.refused,
        }


@dataclass(frozen=True)
class Missing:
    """An input that is not in the folder.

    Attributes:
        input: which.
        needed: how much it is missed.
        without: what the forecast does without it.
        command: what to run or to click, on one line.
    """

    input: str
    needed: Needed
    without: str
    command: str

    def to_json(self) -> dict[str, str]:
        """The input as the JSON contract has it."""
        return {"input": self.input, "needed": self.needed, "command": self.command, "without": self.without}


#: Every input with the kinds of file that bring it, in the order of their weight. Of the last there is no file yet.
_INPUTS: tuple[tuple[tuple[str, ...], Missing], ...] = (
    (
        ("mailboxes",),
        Missing("mailboxes", "needed", "nothing can be forecast", MAILBOXES_COMMAND),
    ),
    (
        ("licences",),
        Missing("licences", "needed", "nothing can be forecast", LICENCES_COMMAND),
    ),
    (
        ("audit-",),
        Missing(
            "audit sample",
            "strongly wished",
            "the forecast stands on published rates and is wide. The portal cuts an export at 50,000 rows (Audit "
            "Standard) without a word: where there are more, search day by day and keep all the files. What is too big "
            "to export can be counted where it lies (docs/counts.md)",
            "Purview portal > Audit > New search: two whole weeks, all users, all activities > Search > Export",
        ),
    ),
    (
        ("email-activity",),
        Missing(
            "activity",
            "wished",
            "mailboxes are told apart by licence and kind only, and the interval is wider",
            ACTIVITY_COMMAND,
        ),
    ),
    (
        ("settings",),
        Missing(
            "audit settings",
            "wished",
            "what no file states counts as usual: auditing is on for the tenant, and no account bypasses it. Run this "
            "in Exchange Online PowerShell (that of Security & Compliance shows UnifiedAuditLogIngestionEnabled as "
            "False whatever it is)",
            "; ".join(missing_commands(Settings())),
        ),
    ),
    (
        (),
        Missing(
            "SIEM usage",
            "wished",
            "tiers and grants are priced as if nothing else filled them, or at both ends. State what you find in the "
            "scenario's [[plans]] (commitment, grant_remaining_gb_per_day). This version reads no file of it: put none "
            "into the folder",
            "Usage | where TimeGenerated > ago(31d) and IsBillable | "
            "summarize GB_a_day = sum(Quantity) / 1000 / 31 by DataType | order by GB_a_day desc",
        ),
    ),
)


@dataclass(frozen=True)
class Checkup:
    """What a tenant folder holds, lacks and leaves in doubt.

    Attributes:
        tenant: the folder.
        as_of: the day of the check.
        files: its files in path order.
        missing: what is not in it.
        findings: what is wrong or doubtful in what is.
        inventory: the tenant as its files give it; None where a needed one is missing or refused.
        sample: the audit sample; None without any.
    """

    tenant: Path
    as_of: dt.date
    files: list[CheckedFile]
    missing: list[Missing]
    findings: list[Finding]
    inventory: Inventory | None
    sample: Reduction | None

    @property
    def refused(self) -> bool:
        """Whether some file was refused."""
        return any(finding.severity == "error" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """The JSON contract `siem-estimator/check/1`."""
        return {
            "schema": "siem-estimator/check/1",
            "version": version("siem-estimator"),
            "as_of": self.as_of.isoformat(),
            "files": [file.to_json() for file in self.files],
            "missing": [one.to_json() for one in self.missing],
            "findings": [finding.to_json() for finding in self.findings],
        }


def check(
    tenant: Path | str,
    *,
    as_of: dt.date,
    memory: str = "1GB",
    true_counts: Mapping[str | None, int] | None = None,
    progress: Bytes | None = None,
) -> Checkup:
    """Look through a tenant folder.

    Args:
        tenant: the folder that holds the exports.
        as_of: the day of the check; nothing here reads the clock.
        memory: DuckDB's memory limit while it reads the audit sample.
        true_counts: the portal's total of audit exports that were cut, by file; None is the one that was cut.
        progress: told the file, the bytes read and the bytes to read.

    Raises:
        TenantFolderError: there is no such folder, or a file in it cannot be read.
        UsageError: `true_counts` or `memory` make no sense.
    """
    root = Path(tenant)
    folder = _folder(root)
    totals = of_folder(true_counts, folder) if true_counts else None
    findings = folder.findings()
    inventory, rows, settings = _inventory(folder, findings)
    sample = None
    if folder.audit_files:
        paths = [file.path for file in folder.audit_files]
        try:
            sample = audit.reduce(paths, memory=memory, progress=progress, true_counts=totals)
            findings += below(sample.findings, root)
        except AuditExportError as error:
            findings += _of_each(folder.audit_files, name_below(str(error), root))
    if inventory is not None:
        named = None if sample is None else under_inventory_names(sample, inventory)
        findings += judge(inventory, None if named is None else named.table).findings
    found = distinct(findings)
    files = list(_files(folder, rows, sample, found))
    return Checkup(root, as_of, files, _missing(folder, settings), found, inventory, sample)


def _folder(root: Path) -> TenantFolder:
    """The folder; one without a file is what a first check meets, and no error here."""
    if root.is_dir() and all(path.name.startswith(".") for path in root.iterdir()):
        return TenantFolder(root, ())
    return read_folder(root)


def _inventory(folder: TenantFolder, findings: list[Finding]) -> tuple[Inventory | None, dict[str, int], Settings]:
    """The inventory, where its files suffice, the rows of each file that can be read, and the audit settings, which
    need no other file; findings are added."""
    files = {kind: [(f.path, f.shown) for f in folder.of_kind(kind)] for kind in INVENTORY_KINDS}
    if files["mailboxes"] and files["licences"]:
        try:
            inventory = read_inventory(files)
        except InventoryError:
            pass  # some file is refused: which ones is told below, file by file
        else:
            findings += inventory.findings
            return inventory, inventory.rows, inventory.settings
    rows: dict[str, int] = {}
    doubts: list[Finding] = []
    stated: list[pd.DataFrame] = []
    good: dict[str, list[tuple[Path, str]]] = {kind: [] for kind in files}
    for kind, found in files.items():
        errors: list[tuple[Path, str, InventoryError]] = []
        for path, shown in found:
            try:
                part = READERS[kind](path, shown)
            except InventoryError as error:
                errors.append((path, shown, error))
                continue
            rows[shown] = part.rows
            doubts += part.findings
            good[kind].append((path, shown))
            if kind == "settings":
                stated.append(part.table)
        for path, shown, refusal in errors:
            if kind == "mailboxes" and good[kind]:
                try:  # a mailbox file without audit sets may stand beside one that has them
                    rows[shown] = read_exports([*good[kind], (path, shown)]).rows[shown]
                except InventoryError:
                    pass
                else:
                    good[kind].append((path, shown))
                    continue
            findings.append(Finding("file_refused", "error", str(refusal), shown))
    if good["mailboxes"] and good["licences"]:
        inventory = read_inventory(good)
        findings += inventory.findings
        return inventory, rows, inventory.settings
    findings += doubts
    return None, rows, without_mailboxes(stated)


def _of_each(files: Sequence[InputFile], message: str) -> list[Finding]:
    """One `sample_empty` for audit exports without a single record; it names them all."""
    return [Finding("sample_empty", "error", message, files[0].shown if len(files) == 1 else None)]


def _files(
    folder: TenantFolder, rows: Mapping[str, int], sample: Reduction | None, findings: Sequence[Finding]
) -> list[CheckedFile]:
    refused = {finding.path for finding in findings if finding.severity == "error"}
    out = []
    for file in folder.files:
        sha256 = file.sha256()  # of an archive's members that of the archive: it is what lies there to be compared
        counts = [] if sample is None else [count for count in sample.files if count.path == file.path]
        for count in counts:
            shown = name_below(count.shown, folder.root)
            out.append(
                CheckedFile(
                    path=shown,
                    kind=count.kind or file.kind,
                    title=count.title or _title(file),
                    rows=count.rows,
                    first=count.first,
                    last=count.last,
                    size=count.size,
                    sha256=sha256,
                    encoding=count.encoding,
                    compressed=count.compressed,
                    refused=shown in refused,
                )
            )
        if not counts:
            encoding, compressed = _text_of(file)
            out.append(
                CheckedFile(
                    path=file.shown,
                    kind=file.kind,
                    title=_title(file),
                    rows=rows.get(file.shown),
                    first=None,
                    last=None,
                    size=file.path.stat().st_size,
                    sha256=sha256,
                    encoding=encoding,
                    compressed=compressed,
                    # Without a single record in any, every audit export is refused.
                    refused=file.shown in refused or file.kind == "unknown" or file in folder.audit_files,
                )
            )
    return out


def _title(file: InputFile) -> str:
    return _TITLES.get(file.kind) or next(shape.title for shape in all_shapes() if shape.kind == file.kind)


def _text_of(file: InputFile) -> tuple[str, str]:
    """Encoding and compression of a file that is text; of others only whether they are a zip archive."""
    if is_archive(file.path):
        return "", "zip"
    head = read_head(file.path)
    if file.kind in ("unknown", "document") or head.start.startswith((b"PK", b"PAR1")):
        return "", ""
    return head.encoding, head.compression


def _missing(folder: TenantFolder, settings: Settings) -> list[Missing]:
    kinds = {file.kind for file in folder.files}
    if folder.audit_files:
        kinds.add("audit-")
    missing = [
        Missing(one.input, one.needed, one.without, one.command.removeprefix("Export again with: "))
        for brought_by, one in _INPUTS
        if not kinds.intersection(brought_by) or "settings" in brought_by
    ]
    # Three commands bring the settings, and each of them what no other does.
    commands = missing_commands(settings)
    return [
        replace(one, command="; ".join(commands)) if one.input == "audit settings" else one
        for one in missing
        if one.input != "audit settings" or commands
    ]
