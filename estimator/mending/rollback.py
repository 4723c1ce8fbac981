"""The script that undoes the mending, from the log of what was changed or, without one, from the plan.

It looks at each mailbox first, so that it is right even if the mending ran only in part: what is not there is not
taken away. A set that Microsoft managed before is given back (`-DefaultAuditSet`), from any other exactly the actions
that were added are removed.
"""

from __future__ import annotations

from estimator.mending.filling import fill
from estimator.mending.plan import MendingPlan
from estimator.mending.script import common_slots, empty, nothing

_PARAMETERS = (
    "[string]$LogPath,",
    "[switch]$FromPlan,",
    "[int[]]$Wave = @(),",
    "[switch]$AllWaves,",
    "[switch]$Organisation,",
    "[int]$PauseMilliseconds,",
    "[int]$Retries",
)


def write_rollback(plan: MendingPlan) -> str:
    """The script that undoes `write_script` of the same plan, byte order mark included; encode it as UTF-8."""
    if empty(plan):
        return nothing(plan, "undoes the mending", _PARAMETERS)
    return fill("rollback", common_slots(plan))
