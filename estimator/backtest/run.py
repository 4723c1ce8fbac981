"""A tenant folder in, the trials of its own sample out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from estimator.backtest.days import hide_days
from estimator.backtest.mailboxes import Seen, hide_least_active, hide_mailboxes
from estimator.backtest.trials import MAIL_ITEMS, MIN_MAILBOXES, Score, Trial
from estimator.draws import Draws
from estimator.findings import Finding, distinct
from estimator.folder import read_folder
from estimator.rates import Holidays, RateModel, fit_rates
from estimator.readiness import Readiness
from estimator.scenarios import scenarios_of
from estimator.tenant import Tenant, read_tenant, stop_at_errors
from estimator.true_counts import of_folder

SCHEMA = "siem-estimator/backtest/1"

FOLDS, REPEATS, DRAWS = 5, 4, 500

#: What a report's one line takes: less of everything, one operation.
SUMMARY_DRAWS = 400

#: Below this many trials a low coverage may be chance.
_MIN_TRIALS, _HOLDS = 15, 0.65

#: Where so few mailboxes hold so large a share, which fold they fall into decides its error.
_HEAVIEST, _CONCENTRATED = 3, 0.25


@dataclass(frozen=True)
class Backtest:
    """What the hidden parts came to.

    Attributes:
        tenant: the folder as it was read.
        as_of: the day of the backtest.
        draws: of each trial.
        folds: into how many the emitting mailboxes were split.
        repeats: how often they were split anew for MailItemsAccessed; for the other operations once.
        trials: all of them; MailItemsAccessed first.
        findings: what is doubtful, and what could not be tested.
    """

    tenant: Tenant
    as_of: dt.date
    draws: Draws
    folds: int
    repeats: int
    trials: list[Trial]
    findings: list[Finding]

    @property
    def scores(self) -> list[Score]:
        """One a kind of holdout and operation."""
        groups: dict[tuple[str, str], list[Trial]] = {}
        for trial in self.trials:
            groups.setdefault((trial.holdout, trial.operation), []).append(trial)
        return [Score.of(trials) for trials in groups.values()]

    @property
    def main(self) -> Score | None:
        """Of MailItemsAccessed on hidden mailboxes; None where the sample is too small to tell."""
        return next((s for s in self.scores if (s.holdout, s.operation) == ("mailboxes", MAIL_ITEMS)), None)

    @property
    def refused(self) -> bool:
        """Whether some file of the folder was refused."""
        return any(finding.severity == "error" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """The JSON contract `siem-estimator/backtest/1`; figures unrounded, shares of 1."""
        main = self.main
        return {
            "schema": SCHEMA,
            "version": version("siem-estimator"),
            "seed": self.draws.seed,
            "draws": self.draws.count,
            "as_of": self.as_of.isoformat(),
            "folds": self.folds,
            "repeats": self.repeats,
            "operation": MAIL_ITEMS,
            "median_abs_error": main and main.median_abs_error,
            "coverage_80": main and main.coverage_80,
            "median_width_80": main and main.median_width_80,
            "spreadsheet_median_abs_error": main and main.spreadsheet_median_abs_error,
            "scores": [score.to_json() for score in self.scores],
            "trials": [trial.to_json() for trial in self.trials],
            "inputs": self.tenant.inputs(),
            "findings": [finding.to_json() for finding in self.findings],
        }


def backtest_of(
    tenant: Path | str,
    *,
    as_of: dt.date,
    folds: int = FOLDS,
    draws: int = DRAWS,
    seed: int = 0,
    memory: str = "1GB",
    true_counts: Mapping[str | None, int] | None = None,
    strict: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Backtest:
    """Hide parts of a tenant's own sample, forecast them, and say how far off that was.

    Args:
        tenant: the folder that holds the exports. Holidays are those of the first scenario in it that has a country.
        as_of: the day, echoed in the result.
        folds: into how many parts the emitting mailboxes are split, 2 or more.
        draws: of each trial.
        seed: of every random number, the folds' included.
        memory: DuckDB's memory limit while it reads the audit sample.
        true_counts: the portal's total of audit exports that were cut, by file below the folder.
        strict: whether a file that is refused stops the run.
        progress: told what is being done.

    Raises:
        SiemEstimatorError: an input cannot be used; its class and text say which and how to mend it.
    """
    root = Path(tenant)
    folder = read_folder(root)
    if strict:
        stop_at_errors(folder.findings(), root)
    if true_counts:
        of_folder(true_counts, folder)
    stories = [story for _, story in scenarios_of(folder, ()) if story.country]
    holidays = Holidays(stories[0].country, stories[0].subdivision) if stories else Holidays()
    found = read_tenant(folder, memory=memory, true_counts=true_counts, strict=strict, progress=progress)
    drawn, findings, trials = Draws(draws, seed), list(found.findings), list[Trial]()
    if found.reduction is not None:
        progress("fitting rates")
        model = fit_rates(found.reduction, found.inventory, found.readiness, holidays, drawn, None, found.broken_days)
        findings += model.findings
        for key in tested(model):
            progress(f"hiding mailboxes: {key}")
            repeats = REPEATS if key == MAIL_ITEMS else 1
            trials += hide_mailboxes(model, found.readiness, key, drawn, folds, repeats)
            trials += hide_least_active(model, found.readiness, key, drawn)
        progress("hiding days")
        trials += hide_days(found, model, holidays, drawn)
        findings += _doubts(model, found.readiness, trials)
    return Backtest(found, as_of, drawn, folds, REPEATS, trials, distinct(findings))


def backtest_summary(model: RateModel, readiness: Readiness, operation: str = MAIL_ITEMS) -> Score | None:
    """One operation on hidden mailboxes, small enough to stand in every report; None where the sample cannot tell.

    Args:
        model: `fit_rates` of the tenant; its own draws do not matter here, its seed does.
        readiness: the verdicts it was fitted with.
        operation: which.
    """
    if operation not in tested(model):
        return None
    draws = Draws(SUMMARY_DRAWS, model.draws.seed)
    trials = hide_mailboxes(model, readiness, operation, draws, FOLDS, 1)
    return Score.of(trials) if trials else None


def tested(model: RateModel) -> list[str]:
    """Operations that enough mailboxes show for some of them to be hidden; MailItemsAccessed first."""
    enough = [
        key
        for key, rates in model.operations.items()
        if rates.joining is not None and rates.sampled_mailboxes >= MIN_MAILBOXES
    ]
    return sorted(enough, key=lambda key: (key != MAIL_ITEMS, key))


def _doubts(model: RateModel, readiness: Readiness, trials: Sequence[Trial]) -> Iterator[Finding]:
    keys = tested(model)
    rates = model.operations.get(MAIL_ITEMS)
    if MAIL_ITEMS not in keys:
        shown = rates.sampled_mailboxes if rates is not None else 0
        yield Finding(
            "backtest_few_mailboxes",
            "warning",
            f"the sample shows {shown} mailboxes with {MAIL_ITEMS}; below {MIN_MAILBOXES} what is hidden and what is "
            "left are both too few to tell how far off the forecast is, so no figure is given. `sample-size` says how "
            "many to sample.",
        )
    few = [k for k, r in model.operations.items() if r.joining and 0 < r.sampled_mailboxes < MIN_MAILBOXES]
    if few := [key for key in few if key != MAIL_ITEMS]:
        yield Finding(
            "backtest_not_tested",
            "info",
            f"too few mailboxes ({MIN_MAILBOXES} are needed) show {', '.join(sorted(few))} for any to be hidden.",
        )
    if not any(trial.holdout == "days" for trial in trials):
        yield Finding(
            "backtest_few_days",
            "warning",
            "the sample is too short, or holds too few records, for its last days to be forecast from its first: two "
            "weekdays on each side and a hundred records are the least. Two weeks are better.",
        )
    mine = [trial for trial in trials if (trial.holdout, trial.operation) == ("mailboxes", MAIL_ITEMS)]
    held = sum(trial.held for trial in mine)
    if len(mine) >= _MIN_TRIALS and held < _HOLDS * len(mine):
        total = np.sort(Seen.of(model, readiness, MAIL_ITEMS).total)[::-1]
        heaviest = float(total[:_HEAVIEST].sum() / total.sum())
        why = (
            f"The {_HEAVIEST} heaviest of the {len(total)} mailboxes hold {heaviest:.0%} of it, and whether a fold "
            "holds one of them is chance that no sample of this size can foresee: look at what they do (an "
            "application, a service account) and whether the mailboxes that join will do it."
            if heaviest > _CONCENTRATED
            else "Something sets these mailboxes apart that neither licence nor activity shows. Take the intervals of "
            "the estimate for too narrow."
        )
        yield Finding(
            "backtest_does_not_hold",
            "warning",
            f"P10-P90 held what the hidden mailboxes emitted in {held} of {len(mine)} trials of {MAIL_ITEMS}, where 8 "
            f"of 10 are meant. {why}",
        )
