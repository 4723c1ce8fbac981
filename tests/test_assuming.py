"""Assumptions: in the open, in both bills, with the old figure beside the new."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from estimator.errors import ScenarioError
from estimator.scenario import Assume, Drop, Enable
from tests.test_forecast import FILES, MAIL_ITEMS, sample
from tests.what_if import CLOUD, ENABLE, WhatIf, story

SEARCH = "Exchange/SearchQueryInitiatedExchange"


def assume(what: str, value: float, **more: Any) -> Assume:
    about = {"feed": CLOUD} if what.endswith("factor") else {"operation": MAIL_ITEMS}
    return Assume(kind="assume", what=what, value=Decimal(repr(value)), reason="a test", **{**about, **more})  # type: ignore[arg-type]


def said(one: WhatIf) -> str:
    (message,) = [finding.message for finding in one.result.findings if finding.code == "assumed"]
    return message


def test_events_of_a_mailbox_replace_the_measured_rate_of_all_of_them() -> None:
    one, plain = WhatIf(story(ENABLE, assume("events_per_mailbox_day", 25))), WhatIf(story(ENABLE))
    weekdays = plain.result.events(FILES, "already", CLOUD) / plain.result._model.operations[FILES].flowing.people
    assert one.result.events(MAIL_ITEMS, "already", CLOUD) == pytest.approx(40 * 25 * weekdays)
    assert one.result.events(MAIL_ITEMS, "added", CLOUD) == pytest.approx(60 * 25 * weekdays)
    assert one.result.events(FILES, "already", CLOUD) == pytest.approx(plain.result.events(FILES, "already", CLOUD))
    assert {v.basis for v in one.result.volumes(monthly=False) if v.operation == MAIL_ITEMS} == {"assumed"}
    assert "25, in place of what the sample shows (400 a day" in said(one)
    assert said(one).endswith("Reason: a test")


def test_a_range_is_drawn() -> None:
    wide = assume("events_per_mailbox_day", 25, low=Decimal(10), high=Decimal(55))
    one = WhatIf(story(ENABLE, wide)).result._model.operations[MAIL_ITEMS].flowing.people / 40
    assert one.min() >= 10
    assert one.max() <= 55
    assert one.mean() == pytest.approx(30, rel=0.05)


def test_an_operation_without_any_rate_gets_one_and_is_known() -> None:
    search = Enable(kind="enable", operations=(SEARCH,))
    assert WhatIf(story(search)).result.not_known == [SEARCH]
    one = WhatIf(story(search, assume("events_per_mailbox_day", 3, operation=SEARCH)))
    assert one.result.not_known == []
    assert (one.result.events(SEARCH, "added", CLOUD) > 0).all()
    assert "nothing: no sample, report or published figure" in said(one)


def test_the_size_of_a_record_scales_bytes_and_leaves_events_alone() -> None:
    one, plain = WhatIf(story(ENABLE, assume("record_bytes", 4000))), WhatIf(story(ENABLE))
    assert (one.result.events(MAIL_ITEMS, "added", CLOUD) == plain.result.events(MAIL_ITEMS, "added", CLOUD)).all()
    gb = {v.flow: v.gb.mean for v in one.result.volumes(monthly=False) if v.operation == MAIL_ITEMS}
    before = {v.flow: v.gb.mean for v in plain.result.volumes(monthly=False) if v.operation == MAIL_ITEMS}
    assert gb["already"] / before["already"] == pytest.approx(2, rel=0.02)
    assert re.search(r"4000, in place of (1,9|2,0)\d\d \(measured\)", said(one))


@pytest.mark.parametrize(("what", "mean"), [("size_factor", 1.8), ("delivery_factor", 1.0)])
def test_a_feeds_factor_scales_both_bills(what: str, mean: float) -> None:
    one, plain = WhatIf(story(ENABLE, assume(what, 3))), WhatIf(story(ENABLE))
    for after, before in zip(one.daily(), plain.daily(), strict=True):
        assert after.sum(axis=0).mean() == pytest.approx(before.sum(axis=0).mean() * 3 / mean, rel=0.03)


def test_a_drop_of_an_application_takes_its_share_of_an_assumed_rate() -> None:
    seen = sample(40, 10)
    apps = seen[seen["operation"] == "MailItemsAccessed"].assign(principal="app@sharepoint", app_id="backup")
    seen = pd.concat([seen, apps], ignore_index=True)
    drop = Drop(kind="drop", operations=(MAIL_ITEMS,), where={"application": ("backup",)})
    one = WhatIf(story(assume("events_per_mailbox_day", 25), drop), seen=seen).result
    already = one.events(MAIL_ITEMS, "already", CLOUD)
    assert one.events(MAIL_ITEMS, "saved", CLOUD) == pytest.approx(already / 2)


def test_what_no_mailbox_emits_has_no_rate_of_a_mailbox() -> None:
    with pytest.raises(ScenarioError, match=r"changes\[0\]\.operation.*not switched by mailboxes"):
        WhatIf(story(assume("events_per_mailbox_day", 25, operation=FILES)))
    with pytest.raises(ScenarioError, match="nothing gives a rate"):
        WhatIf(story(assume("record_bytes", 25, operation=SEARCH)))


def test_without_an_assumption_nothing_is_drawn_otherwise() -> None:
    one, plain = WhatIf(story(ENABLE, assume("size_factor", 3))), WhatIf(story(ENABLE))
    ratio = one.daily()[0].sum(axis=0) / plain.daily()[0].sum(axis=0)
    factor = plain.result._record_bytes(plain.result.uses[0].feed, plain.result._model.operations[MAIL_ITEMS])
    assert ratio == pytest.approx(3 / (factor / plain.result._model.operations[MAIL_ITEMS].bytes))
    assert np.isfinite(ratio).all()
