"""An estimate as sections of headed tables: what the terminal, Markdown and later the workbook show alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields

import numpy as np

from estimator import catalog
from estimator.catalog import Prior
from estimator.cost import Case, Cost
from estimator.forecast import Spread
from estimator.pipeline import Estimate, ScenarioEstimate
from estimator.report.figures import interval, is_saving, money, money_interval, money_of, significant, turned
from estimator.report.layout import Section, findings_section


def sections(result: Estimate) -> Iterator[Section]:
    """The sections of an estimate, headline first."""
    yield _head(result)
    for one in result.scenarios:
        yield from scenario_sections(one)
    yield _emitting(result)
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
    yield _sources(result)
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
    return Section("SIEM volume and cost estimate", level=1, words=words)


def scenario_sections(one: ScenarioEstimate) -> Iterator[Section]:
    """What one scenario comes to: headline, volumes, months, cost, bills."""
    story = one.scenario
    yield Section(
        f"Scenario {story.id}: {story.title}",
        words=[f"{story.start} to {one.forecast.days[-1].date()}, {story.months} months.", *_headline(one)],
    )
    yield _volume(one)
    yield _by_month(one)
    if one.costs:
        yield _costs(one)
        yield from _bills(one)


def _headline(one: ScenarioEstimate) -> Iterator[str]:
    at_least = "at least " if one.at_least else ""
    for use in one.forecast.uses:
        saves = one.forecast.saves(use.feed.id)
        total = one.forecast.total(use.feed.id, "added")
        events, gb = (Spread.of(draws.sum(axis=0)) for draws in (total.events, total.gb))
        if events.mean or not saves:
            yield (
                f"{use.feed.id}: {at_least}{significant(events.mean)} events{_within(interval(events))} and "
                f"{significant(gb.mean)} GB{_within(interval(gb))} added."
            )
        if saves:
            total = one.forecast.total(use.feed.id, "saved")
            events, gb = (Spread.of(draws.sum(axis=0)) for draws in (total.events, total.gb))
            yield (
                f"{use.feed.id}: {significant(events.mean)} events{_within(interval(events))} and "
                f"{significant(gb.mean)} GB{_within(interval(gb))} saved of what flows today; what investigators lose "
                "stands under the findings."
            )
    for cost in whole_bills(one):
        spread, month = Spread.of(cost.added.sum(axis=0)), Spread.of(cost.added.mean(axis=0))
        unit = cost.plan.currency
        least = "at least " if means_at_least(one, cost) else ""
        verb = "added"
        if is_saving(spread):
            verb, least, spread, month = "saved", "", turned(spread), turned(month)
        words = (
            f"{cost.plan.title}, {_feeds(cost)}: {least}{unit} {money_of(spread)} {verb} in all"
            f"{_within(money_interval(spread))}, {unit} {money_of(month)} a month{rising_to(cost)}."
        )
        if cases := differing(cost):
            both = [Spread.of(cost.added.sum(axis=0)), *(case.added for case in cases)]
            ends = sorted(both, key=lambda end: end.mean)
            words += (
                f" From {unit} {money_of(ends[0])} to {unit} {money_of(ends[-1])} depending on: "
                f"{'; '.join(case.title for case in cases)}."
            )
        yield words


def _within(span: str) -> str:
    """An interval in brackets; nothing where it is one value."""
    return f" ({span})" if "–" in span else ""


def differing(cost: Cost) -> list[Case]:
    """The open cases that come to another amount than the figure: by a cent and a hundredth of it at least."""
    figure = float(cost.added.sum(axis=0).mean())

    def far(other: float) -> bool:
        return abs(other - figure) >= max(0.01, 0.01 * max(abs(other), abs(figure)))

    return [case for case in cost.cases if far(case.added.mean)]


def rising_to(cost: Cost) -> str:
    """What follows a mean month where the month at the end is another: alone it would understate what is paid on."""
    mean, end = Spread.of(cost.added.mean(axis=0)), cost.run_rate()
    if is_saving(mean) and is_saving(end):
        mean, end = turned(mean), turned(end)
    unlike = abs(end.mean - mean.mean) > 0.1 * abs(mean.mean)
    return f" on average, {money_of(end)} at the end" if unlike else ""


def means_at_least(one: ScenarioEstimate, cost: Cost) -> bool:
    """Whether a cost is a lower bound worth saying: it lacks operations, is not 0, and no open case lies below it."""
    figure = float(cost.added.sum(axis=0).mean())
    return one.at_least and figure != 0 and not any(case.added.mean < figure for case in cost.cases)


def _volume(one: ScenarioEstimate) -> Section:
    """One row an operation and feed: what flows already beside what is added, and what is saved of it."""
    by = {(v.feed, v.operation, v.flow): v for v in one.horizon if v.events.mean > 0}
    keys = dict.fromkeys((feed, operation) for feed, operation, _ in by)
    order = {use.feed.id: n for n, use in enumerate(one.forecast.uses)}

    def size(key: tuple[str, str]) -> tuple[int, float, float]:
        added, already = (by.get((*key, flow)) for flow in ("added", "already"))
        return order[key[0]], -(added.gb.mean if added else 0), -(already.gb.mean if already else 0)

    saves = any(one.forecast.saves(use.feed.id) for use in one.forecast.uses)
    rows = []
    for feed, operation in sorted(keys, key=size):
        already, added, saved = (by.get((feed, operation, flow)) for flow in ("already", "added", "saved"))
        rows.append(
            [
                feed,
                operation,
                *([significant(already.events.mean), significant(already.gb.mean)] if already else ["", ""]),
                *(
                    [significant(added.events.mean), interval(added.events), significant(added.gb.mean),
                     interval(added.gb), added.basis]
                    if added
                    else ["", "", "", "", ""]
                ),
                *([significant(saved.events.mean), significant(saved.gb.mean)] if saved else ["", ""])[: 2 * saves],
            ]
        )  # fmt: skip
    return Section(
        f"Volume over the {one.scenario.months} months",
        level=3,
        headers=["feed", "operation", "flowing: events", "GB", "added: events", "P10 – P90", "GB", "P10 – P90",
                 "added rests on", *["saved: events", "GB"][: 2 * saves]],
        rows=rows,
    )  # fmt: skip


def _by_month(one: ScenarioEstimate) -> Section:
    """Means of volumes add up over operations; their quantiles do not, and so stand only where draws were added."""
    bills = whole_bills(one)
    headers = ["month"]
    for use in one.forecast.uses:
        net = " less saved" if one.forecast.saves(use.feed.id) else ""
        headers += [f"{use.feed.id}: events{net}", "GB"]
    for cost in bills:
        headers += [f"{cost.plan.id}: {cost.plan.currency}", "P10 – P90"]
    rows = []
    for number, month in enumerate(one.forecast.months):
        row = [month]
        for use in one.forecast.uses:
            sign = {"added": 1.0, "saved": -1.0}
            mine = [v for v in one.monthly if (v.month, v.feed) == (month, use.feed.id) and v.flow in sign]
            row += [
                significant(sum(sign[v.flow] * v.events.mean for v in mine)),
                significant(sum(sign[v.flow] * v.gb.mean for v in mine)),
            ]
        for cost in bills:
            added = Spread.of(cost.added[number])
            row += [money_of(added), money_interval(added)]
        rows.append(row)
    return Section("Added by month", level=3, headers=headers, rows=rows)


def _costs(one: ScenarioEstimate) -> Section:
    budget = one.scenario.budget
    rows = []
    for cost in one.costs:
        without, with_, added = (Spread.of(x.sum(axis=0)) for x in (cost.without, cost.with_, cost.added))
        row = [cost.plan.id, _feeds(cost), cost.plan.currency, money_of(without), money_of(with_),
               money_of(added), money_interval(added), money_of(cost.run_rate())]  # fmt: skip
        if budget is not None:
            row.append("–" if cost.over_budget is None else f"{cost.over_budget:.0%}")
        rows.append(row)
        for case in cost.cases:
            other = ["", f"  if {case.title}", cost.plan.currency, "", "", money_of(case.added),
                     money_interval(case.added), ""]  # fmt: skip
            rows.append(other + ([""] if budget is not None else []))
    headers = ["plan", "feeds", "currency", "without", "with", "added", "P10 – P90", "added a month at the end"]
    words = [_at_the_end(one.costs)]
    if budget is not None:
        headers.append("chance of a month over budget")
        limit = money(float(budget.monthly))
        words.append(
            f"Budget: {budget.currency} {f'{budget.monthly:f}' if limit.startswith('<') else limit} a month on what is "
            f"{'added' if budget.applies_to == 'added' else 'billed in all'}, held at {budget.quantile}."
        )
    return Section(f"Cost over the {one.scenario.months} months", level=3, words=words, headers=headers, rows=rows)


def _at_the_end(costs: Sequence[Cost]) -> str:
    """From which days the month at the end is taken; the feeds of a scenario may have their last change apart."""
    taken = []
    for cost in costs:
        months = cost.run.months
        if not months:
            taken.append(f"the last {cost.run.days} days, the only ones after the last change")
        else:
            taken.append(months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}")
    return f"The month at the end is a mean month of {' or '.join(dict.fromkeys(taken))}."


def _bills(one: ScenarioEstimate) -> Iterator[Section]:
    for cost in whole_bills(one):
        rows = [
            [line.meter, line.stream or "",
             f"{line.quantity.normalize():f}" if line.unit == "%" else significant(float(line.quantity)), line.unit,
             "" if line.unit_price is None else f"{line.unit_price:,f}", money(float(line.amount), 0),
             str(line.price_from or ""), line.sources[0] if line.sources else ""]
            for line in cost.lines
        ]  # fmt: skip
        yield Section(
            f"The bill with the scenario at mean volumes, {cost.plan.id}",
            level=3,
            words=list(dict.fromkeys([*cost.notes, *(line.note for line in cost.lines if line.amount and line.note)])),
            headers=["meter", "stream", "quantity", "unit", "unit price", f"amount, {cost.plan.currency}",
                     "price from", "source"],
            rows=rows,
        )  # fmt: skip


def _feeds(cost: Cost) -> str:
    return " + ".join(cost.feeds)


def _emitting(result: Estimate) -> Section:
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


def _sources(result: Estimate) -> Section:
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


def whole_bills(one: ScenarioEstimate) -> list[Cost]:
    """For each plan the bill of all its feeds together."""
    largest: dict[str, Cost] = {}
    for cost in one.costs:
        if cost.plan.id not in largest or len(cost.feeds) > len(largest[cost.plan.id].feeds):
            largest[cost.plan.id] = cost
    return list(largest.values())
