"""Reading one CSV inventory: text cells, columns found by name whatever their order, spelling of case or spacing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from estimator.errors import InventoryError
from estimator.inventory.recognise import column_key


@dataclass(frozen=True)
class Wanted:
    """A column a reader wants: the names it goes by (first is canonical) and whether it can do without."""

    names: tuple[str, ...]
    needed: bool = True


def read_sheet(path: Path, shown: str, wanted: dict[str, Wanted], mend: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read a CSV (plain or gzip, UTF-8 with or without BOM) as text.

    Args:
        path: the file.
        shown: the file's name for messages.
        wanted: our name of each column → how it is called in exports.
        mend: the command that exports the file again, for the error.

    Returns:
        The wanted columns under our names ('' where an optional one is absent), all cells stripped text, and the
        remaining columns' original names by their comparison key.

    Raises:
        InventoryError: unreadable, or a needed column is missing.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", compression=_packing(path))
    except (ValueError, OSError, EOFError) as error:
        raise InventoryError(f"cannot be read as CSV: {error}", path=shown, mend=mend) from error
    by_key: dict[str, str] = {}
    for name in frame.columns:
        by_key.setdefault(column_key(str(name)), str(name))
    missing = []
    out = pd.DataFrame(index=frame.index)
    for ours, column in wanted.items():
        found = next((by_key[column_key(n)] for n in column.names if column_key(n) in by_key), None)
        if found is None and column.needed:
            missing.append(column.names[0])
        out[ours] = frame[found].str.strip() if found is not None else ""
    if missing:
        plural = "s" if len(missing) > 1 else ""
        raise InventoryError(
            f"column{plural} {', '.join(map(repr, missing))} missing; found {', '.join(map(repr, frame.columns))}",
            path=shown,
            place=1,
            mend=mend,
        )
    used = {column_key(n) for column in wanted.values() for n in column.names}
    rest = {key: name for key, name in by_key.items() if key not in used}
    for key, name in rest.items():
        out[f"+{key}"] = frame[name].str.strip()
    return out, rest


def _packing(path: Path) -> Literal["gzip"] | None:
    with path.open("rb") as file:
        return "gzip" if file.read(2) == b"\x1f\x8b" else None
