"""Findings: what is wrong or doubtful in the input, what it does to the number, and what to do about it.

A finding never stops the run and is never dropped: it travels with the result into every output.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, order=True)
class Finding:
    """One remark on the input or the forecast.

    Attributes:
        code: stable, snake_case; scripts may test for it.
        severity: `info` explains, `warning` widens or shifts the number, `error` means part of the input was refused.
        message: what was seen, what it does to the number, what to do.
        path: the file it concerns, relative to the tenant folder, where there is one.
    """

    code: str
    severity: Severity
    message: str
    path: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """The finding as the JSON contract has it."""
        return asdict(self)


def distinct(findings: list[Finding]) -> list[Finding]:
    """The findings in order of first appearance, each once."""
    return list(dict.fromkeys(findings))


def below(findings: Sequence[Finding], root: Path | str) -> list[Finding]:
    """Findings with their paths below the folder `root`: outputs name no path of one machine."""
    return [
        replace(
            finding,
            message=name_below(finding.message, root),
            path=None if finding.path is None else name_below(finding.path, root),
        )
        for finding in findings
    ]


def name_below(text: str, root: Path | str) -> str:
    """A path, or words that name paths, with every path below the folder `root` told from there."""
    # Where a path begins only: a folder called `s` is not in `mailboxes/sites`.
    return re.sub(rf"(?<![\w./\\-]){re.escape(f'{root}{os.sep}')}", "", text)
