"""An export of 50,000 rows out of a month of twice as many: no rate by itself, a right one with the total stated."""

from __future__ import annotations

import datetime as dt
import gzip
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sample_tenants.generator import TenantSpec, generate, write
from tests.conftest import write as write_file
from tests.test_cli import Capture, Ran
from tests.test_cli_check import check

#: It generates a month of a tenant and estimates five times.
pytestmark = pytest.mark.slow

LIMIT = 50_000
MAIL = "Exchange/MailItemsAccessed"
FEEDS = ("sentinel-officeactivity", "sentinel-cloudappevents", "splunk-o365", "elastic-o365", "raw-management-api")
SPEC = TenantSpec(
    seed=3, mailboxes=80, licences={"SPE_E5": 0.6, "SPE_E3": 0.4}, sample_start=dt.date(2026, 9, 1), sample_days=30,
    forecast_start=dt.date(2026, 11, 1), forecast_months=1,
)  # fmt: skip
#: Nothing is asked for that has no rate, so that only the cut can make the estimate incomplete.
STORY = (
    'schema_version = 1\nid = "enable"\ntitle = "Enable"\nstart = 2026-11-01\nmonths = 2\ncountry = "US"\n'
    + "".join(f'[[feeds]]\nid = "{feed}"\nconnected = true\n' for feed in FEEDS)
    + f'[[changes]]\nkind = "enable"\noperations = ["{MAIL}"]\n'
)


class Export:
    """The month's export as rows, and tenant folders that hold some of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write(generate(SPEC), folder / "whole", counts_only=True)
        (folder / "whole" / "scenario.toml").write_text(STORY)
        text = gzip.decompress((folder / "whole" / "audit.csv.gz").read_bytes()).decode()
        self.header, *self.rows = text.removesuffix("\r\n").split("\r\n")

    def tenant(self, name: str, rows: Sequence[str]) -> Path:
        """The tenant with a portal export of these rows instead of the whole one."""
        root = self.folder / name
        for path in (self.folder / "whole").iterdir():
            if path.name != "audit.csv.gz":
                write_file(root / path.name, path.read_bytes())
        write_file(root / "audit.csv", "\r\n".join([self.header, *rows, ""]))
        return root


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    return Export(tmp_path_factory.mktemp("month"))


@pytest.fixture(scope="module")
def drawn(export: Export) -> Path:
    assert len(export.rows) > 2 * LIMIT
    return export.tenant("drawn", random.Random(20261123).sample(export.rows, LIMIT))


def estimate(capsys: Capture, root: Path, *options: str) -> Ran:
    return Ran(capsys, "estimate", root, "--as-of", "2026-10-02", "--draws", "500", *options)


def flowing(document: dict[str, Any]) -> dict[str, float]:
    """MailItemsAccessed events that flow already, by feed, over the horizon."""
    (story,) = document["scenarios"]
    return {
        row["feed"]: row["events"]["mean"]
        for row in story["volume_horizon"]
        if (row["operation"], row["flow"]) == (MAIL, "already")
    }


def codes(document: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in document["findings"]}


def test_the_whole_month_is_complete(export: Export, capsys: Capture) -> None:
    """Else the next tests would show nothing."""
    found = estimate(capsys, export.folder / "whole", "--format", "json").json
    assert found["complete"] is True
    assert not codes(found) & {"sample_at_cap", "sample_cut", "sample_corrected"}
    assert set(flowing(found)) == set(FEEDS)
    assert "at least" not in estimate(capsys, export.folder / "whole").out.split("Findings")[0].casefold()


def test_without_the_total_it_is_at_least_and_incomplete(drawn: Path, capsys: Capture) -> None:
    found = estimate(capsys, drawn, "--format", "json").json
    assert found["complete"] is False
    assert found["not_known"] == []
    assert "sample_at_cap" in codes(found)
    table = estimate(capsys, drawn).out
    assert "at least" in table.split("Findings")[0].casefold()
    assert "--true-count audit.csv=N" in " ".join(table.split())
    checked = check(capsys, drawn)
    assert checked.code == 0
    assert "it was cut" in " ".join(checked.out.split())
    assert "An export was cut" in " ".join(Ran(capsys, "measure", drawn / "audit.csv").out.split())


def test_with_the_total_it_is_the_uncut_samples_within_3_percent(export: Export, drawn: Path, capsys: Capture) -> None:
    whole = flowing(estimate(capsys, export.folder / "whole", "--format", "json").json)
    uncorrected = flowing(estimate(capsys, drawn, "--format", "json").json)
    ran = estimate(capsys, drawn, "--true-count", str(len(export.rows)), "--format", "json")
    assert ran.json["complete"] is True
    assert "sample_corrected" in codes(ran.json)
    assert "sample_at_cap" not in codes(ran.json)
    corrected = flowing(ran.json)
    assert set(corrected) == set(whole) == set(FEEDS)
    for feed, events in whole.items():
        assert corrected[feed] == pytest.approx(events, rel=0.03)
        # What a spreadsheet makes of the file as it is: a test that could not tell the two would be none.
        assert uncorrected[feed] < 0.6 * events
