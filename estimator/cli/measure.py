"""The verb `measure`: the reduction of audit exports alone."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from estimator.cli.options import EXIT_REFUSED, Format, Memory, Output, Strict, TrueCount, tell


class Engine(StrEnum):
    """What reads audit exports."""

    duckdb = "duckdb"
    spark = "spark"


def measure(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Audit exports: files, folders, globs; - for standard input."),
    ],
    engine: Annotated[Engine, typer.Option(help="What reads them: DuckDB here, or Spark.")] = Engine.duckdb,
    master: Annotated[
        str | None, typer.Option(metavar="URL", help="Spark's master. Default: this machine, local[*].")
    ] = None,
    memory: Memory = "1GB",
    threads: Annotated[int | None, typer.Option(metavar="N", min=1, help="Threads. Default: one a core.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the counts by day, mailbox, user, operation and application too: a .csv, .parquet or .json "
            "file, read like any export. It names mailboxes and users.",
        ),
    ] = None,
    output: Output = Format.table,
    true_count: TrueCount = None,
    strict: Strict = False,
) -> None:
    """Count what audit exports hold: records, operations, mailboxes, busiest hours, and what is wrong with the files.

    Example: siem-estimator measure sample_tenants/law_firm/audit.csv.gz --out counts.csv
    """
    from estimator import measuring, progress, true_counts
    from estimator.report import measure as report

    counts = true_counts.parse(true_count or [])
    with progress.bar() as moved:
        measured = measuring.measure(
            paths,
            engine=engine.value,
            master=master,
            memory=memory,
            threads=threads,
            out=out,
            true_counts=counts,
            strict=strict,
            progress=moved,
        )
    tell(measured.findings, output)
    sys.stdout.write(report.text(measured, output.value))
    if any(finding.severity == "error" for finding in measured.findings):
        raise typer.Exit(EXIT_REFUSED)
