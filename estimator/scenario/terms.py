"""What a scenario file states beside its changes: which feeds flow today, the price tables to use, the budget."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from estimator.scenario.values import Amount, Currency, FeedId, Part, Percent, Positive


class FeedState(Part):
    """Whether a feed flows today. Without `connected` nobody knows, and both cases are priced."""

    id: FeedId
    connected: bool | None = Field(default=None, description="whether it flows today; left out: nobody knows")


class PlanChoice(Part):
    """A price table to use and the customer's own terms for it."""

    id: str = Field(description="a plan's id, see `plans list`, or the path of a plan file")
    discount_percent: Percent = Decimal(0)
    commitment: str = Field(default="none", description="'none', 'best' or the id of one of the plan's tiers")
    retention_days: int | None = Field(default=None, gt=0)
    grant_remaining_gb_per_day: Amount | None = None


class Budget(Part):
    """A limit on the monthly bill, at a stated quantile of the forecast."""

    monthly: Positive
    currency: Currency
    quantile: Literal["mean", "p10", "p50", "p90"] = "p90"
    applies_to: Literal["added", "with"] = "added"
