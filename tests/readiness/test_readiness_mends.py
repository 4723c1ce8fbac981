"""What the script mends is what the forecast takes for granted: the same mailboxes, the same days."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from estimator import catalog, estimate
from estimator.mending import Mend, MendingPlan
from estimator.readiness.mends import plan_mending
from estimator.readiness.tenant import TenantReadiness, readiness_of
from tests.conftest import (
    MAILBOX_COLUMNS,
    NEW_SET,
    SCENARIO,
    Tenant,
    csv_text,
    licence,
    licences_csv,
    mailbox,
    mailboxes_csv,
)

SAMPLES = Path(__file__).parents[2] / "sample_tenants"
AS_OF = dt.date(2026, 11, 23)
MIA, SEND = "Exchange/MailItemsAccessed", "Exchange/Send"
NEW = {"AuditOwner": NEW_SET, "AuditDelegate": NEW_SET, "AuditAdmin": NEW_SET}
THREE = ("owner", "delegate", "admin")

WAVES = (
    SCENARIO.split("[[changes]]")[0]
    + """
[[changes]]
kind       = "enable"
operations = ["Exchange/MailItemsAccessed"]
where      = { department = ["Finance"] }
from       = 2027-01-01

[[changes]]
kind       = "enable"
operations = ["Exchange/MailItemsAccessed", "Exchange/Send"]
from       = 2027-02-01
"""
)


def judged(tenant: Tenant, scenario: str = WAVES, **files: str | None) -> TenantReadiness:
    return readiness_of(tenant({"scenario.toml": scenario, **files}), as_of=AS_OF)


def mends(plan: MendingPlan) -> dict[tuple[int, str], Mend]:
    return {(mend.wave, mend.mailbox.partition("@")[0]): mend for mend in plan.mends}


def test_each_mailbox_stands_in_the_wave_of_its_day_with_all_that_it_lacks(tenant: Tenant) -> None:
    found = judged(tenant)
    plan = found.plan
    assert [(wave.number, wave.on) for wave in plan.waves] == [(1, dt.date(2027, 1, 1)), (2, dt.date(2027, 2, 1))]
    each = mends(plan)
    # Finance has bob, dan, eve (no licence); Send comes for all of them in February.
    assert set(each) == {(1, "bob"), (1, "dan"), (2, "bob"), (2, "cyd"), (2, "dan"), (2, "info")}
    assert each[1, "bob"].add == dict.fromkeys(THREE, ("MailItemsAccessed",))
    assert each[1, "bob"].managed == THREE
    assert each[2, "bob"].add == {"owner": ("Send",), "admin": ("Send",)}  # delegates cannot log Send
    assert each[2, "cyd"].add == {
        "owner": ("MailItemsAccessed", "Send"), "delegate": ("MailItemsAccessed",),
        "admin": ("MailItemsAccessed", "Send"),
    }  # fmt: skip
    assert each[2, "cyd"].managed == ("delegate", "admin")
    # dan's sets have it; AuditEnabled is False and no file says whether that counts: the script sets it to be sure.
    assert (each[1, "dan"].add, each[1, "dan"].enable_audit) == ({}, True)
    assert each[2, "info"].kind == "shared"
    assert not plan.organisation.enable_auditing
    assert plan.not_mended == {"no licence with a mailbox": 1}
    assert (plan.tenant, plan.operations) == ("contoso.example", (MIA, SEND))


def test_what_the_sets_have_already_is_not_added_again(tenant: Tenant) -> None:
    boxes = mailboxes_csv(
        mailbox("ann", AuditAdmin="Update", DefaultAuditSet="Owner,Delegate", AuditDelegate=NEW_SET),
        mailbox("bob", **NEW),
    )
    licences = licences_csv(licence("ann"), licence("bob"))
    found = readiness_of(tenant({"mailboxes.csv": boxes, "licences.csv": licences, "audit.jsonl": None,
                              "scenario.toml": WAVES.replace("Finance", "finance")}), as_of=AS_OF)  # fmt: skip
    each = mends(found.plan)
    assert each[1, "ann"].add == {"owner": ("MailItemsAccessed",), "admin": ("MailItemsAccessed",)}
    assert each[1, "ann"].managed == ("owner", "delegate")
    assert not [key for key in each if key[1] == "bob"]


def test_switches_of_the_organisation_and_bypasses_are_mended_too(tenant: Tenant) -> None:
    bypass = [
        {"Name": name, "Identity": f"{name}@contoso.example", "ObjectId": "", "AuditBypassEnabled": "True"}
        for name in ("bob", "svc-backup")
    ]
    files = {
        "organisation.csv": "AuditDisabled\r\nTrue\r\n",
        "log.csv": "UnifiedAuditLogIngestionEnabled\r\nFalse\r\n",
        "bypass.csv": csv_text(bypass, list(bypass[0])),
    }
    found = judged(tenant, **files)
    plan, each = found.plan, mends(found.plan)
    assert (plan.organisation.enable_auditing, plan.organisation.enable_unified_log) == (True, True)
    assert each[1, "bob"].lift_bypass
    assert plan.bypassed_accounts == ("svc-backup",)
    assert {"unified_log_off", "organisation_off", "bypass_hides_volume"} <= {f.code for f in found.findings}
    # ann's own sets are right: the switch of the organisation is all she waits for, though the sample shows her events.
    assert (1, "ann") not in each


@pytest.mark.parametrize("name", ["law_firm", "town", "manufacturer"])
def test_readiness_forecast_and_script_agree_on_who_joins(name: str) -> None:
    judged_ = readiness_of(SAMPLES / name, as_of=AS_OF)
    result = estimate(SAMPLES / name, as_of=AS_OF, draws=200, scenarios=[SAMPLES / name / "scenario.toml"])
    for key in judged_.operations:
        ours, theirs = (one.readiness.of(key).drop(columns="ruling") for one in (judged_.tenant, result.tenant))
        assert ours.equals(theirs)
    population = result.model.population
    parts = judged_.enabled
    by_mend = mends_by_operation(judged_)
    for key in (MIA, SEND, "Exchange/AttachmentAccess", "Exchange/Create"):
        will = judged_.readiness.of(key).query("state == 'will_emit'").index
        assert set(by_mend[key]) == set(will)
        # The forecast's own groups: the mailboxes blocked and mendable that the scenario enables, at their days.
        verdicts = result.tenant.readiness.of(key)
        mendable = verdicts.index[(verdicts["state"] == "blocked") & verdicts["mendable"]]
        mine = [part for part in parts if part.operation == key]
        joins = {(box, part.day) for part in mine for box in mendable.intersection(part.mailboxes)}
        assert {(box, day) for box, days in by_mend[key].items() for day in days} == joins
        assert len(population.at(pd.Index(sorted(will)))) == len(will)


def mends_by_operation(found: TenantReadiness) -> dict[str, dict[str, set[dt.date]]]:
    """Operation → mailbox → days on which the script makes it emit, told from the plan's data alone."""
    days = {wave.number: wave.on for wave in found.plan.waves}
    out: dict[str, dict[str, set[dt.date]]] = {key: {} for key in found.plan.operations}
    for mend in found.plan.mends:
        day = days[mend.wave]
        assert day is not None
        for key in out:
            action = catalog.operation(key).mailbox_action
            assert action is not None
            adds = any(action.action in actions for actions in mend.add.values())
            lifts = mend.lift_bypass and found.readiness.of(key).loc[mend.mailbox, "state"] == "will_emit"
            if adds or lifts:
                out[key].setdefault(mend.mailbox, set()).add(day)
    return out


