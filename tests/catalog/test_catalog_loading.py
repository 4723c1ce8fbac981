"""Bad catalogue files, one per error; and what importing the catalogue may cost."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from estimator import catalog
from estimator.catalog import CatalogueError, reading
from estimator.catalog.causes import read_causes

FOLDER = Path(reading.__file__).parent
READ: dict[str, Callable[[Path], object]] = {
    "sources.toml": reading.read_sources,
    "operations.toml": lambda file: reading.read_operations(file, catalog.sources()),
    "feeds.toml": lambda file: reading.read_feeds(file, catalog.sources()),
    "priors.toml": lambda file: reading.read_priors(file, catalog.sources()),
    "licences.csv": lambda file: reading.read_licences(file, catalog.sources()),
    "service_plans.toml": lambda file: reading.read_plan_marks(file, catalog.sources()),
    "readiness.toml": lambda file: read_causes(file, catalog.sources()),
}


@pytest.mark.parametrize("name", READ)
def test_the_shipped_files_read(name: str) -> None:
    assert READ[name](FOLDER / name)


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("sources.toml", "schema_version = 1", "schema_version = 2", ["schema_version", "found 2", "expected 1"]),
        ("sources.toml", "checked = 2026-11-23", 'checked = "today"', ["checked", "a date"]),
        ("sources.toml", 'title = "Manage', "title = [", ["sources.toml", "not TOML"]),
        ("sources.toml", "[sources.petri]\ntitle =", "[sources.petri]\nname =", ["sources.petri.title", "missing"]),
        ("sources.toml", 'dated = "2020"', 'year = "2020"', ["sources.petri.year", "unknown"]),
        ("operations.toml", "mean = 1348\n", "mean = -1\n", ["size_default.mean", "found -1", "above 0"]),
        ("operations.toml", "mean = 1348\n", "mean = nan\n", ["size_default.mean", "above 0"]),
        ("operations.toml", "mean = 1348\n", "mean = true\n", ["size_default.mean", "found True", "a number"]),
        ("operations.toml", "low = 629\n", "low = 6290\n", ["size_default.low", "low <= mean <= high"]),
        ("operations.toml", 'source = "redmond"', 'source = "redmund"', ["'redmund' is unknown", "'redmond'"]),
        ("operations.toml", 'status = "live"', 'status = "alive"', ["status", "'alive'", "live | optional | retired"]),
        ("operations.toml", 'licence_before = "premium"', 'licence_before = "E5"', ["licence_before", "'E5'"]),
        ("operations.toml", 'default = ["admin", "del', 'default = ["boss", "del', ["mailbox_action.default", "boss"]),
        ("operations.toml", "record_types = [50, 2]", 'record_types = ["50"]', ["record_types", "whole numbers"]),
        ("operations.toml", "newly_available = true", "newly_available = false", ["newly_available", "moved"]),
        ("operations.toml", 'status = "retired"', 'status = "live"', ["retired", "status is 'live'"]),
        ("operations.toml", '"Exchange/Send"]', '"Send"]', ["'Send'", "Workload/Operation"]),
        ("operations.toml", 'aliases = ["SearchQueryInitiated"]', 'aliases = ["Send"]', ["Exchange/Send", "also"]),
        ("feeds.toml", "mode = 1.8", "mode = 2.8", ["size_factor.low", "low <= mode <= high"]),
        ("feeds.toml", 'coverage_other = "unknown"', 'coverage_other = "maybe"', ["coverage_other", "unverified"]),
        ("feeds.toml", 'same_records_as = ["sentinel-cl', 'same_records_as = ["cl', ["same_records_as", "ids among"]),
        ("feeds.toml", "\ndedupes = false", '\ndedupes = "no"', ["dedupes", "true or false"]),
        ("priors.toml", "[priors.drift_log_sd]", "[priors.drift_sd]", ["missing ['drift_log_sd']", "['drift_sd']"]),
        ("priors.toml", "low = 0.06\n", "", ["week_swing_log_sd.low", "both or neither"]),
        ("priors.toml", "high = 0.07\n", "high = 0.05\n", ["week_swing_log_sd.low", "low <= value <= high"]),
        ("licences.csv", "sku_guid,", "guid,", ["licences.csv:1", "the columns are"]),
        ("licences.csv", ",premium,false,", ",gold,false,", ["audit_tier", "'gold'"]),
        ("licences.csv", ",premium,false,", ",premium,no,", ["premium_addon", "true or false"]),
        ("licences.csv", ",premium,false,true,", ",premium,false,yes,", ["sentinel_grant", "true or false"]),
        ("licences.csv", ",sentinel-m365-offer,", ",hearsay,", ["grant_source", "hearsay"]),
        ("licences.csv", ",sentinel-m365-offer,", ",,", ["grant_source"]),
        ("licences.csv", ",2025-12-30,", ",30.12.2025,", ["date", "2025-12-30"]),
        ("licences.csv", "05e9a617-", "05E9A617-", ["sku_guid", "lower case"]),
        ("service_plans.toml", '"2f442157', '"" # 2f442157', ["premium.M365_ADVANCED_AUDITING", "empty"]),
        ("readiness.toml", 'mend = "bypass"', 'mend = "prayer"', ["causes.bypassed.mend", "'prayer'"]),
        ("readiness.toml", "{action} is in the", "{verb} is in the", ["causes.set_has.text", "verb"]),
        (
            "readiness.toml",
            "[causes.retired]\ntitle =",
            "[causes.retired]\nname =",
            ["causes.retired.title", "missing"],
        ),
    ],
)
def test_a_bad_file_is_refused_by_name(name: str, old: str, new: str, words: list[str], tmp_path: Path) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert old in text
    bad = tmp_path / name
    bad.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        READ[name](bad)
    assert caught.value.exit_code == 70
    for word in (name, *words):
        assert word in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"feeds\.toml: the catalogue file is missing"):
        READ["feeds.toml"](tmp_path / "feeds.toml")


def test_sources_are_dated_and_used() -> None:
    files = ((FOLDER / name).read_text(encoding="utf-8") for name in READ if name != "sources.toml")
    text = "\n".join(line.partition("#")[0] for file in files for line in file.splitlines())
    for key, source in catalog.sources().items():
        assert re.search(rf'["(,]{key}\b', text), f"{key} is used nowhere"
        assert source.read == catalog.catalogue_date()
        assert source.url is None or source.url.startswith("https://")
        assert source.url or source.note


def test_importing_the_catalogue_loads_nothing_heavy() -> None:
    code = (
        "import sys, estimator.catalog as c; c.operations(); c.feeds(); c.priors(); c.licences();"
        "print(*[m for m in ('pandas', 'numpy', 'duckdb', 'matplotlib', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
