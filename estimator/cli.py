"""The command line: parse, call one API function, print. The only place that reads the clock."""

from __future__ import annotations

import datetime as dt
import io
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from estimator.errors import SiemEstimatorError

if TYPE_CHECKING:
    from estimator.findings import Finding

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


class Engine(StrEnum):
    """What reads audit exports."""

    duckdb = "duckdb"
    spark = "spark"


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
        as_of=_day(as_of),
        draws=draws,
        seed=seed,
        memory=memory,
        true_counts=counts,
        strict=strict,
        progress=_progress,
    )
    _tell(result.findings, output)
    if chart is not None:
        render.chart(result, chart)
    sys.stdout.write(render.text(result, output.value))
    if result.refused:
        raise typer.Exit(EXIT_REFUSED)
    if result.beyond_budget:
        print("over budget: see the cost table", file=sys.stderr)
        raise typer.Exit(EXIT_LIMIT)


@app.command()
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
        found = run(tenant, as_of=_day(as_of), memory=memory, true_counts=counts, progress=moved)
    _tell(found.findings, output)
    if output is Format.csv:
        for missing in found.missing:
            print(f"missing: {missing.input} ({missing.needed})", file=sys.stderr)
    sys.stdout.write(report.text(found, output.value))
    if found.refused:
        raise typer.Exit(EXIT_REFUSED)


@app.command()
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
    _tell(measured.findings, output)
    sys.stdout.write(report.text(measured, output.value))
    if any(finding.severity == "error" for finding in measured.findings):
        raise typer.Exit(EXIT_REFUSED)


@app.command()
def readiness(
    tenant: Annotated[Path, typer.Argument(metavar="TENANT", help="Folder that holds the tenant's exports.")],
    operation: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OPERATION",
            help="Such as Exchange/MailItemsAccessed; newly-available; all. May be repeated. Default: newly-available.",
        ),
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|none",
            help="Scenario that says what will be enabled; none: today alone. Default: the first TOML file in the "
            "folder, else everything newly available enabled everywhere.",
        ),
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.ps1",
            help="Write the PowerShell that enables what the scenario enables, wave by wave, and its rollback beside "
            "it. It CHANGES the tenant when it is run; try it with -WhatIf.",
        ),
    ] = None,
    runbook: Annotated[
        Path | None,
        typer.Option(metavar="FILE.ps1", help="Write the weekly Azure Automation runbook for new mailboxes."),
    ] = None,
    pseudonymise: Annotated[
        bool,
        typer.Option(
            "--pseudonymise",
            help="Print pseudonyms instead of mailbox names, keyed by SIEM_ESTIMATOR_PSEUDONYM_KEY; without it by a "
            "key of this run alone.",
        ),
    ] = False,
    as_of: AsOf = None,
    output: Output = Format.table,
    memory: Memory = "1GB",
    true_count: TrueCount = None,
    strict: Strict = False,
) -> None:
    """Say of every mailbox and operation whether it emits, will emit, or is blocked, and why; write what mends it.

    Example: siem-estimator readiness sample_tenants/law_firm --operation Exchange/MailItemsAccessed
    """
    from estimator import true_counts
    from estimator.readiness.tenant import check_scripts, pseudonyms
    from estimator.readiness.tenant import readiness_of as run
    from estimator.report import readiness as report

    check_scripts(script, runbook)
    counts = true_counts.parse(true_count or [])
    found = run(
        tenant,
        scenario=scenario,
        operations=operation or [],
        as_of=_day(as_of),
        memory=memory,
        true_counts=counts,
        strict=strict,
        progress=_progress,
    )
    named = pseudonyms(_pseudonym_key()) if pseudonymise else str
    _tell(found.findings, output)
    for path in found.write_scripts(script, runbook):
        print(f"written: {path}", file=sys.stderr)
    sys.stdout.write(report.text(found, output.value, named))
    if found.refused:
        raise typer.Exit(EXIT_REFUSED)


def _pseudonym_key() -> bytes:
    key = os.environ.get("SIEM_ESTIMATOR_PSEUDONYM_KEY", "")
    if key:
        return key.encode()
    import secrets

    print(
        "pseudonyms are of this run alone: SIEM_ESTIMATOR_PSEUDONYM_KEY is not set, so no two runs can be compared",
        file=sys.stderr,
    )
    return secrets.token_bytes(32)


def _day(as_of: dt.datetime | None) -> dt.date:
    return (as_of or dt.datetime.now(tz=dt.UTC)).date()


def _tell(findings: Iterable[Finding], output: Format) -> None:
    """Refusals on stderr; the codes of warnings too where the format has no room for findings."""
    for finding in findings:
        if finding.severity == "error":
            print(f"error: {finding.message}", file=sys.stderr)
    if output is Format.csv:
        for code in dict.fromkeys(finding.code for finding in findings if finding.severity == "warning"):
            print(f"warning: {code}", file=sys.stderr)


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
