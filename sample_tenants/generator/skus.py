"""The licences that tenants here have; GUIDs and names are those of Microsoft's list of product names and plans."""

from __future__ import annotations

from typing import NamedTuple


class Sku(NamedTuple):
    """A licence: its GUID, its name in the admin center, and its name in usage reports."""

    guid: str
    product: str

    @property
    def reported(self) -> str:
        """The product's name as usage reports write it."""
        return self.product.upper()


SKUS = {
    "SPE_E3": Sku("05e9a617-0261-4cee-bb44-138d3ef5d965", "Microsoft 365 E3"),
    "SPE_E5": Sku("06ebc4ee-1bb5-47dd-8120-11324bc54e06", "Microsoft 365 E5"),
    "SPE_F1": Sku("66b55226-6b4f-492c-910c-a3b7a3c9d993", "Microsoft 365 F3"),
    "SPB": Sku("cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46", "Microsoft 365 Business Premium"),
    "EXCHANGESTANDARD": Sku("4b9405b0-7788-4568-add1-99614e613b69", "Exchange Online (Plan 1)"),
    "INFORMATION_PROTECTION_COMPLIANCE": Sku(
        "184efa21-98c3-4e5d-95ab-d07053a96e67", "Microsoft 365 E5 Compliance"
    ),
}  # fmt: skip
ADDON = "INFORMATION_PROTECTION_COMPLIANCE"
PREMIUM = frozenset({"SPE_E5", "ENTERPRISEPREMIUM", "M365EDU_A5_FACULTY", "M365_G5_GCC"})
FRONTLINE = frozenset({"SPE_F1", "M365_F1", "DESKLESSPACK"})


def reported(sku: str) -> str:
    """Return the product's name as usage reports write it; of a licence not listed here its part number."""
    return SKUS[sku].reported if sku in SKUS else sku
