"""Small plans in TOML for tests: a head and whatever tables a test writes below it."""

from __future__ import annotations

import json

from pricing.plan import Plan, parse_plan

HEAD = """
schema_version = 1
id = "tiny"
title = "A tiny plan"
siem = "test"
region = "nowhere"
currency = "USD"
size_basis = "raw"
checked_on = 2026-11-01
ingest = "main"
included_retention_days = {included}
{keys}

[sources.list]
title = "A list"
url = "https://example.com/list"
read = 2026-11-01
confidence = "A"
"""

EXAMPLE = """
[[examples]]
title = "Not run here"
source = "list"
first_day = 2027-01-01
days = 1
gb_per_day = { A = [1] }
expected = "0"
"""


def at(amount: object, start: str = "2026-01-01") -> str:
    """A list of one price."""
    return f'[{{ from = {start}, amount = {amount}, source = "list" }}]'


def meter(id_: str, model: str, prices: str | None = None, **keys: object) -> str:
    """A [meters.ID] table; texts are quoted, everything else is written as it is (`raw`)."""
    lines = [f"[meters.{id_}]", f'model = "{model}"', f'title = "{id_}"']
    if prices is not None:
        lines.append(f"prices = {prices}")
    for key, value in keys.items():
        shown = json.dumps(value) if isinstance(value, str | bool | list) else value
        lines.append(f"{key} = {shown}")
    return "\n".join(lines) + "\n"


def raw(text: str) -> RawToml:
    """A value that is written as it is."""
    return RawToml(text)


class RawToml:
    """TOML that is not quoted."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


def tiny(*tables: str, included: int = 0, **keys: object) -> Plan:
    """A plan of these tables; `keys` are further keys of the plan itself."""
    head = HEAD.format(included=included, keys="\n".join(f"{key} = {value}" for key, value in keys.items()))
    return parse_plan("\n".join([head, *tables, EXAMPLE]))
