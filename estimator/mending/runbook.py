"""The weekly runbook that does for new mailboxes what the mending script did for those there were.

Actions that Microsoft logs by default need it only where a set was customised; optional ones
(`SearchQueryInitiated`) are off on every new mailbox until somebody adds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from estimator import catalog
from estimator.mending.filling import fill, part
from estimator.mending.plan import LOGON_TYPES, MendingPlan
from estimator.mending.quoting import array, comment, flag, literal
from estimator.mending.script import nothing, provenance

#: The kinds whose sets can be changed and whose auditing Microsoft documents: kind → RecipientTypeDetails.
_KINDS = {"user": "UserMailbox", "shared": "SharedMailbox"}

_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PARAMETERS = (
    "[int]$Days = 8,",
    "[string]$Organization,",
    "[bool]$DryRun,",
    "[int]$PauseMilliseconds,",
    "[int]$Retries",
)


class _Action(NamedTuple):
    """An audit action that is to be kept up: its name, logon types, whether it is off by default, and the kinds."""

    name: str
    types: tuple[str, ...]
    optional: bool
    kinds: tuple[str, ...]


def write_runbook(plan: MendingPlan) -> str:
    """The runbook for Azure Automation, byte order mark included; encode it as UTF-8.

    Raises:
        SiemEstimatorError: the catalogue does not know an operation of the plan.
    """
    actions = list(_actions(plan))
    if not actions:
        return nothing(plan, "keeps the auditing of new mailboxes up", _PARAMETERS)
    kinds = [recipient for recipient in _KINDS.values() if any(recipient in action.kinds for action in actions)]
    slots = {
        "provenance": provenance(plan),
        "optional": _names(actions, optional=True),
        "default": _names(actions, optional=False),
        "organisation": _organisation(plan.tenant),
        "data": [f"$Kinds = {array(kinds)}", "$Actions = @(", *map(_row, actions), ")"],
        "common": part("common"),
    }
    return fill("runbook", slots)


def _actions(plan: MendingPlan) -> Iterator[_Action]:
    """The actions of the plan's operations, each once."""
    seen = set()
    for key in plan.operations:
        operation = catalog.operation(key)
        action = operation.mailbox_action
        if action is None or operation.status == "retired" or action.action in seen:
            continue
        seen.add(action.action)
        logged = action.default or action.optional
        unable = action.never_on | action.unverified_on
        kinds = tuple(recipient for kind, recipient in _KINDS.items() if kind not in unable)
        if kinds:
            types = tuple(logon.capitalize() for logon in LOGON_TYPES if logon in logged)
            yield _Action(action.action, types, not action.default, kinds)


def _row(action: _Action) -> str:
    return (
        f"    @{{ Action = {literal(action.name)}; Types = {array(action.types)}; "
        f"Optional = {flag(action.optional)}; Kinds = {array(action.kinds)} }}"
    )


def _organisation(tenant: str) -> list[str]:
    """The parameter that names the tenant; without a default where the plan has no domain."""
    about = "    # The tenant, by its .onmicrosoft.com domain."
    if _DOMAIN.fullmatch(tenant):
        return [about, f"    [string]$Organization = {literal(tenant)},"]
    return [about, "    [Parameter(Mandatory)][string]$Organization,"]


def _names(actions: list[_Action], *, optional: bool) -> list[str]:
    names = [action.name for action in actions if action.optional is optional]
    return [comment(f"  {', '.join(names) or 'none'}")]
