"""What is dropped and disconnected: exactly the measured share, exactly what flowed, and never without its price."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimator import Estimate, estimate
from estimator.forecast import Flow, Forecast
from estimator.forecast.parts import Course

SAMPLES = Path(__file__).parents[1] / "sample_tenants"
AS_OF = dt.date(2026, 11, 23)
MIA = "Exchange/MailItemsAccessed"
OFFICE, CLOUD = "sentinel-officeactivity", "sentinel-cloudappevents"
HEAD = """\
schema_version = 1
id     = "{id}"
title  = "a test"
start  = 2027-01-01
months = 3

[[feeds]]
id        = "sentinel-officeactivity"
connected = true
"""
SYNC = """
[[changes]]
kind       = "drop"
operations = ["Exchange/MailItemsAccessed"]
where      = { access_type = ["Sync"] }
"""
ENABLE = """
[[changes]]
kind       = "enable"
operations = ["newly-available"]
"""


def ran(tenant: str, folder: Path, *changes: str, head: str = HEAD) -> Estimate:
    path = folder / f"story{len(list(folder.iterdir()))}.toml"
    path.write_text(head.format(id=path.stem) + "".join(changes))
    return estimate(SAMPLES / tenant, scenarios=[path], plans=["sentinel-eastus"], as_of=AS_OF, draws=200)


def forecast(result: Estimate) -> Forecast:
    return result.scenarios[0].forecast


def gb(result: Estimate, flow: Flow, feed: str = OFFICE) -> np.ndarray[Any, Any]:
    return forecast(result).total(feed, flow).gb.sum(axis=0)


def records(tenant: str) -> Iterator[dict[str, Any]]:
    """The AuditData of a tenant's portal exports, read without the product."""
    csv.field_size_limit(1 << 24)
    for path in (SAMPLES / tenant).glob("audit*.csv.gz"):
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                yield json.loads(row["AuditData"])


def access_type(record: dict[str, Any]) -> str:
    return next((p["Value"] for p in record.get("OperationProperties", []) if p["Name"] == "MailAccessType"), "")


def test_dropping_sync_saves_exactly_the_measured_sync_share(tmp_path: Path) -> None:
    mine = [one for one in records("law_firm") if one["Operation"] == "MailItemsAccessed"]
    kinds = Counter(map(access_type, mine))
    assert set(kinds) == {"Bind", "Sync"}
    sizes: Counter[str] = Counter()
    for one in mine:
        sizes[access_type(one)] += len(json.dumps(one, separators=(",", ":"), ensure_ascii=False).encode())
    result = ran("law_firm", tmp_path, SYNC)
    already, saved = (forecast(result).events(MIA, flow, OFFICE) for flow in ("already", "saved"))
    assert saved == pytest.approx(already * kinds["Sync"] / kinds.total(), rel=1e-9)
    by = {(v.operation, v.flow): v.gb.mean for v in result.scenarios[0].horizon if v.feed == OFFICE}
    assert by[MIA, "saved"] / by[MIA, "already"] == pytest.approx(sizes["Sync"] / sizes.total(), rel=0.002)
    assert {key for key, flow in by if flow == "saved"} == {MIA}


def test_of_mailboxes_that_join_the_same_share_never_comes(tmp_path: Path) -> None:
    whole, less = ran("law_firm", tmp_path, ENABLE), ran("law_firm", tmp_path, ENABLE, SYNC)
    kinds = Counter(access_type(one) for one in records("law_firm") if one["Operation"] == "MailItemsAccessed")
    before, after = (forecast(one).events(MIA, "added", OFFICE) for one in (whole, less))
    assert after == pytest.approx(before * kinds["Bind"] / kinds.total(), rel=1e-9)


def test_excluding_an_application_takes_exactly_its_volume(tmp_path: Path) -> None:
    apps = Counter(one.get("ClientAppId") or one.get("AppId") or "" for one in records("town")
                   if one["Operation"] == "MailItemsAccessed" and "@" not in one["UserId"])  # fmt: skip
    ((app, count),) = apps.most_common(1)
    assert count == apps.total()
    drop = f'\n[[changes]]\nkind = "drop"\noperations = ["{MIA}"]\nwhere = {{ application = ["{app}"] }}\n'
    result = ran("town", tmp_path, drop)
    model = result.model.operations[MIA].flowing
    days = len(forecast(result).days)
    assert forecast(result).events(MIA, "saved", OFFICE) == pytest.approx(model.applications * days, rel=1e-9)
    assert model.applications.mean() == pytest.approx(count / 14, rel=0.05)
    left = forecast(result).events(MIA, "already", OFFICE) - forecast(result).events(MIA, "saved", OFFICE)
    assert (left > 0).all()


