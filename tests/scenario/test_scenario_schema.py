"""The JSON Schema of scenario files: made from the types, and as strict as the loader, save what it cannot see."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from estimator.scenario import load_scenario
from estimator.scenario.schema import scenario_schema
from estimator.schemas import schema

ROOT = Path(__file__).parent.parent.parent
BAD = sorted((ROOT / "tests" / "bad_inputs" / "scenarios").glob("*.toml"))
SHIPPED = sorted(
    {*ROOT.glob("sample_tenants/**/scenario*.toml"), *ROOT.glob("sample_tenants/**/scenarios/*.toml")}
    | set(ROOT.glob("scenarios/*.toml"))
)

_NOT_TOML = "is no TOML, so there is nothing to hold against a schema"
_DAYS = "compares days"
_TENANT = "depends on the tenant's mailboxes"
_SAMPLE = "depends on the tenant's sample"
_PLANS = "depends on the price tables, which may be the reader's own"
_HOLIDAYS = "depends on the holiday calendars installed"
#: The bad files that only the loader can refuse, and why.
LOADER_ONLY = {
    "assume_outside_its_range": "compares numbers",
    "assume_twice": "compares changes that differ",
    "budget_in_another_currency": _PLANS,
    "commitment_unknown": _PLANS,
    "condition_twice": "compares keys whatever their case",
    "country_without_a_calendar": _HOLIDAYS,
    "date_after_the_horizon": _DAYS,
    "date_before_the_horizon": _DAYS,
    "date_in_quotes": "JSON has dates as text",
    "disconnect_before_its_connection": _DAYS,
    "disconnect_outside_the_horizon": _DAYS,
    "disconnect_the_day_it_connects": _DAYS,
    "drop_after_its_feed_disconnects": _DAYS,
    "drop_before_its_feed_connects": _DAYS,
    "drop_of_what_no_feed_carries": "depends on what each feed of the scenario carries",
    "drop_outside_the_horizon": _DAYS,
    "grow_outside_the_horizon": _DAYS,
    "grow_twice": _DAYS,
    "key_twice": _NOT_TOML,
    "licence_unknown": "depends on the catalogue of licences",
    "nested_without_end": _NOT_TOML,
    "not_toml": _NOT_TOML,
    "number_without_end": _NOT_TOML,
    "plan_twice_with_two_discounts": "compares ids of whatever plans there are",
    "plan_unknown": _PLANS,
    "price_of_an_unknown_meter": _PLANS,
    "price_of_an_unknown_plan": _PLANS,
    "price_twice": _DAYS,
    "retain_twice": _DAYS,
    "route_before_its_feed_connects": _DAYS,
    "route_of_what_its_feed_does_not_carry": "depends on what the feed carries",
    "route_outside_the_horizon": _DAYS,
    "route_to_a_tier_that_refuses": _PLANS,
    "route_to_an_unknown_tier": _PLANS,
    "sample_all_left_out": _SAMPLE,
    "sample_not_meeting_nothing": _SAMPLE,
    "sample_without_the_access_type": _SAMPLE,
    "sample_without_the_application": _SAMPLE,
    "sample_without_the_mailboxes": _SAMPLE,
    "sample_without_the_operation": _SAMPLE,
    "sample_without_the_routed_access_type": _SAMPLE,
    "subdivision_unknown": _HOLIDAYS,
    "time_zone_unknown": "depends on the time zones the machine knows",
    "where_leaving_nobody": _TENANT,
    "where_matching_nothing": _TENANT,
    "where_matching_nothing_together": _TENANT,
    "where_not_meeting_nobody": _TENANT,
    "where_not_on_an_unknown_column": _TENANT,
    "where_of_a_licence_matching_nothing": _TENANT,
    "where_of_a_route_matching_nothing": _TENANT,
    "where_on_an_unknown_column": _TENANT,
}


def as_json(value: Any) -> Any:
    """A TOML document as JSON has it: dates as text."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def accepts(path: Path) -> bool:
    document = as_json(tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal))
    return jsonschema.Draft202012Validator(schema("scenario")).is_valid(document)


def test_the_published_schema_is_the_one_of_the_types() -> None:
    # Made anew by: python -m estimator.scenario.schema > estimator/schemas/scenario.json
    assert schema("scenario") == json.loads(json.dumps(scenario_schema()))
    jsonschema.Draft202012Validator.check_schema(schema("scenario"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_accepts_what_is_shipped(path: Path) -> None:
    load_scenario(path)
    assert accepts(path)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_it_refuses_what_the_loader_refuses(path: Path) -> None:
    if LOADER_ONLY.get(path.stem) == _NOT_TOML:
        with pytest.raises((ValueError, RecursionError)):
            accepts(path)
    else:
        assert accepts(path) is (path.stem in LOADER_ONLY), LOADER_ONLY.get(path.stem, "a schema can see this")


def test_every_file_that_only_the_loader_refuses_is_there() -> None:
    assert set(LOADER_ONLY) <= {path.stem for path in BAD}


def test_each_bad_file_is_bad_in_one_thing_only() -> None:
    """Without it the schema would refuse for another reason: the frame they share is good."""
    frame = {"schema_version": 1, "id": "bad", "title": "One thing wrong", "start": "2027-01-01", "months": 12}
    feeds = [{"id": "sentinel-officeactivity", "connected": True}]
    validator = jsonschema.Draft202012Validator(schema("scenario"))
    assert validator.is_valid({**frame, "feeds": feeds})
    assert not validator.is_valid(frame)
    drop = {"kind": "drop", "where": {"access_type": "Sync", "not": {"department": ["Legal"]}}, "from": "2027-02-01"}
    assert validator.is_valid({**frame, "feeds": feeds, "changes": [drop]})
