"""Routes: records leave a stream for another tier, in the bill with the scenario only, and none of them is lost."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from estimator.errors import ScenarioError
from estimator.scenario import Connect, Disconnect, Drop, Enable, Grow, Route
from pricing import Terms, Usage, bill_draws, find_plan
from tests.test_forecast import FILES, MAIL_ITEMS, sample
from tests.what_if import CLOUD, EASTUS, ENABLE, FROM, WhatIf, story

NOVEMBER = dt.date(2026, 11, 1)
#: What else flows on the tenant: the sample's other operation, and Send as the usage report has it.
REST = (FILES, "Exchange/Send")


def route(day: dt.date | None = None, *, to: str = "lake", operations: tuple[str, ...] = (), **where: Any) -> Route:
    named: dict[str, Any] = {"operations": operations} if operations else {}
    return Route(kind="route", feed=CLOUD, to=to, where=where, **named, **{FROM: day})


def made(*changes: object, **more: Any) -> Any:
    one = WhatIf(story(*changes, **more))
    (use,) = one.result.uses
    return one.result.daily(use, connected=use.connected is not False)


def test_what_is_routed_leaves_the_stream_and_enters_the_tier_from_its_day() -> None:
    plain, sent = made(ENABLE), made(ENABLE, route(NOVEMBER))
    assert (sent.without == plain.without).all()
    assert (sent.added == plain.added).all()
    assert sent.with_[:31] == pytest.approx(plain.with_[:31])
    assert sent.with_[31:] == pytest.approx(np.zeros_like(sent.with_[31:]), abs=1e-3)
    assert not sent.routed["lake"][:31].any()
    assert sent.with_ + sent.routed["lake"] == pytest.approx(plain.with_)


def test_a_route_of_one_operation_takes_that_operation() -> None:
    one = WhatIf(story(ENABLE, route(operations=(MAIL_ITEMS,)))).result
    whole = one.events(MAIL_ITEMS, "already", CLOUD) + one.events(MAIL_ITEMS, "added", CLOUD)
    assert one.routed(CLOUD, "lake").events.sum(axis=0) == pytest.approx(whole)
    assert one.events(FILES, "already", CLOUD).any()
    assert not one.saves(CLOUD)


def test_a_route_by_access_type_takes_exactly_the_measured_share() -> None:
    seen = sample(40, 10)
    half = seen.assign(access_type=np.where(seen["operation"] == "MailItemsAccessed", "Sync", ""))
    bind = half[half["operation"] == "MailItemsAccessed"].assign(access_type="Bind", events=30, raw_events=30)
    seen = pd.concat([half, bind], ignore_index=True)
    one = WhatIf(story(ENABLE, route(operations=(MAIL_ITEMS,), access_type=("Sync",))), seen=seen).result
    whole = one.events(MAIL_ITEMS, "already", CLOUD) + one.events(MAIL_ITEMS, "added", CLOUD)
    assert one.routed(CLOUD, "lake").events.sum(axis=0) == pytest.approx(whole / 4)


def test_what_is_dropped_is_not_routed() -> None:
    drop = Drop(kind="drop", operations=(MAIL_ITEMS,), **{FROM: NOVEMBER})
    both, alone = made(ENABLE, route(), drop), made(ENABLE, route())
    rest = made(ENABLE, route(operations=REST))
    assert both.routed["lake"][:31] == pytest.approx(alone.routed["lake"][:31])
    assert both.routed["lake"][31:] == pytest.approx(rest.routed["lake"][31:])
    assert both.with_ == pytest.approx(np.zeros_like(both.with_), abs=1e-3)


def test_of_two_routes_the_first_of_the_file_has_a_record() -> None:
    first, second = route(operations=(MAIL_ITEMS,)), route(to="basic")
    both, reverse = made(ENABLE, first, second), made(ENABLE, second, first)
    rest = made(ENABLE, route(operations=REST))
    assert both.routed["basic"] == pytest.approx(rest.routed["lake"])
    assert not reverse.routed["lake"].any()


def test_a_route_for_some_mailboxes_takes_theirs_and_no_other() -> None:
    parts = [made(ENABLE, route(operations=(MAIL_ITEMS,), department=(name,))) for name in ("Finance", "Legal")]
    whole = made(ENABLE, route(operations=(MAIL_ITEMS,)))
    assert all(one.routed["lake"].any() for one in parts)
    assert parts[0].routed["lake"] + parts[1].routed["lake"] == pytest.approx(whole.routed["lake"])


def test_nothing_is_routed_before_a_feed_connects_or_after_it_disconnects() -> None:
    connect = made(ENABLE, Connect(kind="connect", feed=CLOUD, **{FROM: NOVEMBER}), route(NOVEMBER), connected=False)
    assert not connect.routed["lake"][:31].any()
    assert connect.routed["lake"][31:] == pytest.approx(connect.added[31:])
    gone = made(ENABLE, route(), Disconnect(kind="disconnect", feed=CLOUD, **{FROM: NOVEMBER}))
    assert gone.routed["lake"][:31].any()
    assert gone.routed["lake"][31:] == pytest.approx(np.zeros_like(gone.routed["lake"][31:]), abs=1e-3)


def test_the_bill_is_that_of_the_two_streams() -> None:
    one = WhatIf(story(ENABLE, route(operations=(MAIL_ITEMS,))))
    cost, findings = one.priced()
    (use,) = one.result.uses
    daily = one.result.daily(use, connected=True)
    plan, days = find_plan(EASTUS), [day.date() for day in one.result.days]
    usage = Usage.from_bytes(plan, days, {"CloudAppEvents": daily.with_, "CloudAppEvents@lake": daily.routed["lake"]})
    assert cost.with_ == pytest.approx(bill_draws(plan, usage, Terms()).total)
    before = Usage.from_bytes(plan, days, {"CloudAppEvents": daily.without})
    assert cost.without == pytest.approx(bill_draws(plan, before, Terms()).total)
    dear = WhatIf(story(ENABLE)).priced()[0]
    assert (cost.without == dear.without).all()
    assert (cost.with_.sum(axis=0) < dear.with_.sum(axis=0)).all()
    assert "CloudAppEvents@lake" in {line.stream for line in cost.lines}
    assert "route_tier_loses" in {finding.code for finding in findings}
    assert {"routed", "route_loses"} <= one.codes()


def test_what_investigators_lose_is_told_with_its_source() -> None:
    one = WhatIf(story(ENABLE, route()))
    (said,) = [finding.message for finding in one.result.findings if finding.code == "route_loses"]
    assert MAIL_ITEMS in said
    assert "https://" in said
    (tier,) = [finding.message for finding in one.priced()[1] if finding.code == "route_tier_loses"]
    assert find_plan(EASTUS).tiers["lake"].loses.rstrip(".") in tier


def test_a_stream_that_the_tier_refuses_is_refused_at_its_change() -> None:
    office = "sentinel-officeactivity"
    sent = Route(kind="route", feed=office, to="lake")
    with pytest.raises(ScenarioError, match=r"changes\[1\]\.to.*OfficeActivity cannot be sent to the tier lake"):
        WhatIf(story(ENABLE, sent, feed=office)).priced()


def test_a_route_and_a_ramp_and_growth_hold_together() -> None:
    slow = Enable(kind="enable", operations=(MAIL_ITEMS,), ramp_days=40)
    grow = Grow(kind="grow", mailboxes_percent_per_year=Decimal(20))
    plain, sent = made(slow, grow), made(slow, grow, route(NOVEMBER))
    assert sent.with_ + sent.routed["lake"] == pytest.approx(plain.with_)
