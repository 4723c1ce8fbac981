"""What verbs share: exit codes, options that mean the same everywhere, and how findings and progress are told."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from estimator.findings import Finding

EXIT_DONE, EXIT_LIMIT, EXIT_USAGE, EXIT_REFUSED, EXIT_BUG = 0, 1, 2, 3, 70


class Format(StrEnum):
    """How the result is printed."""

    table = "table"
    markdown = "markdown"
    csv = "csv"
    json = "json"


Output = Annotated[Format, typer.Option("--format", help="How to print the result.")]
AsOf = Annotated[
    dt.datetime | None,
    typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="Day of the estimate, such as 2026-11-23. Default: today."),
]
Memory = Annotated[
    str, typer.Option(metavar="SIZE", help="Memory for reading audit exports, such as 512MB; beyond it disk is used.")
]
TrueCount = Annotated[
    list[str] | None,
    typer.Option(
        "--true-count",
        metavar="N|FILE=N",
        help="The total the portal shows for an export that was cut; its records then stand for all N. May be repeated "
        "with FILE.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first file that is refused.")]


def day_of(as_of: dt.datetime | None) -> dt.date:
    """The day of the estimate: the one given, else today."""
    return (as_of or dt.datetime.now(tz=dt.UTC)).date()


def tell(findings: Iterable[Finding], output: Format) -> None:
    """Refusals on stderr; the codes of warnings too where the format has no room for findings."""
    for finding in findings:
        if finding.severity == "error":
            print(f"error: {finding.message}", file=sys.stderr)
    if output is Format.csv:
        for code in dict.fromkeys(finding.code for finding in findings if finding.severity == "warning"):
            print(f"warning: {code}", file=sys.stderr)


def progress(step: str) -> None:
    """Say on a terminal what is being done."""
    if sys.stderr.isatty():
        print(f"{step} …", file=sys.stderr)
