"""A scenario held against a tenant: whom and what each of its changes selects, and the forecast that follows.

Every verb that forecasts goes through here, so that all of them know every kind of change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from estimator.forecast import Forecast
from estimator.rates import RateModel
from estimator.relicensing import Relicensed, relicense
from estimator.scenario import (
    Dropped,
    Enabled,
    Licensed,
    Routed,
    Scenario,
    dropped,
    enabled,
    licensed,
    routed,
)
from estimator.tenant import Tenant


@dataclass(frozen=True)
class Chosen:
    """What the changes of one scenario select of a tenant.

    Attributes:
        shown: the scenario's name for messages.
        scenario: the what-if.
        enabled, dropped, routed, licensed: what its changes select.
    """

    shown: str
    scenario: Scenario
    enabled: Sequence[Enabled]
    dropped: Sequence[Dropped]
    routed: Sequence[Routed]
    licensed: Sequence[Licensed]

    def forecast(self, model: RateModel, tenant: Tenant) -> tuple[Forecast, Relicensed]:
        """The forecast, and the tenant under the licences that the scenario assigns."""
        under = relicense(self.licensed, self.enabled, tenant.inventory, tenant.readiness)
        made = Forecast(self.scenario, model, under.readiness, under.enabled, self.dropped, self.shown, self.routed)
        return made, under


def choose(scenario: Scenario, shown: str, tenant: Tenant) -> Chosen:
    """Hold a scenario against a tenant.

    Raises:
        ScenarioError: a `where` names no column of the inventory, or matches no mailbox or no record of the sample.
    """
    boxes, reduction = tenant.inventory.mailboxes, tenant.reduction
    return Chosen(
        shown,
        scenario,
        enabled(scenario, boxes, shown),
        dropped(scenario, boxes, reduction, shown),
        routed(scenario, boxes, reduction, shown),
        licensed(scenario, boxes, shown),
    )
