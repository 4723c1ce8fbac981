"""The records of the catalogue: operations, feeds, licences, priors and where each figure comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

AuditTier = Literal["premium", "standard", "standard_unlisted", "none"]
Basis = Literal["published", "assumed"]
Cause = Literal["people", "applications", "both"]
Coverage = Literal["yes", "unverified", "unknown", "no"]
Licence = Literal["standard", "premium", "pay_as_you_go"]
LogonType = Literal["admin", "delegate", "owner"]
PlanMark = Literal["mailbox", "premium"]
Status = Literal["live", "optional", "retired"]

#: The audit tiers of a licence, best first.
AUDIT_TIERS: tuple[AuditTier, ...] = get_args(AuditTier)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure comes from. `dated`: the date the page, copy or data itself carries, in words."""

    id: str
    title: str
    url: str | None
    read: date
    dated: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class SizeFit:
    """Bytes of one record as a line in what it holds: `base + per_item x items` (messages, or attachments)."""

    base: float
    per_item: float
    basis: Basis
    source: str

    def bytes_at(self, items: float) -> float:
        """Bytes of a record with `items` messages (or attachments)."""
        return self.base + self.per_item * items


@dataclass(frozen=True, slots=True)
class Size:
    """UTF-8 bytes of one AuditData JSON record of an operation.

    Attributes:
        mean: bytes, of `n` records.
        low: smallest mean a tenant's own records may have, bytes.
        high: largest, bytes.
        n: records measured.
        basis: whether the operation itself was measured (`published`) or the size is borrowed (`assumed`).
        source: id in `sources()`.
        range_sources: ids of what widened `low` and `high` besides `source`.
        p50: median of single records, bytes, where it is given.
        p95: 95th percentile of single records, bytes, where it is given.
        fit: line in the number of items, where there is one.
        fit_2026: the same for records of 2026, an estimate.
    """

    mean: float
    low: float
    high: float
    n: int
    basis: Basis
    source: str
    range_sources: tuple[str, ...] = ()
    p50: float | None = None
    p95: float | None = None
    fit: SizeFit | None = None
    fit_2026: SizeFit | None = None


@dataclass(frozen=True, slots=True)
class PublishedRate:
    """A published rate of an operation, `low` to `high`, in `unit`."""

    low: float
    high: float
    unit: str
    basis: Basis
    source: str

    @property
    def middle(self) -> float:
        """The middle of the stated range."""
        return (self.low + self.high) / 2


