"""The main job: a tenant folder in, volumes and cost for the scenarios and plans given out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from estimator import catalog
from estimator.audit import Reduction
from estimator.availability import availability
from estimator.chosen import choose
from estimator.cost import Cost, PlanOnTerms, price
from estimator.draws import Draws
from estimator.errors import PlanError, ScenarioError, UsageError
from estimator.findings import Finding, distinct
from estimator.folder import TenantFolder, read_folder
from estimator.forecast import Forecast, Spread, Volume
from estimator.rates import Holidays, RateModel, fit_rates
from estimator.scenario import DEFAULT_SCENARIO, PlanChoice, Scenario, default_scenario
from estimator.scenarios import scenarios_of
from estimator.stated_prices import check_routes, repriced
from estimator.tenant import Tenant, read_tenant, stop_at_errors
from estimator.true_counts import of_folder
from pricing import Plan, find_plan, shipped_plans
from pricing.errors import TermsError

DRAWS = 2000


@dataclass(frozen=True)
class ScenarioEstimate:
    """What one scenario comes to.

    Attributes:
        scenario: the what-if.
        forecast: its volumes, draw by draw.
        monthly: spreads by month, feed, operation and flow.
        horizon: spreads over the whole horizon; quantiles of months do not add up.
        costs: bills by plan and set of feeds.
        cut: whether the sample was cut and no true count corrects it, so that volumes are at least what is shown.
    """

    scenario: Scenario
    forecast: Forecast
    monthly: list[Volume]
    horizon: list[Volume]
    costs: list[Cost]
    cut: bool = False

    @property
    def not_known(self) -> list[str]:
        """Operations in question without any rate."""
        return self.forecast.not_known

    @property
    def at_least(self) -> bool:
        """Whether totals are at least what is shown: something has no rate, or the sample was cut."""
        return bool(self.not_known) or self.cut

    @property
    def beyond_budget(self) -> bool:
        """Whether some bill passes the scenario's budget at its quantile."""
        return any(cost.beyond_budget for cost in self.costs)


@dataclass(frozen=True)
class Estimate:
    """The result of the main job, with everything that is needed to explain it."""

    tenant: Tenant
    as_of: dt.date
    draws: Draws
    model: RateModel
    scenarios: list[ScenarioEstimate]
    findings: list[Finding]

    @property
    def not_known(self) -> list[str]:
        """Operations without any rate, over all scenarios."""
        return list(dict.fromkeys(key for one in self.scenarios for key in one.not_known))

    @property
    def cut(self) -> bool:
        """Whether some audit export was cut and not corrected: volumes are then at least what is shown."""
        return any(one.cut for one in self.scenarios)

    @property
    def refused(self) -> bool:
        """Whether some file of the folder was refused."""
        return any(finding.severity == "error" for finding in self.findings)

    @property
    def beyond_budget(self) -> bool:
        """Whether some scenario passes its budget."""
        return any(one.beyond_budget for one in self.scenarios)

    def to_json(self) -> dict[str, Any]:
        """The JSON contract `siem-estimator/estimate/1`; figures unrounded."""
        return {
            "schema": "siem-estimator/estimate/1",
            "version": version("siem-estimator"),
            "seed": self.draws.seed,
            "draws": self.draws.count,
            "as_of": self.as_of.isoformat(),
            "complete": not self.not_known and not self.refused and not self.cut,
            "not_known": self.not_known,
            "tenant": {
                "mailboxes": len(self.tenant.inventory.mailboxes),
                "emitting_today": self.tenant.readiness.emitting_today(),
            },
            "inputs": self.tenant.inputs(),
            "findings": [finding.to_json() for finding in self.findings],
            "scenarios": [_scenario_json(one) for one in self.scenarios],
        }


