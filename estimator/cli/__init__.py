"""The command line: parse, call one API function, print. The only place that reads the clock.

One module a verb; what they share is in `options`. A verb imports what it needs inside its function, when it runs.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from estimator.cli import plans
from estimator.cli.backtest import backtest
from estimator.cli.check import check
from estimator.cli.estimate import estimate
from estimator.cli.forecast import forecast
from estimator.cli.measure import measure
from estimator.cli.options import EXIT_BUG, EXIT_DONE
from estimator.cli.readiness import readiness
from estimator.cli.reconcile import reconcile
from estimator.cli.sample_size import sample_size
from estimator.errors import SiemEstimatorError

app = typer.Typer(
    name="siem-estimator",
    help="Forecast what Microsoft 365 audit events add to a SIEM, in events, GB and money, before you enable them.",
    epilog="Exit codes: 0 done; 1 over budget; 2 usage; 3 an input was refused; 4 no price in force; 70 our bug.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


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
    """Options before the verb."""


for verb in (estimate, forecast, backtest, check, measure, readiness, sample_size, reconcile):
    app.command()(verb)
app.add_typer(plans.app, name="plans")


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