@dataclass(frozen=True, slots=True)
class Retirement:
    """Why an operation is known to be zero, and since when."""

    on: date
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class InvestigationUse:
    """What investigators lose without an operation, in one line, with its source."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class MailboxAction:
    """The mailbox audit action that switches an operation, and who logs it without set-up.

    Attributes:
        action: the name `Set-Mailbox -AuditOwner`, `-AuditDelegate` and `-AuditAdmin` take.
        default: logon types that log it by default on user and shared mailboxes now.
        default_before_standard: the same in 2023 on mailboxes without Audit (Premium).
        default_before_premium: the same in 2023 on mailboxes with it.
        optional: logon types it can be added to where it is no default.
        group_default: logon types in the fixed set of Microsoft 365 group mailboxes.
        never_on: mailbox kinds that never log it (group, room, equipment, public_folder).
        unverified_on: mailbox kinds of which no source speaks.
        source: id in `sources()`.
    """

    action: str
    default: frozenset[LogonType]
    default_before_standard: frozenset[LogonType]
    default_before_premium: frozenset[LogonType]
    optional: frozenset[LogonType]
    group_default: frozenset[LogonType]
    never_on: frozenset[str]
    unverified_on: frozenset[str]
    source: str

    def gained(self, tier: AuditTier) -> frozenset[LogonType]:
        """The logon types a mailbox of this tier logs by default now and did not in 2023."""
        return self.default - (self.default_before_premium if tier == "premium" else self.default_before_standard)


@dataclass(frozen=True, slots=True)
class Operation:
    """One audit event.

    Attributes:
        id: `Workload/Operation`, as both stand in AuditData.
        aliases: other spellings of the operation, of the same workload.
        record_types: AuditLogRecordType numbers seen or documented; never select by them alone.
        content_type: Management Activity API subscription.
        newly_available: one of the thirty moved to Audit (Standard), or added since (AttachmentAccess, owner Create).
        moved_to_standard: one of the thirty.
        on_by_default: logged without set-up.
        status: `retired` operations are known to be zero; `optional` ones are zero until switched on.
        retired: since when and why.
        licence: lowest tier that logs it now.
        licence_before: lowest tier that logged it in 2023; None where it did not exist.
        caused_by: whose acts write it. What `applications` write follows them and not the head count.
        mailbox_action: the mailbox audit action that switches it, for mailbox operations.
        enable_how: the command that switches it on, where it is off by default.
        trigger: what writes one record.
        published_rate: only MailItemsAccessed has one.
        derived_from: a count of a usage report that stands for it, such as `email_activity.send_count`.
        size: bytes of a record, where any was measured; `size_of()` falls back where not.
        size_by_access_type: the same by MailAccessType (`Bind`, `Sync`).
        investigation_use: what investigators lose without it, where a source says so.
        notes: what else to know.
        sources: ids in `sources()`.
    """

    id: str
    aliases: tuple[str, ...]
    record_types: tuple[int, ...]
    content_type: str
    newly_available: bool
    moved_to_standard: bool
    on_by_default: bool
    status: Status
    retired: Retirement | None
    licence: Licence
    licence_before: Licence | None
    caused_by: Cause
    mailbox_action: MailboxAction | None
    enable_how: str | None
    trigger: str
    published_rate: PublishedRate | None
    derived_from: str | None
    size: Size | None
    size_by_access_type: Mapping[str, Size]
    investigation_use: InvestigationUse | None
    notes: str
    sources: tuple[str, ...]

    @property
    def workload(self) -> str:
        """AuditData.Workload."""
        return self.id.partition("/")[0]

    @property
    def name(self) -> str:
        """AuditData.Operation."""
        return self.id.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Factor:
    """A ratio without unit, drawn from the triangle `low`, `mode`, `high` (all equal: not drawn)."""

    low: float
    mode: float
    high: float
    basis: Basis
    source: str

    @property
    def mean(self) -> float:
        """Mean of the triangle."""
        return (self.low + self.mode + self.high) / 3


@dataclass(frozen=True, slots=True)
class Feed:
    """A way audit events reach a SIEM.

    Attributes:
        id: as scenarios name it.
        title: in words.
        siem: `sentinel`, `splunk`, `elastic` or `raw`.
        stream: the name the SIEM bills under.
        coverage_by_workload: lower-cased AuditData.Workload to coverage.
        coverage_by_operation: lower-cased `Workload/Operation` to coverage, where it differs from its workload's.
        coverage_other: coverage of every other workload.
        size_factor: billed bytes for one byte of AuditData JSON.
        dedupes: whether the feed is documented to remove copies.
        delivery_factor: records delivered for one distinct record.
        same_records_as: feeds that carry copies of the same events; with both connected they are ingested twice.
        requires: what must be connected or subscribed to.
        notes: what else to know.
        sources: ids in `sources()`.
    """

    id: str
    title: str
    siem: str
    stream: str
    coverage_by_workload: Mapping[str, Coverage]
    coverage_by_operation: Mapping[str, Coverage]
    coverage_other: Coverage
    size_factor: Factor
    dedupes: bool
    delivery_factor: Factor
    same_records_as: tuple[str, ...]
    requires: tuple[str, ...]
    notes: str
    sources: tuple[str, ...]

    def coverage(self, workload: str, operation: str) -> Coverage:
        """Whether the feed carries an operation, and how well that is known; the operation need not be catalogued."""
        workload, operation = workload.casefold(), operation.casefold()
        by_operation = self.coverage_by_operation.get(f"{workload}/{operation}")
        return by_operation or self.coverage_by_workload.get(workload, self.coverage_other)

    def carries(self, workload: str, operation: str) -> bool:
        """True where the coverage is `yes` or `unverified`; `unknown` ones belong in what is not known."""
        return self.coverage(workload, operation) in ("yes", "unverified")


@dataclass(frozen=True, slots=True)
class Prior:
    """One published fact or stated prior: `value` in `unit`, with its range where the source gives one."""

    value: float
    unit: str
    basis: Basis
    source: str
    meaning: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Priors:
    """What a tenant's sample cannot show, or shows too thinly; each one's meaning stands in priors.toml."""

    saturday_factor: Prior
    sunday_factor: Prior
    weekday_cv: Prior
    week_swing_log_sd: Prior
    class_ratio_log_sd_sampled: Prior
    class_ratio_log_sd_unsampled: Prior
    class_pseudo_weight: Prior
    shared_mailbox_ratio: Prior
    shared_mailbox_pseudo_observations: Prior
    unseen_scatter_phi: Prior
    unseen_scatter_df: Prior
    unseen_scatter_offset: Prior
    application_touch_prior: Prior
    weekend_log_sd: Prior
    holiday_worked: Prior
    drift_log_sd: Prior
    bare_scatter_phi: Prior
    bare_scatter_df: Prior
    tenant_log_sd: Prior
    unknown_emitting_share: Prior
    unclear_emitting_share: Prior
    send_ratio_log_sd: Prior
    size_cv: Prior
    size_shift_log_sd: Prior
    no_activity_ratio: Prior
    no_activity_log_sd: Prior
    no_activity_selection_log_sd: Prior
    day_dispersion: Prior
    common_day_log_sd: Prior
    mailbox_log_sd: Prior


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """A service plan that decides an audit tier: `marks` says whether it brings a mailbox or Audit (Premium)."""

    name: str
    guid: str
    marks: PlanMark


@dataclass(frozen=True, slots=True)
class HeldSku:
    """One licence as a user holds it.

    Attributes:
        sku: GUID, part number or product name.
        off: names of the deciding service plans that are switched off for the user.
        plans: names of the deciding service plans the tenant's own data says the SKU includes; None where it is silent.
    """

    sku: str
    off: frozenset[str] = frozenset()
    plans: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What a user's licences give together.

    Attributes:
        tier: the audit tier; with anything in `unknown`, a floor.
        tier_all_on: the tier if no service plan were switched off for the user.
        unknown: the SKUs neither the catalogue nor their own plans tell anything of, as they were given.
        by_plans: the SKUs that are not in the catalogue and were judged by their own plans, as they were given.
    """

    tier: AuditTier
    tier_all_on: AuditTier
    unknown: tuple[str, ...]
    by_plans: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LicenceSku:
    """One licence SKU.

    Attributes:
        guid: SKU id, lower case.
        part_number: SKU part number.
        product_name: display name.
        audit_tier: what it gives a mailbox by itself; `none` where it brings no mailbox.
        premium_addon: makes the mailbox of another SKU premium.
        sentinel_grant: its users count towards Sentinel's data grant; Audit (Premium) does not decide that.
        audit_plans: those of its service plans that decide an audit tier, by their names in service_plans.toml.
        source: id in `sources()`.
        grant_source: id of what gives it the grant, or ''.
        dated: date of the list it was read from.
        note: why its tier or grant departs from what its name or the documented list suggests, or ''.
    """

    guid: str
    part_number: str
    product_name: str
    audit_tier: AuditTier
    premium_addon: bool
    sentinel_grant: bool
    audit_plans: tuple[str, ...]
    source: str
    grant_source: str
    dated: date
    note: str