def estimate(
    tenant: Path | str,
    *,
    scenarios: Sequence[Path | str] = (),
    plans: Sequence[str] = (),
    plans_dirs: Sequence[Path | str] = (),
    as_of: dt.date,
    draws: int = DRAWS,
    seed: int = 0,
    memory: str = "1GB",
    true_counts: Mapping[str | None, int] | None = None,
    strict: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Estimate:
    """Forecast and price what a tenant's scenarios add.

    Args:
        tenant: the folder that holds the exports.
        scenarios: scenario files. Without any, those in the folder itself; without those, the default scenario.
        plans: ids or files of price tables, replacing those of the scenarios. Without any, the plans a scenario
            names; without those, the reference plan of each of its feeds' SIEMs.
        plans_dirs: folders of further price tables.
        as_of: the day of the estimate; nothing here reads the clock.
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
    asked = [_plan(plan, plans_dirs) for plan in plans]
    if true_counts:
        of_folder(true_counts, folder)
    stories = _scenarios(folder, scenarios, asked, as_of)
    terms = []
    for shown, story in stories:
        offers, stated = repriced(story, shown, _plans(story, shown, asked, plans_dirs), replaced=bool(asked))
        check_routes(story, shown, offers)
        terms.append((offers, stated))
    found = read_tenant(folder, memory=memory, true_counts=true_counts, strict=strict, progress=progress)
    inventory, sample, readiness, findings = found.inventory, found.sample, found.readiness, list(found.findings)
    # Every scenario is checked against the tenant before any is computed.
    chosen = [choose(story, shown, found) for shown, story in stories]
    models: dict[tuple[str | None, str | None], RateModel] = {}
    results = []
    for one, (offers, stated) in zip(chosen, terms, strict=True):
        story = one.scenario
        progress(f"forecasting {story.id}")
        where = (story.country, story.subdivision)
        if where not in models:
            models[where] = fit_rates(
                found.reduction,
                inventory,
                readiness,
                Holidays(*where),
                Draws(draws, seed),
                _copies(sample),
                found.broken_days,
            )
        model = models[where]
        forecast, under = one.forecast(model, found)
        with _named(one.shown):
            costs, doubts = price(forecast, offers, inventory.grant_users, as_of, under.grant_users)
        results.append(
            ScenarioEstimate(
                story,
                forecast,
                list(forecast.volumes(monthly=True)),
                list(forecast.volumes(monthly=False)),
                costs,
                sample is not None and sample.cut,
            )
        )
        findings += [*model.findings, *under.findings, *forecast.findings, *stated, *doubts]
        findings += availability(forecast.uses, found)
    first = next(iter(models.values()))
    return Estimate(found, as_of, Draws(draws, seed), first, results, distinct(findings))


def _copies(sample: Reduction | None) -> float | None:
    """Records delivered ÷ distinct ones, of the files whose records come as the API delivers them; None without any.

    Counted within each file: copies among files are overlapping exports, which no feed delivers.
    """
    if sample is None:
        return None
    api = [file for file in sample.files if file.delivered]
    distinct = sum(file.distinct for file in api)
    return sum(file.read - file.rejected for file in api) / distinct if distinct else None


def _scenarios(
    folder: TenantFolder, given: Sequence[Path | str], plans: Sequence[Plan], as_of: dt.date
) -> list[tuple[str, Scenario]]:
    """The scenarios with the names that messages call them; without any, the default one."""
    if stories := scenarios_of(folder, given):
        return stories
    siems = {plan.siem for plan in plans or _reference_plans(None)}
    feeds = [feed.id for feed in catalog.feeds().values() if feed.siem in siems]
    return [(DEFAULT_SCENARIO, default_scenario(as_of, feeds))]


def _plans(story: Scenario, shown: str, asked: Sequence[Plan], dirs: Sequence[Path | str]) -> list[PlanOnTerms]:
    """The plans of a scenario: those asked for, else those it names, else the reference plan of each SIEM in it."""
    own = {choice.id: choice for choice in story.plans}
    if asked:
        return [PlanOnTerms(plan, own.get(plan.id, PlanChoice(id=plan.id))) for plan in asked]
    if story.plans:
        return [
            PlanOnTerms(_plan(choice.id, dirs, shown, f"plans[{number}].id"), choice)
            for number, choice in enumerate(story.plans)
        ]
    siems = {catalog.feed(feed).siem for feed in story.feed_ids()}
    return [PlanOnTerms(plan, PlanChoice(id=plan.id)) for plan in _reference_plans(siems)]


def _plan(name: str, dirs: Sequence[Path | str], shown: str | None = None, place: str | None = None) -> Plan:
    """The plan of an id or file that the command line names, or a scenario file at a place."""
    try:
        return find_plan(name, dirs)
    except PlanError as error:
        if error.path is not None:
            raise
        kind = UsageError if shown is None else ScenarioError
        raise kind(error.found, path=shown, place=place, expected=error.expected, mend=error.mend) from error


@contextmanager
def _named(shown: str) -> Iterator[None]:
    """What the pricing of a scenario refuses stands in its file."""
    try:
        yield
    except (ScenarioError, TermsError) as error:
        if error.path is not None:
            raise
        raise ScenarioError(
            error.found, path=shown, place=error.place, expected=error.expected, mend=error.mend
        ) from error


def _reference_plans(siems: set[str] | None) -> list[Plan]:
    return [plan for plan in shipped_plans().values() if plan.reference and (siems is None or plan.siem in siems)]


def _scenario_json(one: ScenarioEstimate) -> dict[str, Any]:
    story = one.scenario
    return {
        "id": story.id,
        "title": story.title,
        "start": story.start.isoformat(),
        "months": story.months,
        "not_known": one.not_known,
        "volume": [{"month": v.month, **_volume_json(v)} for v in one.monthly],
        "volume_horizon": [_volume_json(v) for v in one.horizon],
        "total": [
            {
                "feed": use.feed.id,
                "flow": flow,
                "month": month,
                "events": Spread.of(total.events[m]).to_json(),
                "gb": Spread.of(total.gb[m]).to_json(),
            }
            for use in one.forecast.uses
            for flow, total in (
                ("already", one.forecast.total(use.feed.id, "already")),
                ("added", one.forecast.total(use.feed.id, "added")),
                ("saved", one.forecast.total(use.feed.id, "saved")),
            )
            if flow != "saved" or one.forecast.saves(use.feed.id)
            for m, month in enumerate(total.months)
        ],
        "cost": [
            {
                "plan": cost.plan.id,
                "feeds": list(cost.feeds),
                "month": month,
                "currency": cost.plan.currency,
                "without": Spread.of(cost.without[m]).to_json(),
                "with": Spread.of(cost.with_[m]).to_json(),
                "added": Spread.of(cost.added[m]).to_json(),
            }
            for cost in one.costs
            for m, month in enumerate(cost.months)
        ],
        "cost_horizon": [
            {
                "plan": cost.plan.id,
                "feeds": list(cost.feeds),
                "currency": cost.plan.currency,
                "without": Spread.of(cost.without.sum(axis=0)).to_json(),
                "with": Spread.of(cost.with_.sum(axis=0)).to_json(),
                "added": Spread.of(cost.added.sum(axis=0)).to_json(),
                "run_rate_month": cost.run_rate().to_json(),
                "over_budget_probability": cost.over_budget,
                "commitment": {"without": cost.commitment_without, "with": cost.commitment_with},
                "cases": [{"code": c.code, "title": c.title, "added": c.added.to_json()} for c in cost.cases],
                "notes": list(cost.notes),
            }
            for cost in one.costs
        ],
    }


def _volume_json(volume: Volume) -> dict[str, Any]:
    return {
        "feed": volume.feed,
        "operation": volume.operation,
        "flow": volume.flow,
        "basis": volume.basis,
        "events": volume.events.to_json(),
        "gb": volume.gb.to_json(),
    }


__all__ = ["Estimate", "ScenarioEstimate", "estimate"]
