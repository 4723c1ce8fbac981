"""How far off the forecast was on hidden parts of the sample, as `backtest` prints it. Computes nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from estimator.backtest import MIN_MAILBOXES, Backtest, Score
from estimator.report.figures import interval, significant
from estimator.report.layout import Section, as_markdown, as_table, findings_section, no_formula

_TITLES = {
    "mailboxes": "Hidden mailboxes, at random",
    "least_active": "The least active third of the mailboxes",
    "days": "Hidden days",
}
_COLUMNS = ["holdout", "operation", "fold", "mailboxes", "days", "actual", "mean", "p10", "p50", "p90", "spreadsheet",
            "held", "as_of"]  # fmt: skip


def text(found: Backtest, form: str) -> str:
    """The backtest in one of the formats, ending in a line break."""
    if form == "json":
        return json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n"
    if form == "csv":
        return _csv(found)
    return as_markdown(_sections(found)) if form == "markdown" else as_table(_sections(found))


def sentence(score: Score | None) -> str:
    """The backtest in one line, for the reports of other verbs."""
    if score is None:
        return (
            f"Backtest: fewer than {MIN_MAILBOXES} sampled mailboxes show it, too few to tell how far off the forecast "
            "is on this tenant's own sample."
        )
    return (
        f"Backtest on the tenant's own sample, {score.operation}: {score.trials} times some {score.mailboxes} "
        f"mailboxes were hidden and forecast from the others; median error {_percent(score.median_abs_error)} (a "
        f"spreadsheet's {_percent(score.spreadsheet_median_abs_error)}), P10-P90 held "
        f"{score.held} of {score.trials}, its width {_percent(score.median_width_80)} of the mean."
    )


def _csv(found: Backtest) -> str:
    """One row a trial, unrounded."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for trial in found.trials:
        spread = trial.forecast
        figures = [trial.actual, spread.mean, spread.p10, spread.p50, spread.p90, trial.spreadsheet]
        writer.writerow(
            [
                trial.holdout,
                no_formula(trial.operation),
                trial.fold,
                trial.mailboxes,
                trial.days,
                *map(repr, figures),
                str(trial.held).lower(),
                found.as_of,
            ]
        )
    return file.getvalue()


def _sections(found: Backtest) -> Iterator[Section]:
    yield _head(found)
    for holdout, title in _TITLES.items():
        scores = [score for score in found.scores if score.holdout == holdout]
        if scores:
            yield _table(title, scores)
    mine = [trial for trial in found.trials if trial.operation == "Exchange/MailItemsAccessed"]
    if mine:
        yield Section(
            "MailItemsAccessed, each time",
            headers=[
                "hidden",
                "mailboxes",
                "days",
                "records there were",
                "forecast",
                "P10 – P90",
                "spreadsheet",
                "held",
            ],
            rows=[
                [
                    _TITLES[trial.holdout].lower(),
                    f"{trial.mailboxes:,}",
                    f"{trial.days:,}",
                    significant(trial.actual),
                    significant(trial.forecast.mean),
                    interval(trial.forecast),
                    significant(trial.spreadsheet),
                    "yes" if trial.held else "no",
                ]
                for trial in mine
            ],
        )
    if found.findings:
        yield findings_section(found.findings)


def _head(found: Backtest) -> Section:
    words = [f"Backtest as of {found.as_of}, {found.draws.count:,} draws (seed {found.draws.seed})."]
    if found.main is not None:
        words.append(sentence(found.main))
    words += [
        "Parts of the sample are hidden, forecast from the rest, and compared with what they hold. P10-P90 is meant to "
        "hold 8 of 10. The trials share their mailboxes, so they are not independent.",
        "What is hidden at random is like what is left; mailboxes that join need not be, and classes that emit nowhere "
        "cannot be hidden. A good backtest is needed, and is not enough.",
    ]
    return Section("Backtest on the tenant's own sample", level=1, words=words)


def _table(title: str, scores: list[Score]) -> Section:
    return Section(
        title,
        headers=["operation", "mailboxes each", "trials", "median error", "spreadsheet's", "P10-P90 held",
                 "median width"],
        rows=[
            [
                score.operation,
                f"{score.mailboxes:,}",
                f"{score.trials}",
                _percent(score.median_abs_error),
                _percent(score.spreadsheet_median_abs_error),
                f"{score.held} of {score.trials}",
                _percent(score.median_width_80),
            ]
            for score in scores
        ],
    )  # fmt: skip


def _percent(share: float) -> str:
    return f"{share:,.0%}" if share >= 0.1 else f"{share:.1%}"
