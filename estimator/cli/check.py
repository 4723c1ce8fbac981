"""The verb `check`: what each file of a tenant folder was taken for, and what is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from estimator.cli.options import EXIT_REFUSED, AsOf, Format, Memory, Output, TrueCount, day_of, tell


def check(
    tenant: Annotated[Path, typer.Argument(metavar="TENANT", help="Folder that holds the tenant's exports.")],
    as_of: AsOf = None,
    output: Output = Format.table,
    memory: Memory = "1GB",
    true_count: TrueCount = None,
) -> None:
    """Say what each file of a tenant folder was taken for, what is missing and how to get it, and what is doubtful.

    Example: siem-estimator check sample_tenants/law_firm
    """
    from estimator import progress, true_counts
    from estimator.checkup import check as run
    from estimator.report import check as report

    counts = true_counts.parse(true_count or [])
    with progress.bar() as moved:
        found = run(tenant, as_of=day_of(as_of), memory=memory, true_counts=counts, progress=moved)
    tell(found.findings, output)
    if output is Format.csv:
        for missing in found.missing:
            print(f"missing: {missing.input} ({missing.needed})", file=sys.stderr)
    sys.stdout.write(report.text(found, output.value))
    if found.refused:
        raise typer.Exit(EXIT_REFUSED)
