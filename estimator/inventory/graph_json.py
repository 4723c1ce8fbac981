"""The JSON that Microsoft Graph's tools save: one answer, several pages, one object a line; Graph's or PowerShell's
spelling of the field names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from estimator.audit.opening import read_head
from estimator.errors import InventoryError
from estimator.findings import Finding
from estimator.inventory.grid import read_whole, rejected

_NEXT_PAGE = "@odata.nextLink"


def field_of(of: Any, name: str) -> Any:
    """A field of a JSON object as Graph spells it, or as PowerShell does (`UserPrincipalName`); None where absent."""
    if not isinstance(of, dict):
        return None
    return of[name] if name in of else of.get(name[0].upper() + name[1:])


def read_objects(path: Path, shown: str, mend: str, lost: str) -> tuple[list[Any], list[Finding]]:
    """The objects of a JSON file: a list, one answer of Graph or several (as a list or one a line), one object a line.

    Args:
        path: the file: plain, gzip or zstd; UTF-8 with or without BOM, or UTF-16.
        shown: the file's name for messages.
        mend: the command that exports the file again.
        lost: what becomes of what stands on pages the file lacks, for the finding `licences_cut`.

    Raises:
        InventoryError: it cannot be read, or is not JSON.
    """
    try:
        # PowerShell's `>` and Out-File write UTF-16.
        text = read_whole(path, read_head(path))
    except (OSError, ValueError) as error:
        raise InventoryError(f"cannot be read as JSON: {error}", path=shown, mend=mend) from error
    findings: list[Finding] = []
    try:
        documents = [json.loads(text)]
    except (ValueError, RecursionError) as error:
        documents, broken = _by_line(text)
        # One object a line, where most lines are: else it is one document, and damaged.
        if len(documents) < 2 or len(documents) <= len(broken):
            raise InventoryError(f"is not valid JSON: {error}", path=shown, mend=mend) from error
        if broken:
            lines = len(documents) + len(broken)
            findings.append(rejected(broken, lines, "are not valid JSON", "line", mend, shown))
    objects: list[Any] = []
    more = _gather(documents, objects)
    if more:
        findings.append(
            Finding(
                "licences_cut",
                "warning",
                f"the file ends in the middle (its last page carries {_NEXT_PAGE}); {lost}. Fetch every page.",
                shown,
            )
        )
    return objects, findings


def _by_line(text: str) -> tuple[list[Any], list[int]]:
    """The JSON of each line, and the numbers of the lines that hold none."""
    documents, broken = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if line and not line.isspace():
            try:
                documents.append(json.loads(line))
            except (ValueError, RecursionError):
                broken.append(number)
    return documents, broken


def _gather(documents: list[Any], objects: list[Any]) -> bool:
    """Put the objects of pages and lists under each other; whether the last page names a further one."""
    more = False
    for document in documents:
        if isinstance(document, list):
            more = _gather(document, objects)
        elif isinstance(document, dict) and isinstance(document.get("value"), list):
            objects.extend(document["value"])
            more = _NEXT_PAGE in document
        else:
            objects.append(document)
            more = False
    return more
