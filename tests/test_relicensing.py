"""Licences that a scenario assigns: who emits by it, who can be enabled by it, who counts for the grant."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from estimator.inventory import Inventory
from estimator.scenario import AssignLicence, Enable
from tests.test_forecast import MAIL_ITEMS, OFF, ON, inventory, sample
from tests.what_if import CLOUD, ENABLE, FROM, WhatIf, story, with_kind

DAY = dt.date(2026, 11, 2)


def give(sku: str = "SPE_E5", day: dt.date | None = DAY, **where: Any) -> AssignLicence:
    return AssignLicence(kind="assign_licence", sku=sku, where=where, **{FROM: day})


def unlicensed(sets: str) -> Inventory:
    """Forty that emit; sixty without a licence, whose audit sets are `sets`."""
    tenant = inventory(40, 60)
    late = np.arange(100) >= 40
    columns = {
        name: np.where(late, sets, tenant.mailboxes[name]) for name in ("audit_admin", "audit_delegate", "audit_owner")
    }
    tiers = np.where(late, "none", "standard")
    made = {name: pd.array(values, dtype="str") for name, values in {**columns, "audit_tier": tiers}.items()}
    return with_kind(tenant, **made)


def added(one: WhatIf) -> np.ndarray[Any, Any]:
    (use,) = one.result.uses
    return one.result.daily(use, connected=True).added


def test_whom_only_the_licence_held_back_emits_from_that_day_without_more() -> None:
    seen = sample(40, 35)  # as published, so that a class of which none was sampled stands at the same rate
    one = WhatIf(story(give()), unlicensed(ON), seen)
    assert not added(one)[:32].any()
    assert (added(one)[32] > 0).all()
    known = WhatIf(story(Enable(kind="enable", operations=(MAIL_ITEMS,), **{FROM: DAY})), inventory(40, 60), seen)
    mine, theirs = (x.result.events(MAIL_ITEMS, "added", CLOUD) for x in (one, known))
    assert mine.mean() == pytest.approx(theirs.mean(), rel=0.1)
    assert "60 of them emit from that day" in one.under.findings[0].message


def test_without_the_licence_no_enabling_helps() -> None:
    assert not added(WhatIf(story(ENABLE), unlicensed(ON))).any()


def test_whom_the_settings_hold_back_as_well_waits_for_both() -> None:
    tenant = unlicensed(OFF)
    # ApplyRecord is on and starts by itself, but nothing is known of its rate.
    assert WhatIf(story(give()), tenant).result.events(MAIL_ITEMS, "added", CLOUD).sum() == 0
    early = WhatIf(story(ENABLE, give()), tenant)
    late = WhatIf(
        story(Enable(kind="enable", operations=(MAIL_ITEMS,), **{FROM: dt.date(2026, 11, 20)}), give()), tenant
    )
    assert not added(early)[:32].any()
    assert (added(early)[32] > 0).all()
    assert not added(late)[:50].any()
    assert (added(late)[50] > 0).all()


def test_a_better_licence_adds_no_event_that_standard_logs_already() -> None:
    one, plain = WhatIf(story(ENABLE, give())), WhatIf(story(ENABLE))
    assert (added(one) == added(plain)).all()
    assert "no event waits for it" in one.under.findings[0].message
    assert "in none of the bills" in one.under.findings[0].message


def test_a_licence_that_is_no_better_changes_nothing() -> None:
    one = WhatIf(story(ENABLE, give("EXCHANGESTANDARD")))
    assert "as good already" in one.under.findings[0].message
    assert one.under.grant_users == []


def test_an_add_on_makes_premium_only_what_has_a_mailbox() -> None:
    addon = "INFORMATION_PROTECTION_COMPLIANCE"
    one = WhatIf(story(give(addon)), unlicensed(ON))
    assert "40 (standard to premium)" in one.under.findings[0].message
    assert not added(one).any()


def test_the_grant_counts_them_from_that_day_in_the_bill_with() -> None:
    tenant = replace(inventory(40, 60), grant_users=0)
    plain, one = WhatIf(story(ENABLE), tenant), WhatIf(story(ENABLE, give(department=("Finance",))), tenant)
    assert one.under.grant_users == [(DAY, 50)]
    assert plain.priced()[0].cases == ()
    cost, _ = one.priced()
    (case,) = cost.cases
    assert case.title == "all of the grant is left: 0 licensed users, 0 GB a day, 50 more from 2026-11-02 on"
    (use,) = one.result.uses
    gb = one.result.daily(use, connected=True).with_ / 1e9
    granted = np.minimum(gb, np.where(np.arange(92) >= 32, 0.25, 0.0)[:, None])
    expected = cost.added.sum(axis=0) - granted.sum(axis=0) * 4.30
    assert case.added.mean == pytest.approx(expected.mean())


def test_who_has_premium_is_taken_to_count_already() -> None:
    tenant = with_kind(inventory(40, 60), audit_tier=pd.array(["premium"] * 30 + ["standard"] * 70, dtype="str"))
    assert WhatIf(story(give()), tenant).under.grant_users == [(DAY, 70)]


def test_nobody_counts_twice() -> None:
    twice = story(give(), give("SPE_E5", dt.date(2026, 12, 1)))
    assert WhatIf(twice).under.grant_users == [(DAY, 100)]
