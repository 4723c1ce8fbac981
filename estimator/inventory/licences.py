"""Who holds which licence: CSV of users and part numbers, GUIDs or product names; Graph users and licence details."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from estimator import catalog
from estimator.audit.opening import read_head
from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.graph_json import field_of, read_objects
from estimator.inventory.grid import rejected
from estimator.inventory.held import Held
from estimator.inventory.layout import is_json
from estimator.inventory.licence_names import names_in, switched_off
from estimator.inventory.sheet import Part, Wanted, place_of, read_sheet
from estimator.inventory.words import counted

EXPORT_COMMAND = (
    "Export again with: Get-MgUser -All -Property UserPrincipalName,AssignedLicenses | "
    "Select-Object UserPrincipalName,@{n='SkuId';e={$_.AssignedLicenses.SkuId -join '+'}},"
    "@{n='DisabledPlans';e={$_.AssignedLicenses.DisabledPlans -join '+'}} | "
    "Export-Csv licences.csv -NoTypeInformation -Encoding UTF8"
)
_MEND_JSON = "Save the answer of GET /users?$select=userPrincipalName,assignedLicenses, every page of it."
_EXPECTED_JSON = '{"userPrincipalName": "...", "assignedLicenses": [{"skuId": "..."}]}'

_EXPECTED_DETAILS = '{"userPrincipalName": "...", "skuId": "...", "servicePlans": [...]}'
_USER_NAMES = ("UserPrincipalName", "User principal name", "UPN")
_SKU_NAMES = ("SkuPartNumber", "SkuId", "AccountSkuId", "Licenses", "Licences", "AssignedLicenses")
_LICENCE_COLUMNS = {name.lower() for name in _SKU_NAMES}

#: What Export-Csv writes where the licences were not joined: the type's name instead of the values.
_TYPE_NAME = re.compile(r"^(System\.|Microsoft\.|Deserialized\.)")

_GRAPH_SPELLING = ("userPrincipalName", "assignedLicenses", "skuId", "disabledPlans")
_POWERSHELL_SPELLING = ("UserPrincipalName", "AssignedLicenses", "SkuId", "DisabledPlans")

#: `plans` of a licence whose own service plans are told, none of which decides an audit tier.
NO_DECIDING_PLAN = "-"


def licence_columns(columns: set[str]) -> bool:
    """Whether a CSV with these columns (`column_key` of each) lists users and their licences."""
    return bool(columns & _LICENCE_COLUMNS) and not totals_columns(columns)


def totals_columns(columns: set[str]) -> bool:
    """Whether a CSV with these columns (`column_key` of each) counts units per SKU."""
    return "consumedunits" in columns and bool(columns & _LICENCE_COLUMNS) and "userprincipalname" not in columns


def licence_object(first: dict[str, Any]) -> bool:
    """Whether the first JSON object of a list is a user with licences, or the licence details of a user.

    Users selected without their licences are meant too: they are refused with the reason, not passed over as unknown.
    Audit and sign-in records have a userPrincipalName as well, and no displayName. A dictionary of users is told by
    its first value.
    """
    keys = {key.casefold() for key in first}
    marks = {"assignedlicenses"}, {"userprincipalname", "displayname"}, {"skuid", "serviceplans"}, {"licensedetails"}
    if any(mark <= keys for mark in marks):
        return not totals_object(first)
    return ("userprincipalname" in keys and bool(keys & _LICENCE_COLUMNS)) or _is_dictionary(first)


def totals_object(first: dict[str, Any]) -> bool:
    """Whether the first JSON object of a list is one of Graph's subscribedSkus."""
    keys = {key.casefold() for key in first}
    return "consumedunits" in keys and bool(keys & {"skuid", "skupartnumber"})


