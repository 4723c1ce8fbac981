"""What an estimate rests on, as sections: who emits today, where each figure comes from, the priors."""

from __future__ import annotations

import re
from dataclasses import fields

import numpy as np

from estimator import catalog
from estimator.catalog import Prior
from estimator.pipeline import Estimate
from estimator.report.figures import significant
from estimator.report.layout import Section
from estimator.scenario import Assume


def emitting(result: Estimate) -> Section:
    """How many mailboxes emit which operation today, and how many do not."""
    table = result.tenant.readiness.table
    counts = table.groupby(["operation", "state"]).size().unstack(fill_value=0)
    states = [s for s in ("emitting", "blocked", "unknown", "not_applicable") if s in counts]
    live = [key for key in counts.index if key in catalog.newly_available(retired=False)
            or key in result.model.operations]  # fmt: skip
    return Section(
        "Mailboxes today",
        words=["`blocked` ones are what a scenario can enable, save those without a licence."],
        headers=["operation", *states],
        rows=[[str(key), *(f"{counts.loc[key, s]:,}" for s in states)] for key in live],
    )


def sources(result: Estimate) -> Section:
    """Where sizes, rates and weights come from."""
    rows = []
    feeds = dict.fromkeys(use.feed.id for one in result.scenarios for use in one.forecast.uses)
    for feed_id in feeds:
        factor = catalog.feed(feed_id).size_factor
        span = (
            significant(factor.mode)
            if factor.low == factor.high
            else (f"{significant(factor.mode)} ({significant(factor.low)}–{significant(factor.high)})")
        )
        rows.append([f"billed bytes per AuditData byte, {feed_id}", span, factor.basis, _cite(factor.source)])
    shown = {v.operation for one in result.scenarios for v in one.horizon}
    for key, rates in result.model.operations.items():
        if key in shown:
            size = float(np.mean(rates.bytes))
            source = "the sample" if rates.bytes_basis == "measured" else _cite(catalog.size_of(key).source)
            rows.append([f"bytes of one record, {key}", significant(size), rates.bytes_basis, source])
    published = catalog.operation("Exchange/MailItemsAccessed").published_rate
    if published is not None and "Exchange/MailItemsAccessed" in shown:
        rows.append(
            [
                "published rate, Exchange/MailItemsAccessed",
                f"{published.low:g}–{published.high:g} {published.unit}",
                "published",
                _cite(published.source),
            ]
        )
    for one in result.scenarios:
        for change in one.scenario.changes:
            if isinstance(change, Assume):
                span = (
                    f" ({change.low.normalize():f}–{change.high.normalize():f})" if change.low and change.high else ""
                )
                value = f"{change.value.normalize():f}{span}"
                rows.append([f"{one.scenario.id}: {change.what}, {change.about}", value, "assumed", change.reason])
    weights = result.model.weights.mean
    holiday = catalog.priors().holiday_worked
    rows.append(["a Saturday, a Sunday, in weekdays", ", ".join(f"{w:.2f}" for w in weights[1:3]),
                 "partly_measured" if result.tenant.sample is not None else "published", _cite("town")])  # fmt: skip
    rows.append(["a holiday, in weekdays", f"{weights[3]:.2f}", holiday.basis, _cite(holiday.source)])
    return Section("Where the figures come from", headers=["figure", "value", "basis", "source"], rows=rows)


def priors_section() -> Section:
    """What the forecast takes for what no sample shows: every prior, in short, with its value and source."""
    priors = catalog.priors()
    rows = []
    for each in fields(priors):
        prior: Prior = getattr(priors, each.name)
        # The clause that says what it is; where it names another prior, that name in words.
        meaning = re.split(r"[:;.] |, where", prior.meaning, maxsplit=1)[0].replace("_", " ")
        rows.append([meaning, _valued(prior), prior.basis, catalog.sources()[prior.source].title.split(":")[0]])
    return Section(
        "What a sample cannot show",
        words=[
            "The forecast draws on these priors where the inputs leave something open.",
            "The delivery factor (records delivered for one distinct record) is 1 unless the sample shows copies.",
            "List prices are held for the whole horizon, save where a plan dates their end.",
        ],
        headers=["prior", "value", "basis", "source"],
        rows=rows,
    )


def _valued(prior: Prior) -> str:
    span = "" if prior.low is None or prior.high is None else f" ({prior.low:g}–{prior.high:g})"
    return f"{prior.value:g}{span} {prior.unit}"


def _cite(source_id: str) -> str:
    source = catalog.sources()[source_id]
    return f"{source.title}{f', {source.url}' if source.url else ''} ({source.dated or source.read})"
