"""Exchange rates: a budget may be in another currency than the bill. Bills never are, and two currencies never add."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from estimator.scenario import Scenario


@dataclass(frozen=True)
class Rate:
    """Units of the budget's currency for one of the bill's.

    Attributes:
        rate: the rate.
        on: its day; None where the currencies are one.
        source: who says so.
        inverse: whether the scenario states the other direction.
    """

    rate: float
    on: dt.date | None = None
    source: str = ""
    inverse: bool = False


def rate_of(scenario: Scenario, currency: str) -> Rate | None:
    """What leads from a bill in `currency` to the scenario's budget; None without a budget or a rate."""
    budget = scenario.budget
    if budget is None:
        return None
    if budget.currency == currency:
        return Rate(1.0)
    for of, other, inverse in ((budget.currency, currency, False), (currency, budget.currency, True)):
        stated = scenario.fx.get(of)
        if stated is not None and other in stated.rates:
            rate = float(stated.rates[other])
            return Rate(1 / rate if inverse else rate, stated.on, stated.source, inverse)
    return None


def rate_wanted(budget: str, currency: str) -> str:
    """The line that a scenario lacks, for messages."""
    return f'[fx] {budget} = {{ {currency} = …, on = …, source = "…" }}: what one {currency} is in {budget}'
