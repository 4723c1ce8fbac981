"""What stands in the cells of an inventory: flags, whole numbers, days, and names that a report conceals."""

from __future__ import annotations

import pandas as pd

from estimator.errors import InventoryError
from estimator.inventory.sheet import place_of

#: Spellings of flags: PowerShell's, those of JSON and of databases, and what Excel makes of them in other languages.
_TRUE = {"true", "1", "yes", "wahr", "vrai", "verdadero", "vero", "waar"}
_FALSE = {"false", "0", "no", "falsch", "faux", "falso", "onwaar"}

#: What usage reports put where names are concealed: 32 hex digits.
_CONCEALED = r"[0-9a-f]{32}"


def flag(cells: pd.Series) -> pd.Series:
    """True, False, or NA where a cell is neither (dtype `boolean`)."""
    meaning = {
        text: True if text.lower() in _TRUE else False if text.lower() in _FALSE else pd.NA for text in cells.unique()
    }
    return cells.map(meaning).astype("boolean")


def is_concealed(names: pd.Series) -> pd.Series:
    """Whether each name is one that a usage report conceals."""
    return names.str.lower().str.fullmatch(_CONCEALED).astype(bool)


# A report has few different numbers and days: each is read once.


def whole_numbers(
    cells: pd.DataFrame,
    column: str,
    name: str,
    shown: str,
    mend: str,
    *,
    expected: str = "a whole number",
    least: int = 0,
) -> pd.Series:
    """A column of counts; an empty cell is 0.

    Args:
        cells: of a `Sheet`.
        column: ours.
        name: the column in exports, for the error.
        shown: the file's name for messages.
        mend: the command that exports the file again.
        expected: what should stand there, for the error.
        least: the least that may stand there.

    Raises:
        InventoryError: a cell is no such number.
    """
    texts = cells[column].drop_duplicates()
    meant = pd.to_numeric(texts.replace("", "0"), errors="coerce")
    numbers = cells[column].map(dict(zip(texts, meant, strict=True))).astype("float64")
    whole = (numbers >= 0) & (numbers % 1 == 0)
    _refuse(cells, ~whole, column, name, shown, mend, "a whole number")
    _refuse(cells, numbers < least, column, name, shown, mend, expected)
    return numbers


def days(cells: pd.DataFrame, column: str, name: str, shown: str, mend: str, *, empty: bool = False) -> pd.Series:
    """A column of days, without their time; an empty cell is NaT where it may be `empty`. See `whole_numbers`.

    Raises:
        InventoryError: a cell is no date.
    """
    texts = cells[column].drop_duplicates()
    meant = pd.to_datetime(texts, errors="coerce", format="ISO8601", utc=True).dt.tz_localize(None)
    found = cells[column].map(dict(zip(texts, meant, strict=True))).astype("datetime64[us]")
    _refuse(
        cells, found.isna() & ~(empty & (cells[column] == "")), column, name, shown, mend, "a date such as 2026-11-09"
    )
    return found.dt.normalize()


def _refuse(cells: pd.DataFrame, bad: pd.Series, column: str, name: str, shown: str, mend: str, expected: str) -> None:
    if bad.any():
        row = int(cells.index[bad][0])
        raise InventoryError(
            f"column {name!r} holds {cells.loc[row, column]!r}",
            path=shown,
            place=place_of(cells, row),
            expected=expected,
            mend=mend,
        )
