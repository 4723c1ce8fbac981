"""Who holds which licence: a CSV of part numbers, the admin center's active users, or Graph users with SKU totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from .mailbox_files import object_id
from .records import guid
from .skus import SKUS
from .tenant import Tenant
from .text import BOM, csv_bytes, json_bytes

# No real export of the admin center is public; its columns are given as administrators know them.
_ACTIVE_USERS = (
    "Block credential", "City", "Country", "Department", "DirSync enabled", "Display name", "First name",
    "Last name", "Licenses", "Object Id", "Office", "Title", "Usage location", "User principal name", "When created",
)  # fmt: skip
_BOUGHT = 1.02
"""Units bought for each unit assigned."""


def licence_files(tenant: Tenant) -> dict[str, bytes]:
    """Return the licences in the shape that the tenant's spec names."""
    shape = tenant.spec.exports.licences
    if shape == "active_users":
        return {"active_users.csv": csv_bytes(_ACTIVE_USERS, _active_users(tenant), BOM)}
    if shape == "graph":
        totals = csv_bytes(("SkuPartNumber", "SkuId", "ConsumedUnits", "Enabled"), _totals(tenant), BOM)
        return {"users.json": json_bytes(_graph(tenant)), "sku_totals.csv": totals}
    boxes = tenant.mailboxes
    pairs = ((upn, sku) for n, upn in enumerate(boxes.upn) for sku in boxes.licences(n))
    return {"licences.csv": csv_bytes(("UserPrincipalName", "SkuPartNumber"), pairs)}


def _accounts(tenant: Tenant) -> list[int]:
    """Return the mailboxes whose accounts stand among the users: groups have none, deleted users' are gone."""
    boxes = tenant.mailboxes
    none = {"GroupMailbox", "DiscoveryMailbox"}
    return [n for n in range(len(boxes)) if boxes.kind[n] not in none and not boxes.plants.inactive[n]]


def accounts_without_mailbox(tenant: Tenant) -> list[str]:
    """Return the left parts of the addresses of service accounts that have no mailbox."""
    return [a.account for a in tenant.spec.applications if a.account and not a.owns_mailbox]


def _active_users(tenant: Tenant) -> Iterable[Sequence[object]]:
    boxes, country = tenant.mailboxes, tenant.spec.country
    for n in _accounts(tenant):
        products = "+".join(SKUS[sku].product for sku in tenant.mailboxes.licences(n)) or "Unlicensed"
        first, _, last = boxes.name[n].partition(" ") if boxes.kind[n] == "UserMailbox" else ("", "", "")
        yield (
            boxes.kind[n] != "UserMailbox", "", country, boxes.department[n], False, boxes.name[n], first, last,
            products, object_id(tenant, n), "", "", country, boxes.upn[n], "2024-03-04 09:00:00Z",
        )  # fmt: skip
    for account in accounts_without_mailbox(tenant):
        yield (
            False, "", country, "", False, account, "", "", "Unlicensed", guid(tenant.spec.seed, "object", account),
            "", "", country, f"{account}@{tenant.spec.domain}", "2024-03-04 09:00:00Z",
        )  # fmt: skip


def _graph(tenant: Tenant) -> dict[str, object]:
    boxes = tenant.mailboxes
    users = [
        _user(object_id(tenant, n), boxes.name[n], boxes.upn[n], [SKUS[sku].guid for sku in boxes.licences(n)])
        for n in _accounts(tenant)
    ]
    for account in accounts_without_mailbox(tenant):
        users.append(_user(guid(tenant.spec.seed, "object", account), account, f"{account}@{tenant.spec.domain}", []))
    context = "https://graph.microsoft.com/v1.0/$metadata#users(id,displayName,userPrincipalName,assignedLicenses)"
    return {"@odata.context": context, "value": users}


def _user(identity: str, name: str, upn: str, skus: list[str]) -> dict[str, object]:
    assigned = [{"disabledPlans": [], "skuId": sku} for sku in skus]
    return {"id": identity, "displayName": name, "userPrincipalName": upn, "assignedLicenses": assigned}


def _totals(tenant: Tenant) -> Iterable[Sequence[object]]:
    units = Counter(sku for n in _accounts(tenant) for sku in tenant.mailboxes.licences(n))
    for sku, consumed in sorted(units.items()):
        yield sku, SKUS[sku].guid, consumed, int(consumed * _BOUGHT) + 1
