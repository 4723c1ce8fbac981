"""What every report is made of: sections of words and a table, as text for the terminal and as Markdown.

Imports nothing heavy, so that a verb that only counts starts at once.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tabulate import tabulate

from estimator.findings import Finding

WIDTH = 110

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NUMBER = re.compile(r"^[<>]?-?[\d,.]+%?$")
_ORDER = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Section:
    """A heading, words under it, a table whose cells are shown as they stand, and lines to copy, never wrapped."""

    title: str
    level: int = 2
    words: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    code: list[str] = field(default_factory=list)


def findings_section(findings: Sequence[Finding]) -> Section:
    """Findings by severity, worst first; those of one severity in their order."""
    found = sorted(findings, key=lambda f: _ORDER[f.severity])
    return Section("Findings", words=[f"[{f.severity}] {f.code}{_where(f)}: {f.message}" for f in found])


def _where(finding: Finding) -> str:
    """The file of a finding in brackets, where its words do not begin with it."""
    return f" ({finding.path})" if finding.path and not finding.message.startswith(finding.path) else ""


def as_table(parts: Iterable[Section]) -> str:
    """Sections for a terminal."""
    out = []
    for part in parts:
        rule, title = "=" if part.level == 1 else "-", plain(part.title)
        out.append(f"{title}\n{rule * len(title)}" if part.level < 3 else f"{title}:")
        out += [
            textwrap.fill(plain(words), WIDTH, subsequent_indent="  ", break_long_words=False) for words in part.words
        ]
        if part.rows:
            out.append(_tabulate([[plain(c) for c in row] for row in part.rows], part.headers, "simple"))
        out += [f"    {plain(line)}" for line in part.code]
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
        if part.code:
            out += ["```", *map(plain, part.code), "```", ""]
    return "\n".join(out).rstrip() + "\n"


def _tabulate(rows: list[list[str]], headers: list[str], style: str) -> str:
    # Cells are formatted already: left to itself tabulate prints "450.00" as 450.
    numeric = [all(_NUMBER.match(row[n]) or not row[n] for row in rows) for n in range(len(headers))]
    align = ["right" if right else "left" for right in numeric]
    return tabulate(rows, headers, tablefmt=style, disable_numparse=True, colalign=align)


def plain(words: str) -> str:
    """Words without control characters: names from logs and files must not steer a terminal or break a table."""
    return _CONTROL.sub(" ", words)


def _escape(words: str) -> str:
    """Words as Markdown that shows them as they stand: no HTML, no links, no pictures, no further cells."""
    return re.sub(r"[\\|\[\]]", r"\\\g<0>", plain(words)).replace("<", "&lt;")


def no_formula(cell: str) -> str:
    """A text cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
