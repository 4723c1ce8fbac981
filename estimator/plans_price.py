"""Plain usage priced under one plan, without a tenant: what `plans price` prints."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from estimator.plans import Offered
from estimator.plans_usage import UNNAMED, PlainUsage
from pricing import Bill, Plan, Terms
from pricing.bill import bill
from pricing.errors import MissingCountError, NotCountedError, TermsError
from pricing.meters import Fee, PerCount, Retention
from pricing.prices import nearest

#: Where what a plan charges by can be stated, by its name in pricing.
_OPTIONS = {
    "events": "--events-per-day N, or STREAM=N, or in the column events of a file of --usage",
    "peak_events_per_second": "--peak-events-per-second N, or STREAM=N",
}


@dataclass(frozen=True)
class PricedUsage:
    """A bill, with what it is a bill of.

    Attributes:
        offered: the plan and its age.
        usage: the volumes.
        bill: every charge, unrounded.
        warnings: what makes the bill doubtful: an old list, a grant that covers nothing, days taken as empty.
    """

    offered: Offered
    usage: PlainUsage
    bill: Bill
    warnings: tuple[str, ...] = field(default=())

    @property
    def by_volume(self) -> bool:
        """Whether the main charge follows the volume at all; one by users, assets or a fee does not."""
        plan = self.offered.plan
        return not isinstance(plan.meters[plan.ingest], PerCount | Fee)


def price(
    plan: Plan,
    usage: PlainUsage,
    *,
    as_of: dt.date,
    commitment: str = "none",
    retention_days: int | None = None,
    total_retention_days: int | None = None,
    discount_percent: Decimal = Decimal(0),
    grants: Mapping[str, Decimal] | None = None,
    counts: Mapping[str, Decimal] | None = None,
) -> PricedUsage:
    """The bill of plain usage.

    Args:
        plan: the price table.
        usage: the volumes.
        as_of: the day the age of the prices is told for.
        commitment: "none", "best" or a tier.
        retention_days: days kept; None: the days the plan includes.
        total_retention_days: days kept in all, where the plan has long-term storage.
        discount_percent: applied last.
        grants: GB a day that remain of each grant; an unnamed one is the plan's only one.
        counts: users, assets and whatever else the plan asks for.

    Raises:
        NoPriceError: a day has no price, or the plan leaves the price open.
        TermsError: what is asked for does not fit the plan.
    """
    granted = {_grant(plan, name): gb for name, gb in (grants or {}).items()}
    counted = dict(counts or {})
    if unknown := sorted(set(counted) - set(plan.counts)):
        known = ", ".join(sorted(plan.counts)) or f"none: {plan.id} asks for none"
        raise TermsError(
            f"'{unknown[0]}' is no count of {plan.id}",
            place="--count",
            expected=known,
            mend=nearest(unknown[0], plan.counts),
        )
    terms = Terms(
        commitment=commitment,
        retention_days=retention_days,
        total_retention_days=total_retention_days,
        discount_percent=discount_percent,
        grant_gb_per_day=granted,
        counts=counted,
    )
    try:
        made = bill(plan, usage.for_plan(plan), terms)
    except NotCountedError as error:
        mend = f"Give them with {_OPTIONS[error.measure]}."
        raise TermsError(error.found, place=error.place, expected=error.expected, mend=mend) from None
    except MissingCountError as error:
        mend = f"Give it with --count {error.count}=N: {str(error.mend)[0].lower()}{str(error.mend)[1:]}"
        raise TermsError(error.found, place=error.place, expected=error.expected, mend=mend) from None
    offered = Offered(plan, plan.id, as_of)
    warnings = (*_warnings(offered, usage, granted), *_not_kept(plan, retention_days), *usage.notes)
    return PricedUsage(offered, usage, made, warnings)


def _grant(plan: Plan, name: str) -> str:
    if name != UNNAMED or UNNAMED in plan.grants:
        return name
    if len(plan.grants) != 1:
        listed = ", ".join(f"{id_}=N" for id_ in plan.grants) or f"none: {plan.id} has no grant"
        raise TermsError("a grant without a name", place="--grant-gb-per-day", expected=listed)
    return next(iter(plan.grants))


def _warnings(one: Offered, usage: PlainUsage, granted: Mapping[str, Decimal]) -> Iterator[str]:
    if one.stale:
        yield f"The prices of {one.plan.id} were checked on {one.plan.checked_on}, {one.age_days} days ago."
    for id_, gb in granted.items():
        covered = one.plan.grants[id_].streams
        if gb and not set(covered) & set(usage.gb):
            yield (
                f"The grant {id_} covers none of the streams priced ({', '.join(usage.gb)}): name the stream, such as "
                f"{covered[0]}=N."
            )


def _not_kept(plan: Plan, retention_days: int | None) -> Iterator[str]:
    """A bill without storage is told where the plan sells it from the first day on, and nobody asked for any."""
    stored = [meter.of for meter in plan.meters.values() if isinstance(meter, Retention) and not meter.long_term]
    if plan.ingest in stored and not plan.included_retention_days and retention_days is None:
        yield f"{plan.id} includes no days of storage and none were asked for (--retention-days): none are priced."


def next_month(day: dt.date) -> dt.date:
    """The first day of the month after `day`."""
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def days_of_months(start: dt.date, months: int) -> int:
    """Days from `start` to the same day so many months on; the end of a shorter month stands in for days it lacks."""
    month = start.replace(day=1)
    for _ in range(months):
        month = next_month(month)
    last = (next_month(month) - dt.timedelta(days=1)).day
    return (month.replace(day=min(start.day, last)) - start).days
