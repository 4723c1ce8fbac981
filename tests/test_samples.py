"""Folders made elsewhere, in real export shapes: read where present, never committed."""

import json
import os
from pathlib import Path

import pytest

from estimator.cli import main

SHARED = Path(os.environ.get("SIEM_ESTIMATOR_SHARED", Path(__file__).parents[2] / "shared")) / "samples"


@pytest.mark.parametrize(("name", "mailboxes", "emitting"), [("tenant_a", 600, 127), ("tenant_b", 200, 36)])
def test_a_forecast_of_added_mail_items_accessed(
    name: str, mailboxes: int, emitting: int, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not there")

    assert main(["estimate", str(folder), "--as-of", "2026-11-23", "--format", "json"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["tenant"]["mailboxes"] == mailboxes
    assert document["tenant"]["emitting_today"]["Exchange/MailItemsAccessed"] == emitting
    (added,) = [
        v["events"] for v in document["scenarios"][0]["volume_horizon"]
        if (v["operation"], v["flow"]) == ("Exchange/MailItemsAccessed", "added")
    ]  # fmt: skip
    assert 0 < added["p10"] < added["p50"] < added["p90"]
