"""From what pydantic found wrong to what a person needs: the place, what stands there, what should, how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pricing.errors import PlanError
from pricing.prices import nearest

_EXPECTED = {
    "bool_type": "true or false",
    "date_type": "a date, written 2026-09-26 without quotes",
    "decimal_type": "a number, written without quotes",
    "decimal_max_places": "at most 12 decimals",
    "dict_type": "a table",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "is_instance_of": "a number, written without quotes",
    "model_type": "a table",
    "string_too_short": "some text",
    "string_type": "text in quotes",
    "too_short": "at least one",
    "tuple_type": "a list",
}

#: What a text must look like where it must match a pattern of the format, in words; a test knows every pattern.
FORMS = {
    r"\S": "some text",
    r"^[a-z0-9][a-z0-9._-]*$": "small letters, digits, dashes, dots and underscores, the first a letter or digit",
    r"^[a-z][a-z0-9_]*$": "small letters, digits and underscores, the first a letter: 'queried_gb_per_month'",
    r"^(https?://|urn:)\S+$": "an address: https://…, or urn:… for a contract or a quote, without spaces",
}


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[PlanError]:
    """Every problem of a file, in the order pydantic met them.

    Args:
        error: what validation raised.
        model: the type of the whole file, walked to name the keys that would have been right.
    """
    return [_problem(details, model) for details in error.errors(include_url=False) if not _follows(details)]


def _follows(details: ErrorDetails) -> bool:
    """Whether the error only follows from another: a list counts as too short once its items are refused."""
    return details["type"] == "too_short" and bool(details["input"])


def _problem(details: ErrorDetails, model: type[BaseModel]) -> PlanError:
    context = details.get("ctx", {})
    spot = _walk(details["loc"], model)
    match details["type"]:
        case "plan":
            return PlanError(context["found"], place=spot.place, expected=context["expected"], mend=context["mend"])
        case "missing":
            return PlanError("the key is missing", place=spot.place, expected=spot.meaning)
        case "extra_forbidden":
            key = str(details["loc"][-1])
            known = _keys(_walk(details["loc"][:-1], model).kind)
            return PlanError(
                f"the key '{key}' is not known",
                place=spot.place,
                expected=f"one of {', '.join(known)}",
                mend=nearest(key, known),
            )
        case "union_tag_not_found" | "union_tag_invalid":
            tags, key = _members(spot.kind), str(context["discriminator"]).strip("'")
            tag = context.get("tag")
            return PlanError(
                "the key is missing" if tag is None else f"'{tag}' is not a known {key}",
                place=f"{spot.place}.{key}",
                expected=f"one of {', '.join(tags)}",
                mend=None if tag is None else nearest(str(tag), tags),
            )
        case kind:
            expected = (
                _EXPECTED.get(kind)
                or FORMS.get(str(context.get("pattern")))
                or details["msg"].removeprefix("Input should be ").removeprefix("a valid ")
            )
            return PlanError(f"found {_shown(details['input'])}", place=spot.place, expected=expected)


class _Spot(NamedTuple):
    """Where an error lies: its dotted place, the type expected there, and what the key means."""

    place: str
    kind: Any
    meaning: str | None


def _walk(loc: Sequence[int | str], model: type[BaseModel]) -> _Spot:
    # Pydantic's path also names the member of a union it tried, and marks a bad key of a table by "[key]". No file has
    # such a step, so both are left out of the place.
    spot = _Spot("", model, None)
    for step in loc:
        if isinstance(step, int):
            spot = _Spot(f"{spot.place}[{step}]", _inner(spot.kind, 0), spot.meaning)
        elif members := _members(spot.kind):
            spot = spot._replace(kind=members.get(step))
        elif step != "[key]":
            place = f"{spot.place}.{step}" if spot.place else step
            if _is_table(spot.kind):
                field = next((f for name, f in spot.kind.model_fields.items() if (f.alias or name) == step), None)
                spot = _Spot(place, _bare(field.annotation) if field else None, field.description if field else None)
            else:
                spot = _Spot(place, _inner(spot.kind, 1), None)
    return spot


def _is_table(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _keys(kind: Any) -> list[str]:
    return [field.alias or name for name, field in kind.model_fields.items()] if _is_table(kind) else []


def _members(kind: Any) -> dict[str, type[BaseModel]]:
    """The tables a discriminated union chooses from, by their tag."""
    if get_origin(kind) not in (Union, UnionType):
        return {}
    tables = [member for member in get_args(kind) if _is_table(member)]
    literals = [
        {name: get_args(f.annotation) for name, f in table.model_fields.items() if get_origin(f.annotation) is Literal}
        for table in tables
    ]
    # The discriminator is the one literal key that every member has: `model` of a meter.
    shared = set.intersection(*map(set, literals)) if literals else set()
    return {tag: t for t, keys in zip(tables, literals, strict=True) for name in shared for tag in keys[name]}


def _inner(kind: Any, position: int) -> Any:
    arguments = get_args(kind)
    return _bare(arguments[position]) if len(arguments) > position else None


def _bare(kind: Any) -> Any:
    """A type without its annotations, and without the None of an optional one."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        return _bare(members[0]) if len(members) == 1 else kind
    return kind


def _shown(value: object) -> str:
    match value:
        case str():
            return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}…'"
        case bool():
            return str(value).lower()
        case Decimal() | int() | float() | date():
            return str(value)
        case Mapping():
            return "a table"
        case Sequence():
            return f"a list of {len(value)}"
    return type(value).__name__
