"""The verb `sample-size`: how many mailboxes to sample, of which classes, for how many days."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from estimator.cli.options import (
    EXIT_REFUSED,
    AsOf,
    Format,
    Memory,
    Output,
    Strict,
    TrueCount,
    day_of,
    progress,
    tell,
)


def sample_size(
    tenant: Annotated[Path, typer.Argument(metavar="TENANT", help="Folder that holds the tenant's exports.")],
    within: Annotated[
        str,
        typer.Option(
            metavar="PERCENT",
            help="Wished precision: the added events come within so much of the forecast in 8 of 10 cases; 1% to 100%.",
        ),
    ] = "20%",
    operation: Annotated[
        str, typer.Option(metavar="OPERATION", help="Whose added events, such as Exchange/MailItemsAccessed.")
    ] = "Exchange/MailItemsAccessed",
    listed: Annotated[
        Path | None,
        typer.Option(
            "--list",
            metavar="FILE.csv",
            help="Write the mailboxes to sample, drawn at random from each class. It names mailboxes.",
        ),
    ] = None,
    as_of: AsOf = None,
    output: Output = Format.table,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of every random number, the list's too.")] = 0,
    memory: Memory = "1GB",
    true_count: TrueCount = None,
    strict: Strict = False,
) -> None:
    """Say how many mailboxes of which classes to sample, and for how many days, for a forecast of a wished precision.

    Example: siem-estimator sample-size sample_tenants/law_firm --within 20%
    """
    from estimator import true_counts
    from estimator.operations import operation_key
    from estimator.report import sample_size as report
    from estimator.sample_size import sample_size_of as run
    from estimator.sample_size import share_of

    counts, share = true_counts.parse(true_count or []), share_of(within)
    result = run(
        tenant,
        within=share,
        operation=operation_key(*operation.split("/", 1)) if "/" in operation else operation,
        as_of=day_of(as_of),
        seed=seed,
        memory=memory,
        true_counts=counts,
        strict=strict,
        progress=progress,
    )
    tell(result.findings, output)
    if listed is not None:
        result.write_list(listed)
        print(f"written: {listed}", file=sys.stderr)
    sys.stdout.write(report.text(result, output.value))
    if result.refused:
        raise typer.Exit(EXIT_REFUSED)
