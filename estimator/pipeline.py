"""The main job: a tenant folder in, volumes and cost for the scenarios and plans given out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from estimator import catalog
from estimator.audit import Reduction
from estimator.availability import availability
from estimator.chosen import choose
from estimator.cost import Cost, PlanOnTerms, price
from estimator.draws import Draws
from estimator.errors import PlanError, ScenarioError, UsageError
from estimator.estimate_json import scenario_json
from estimator.findings import Finding, distinct
from estimator.folder import TenantFolder, read_folder
from estimator.forecast import Forecast, Volume
from estimator.rates import Holidays, RateModel, fit_rates
from estimator.readiness import Readiness
from estimator.reconcile.emitting import emitting_by_month
from estimator.scenario import DEFAULT_SCENARIO, PlanChoice, Scenario, default_scenario
from estimator.scenarios import scenarios_of
from estimator.sensitivity import Swing, sensitivity_of
from estimator.stated_prices import check_routes, repriced
from estimator.tenant import Tenant, read_tenant, stop_at_errors
from estimator.true_counts import of_folder
from pricing import Plan, find_plan, shipped_plans
from pricing.errors import TermsError

if TYPE_CHECKING:
    from estimator.backtest import Score

DRAWS = 2000

#: With more sampled mailboxes than this no estimate backtests itself: it would add seconds.
BACKTESTED = 1200


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
        emitting: mailboxes that emit, by operation and month, see `reconcile.emitting`.
    """

    scenario: Scenario
    forecast: Forecast
    monthly: list[Volume]
    horizon: list[Volume]
    costs: list[Cost]
    cut: bool = False
    emitting: Sequence[dict[str, object]] = ()

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
    """The result of the main job, with everything that is needed to explain it.

    Attributes:
        tenant, as_of, draws: what it was made from.
        model: the rates; of several scenarios those of the first.
        scenarios: what each comes to.
        findings: what is doubtful.
        backtest: how far off the forecast is on the tenant's own sample; None where that is not known.
        no_backtest: why it is not, in words; empty where nobody asked.
    """

    tenant: Tenant
    as_of: dt.date
    draws: Draws
    model: RateModel
    scenarios: list[ScenarioEstimate]
    findings: list[Finding]
    backtest: Score | None = None
    no_backtest: str = ""

    @cached_property
    def sensitivity(self) -> list[Swing] | None:
        """What moves what is added how much; None where the draws were not recorded."""
        if any(one.forecast._model.draws.record is None for one in self.scenarios):
            return None
        return sensitivity_of(self)

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
        document = {
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
            "scenarios": [scenario_json(one) for one in self.scenarios],
        }
        if self.backtest is not None or self.no_backtest:
            document["backtest"] = None if self.backtest is None else self.backtest.to_json()
            document["no_backtest"] = self.no_backtest or None
        if self.sensitivity is not None:
            document["sensitivity"] = [swing.to_json() for swing in self.sensitivity]
        return document


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
                Draws(draws, seed, {}),
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
                emitting_by_month(story, under.readiness, under.enabled),
            )
        )
        findings += [*model.findings, *under.findings, *forecast.findings, *stated, *doubts]
        findings += availability(forecast.uses, found)
    first = next(iter(models.values()))
    progress("backtesting")
    score, why = _backtest(first, readiness)
    return Estimate(found, as_of, Draws(draws, seed), first, results, distinct(findings), score, why)


def _backtest(model: RateModel, readiness: Readiness) -> tuple[Score | None, str]:
    """How far off the forecast is on the tenant's own sample, or why nobody can say."""
    from estimator.backtest import MAIL_ITEMS, MIN_MAILBOXES, backtest_summary

    rates = model.operations.get(MAIL_ITEMS)
    shown = rates.sampled_mailboxes if rates is not None else 0
    if shown > BACKTESTED:
        return None, f"the sample shows {shown:,} mailboxes, which takes a while; `backtest` says how far off it is"
    if (score := backtest_summary(model, readiness)) is not None:
        return score, ""
    return None, f"the sample shows {shown} mailboxes with {MAIL_ITEMS}; below {MIN_MAILBOXES} it cannot tell"


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
        place = error.place
        if place is not None and (place == "counts" or place.startswith("counts.")):
            place = f"plan_{place}"  # a scenario states them under [[plans]]
        raise ScenarioError(error.found, path=shown, place=place, expected=error.expected, mend=error.mend) from error


def _reference_plans(siems: set[str] | None) -> list[Plan]:
    return [plan for plan in shipped_plans().values() if plan.reference and (siems is None or plan.siem in siems)]


__all__ = ["Estimate", "ScenarioEstimate", "estimate"]
