"""The tenant's licence totals (`Get-MgSubscribedSku`): never counted as users, but a check that no user is missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple, cast

import pandas as pd

from estimator import catalog
from estimator.audit.opening import read_head
from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.graph_json import field_of, read_objects
from estimator.inventory.grid import Unit, rejected
from estimator.inventory.layout import is_json
from estimator.inventory.licence_names import bare
from estimator.inventory.licences import deciding_plans
from estimator.inventory.sheet import Part, Wanted, read_sheet

EXPORT_COMMAND = (
    "Export again with: Get-MgSubscribedSku -All | Select-Object SkuPartNumber,SkuId,ConsumedUnits,"
    "@{n='Enabled';e={$_.PrepaidUnits.Enabled}} | Export-Csv sku_totals.csv -NoTypeInformation -Encoding UTF8"
)

_WANTED = {
    "sku": Wanted(("SkuId", "SkuPartNumber", "AccountSkuId")),
    "part_number": Wanted(("SkuPartNumber", "AccountSkuId"), needed=False),
    "consumed": Wanted(("ConsumedUnits",)),
    "enabled": Wanted(("PrepaidUnits.Enabled", "Enabled", "ActiveUnits", "PrepaidUnits"), needed=False),
}

#: `@{Enabled=25; LockedOut=0; Suspended=0; Warning=0}`, as Export-Csv writes a selected object; or the number itself.
_ENABLED = re.compile(r"^(?:.*\bEnabled\s*=\s*)?(\d{1,9})\b", re.IGNORECASE | re.ASCII)

_WHOLE = re.compile(r"\d{1,9}$", re.ASCII)

#: Differences between users and units within these are no news; see `check_totals`.
_TOLERATED_UNITS, _TOLERATED_SHARE = 3, 0.05


class _Total(NamedTuple):
    """One SKU's row of `read_sku_totals`."""

    sku: str
    part_number: str
    consumed: int
    enabled: int | None
    plans: str


def read_sku_totals(path: Path, shown: str) -> Part:
    """Read one file of licence totals: `Get-MgSubscribedSku` or `Get-MsolAccountSku` as CSV, Graph's subscribedSkus.

    Returns:
        Columns `sku` (GUID, or part number where the file has no GUID), `part_number` ('' where it is not told),
        `consumed` (units assigned), `enabled` (units bought; NA where it is not told) and `plans` (the service plans
        that decide an audit tier, as `read_licences` gives them), one row per SKU.

    Raises:
        InventoryError: unreadable, a needed column is missing, or no row tells a SKU and its units.
    """
    rows: dict[int, _Total | None]
    if is_json(read_head(path)):
        objects, findings = read_objects(path, shown, EXPORT_COMMAND, "SKUs of the other pages are not checked")
        rows, unit = {number: _of_graph(one) for number, one in enumerate(objects, start=1)}, "object"
    else:
        cells, _, _, findings = read_sheet(path, shown, _WANTED, EXPORT_COMMAND, rest=False)
        rows, unit = {place: _of_cells(*one) for place, *one in cells.itertuples()}, str(cells.index.name)
    lost = [place for place, row in rows.items() if row is None]
    if len(lost) == len(rows):
        raise InventoryError(
            "the file tells no SKU and the units consumed of it",
            path=shown,
            expected='a row such as SPE_E3,05e9a617-0261-4cee-bb44-138d3ef5d965,25 or {"skuId": "...", '
            '"skuPartNumber": "SPE_E3", "consumedUnits": 25, "prepaidUnits": {"enabled": 30}}',
            mend=EXPORT_COMMAND,
        )
    if lost:
        why = "tell no SKU or no number of units consumed"
        findings.append(rejected(lost, len(rows), why, cast(Unit, unit), EXPORT_COMMAND, shown))
    table = pd.DataFrame([row for row in rows.values() if row is not None], columns=_Total._fields)
    kinds = {"sku": "str", "part_number": "str", "consumed": "int64", "enabled": "Int64", "plans": "str"}
    return Part(table.astype(kinds), len(rows), findings)


