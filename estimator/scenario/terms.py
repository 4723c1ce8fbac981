"""What a scenario file states beside its changes: which feeds flow today, the price tables to use, the budget."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from estimator.scenario.values import Amount, Currency, Day, FeedId, Part, Percent, Positive, Title
from pricing.meters.common import CountName
from pricing.money import CURRENCIES
from pricing.prices import nearest, refuse


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
    plan_counts: dict[CountName, Amount] = Field(
        default_factory=dict, description="what the plan charges beside volume, by the names it gives: { users = 400 }"
    )


class Budget(Part):
    """A limit on the monthly bill, at a stated quantile of the forecast."""

    monthly: Positive
    currency: Currency
    quantile: Literal["mean", "p10", "p50", "p90"] = "p90"
    applies_to: Literal["added", "with"] = "added"


def _currencies_only(schema: dict[str, Any]) -> None:
    """What `Exchange._of_currencies` checks, in the JSON Schema's words."""
    schema["propertyNames"] = {"enum": ["on", "source", *sorted(CURRENCIES)]}
    schema["minProperties"] = 3


class Exchange(Part):
    """What one unit of other currencies is in this one: `GBP = { USD = 0.79, … }` says that one USD is 0.79 GBP."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_currencies_only)
    __pydantic_extra__: dict[str, Positive] = Field(init=False)

    on: Day = Field(description="the day of the rates")
    source: Title = Field(min_length=1, description="who says so")

    @model_validator(mode="before")
    @classmethod
    def _of_currencies(cls, value: object) -> object:
        if isinstance(value, Mapping):
            others = [key for key in value if key not in cls.model_fields]
            if strange := [key for key in others if key not in CURRENCIES]:
                raise refuse(
                    f"{strange[0]!r} is neither a currency nor a key of a rate",
                    "ISO 4217 codes such as 'USD', 'on' and 'source'",
                    nearest(str(strange[0]).upper(), CURRENCIES) or nearest(str(strange[0]), list(cls.model_fields)),
                )
            if not others:
                raise refuse("no rate is given", "a rate such as USD = 0.79: what one USD is in this currency")
        return value

    @property
    def rates(self) -> dict[str, Decimal]:
        """Units of this currency for one of each other."""
        return dict(self.__pydantic_extra__ or {})
