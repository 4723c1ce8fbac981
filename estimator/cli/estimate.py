"""The verb `estimate`: the main job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from estimator.cli.options import (
    EXIT_LIMIT,
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


def estimate(
    tenant: Annotated[Path, typer.Argument(metavar="TENANT", help="Folder that holds the tenant's exports.")],
    scenario: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Scenario file; may be repeated. Default: the TOML files in the folder, else everything enabled and "
            "connected for 12 months.",
        ),
    ] = None,
    plan: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID|FILE", help="Price table, by id or file; may be repeated. Replaces the scenario's plans."
        ),
    ] = None,
    plans_dir: Annotated[list[Path] | None, typer.Option(metavar="DIR", help="Folder of further price tables.")] = None,
    as_of: AsOf = None,
    output: Output = Format.table,
    chart: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the added cost by month: a .png or .svg file.")
    ] = None,
    draws: Annotated[int, typer.Option(metavar="N", min=200, max=20_000, help="Number of draws, 200 to 20000.")] = 2000,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of every random number.")] = 0,
    memory: Memory = "1GB",
    true_count: TrueCount = None,
    strict: Strict = False,
) -> None:
    """Forecast and price what the scenarios add: volumes per feed, operation and month; cost without, with, added.

    Example: siem-estimator estimate sample_tenants/law_firm --chart added-cost.png
    """
    from estimator import true_counts
    from estimator.pipeline import estimate as run
    from estimator.report import render

    counts = true_counts.parse(true_count or [])
    if chart is not None:
        render.check_chart(chart)
    result = run(
        tenant,
        scenarios=scenario or [],
        plans=plan or [],
        plans_dirs=plans_dir or [],
        as_of=day_of(as_of),
        draws=draws,
        seed=seed,
        memory=memory,
        true_counts=counts,
        strict=strict,
        progress=progress,
    )
    tell(result.findings, output)
    if chart is not None:
        render.chart(result, chart)
    sys.stdout.write(render.text(result, output.value))
    if result.refused:
        raise typer.Exit(EXIT_REFUSED)
    if result.beyond_budget:
        print("over budget: see the cost table", file=sys.stderr)
        raise typer.Exit(EXIT_LIMIT)
