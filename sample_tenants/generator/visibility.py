"""What the audit log shows of what happened, what an export of it brings, and what stays hidden whatever is enabled."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from .dice import Bools, Dice, chosen
from .events import Events
from .mailboxes import Mailboxes
from .operations import OPERATIONS
from .spec import TenantSpec

_EXCHANGE = np.array([operation.workload == "Exchange" for operation in OPERATIONS])
_SCOPE = 6


class Visibility:
    """Rules of what is logged: audit sets by who acts, and accounts that bypass mailbox auditing altogether."""

    def __init__(self, spec: TenantSpec, boxes: Mailboxes) -> None:
        self._by_owner, self._by_others = boxes.emits(), boxes.emits(by_others=True)
        # Programs, the last first, behind the people: what a negative principal finds when it counts from the end.
        programs = [a.bypassed for a in reversed(spec.applications)]
        self._bypassing = np.concatenate([boxes.plants.bypassed, np.array(programs, dtype=bool)])
        self._scope = None
        if spec.sample_share < 1:
            people = np.flatnonzero(boxes.person)
            self._scope = np.zeros(len(self._bypassing), dtype=bool)
            self._scope[people[chosen(spec.sample_share, Dice(spec.seed, _SCOPE).unit(len(people)))]] = True

    def bypassed(self, events: Events) -> Bools:
        """Return which events are of accounts that bypass mailbox auditing, which is of mailboxes alone."""
        bypassed: Bools = self._bypassing[events.principal] & _EXCHANGE[events.operation]
        return bypassed

    def shows(self, events: Events) -> Bools:
        """Return which events the log shows today."""
        op, box = events.operation, events.mailbox
        emitted: Bools = np.where(events.principal == box, self._by_owner[op, box], self._by_others[op, box])
        shown: Bools = emitted & ~self.bypassed(events)
        return shown

    def exported(self, events: Events) -> Bools:
        """Return which events an export brings: all, or what the users did to whom it was limited."""
        if self._scope is None:
            return np.ones(len(events), dtype=bool)
        return self._scope[events.principal]


class Hidden:
    """Counts newly available events that are logged neither today nor once more is enabled, by cause.

    Attributes:
        possible: Whether the tenant has anything that hides events.
    """

    def __init__(self, spec: TenantSpec, boxes: Mailboxes) -> None:
        self._spec, self._boxes = spec, boxes
        self.possible = bool(
            boxes.plants.bypassed.any()
            or any(a.bypassed for a in spec.applications)
            or "delegate_narrow" in boxes.plants.variant
        )
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def count(self, events: Events, hidden: Bools) -> None:
        """Count the events chosen."""
        pairs, times = np.unique(
            np.stack([events.operation[hidden], events.principal[hidden]]), axis=1, return_counts=True
        )
        for (op, principal), n in zip(pairs.T.tolist(), times.tolist(), strict=True):
            self._counts[(*self._cause(principal), OPERATIONS[op].key)] += n

    def _cause(self, principal: int) -> tuple[str, str]:
        if principal < 0:
            application = self._spec.applications[-1 - principal]
            if application.bypassed:
                return "bypassed_application", f"{application.account}@{self._spec.domain}"
        elif self._boxes.plants.bypassed[principal]:
            return "bypassed_owner", self._boxes.upn[principal]
        return "customised_delegate_set", ""

    def rows(self) -> list[dict[str, Any]]:
        """Return the counts: cause, account where it is the cause, operation, events."""
        return [
            {"cause": cause, "account": account, "operation": operation, "events": n}
            for (cause, account, operation), n in sorted(self._counts.items())
        ]
