"""Volumes alone: what flows already, what a scenario adds and what it saves, without any price.

The same steps as `estimate` on the same draws, so the same numbers; only the bills are left out. A tenant for whose
plans no price is in force is forecast all the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from estimator import pipeline
from estimator.availability import availability
from estimator.chosen import choose
from estimator.draws import Draws
from estimator.findings import distinct
from estimator.folder import read_folder
from estimator.pipeline import DRAWS, Estimate, ScenarioEstimate
from estimator.rates import Holidays, RateModel, fit_rates
from estimator.reconcile.emitting import emitting_by_month
from estimator.tenant import read_tenant, stop_at_errors
from estimator.true_counts import of_folder

SCHEMA = "siem-estimator/forecast/1"

#: Fields of `estimate`'s contract that are of money.
_OF_COST = ("cost", "cost_year", "cost_horizon")


def forecast_of(
    tenant: Path | str,
    *,
    scenarios: Sequence[Path | str] = (),
    as_of: dt.date,
    draws: int = DRAWS,
    seed: int = 0,
    memory: str = "1GB",
    true_counts: Mapping[str | None, int] | None = None,
    strict: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Estimate:
    """Forecast what a tenant's scenarios add and save, in events and GB; an `Estimate` without any bill.

    Args:
        tenant: the folder that holds the exports.
        scenarios: scenario files. Without any, those in the folder itself; without those, the default scenario. Which
            plans they name does not matter: none is read.
        as_of: the day of the forecast; nothing here reads the clock.
        draws: how many draws.
        seed: of every random number.
        memory: DuckDB's memory limit while it reads the audit sample.
        true_counts: the portal's total of audit exports that were cut, by file below the folder; None is the one that
            was cut.
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
    stories = pipeline._scenarios(folder, scenarios, (), as_of)
    found = read_tenant(folder, memory=memory, true_counts=true_counts, strict=strict, progress=progress)
    sample, findings = found.sample, list(found.findings)
    # Every scenario is checked against the tenant before any is computed.
    chosen = [choose(story, shown, found) for shown, story in stories]
    drawn = Draws(draws, seed)
    models: dict[tuple[str | None, str | None], RateModel] = {}
    results = []
    for one in chosen:
        story = one.scenario
        progress(f"forecasting {story.id}")
        where = (story.country, story.subdivision)
        if where not in models:
            models[where] = fit_rates(
                found.reduction,
                found.inventory,
                found.readiness,
                Holidays(*where),
                drawn,
                pipeline._copies(sample),
                found.broken_days,
            )
        volumes, under = one.forecast(models[where], found)
        results.append(
            ScenarioEstimate(
                story,
                volumes,
                list(volumes.volumes(monthly=True)),
                list(volumes.volumes(monthly=False)),
                [],
                sample is not None and sample.cut,
                emitting_by_month(story, under.readiness, under.enabled),
            )
        )
        findings += [*models[where].findings, *under.findings, *volumes.findings]
        findings += availability(volumes.uses, found)
    return Estimate(found, as_of, drawn, next(iter(models.values())), results, distinct(findings))


def to_json(result: Estimate) -> dict[str, Any]:
    """The JSON contract `siem-estimator/forecast/1`: that of `estimate` without its money; figures unrounded."""
    document = result.to_json()
    stories = [
        {name: value for name, value in one.items() if not name.startswith("cost")} for one in document["scenarios"]
    ]
    return {**document, "schema": SCHEMA, "scenarios": stories}


__all__ = ["SCHEMA", "forecast_of", "to_json"]
