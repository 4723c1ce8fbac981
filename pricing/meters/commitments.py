"""Daily commitments: tiers billed per calendar day in place of a flat meter."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict

from pricing.meters.common import FlatMeter, MeterTable
from pricing.prices import Positive, Prices, SourceId, Table, Text, refuse

#: Words that stand for something else where a tier's id could stand.
RESERVED_TIERS = frozenset({"none", "best"})


class Tier(Table):
    """A daily commitment one can sign up for."""

    id: Text
    gb_per_day: Positive = Field(description="GB a day the tier covers")
    prices: Prices = Field(description="price per calendar day")
    signup_until: date | None = Field(None, description="last day new customers may choose the tier")
    signup_source: SourceId | None = None


def _tiers_in_order(tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    seen: set[str] = set()
    for tier in tiers:
        if tier.id in seen:
            raise refuse(f"the tier id '{tier.id}' stands twice", "every tier id once")
        if tier.id in RESERVED_TIERS:
            raise refuse(f"a tier is called '{tier.id}'", "another id", "'none' and 'best' are choices of their own.")
        if tier.signup_until is not None and tier.signup_source is None:
            raise refuse(f"tier '{tier.id}' has 'signup_until' without a source", "'signup_source' beside it")
        seen.add(tier.id)
    for smaller, larger in pairwise(tiers):
        if larger.gb_per_day <= smaller.gb_per_day:
            raise refuse(
                f"tier '{larger.id}' ({larger.gb_per_day} GB) stands after '{smaller.id}' ({smaller.gb_per_day} GB)",
                "tiers by ascending gb_per_day",
            )
    return tiers


class Pool(Table):
    """How workspaces can share one commitment. The usage of a bill is that of all that share."""

    title: Text = Field(description="what pools them: 'dedicated cluster'")
    minimum_gb_per_day: Positive = Field(description="smallest tier that can be shared")
    source: SourceId


class DailyCommitment(MeterTable):
    """Tiers billed per calendar day in place of a flat meter: the full price on a quiet day, overage on a busy one."""

    model: Literal["daily_commitment"]
    instead_of: FlatMeter = Field(description="the pay-as-you-go meter a tier replaces")
    overage: Literal["tier_rate"] = Field(description="what GB above the tier cost: the tier's price ÷ its GB")
    lock_days: int = Field(ge=0, description="days a tier must be kept before it may be lowered")
    pool: Pool | None = Field(None, description="how several workspaces share a tier")
    source: SourceId = Field(description="where the rule is documented")
    tiers: Annotated[tuple[Tier, ...], Strict(False), Field(min_length=1), AfterValidator(_tiers_in_order)]

    def tier(self, tier_id: str) -> Tier | None:
        """The tier of that id, if there is one."""
        return next((tier for tier in self.tiers if tier.id == tier_id), None)
