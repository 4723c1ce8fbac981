"""Sections as text for the terminal and as Markdown; the estimate as one long CSV."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Iterable

from tabulate import tabulate

from estimator.forecast import Spread
from estimator.pipeline import Estimate
from estimator.report.sections import Section

WIDTH = 110

_NUMBER = re.compile(r"^[<>]?-?[\d,.]+%?$")


def as_table(parts: Iterable[Section]) -> str:
    """Sections for a terminal."""
    out = []
    for part in parts:
        rule = "=" if part.level == 1 else "-"
        out.append(f"{part.title}\n{rule * len(part.title)}" if part.level < 3 else f"{part.title}:")
        out += [textwrap.fill(words, WIDTH, subsequent_indent="  ", break_long_words=False) for words in part.words]
        if part.rows:
            out.append(_tabulate(part.rows, part.headers, "simple"))
        out.append("")
    return "\n".join(out).rstrip() + "\n"


def as_markdown(parts: Iterable[Section]) -> str:
    """Sections as GitHub-flavoured Markdown."""
    out = []
    for part in parts:
        out += [f"{'#' * part.level} {part.title}", ""]
        for words in part.words:
            out += [_escape(words), ""]
        if part.rows:
            out += [_tabulate([[_escape(c) for c in row] for row in part.rows], part.headers, "github"), ""]
    return "\n".join(out).rstrip() + "\n"


def as_csv(result: Estimate) -> str:
    """Every spread of the estimate as one long table, unrounded.

    Columns: scenario, table (volume, volume_horizon, cost, cost_horizon), month, plan, feeds, operation, flow, basis,
    measure (events, gb, or a currency), mean, p10, p50, p90.
    """
    file = io.StringIO()
    write = csv.writer(file, lineterminator="\n").writerow
    write(["scenario", "table", "month", "plan", "feeds", "operation", "flow", "basis", "measure",
           "mean", "p10", "p50", "p90"])  # fmt: skip

    def spread(spread: Spread) -> list[str]:
        return [repr(spread.mean), repr(spread.p10), repr(spread.p50), repr(spread.p90)]

    for one in result.scenarios:
        name = one.scenario.id
        for table, volumes in (("volume", one.monthly), ("volume_horizon", one.horizon)):
            for v in volumes:
                start = [name, table, v.month or "", "", v.feed, v.operation, v.flow, v.basis]
                write([*start, "events", *spread(v.events)])
                write([*start, "gb", *spread(v.gb)])
        for cost in one.costs:
            bills = {"without": cost.without, "with": cost.with_, "added": cost.added}
            plan, feeds, unit = cost.plan.id, "+".join(cost.feeds), cost.plan.currency
            for flow, draws in bills.items():
                for month, row in zip(cost.months, draws, strict=True):
                    write([name, "cost", month, plan, feeds, "", flow, "", unit, *spread(Spread.of(row))])
                total = Spread.of(draws.sum(axis=0))
                write([name, "cost_horizon", "", plan, feeds, "", flow, "", unit, *spread(total)])
    return file.getvalue()


def _tabulate(rows: list[list[str]], headers: list[str], style: str) -> str:
    # Cells are formatted already: left to itself tabulate prints "450.00" as 450.
    numeric = [all(_NUMBER.match(row[n]) or not row[n] for row in rows) for n in range(len(headers))]
    align = ["right" if right else "left" for right in numeric]
    return tabulate(rows, headers, tablefmt=style, disable_numparse=True, colalign=align)


def _escape(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
