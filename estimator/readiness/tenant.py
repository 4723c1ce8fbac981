"""The verb `readiness`: of a tenant folder, who emits, who will, why not the others, and the scripts that mend it."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, cast

import pandas as pd

from estimator import catalog, tables
from estimator.catalog.causes import causes
from estimator.errors import ScenarioError, UsageError
from estimator.files import write_whole
from estimator.findings import Finding, distinct
from estimator.folder import read_folder
from estimator.inventory.words import counted
from estimator.mending import MendingPlan, is_quotable, unquotable, write_rollback, write_runbook, write_script
from estimator.readiness.judge import STATES, Readiness, will_emit
from estimator.readiness.mends import plan_mending
from estimator.readiness.rules import Ruling, rule
from estimator.scenario import (
    DEFAULT_SCENARIO,
    NEWLY_AVAILABLE,
    Enabled,
    Scenario,
    default_scenario,
    enabled,
    enabled_operations,
)
from estimator.scenarios import scenarios_of
from estimator.tenant import Tenant, read_tenant, stop_at_errors

#: What `--scenario` takes to judge today alone.
TODAY = "none"
ALL = "all"


class Count(NamedTuple):
    """One line of the summary: mailboxes of one operation, state and cause; `why` is the cause in a few words."""

    operation: str
    state: str
    cause: str
    why: str
    mailboxes: int


@dataclass(frozen=True)
class TenantReadiness:
    """The verdicts on a tenant.

    Attributes:
        tenant: what the folder holds.
        scenario: the scenario under which they are judged; None for today alone.
        scenario_name: what messages call it.
        as_of: the day of the run.
        operations: the mailbox operations in the list.
        elsewhere: the operations asked for that no mailbox setting switches, with what is said of them.
        readiness: all verdicts, under the scenario.
        enabled: what the scenario enables.
        findings: what is wrong or doubtful.
    """

    tenant: Tenant
    scenario: Scenario | None
    scenario_name: str
    as_of: dt.date
    operations: tuple[str, ...]
    elsewhere: Mapping[str, Ruling]
    readiness: Readiness
    enabled: list[Enabled]
    findings: list[Finding]

    @property
    def refused(self) -> bool:
        """Whether some file of the folder was refused."""
        return self.tenant.refused

    @cached_property
    def table(self) -> pd.DataFrame:
        """The list: `tables.READINESS`, of the operations asked for."""
        table = self.readiness.table
        return table[table["operation"].isin(self.operations)].reset_index(drop=True)

    def summary(self) -> list[Count]:
        """Mailboxes by operation, state and cause: operations as they were asked for, states from good to bad."""
        counts = self.table.groupby(["operation", "state", "cause"], sort=False).size()
        lines = [
            Count(operation, state, cause, causes()[cause].title, int(count))
            for (operation, state, cause), count in cast(dict[tuple[str, str, str], int], counts.to_dict()).items()
        ]
        order = {name: number for number, name in enumerate((*self.operations, *STATES))}
        return sorted(lines, key=lambda c: (order[c.operation], order[c.state], -c.mailboxes, c.why))

    @cached_property
    def plan(self) -> MendingPlan:
        """What there is to be mended so that the scenario comes true.

        Raises:
            UsageError: it was judged without a scenario.
        """
        if self.scenario is None:
            raise UsageError(
                "--script and --runbook mend what a scenario enables, and there is none",
                mend=f"Leave out --scenario {TODAY}, or name a scenario file.",
            )
        mine = [part for part in self.enabled if part.operation in self.operations]
        return plan_mending(self.readiness, mine, self.tenant.inventory, self.scenario.title, self.as_of)

    def head_json(self) -> dict[str, Any]:
        """The JSON contract `siem-estimator/readiness/1` without the list of mailboxes."""
        return {
            "schema": "siem-estimator/readiness/1",
            "version": version("siem-estimator"),
            "as_of": self.as_of.isoformat(),
            "scenario": None if self.scenario is None else self.scenario.id,
            "tenant": {"mailboxes": len(self.tenant.inventory.mailboxes)},
            "inputs": self.tenant.inputs(),
            "findings": [finding.to_json() for finding in self.findings],
            "operations": list(self.operations),
            "not_by_mailbox": [
                {"operation": key, "cause": one.causes[0], "reason": one.reason} for key, one in self.elsewhere.items()
            ],
            "summary": [line._asdict() for line in self.summary()],
        }

    def to_json(self) -> dict[str, Any]:
        """The JSON contract `siem-estimator/readiness/1`."""
        rows = self.table[tables.READINESS.names].to_dict("records")
        return {**self.head_json(), "mailboxes": rows}

    def write_scripts(self, script: Path | None, runbook: Path | None) -> list[Path]:
        """Write the mending script, the rollback beside it (`NAME.rollback.ps1`), and the weekly runbook.

        Returns:
            The files written.

        Raises:
            UsageError: a name does not end in .ps1, two are one file, or there is no scenario.
            OutputError: a file cannot be written.
        """
        check_scripts(script, runbook)
        wanted: dict[Path, Callable[[MendingPlan], str]] = {}
        if script is not None:
            wanted |= {script: write_script, rollback_of(script): write_rollback}
        if runbook is not None:
            wanted[runbook] = write_runbook
        for path, write in wanted.items():
            write_whole(path, write(self.plan).encode())
        return list(wanted)


def readiness_of(
    tenant: Path | str,
    *,
    scenario: Path | str | None = None,
    operations: Sequence[str] = (),
    as_of: dt.date,
    memory: str = "1GB",
    true_counts: Mapping[str | None, int] | None = None,
    strict: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> TenantReadiness:
    """Judge the mailboxes of a tenant folder.

    Args:
        tenant: the folder that holds the exports.
        scenario: a scenario file, or `none` for today alone. By default the scenario in the folder, the first of
            several; without any, the default scenario, which enables the newly available operations everywhere.
        operations: keys, `newly-available` or `all`; by default the newly available ones.
        as_of: the day of the run; nothing here reads the clock.
        memory: DuckDB's memory limit while it reads the audit sample.
        true_counts: the portal's total of audit exports that were cut, by file; None is the one that was cut.
        strict: whether a file that is refused stops the run.
        progress: told what is being done.

    Raises:
        SiemEstimatorError: an input cannot be used; its class and text say which and how to mend it.
    """
    folder = read_folder(Path(tenant))
    if strict:
        stop_at_errors(folder.findings(), folder.root)
    listed, elsewhere_keys = _asked(operations)
    doubts: list[Finding] = []
    name, story = DEFAULT_SCENARIO, None
    if scenario != TODAY:
        stories = scenarios_of(folder, [] if scenario is None else [scenario])
        name, story = stories[0] if stories else (DEFAULT_SCENARIO, default_scenario(as_of, list(catalog.feeds())))
        if len(stories) > 1:
            doubts.append(
                Finding(
                    "scenario_chosen",
                    "info",
                    f"{len(stories)} scenarios lie in the folder; the verdicts are under {name}. Name another with "
                    "--scenario.",
                )
            )
    enables = [] if story is None else enabled_operations(story)
    judged_for = dict.fromkeys([*listed, *(k for k in enables if catalog.operation(k).mailbox_action is not None)])
    found = read_tenant(
        folder,
        memory=memory,
        true_counts=true_counts,
        operations=list(judged_for),
        strict=strict,
        progress=progress,
    )
    parts = [] if story is None else _enabled(story, found, name)
    judged = will_emit(found.readiness, parts)
    result = TenantReadiness(
        tenant=found,
        scenario=story,
        scenario_name=name,
        as_of=as_of,
        operations=tuple(listed),
        elsewhere={key: rule(key, {"kind": "user"}, found.inventory.settings) for key in elsewhere_keys},
        readiness=judged,
        enabled=parts,
        findings=distinct([*found.findings, *doubts]),
    )
    # The plan is large, and no name that is fit for a script needs it.
    unfit = story is not None and not all(map(is_quotable, found.inventory.mailboxes["mailbox"].tolist()))
    if unfit and (strange := unquotable(result.plan)):
        result.findings.append(
            Finding(
                "mailbox_not_scripted",
                "warning",
                f"{counted(len(strange), 'mailbox has', 'mailboxes have')} control or invisible characters in the "
                "name; no script may hold "
                "such a name, so --script leaves them out. Change them by hand.",
            )
        )
    return result


def _enabled(story: Scenario, found: Tenant, name: str) -> list[Enabled]:
    """What the scenario enables.

    Raises:
        ScenarioError: a `where` matches nothing.
    """
    try:
        return enabled(story, found.inventory.mailboxes, name)
    except ScenarioError as error:
        if error.path is not None:
            raise
        raise ScenarioError(error.found, path=name, place=error.place, expected=error.expected) from error


def _asked(operations: Sequence[str]) -> tuple[list[str], list[str]]:
    """Operations whose mailboxes are listed, and those that no mailbox setting switches.

    Of those asked for by name every mailbox is listed, whatever they are.
    """
    listed: dict[str, None] = {}
    elsewhere: dict[str, None] = {}
    for name in operations or (NEWLY_AVAILABLE,):
        if name in (NEWLY_AVAILABLE, ALL):
            group = catalog.newly_available() if name == NEWLY_AVAILABLE else list(catalog.operations())
            for key in group:
                (elsewhere if catalog.operation(key).mailbox_action is None else listed)[key] = None
        else:
            listed[catalog.operation(name).id] = None
    return list(listed), [key for key in elsewhere if key not in listed]


def pseudonyms(key: bytes) -> Callable[[str], str]:
    """What stands for a mailbox's name: the same for the same name and key, and nobody's without the key.

    HMAC-SHA256 of the lower-cased name, 16 hex digits of it.
    """

    def named(mailbox: str) -> str:
        return "mailbox-" + hmac.new(key, mailbox.lower().encode(), hashlib.sha256).hexdigest()[:16]

    return named


def rollback_of(script: Path) -> Path:
    """Where the rollback of a script is written."""
    return script.with_name(f"{script.stem}.rollback{script.suffix}")


def check_scripts(script: Path | None, runbook: Path | None) -> None:
    """Refuse names of scripts before anything is read.

    Raises:
        UsageError: a name does not end in .ps1, or two are one file.
    """
    for path, option in ((script, "--script"), (runbook, "--runbook")):
        if path is not None and path.suffix.lower() != ".ps1":
            raise UsageError(f"{option} {path}: {path.suffix or 'no ending'} is no PowerShell script", expected=".ps1")
    if script is not None and runbook in (script, rollback_of(script)):
        raise UsageError(f"--runbook {runbook} is what --script writes", mend="Give it another name.")
