"""Every what-if is the pipeline twice on the same draws: decisions leave `without` alone, the world changes both."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from estimator.scenario import (
    AssignLicence,
    Assume,
    Disconnect,
    Drop,
    Enable,
    Grow,
    Price,
    Retain,
    Route,
)
from tests.test_forecast import FILES, MAIL_ITEMS
from tests.what_if import CLOUD, EASTUS, FROM, START, WhatIf, story

DAYS = st.integers(0, 91).map(lambda n: {FROM: START + dt.timedelta(days=n)})
OPERATIONS = st.sampled_from([(MAIL_ITEMS,), (FILES,), (MAIL_ITEMS, FILES)])
WHERE = st.sampled_from([{}, {"department": ("Finance",)}, {"not": {"department": ("Finance",)}}])


def changed(kind: Any, name: str, **given: Any) -> st.SearchStrategy[Any]:
    parts = {key: value if isinstance(value, st.SearchStrategy) else st.just(value) for key, value in given.items()}
    return st.tuples(DAYS, st.fixed_dictionaries(parts)).map(lambda one: kind(kind=name, **one[0], **one[1]))


DECISIONS = st.lists(
    st.one_of(
        changed(Enable, "enable", operations=OPERATIONS, where=WHERE, ramp_days=st.integers(1, 60)),
        changed(Drop, "drop", operations=OPERATIONS, where=WHERE),
        changed(Route, "route", feed=CLOUD, to="lake", operations=OPERATIONS, where=WHERE),
        changed(AssignLicence, "assign_licence", sku="SPE_E5", where=WHERE),
    ),
    max_size=4,
)
PLAIN = WhatIf(story())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DECISIONS, st.one_of(st.none(), changed(Disconnect, "disconnect", feed=CLOUD)))
@pytest.mark.slow
def test_decisions_leave_what_is_billed_without_them_alone(decisions: list[Any], end: Disconnect | None) -> None:
    if end is not None:  # nothing can be dropped or routed where nothing flows
        decisions = [one for one in decisions if isinstance(one, Enable | AssignLicence) or one.from_ < end.from_]
        decisions.append(end)
    one = WhatIf(story(*decisions))
    (use,) = one.result.uses
    made = one.result.daily(use, connected=True)
    assert (made.without == PLAIN.daily()[0]).all()
    cost, _ = one.priced()
    assert cost.without == pytest.approx(PLAIN.priced()[0].without)
    # Nothing is lost and nothing made: what flows with it is what flowed, plus added, less saved, wherever it goes.
    everywhere = made.with_ + sum(made.routed.values(), np.zeros(1))
    assert everywhere == pytest.approx(np.maximum(made.without + made.added, 0), abs=1e-2)
    assert all((gone >= 0).all() for gone in made.routed.values())


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DECISIONS)
@pytest.mark.slow
def test_the_world_changes_both_bills_alike(decisions: list[Any]) -> None:
    world = (
        Grow(kind="grow", mailboxes_percent_per_year=Decimal(12)),
        Assume(kind="assume", feed=CLOUD, what="size_factor", value=Decimal(2), reason="a test"),
        Price(kind="price", plan=EASTUS, meter="analytics", amount=Decimal(3), reason="a test"),
    )
    alone, both = WhatIf(story(*world)), WhatIf(story(*world, *decisions))
    assert (alone.daily()[0] == both.daily()[0]).all()
    assert alone.priced()[0].without == pytest.approx(both.priced()[0].without)
    assert (alone.priced()[0].without != PLAIN.priced()[0].without).any()


def test_retention_is_a_decision() -> None:
    one = WhatIf(story(Retain(kind="retain", feed=CLOUD, days=300)))
    assert (one.priced()[0].without == PLAIN.priced()[0].without).all()
