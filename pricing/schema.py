"""The JSON Schema of plan files, from the types that read them: editors complete and check with it while one types.

`pricing/schemas/plan.json` is its output, and a test holds the two together. Make it anew with
`python -m pricing.schema > pricing/schemas/plan.json`.

It describes the file as JSON has it: dates as text. It refuses what can be told without comparing one part of the file
with another (unknown keys and models, missing sources, negative prices); the loader refuses the rest (an id that is not
defined, bands or dates out of order).
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from pricing.money import CURRENCIES
from pricing.plan import Plan


def plan_schema() -> dict[str, Any]:
    """The JSON Schema, draft 2020-12."""
    made = _in_words(Plan.model_json_schema(schema_generator=_Generator))
    made["properties"]["currency"]["enum"] = sorted(CURRENCIES)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "siem-estimator/plan/1",
        "title": "siem-estimator plan",
        "description": "One price table in TOML, dated and sourced. Dates are TOML dates.",
        **{key: value for key, value in made.items() if key not in ("title", "description")},
    }


class _Generator(GenerateJsonSchema):
    """Pydantic's schema as a TOML file keeps it: no nulls, numbers as numbers, no titles made of key names."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        number = next(one for one in super().decimal_schema(schema)["anyOf"] if one["type"] == "number")
        return {key: _plain(value) for key, value in number.items()}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        out = super().default_schema(schema)
        if "default" in out and out["default"] in (None, [], ()):
            del out["default"]  # nothing one could write
        return out

    def encode_default(self, dft: Any) -> Any:
        return _plain(dft) if isinstance(dft, Decimal) else super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


#: Limits of a number as pydantic leaves them on a checked value, in JSON Schema's words. Decimals have none there.
_LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum", "decimal_places": ""}


def _in_words(node: Any) -> Any:
    if isinstance(node, list):
        return [_in_words(item) for item in node]
    if not isinstance(node, dict):
        return node
    limits = _LIMITS if node.get("type") in ("number", "integer") else {}
    return {limits.get(key, key): _in_words(value) for key, value in node.items() if limits.get(key, key)}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value


if __name__ == "__main__":
    sys.stdout.write(json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n")
