"""What a tenant to be made is like: the one input of the generator."""

from __future__ import annotations

import math
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
        share: The chance of each mailbox to be touched by it.
        records_per_day: MailItemsAccessed records a day in each of them.
        items: Messages in each record.
        mailboxes: How many mailboxes it touches, exactly; 0 leaves that to `share`.
        kinds: RecipientTypeDetails of the mailboxes it may touch; all that can be audited by default.
        account: Left part of the address of the account it signs in with; without one it acts by its GUID.
        bypassed: Whether that account bypasses mailbox auditing: then nothing it does in any mailbox is logged.
        owns_mailbox: Whether that account has a mailbox of its own, which nobody uses.
    """

    name: str = "Mail Backup"
    share: float = 0.1
    records_per_day: float = 40.0
    items: int = 4
    mailboxes: int = 0
    kinds: tuple[str, ...] = ()
    account: str = ""
    bypassed: bool = False
    owns_mailbox: bool = False

    def __post_init__(self) -> None:
        if not self.account and (self.bypassed or self.owns_mailbox):
            raise ValueError(f"Application {self.name!r}: bypassed and owns_mailbox are of an account; name one")


@dataclass(frozen=True)
class Exports:
    """Which exports are written, and in which of the shapes that real tenants have.

    Attributes:
        mailboxes: `csv`: lists joined by commas; `braces`: a CSV whose lists stand as `{a, b}`; `json`: what
            Get-EXOMailbox gives through ConvertTo-Json, lists as arrays.
        licences: `part_numbers`: a CSV; `active_users`: the admin center's CSV, product names joined by `+`; `graph`:
            users with assignedLicenses, as JSON, and beside it the tenant's totals by SKU.
        audit: `portal`: the records, as the Purview portal exports them, in one file however long it gets;
            `portal_parts`: the same by spans of days, so that each file stays below the 50,000 rows at which the portal
            cuts; `counts`: counts made at the source, as `docs/counts.md` describes them.
        organisation: `list`: Format-List text of the organisation's settings; `csv`: files of the organisation's and
            the audit log's settings; empty for none.
        bypass: Whether the bypass associations of all accounts are written.
    """

    mailboxes: Literal["csv", "braces", "json"] = "csv"
    licences: Literal["part_numbers", "active_users", "graph"] = "part_numbers"
    audit: Literal["portal", "portal_parts", "counts"] = "portal"
    organisation: Literal["", "list", "csv"] = ""
    bypass: bool = False


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
        frontline_departments: Department of frontline workers, by the same kind of shares; without any they are
            placed like everybody else.
        equipment: Number of equipment mailboxes.
        groups: Number of Microsoft 365 group mailboxes, whose audit set is fixed. Nobody writes to them here.
        discovery: Number of discovery mailboxes.
        inactive: Number of inactive mailboxes: kept for the record, their owners gone.
        unlicensed: Number of user mailboxes whose licence was taken away; nobody uses them.
        compliance_addon: Share of the users with Microsoft 365 E3 who have the E5 Compliance add-on: they emit.
        customised_sets: By name of `audit_sets.VARIANTS`: how many of the standard user mailboxes, frontline workers'
            and those of `customised` left out, have such audit sets.
        audit_disabled: Number of mailboxes with AuditEnabled False, which Exchange ignores while auditing is on for
            the organisation.
        unreadable: Number of mailboxes whose audit sets the export shows shortened.
        bypassed_owners: Number of people whose accounts bypass mailbox auditing, half of them among those that emit.
        searching: Number of emitting people for whom the action SearchQueryInitiated was added.
        sample_share: The share of the users to whom the audit export was limited; 1 is the whole tenant, with what
            applications did.
        copies: Copies of a record for each record, on the way to whoever counts at the source.
        exports: Which files are written, and in which shapes.
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
    frontline_departments: Mapping[str, float] = field(default_factory=dict)
    equipment: int = 0
    groups: int = 0
    discovery: int = 0
    inactive: int = 0
    unlicensed: int = 0
    compliance_addon: float = 0.0
    customised_sets: Mapping[str, int] = field(default_factory=dict)
    audit_disabled: int = 0
    unreadable: int = 0
    bypassed_owners: int = 0
    searching: int = 0
    sample_share: float = 1.0
    copies: float = 0.0
    exports: Exports = Exports()

    def __post_init__(self) -> None:
        for name in ("licences", "departments", "frontline_departments"):
            total = sum(getattr(self, name).values())
            if (getattr(self, name) or name != "frontline_departments") and abs(total - 1.0) > 1e-9:
                raise ValueError(f"TenantSpec.{name}: shares sum to {total:g}, expected 1")
        if self.forecast_start.day != 1 or self.forecast_start <= self.report_date:
            raise ValueError(
                f"TenantSpec.forecast_start: {self.forecast_start} is not the first of a month after the report"
                f" ({self.report_date})"
            )

    @property
    def plants(self) -> bool:
        """Whether exports are written in another than the plain shapes: such tenants say what was planted in them."""
        return self.exports != Exports()

    @property
    def service_accounts(self) -> tuple[Application, ...]:
        """The applications whose accounts have mailboxes, which stand behind all others."""
        return tuple(a for a in self.applications if a.owns_mailbox)

    @property
    def people(self) -> int:
        """How many mailboxes are people's: those that are left."""
        others = self.rooms + self.equipment + self.groups + self.discovery + self.inactive
        return self.mailboxes - self.shared_mailboxes - others - len(self.service_accounts)

    @property
    def shared_mailboxes(self) -> int:
        """How many mailboxes are shared."""
        return math.floor(self.shared * self.mailboxes + 0.5)

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
