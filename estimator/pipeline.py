"""The main job: a tenant folder in, volumes and cost for the scenarios and plans given out."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from estimator import audit, catalog
from estimator.audit import Reduction
from estimator.audit.doctor import broken_days
from estimator.cost import Cost, PlanOnTerms, price
from estimator.draws import Draws
from estimator.errors import AuditExportError, PlanError, ScenarioError, TenantFolderError, UsageError
from estimator.findings import Finding, below, distinct
from estimator.folder import TenantFolder, read_folder
from estimator.forecast import Forecast, Spread, Volume
from estimator.inventory import Inventory, read_inventory
from estimator.rates import Holidays, RateModel, fit_rates
from estimator.readiness import Readiness, judge
from estimator.scenario import PlanChoice, Scenario, default_scenario, enabled, load_scenario
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

    tenant: Path
    as_of: dt.date
    draws: Draws
    folder: TenantFolder
    inventory: Inventory
    sample: Reduction | None
    readiness: Readiness
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
                "mailboxes": len(self.inventory.mailboxes),
                "emitting_today": self.readiness.emitting_today(),
            },
            "inputs": [
                {"path": f.shown, "kind": f.kind, "rows": self._rows(f.shown), "sha256": f.sha256()}
                for f in self.folder.files
            ],
            "findings": [finding.to_json() for finding in self.findings],
            "scenarios": [_scenario_json(one) for one in self.scenarios],
        }

    def _rows(self, shown: str) -> int | None:
        return self.rows.get(shown)

    @property
    def rows(self) -> dict[str, int]:
        """Rows or records read of each input file, by its path below the tenant folder; of an archive, of all in it."""
        read: Counter[Path] = Counter()
        for file in self.sample.files if self.sample is not None else ():
            read[file.path] += file.read
        return {**self.inventory.rows, **{f.shown: read[f.path] for f in self.folder.files if f.path in read}}


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
    findings = folder.findings()
    if strict:
        _stop_at_errors(findings, root)
    asked = [_plan(plan, plans_dirs) for plan in plans]
    totals = of_folder(true_counts, folder) if true_counts else None
    stories = _scenarios(folder, scenarios, asked, as_of)
    terms = [_plans(story, shown, asked, plans_dirs) for shown, story in stories]
    progress("reading inventories")
    inventory = read_inventory(
        *([(f.path, f.shown) for f in folder.of_kind(kind)] for kind in ("mailboxes", "licences", "email-activity"))
    )
    findings += inventory.findings
    sample = None
    if folder.audit_files:
        progress("reading the audit sample")
        try:
            sample = audit.reduce([file.path for file in folder.audit_files], memory=memory, true_counts=totals)
            findings += below(sample.findings, root)
        except AuditExportError as error:
            findings += below([Finding("sample_empty", "error", str(error))], root)
        if strict:
            _stop_at_errors(findings, root)
    if sample is None:
        findings.append(
            Finding(
                "no_sample",
                "warning",
                "there is no audit sample: the forecast stands on published and derived rates and is wide. Export two "
                "weeks from the Purview portal (Audit, New search, Export) into the folder.",
            )
        )
    reduction = None if sample is None else sample.table
    broken = [] if sample is None else broken_days(sample.hours)
    readiness = judge(inventory, reduction)
    findings += readiness.findings
    # Every scenario is checked against the tenant before any is computed.
    chosen = [(shown, story, enabled(story, inventory.mailboxes, shown)) for shown, story in stories]
    models: dict[tuple[str | None, str | None], RateModel] = {}
    results = []
    for (shown, story, parts), offers in zip(chosen, terms, strict=True):
        progress(f"forecasting {story.id}")
        where = (story.country, story.subdivision)
        if where not in models:
            models[where] = fit_rates(
                reduction, inventory, readiness, Holidays(*where), Draws(draws, seed), _copies(sample), broken
            )
        model = models[where]
        forecast = Forecast(story, model, readiness, parts)
        with _named(shown):
            costs, doubts = price(forecast, offers, inventory.grant_users, as_of)
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
        findings += [*model.findings, *forecast.findings, *doubts]
    first = next(iter(models.values()))
    return Estimate(
        root, as_of, Draws(draws, seed), folder, inventory, sample, readiness, first, results, distinct(findings)
    )


def _copies(sample: Reduction | None) -> float | None:
    """Records delivered ÷ distinct ones, of the files whose records come as the API delivers them; None without any.

    Counted within each file: copies among files are overlapping exports, which no feed delivers.
    """
    if sample is None:
        return None
    api = [file for file in sample.files if file.delivered]
    distinct = sum(file.distinct for file in api)
    return sum(file.read - file.rejected for file in api) / distinct if distinct else None


def _stop_at_errors(findings: Sequence[Finding], root: Path) -> None:
    for finding in findings:
        if finding.severity == "error":
            raise TenantFolderError(finding.message, path=root)


def _scenarios(
    folder: TenantFolder, given: Sequence[Path | str], plans: Sequence[Plan], as_of: dt.date
) -> list[tuple[str, Scenario]]:
    """The scenarios with the names that messages call them."""
    stories = [(str(path), load_scenario(Path(path))) for path in given]
    if not given:
        beside = [file for file in folder.of_kind("scenario") if "/" not in file.shown]
        stories = [(file.shown, load_scenario(file.path, file.shown)) for file in beside]
    if not stories:
        siems = {plan.siem for plan in plans or _reference_plans(None)}
        feeds = [feed.id for feed in catalog.feeds().values() if feed.siem in siems]
        return [("default scenario", default_scenario(as_of, feeds))]
    _refuse_twins(stories)
    return stories


def _refuse_twins(stories: Sequence[tuple[str, Scenario]]) -> None:
    """Two scenarios of one id could not be told apart in the output."""
    by_id: dict[str, str] = {}
    for shown, story in stories:
        if story.id in by_id:
            raise ScenarioError(
                f"the id {story.id!r} is also that of {by_id[story.id]}",
                path=shown,
                place="id",
                expected="an id of its own",
                mend="Rename one of the two.",
            )
        by_id[story.id] = shown


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
            )
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
