"""A tenant folder read as a whole: its files, inventory, audit sample and readiness, for every verb that needs them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from estimator import audit
from estimator.audit import Reduction
from estimator.audit.doctor import broken_days
from estimator.errors import AuditExportError, TenantFolderError
from estimator.findings import Finding, below
from estimator.folder import TenantFolder
from estimator.inventory import INVENTORY_KINDS, Inventory, read_inventory
from estimator.readiness import Readiness, judge
from estimator.true_counts import of_folder


@dataclass(frozen=True)
class Tenant:
    """What a tenant folder holds.

    Attributes:
        folder: its files.
        inventory: mailboxes, licences, activity, settings.
        sample: the audit sample, its subjects and principals under the names of the inventory; None without one.
        readiness: the verdicts of today.
        findings: what is wrong or doubtful in all of it.
    """

    folder: TenantFolder
    inventory: Inventory
    sample: Reduction | None
    readiness: Readiness
    findings: list[Finding]

    @property
    def reduction(self) -> pd.DataFrame | None:
        """The counts of the sample, `tables.REDUCTION`."""
        return None if self.sample is None else self.sample.table

    @cached_property
    def broken_days(self) -> list[dt.date]:
        """Days of the sample that rates leave out."""
        return [] if self.sample is None else broken_days(self.sample.hours)

    @property
    def refused(self) -> bool:
        """Whether some file of the folder was refused."""
        return any(finding.severity == "error" for finding in self.findings)

    @property
    def rows(self) -> dict[str, int]:
        """Rows or records read of each input file, by its path below the tenant folder; of an archive, of all in it."""
        read: Counter[Path] = Counter()
        for file in self.sample.files if self.sample is not None else ():
            read[file.path] += file.read
        return {**self.inventory.rows, **{f.shown: read[f.path] for f in self.folder.files if f.path in read}}

    def inputs(self) -> list[dict[str, object]]:
        """The files as the JSON contracts list them."""
        rows = self.rows
        return [
            {"path": f.shown, "kind": f.kind, "rows": rows.get(f.shown), "sha256": f.sha256()}
            for f in self.folder.files
        ]


def read_tenant(
    folder: TenantFolder,
    *,
    memory: str = "1GB",
    true_counts: Mapping[str | None, int] | None = None,
    operations: Sequence[str] | None = None,
    strict: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Tenant:
    """Read the files of a tenant folder, and judge its mailboxes.

    Args:
        folder: see `read_folder`.
        memory: DuckDB's memory limit while it reads the audit sample.
        true_counts: the portal's total of audit exports that were cut, by file below the folder; None is the one that
            was cut.
        operations: for which operations mailboxes are judged; by default all that a mailbox action switches.
        strict: whether a file that is refused stops the run.
        progress: told what is being done.

    Raises:
        SiemEstimatorError: an input cannot be used; its class and text say which and how to mend it.
    """
    findings = folder.findings()
    if strict:
        stop_at_errors(findings, folder.root)
    totals = of_folder(true_counts, folder) if true_counts else None
    progress("reading inventories")
    inventory = read_inventory({kind: [(f.path, f.shown) for f in folder.of_kind(kind)] for kind in INVENTORY_KINDS})
    findings += inventory.findings
    if strict:
        stop_at_errors(findings, folder.root)
    sample = None
    if folder.audit_files:
        progress("reading the audit sample")
        try:
            sample = audit.reduce([file.path for file in folder.audit_files], memory=memory, true_counts=totals)
            findings += below(sample.findings, folder.root)
        except AuditExportError as error:
            findings += below([Finding("sample_empty", "error", str(error))], folder.root)
        if strict:
            stop_at_errors(findings, folder.root)
    if sample is None:
        findings.append(
            Finding(
                "no_sample",
                "warning",
                "there is no audit sample: the forecast stands on published and derived rates and is wide. Export two "
                "weeks from the Purview portal (Audit, New search, Export) into the folder.",
            )
        )
    else:
        sample = under_inventory_names(sample, inventory)
    readiness = judge(inventory, None if sample is None else sample.table, operations)
    return Tenant(folder, inventory, sample, readiness, findings + readiness.findings)


def stop_at_errors(findings: Sequence[Finding], root: Path) -> None:
    """Raise the first finding that is an error.

    Raises:
        TenantFolderError: there is one.
    """
    for finding in findings:
        if finding.severity == "error":
            raise TenantFolderError(finding.message, path=root)


def under_inventory_names(sample: Reduction, inventory: Inventory) -> Reduction:
    """The sample with mailboxes under the inventory's names, where it calls them by an alias or a former UPN."""
    names, table = inventory.canonical, sample.table
    if not names:
        return sample
    renamed = {}
    for column in ("subject", "principal"):
        values = table[column]
        known = values.map({name: names[name] for name in values.unique() if name in names})
        renamed[column] = values.where(known.isna(), known).astype("str")
    return replace(sample, table=table.assign(**renamed))
