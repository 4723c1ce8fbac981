"""Volumes of the scenarios as `forecast` prints them: what `estimate` says of them, without money. Computes nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from estimator.forecasting import to_json
from estimator.pipeline import Estimate
from estimator.report import sections as estimates
from estimator.report.layout import Section, as_markdown, as_table, findings_section, no_formula


def text(result: Estimate, form: str) -> str:
    """The forecast in one of the formats, ending in a line break."""
    if form == "json":
        return json.dumps(to_json(result), indent=2, ensure_ascii=False) + "\n"
    if form == "csv":
        return _csv(result)
    return as_markdown(_sections(result)) if form == "markdown" else as_table(_sections(result))


def _csv(result: Estimate) -> str:
    """Every spread as one long table, unrounded: volumes by month and over the horizon, and a feed's totals by month.

    Columns as in `estimate`'s CSV, save those of money; `table` is volume, volume_horizon or total.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["scenario", "table", "month", "feeds", "operation", "flow", "basis", "measure",
                     "mean", "p10", "p50", "p90", "as_of"])  # fmt: skip
    for story in to_json(result)["scenarios"]:
        for table in ("volume", "volume_horizon", "total"):
            for row in story[table]:
                words = [story["id"], table, row.get("month", ""), row["feed"], row.get("operation", "")]
                words += [row["flow"], row.get("basis", "")]
                for measure in ("events", "gb"):
                    figures = [repr(row[measure][name]) for name in ("mean", "p10", "p50", "p90")]
                    writer.writerow([*map(no_formula, words), measure, *figures, result.as_of])
    return file.getvalue()


def _sections(result: Estimate) -> Iterator[Section]:
    yield _head(result)
    for one in result.scenarios:
        yield from estimates.scenario_sections(one)
    if result.not_known:
        yield Section(
            "Not known",
            words=[
                "No rate is measured, published or derived for these operations, so every volume above means "
                '"at least":',
                ", ".join(result.not_known) + ".",
            ],
        )
    if result.findings:
        yield findings_section(result.findings)
    yield estimates.priors_section()


def _head(result: Estimate) -> Section:
    boxes = len(result.tenant.inventory.mailboxes)
    words = [
        f"Forecast as of {result.as_of} from {boxes:,} mailboxes.",
        f"Figures are means of {result.draws.count:,} draws (seed {result.draws.seed}); the truth lies between P10 and "
        "P90 in 8 of 10 cases, if the assumptions hold. GB is 10^9 billed bytes of that feed. `estimate` prices them.",
    ]
    sample = result.tenant.sample
    if sample is not None:
        words.insert(1, f"Audit sample: {sample.distinct:,} distinct records, {sample.first} to {sample.last}.")
    return Section("SIEM volume forecast", level=1, words=words)