def _of_cells(sku: str, part_number: str, consumed: str, enabled: str) -> _Total | None:
    if not sku or not _WHOLE.match(consumed):
        return None
    found = _ENABLED.match(enabled)
    return _Total(bare(sku), bare(part_number), int(consumed), int(found[1]) if found else None, "")


def _of_graph(one: Any) -> _Total | None:
    part_number, consumed = field_of(one, "skuPartNumber"), _units(field_of(one, "consumedUnits"))
    sku = field_of(one, "skuId") or part_number
    if not isinstance(sku, str) or consumed is None:
        return None
    enabled = _units(field_of(field_of(one, "prepaidUnits"), "enabled"))
    plans, _ = deciding_plans(field_of(one, "servicePlans"))
    return _Total(sku, str(part_number or ""), consumed, enabled, plans)


def _units(value: Any) -> int | None:
    """A JSON number that can be one of units; None for all else."""
    return value if type(value) is int and 0 <= value < 1_000_000_000 else None


def check_totals(assigned: pd.DataFrame, totals: pd.DataFrame) -> list[Finding]:
    """Whether the licence files hold about as many assignments of each SKU as the tenant has consumed.

    SKUs of one product name are counted together: it is all that some exports tell them apart by.

    Args:
        assigned: as `tiers_of` takes it.
        totals: the table of `read_sku_totals`; where several files tell of a SKU, the last counts.

    Returns:
        `licences_incomplete`, or nothing where they agree within 5 % (and 3 units), which is our assumption: licences
        change hands between two exports.
    """
    if totals.empty:
        return []
    consumed: dict[str, int] = {}
    shown: dict[str, str] = {}
    parts: dict[str, str] = {}
    latest = totals.drop_duplicates("sku", keep="last")
    columns = (latest[column].tolist() for column in ("sku", "part_number", "consumed"))
    for sku, part_number, units in zip(*columns, strict=True):
        name = _name(sku)
        consumed[name] = consumed.get(name, 0) + units
        shown.setdefault(name, part_number or sku)
        parts[part_number.casefold()] = name
    held = assigned.loc[assigned["sku"] != "", ["mailbox", "sku"]]
    ids = {sku: _id(sku) for sku in held["sku"].unique()}
    # Files of the same users may spell a SKU differently.
    counts = held.assign(id=held["sku"].map(ids)).drop_duplicates(["mailbox", "id"])["sku"].value_counts()
    counted: dict[str, int] = {}
    for sku, users in counts.items():
        name = _name(str(sku))
        name = name if name in consumed else parts.get(name, name)
        counted[name] = counted.get(name, 0) + int(users)
        shown.setdefault(name, str(sku))
    fewer: list[str] = []
    more: list[str] = []
    for name in sorted(shown, key=lambda name: (-consumed.get(name, 0), name)):
        users, units = counted.get(name, 0), consumed.get(name, 0)
        if abs(users - units) > max(_TOLERATED_UNITS, _TOLERATED_SHARE * units):
            (fewer if users < units else more).append(f"{shown[name]}: {users:,} of {units:,}")
    told = []
    if fewer:
        told.append(
            f"the licence files lack users (in the files of units consumed: {_some(fewer)}); whoever is missing counts "
            "as unlicensed and the forecast is low"
        )
    if more:
        told.append(
            f"the licence files hold more users of a licence than the tenant has assigned (in the files of units "
            f"consumed: {_some(more)}), so that one of the two is old or of another tenant"
        )
    if not told:
        return []
    message = f"{'; '.join(told)}. Export the licences of all users and the totals again, on one day."
    return [Finding("licences_incomplete", "warning", message)]


def _id(sku: str) -> str:
    known = catalog.licence_tier(sku)
    return known.guid if known else sku.casefold()


def _name(sku: str) -> str:
    known = catalog.licence_tier(sku)
    return (known.product_name if known else sku).casefold()


def _some(texts: list[str]) -> str:
    more = f", and {len(texts) - 5} more" if len(texts) > 5 else ""
    return ", ".join(texts[:5]) + more
