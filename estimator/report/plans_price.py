"""A bill of plain usage as `plans price` prints it: the JSON contract `siem-estimator/price/1` and its like."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from estimator.plans_figures import unit_of
from estimator.plans_price import PricedUsage
from estimator.report.layout import Section, as_markdown, as_table, no_formula
from pricing import Charge
from pricing.money import money, plain, short

_COLUMNS = ("month", "meter", "stream", "quantity", "unit", "unit_price", "amount", "currency", "price_from", "sources",
            "note")  # fmt: skip

#: A longer note stands under the table.
_NOTE = 80

#: How long a unit is held, where that is no whole number of periods: "for 1 month and 15 of 31 days".
_PARTS = re.compile(r" for (.+ of \d+ days)$")


def text(priced: PricedUsage, form: str) -> str:
    """The bill in one of the formats, ending in a line break."""
    if form == "json":
        return json.dumps(to_json(priced), indent=2, ensure_ascii=False) + "\n"
    if form == "csv":
        return _csv(priced)
    sections = list(_sections(priced))
    return as_markdown(sections) if form == "markdown" else as_table(sections)


def to_json(priced: PricedUsage) -> dict[str, Any]:
    """The JSON contract `siem-estimator/price/1`; `total` as it is shown, all else unrounded."""
    days, made = priced.usage.days, priced.bill
    return {
        **made.to_json(),
        "version": version("siem-estimator"),
        "as_of": priced.offered.as_of.isoformat(),
        "title": priced.offered.plan.title,
        "checked_on": priced.offered.plan.checked_on.isoformat(),
        "from": days[0].isoformat(),
        "to": days[-1].isoformat(),
        "days": len(days),
        "gb": {stream: plain(sum(series, Decimal(0))) for stream, series in priced.usage.gb.items()},
        "by_volume": priced.by_volume,
        "at_least": priced.offered.at_least,
        "months": {month: plain(amount) for month, amount in made.by_month().items()},
        "warnings": list(priced.warnings),
    }


def _csv(priced: PricedUsage) -> str:
    """One row a charge, unrounded: of each meter, month and price."""
    file = io.StringIO()
    writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for charge in priced.bill.charges:
        row = charge.to_json() | {"currency": priced.bill.currency, "sources": " ".join(charge.sources)}
        writer.writerow({name: no_formula(str(row[name] if row[name] is not None else "")) for name in _COLUMNS})
    return file.getvalue()


def _sections(priced: PricedUsage) -> Iterator[Section]:
    made, plan, days = priced.bill, priced.offered.plan, priced.usage.days
    total = f"{money(made.total, made.currency):,} {made.currency}"
    volume = sum((sum(series, Decimal(0)) for series in priced.usage.gb.values()), Decimal(0))
    gb = "GB" if plan.gb_bytes == 10**9 else "GB of 10^9 bytes"
    words = [
        f"{'At least ' if priced.offered.at_least else ''}{total} for {days[0]} to {days[-1]} ({len(days):,} days), "
        f"list prices checked on {plan.checked_on}, tax excluded.",
        f"{short(volume)} {gb} in all, {short(volume / len(days))} a day: " + ", ".join(priced.usage.gb) + ".",
    ]
    if plan.commitment is not None:
        chosen = "pay-as-you-go" if made.commitment == "none" else f"the {made.commitment} GB tier"
        words.append(f"Commitment: {chosen}.")
    if not priced.by_volume:
        words.append(f"Charged by {unit_of(plan.meters[plan.ingest])}: more or fewer events cost the same.")
    words += [f"Warning: {warning}" for warning in priced.warnings]
    yield Section(plan.title, level=1, words=[*words, *made.notes])
    charges = _merged(priced)
    rows = [
        [charge.meter, charge.stream or "", short(charge.quantity), charge.unit,
         "" if charge.unit_price is None else _price(charge.unit_price), f"{money(charge.amount, made.currency):,}",
         " ".join(charge.sources), charge.note if len(charge.note) <= _NOTE else "see below"]
        for charge in charges
    ]  # fmt: skip
    headers = ["meter", "stream", "quantity", "unit", "price", made.currency, "source", "note"]
    long = [f"{charge.stream or charge.meter}: {charge.note}" for charge in charges if len(charge.note) > _NOTE]
    yield Section("Charges", words=_how_parts_multiply(rows), headers=headers, rows=rows)
    if long:
        yield Section("Notes on charges", words=list(dict.fromkeys(long)))
    if len(made.months) > 1:
        rows = [[month, f"{money(amount, made.currency):,}"] for month, amount in made.by_month().items()]
        yield Section("By month", headers=["month", made.currency], rows=rows)
    cited = dict.fromkeys(id_ for charge in made.charges for id_ in charge.sources)
    sources = [
        f"[{id_}] {source.title}, {source.url} (read {source.read}, confidence {source.confidence})"
        for id_, source in plan.sources.items()
        if id_ in cited
    ]
    if sources:
        yield Section("Sources", words=sources)


def _how_parts_multiply(rows: list[list[str]]) -> list[str]:
    """How the amount of a line follows that holds a part of a period, shown with the first of them."""
    for _, _, quantity, unit, price, amount, *_ in rows:
        if found := _PARTS.search(unit):
            parts = found[1].removesuffix(" days").replace(" days and ", " and ").split(" and ")
            times = [part.replace(" of ", "/") if " of " in part else part.partition(" ")[0] for part in parts]
            part = times[0] if len(times) == 1 else f"({' + '.join(times)})"
            return [
                'Where a unit says "for … of … days", the amount is quantity × price × that part of the month or year: '
                f"{quantity} × {price} × {part} = {amount}."
            ]
    return []


def _price(amount: Decimal) -> str:
    text = plain(amount)
    return text if len(text.partition(".")[2]) >= 2 else f"{amount:.2f}"


def _in_words(same: list[Charge]) -> tuple[Decimal, str]:
    """Quantity and unit of what is held for a while, such that quantity × price is the amount wherever it can be.

    Whole periods are multiplied: 12 "fee-months"; 24 "user-months: 2 for 12 months". One period needs no word more:
    2 "SVC for 1 year". A part of one would be a fraction that cannot be shown whole, and stands in the unit as it is:
    2 "SVC for 31 of 365 days", to be multiplied as the words above the table say.
    """
    first = same[0].held
    assert first is not None
    days: dict[int, int] = {}
    for charge in same:
        if charge.held is not None:
            days[charge.held.length] = days.get(charge.held.length, 0) + charge.held.days
    whole = sum(held // length for length, held in days.items())
    spans = [f"{whole} {first.per}{'s' * (whole != 1)}"] if whole else []
    spans += [f"{held % length} of {length} days" for length, held in days.items() if held % length]
    if whole > 1 and len(spans) == 1:
        unit = f"{first.unit}-{first.per}s"
        return first.units * whole, unit if first.units == 1 else f"{unit}: {short(first.units)} for {spans[0]}"
    return first.units, f"{first.unit} for {' and '.join(spans)}"


def _merged(priced: PricedUsage) -> list[Charge]:
    """Charges that are alike in all but their month, added up."""
    plan = priced.offered.plan
    alike: dict[tuple[object, ...], list[Charge]] = {}
    for charge in priced.bill.charges:
        held = charge.held and (charge.held.units, charge.held.unit, charge.held.per)
        key = (charge.meter, charge.stream, charge.unit, charge.unit_price, charge.price_from, charge.sources, held)
        alike.setdefault(key, []).append(charge)
    merged = []
    for same in alike.values():
        first, notes = same[0], {charge.note for charge in same}
        title = plan.meters[first.meter].title if first.meter in plan.meters else first.note.partition(" on ")[0]
        # A percentage is the same in every month and no sum.
        quantity = first.quantity if first.unit == "%" else sum((c.quantity for c in same), Decimal(0))
        unit = first.unit
        if first.held is not None:
            quantity, unit = _in_words(same)
        merged.append(
            replace(
                first,
                quantity=quantity,
                unit=unit,
                amount=sum((c.amount for c in same), Decimal(0)),
                note=first.note if len(notes) == 1 else title,
            )
        )
    return sorted(merged, key=lambda charge: charge.unit == "%")
