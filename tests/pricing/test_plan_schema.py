"""The published JSON Schema of plan files: it is what the types say, takes every plan shipped, and refuses bad ones."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import pricing
from pricing.schema import plan_schema
from pricing.schemas import schema
from tests.pricing.helpers import GOOD

HERE = Path(__file__).parent
SHIPPED = sorted((Path(pricing.__file__).parent / "plans").glob("*.toml"))
#: What only the loader can tell: it compares one part of the file with another, or the text with TOML.
BY_THE_LOADER = {
    "application_without_bands", "band_missing_for_the_minimum", "bands_of_blocks", "bands_of_units_out_of_order",
    "bands_out_of_order", "compared_twice", "credits_without_a_price", "date_in_quotes", "date_with_a_time",
    "example_free_stream_unknown", "example_grant_unknown", "example_total_not_a_number",
    "graduated_from_above_zero", "grant_of_a_free_stream", "greater_of_itself", "greater_of_one_meter",
    "ingest_also_unknown", "key_twice", "list_ends_below_its_last_band", "main_meter_is_retention",
    "main_meter_unknown", "meter_called_discount", "no_example", "not_toml",
    "optional_beside_a_minimum", "pool_covers_an_unknown_meter",
    "pool_multiplier_missing", "pool_of_money_covers_nothing", "price_ends_before_it_starts", "price_not_a_number",
    "prices_beside_steps", "prices_on_the_same_day", "prices_out_of_order", "prices_overlap",
    "retention_of_no_meter", "retention_shorter_than_included", "signup_without_a_source", "steps_out_of_order",
    "stream_to_an_unknown_meter", "tier_called_best", "tier_to_an_unknown_meter", "tier_twice",
    "tiers_out_of_order", "tiers_replace_no_flat_meter", "two_commitments", "two_retentions", "unknown_source",
}  # fmt: skip


def as_json(value: Any) -> Any:
    """A TOML document as JSON has it: dates as text."""
    match value:
        case dict():
            return {key: as_json(item) for key, item in value.items()}
        case list():
            return [as_json(item) for item in value]
        case date():
            return value.isoformat()
    return value


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


def test_the_published_schema_is_that_of_the_types() -> None:
    assert schema() == plan_schema(), "run: python -m pricing.schema > pricing/schemas/plan.json"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_takes_every_shipped_plan(validator, path: Path) -> None:
    validator.validate(as_json(tomllib.loads(path.read_text(encoding="utf-8"))))


def test_it_takes_the_plan_the_bad_ones_are_made_from(validator) -> None:
    validator.validate(as_json(tomllib.loads(GOOD)))


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((HERE / "bad_plans").glob("*.toml")) if path.stem not in BY_THE_LOADER],
    ids=lambda path: path.stem,
)
def test_it_refuses_a_bad_plan(validator, path: Path) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(as_json(tomllib.loads(path.read_text(encoding="utf-8"))))


def test_what_is_left_to_the_loader_is_left_to_it(validator) -> None:
    for stem in sorted(BY_THE_LOADER - {"not_toml", "key_twice"}):
        text = (HERE / "bad_plans" / f"{stem}.toml").read_text(encoding="utf-8")
        assert validator.is_valid(as_json(tomllib.loads(text))), f"{stem}: the schema refuses it after all"
