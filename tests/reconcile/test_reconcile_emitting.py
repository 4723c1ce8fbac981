"""How many mailboxes emit by month, on the tenant of eight, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimator.folder import read_folder
from estimator.reconcile.emitting import emitting_by_month
from estimator.scenario import enabled, load_scenario
from estimator.tenant import read_tenant
from tests.conftest import SCENARIO, Tenant

MAIL = "Exchange/MailItemsAccessed"
SEARCH = "Exchange/SearchQueryInitiated"


def emitting(root: Path) -> dict[tuple[object, object], object]:
    found = read_tenant(read_folder(root))
    story = load_scenario(root / "scenario.toml")
    parts = enabled(story, found.inventory.mailboxes, "scenario.toml")
    return {(e["operation"], e["month"]): e["mailboxes"] for e in emitting_by_month(story, found.readiness, parts)}


def test_those_that_join_count_from_their_day_on(tenant: Tenant) -> None:
    """ann emits; bob, cyd and info join on 16 February: 13 of its 28 days. dan emits already, and eve never will."""
    late = SCENARIO.replace('operations = ["newly-available"]', f'operations = ["{MAIL}"]\nfrom = 2027-02-16')
    found = emitting(tenant({"scenario.toml": late}))

    today = found[MAIL, "2027-01"]
    assert isinstance(today, float)
    joined = found[MAIL, "2027-03"]
    assert isinstance(joined, float)
    assert joined > today >= 1
    assert found[MAIL, "2027-02"] == pytest.approx(today + (joined - today) * 13 / 28)


def test_of_those_that_never_join_none_is_counted(tenant: Tenant) -> None:
    only = SCENARIO.replace('operations = ["newly-available"]', f'operations = ["{MAIL}"]')
    readiness = read_tenant(read_folder(root := tenant({"scenario.toml": only}))).readiness.of(MAIL)
    joining = int((readiness["state"].isin(["blocked", "unknown"]) & readiness["mendable"]).sum())
    assert emitting(root)[MAIL, "2027-01"] == int((readiness["state"] == "emitting").sum()) + joining
    assert joining < (readiness["state"] != "emitting").sum()
