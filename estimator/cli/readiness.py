"""The verb `readiness`: which mailbox emits what and why not, and the scripts that mend it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from estimator.cli.options import EXIT_REFUSED, AsOf, Format, Memory, Output, Strict, TrueCount, day_of, progress, tell


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
        as_of=day_of(as_of),
        memory=memory,
        true_counts=counts,
        strict=strict,
        progress=progress,
    )
    named = pseudonyms(_pseudonym_key()) if pseudonymise else str
    tell(found.findings, output)
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
