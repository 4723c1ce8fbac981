"""Licences: a CSV of users and SKU part numbers (or GUIDs), or Graph users JSON with `assignedLicenses`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.recognise import head
from estimator.inventory.sheet import Wanted, read_sheet

EXPORT_COMMAND = (
    "Export again with: Get-MgUser -All -Property UserPrincipalName,AssignedLicenses | "
    "Select-Object UserPrincipalName,@{n='SkuId';e={$_.AssignedLicenses.SkuId -join '+'}} | "
    "Export-Csv licences.csv -NoTypeInformation -Encoding UTF8"
)

_WANTED = {
    "upn": Wanted(("UserPrincipalName", "User principal name", "UPN")),
    "skus": Wanted(("SkuPartNumber", "SkuId", "AccountSkuId", "Licenses", "Licences", "AssignedLicenses")),
}


def read_licences(path: Path, shown: str) -> tuple[pd.DataFrame, list[Finding]]:
    """Read one licence file.

    Returns:
        Columns `mailbox` (lower-cased UPN) and `sku` (part number or GUID), one row per assignment; a user without
        any licence has one row with sku ''. And the findings.

    Raises:
        InventoryError: unreadable, a needed column is missing, or no user at all.
    """
    findings: list[Finding] = []
    if head(path).lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"{", b"[")):
        pairs, findings = _from_graph(path, shown)
    else:
        sheet, _ = read_sheet(path, shown, _WANTED, EXPORT_COMMAND)
        # `reseller-account:ENTERPRISEPACK` is how MSOnline wrote it; the part number is what follows the colon.
        pairs = (
            (upn, [part.rsplit(":", 1)[-1] for part in re.split(r"[+;,|\s]+", cell)])
            for upn, cell in zip(sheet["upn"], sheet["skus"], strict=True)
        )
    rows = [(upn.lower(), sku) for upn, skus in pairs if upn for sku in ([s for s in skus if s] or [""])]
    if not rows:
        raise InventoryError("the file names no user", path=shown, expected="one row per user", mend=EXPORT_COMMAND)
    return pd.DataFrame(rows, columns=["mailbox", "sku"], dtype="str"), findings


def _from_graph(path: Path, shown: str) -> tuple[Iterable[tuple[str, list[str]]], list[Finding]]:
    mend = "Save the answer of GET /users?$select=userPrincipalName,assignedLicenses, every page of it."
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise InventoryError(f"is not valid JSON: {error}", path=shown, mend=mend) from error
    findings = []
    users = document
    if isinstance(document, dict):
        users = document.get("value", [document])
        if "@odata.nextLink" in document:
            findings.append(
                Finding(
                    "licences_cut",
                    "warning",
                    "the file is one page of several (it carries @odata.nextLink); users of the other pages count as "
                    "unlicensed. Fetch every page.",
                    shown,
                )
            )
    pairs = []
    for number, user in enumerate(users, start=1):
        if not isinstance(user, dict) or "assignedLicenses" not in user or not user.get("userPrincipalName"):
            raise InventoryError(
                "a user lacks userPrincipalName or assignedLicenses",
                path=shown,
                place=f"user {number}",
                expected='{"userPrincipalName": "...", "assignedLicenses": [{"skuId": "..."}]}',
                mend=mend,
            )
        pairs.append((str(user["userPrincipalName"]), [str(lic.get("skuId", "")) for lic in user["assignedLicenses"]]))
    return pairs, findings
