"""Scenario files: what is enabled, connected, dropped, routed, for whom, when. TOML, data only, validated as a whole.

`load_scenario` reads a file; `enabled`, `licensed`, `dropped` and `routed` hold it against a tenant. The same types
give the JSON Schema that editors use (`estimator.schemas.schema("scenario")`).
"""

from __future__ import annotations

from estimator.scenario.changes import (
    AssignLicence,
    Assume,
    Change,
    Connect,
    Disconnect,
    Drop,
    Enable,
    Grow,
    Price,
    Retain,
    Route,
)
from estimator.scenario.loading import DEFAULT_SCENARIO, default_scenario, load_scenario
from estimator.scenario.scenario import Scenario
from estimator.scenario.selection import (
    Dropped,
    Enabled,
    Licensed,
    Routed,
    dropped,
    enabled,
    enabled_operations,
    licensed,
    routed,
)
from estimator.scenario.terms import Budget, Exchange, FeedState, PlanChoice
from estimator.scenario.values import NEWLY_AVAILABLE, Day, FeedId, Number
from estimator.scenario.where import Conditions, Where, mailboxes_of, rows_of

__all__ = [
    "DEFAULT_SCENARIO",
    "NEWLY_AVAILABLE",
    "AssignLicence",
    "Assume",
    "Budget",
    "Change",
    "Conditions",
    "Connect",
    "Day",
    "Disconnect",
    "Drop",
    "Dropped",
    "Enable",
    "Enabled",
    "Exchange",
    "FeedId",
    "FeedState",
    "Grow",
    "Licensed",
    "Number",
    "PlanChoice",
    "Price",
    "Retain",
    "Route",
    "Routed",
    "Scenario",
    "Where",
    "default_scenario",
    "dropped",
    "enabled",
    "enabled_operations",
    "licensed",
    "load_scenario",
    "mailboxes_of",
    "routed",
    "rows_of",
]
