"""What a plan file holds, figure by figure and rule by rule, found by walking its types.

So a key that is added to the format is told without a line here; a new shape only needs the unit of its prices.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, assert_never, get_args

from pydantic import BaseModel

from pricing import Plan
from pricing.meters import (
    CapacityAllUnits,
    CapacitySteps,
    ComputeHours,
    DailyCommitment,
    Fee,
    Flat,
    Graduated,
    GreaterOf,
    Meter,
    MonthlyCommitment,
    PerCount,
    PerEvent,
    PrepaidPool,
    Retention,
    Scan,
)
from pricing.prices import Price, in_force

#: What follows the unit of a price that is so many credits.
IN_CREDITS = ", in credits"

#: Tables of a plan that are told in sections of their own, not as rules.
_TOLD_APART = frozenset({"sources", "streams", "grants", "examples", "meters"})
#: Keys of a table inside it by which it is named.
_TELLING = frozenset({"title", "id", "from_gb", "from_units", "up_to", "gb_per_day"})
#: Keys of a plan that its head tells.
_HEAD = frozenset({"schema_version", "id", "title", "notes", "siem", "region", "currency", "checked_on"})


@dataclass(frozen=True)
class Priced:
    """One figure of a plan.

    Attributes:
        place: where it stands, as a bill and a scenario name it: "analytics", "commitment.100", "capacity.from 5".
        title: of its meter.
        unit: what one costs so much: "GB", "calendar day", "GB-month".
        prices: by ascending date; empty where the price is left open.
    """

    place: str
    title: str
    unit: str
    prices: tuple[Price, ...]

    def on(self, day: dt.date) -> Price | None:
        """The price in force on a day; else the one that comes next, else the last there was."""
        later = [price for price in self.prices if price.start > day]
        return in_force(self.prices, day) or next(iter([*later, *self.prices[-1:]]), None)


@dataclass(frozen=True)
class Rule:
    """One key of a plan that is no price: what it says and what the key means."""

    place: str
    value: str
    meaning: str


def rules_of(plan: Plan) -> Iterator[Rule]:
    """Every key that is no price and not left at its default, in the order of the file."""
    yield from _rules(plan, "")


def unit_of(meter: Meter) -> str:
    """What a price of the meter is for, in words."""
    match meter:
        case Flat() | Graduated():
            return "GB"
        case PerEvent():
            return "million events"
        case MonthlyCommitment() | PrepaidPool():
            return "commit unit" if meter.unit == "money" else meter.unit
        case DailyCommitment():
            return "calendar day"
        case CapacityAllUnits():
            return "GB/day and year"
        case PerCount(used_up=True):
            return meter.unit
        case CapacitySteps() | PerCount():
            return f"{meter.unit} and {meter.per}"
        case Retention():
            return meter.unit
        case Fee():
            return meter.per
        case ComputeHours():
            return "core-hour"
        case Scan():
            return f"{meter.priced_unit} read"
        case GreaterOf():
            return f"the dearer of {' and '.join(meter.of)}"
        case _:
            assert_never(meter)


def figures_of(plan: Plan) -> Iterator[Priced]:
    """Every figure of a plan, in the order of its file; of one that is left open too."""
    for id_, meter in plan.meters.items():
        unit = unit_of(meter) + IN_CREDITS * meter.in_credits
        yield from _priced(meter, id_, meter.title, unit)
    for name, field in type(plan).model_fields.items():
        key, value = field.alias or name, getattr(plan, name)
        if key not in _TOLD_APART:
            for step, table in _tables_in(value):
                yield from _priced(table, key + step, str(getattr(table, "title", key)), "")


def _priced(table: BaseModel, place: str, title: str, unit: str) -> Iterator[Priced]:
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        if _holds_prices(field.annotation):
            if value is not None:
                said = re.sub(r"^price (per|of (an?|one|the)) ", "", field.description or "")
                yield Priced(place, title, unit or said, tuple(value))
        else:
            for step, inner in _tables_in(value):
                yield from _priced(inner, place + step, str(getattr(inner, "title", title)), unit)


def _tables_in(value: object) -> Iterator[tuple[str, BaseModel]]:
    """The tables a value holds, each with the step that leads to it."""
    if isinstance(value, BaseModel):
        yield "", value
    elif isinstance(value, dict):
        for key, inner in value.items():
            for step, table in _tables_in(inner):
                yield f".{key}{step}", table
    elif isinstance(value, tuple):
        for number, inner in enumerate(value):
            for step, table in _tables_in(inner):
                yield f"{_step(inner, number)}{step}", table


def _step(table: object, number: int) -> str:
    """How one table of a list is named: by its id, by the size it starts at, else by its number."""
    fields = type(table).model_fields if isinstance(table, BaseModel) else {}
    for name in fields:
        if name == "id":
            return f".{getattr(table, name)}"
        if name.startswith("from_"):
            return f".from {getattr(table, name).normalize():f}"
        if name == "up_to":
            return f".up to {getattr(table, name).normalize():f}"
    return f"[{number}]"


def _holds_prices(annotation: object) -> bool:
    return annotation == tuple[Price, ...] or any(_holds_prices(inner) for inner in get_args(annotation))


def _rules(table: BaseModel, place: str) -> Iterator[Rule]:
    for name, field in type(table).model_fields.items():
        key, value = field.alias or name, getattr(table, name)
        if key in (_TELLING if place else _HEAD | _TOLD_APART - {"meters"}):
            continue
        here = key if not place or place == "meters" else f"{place}.{key}"
        inner = [(step, one) for step, one in _tables_in(value) if not isinstance(one, Price)]
        for step, one in inner:
            yield from _rules(one, step.removeprefix(".") if here == "meters" else here + step)
        told = field.is_required() or value != field.get_default(call_default_factory=True)
        if not inner and told and not _holds_prices(field.annotation):
            yield Rule(here, _said(value), field.description or "")


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_said(inner)}" for key, inner in value.items())
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(_said(inner) for inner in value)
    return str(value)
