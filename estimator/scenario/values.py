"""The checked values that the tables of a scenario file share: days, feeds, operations, amounts, names.

Each says twice what it takes: to the loader, in words that help, and to the JSON Schema, as far as one can say it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from estimator import catalog
from estimator.errors import UsageError
from pricing.money import CURRENCIES
from pricing.prices import nearest, refuse

NEWLY_AVAILABLE = "newly-available"


class Part(BaseModel):
    """A table of a scenario file: strictly typed, immutable, and closed to keys it does not know."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


@dataclass(frozen=True)
class Keywords:
    """What the JSON Schema says of a value that a validator of ours checks.

    They are asked for only when the schema is made: reading the catalogue would cost every start of the program.
    """

    ask: Callable[[], dict[str, Any]]

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), **self.ask()}


@dataclass(frozen=True)
class Written:
    """Text that is written in one way: the whole of it matches `pattern`, which `expected` says in words."""

    pattern: str
    expected: str

    def _check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise refuse(f"found {value!r}", self.expected)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), "pattern": f"^(?:{self.pattern})$"}


def _day(value: object) -> object:
    """TOML dates only (a date-time would silently drop its hour), of the years a forecast can mean."""
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise refuse(f"found {value!r}", "a date such as 2027-01-01, without quotes")
    if not 2000 <= value.year < 2100:
        raise refuse(f"found {value}", "a day of the years 2000 to 2099")
    return value


def _feed(value: str) -> str:
    try:
        return catalog.feed(value).id
    except UsageError as error:
        raise refuse(error.found, error.expected, error.mend) from error


def _operation(value: str) -> str:
    if value == NEWLY_AVAILABLE:
        return value
    try:
        return catalog.operation(value).id
    except UsageError as error:
        expected = f"{NEWLY_AVAILABLE!r}, or {error.expected}"
        raise refuse(error.found, expected, nearest(value, [NEWLY_AVAILABLE]) or error.mend) from error


def _one_operation(value: str) -> str:
    try:
        return catalog.operation(value).id
    except UsageError as error:
        raise refuse(error.found, error.expected, error.mend) from error


def _sku(value: str) -> str:
    sku = catalog.licence_tier(value)
    if sku is None:
        names = [one.part_number for one in catalog.licences().values()]
        raise refuse(
            f"{value!r} is no licence the catalogue knows",
            "a part number, GUID or product name such as 'SPE_E5'",
            nearest(value.upper(), names),
        )
    return sku.part_number


def _currency(value: str) -> str:
    if value not in CURRENCIES:
        raise refuse(
            f"{value!r} is not a currency", "an ISO 4217 code such as 'USD'", nearest(value.upper(), CURRENCIES)
        )
    return value


def _number(value: object) -> object:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def as_tuple(value: object) -> object:
    """TOML gives lists; the types hold tuples."""
    return tuple(value) if isinstance(value, list) else value


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        raise refuse(f"found {value!r}", "a time zone such as America/Denver", nearest(value, available_timezones()))
    return value


def _no_control_characters(value: str) -> str:
    if not value.isprintable():
        raise refuse(f"found {value!r}", "one line without control characters")
    return value


def _once(items: tuple[Any, ...]) -> tuple[Any, ...]:
    ids = [item.id for item in items]
    if twice := [id_ for n, id_ in enumerate(ids) if id_ in ids[:n]]:
        raise refuse(f"{twice[0]!r} stands twice", "each once")
    return items


#: Of a list whose members have ids: each id once. The JSON Schema sees only whole members that are alike.
Once = AfterValidator(_once)
UNIQUE = Keywords(lambda: {"uniqueItems": True})

Day = Annotated[dt.date, BeforeValidator(_day), Keywords(lambda: {"pattern": "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"})]
FeedId = Annotated[str, AfterValidator(_feed), Keywords(lambda: {"enum": list(catalog.feeds())})]
Operation = Annotated[
    str, AfterValidator(_operation), Keywords(lambda: {"enum": [NEWLY_AVAILABLE, *catalog.operations()]})
]
OneOperation = Annotated[str, AfterValidator(_one_operation), Keywords(lambda: {"enum": list(catalog.operations())})]
# Licences come and go by the month, and names of products do as well: the schema knows only that it is text.
Sku = Annotated[str, Field(min_length=1), AfterValidator(_sku)]
# The bound keeps a typo such as 1e999 from costing a gigabyte of digits. Constraints stand before validators: only then
# does the JSON Schema have them.
Number = Annotated[Decimal, Field(lt=10**12), BeforeValidator(_number)]
Amount = Annotated[Decimal, Field(ge=0, lt=10**12), BeforeValidator(_number)]
Positive = Annotated[Decimal, Field(gt=0, lt=10**12), BeforeValidator(_number)]
Percent = Annotated[Decimal, Field(ge=0, le=100), BeforeValidator(_number)]
#: Percent a year; nothing shrinks by all of it, and what grows tenfold is a typing mistake.
Growth = Annotated[Decimal, Field(gt=-100, le=1000), BeforeValidator(_number)]
Currency = Annotated[str, AfterValidator(_currency), Keywords(lambda: {"enum": sorted(CURRENCIES)})]
# Which time zones there are depends on the machine's copy of the database, so the schema knows only how one is written.
TimeZone = Annotated[
    str, AfterValidator(_time_zone), Keywords(lambda: {"pattern": "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"})
]
Title = Annotated[
    str,
    AfterValidator(_no_control_characters),
    Keywords(lambda: {"pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$"}),
]


def expand(operations: Sequence[str]) -> Iterator[str]:
    """The keys that operations of a change mean, `newly-available` written out."""
    for key in operations:
        if key == NEWLY_AVAILABLE:
            yield from catalog.newly_available()
        else:
            yield catalog.operation(key).id


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day some months on, or the last of that month where it has no such day."""
    total = day.year * 12 + day.month - 1 + months
    year, month = divmod(total, 12)
    return min(
        day.replace(day=1, year=year, month=month + 1) + dt.timedelta(days=day.day - 1),
        (dt.date(year + (month == 11), (month + 1) % 12 + 1, 1) - dt.timedelta(days=1)),
    )
