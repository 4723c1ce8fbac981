"""Whether a feed can be had at all: CloudAppEvents is what Microsoft Defender for Cloud Apps records.

The licence files tell whether anybody has a service plan of Defender for Cloud Apps. Which licences do is in
`catalog/cloud_apps.csv`, from Microsoft's own list. No source says how many users must have one, so only
that nobody has is told.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from estimator import catalog
from estimator.findings import Finding
from estimator.forecast import FeedUse
from estimator.inventory.inventory import READERS
from estimator.tenant import Tenant

#: The feed whose records Defender for Cloud Apps makes (`requires` in feeds.toml).
CLOUD_APP_EVENTS = "sentinel-cloudappevents"


@cache
def _bringing() -> frozenset[str]:
    """GUIDs of the licences that have a service plan of Defender for Cloud Apps, lower case."""
    text = (files("estimator.catalog") / "cloud_apps.csv").read_text(encoding="utf-8")
    return frozenset(row["sku_guid"].lower() for row in csv.DictReader(text.splitlines()))


def availability(uses: Sequence[FeedUse], tenant: Tenant) -> list[Finding]:
    """`feed_not_available`, where a scenario has CloudAppEvents and the licences show nobody who could have it.

    It stays silent where the sample holds such records, where somebody has Audit (Premium), and where a licence is not
    known to the catalogue. All licences with Audit (Premium) but two for governments bring Defender for Cloud Apps in
    one form or another.
    """
    flows = any(
        use.feed.id == CLOUD_APP_EVENTS and (use.connected is not False or use.connects is not None) for use in uses
    )
    if not flows or (tenant.inventory.mailboxes["audit_tier"] == "premium").any():
        return []
    reduction = tenant.reduction
    if reduction is not None and (reduction["size_basis"] == f"feed:{CLOUD_APP_EVENTS}").any():
        return []
    skus = [catalog.licence_tier(name) for name in _held(tenant)]
    if not skus or any(sku is None or sku.guid.lower() in _bringing() for sku in skus):
        return []
    return [
        Finding(
            "feed_not_available",
            "warning",
            f"{CLOUD_APP_EVENTS} is what Microsoft Defender for Cloud Apps records, and no licence in your files has a "
            "service plan of it (Microsoft's list of service plans, 30 December 2025). The figures take it that the "
            "feed can be connected; find out whether your tenant has Defender for Cloud Apps before you budget for it.",
        )
    ]


def _held(tenant: Tenant) -> set[str]:
    """Every licence that somebody has, as the files name it."""
    held: set[str] = set()
    for file in tenant.folder.of_kind("licences"):
        held.update(_distinct(READERS["licences"](file.path, file.shown).table["sku"]))
    return held


def _distinct(names: Iterable[str]) -> set[str]:
    return {name for name in set(names) if name}
