"""Price tables as `plans list` and `plans show` print them, and what those share with `plans check`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

from estimator.errors import NoPriceError
from estimator.plans import Offered
from estimator.plans_figures import IN_CREDITS, Priced
from estimator.report.layout import Section, as_markdown, as_table, no_formula
from pricing import Plan
from pricing.examples import ExampleResult
from pricing.money import plain
from pricing.prices import Price


def listed(plans: Sequence[Offered], form: str) -> str:
    """The plans there are, in one of the formats, ending in a line break."""
    rows = [_row(one) for one in plans]
    if form == "json":
        return as_json({"schema": "siem-estimator/plans/1", "plans": rows}, plans)
    if form == "csv":
        return as_csv([{**row, "open": ";".join(row["open"])} for row in rows])
    return laid_out(_list_sections(plans), form)


def shown(one: Offered, form: str) -> str:
    """All that is known of a plan, and from where, in one of the formats, ending in a line break."""
    if form == "json":
        worked, failed = _worked(one)
        body: dict[str, Any] = {
            "schema": "siem-estimator/plan/1",
            **_row(one),
            "prices": [_price_row(one.plan, figure, price) for figure in one.priced for price in figure.prices],
            "rules": [{"place": rule.place, "value": rule.value, "meaning": rule.meaning} for rule in one.rules],
            "notes": list(one.plan.notes),
            "sources": {id_: source.model_dump(mode="json") for id_, source in one.plan.sources.items()},
            "streams": {id_: stream.model_dump(mode="json") for id_, stream in one.plan.streams.items()},
            "grants": {id_: grant.model_dump(mode="json") for id_, grant in one.plan.grants.items()},
            "examples": [example_json(result) for result in worked],
            "examples_not_worked": failed,
        }
        return as_json(body, [one])
    if form == "csv":
        return as_csv(
            [_price_row(one.plan, figure, price) for figure in one.priced for price in figure.prices or (None,)]
        )
    return laid_out(_show_sections(one), form)


def as_json(body: dict[str, Any], plans: Sequence[Offered]) -> str:
    """A JSON contract with the version and the day, ending in a line break."""
    stamp = {"schema": body["schema"], "version": version("siem-estimator")}
    if plans:
        stamp["as_of"] = plans[0].as_of.isoformat()
    return json.dumps({**stamp, **body}, indent=2, ensure_ascii=False) + "\n"


def as_csv(rows: Sequence[dict[str, Any]], columns: Sequence[str] | None = None) -> str:
    """Rows as CSV; texts are no formulas."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return file.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return truth(value)
    return "" if value is None else no_formula(str(value))


def truth(value: bool) -> str:
    """A truth as CSV has it."""
    return "true" if value else "false"


def laid_out(sections: Iterator[Section], form: str) -> str:
    """Sections as Markdown or for a terminal."""
    return as_markdown(sections) if form == "markdown" else as_table(sections)


# ------------------------------------------------------------------ list


def _row(one: Offered) -> dict[str, Any]:
    plan, first = one.plan, one.headline
    price = None if first is None else first.on(one.as_of)
    return {
        "id": plan.id,
        "title": plan.title,
        "siem": plan.siem,
        "region": plan.region,
        "currency": plan.currency,
        "charged_by": plan.in_its_gb(one.charged_by),
        "headline_price": None if price is None else plain(price.amount),
        "headline_unit": None if first is None else plan.in_its_gb(first.unit),
        "checked_on": plan.checked_on.isoformat(),
        "age_days": one.age_days,
        "stale": one.stale,
        "at_least": one.at_least,
        "open": [figure.place for figure in one.open],
        "reference": plan.reference,
        "origin": one.origin,
    }


def _list_sections(plans: Sequence[Offered]) -> Iterator[Section]:
    rows = [
        [one.plan.id, one.plan.title, one.plan.region, one.plan.currency,
         one.plan.in_its_gb(one.charged_by), _headline(one),
         str(one.plan.checked_on), _age(one), _mark(one)]
        for one in plans
    ]  # fmt: skip
    words = [f"{len(plans)} plans as of {plans[0].as_of}; list prices, tax excluded." if plans else "There are none."]
    headers = ["id", "title", "region", "currency", "charged by", "first price", "checked on", "age", "mark"]
    yield Section("Price tables", level=1, words=words, headers=headers, rows=rows)
    legend = []
    if any(one.stale for one in plans):
        legend.append("stale: checked so long ago that it should be compared with its sources again.")
    if any(one.open for one in plans):
        legend.append("open: a price is not known, only what it is for; `plans show ID` says what to ask for.")
    if any(one.at_least for one in plans):
        legend.append('at least: the prices are floors ("as low as"), or one is not known; a bill says "at least".')
    if legend:
        yield Section("Marks", words=legend)


def _headline(one: Offered) -> str:
    first = one.headline
    if first is None:
        return "open"
    # A price without bands stands alone; of bands, the first that is known and the last tell the range.
    meter = first.place.partition(".")[0]
    bands = [figure for figure in one.priced if figure.place.partition(".")[0] == meter]
    known = [price for figure in bands if (price := figure.on(one.as_of)) is not None]
    if not known:
        return "open"
    start, end = known[0], known[-1]
    unit = one.plan.in_its_gb(first.unit)
    unit = f"credits per {unit.removesuffix(IN_CREDITS)}" if unit.endswith(IN_CREDITS) else f"per {unit}"
    said = f"{_amount(start)} {unit}"
    if end.amount != start.amount:
        said = f"from {said} {'down' if end.amount < start.amount else 'up'} to {_amount(end)}"
    return f"at least {said}" if one.at_least else said


