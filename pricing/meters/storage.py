"""What is kept: a stock of GB past the included days."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from pricing.meters.common import Band, Kept, Ladder, MeterTable, _gb_bands
from pricing.meters.volume import from_zero
from pricing.prices import Positive, Prices, SourceId, refuse


class Retention(MeterTable):
    """A stock of GB kept past the included days, as the plan bills them, before grants."""

    model: Literal["retention"]
    of: Kept = Field(description="the ingestion meter, or the tier, whose streams are kept here")
    long_term: bool = Field(
        default=False,
        description="true: charges the days from the end of the ordinary retention to `total_retention_days`",
    )
    max_days: int = Field(gt=0, description="longest retention that can be bought, counted from ingestion")
    per: Literal["day", "month", "year"] = Field(
        default="month", description="what the price of a GB, or of a block, is for"
    )
    compression: Positive = Field(default=Decimal(1), description="6: six GB are stored, and billed, as one")
    block_gb: Positive | None = Field(
        None, description="sold in whole blocks of so many GB, counted day by day; the price is of a block"
    )
    source: SourceId = Field(description="where the rule is documented")
    prices: Prices | None = Field(None, description="price per GB or block and `per`")
    bands: Annotated[tuple[Band, ...], Strict(False), AfterValidator(_gb_bands)] = Field(
        default=(), description="or bands of the month's GB-months, each at its own rate"
    )

    @model_validator(mode="after")
    def _prices_or_bands(self) -> Self:
        if (self.prices is None) == (not self.bands):
            raise refuse("not exactly one of 'prices' and 'bands'", "one of them")
        if self.bands and (self.per != "month" or self.block_gb is not None):
            raise refuse("bands of another measure than GB-months", "per = \"month\" and no 'block_gb' beside 'bands'")
        return from_zero(self, self.bands)

    @property
    def unit(self) -> str:
        """What is counted: "GB-month", "GB-day", "500 GB block-year"."""
        return f"{'GB' if self.block_gb is None else f'{self.block_gb} GB block'}-{self.per}"

    @property
    def ladder(self) -> Ladder:
        """The bands as a ladder."""
        return Ladder("graduated", tuple(b.from_gb for b in self.bands), tuple(b.prices for b in self.bands))
