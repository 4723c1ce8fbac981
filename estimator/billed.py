"""What a set of feeds costs under one plan: bills by month and draw, line by line, and in the cases that are open."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from estimator.draws import Floats
from estimator.forecast import Spread
from estimator.scenario import PlanChoice
from pricing import Plan
from pricing.days import fiscal_years


@dataclass(frozen=True)
class PlanOnTerms:
    """A price table and the customer's terms for it."""

    plan: Plan
    choice: PlanChoice


@dataclass(frozen=True)
class Case:
    """The added cost in another case than the one the figures take: what is open, and what it would cost then."""

    code: str
    title: str
    added: Spread


@dataclass(frozen=True)
class Line:
    """One line of the bill with the scenario, at mean volumes, its months added up.

    Attributes:
        meter: id of the plan's meter.
        stream: the stream it charges; None where streams are pooled.
        quantity: in `unit`; a percentage is not added up.
        unit: what is counted: GB, GB-month, tier-day, ...
        unit_price: price of one unit; None where the line is not a product of the two.
        amount: money.
        price_from: the day the price is known from; None where no price is involved.
        sources: titles, addresses and dates of what it rests on.
        note: how it came about, as far as it is the same in all months.
    """

    meter: str
    stream: str | None
    quantity: Decimal
    unit: str
    unit_price: Decimal | None
    amount: Decimal
    price_from: dt.date | None
    sources: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class RunRate:
    """The cost of a month in the long run: every change is in force, and as much is kept as will be.

    Attributes:
        added: draws of what a mean month adds, shape (draws,).
        months: the whole months of the horizon it is taken from, the last three at most; empty where no whole month
            follows the last change of the scenario, and the days of the last month after it stand in.
        days: how many days it is taken from.
        full: whether what is kept was as full on the first of these days as it gets. If not, these days do not show
            the long run: the last of them are taken to go on for a year, after having gone on for as long as anything
            is kept (`pricing.run_rate`).
    """

    added: Floats
    months: tuple[str, ...]
    days: int
    full: bool

    @property
    def taken_from(self) -> str:
        """From which days, in words."""
        if not self.full:
            return f"a year in which the last {self.days} days go on and what is kept has filled"
        if not self.months:
            return f"the last {self.days} days, the only ones after the last change"
        return self.months[0] if len(self.months) == 1 else f"{self.months[0]} to {self.months[-1]}"


@dataclass(frozen=True)
class Year:
    """The bills of one fiscal year, or of the part of it that the horizon holds.

    Attributes:
        label: "FY2027", the fiscal year that ends in 2027.
        months: its months in the horizon.
        without, with_, added: their bills added up.
    """

    label: str
    months: tuple[str, ...]
    without: Spread
    with_: Spread
    added: Spread


@dataclass(frozen=True)
class Cost:
    """What a set of feeds costs under one plan.

    Attributes:
        plan: the price table.
        feeds: the feeds priced together.
        months: the months of the horizon.
        without: monthly bills without the scenario, shape (months, draws), in the plan's currency.
        with_: with it.
        run: what a month adds in the long run.
        lines: the bill with it at mean volumes, line by line: what a figure is traced by.
        commitment_without, commitment_with: the tier of each bill; "none" is pay-as-you-go.
        cases: other cases of what is open, over the horizon.
        over_budget: share of draws in which some month passes the budget; None where no budget applies.
        beyond_budget: whether some month passes it at the budget's own quantile.
        notes: what the bill says about itself: why a stream is free, which tier has no price in force.
    """

    plan: Plan
    feeds: tuple[str, ...]
    months: list[str]
    without: Floats
    with_: Floats
    run: RunRate
    lines: tuple[Line, ...]
    commitment_without: str
    commitment_with: str
    cases: tuple[Case, ...]
    over_budget: float | None
    beyond_budget: bool
    notes: tuple[str, ...]

    @property
    def added(self) -> Floats:
        """With minus without, shape (months, draws)."""
        return np.asarray(self.with_ - self.without)

    def run_rate(self) -> Spread:
        """Added cost of a mean month in the long run."""
        return Spread.of(self.run.added)

    def years(self, first_month: int = 1) -> list[Year]:
        """The fiscal years that the horizon touches, each starting with a month such as 1 (January) or 7 (July)."""
        out = []
        for label, rows in fiscal_years(self.months, first_month).items():
            without, with_, added = (Spread.of(x[rows].sum(axis=0)) for x in (self.without, self.with_, self.added))
            out.append(Year(label, tuple(self.months[row] for row in rows), without, with_, added))
        return out
