"""From the rules of one plan and the prices of a region to the text of another plan: TOML with its reasons."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pricing.refresh import Quoted, Reading

_LAKE = "lake_storage"
#: Meters of the rules whose name is not that of the price.
_PRICED_AS = {
    "graph_build": "graph",
    "graph_query": "graph",
    "insights": "advanced_data_insights",
}
_API = "https://prices.azure.com/api/retail/prices?$filter="
_Data = dict[str, Any]


def file_text(rules: str, reading: Reading) -> str:
    """The text of a plan file.

    Args:
        rules: text of the plan whose streams, grants, tiers of storage and sources of rules are taken.
        reading: the region's prices.
    """
    data: _Data = tomllib.loads(rules, parse_float=Decimal)
    region, where = reading.region, reading.location
    data |= {
        "id": f"sentinel-{region}",
        "title": f"Microsoft Sentinel, {where}, analytics tier",
        "region": region,
        "currency": "USD",
        "checked_on": reading.read,
        "notes": [
            "List prices in USD, tax excluded. Billed per workspace and calendar day.",
            f"Prices read from the Azure Retail Prices API on {reading.read}; rules as in the shipped Sentinel plans.",
        ],
    }
    data.pop("reference", None)
    data["sources"] |= {
        "price-api": _source("Sentinel", region, where, reading.read),
        "retention-price": _source("Log Analytics", region, where, reading.read),
        "by-hand": {
            "title": "Worked by hand from the prices above",
            "url": "https://learn.microsoft.com/en-us/azure/sentinel/billing",
            "read": reading.read,
            "confidence": "E",
        },
    }
    data["meters"] = {id_: priced for id_, meter in data["meters"].items() if (priced := _priced(id_, meter, reading))}
    _without_dangling(data)
    data["examples"] = _examples(reading)
    used = _named(data)
    data["sources"] = {id_: source for id_, source in data["sources"].items() if id_ in used}
    head = (
        f"# Microsoft Sentinel, {where}, as the Azure Retail Prices API listed it on {reading.read}.\n"
        "# Written by `plans refresh`: every price holds from the day it was read.\n\n"
    )
    return head + _toml(data)


def _source(service: str, region: str, where: str, read: date) -> _Data:
    asked = f"serviceName%20eq%20'{service.replace(' ', '%20')}'%20and%20armRegionName%20eq%20'{region}'"
    return {
        "title": f"Azure Retail Prices API, {service}, {where}",
        "url": f"{_API}{asked}",
        "read": read,
        "confidence": "A",
    }


def _priced(id_: str, meter: _Data, reading: Reading) -> _Data | None:
    """A meter with the region's prices; None where the API has none for it."""
    if meter["model"] == "daily_commitment":
        tiers = [_tier(meter, size, quoted, reading.read) for size, quoted in _tiers(reading)]
        return {**meter, "tiers": tiers} if tiers else None
    role = _PRICED_AS.get(id_, id_)
    if meter["model"] == "retention":
        role = "retention" if id_ == "retention" else _LAKE
    quoted = reading.prices.get(role)
    if quoted is None or "prices" not in meter:
        return None
    source = "retention-price" if role == "retention" else "price-api"
    return {**meter, "prices": _prices(quoted, source, reading.read)}


def _tiers(reading: Reading) -> list[tuple[int, tuple[Quoted, ...]]]:
    sizes = {role: quoted for role, quoted in reading.prices.items() if role.startswith("commitment.")}
    return sorted((int(role.partition(".")[2]), quoted) for role, quoted in sizes.items())


def _tier(meter: _Data, size: int, quoted: tuple[Quoted, ...], read: date) -> _Data:
    known: _Data = next((tier for tier in meter["tiers"] if tier["id"] == str(size)), {})
    prices = _prices(quoted, "price-api", read)
    tier = {"id": str(size), "gb_per_day": size, "prices": prices}
    # A promotion: how long it can be signed up for, and until when its price is locked, are rules and no prices.
    ends = [price["until"] for price in known.get("prices", []) if "until" in price]
    if ends and ends[-1] > read:
        prices[-1]["until"] = ends[-1]
        tier |= {key: known[key] for key in ("signup_until", "signup_source") if key in known}
    return tier


