"""An estimate as sections of headed tables: what the terminal, Markdown and later the workbook show alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from estimator.pipeline import Estimate, ScenarioEstimate
from estimator.report.backtest import sentence
from estimator.report.costs import bills, costs, years
from estimator.report.grounds import emitting, priors_section, sources
from estimator.report.headline import differing, headline, means_at_least, rising_to, whole_bills
from estimator.report.layout import Section, findings_section
from estimator.report.sensitivity import section as moves
from estimator.report.volumes import by_month, routed, volume
from estimator.sensitivity import Swing


def sections(result: Estimate) -> Iterator[Section]:
    """The sections of an estimate, headline first."""
    yield _head(result)
    for one in result.scenarios:
        yield from scenario_sections(one, [s for s in result.sensitivity or () if s.scenario == one.scenario.id])
    yield emitting(result)
    if result.not_known:
        yield Section(
            "Not known",
            words=[
                "No rate is measured, published or derived for these operations, so every volume above means "
                '"at least", and so does every cost that no case beside it undercuts:',
                ", ".join(result.not_known) + ".",
            ],
        )
    # Why a stream is free stands beside its bill already.
    shown = [finding for finding in result.findings if finding.code != "free_stream"]
    if shown:
        yield findings_section(shown)
    yield sources(result)
    yield priors_section()


def _head(result: Estimate) -> Section:
    boxes = result.tenant.inventory.mailboxes
    kinds = ", ".join(f"{n} {kind}" for kind, n in boxes["kind"].value_counts().items())
    words = [
        f"Estimate as of {result.as_of} from {len(boxes):,} mailboxes ({kinds}).",
        f"Figures are means of {result.draws.count:,} draws (seed {result.draws.seed}); the truth lies between P10 and "
        "P90 in 8 of 10 cases, if the assumptions hold. GB is 10^9 billed bytes of that feed.",
    ]
    if result.tenant.sample is not None:
        sample = result.tenant.sample
        words.insert(
            1,
            f"Audit sample: {sample.distinct:,} distinct records of {sample.read:,} read ({sample.duplicates:,} "
            f"duplicates, {sample.rejected:,} rejected), {sample.first} to {sample.last}.",
        )
    if result.backtest is not None:
        words.append(sentence(result.backtest))
    elif result.no_backtest:
        words.append(f"Backtest: {result.no_backtest}.")
    return Section("SIEM volume and cost estimate", level=1, words=words)


def scenario_sections(one: ScenarioEstimate, swings: Sequence[Swing] = ()) -> Iterator[Section]:
    """What one scenario comes to: headline, cost, months, volumes, what moves them, bills.

    Args:
        one: the scenario.
        swings: what moves what it adds.
    """
    story = one.scenario
    yield Section(
        f"Scenario {story.id}: {story.title}",
        words=[f"{story.start} to {one.forecast.days[-1].date()}, {story.months} months.", *headline(one)],
    )
    if one.costs:
        yield costs(one)
        yield from years(one)
    yield by_month(one)
    yield volume(one)
    yield from routed(one)
    # Of events where no draw moves a cost: what its open cases come to stands with the cost already.
    of_cost = [swing for swing in swings if swing.measure != "events"]
    drawn = any(swing.kind != "case" for swing in of_cost)
    yield from moves(of_cost if drawn else [swing for swing in swings if swing.measure == "events"], level=3)
    yield from bills(one)


__all__ = [
    "Section",
    "differing",
    "means_at_least",
    "priors_section",
    "rising_to",
    "scenario_sections",
    "sections",
    "whole_bills",
]
