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

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NUMBER = re.compile(r"^[<>]?-?[\d,.]+%?$")


def as_table(parts: Iterable[Section]) -> str:
    """Sections for a terminal."""
    out = []
    for part in parts:
        rule, title = "=" if part.level == 1 else "-", _plain(part.title)
        out.append(f"{title}\n{rule * len(title)}" if part.level < 3 else f"{title}:")
        out += [
            textwrap.fill(_plain(words), WIDTH, subsequent_indent="  ", break_long_words=False) for words in part.words
        ]
        if part.rows:
            out.append(_tabulate([[_plain(c) for c in row] for row in part.rows], part.headers, "simple"))
        out.append("")
    return "\n".join(out).rstrip() + "\n"


def as_markdown(parts: Iterable[Section]) -> str:
    """Sections as GitHub-flavoured Markdown."""
    out = []
    for part in parts:
        out += [f"{'#' * part.level} {_escape(part.title)}", ""]
        for words in part.words:
            out += [_escape(words), ""]
        if part.rows:
            out += [_tabulate([[_escape(c) for c in row] for row in part.rows], part.headers, "github"), ""]
    return "\n".join(out).rstrip() + "\n"


def as_csv(result: Estimate) -> str:
    """Every spread of the estimate as one long table, unrounded.

    Columns: scenario, table (volume, volume_horizon, cost, cost_horizon, run_rate_month, case), month, plan, feeds,
    operation, flow, basis, measure (events, gb, or a currency), mean, p10, p50, p90, as_of, and of an open case its
    code and title: what is added over the horizon if it holds.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["scenario", "table", "month", "plan", "feeds", "operation", "flow", "basis", "measure",
                     "mean", "p10", "p50", "p90", "as_of", "case", "case_title"])  # fmt: skip

    def write(cells: list[str], case: str = "", title: str = "") -> None:
        words, figures = cells[:-4], cells[-4:]
        writer.writerow([*map(_no_formula, words), *figures, result.as_of, *map(_no_formula, (case, title))])

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
            added = [plan, feeds, "", "added", "", unit]
            write([name, "run_rate_month", "", *added, *spread(cost.run_rate())])
            for case in cost.cases:
                write([name, "case", "", *added, *spread(case.added)], case.code, case.title)
    return file.getvalue()


def _tabulate(rows: list[list[str]], headers: list[str], style: str) -> str:
    # Cells are formatted already: left to itself tabulate prints "450.00" as 450.
    numeric = [all(_NUMBER.match(row[n]) or not row[n] for row in rows) for n in range(len(headers))]
    align = ["right" if right else "left" for right in numeric]
    return tabulate(rows, headers, tablefmt=style, disable_numparse=True, colalign=align)


def _plain(words: str) -> str:
    """Words without control characters: names from logs and files must not steer a terminal or break a table."""
    return _CONTROL.sub(" ", words)


def _escape(words: str) -> str:
    """Words as Markdown that shows them as they stand: no HTML, no links, no pictures, no further cells."""
    return re.sub(r"[\\|\[\]]", r"\\\g<0>", _plain(words)).replace("<", "&lt;")


def _no_formula(cell: str) -> str:
    """A text cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
