"""Who emits, who will, and why not the others, as `readiness` prints it. Computes nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator

import pandas as pd

from estimator.catalog.causes import causes
from estimator.inventory.words import counted
from estimator.mending import empty
from estimator.readiness import STATES
from estimator.readiness.tenant import Count, TenantReadiness
from estimator.report.layout import Section, as_markdown, as_table, findings_section, no_formula

#: Lines of the list on a terminal; CSV and JSON have all of it.
_LINES = 60
_COLUMNS = ["mailbox", "kind", "audit_tier", "operation", "state", "cause", "reason"]
#: The states in the order in which somebody wants to look at mailboxes.
_FIRST = ("blocked", "unknown", "will_emit", "emitting", "not_applicable")


def text(found: TenantReadiness, form: str, named: Callable[[str], str] = str) -> str:
    """The verdicts in one of the formats, ending in a line break; `named` may replace the mailboxes' names."""
    if form == "json":
        return _json(found, named)
    if form == "csv":
        return _csv(found, named)
    return as_markdown(_sections(found, named)) if form == "markdown" else as_table(_sections(found, named))


def _csv(found: TenantReadiness, named: Callable[[str], str]) -> str:
    """One row a mailbox and operation."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(zip(*_cells(found, named, no_formula), strict=True))
    return file.getvalue()


def _json(found: TenantReadiness, named: Callable[[str], str]) -> str:
    """`TenantReadiness.to_json`, a mailbox and operation a line: of 100,000 mailboxes they are many."""

    def quoted(word: str) -> str:
        return json.dumps(word, ensure_ascii=False)

    head = json.dumps(found.head_json(), indent=2, ensure_ascii=False).removesuffix("\n}")
    line = "    {" + ", ".join(f'"{name}": %s' for name in _COLUMNS) + "}"
    lines = ",\n".join(line % cells for cells in zip(*_cells(found, named, quoted), strict=True))
    return f'{head},\n  "mailboxes": [{chr(10) if lines else ""}{lines}\n  ]\n}}\n'


def _cells(found: TenantReadiness, named: Callable[[str], str], written: Callable[[str], str]) -> list[list[str]]:
    """The columns of the list; each name and word stands in many rows, and is written once."""
    columns = []
    for name in _COLUMNS:
        codes, words = pd.factorize(found.table[name])
        shown = [written(named(word) if name == "mailbox" else word) for word in words]
        columns.append([shown[code] for code in codes.tolist()])
    return columns


def _sections(found: TenantReadiness, named: Callable[[str], str]) -> Iterator[Section]:
    yield _head(found)
    yield _states(found)
    yield _reasons(found)
    if found.scenario is not None:
        yield _mending(found)
    if found.elsewhere:
        yield _elsewhere(found)
    if found.findings:
        yield findings_section(found.findings)
    yield _list(found, named)


def _head(found: TenantReadiness) -> Section:
    boxes = found.tenant.inventory.mailboxes
    kinds = ", ".join(f"{n:,} {_plain(str(kind))}" for kind, n in boxes["kind"].value_counts().items())
    tiers = ", ".join(f"{n:,} {tier}" for tier, n in boxes["audit_tier"].value_counts().items())
    judged = "as things stand today" if found.scenario is None else f"under “{found.scenario.title}”"
    words = [
        f"{counted(len(boxes), 'mailbox', 'mailboxes')} ({kinds}; licences: {tiers}), as of {found.as_of}, {judged}."
    ]
    sample = found.tenant.sample
    words.append(
        "There is no audit sample, so nothing is observed: what the settings switch on is `unknown`, not `emitting`."
        if sample is None
        else f"Audit sample of {sample.first} to {sample.last}, {sample.distinct:,} records."
    )
    return Section("Readiness", level=1, words=words)


def _states(found: TenantReadiness) -> Section:
    """How many mailboxes are in which state, a row an operation."""
    counts: dict[str, dict[str, int]] = {key: {} for key in found.operations}
    for line in found.summary():
        counts[line.operation][line.state] = counts[line.operation].get(line.state, 0) + line.mailboxes
    states = [state for state in STATES if any(state in row for row in counts.values())]
    rows = [[key, *(f"{row.get(state, 0):,}" for state in states)] for key, row in counts.items()]
    return Section("Mailboxes by state", headers=["operation", *(_plain(s) for s in states)], rows=rows)


def _reasons(found: TenantReadiness) -> Section:
    """Why: a row a state and cause, with the operations it holds for."""
    table = found.table
    boxes = table.groupby(["state", "cause"], sort=False)["mailbox"].nunique()
    each: dict[tuple[str, str], list[Count]] = {}
    for line in found.summary():
        each.setdefault((line.state, line.cause), []).append(line)
    rows = []
    for (state, cause), lines in sorted(each.items(), key=lambda item: (STATES.index(item[0][0]), item[0][1])):
        alike = len({line.mailboxes for line in lines}) == 1
        names = ", ".join(_short([line.operation]) + ("" if alike else f" {line.mailboxes:,}") for line in lines)
        everything = alike and len(lines) == len(found.operations) and len(lines) > 1
        rows.append([_plain(state), lines[0].why, f"{boxes[state, cause]:,}", "all of them" if everything else names])
    return Section("Why", words=_waiting(found), headers=["state", "why", "mailboxes", "operations"], rows=rows)


def _waiting(found: TenantReadiness) -> list[str]:
    """That some mailboxes are blocked only because nobody switches them on: readers take `blocked` for a wall."""
    table = found.table
    count = int(table.loc[(table["state"] == "blocked") & table["mendable"], "mailbox"].nunique())
    if not count:
        return []
    boxes = counted(count, "mailbox is", "mailboxes are")
    why = "this looks at today alone" if found.scenario is None else "the scenario does not enable them there"
    return [f"{boxes} blocked for some operations by settings that a script can change; {why}."]


def _mending(found: TenantReadiness) -> Section:
    plan = found.plan
    words = []
    if plan.organisation.enable_auditing:
        words.append("Switch mailbox auditing on for the organisation (AuditDisabled is True).")
    if plan.organisation.enable_unified_log:
        words.append("Switch the unified audit log on (UnifiedAuditLogIngestionEnabled is False).")
    if empty(plan):
        words.append("No script is needed: nothing that the scenario enables waits for a setting.")
    else:
        words.append("`--script FILE.ps1` writes what does it, and what undoes it beside; look at both before you run.")
    words += [f"No script can mend {count:,} of its mailboxes: {reason}." for reason, count in plan.not_mended.items()]
    rows = []
    for wave in plan.waves:
        mine = [mend for mend in plan.mends if mend.wave == wave.number]
        rows.append(
            [
                f"{wave.number}",
                str(wave.on or ""),
                f"{wave.mailboxes:,}",
                f"{sum(bool(mend.add) for mend in mine):,}",
                f"{sum(mend.enable_audit for mend in mine):,}",
                f"{sum(mend.lift_bypass for mend in mine):,}",
            ]
        )
    headers = ["wave", "from", "mailboxes", "audit set to extend", "AuditEnabled to set", "bypass to lift"]
    return Section("To be mended for the scenario", words=words, headers=headers, rows=rows)


def _elsewhere(found: TenantReadiness) -> Section:
    by: dict[str, list[str]] = {}
    for key, ruling in found.elsewhere.items():
        by.setdefault(causes()[ruling.causes[0]].title, []).append(key)
    words = [f"{why[0].upper()}{why[1:]}: {', '.join(keys)}." for why, keys in by.items()]
    return Section("Not a matter of mailboxes", words=words)


def _list(found: TenantReadiness, named: Callable[[str], str]) -> Section:
    """The mailboxes that want looking at first: a line for each mailbox, state and cause, its operations together."""
    table, keys = found.table, ["mailbox", "state", "cause"]
    count = int((~table.duplicated(keys)).sum())
    lines: dict[tuple[str, str, str], tuple[list[str], list[str]]] = {}
    for state in _FIRST:
        mine = table[table["state"] == state].sort_values("mailbox", kind="stable")
        days = mine["since"].dt.strftime("%Y-%m-%d").fillna("")
        columns = [mine[name] for name in ("mailbox", "cause", "operation", "kind", "audit_tier")]
        for mailbox, cause, operation, kind, tier, day in zip(*columns, days, strict=True):
            key = (mailbox, state, cause)
            if key not in lines:
                if len(lines) == _LINES:
                    break
                lines[key] = ([_plain(kind), tier, _plain(state), day], [])
            lines[key][1].append(operation)
    rows = [
        [named(mailbox), *cells, causes()[cause].title, _short(operations)]
        for (mailbox, _, cause), (cells, operations) in lines.items()
    ]
    said = f"The first {len(rows):,} of {count:,} lines; --format csv or json prints all of them."
    headers = ["mailbox", "kind", "licence", "state", "from", "why", "operations"]
    return Section("Mailboxes", words=[said] if count > len(rows) else [], headers=headers, rows=rows)


def _plain(word: str) -> str:
    """A word of the tables as people read it."""
    return word.replace("_", " ")


def _short(operations: list[str]) -> str:
    """The operations' names without their workload: no two mailbox operations share one."""
    return ", ".join(key.partition("/")[2] for key in operations)
