"""The JSON Schema of scenario files, from the types that read them: editors complete and check with it while one types.

`estimator/schemas/scenario.json` is its output, and a test holds the two together. Make it anew with
`python -m estimator.scenario.schema > estimator/schemas/scenario.json`.

It describes the file as JSON has it: dates as text. It refuses what can be told from the file alone without comparing
days; the loader refuses the rest. It takes operations and access types as the catalogue spells them; the loader takes
them in any case.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any, get_args

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from estimator import catalog
from estimator.scenario.scenario import Scenario

Rule = dict[str, Any]


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema, draft 2020-12."""
    made = Scenario.model_json_schema(schema_generator=_Generator)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"siem-estimator/scenario/{get_args(Scenario.model_fields['schema_version'].annotation)[0]}",
        "title": "siem-estimator scenario",
        "description": "A what-if in TOML (dates are its own): what is enabled, connected, dropped, for whom, when.",
        **{key: value for key, value in made.items() if key not in ("title", "description")},
        "allOf": [_some_feed(), _some_flow(), *(rule for feed in catalog.feeds() for rule in _rules_of(feed))],
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


def _plain(value: Any) -> Any:
    number = isinstance(value, Decimal | float) and value == int(value)
    return int(value) if number else value


# ---------------------------------------------------------------- what changes and feeds say of each other


def _member(of: str, **keys: Any) -> Rule:
    """That the list `of` has a member with these keys, each a constant."""
    alike = {key: {"const": value} for key, value in keys.items()}
    return {"required": [of], "properties": {of: {"contains": {"required": list(alike), "properties": alike}}}}


def _some_feed() -> Rule:
    return {
        "anyOf": [
            {"required": ["feeds"], "properties": {"feeds": {"minItems": 1}}},
            _member("changes", kind="connect"),
        ]
    }


def _some_flow() -> Rule:
    """A drop that names no feed is one of every feed, and one of them must carry something."""
    unnamed = {
        "required": ["kind"],
        "properties": {"kind": {"const": "drop"}},
        "not": {"anyOf": [{"required": ["feed"]}, {"required": ["feeds"]}]},
    }
    not_off = {"not": {"required": ["connected"], "properties": {"connected": {"const": False}}}}
    flows = {"required": ["feeds"], "properties": {"feeds": {"contains": not_off}}}
    return {
        "if": {"required": ["changes"], "properties": {"changes": {"contains": unnamed}}},
        "then": {"anyOf": [flows, _member("changes", kind="connect")]},
    }


def _rules_of(feed: str) -> list[Rule]:
    """What `contradictions` checks of one feed, as far as no day is compared."""
    connected, connects = _member("feeds", id=feed, connected=True), _member("changes", kind="connect", feed=feed)
    unknown: Rule = {
        "required": ["feeds"],
        "properties": {
            "feeds": {
                "contains": {
                    "required": ["id"],
                    "properties": {"id": {"const": feed}},
                    "not": {"required": ["connected"]},
                }
            }
        },
    }
    flows = {"anyOf": [connected, unknown, connects]}
    several: Rule = {
        "required": ["changes"],
        "properties": {
            "changes": {
                "contains": {
                    "required": ["kind", "feeds"],
                    "properties": {"kind": {"const": "drop"}, "feeds": {"contains": {"const": feed}}},
                }
            }
        },
    }
    used = [_member("changes", kind=kind, feed=feed) for kind in ("disconnect", "drop", "route")] + [several]
    return [
        {"not": _twice(_member("feeds", id=feed))},
        {"not": {"allOf": [connected, connects]}},
        *({"not": _twice(_member("changes", kind=kind, feed=feed))} for kind in ("connect", "disconnect")),
        {"if": {"anyOf": used}, "then": flows},
        {
            "if": {"anyOf": [_member("changes", kind=kind, feed=feed) for kind in ("retain", "assume")]},
            "then": {"anyOf": [_member("feeds", id=feed), connects]},
        },
    ]


def _twice(rule: Rule) -> Rule:
    (of,) = rule["required"]
    return {**rule, "properties": {of: {**rule["properties"][of], "minContains": 2}}}


if __name__ == "__main__":
    json.dump(scenario_schema(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