def read_licences(path: Path, shown: str) -> Part:
    """Read one licence file.

    Returns:
        One row per assignment; a user without any licence has one row with sku ''. Columns: `mailbox` (lower-cased
        UPN); `sku` (part number, GUID or product name); `disabled` (names of the service plans that decide an audit
        tier and are switched off for this user, joined by commas; mostly ''); `plans` (names of those the SKU has,
        where the file lists the SKU's service plans: '' where it does not, `NO_DECIDING_PLAN` where none decides).

    Raises:
        InventoryError: unreadable, a needed column is missing, or no user at all.
    """
    held, count, findings = (_from_json if is_json(read_head(path)) else _from_csv)(path, shown)
    if nobodys := held.nobodys():
        findings.append(
            Finding(
                "licence_without_user",
                "warning",
                f"{counted(nobodys, 'licence is', 'licences are')} assigned to nobody, as the user's name is "
                f"missing, and not counted. {EXPORT_COMMAND}",
                shown,
            )
        )
    if twice := held.contradicted():
        findings.append(
            Finding(
                "licences_user_twice",
                "warning",
                f"{counted(twice, 'user stands', 'users stand')} in the file more than once, with other licences each "
                "time; they count as holding "
                "all of them, so that one whose licences were taken away in between has too many. Export the file anew "
                "instead of joining old ones.",
                shown,
            )
        )
    if not any(held.users):
        raise InventoryError("the file names no user", path=shown, expected="one row per user", mend=EXPORT_COMMAND)
    return Part(held.table(), count, findings)


def deciding_plans(plans: Any) -> tuple[str, str]:
    """Of a SKU's `servicePlans`: `plans` and `disabled` as `read_licences` gives them; ('', '') where it has no list.

    A plan of any other status than Disabled (Success, PendingInput, ...) is on or will be.
    """
    if not isinstance(plans, list):
        return "", ""
    has, off = set(), set()
    for plan in plans:
        plan_id, plan_name = field_of(plan, "servicePlanId"), field_of(plan, "servicePlanName")
        if name := catalog.deciding_plan(str(plan_id)) or catalog.deciding_plan(str(plan_name)):
            has.add(name)
            if str(field_of(plan, "provisioningStatus")).casefold() == "disabled":
                off.add(name)
    return ",".join(sorted(has)) or NO_DECIDING_PLAN, ",".join(sorted(off))


# ---------------------------------------------------------------- CSV


def _from_csv(path: Path, shown: str) -> tuple[Held, int, list[Finding]]:
    wanted = {
        "upn": Wanted(_USER_NAMES),
        "skus": Wanted(_SKU_NAMES),
        "disabled": Wanted(("DisabledPlans",), needed=False),
    }
    # The admin center writes thirty columns more.
    cells, _, count, findings = read_sheet(path, shown, wanted, EXPORT_COMMAND, rest=False)
    not_joined = cells["skus"].str.match(_TYPE_NAME)
    if not_joined.any():
        line = int(cells.index[not_joined][0])
        raise InventoryError(
            f"found {cells.loc[line, 'skus']!r} instead of licences",
            path=shown,
            place=place_of(cells, line),
            mend=EXPORT_COMMAND,
        )
    held = Held()
    for upn, cell, disabled in zip(*(cells[name].tolist() for name in wanted), strict=True):
        names = names_in(cell)
        held.add(upn.lower(), names, switched_off(names, disabled) if disabled else ())
    return held, count, findings


# ---------------------------------------------------------------- JSON


def _from_json(path: Path, shown: str) -> tuple[Held, int, list[Finding]]:
    objects, findings = read_objects(path, shown, _MEND_JSON, "users of the other pages count as unlicensed")
    if len(objects) == 1 and isinstance(objects[0], dict) and _is_dictionary(objects[0]):
        objects = [{"userPrincipalName": user, "licenseDetails": found} for user, found in objects[0].items()]
    if objects and all(_is_detail(one) and not _user_of(one) for one in objects):
        raise InventoryError(
            "these licence details do not say whose they are",
            path=shown,
            expected='a "userPrincipalName" in each, or {"ann@contoso.com": [details], ...}',
            mend=_MEND_JSON,
        )
    held = Held()
    refused: dict[int, InventoryError] = {}
    for number, one in enumerate(objects, start=1):
        try:
            if "assignedLicenses" in one or "AssignedLicenses" in one:
                _add_user(held, one)
            elif _is_detail(one):
                held.add(_user_of(one), *_of_details([one]))
            else:
                _add_details(held, one)
        except (KeyError, TypeError):
            refused[number] = _refusal(one, shown, number)
    if refused:
        first = next(iter(refused.values()))
        if not held.users:
            raise first
        why = f"tell no user or no licences ({first.found}), so whoever they are of counts as unlicensed"
        findings.append(rejected(list(refused), len(objects), why, "object", first.mend or _MEND_JSON, shown))
    return held, len(objects), findings


