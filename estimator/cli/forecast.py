"""The verb `forecast`: volumes without prices."""

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


def forecast(
    tenant: Annotated[Path, typer.Argument(metavar="TENANT", help="Folder that holds the tenant's exports.")],
    scenario: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Scenario file; may be repeated. Default: the TOML files in the folder, else everything enabled and "
            "connected for 12 months.",
        ),
    ] = None,
    as_of: AsOf = None,
    output: Output = Format.table,
    draws: Annotated[int, typer.Option(metavar="N", min=200, max=20_000, help="Number of draws, 200 to 20000.")] = 2000,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of every random number.")] = 0,
    memory: Memory = "1GB",
    true_count: TrueCount = None,
    strict: Strict = False,
) -> None:
    """Forecast volumes alone: events and GB that flow already, that are added and saved, by feed, operation and month.

    Example: siem-estimator forecast sample_tenants/law_firm --format csv
    """
    from estimator import true_counts
    from estimator.forecasting import forecast_of as run
    from estimator.report import forecast as report

    counts = true_counts.parse(true_count or [])
    result = run(
        tenant,
        scenarios=scenario or [],
        as_of=day_of(as_of),
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
