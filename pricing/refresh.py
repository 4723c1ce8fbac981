"""Sentinel prices of a region from the public Azure Retail Prices API, as a plan file.

`queries` says what to ask for, `read_pages` turns what came back into prices, `plan_text` writes a plan with them. The
rules of the plan (free streams, grants, how tiers bill) are those of a shipped plan, because no rule is regional; every
price is the region's own, and what the API does not list is left out, never scaled from elsewhere. Nothing here opens a
connection: see `pricing.refresh_http`.

The API: https://learn.microsoft.com/en-us/rest/api/cost-management/retail-prices/azure-retail-prices
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib import resources
from typing import Any
from urllib.parse import quote

from pricing.errors import SiemEstimatorError
from pricing.plan import parse_plan
from pricing.refresh_write import file_text

#: Where the prices are.
ENDPOINT = "https://prices.azure.com/api/retail/prices"

#: The shipped plan whose rules a written one has.
_RULES = "sentinel-uksouth"

#: Currency of the prices. The API gives others "for reference only".
_CURRENCY = "USD"

#: (service, sku, meter, unit) → what it is the price of. Values are case-sensitive ("Data lake", with a small l).
_METERS = {
    ("Sentinel", "Pay-as-you-go", "Pay-as-you-go Analysis", "1 GB"): "analytics",
    ("Sentinel", "Basic Logs", "Basic Logs Analysis", "1 GB"): "basic",
    # Lake ingestion is two meters, and both are charged.
    ("Sentinel", "Data lake ingestion", "Data lake ingestion Data Processed", "1 GB"): "lake_ingestion",
    ("Sentinel", "Data processing", "Data processing Data Processed", "1 GB"): "lake_processing",
    ("Sentinel", "Data lake storage", "Data lake storage Data Stored", "1 GB/Month"): "lake_storage",
    ("Sentinel", "Data lake query", "Data lake query Data Analyzed", "1 GB"): "lake_query",
    # "1 Hour" is an hour of one virtual core.
    ("Sentinel", "Advanced Data Insights", "Advanced Data Insights", "1 Hour"): "advanced_data_insights",
    ("Sentinel", "Graph", "Graph", "1 Hour"): "graph",
    # Retention is a meter of another service.
    ("Log Analytics", "Analytics Logs", "Analytics Logs Data Retention", "1 GB"): "retention",
}
_TIER_SKU = re.compile(r"(\d{1,6}) GB Commitment Tier")
#: What the API lists and no plan charges: meters of plans from before July 2023, and credits.
_PASSED_OVER = re.compile(r"Classic |Free Benefit|Free Trial")

_MOST = Decimal(10) ** 9


class RefreshError(SiemEstimatorError):
    """The price API cannot be read, or what it says cannot be a price list."""


@dataclass(frozen=True)
class Quoted:
    """One price of the API.

    Attributes:
        start: the day it became, or becomes, effective.
        amount: US dollars for one unit.
    """

    start: date
    amount: Decimal


@dataclass(frozen=True)
class Reading:
    """What the API says of a region.

    Attributes:
        region: its name in the API, "westeurope".
        location: its name for people, "EU West".
        read: the day it was read.
        prices: "analytics", "commitment.100", "retention", … → the price in force on that day and those to come.
        passed_over: meters that are no part of a plan, by name.
        unknown: meters this module does not know, by name.
    """

    region: str
    location: str
    read: date
    prices: Mapping[str, tuple[Quoted, ...]]
    passed_over: tuple[str, ...]
    unknown: tuple[str, ...]


def check_region(region: str) -> str:
    """The region, if it can be one: it goes into a filter of the API.

    Raises:
        RefreshError: it holds anything but small letters and digits.
    """
    if not re.fullmatch(r"[a-z0-9]{2,40}", region):
        raise RefreshError(
            f"'{region}'", place="--region", expected="the region as Azure writes it, such as westeurope or eastus2"
        )
    return region


def queries(region: str, endpoint: str = ENDPOINT) -> list[str]:
    """The addresses to read: the meters of Sentinel, and retention, which another service sells.

    Raises:
        RefreshError: no region can have that name.
    """
    of_region = f"armRegionName eq '{check_region(region)}' and priceType eq 'Consumption'"
    filters = (
        f"serviceName eq 'Sentinel' and {of_region}",
        f"serviceName eq 'Log Analytics' and skuName eq 'Analytics Logs' and {of_region}",
    )
    return [f"{endpoint}?currencyCode='{_CURRENCY}'&$filter={quote(one, safe=chr(39))}" for one in filters]


def next_page(text: str, where: str) -> str | None:
    """The address of the page after this one.

    Raises:
        RefreshError: the page is not one of the API.
    """
    link = _page(text, where).get("NextPageLink")
    if link is not None and not isinstance(link, str):
        raise RefreshError(f"NextPageLink is {type(link).__name__}", path=where, expected="an address or null")
    return link or None


def read_pages(pages: Iterable[tuple[str, str]], region: str, read: date) -> Reading:
    """The prices of a region from the pages of the API.

    Args:
        pages: (address or file, text) of each.
        region: as the API writes it.
        read: the day of reading: the newest price that is effective by then counts.

    Raises:
        RefreshError: a page is not one of the API, holds another currency or an impossible price, says two things at
            once, or lists no pay-as-you-go price of the region.
    """
    check_region(region)
    found: dict[str, list[tuple[Decimal, bool, Quoted]]] = defaultdict(list)
    passed: set[str] = set()
    unknown: set[str] = set()
    locations: set[str] = set()
    others: set[str] = set()
    for where, text in pages:
        for number, item in enumerate(_items(_page(text, where), where)):
            place = f"Items[{number}]"
            if item.get("armRegionName") != region:
                others.add(str(item.get("armRegionName")))
                continue
            if item.get("type") != "Consumption":
                continue
            name = str(item.get("meterName"))
            role = _role(item)
            if role is None:
                # Retention shares its service with meters of Log Analytics that Sentinel's own pricing replaces.
                if item.get("serviceName") == "Sentinel":
                    (passed if _PASSED_OVER.match(name) else unknown).add(name)
                continue
            if item.get("currencyCode") != _CURRENCY:
                raise RefreshError(
                    f"{name} is priced in {item.get('currencyCode')}",
                    path=where, place=f"{place}.currencyCode", expected=_CURRENCY,
                    mend="Azure prices in USD; what it gives in other currencies is for reference only.",
                )  # fmt: skip
            # It goes into titles and into a comment of the file: letters, digits and blanks are all a place needs.
            words = re.findall(r"[A-Za-z0-9()-]+", str(item.get("location")))
            locations.add(" ".join(words)[:60] or region)
            quoted = Quoted(_start(item, where, place), _amount(item, "retailPrice", where, place))
            from_units = _amount(item, "tierMinimumUnits", where, place)
            found[role].append((from_units, item.get("isPrimaryMeterRegion") is not False, quoted))
    prices = {role: _settled(role, quotes, read) for role, quotes in found.items()}
    prices = {role: quotes for role, quotes in prices.items() if quotes}
    if "analytics" not in prices:
        seen = f"; the pages are of {', '.join(sorted(others))}" if others else ""
        raise RefreshError(
            f"no pay-as-you-go price of Sentinel in '{region}'{seen}",
            expected="the item 'Pay-as-you-go Analysis' of that region",
            mend="See that the region is written as Azure writes it, and that all pages are there.",
        )
    return Reading(region, min(locations), read, prices, tuple(sorted(passed)), tuple(sorted(unknown)))


def _page(text: str, where: str) -> Mapping[str, Any]:
    try:
        page = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise RefreshError(
            f"not JSON ({type(error).__name__})", path=where, expected="a page of the Azure Retail Prices API"
        ) from None
    if not isinstance(page, dict) or not isinstance(page.get("Items"), list):
        raise RefreshError(
            "no list 'Items'", path=where, place="Items", expected="a page of the Azure Retail Prices API"
        )
    return page


def _items(page: Mapping[str, Any], where: str) -> list[Mapping[str, Any]]:
    for number, item in enumerate(page["Items"]):
        if not isinstance(item, dict):
            raise RefreshError(f"found {type(item).__name__}", path=where, place=f"Items[{number}]", expected="a price")
    return list(page["Items"])


def _role(item: Mapping[str, Any]) -> str | None:
    sku, meter, unit = (str(item.get(key)) for key in ("skuName", "meterName", "unitOfMeasure"))
    if item.get("serviceName") == "Sentinel" and unit == "1/Day" and (tier := _TIER_SKU.fullmatch(sku)):
        return f"commitment.{int(tier[1])}" if meter == f"{sku} Capacity Reservation" else None
    return _METERS.get((str(item.get("serviceName")), sku, meter, unit))


def _amount(item: Mapping[str, Any], key: str, where: str, place: str) -> Decimal:
    value = item.get(key)
    if isinstance(value, Decimal) and value.is_finite() and 0 <= value < _MOST:
        return value
    raise RefreshError(
        f"{item.get('meterName')}: {value!r}", path=where, place=f"{place}.{key}", expected="a number of 0 or more"
    )


def _start(item: Mapping[str, Any], where: str, place: str) -> date:
    value = item.get("effectiveStartDate")
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise RefreshError(
            f"{item.get('meterName')}: {value!r}", path=where, place=f"{place}.effectiveStartDate", expected="a date"
        ) from None


def _settled(role: str, quotes: Sequence[tuple[Decimal, bool, Quoted]], read: date) -> tuple[Quoted, ...]:
    """The price in force on the day of reading, and those to come; of each day one."""
    sizes = {size for size, _, _ in quotes}
    if len(sizes) > 1:
        free = {quoted.amount for size, _, quoted in quotes if size == 0}
        # An allowance of Log Analytics, which simplified pricing does not have: 0 up to some GB and the price beyond.
        if len(sizes) > 2 or free != {Decimal(0)}:
            raise RefreshError(
                f"{role} has prices from {', '.join(f'{size:f}' for size in sorted(sizes))} units on",
                place="tierMinimumUnits", expected="one price for every unit",
                mend="Write this price into the plan by hand, with its bands.",
            )  # fmt: skip
        quotes = [quote_ for quote_ in quotes if quote_[0] != 0]
    primary = [quoted for _, first, quoted in quotes if first] or [quoted for _, _, quoted in quotes]
    by_day: dict[date, Decimal] = {}
    for quoted in primary:
        if by_day.setdefault(quoted.start, quoted.amount) != quoted.amount:
            raise RefreshError(
                f"{role} costs {by_day[quoted.start]:f} and {quoted.amount:f} from {quoted.start} on",
                expected="one price a day",
                mend="Read the region again, or write the price into the plan by hand.",
            )
    started = [day for day in by_day if day <= read]
    kept = sorted([*([max(started)] if started else []), *(day for day in by_day if day > read)])
    return tuple(Quoted(day, by_day[day]) for day in kept)


def plan_text(reading: Reading) -> str:
    """A plan file with the prices of a reading.

    Every price holds from the day it was read: what stood before is not this reading's to say. A price that is to come
    holds from its own day.

    Raises:
        RefreshError: what was read does not make a plan.
    """
    rules = (resources.files("pricing.plans") / f"{_RULES}.toml").read_text(encoding="utf-8")
    text = file_text(rules, reading)
    try:
        parse_plan(text, f"{plan_id(reading.region)}.toml")
    except SiemEstimatorError as error:
        raise RefreshError(f"what was read makes no plan: {error}") from None
    return text


def plan_id(region: str) -> str:
    """The id of the plan of a region."""
    return f"sentinel-{region}"