def _prices(quoted: tuple[Quoted, ...], source: str, read: date) -> list[_Data]:
    return [{"from": max(one.start, read), "amount": one.amount, "source": source} for one in quoted]


def _without_dangling(data: _Data) -> None:
    """Take out what refers to a meter that is gone, until nothing does."""
    while True:
        meters = data["meters"]
        tiers = {id_: t for id_, t in data.get("tiers", {}).items() if all(one in meters for one in t["ingest"])}
        kept = {
            id_: meter
            for id_, meter in meters.items()
            if meter["model"] != "retention" or meter["of"] in meters or meter["of"] in tiers
        }
        kept = {id_: m for id_, m in kept.items() if m.get("instead_of") is None or m["instead_of"] in kept}
        if len(kept) == len(meters) and len(tiers) == len(data.get("tiers", {})):
            break
        data["meters"], data["tiers"] = kept, tiers
    data["streams"] = {
        name: stream
        for name, stream in data.get("streams", {}).items()
        if stream["ingest"] in ("free", *data["meters"])
    }
    for key in ("streams", "tiers"):
        if not data.get(key):
            data.pop(key, None)


def _examples(reading: Reading) -> list[_Data]:
    """Two sums done here by hand: the engine, which would do them too, has no part in what is expected."""
    first = reading.prices["analytics"][0].amount
    made = [
        {
            "title": f"10 GB on one day: 10 at {_number(first)}",
            "source": "by-hand",
            "first_day": reading.read,
            "days": 1,
            "gb_per_day": {"CloudAppEvents": [10]},
            "expected": f"{10 * first:.6f}",
        }
    ]
    if "commitment.200" in reading.prices:
        tier = reading.prices["commitment.200"][0].amount
        made.append(
            {
                "title": f"300 GB on the 200 GB tier are 1.5 tiers of {_number(tier)}",
                "source": "by-hand",
                "first_day": reading.read,
                "days": 1,
                "gb_per_day": {"CloudAppEvents": [300]},
                "commitment": "200",
                "expected": f"{tier * 3 / 2:.6f}",
            }
        )
    return made


def _named(value: object) -> set[str]:
    """Every text that stands under a key that names a source."""
    if isinstance(value, Mapping):
        own = {str(inner) for key, inner in value.items() if key in ("source", "signup_source")}
        return own.union(*(_named(inner) for inner in value.values()))
    return set().union(*(_named(inner) for inner in value)) if isinstance(value, list) else set()


# ------------------------------------------------------------------ TOML


def _toml(data: _Data) -> str:
    """TOML with plain keys first, a table for each entry of a table, and lists of tables as such."""
    out = [f"{_key(key)} = {_value(value)}" for key, value in data.items() if not _is_nested(value)]
    for key, value in data.items():
        if isinstance(value, dict):
            for name, table in value.items():
                out += ["", f"[{_key(key)}.{_key(name)}]", *_table(table, f"{_key(key)}.{_key(name)}")]
        elif _is_nested(value):
            for table in value:
                out += ["", f"[[{_key(key)}]]", *_table(table, _key(key))]
    return "\n".join(out) + "\n"


def _table(table: _Data, path: str) -> list[str]:
    out = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if key != "tiers"]
    for tier in table.get("tiers", []):
        out += ["", f"[[{path}.tiers]]", *_table(tier, path)]
    return out


def _is_nested(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _text(key)


def _value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return _text(value)
        case Decimal():
            return _number(value)
        case date():
            return value.isoformat()
        case dict():
            return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }" if value else "{}"
        case list():
            return "[" + ", ".join(_value(one) for one in value) + "]"
    return str(value)


def _text(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _number(number: Decimal) -> str:
    text = f"{number:f}"
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals:0<2}"
