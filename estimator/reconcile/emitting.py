"""How many mailboxes a scenario has emitting, by operation and month: what `reconcile` later counts mailboxes against.

It goes into the JSON of a forecast, for that has no identities and no other trace of how many were to join.
"""

from __future__ import annotations

import pandas as pd

from estimator.readiness import Readiness
from estimator.scenario import Enabled, Scenario


def emitting_by_month(scenario: Scenario, readiness: Readiness, enabled: list[Enabled]) -> list[dict[str, object]]:
    """The mean number of emitting mailboxes over the days of each month, of each operation that has any.

    Those of state `unknown` are not counted before they are enabled.

    Args:
        scenario: the what-if.
        readiness: the verdicts of today.
        enabled: what the scenario enables, `scenario.enabled`.
    """
    days = scenario.days
    label = days.strftime("%Y-%m")
    today = readiness.emitting_today()
    out: list[dict[str, object]] = []
    for key in sorted({*today, *(part.operation for part in enabled)}):
        count = pd.Series(float(today.get(key, 0)), index=days)
        for part in (one for one in enabled if one.operation == key):
            verdicts = readiness.of(key)
            mine = verdicts[verdicts.index.isin(part.mailboxes)]
            joining = int((mine["state"].isin(["blocked", "unknown"]) & mine["mendable"]).sum())
            # Over a ramp they join evenly, from its first day to its last.
            since = (days - pd.Timestamp(part.day)).days.to_numpy() + 1
            count += joining * (since.clip(0, part.ramp_days) / part.ramp_days)
        if count.any():
            by = count.groupby(label).mean()
            out += [{"operation": key, "month": str(month), "mailboxes": float(n)} for month, n in by.items()]
    return out
