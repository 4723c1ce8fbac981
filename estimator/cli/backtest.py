"""The verb `backtest`: how far off the forecast is on the tenant's own sample."""

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


def backtest(
    tenant: Annotated[Path, typer.Argument(metavar="TENANT", help="Folder that holds the tenant's exports.")],
    folds: Annotated[
        int, typer.Option(metavar="N", min=2, max=20, help="Parts the emitting mailboxes are split into, 2 to 20.")
    ] = 5,
    as_of: AsOf = None,
    output: Output = Format.table,
    draws: Annotated[int, typer.Option(metavar="N", min=200, max=20_000, help="Draws of each trial.")] = 500,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of every random number.")] = 0,
    memory: Memory = "1GB",
    true_count: TrueCount = None,
    strict: Strict = False,
) -> None:
    """Hide mailboxes and days of the sample, forecast them from the rest, and say how far off that was.

    Example: siem-estimator backtest sample_tenants/town
    """
    from estimator import true_counts
    from estimator.backtest import backtest_of as run
    from estimator.report import backtest as report

    counts = true_counts.parse(true_count or [])
    result = run(
        tenant,
        as_of=day_of(as_of),
        folds=folds,
        draws=draws,
        seed=seed,
        memory=memory,
        true_counts=counts,
        strict=strict,
        progress=progress,
    )
    tell(result.findings, output)
    sys.stdout.write(report.text(result, output.value))
    if result.refused:
        raise typer.Exit(EXIT_REFUSED)
