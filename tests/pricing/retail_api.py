"""Pages as the Azure Retail Prices API sends them. Constructed, not recorded.

The figures of UK South and East US are those of the shipped plans' sources (read 2026-08-06 and 2026-09-26); names,
units and fields are as the API's documentation and the list of its meters have them. Everything the API sends beside
what a plan needs (older prices, meters of former plans, other regions' rows) is made up here, to be in the way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Item = dict[str, Any]

SIZES = (50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 25000, 50000)

UK_SOUTH: Mapping[str, float] = {
    "analytics": 5.38, "basic": 1.13, "lake_ingestion": 0.0625, "lake_processing": 0.125, "lake_storage": 0.024,
    "lake_query": 0.00625, "advanced_data_insights": 0.1875, "graph": 3.75, "retention": 0.13,
}  # fmt: skip
UK_SOUTH_TIERS = (201.5625, 370, 685, 1000, 1296.66, 1581.25, 3100, 6000, 14437.5, 27800, 66812.5, 128250)

EAST_US: Mapping[str, float] = {
    "analytics": 4.30, "basic": 1.00, "lake_ingestion": 0.05, "lake_processing": 0.10, "lake_storage": 0.026,
    "retention": 0.10,
}  # fmt: skip
EAST_US_TIERS = (161.25, 296, 548, 800, 1037.33, 1265, 2480, 4800, 11550, 22240, 53450, 102600)

_NAMES = {
    "analytics": ("Pay-as-you-go", "Pay-as-you-go Analysis", "1 GB"),
    "basic": ("Basic Logs", "Basic Logs Analysis", "1 GB"),
    "lake_ingestion": ("Data lake ingestion", "Data lake ingestion Data Processed", "1 GB"),
    "lake_processing": ("Data processing", "Data processing Data Processed", "1 GB"),
    "lake_storage": ("Data lake storage", "Data lake storage Data Stored", "1 GB/Month"),
    "lake_query": ("Data lake query", "Data lake query Data Analyzed", "1 GB"),
    "advanced_data_insights": ("Advanced Data Insights", "Advanced Data Insights", "1 Hour"),
    "graph": ("Graph", "Graph", "1 Hour"),
    "free": ("Free Benefit - M365 Defender", "Free Benefit - M365 Defender Analysis", "1 GB"),
    "trial": ("Free Trial", "Free Trial Analysis", "1 GB"),
    "classic": ("Classic Auxiliary Logs Analysis", "Classic Auxiliary Logs Analysis", "1 GB"),
    "classic_payg": ("Classic Pay-as-you-go", "Classic Pay-as-you-go Analysis", "1 GB"),
}


def item(what: str, price: float, region: str = "uksouth", **fields: Any) -> Item:
    """One price; `fields` replace."""
    if what == "retention":
        service, names = "Log Analytics", ("Analytics Logs", "Analytics Logs Data Retention", "1 GB")
    elif what.startswith("commitment."):
        sku = f"{what.partition('.')[2]} GB Commitment Tier"
        service, names = "Sentinel", (sku, f"{sku} Capacity Reservation", "1/Day")
    else:
        service, names = "Sentinel", _NAMES[what]
    sku, meter, unit = names
    made = {
        "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": price, "unitPrice": price,
        "armRegionName": region, "location": {"uksouth": "UK South", "eastus": "US East"}.get(region, region),
        "effectiveStartDate": "2023-07-01T00:00:00Z", "meterId": "00000000-0000-0000-0000-000000000000",
        "meterName": meter, "productName": service, "skuName": sku, "serviceName": service, "unitOfMeasure": unit,
        "type": "Consumption", "isPrimaryMeterRegion": True, "armSkuName": "",
    }  # fmt: skip
    return {**made, **fields}


def items(region: str, prices: Mapping[str, float], tiers: Sequence[float]) -> list[Item]:
    """All a region lists, with what is in the way."""
    told = [item(what, price, region) for what, price in prices.items()]
    told += [item(f"commitment.{size}", price, region) for size, price in zip(SIZES, tiers, strict=True)]
    told += [
        item("free", 0.0, region),
        item("trial", 0.0, region),
        item("classic", 0.05, region),
        item("classic_payg", 2.46, region),
        # An older price of the same meter stands after the newer one.
        item("analytics", 5.2, region, effectiveStartDate="2022-11-01T00:00:00Z"),
        item("analytics", 1.0, "nowhere"),
        item("commitment.100", 111.0, region, type="Reservation"),
        # The service that sells retention sells its own ingestion too.
        item("retention", 2.3, region, skuName="Pay-as-you-go", meterName="Pay-as-you-go Data Ingestion"),
    ]
    return told


def page(part: Iterable[Item], following: str | None = None) -> str:
    """One page."""
    part = list(part)
    return json.dumps(
        {
            "BillingCurrency": "USD", "CustomerEntityId": "Default", "CustomerEntityType": "Retail", "Items": part,
            "NextPageLink": following, "Count": len(part),
        }
    )  # fmt: skip


def uk_south() -> list[Item]:
    """UK South."""
    return items("uksouth", UK_SOUTH, UK_SOUTH_TIERS)


def east_us() -> list[Item]:
    """East US."""
    return items("eastus", EAST_US, EAST_US_TIERS)
