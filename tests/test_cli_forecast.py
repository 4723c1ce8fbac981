"""`forecast`: the numbers of `estimate`, without a price."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from estimator.schemas import schema
from tests.conftest import SCENARIO, Tenant
from tests.test_cli import AS_OF, Capture, Ran, refused, run

VOLUMES = {"id", "title", "start", "months", "not_known", "volume", "volume_horizon", "total"}


def without_money(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: one[name] for name in one if not name.startswith("cost")} for one in document["scenarios"]]


def forecast(capsys: Capture, root: Path, *options: str | Path) -> Ran:
    return Ran(capsys, "forecast", root, "--as-of", AS_OF, "--draws", "200", *options)


def test_the_json_keeps_its_contract_and_says_what_estimate_says(tenant: Tenant, capsys: Capture) -> None:
    root = tenant()
    ran = forecast(capsys, root, "--format", "json", "--seed", "7")
    assert (ran.code, ran.err) == (0, "")
    jsonschema.validate(ran.json, schema("forecast"), jsonschema.Draft202012Validator)
    priced = run(capsys, root, "--format", "json", "--seed", "7").json
    assert all(set(one) >= VOLUMES for one in ran.json["scenarios"])
    assert ran.json["scenarios"] == without_money(priced)
    for name in ("seed", "draws", "as_of", "complete", "not_known", "tenant", "inputs"):
        assert ran.json[name] == priced[name]
    added = [row for row in ran.json["scenarios"][0]["volume_horizon"] if row["flow"] == "added"]
    assert any(row["events"]["mean"] > 0 for row in added)
    # What is doubtful about volumes is said; what is about money is not.
    assert {str(f) for f in ran.json["findings"]} <= {str(f) for f in priced["findings"]}


SAMPLES = Path(__file__).parents[1] / "sample_tenants"
SHIPPED = sorted(path.relative_to(SAMPLES).as_posix() for path in SAMPLES.glob("*/scenarios/*.toml"))


@pytest.mark.parametrize(
    "shipped", [pytest.param(s, marks=() if s.endswith("/drop_sync.toml") else pytest.mark.slow) for s in SHIPPED]
)
def test_shipped_scenarios_come_to_the_same(capsys: Capture, shipped: str) -> None:
    story = SAMPLES / shipped
    root = story.parents[1]
    mine = forecast(capsys, root, "--scenario", story, "--format", "json").json
    theirs = run(capsys, root, "--scenario", story, "--format", "json").json
    assert mine["scenarios"] == without_money(theirs)
    assert {str(f) for f in mine["findings"]} <= {str(f) for f in theirs["findings"]}


def test_no_price_is_needed(tenant: Tenant, capsys: Capture) -> None:
    """The scenario begins before any price of its plan: nothing to bill, everything to forecast."""
    early = SCENARIO.replace("2027-01-01", "2020-01-01")
    root = tenant({"scenario.toml": early})
    assert run(capsys, root).code == 4
    ran = forecast(capsys, root, "--format", "json")
    assert ran.code == 0
    assert ran.json["scenarios"][0]["volume"]

    unknown = SCENARIO.replace("sentinel-eastus", "no-such-plan")
    assert forecast(capsys, tenant({"scenario.toml": unknown}, "other")).code == 0


def test_the_formats_say_the_same(tenant: Tenant, capsys: Capture) -> None:
    root = tenant()
    document = forecast(capsys, root, "--format", "json").json["scenarios"][0]
    rows = forecast(capsys, root, "--format", "csv").rows
    for table in ("volume", "volume_horizon", "total"):
        mine = [row for row in rows if row["table"] == table]
        assert len(mine) == 2 * len(document[table])
        for row, said in zip(mine[::2], document[table], strict=True):
            assert (row["feeds"], row["flow"], row["measure"]) == (said["feed"], said["flow"], "events")
            assert float(row["p90"]) == said["events"]["p90"]
    for form in ("table", "markdown"):
        out = forecast(capsys, root, "--format", form).out
        assert "SIEM volume forecast" in out
        assert "sentinel-officeactivity" in out
        assert "USD" not in out
        assert "/month" not in out


def test_nonsense_is_refused(tenant: Tenant, capsys: Capture) -> None:
    refused(forecast(capsys, tenant(), "--scenario", "nowhere.toml"), 2, "nowhere.toml")
