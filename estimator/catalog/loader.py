"""What the catalogue can be asked. Each file is read at the first question that needs it, and then kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import NoReturn

from estimator.catalog.reading import (
    Operations,
    PlanMark,
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
    Feed,
    LicenceSku,
    Operation,
    Priors,
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
    return read_licences(_FOLDER / "licences.csv", _sources())


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
def _plan_marks() -> dict[str, PlanMark]:
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
    known: list[LicenceSku] = []
    unknown: list[str] = []
    for name in skus:
        sku = licence_tier(name)
        if sku is None:
            unknown.append(name)
        else:
            known.append(sku)
    tier: AuditTier = min((sku.audit_tier for sku in known), key=AUDIT_TIERS.index, default="none")
    if tier != "none" and any(sku.premium_addon for sku in known):
        tier = "premium"
    return tier, tuple(unknown)


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
    marks = {_plan_marks().get(plan.strip().strip("{}").casefold()) for plan in plans}
    if "mailbox" not in marks:
        return "none", "premium" in marks
    return ("premium" if "premium" in marks else "standard_unlisted"), False
