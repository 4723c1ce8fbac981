"""Licences: CSV of users and SKU part numbers, GUIDs or product names; Graph users JSON with `assignedLicenses`."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from estimator import catalog
from estimator.audit.opening import read_head
from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.recognise import is_json
from estimator.inventory.sheet import Part, Wanted, read_sheet

EXPORT_COMMAND = (
    "Export again with: Get-MgUser -All -Property UserPrincipalName,AssignedLicenses | "
    "Select-Object UserPrincipalName,@{n='SkuId';e={$_.AssignedLicenses.SkuId -join '+'}} | "
    "Export-Csv licences.csv -NoTypeInformation -Encoding UTF8"
)

_WANTED = {
    "upn": Wanted(("UserPrincipalName", "User principal name", "UPN")),
    "skus": Wanted(("SkuPartNumber", "SkuId", "AccountSkuId", "Licenses", "Licences", "AssignedLicenses")),
}


#: What Export-Csv writes where the licences were not joined: the type's name instead of the values.
_TYPE_NAME = re.compile(r"^(System\.|Microsoft\.|Deserialized\.)")

#: What stands between licences, from what no licence's name holds to what some do: `Enterprise Mobility + Security E3`.
_BETWEEN = (r"[;|\r\n]+", r"(?<! )\+", r"\+", r",", r"\s+")


def read_licences(path: Path, shown: str) -> Part:
    """Read one licence file.

    Returns:
        Columns `mailbox` (lower-cased UPN) and `sku` (part number, GUID or product name), one row per assignment; a
        user without any licence has one row with sku ''.

    Raises:
        InventoryError: unreadable, a needed column is missing, or no user at all.
    """
    if is_json(read_head(path)):
        users, findings = _from_graph(path, shown)
        rows = len(users)
    else:
        cells, _, rows, findings = read_sheet(path, shown, _WANTED, EXPORT_COMMAND)
        not_joined = cells["skus"].str.match(_TYPE_NAME)
        if not_joined.any():
            line = int(cells.index[not_joined][0])
            raise InventoryError(
                f"found {cells.loc[line, 'skus']!r} instead of licences", path=shown, place=line, mend=EXPORT_COMMAND
            )
        users = [(upn, _names(cell)) for upn, cell in zip(cells["upn"], cells["skus"], strict=True)]
    pairs = [(upn.lower(), sku) for upn, skus in users if upn for sku in ([s for s in skus if s] or [""])]
    if not pairs:
        raise InventoryError("the file names no user", path=shown, expected="one row per user", mend=EXPORT_COMMAND)
    return Part(pd.DataFrame(pairs, columns=["mailbox", "sku"], dtype="str"), rows, findings)


@cache
def _names(cell: str) -> list[str]:
    """The licences in a cell: part numbers, GUIDs or product names, joined by `+`, `;`, `,`, `|`, spaces or lines."""
    cell = cell.strip()
    if catalog.licence_tier(cell) is not None:
        return [cell]
    for between in _BETWEEN:
        parts = [part for part in re.split(between, cell) if part]
        # An unknown product name stays in one piece: its words say nothing apart.
        if len(parts) > 1 and (between != _BETWEEN[-1] or any(catalog.licence_tier(_bare(part)) for part in parts)):
            return [name for part in parts for name in _names(part)]
    return [_bare(cell)]


def _bare(name: str) -> str:
    """The part number of `reseller-account:ENTERPRISEPACK`, which is how MSOnline wrote it."""
    return name.rsplit(":", 1)[-1]


def _from_graph(path: Path, shown: str) -> tuple[list[tuple[str, list[str]]], list[Finding]]:
    mend = "Save the answer of GET /users?$select=userPrincipalName,assignedLicenses, every page of it."
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        # PowerShell's `>` and Out-File write UTF-16; json tells the encodings apart by itself.
        document: Any = json.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
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
    out = []
    for number, user in enumerate(users if isinstance(users, list) else [users], start=1):
        try:
            out.append((str(user["userPrincipalName"] or ""), [str(one["skuId"]) for one in user["assignedLicenses"]]))
        except (KeyError, TypeError) as error:
            raise InventoryError(
                "a user lacks userPrincipalName or assignedLicenses",
                path=shown,
                place=f"user {number}",
                expected='{"userPrincipalName": "...", "assignedLicenses": [{"skuId": "..."}]}',
                mend=mend,
            ) from error
    return out, findings