def _refusal(one: Any, shown: str, number: int) -> InventoryError:
    """What is wrong with an object that tells no user or no licences."""
    place = f"user {number}"
    licences = field_of(one, "assignedLicenses")
    written = licences[0] if isinstance(licences, list) and licences else licences
    if isinstance(written, str) and _TYPE_NAME.match(written):
        return InventoryError(
            f"found {written!r} instead of licences, as ConvertTo-Json writes below its -Depth",
            path=shown,
            place=place,
            expected=_EXPECTED_JSON,
            mend="Export again with ConvertTo-Json -Depth 5.",
        )
    details = _is_detail(one) or field_of(one, "licenseDetails") is not None
    return InventoryError(
        "licence details lack a skuId" if details else "a user lacks userPrincipalName or assignedLicenses",
        path=shown,
        place=place,
        expected=_EXPECTED_DETAILS if details else _EXPECTED_JSON,
        mend=_MEND_JSON,
    )


def _add_user(held: Held, user: dict[str, Any]) -> None:
    """One of Graph's users.

    Raises:
        KeyError, TypeError: it lacks a name, or its licences are none.
    """
    graph = "userPrincipalName" in user and "assignedLicenses" in user
    user_key, licences_key, sku_key, off_key = _GRAPH_SPELLING if graph else _POWERSHELL_SPELLING
    name, licences = user[user_key], _list(user[licences_key])
    skus = tuple([one[sku_key] for one in licences])
    if not all(isinstance(sku, str) and sku for sku in skus):
        raise TypeError(sku_key)
    disabled = [_list(one.get(off_key)) for one in licences]
    off = tuple([_off(tuple(map(str, plans))) if plans else "" for plans in disabled]) if any(disabled) else ()
    held.add(str(name or "").strip().lower(), skus, off)
    held.whole = True


def _list(value: Any) -> Any:
    """A list, which Windows PowerShell writes as `{"value": [...], "Count": 2}`; one thing alone it may not list."""
    if not isinstance(value, dict):
        return value
    return value.get("value", [value])


@cache
def _off(disabled: tuple[str, ...]) -> str:
    return ",".join(sorted(set(filter(None, map(catalog.deciding_plan, disabled)))))


def _add_details(held: Held, user: dict[str, Any]) -> None:
    """A user with `licenseDetails`, a list or a page.

    Raises:
        KeyError, TypeError: there are none.
    """
    details = field_of(user, "licenseDetails")
    if details is None or not (name := _user_of(user)):
        raise KeyError("licenseDetails")
    held.add(name, *_of_details(details.get("value", [details]) if isinstance(details, dict) else details))
    held.whole = True


def _of_details(details: list[Any]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """SKUs, plans switched off and plans of Graph's licenseDetails, or of what a script selected of a user's licences.

    Raises:
        KeyError, TypeError: one of them names no SKU.
    """
    rows: list[tuple[str, str, str]] = []
    for detail in details:
        sku = field_of(detail, "skuId") or field_of(detail, "skuPartNumber")
        if not sku:
            raise KeyError("skuId")
        plans, disabled = deciding_plans(field_of(detail, "servicePlans"))
        rows.extend((name, disabled, plans) for name in (names_in(sku) if isinstance(sku, str) else map(str, sku)))
    skus, disabled_plans, has = zip(*rows, strict=True) if rows else ((), (), ())
    return skus, disabled_plans, has


def _is_detail(one: Any) -> bool:
    return isinstance(one, dict) and bool(field_of(one, "skuId") or field_of(one, "skuPartNumber"))


def _is_dictionary(one: dict[str, Any]) -> bool:
    """Whether an object is a dictionary of users: user name → licence details."""
    if not one or "@" not in next(iter(one)) or next(iter(one)).startswith("@"):
        return False
    return all(
        isinstance(found, list) or field_of(found, "value") is not None or _is_detail(found) for found in one.values()
    )


def _user_of(one: Any) -> str:
    """Whose an object is, lower case, or ''. The `id` of licence details is its own, unless it is a user's name."""
    name = field_of(one, "userPrincipalName") or field_of(one, "upn") or ""
    own = field_of(one, "id")
    if not name and isinstance(own, str) and "@" in own:
        name = own
    return str(name).strip().lower()