def test_two_drops_that_overlap_take_each_record_once(tmp_path: Path) -> None:
    everything = f'\n[[changes]]\nkind = "drop"\noperations = ["{MIA}"]\nfrom = 2027-02-01\n'
    result = ran("law_firm", tmp_path, SYNC, everything)
    both = forecast(result)
    alone = forecast(ran("law_firm", tmp_path, everything))
    sync = forecast(ran("law_firm", tmp_path, SYNC))
    months = {one: one.total(OFFICE, "saved").events for one in (both, alone, sync)}
    assert months[both][0] == pytest.approx(months[sync][0])  # January: Sync alone
    assert months[both][1:] == pytest.approx(months[alone][1:])  # then all of it, once
    assert months[both][1:] == pytest.approx(both.total(OFFICE, "already").events[1:] * share_of_mia(both))


def share_of_mia(one: Forecast) -> np.ndarray[Any, Any]:
    already = one.total(OFFICE, "already").events[1:]
    mine = np.array([one._horizon.monthly(Course(), one._flowing[MIA].level)[month] for month in (1, 2)])
    return mine / already


def test_a_drop_for_some_mailboxes_takes_what_was_seen_of_them(tmp_path: Path) -> None:
    drop = f'\n[[changes]]\nkind = "drop"\noperations = ["{MIA}"]\nwhere = {{ kind = ["shared"] }}\n'
    rest = f'\n[[changes]]\nkind = "drop"\noperations = ["{MIA}"]\nwhere = {{ not = {{ kind = ["shared"] }} }}\n'
    some, others = (forecast(ran("law_firm", tmp_path, one)).events(MIA, "saved", OFFICE) for one in (drop, rest))
    with (SAMPLES / "law_firm" / "mailboxes.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row["RecipientTypeDetails"] == "SharedMailbox"]
    shared = {row["UserPrincipalName"].lower() for row in rows}
    owners = [one["MailboxOwnerUPN"].lower() for one in records("law_firm") if one["Operation"] == "MailItemsAccessed"]
    already = forecast(ran("law_firm", tmp_path, drop)).events(MIA, "already", OFFICE)
    assert some == pytest.approx(already * sum(name in shared for name in owners) / len(owners), rel=1e-9)
    assert some + others == pytest.approx(already, rel=1e-9)


def test_connecting_adds_what_disconnecting_saves(tmp_path: Path) -> None:
    cloud = f'\n[[feeds]]\nid = "{CLOUD}"\nconnected = {{}}\n\n[[changes]]\nkind = "{{}}"\nfeed = "{CLOUD}"\n'
    cloud += "from = 2027-02-01\n"
    connect = ran("law_firm", tmp_path, cloud.format("false", "connect"))
    disconnect = ran("law_firm", tmp_path, cloud.format("true", "disconnect"))
    assert gb(connect, "already", CLOUD).sum() == gb(connect, "saved", CLOUD).sum() == 0
    assert gb(connect, "added", CLOUD) == pytest.approx(gb(disconnect, "saved", CLOUD), rel=1e-9)
    assert gb(disconnect, "added", CLOUD).sum() == 0
    (bill,) = [one for one in disconnect.scenarios[0].costs if one.feeds == (CLOUD,)]
    (other,) = [one for one in connect.scenarios[0].costs if one.feeds == (CLOUD,)]
    assert bill.added.sum(axis=0) == pytest.approx(-other.added.sum(axis=0), rel=1e-6)
    assert (bill.added[0] == 0).all()


def test_a_saving_is_never_shown_without_its_price(tmp_path: Path) -> None:
    result = ran("law_firm", tmp_path, SYNC)
    (said,) = [finding.message for finding in result.findings if finding.code == "drop_loses"]
    assert "MailItemsAccessed (access_type Sync)" in said
    assert "folders synchronised (Sync)" in said
    assert "learn.microsoft.com" in said


def test_what_the_sample_does_not_show_cannot_be_measured(tmp_path: Path) -> None:
    drop = '\n[[changes]]\nkind = "drop"\nwhere = { access_type = ["Sync"] }\n'
    result = ran("law_firm", tmp_path, ENABLE, drop)
    assert forecast(result).total(OFFICE, "saved").gb.sum() > 0
    # Operations that have no access type lose nothing, and are no finding; one without any record would be.
    assert "drop_unmeasured" not in {finding.code for finding in result.findings}
