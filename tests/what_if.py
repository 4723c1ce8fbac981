"""A small tenant under one scenario and another, from the same draws: what the tests of changes share."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from estimator.cost import Cost, PlanOnTerms, price
from estimator.draws import Draws
from estimator.findings import Finding
from estimator.forecast import Forecast
from estimator.inventory import Inventory
from estimator.rates import Holidays, fit_rates
from estimator.readiness import judge
from estimator.relicensing import Relicensed, relicense
from estimator.scenario import (
    Enable,
    FeedState,
    PlanChoice,
    Scenario,
    dropped,
    enabled,
    licensed,
    routed,
)
from estimator.stated_prices import check_routes, repriced
from pricing import find_plan
from tests.test_forecast import MAIL_ITEMS, inventory, sample

RAW, CLOUD = "raw-management-api", "sentinel-cloudappevents"
EASTUS = "sentinel-eastus"
START = dt.date(2026, 10, 1)
ENABLE = Enable(kind="enable", operations=(MAIL_ITEMS,))
FROM = "from"


def story(*changes: object, feed: str = CLOUD, connected: bool | None = True, **more: Any) -> Scenario:
    """A scenario of three months with one feed."""
    base: dict[str, Any] = {"schema_version": 1, "id": "s", "title": "S", "start": START, "months": 3}
    feeds = (FeedState(id=feed, connected=connected),)
    return Scenario(**{**base, "feeds": feeds, "changes": changes, **more})


class WhatIf:
    """One scenario on a tenant of 40 mailboxes that emit ten records a weekday each, and 60 that join.

    Attributes:
        result: the forecast.
        under: the tenant under the licences that the scenario assigns.
    """

    def __init__(self, scenario: Scenario, tenant: Inventory | None = None, seen: pd.DataFrame | None = None) -> None:
        self.scenario, self.tenant = scenario, tenant or inventory(40, 60)
        seen = sample(40, 400) if seen is None else seen
        boxes = self.tenant.mailboxes
        verdicts = judge(self.tenant, seen)
        model = fit_rates(seen, self.tenant, verdicts, Holidays(), Draws(300, 0))
        self.under: Relicensed = relicense(
            licensed(scenario, boxes, "s"), enabled(scenario, boxes, "s"), self.tenant, verdicts
        )
        self.result = Forecast(
            scenario,
            model,
            self.under.readiness,
            self.under.enabled,
            dropped(scenario, boxes, seen, "s"),
            "s",
            routed(scenario, boxes, seen, "s"),
        )

    def priced(self, plan: str = EASTUS, **terms: Any) -> tuple[Cost, list[Finding]]:
        """The bill of all feeds together, with what it says."""
        offer = PlanOnTerms(find_plan(plan), PlanChoice(id=plan, **terms))
        offers, stated = repriced(self.scenario, "s", [offer], replaced=False)
        check_routes(self.scenario, "s", offers)
        users = self.under.grant_users
        costs, findings = price(self.result, offers, self.tenant.grant_users, dt.date(2026, 11, 23), users)
        return costs[-1], [*stated, *findings]

    def codes(self) -> set[str]:
        """The codes of all findings of the forecast."""
        return {finding.code for finding in (*self.under.findings, *self.result.findings)}

    def daily(self, feed: str = CLOUD) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Bytes by day and draw, without and with."""
        (use,) = [use for use in self.result.uses if use.feed.id == feed]
        made = self.result.daily(use, connected=use.connected is not False)
        return made.without, made.with_


def with_kind(tenant: Inventory, **columns: Any) -> Inventory:
    """The tenant with columns of its mailboxes replaced."""
    return replace(tenant, mailboxes=tenant.mailboxes.assign(**columns))
