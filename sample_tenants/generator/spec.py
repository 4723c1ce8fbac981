"""What a tenant to be made is like: the one input of the generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

REPORT_DAYS = 30
"""Length of the usage report, in days up to and including its refresh date."""


@dataclass(frozen=True)
class Application:
    """A program that reads mailboxes by itself, at a steady rate, day and night: backup, archiving, polling.

    Attributes:
        name: What it is called in the records.
        share: The share of mailboxes it touches.
        records_per_day: MailItemsAccessed records a day in each of them.
        items: Messages in each record.
    """

    name: str = "Mail Backup"
    share: float = 0.1
    records_per_day: float = 40.0
    items: int = 4


@dataclass(frozen=True)
class TenantSpec:
    """A tenant, its sample and the period whose truth is asked for.

    Attributes:
        seed: Everything random follows from it.
        domain: Domain of all addresses; use one that can never exist, such as `contoso.example`.
        mailboxes: Number of mailboxes, shared mailboxes and rooms included.
        licences: Share of user mailboxes by SKU part number; the shares sum to one.
        shared: Share of mailboxes that are shared mailboxes (no licence, no report row).
        rooms: Number of room mailboxes, which are never audited.
        pilots: Share of the standard, non-frontline user mailboxes that emit the new events already.
        shared_emitting: Share of shared mailboxes that emit them already.
        customised: Share of the other standard user mailboxes whose owner audit set was customised years ago.
        bias: How much the emitting users are the busier ones.
        sample_start: First day (UTC) of the audit sample.
        sample_days: Whole days in the sample.
        report_lag: Days from the last day of the sample to the refresh date of the usage report.
        forecast_start: First day whose truth is asked for; the first of a month after the report.
        forecast_months: Number of months of truth.
        mail: Factor on mail, and on how often people sit down to it, for a tenant busier or quieter than most.
        files: Factor on SharePoint activity.
        applications: Programs that read mailboxes; none by default.
        country: ISO code; its public holidays are days off.
        utc_offset: Local time minus UTC, in hours.
        departments: Share of user mailboxes by department.
    """

    seed: int = 1
    domain: str = "contoso.example"
    mailboxes: int = 300
    licences: Mapping[str, float] = field(default_factory=lambda: {"SPE_E3": 0.60, "SPE_E5": 0.15, "SPE_F1": 0.25})
    shared: float = 0.09
    rooms: int = 0
    pilots: float = 0.0
    shared_emitting: float = 0.15
    customised: float = 0.03
    bias: Literal["none", "mild", "strong"] = "mild"
    sample_start: date = date(2026, 9, 14)
    sample_days: int = 14
    report_lag: int = 2
    forecast_start: date = date(2026, 10, 1)
    forecast_months: int = 2
    mail: float = 1.0
    files: float = 1.0
    applications: tuple[Application, ...] = ()
    country: str = "US"
    utc_offset: int = -6
    departments: Mapping[str, float] = field(
        default_factory=lambda: {"Operations": 0.45, "Sales": 0.20, "Finance": 0.15, "IT": 0.10, "Management": 0.10}
    )

    def __post_init__(self) -> None:
        for name in ("licences", "departments"):
            total = sum(getattr(self, name).values())
            if abs(total - 1.0) > 1e-9:
                raise ValueError(f"TenantSpec.{name}: shares sum to {total:g}, expected 1")
        if self.forecast_start.day != 1 or self.forecast_start <= self.report_date:
            raise ValueError(
                f"TenantSpec.forecast_start: {self.forecast_start} is not the first of a month after the report"
                f" ({self.report_date})"
            )

    @property
    def sample_end(self) -> date:
        """The day after the sample's last."""
        return self.sample_start + timedelta(days=self.sample_days)

    @property
    def report_date(self) -> date:
        """The refresh date of the usage report."""
        return self.sample_end + timedelta(days=self.report_lag - 1)

    @property
    def history_start(self) -> date:
        """The first local day that the sample or the report covers in part."""
        return min(self.sample_start - timedelta(days=1), self.report_date - timedelta(days=REPORT_DAYS - 1))

    @property
    def months(self) -> list[str]:
        """The months of the forecast, as `2027-01`."""
        first = self.forecast_start.year * 12 + self.forecast_start.month - 1
        return [f"{m // 12}-{m % 12 + 1:02d}" for m in range(first, first + self.forecast_months)]

    @property
    def forecast_end(self) -> date:
        """The day after the forecast's last."""
        after = self.forecast_start.year * 12 + self.forecast_start.month - 1 + self.forecast_months
        return date(after // 12, after % 12 + 1, 1)
