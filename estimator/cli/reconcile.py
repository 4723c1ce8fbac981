"""The verb `reconcile`: a forecast against what came."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from estimator.cli.options import EXIT_REFUSED, Format, Memory, Output, progress, tell


def reconcile(
    forecast: Annotated[
        Path,
        typer.Argument(metavar="FORECAST.json", help="What estimate or forecast printed with --format json."),
    ],
    actuals: Annotated[
        list[Path],
        typer.Argument(
            metavar="ACTUALS...",
            help="Later audit exports of any shape, or billed volume: CSV, JSON or XLSX with day, stream or feed, gb "
            "(or gib, bytes), and optionally events and operation. Files or folders.",
        ),
    ],
    scenario: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The scenario that became true; needed where the forecast has several."),
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Whose public holidays count in parts of months, such as US."),
    ] = None,
    output: Output = Format.table,
    memory: Memory = "1GB",
) -> None:
    """Hold a forecast against what came: what was off, by how much and why, and the rest of the horizon recalibrated.

    Example: siem-estimator reconcile forecast.json billed.csv
    """
    from estimator.reconcile import reconcile_forecast as run
    from estimator.report import reconcile as report

    found = run(forecast, actuals, scenario=scenario, country=country, memory=memory, progress=progress)
    tell(found.findings, output)
    sys.stdout.write(report.text(found, output.value))
    if found.refused:
        raise typer.Exit(EXIT_REFUSED)
