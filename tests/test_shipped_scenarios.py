"""Every scenario shipped with a sample tenant runs on it, and says something."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from estimator import estimate

SAMPLES = Path(__file__).parents[1] / "sample_tenants"
STORIES = [
    pytest.param(path, id=str(path.relative_to(SAMPLES)), marks=pytest.mark.slow if "manufacturer" in str(path) else ())
    for path in sorted(SAMPLES.glob("*/**/*.toml"))
]


#: What the output of some must say.
SAYS = {
    "drop_sync": {"drop_loses"},
    "cloudappevents_to_the_lake": {"routed", "route_loses", "route_tier_loses", "double_ingestion"},
    "engineering_to_e5": {"licence_assigned"},
    "splunk_to_sentinel": {"feed_disconnected", "capacity_owed_until_renewal"},
    "growing_town": {"growth", "budget_converted", "feed_not_available"},
}


@pytest.mark.parametrize("path", STORIES)
def test_it_runs_on_its_tenant(path: Path) -> None:
    tenant = SAMPLES / path.relative_to(SAMPLES).parts[0]
    result = estimate(tenant, scenarios=[path], as_of=dt.date(2026, 11, 23), draws=200)
    (one,) = result.scenarios
    assert not [finding.message for finding in result.findings if finding.severity == "error"]
    moved = [v for v in one.horizon if v.flow in ("added", "saved") and v.events.mean > 0]
    assert moved
    assert one.costs
    assert SAYS.get(path.stem, set()) <= {finding.code for finding in result.findings}
    # Without, with and added are one sum, draw by draw.
    for cost in one.costs:
        assert cost.added.sum() == pytest.approx((cost.with_ - cost.without).sum())


def test_there_are_scenarios() -> None:
    assert len(STORIES) >= 12
    assert set(SAYS) <= {Path(str(one.id)).stem for one in STORIES}
