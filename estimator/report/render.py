"""One way in for the command line: an estimate as text of a format, or as a chart file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from estimator.pipeline import Estimate
from estimator.report import chart as chart_file
from estimator.report.layout import as_markdown, as_table
from estimator.report.sections import sections
from estimator.report.text import as_csv

Format = Literal["table", "markdown", "csv", "json"]


def text(result: Estimate, form: str) -> str:
    """The estimate in one of the formats, ending in a line break."""
    if form == "json":
        return json.dumps(result.to_json(), indent=2, ensure_ascii=False) + "\n"
    if form == "csv":
        return as_csv(result)
    return as_markdown(sections(result)) if form == "markdown" else as_table(sections(result))


def check_chart(path: Path) -> None:
    """Refuse a chart file of an unknown type before anything is computed."""
    chart_file.check_format(path)


def chart(result: Estimate, path: Path) -> None:
    """Draw the estimate into a PNG or SVG file."""
    chart_file.write_chart(result, path)