def _amount(price: Price) -> str:
    """An amount as the plan's file prints it, with two decimals at the least."""
    text = f"{price.amount:f}"
    return text if len(text.partition(".")[2]) >= 2 else f"{price.amount:.2f}"


def _age(one: Offered) -> str:
    return f"{one.age_days} day{'s' * (one.age_days != 1)}" if one.age_days >= 0 else "to come"


def _mark(one: Offered) -> str:
    marks = {"stale": one.stale, "open": bool(one.open), "at least": one.at_least}
    return ", ".join(mark for mark, holds in marks.items() if holds)


# ------------------------------------------------------------------ show


def _price_row(plan: Plan, figure: Priced, price: Price | None) -> dict[str, Any]:
    return {
        "place": figure.place,
        "title": figure.title,
        "unit": plan.in_its_gb(figure.unit),
        "amount": None if price is None else plain(price.amount),
        "from": None if price is None else price.start.isoformat(),
        "until": None if price is None or price.until is None else price.until.isoformat(),
        "source": None if price is None else price.source,
    }


def _show_sections(one: Offered) -> Iterator[Section]:
    plan = one.plan
    unit = f"A GB is {plan.gb_bytes:,} bytes of what the SIEM counts ({plan.size_basis})."
    words = [
        f"{plan.id}: SIEM {plan.siem}, region {plan.region}, prices in {plan.currency}, tax excluded.",
        plan.in_its_gb(f"Charged by {one.charged_by}. {unit}"),
        f"Checked on {plan.checked_on}, {_age(one)} before {one.as_of}"
        + (": stale, compare it with its sources again." if one.stale else "."),
    ]
    if one.at_least:
        words.append('Its prices are floors, or lack one that is not known: bills say "at least".')
    if one.origin != "shipped":
        words.append(f"Read from {one.origin}.")
    yield Section(plan.title, level=1, words=[*words, *plan.notes])
    if one.open:
        yield _left_open(one)
    rows = [
        [
            figure.place,
            figure.title,
            _amount(price),
            plan.in_its_gb(figure.unit),
            str(price.start),
            str(price.until or ""),
            price.source,
        ]
        for figure in one.priced
        for price in figure.prices
    ]
    if rows:
        headers = ["price", "of", "amount", "per", "from", "until", "source"]
        yield Section("Prices", headers=headers, rows=rows)
    rules = [[rule.place, rule.value, rule.meaning] for rule in one.rules]
    yield Section("Rules", headers=["key", "value", "what it means"], rows=rules)
    for name, stream in plan.streams.items():
        goes = "free to ingest" if stream.ingest == "free" else f"charged by {stream.ingest}"
        yield Section(f"Stream {name}", level=3, words=[f"{goes}. {stream.why} [{stream.source}]"])
    for id_, grant in plan.grants.items():
        words = [
            f"{grant.title}: {plain(grant.gb_per_day_each)} GB a day per {grant.per}. [{grant.source}]",
            f"Covers {', '.join(grant.streams)}.",
        ]
        yield Section(f"Grant {id_}", level=3, words=[*words, *([grant.note] if grant.note else [])])
    worked, failed = _worked(one)
    if worked or failed:
        yield Section("Worked examples", words=failed, headers=EXAMPLE, rows=example_rows(worked))
    yield Section(
        "Sources",
        words=[
            f"[{id_}] {source.title}, {source.url} (read {source.read}, confidence {source.confidence})"
            + (f". {source.note}" if source.note else "")
            for id_, source in plan.sources.items()
        ],
    )


def _left_open(one: Offered) -> Section:
    plan = one.plan
    words = [
        f"{figure.place} ({figure.title}): no price per {plan.in_its_gb(figure.unit)} is known from a source fit to "
        "be shipped."
        for figure in one.open
    ]
    words.append(
        f"Ask the vendor, or who sells it to you, for a quote in {plan.currency} for the region and the term. Then "
        "copy the plan, enter each price with the day it holds from, a [sources.ID] with a urn:… address of the "
        "quote, and an [[examples]] with usage and a total of that quote, check it with `plans check FILE`, and name "
        "it with --plan FILE or `plans price FILE`."
    )
    return Section("Left open", words=words)


#: Heads of the table of worked examples.
EXAMPLE = ["example", "expected", "computed", "holds"]


def _worked(one: Offered) -> tuple[list[ExampleResult], list[str]]:
    """The examples as they come out; in place of those that cannot be billed, why."""
    try:
        return one.examples(), []
    except NoPriceError as error:
        return [], [f"not worked: {error}"]


def example_rows(results: Sequence[ExampleResult]) -> list[list[str]]:
    """Worked examples as rows under `EXAMPLE`."""
    return [[r.title, str(r.expected), str(r.found), "yes" if r.holds else "NO"] for r in results]


def example_json(result: ExampleResult) -> dict[str, Any]:
    """A worked example as the JSON contracts have it."""
    return {
        "title": result.title,
        "expected": str(result.expected),
        "found": str(result.found),
        "holds": result.holds,
    }
