"""The PowerShell that mends what readiness found: the script, what undoes it, and the weekly upkeep.

These are the only scripts of the package that change a tenant. They say so at the top, and `-WhatIf` tries them.
"""

from estimator.mending.plan import LOGON_TYPES, Mend, MendingPlan, OrganisationMend, Wave
from estimator.mending.quoting import is_quotable
from estimator.mending.rollback import write_rollback
from estimator.mending.runbook import write_runbook
from estimator.mending.script import empty, unquotable, write_script

__all__ = [
    "LOGON_TYPES",
    "Mend",
    "MendingPlan",
    "OrganisationMend",
    "Wave",
    "empty",
    "is_quotable",
    "unquotable",
    "write_rollback",
    "write_runbook",
    "write_script",
]
