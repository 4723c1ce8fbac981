"""What the catalogue can be asked. Each file is read at the first question that needs it, and then kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import NoReturn

from estimator.catalog.reading import (
    Operations,
    nearest,
    read_feeds,
    read_licences,
    read_operations,
    read_plan_marks,
    read_priors,
    read_sources,
)
from estimator.catalog.records import (
    AUDIT_TIERS,
    AuditTier,
    AuditVerdict,
    Feed,
    HeldSku,
    LicenceSku,
    Operation,
    PlanMark,
    Priors,
    ServicePlan,
    Size,
    Source,
)
from estimator.errors import ScenarioError, UsageError

_FOLDER = Path(__file__).parent


@cache
def _sources() -> dict[str, Source]:
    return read_sources(_FOLDER / "sources.toml")


@cache
def _operations() -> Operations:
    return read_operations(_FOLDER / "operations.toml", _sources())


@cache
def _feeds() -> dict[str, Feed]:
    return read_feeds(_FOLDER / "feeds.toml", _sources())


@cache
def _licences() -> dict[str, LicenceSku]:
    return read_licences(_FOLDER / "licences.csv", _sources(), _service_plans())


@cache
def _licence_index() -> dict[str, LicenceSku]:
    """GUIDs, part numbers and product names, lower-cased; a name two SKUs share means the one of the better tier."""
    index: dict[str, LicenceSku] = {}
    best_first = sorted(_licences().values(), key=lambda sku: AUDIT_TIERS.index(sku.audit_tier))
    for column in ("guid", "part_number", "product_name"):
        for sku in best_first:
            index.setdefault(getattr(sku, column).casefold(), sku)
    return index


@cache
def _service_plans() -> dict[str, ServicePlan]:
    return read_plan_marks(_FOLDER / "service_plans.toml", _sources())


# ---------------------------------------------------------------- the questions


def catalogue_date() -> date:
    """The day the operations were last checked against their sources."""
    return _operations().checked


def sources() -> dict[str, Source]:
    """Every source the catalogue names, by id."""
    return dict(_sources())


def operations() -> dict[str, Operation]:
    """Every catalogued operation by its key `Workload/Operation`, in the order of the file."""
    return dict(_operations().by_id)


def operation(key: str, *, path: str | None = None, place: str | None = None) -> Operation:
    """The operation of a key `Workload/Operation` or of one of its aliases, whatever the case.

    Args:
        key: the key.
        path: the file that names it, where one does; the error then carries it and `place`.
        place: where in that file.

    Raises:
        ScenarioError: a file names an unknown operation.
        UsageError: a caller does.
    """
    catalogue = _operations()
    found = catalogue.index.get(key.strip().casefold())
    if found is None:
        _refuse(
            "operation", key, catalogue.by_id, "Workload/Operation, such as Exchange/MailItemsAccessed", path, place
        )
    return catalogue.by_id[found]


def newly_available(*, retired: bool = True) -> list[str]:
    """Keys of the thirty operations moved to Audit (Standard), AttachmentAccess and (owner) Create.

    Args:
        retired: whether the five of Stream (Classic), known to be zero, are among them.
    """
    found = _operations().by_id.values()
    return [one.id for one in found if one.newly_available and (retired or one.status != "retired")]


def mailbox_operations() -> list[str]:
    """Keys of the operations a mailbox audit action switches (SharePoint's SearchQueryInitiated is one of them)."""
    return [one.id for one in _operations().by_id.values() if one.mailbox_action is not None]


def size_of(key: str, access_type: str = "") -> Size:
    """AuditData bytes of one record of any operation, catalogued or not.

    The operation's own size by access type, else its own, else its workload's, else that of all records; the last two
    have the basis `assumed`.

    Args:
        key: `Workload/Operation`.
        access_type: `Bind`, `Sync` or ''.
    """
    catalogue = _operations()
    found = catalogue.by_id.get(catalogue.index.get(key.casefold(), ""))
    if found is not None and (size := found.size_by_access_type.get(access_type, found.size)) is not None:
        return size
    workload = key.partition("/")[0].casefold()
    return catalogue.default_size_by_workload.get(workload, catalogue.default_size)


def feeds() -> dict[str, Feed]:
    """Every feed by id."""
    return dict(_feeds())


def feed(feed_id: str, *, path: str | None = None, place: str | None = None) -> Feed:
    """The feed of an id.

    Args:
        feed_id: such as `sentinel-cloudappevents`.
        path: the file that names it, where one does; the error then carries it and `place`.
        place: where in that file.

    Raises:
        ScenarioError: a file names an unknown feed.
        UsageError: a caller does.
    """
    found = _feeds().get(feed_id)
    if found is None:
        _refuse("feed", feed_id, _feeds(), " | ".join(_feeds()), path, place)
    return found


def _refuse(what: str, name: str, known: Iterable[str], expected: str, path: str | None, place: str | None) -> NoReturn:
    error = UsageError if path is None else ScenarioError
    near = nearest(name, known)
    raise error(f"the {what} {name!r} is unknown{near}", path=path, place=place, expected=expected)


@cache
def priors() -> Priors:
    """Published facts and stated priors of the forecast, each with `.value`, `.unit`, `.basis` and `.source`."""
    return read_priors(_FOLDER / "priors.toml", _sources())


def licences() -> dict[str, LicenceSku]:
    """Every known licence SKU by GUID."""
    return dict(_licences())


def licence_tier(sku: str) -> LicenceSku | None:
    """The SKU of a GUID (with or without braces), a part number or a product name, whatever the case; None if unknown.

    A name two SKUs share (`Microsoft 365 F1`) means the one of the better tier: it is asked of people with a mailbox.
    """
    return _licence_index().get(sku.strip().strip("{}").casefold())


def best_tier(skus: Iterable[str]) -> tuple[AuditTier, tuple[str, ...]]:
    """The audit tier a user's licences give together, and the SKUs that are unknown.

    A premium add-on (Microsoft 365 E5 Compliance and the like) counts only beside a SKU that brings a mailbox.

    Args:
        skus: GUIDs, part numbers or product names.

    Returns:
        The tier of the known ones, and the unknown ones as they were given: with any, the tier is a floor.
    """
    verdict = judge(HeldSku(sku) for sku in skus)
    return verdict.tier, verdict.unknown


def judge(held: Iterable[HeldSku]) -> AuditVerdict:
    """The audit tier of one user, from the service plans that are on: Audit (Premium) beside any mailbox is premium.

    A premium SKU whose Audit (Premium) is switched off is `standard`. A SKU that is not in the catalogue is judged by
    its own plans as `tier_of_plans` does; those plans add to what the catalogue knows of the others.
    """
    unknown: list[str] = []
    by_plans: list[str] = []
    now: set[AuditTier] = set()
    all_on: set[AuditTier] = set()
    premium = premium_all_on = False
    for one in held:
        sku = licence_tier(one.sku)
        if sku is None:
            if one.plans is None:
                unknown.append(one.sku)
                continue
            by_plans.append(one.sku)
        plans = frozenset(sku.audit_plans if sku else ()) | (one.plans or frozenset())
        has_premium, mailboxes = _marked("premium", plans), _marked("mailbox", plans)
        on, by_itself = bool(mailboxes - one.off), bool(mailboxes)
        if sku and sku.audit_tier != "none" and not mailboxes:
            # A gap of the list: it has a mailbox plan, and we do not know which.
            on, by_itself = not _marked("mailbox", one.off), True
        if sku and sku.audit_tier != "none":
            floor: AuditTier = "standard_unlisted" if sku.audit_tier == "standard_unlisted" else "standard"
        else:
            floor = "standard" if has_premium else "standard_unlisted"
        now |= {floor} if on else set()
        all_on |= {floor} if by_itself else set()
        premium = premium or bool(has_premium - one.off)
        premium_all_on = premium_all_on or bool(has_premium)
    return AuditVerdict(_together(now, premium), _together(all_on, premium_all_on), tuple(unknown), tuple(by_plans))


def _marked(mark: PlanMark, plans: frozenset[str]) -> frozenset[str]:
    known = _service_plans()
    return frozenset(plan for plan in plans if known[plan.casefold()].marks == mark)


def _together(mailboxes: set[AuditTier], premium: bool) -> AuditTier:
    if not mailboxes:
        return "none"
    return "premium" if premium else min(mailboxes, key=AUDIT_TIERS.index)


def deciding_plan(plan: str) -> str:
    """The name of a service plan that decides an audit tier, from its name or GUID; '' for all others."""
    found = _service_plans().get(plan.strip().strip("{}").casefold())
    return found.name if found else ""


def has_sentinel_grant(skus: Iterable[str]) -> bool:
    """Whether a user of these licences counts towards Sentinel's Microsoft 365 data grant; unknown ones do not.

    Args:
        skus: GUIDs, part numbers or product names.
    """
    return any(sku.sentinel_grant for sku in map(licence_tier, skus) if sku is not None)


def tier_of_plans(plans: Iterable[str]) -> tuple[AuditTier, bool]:
    """Tier and add-on flag of a SKU that is newer than the list, from its service plans.

    Args:
        plans: service plan names or GUIDs, as in Graph `subscribedSkus` or `licenseDetails`.

    Returns:
        As `LicenceSku.audit_tier` and `.premium_addon`. A mailbox without Audit (Premium) is `standard_unlisted`: no
        plan marks Audit (Standard), and an unknown SKU is on no documented list.
    """
    marks = {_service_plans()[name.casefold()].marks for name in map(deciding_plan, plans) if name}
    if "mailbox" not in marks:
        return "none", "premium" in marks
    return ("premium" if "premium" in marks else "standard_unlisted"), False
