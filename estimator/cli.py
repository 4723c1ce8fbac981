"""The command line: parse, call one API function, print. The only place that reads the clock."""

from __future__ import annotations

import datetime as dt
import io
import os
import sys
import traceback
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from estimator.errors import SiemEstimatorError

EXIT_DONE, EXIT_LIMIT, EXIT_USAGE, EXIT_REFUSED, EXIT_BUG = 0, 1, 2, 3, 70

app = typer.Typer(
    name="siem-estimator",
    help="Forecast what Microsoft 365 audit events add to a SIEM, in events, GB and money, before you enable them.",
    epilog="Exit codes: 0 done; 1 over budget; 2 usage; 3 an input was refused; 4 no price in force; 70 our bug.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class Format(StrEnum):
    """How the result is printed."""

    table = "table"
    markdown = "markdown"
    csv = "csv"
    json = "json"


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"siem-estimator {version('siem-estimator')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Options before the verb; also what keeps `estimate` a verb although it is the only one so far."""


@app.command()
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
    as_of: Annotated[
        dt.datetime | None,
        typer.Option(
            metavar="DATE", formats=["%Y-%m-%d"], help="Day of the estimate, such as 2026-11-23. Default: today."
        ),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.table,
    chart: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the added cost by month: a .png or .svg file.")
    ] = None,
    draws: Annotated[int, typer.Option(metavar="N", min=200, max=20_000, help="Number of draws, 200 to 20000.")] = 2000,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of every random number.")] = 0,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first file that is refused.")] = False,
) -> None:
    """Forecast and price what the scenarios add: volumes per feed, operation and month; cost without, with, added.

    Example: siem-estimator estimate sample_tenants/law_firm --chart added-cost.png
    """
    from estimator.pipeline import estimate as run
    from estimator.report import render

    if chart is not None:
        render.check_chart(chart)
    result = run(
        tenant,
        scenarios=scenario or [],
        plans=plan or [],
        plans_dirs=plans_dir or [],
        as_of=(as_of or dt.datetime.now(tz=dt.UTC)).date(),
        draws=draws,
        seed=seed,
        strict=strict,
        progress=_progress,
    )
    for finding in result.findings:
        if finding.severity == "error":
            print(f"error: {finding.message}", file=sys.stderr)
    if output is Format.csv:  # the one format without room for findings
        for code in dict.fromkeys(finding.code for finding in result.findings if finding.severity == "warning"):
            print(f"warning: {code}", file=sys.stderr)
    if chart is not None:
        render.chart(result, chart)
    sys.stdout.write(render.text(result, output.value))
    if result.refused:
        raise typer.Exit(EXIT_REFUSED)
    if result.beyond_budget:
        print("over budget: see the cost table", file=sys.stderr)
        raise typer.Exit(EXIT_LIMIT)


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        print(f"{step} …", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. Every refusal is one message on stderr, never a traceback."""
    # Results are UTF-8 wherever they are redirected to; what a terminal cannot show is escaped and no reason to fail.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")
    try:
        app(list(arguments) if arguments is not None else None)
    except SystemExit as done:
        return int(done.code or EXIT_DONE)
    except SiemEstimatorError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        if os.environ.get("SIEM_ESTIMATOR_DEBUG"):
            raise
        where = traceback.extract_tb(error.__traceback__)[-1]
        print(
            f"error: this is a bug of siem-estimator ({type(error).__name__} in {Path(where.filename).name}:"
            f"{where.lineno}: {error}). Please report it; SIEM_ESTIMATOR_DEBUG=1 shows all of it.",
            file=sys.stderr,
        )
        return EXIT_BUG
    return EXIT_DONE
