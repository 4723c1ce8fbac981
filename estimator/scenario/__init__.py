"""Scenario files: what is enabled, connected, dropped, for whom, when. TOML, data only, validated as a whole.

`load_scenario` reads a file, `enabled` and `dropped` hold it against a tenant. The same types give the JSON Schema that
editors use (`estimator.schemas.schema("scenario")`).
"""

from __future__ import annotations

from estimator.scenario.changes import PLANNED, Change, Connect, Disconnect, Drop, Enable
from estimator.scenario.loading import DEFAULT_SCENARIO, default_scenario, load_scenario
from estimator.scenario.scenario import Scenario
from estimator.scenario.selection import Dropped, Enabled, dropped, enabled, enabled_operations
from estimator.scenario.terms import Budget, FeedState, PlanChoice
from estimator.scenario.values import NEWLY_AVAILABLE, Day, FeedId, Number
from estimator.scenario.where import Conditions, Where, mailboxes_of, rows_of

__all__ = [
    "DEFAULT_SCENARIO",
    "NEWLY_AVAILABLE",
    "PLANNED",
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
    "FeedId",
    "FeedState",
    "Number",
    "PlanChoice",
    "Scenario",
    "Where",
    "default_scenario",
    "dropped",
    "enabled",
    "enabled_operations",
    "load_scenario",
    "mailboxes_of",
    "rows_of",
]