def test_the_manufacturers_waves_hold_every_mailbox_once(tmp_path: Path) -> None:
    found = readiness_of(SAMPLES / "manufacturer", as_of=AS_OF)
    assert max(Counter(mend.mailbox for mend in found.plan.mends).values()) == 1
    paths = found.write_scripts(tmp_path / "mend.ps1", tmp_path / "weekly.ps1")
    assert [path.name for path in paths] == ["mend.ps1", "mend.rollback.ps1", "weekly.ps1"]
    text = paths[0].read_text("utf-8-sig")
    assert all(f"'{mend.mailbox}'" in text for mend in found.plan.mends)


def test_a_hostile_name_from_the_inventory_reaches_the_script_as_a_name_only(tenant: Tenant, tmp_path: Path) -> None:
    evil = "x'; Remove-Mailbox ann #@contoso.example"
    boxes = csv_text([mailbox("bob"), {**mailbox("ann"), "UserPrincipalName": evil}], MAILBOX_COLUMNS)
    rows = [licence("bob"), {"UserPrincipalName": evil, "SkuPartNumber": "SPE_E3"}]
    licences = licences_csv(*rows)
    root = tenant({"mailboxes.csv": boxes, "licences.csv": licences, "audit.jsonl": None, "scenario.toml": None})
    readiness_of(root, as_of=AS_OF).write_scripts(tmp_path / "a.ps1", None)
    text = (tmp_path / "a.ps1").read_text("utf-8-sig")
    assert "'x''; remove-mailbox ann #@contoso.example'" in text
    assert "x'; remove" not in text.lower()


def test_a_day_that_enables_nothing_of_mailboxes_is_a_wave_without_mailboxes_to_mend(tenant: Tenant) -> None:
    story = SCENARIO.replace('["newly-available"]', '["MicrosoftTeams/MessageSent"]')
    found = judged(tenant, story)
    plan = plan_mending(found.readiness, found.enabled, found.tenant.inventory, "Teams", AS_OF)
    assert [(wave.number, wave.mailboxes) for wave in plan.waves] == [(1, 8)]
    assert (plan.mends, plan.operations) == ([], ())
