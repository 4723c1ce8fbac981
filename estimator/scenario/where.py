"""`where`: for which mailboxes a change holds and, of a drop, which records.

    where = { audit_tier = ["standard"], department = "Finance", not = { kind = ["shared", "room"] } }

Several columns must all hold; of several values of one column any; what meets any condition under `not` is left out.
Columns and values are compared whatever their case. A condition that matches nothing is an error: it is a typing
mistake far more often than a wish, and would change figures in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from estimator.errors import ScenarioError
from estimator.scenario.values import Keywords, Part
from pricing.prices import nearest, refuse

Mask = npt.NDArray[np.bool_]

#: The columns that ask about a record, and what they are called in `tables.REDUCTION`.
RECORD_COLUMNS = {"access_type": "access_type", "application": "app_id"}

_ACCESS_TYPES = {"bind": "Bind", "sync": "Sync"}


class _OneOrSeveral:
    """One value may stand without its brackets: `_spelled_freely` puts them on, and the JSON Schema says so."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        several = handler(core)
        return {"anyOf": [several["items"], several]}


def _access_type(value: object) -> object:
    return _ACCESS_TYPES.get(value.lower(), value) if isinstance(value, str) else value


Values = Annotated[tuple[str, ...], Field(min_length=1), _OneOrSeveral()]
AccessTypes = Annotated[
    tuple[Annotated[Literal["Bind", "Sync"], BeforeValidator(_access_type)], ...], Field(min_length=1), _OneOrSeveral()
]


class Conditions(Part):
    """Conditions on columns of the mailbox inventory, by any name, and on audit records."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Values] = Field(init=False)

    access_type: AccessTypes | None = Field(default=None, description="MailAccessType of the record: Bind or Sync")
    application: Values | None = Field(
        default=None, description="application id of the record: ClientAppId, else AppId"
    )

    @model_validator(mode="before")
    @classmethod
    def _spelled_freely(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        out: dict[str, object] = {}
        for key, values in value.items():
            column = str(key).lower()
            if column in out:
                raise refuse(f"the column {column!r} stands twice", "each column once, with all its values")
            if column == "not" and "not_" not in cls.model_fields:
                raise refuse("a 'not' stands inside 'not'", "conditions on columns", "Take the inner one out.")
            out[column] = (
                (values,) if isinstance(values, str) else tuple(values) if isinstance(values, list) else values
            )
        return out

    @property
    def mailbox_columns(self) -> dict[str, tuple[str, ...]]:
        """The wanted values by column of the mailbox inventory."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def record_columns(self) -> dict[str, tuple[str, ...]]:
        """The wanted values by `access_type` and `application`."""
        stated = {"access_type": self.access_type, "application": self.application}
        return {column: tuple(values) for column, values in stated.items() if values is not None}


class Where(Conditions):
    """Which mailboxes a change is for; of a drop also which records, by access type and application."""

    not_: Annotated[Conditions, Keywords(lambda: {"minProperties": 1})] | None = Field(
        default=None, alias="not", description="what meets any of these conditions is left out"
    )

    @model_validator(mode="after")
    def _leaves_something_out(self) -> Where:
        if self.not_ is not None and not (self.not_.mailbox_columns or self.not_.record_columns):
            raise refuse("'not' has no condition", "at least one", "Take it out, or say what is left out.")
        return self

    @property
    def about_mailboxes(self) -> bool:
        """Whether a condition asks about the mailbox."""
        return bool(self.mailbox_columns or (self.not_ and self.not_.mailbox_columns))

    @property
    def about_records(self) -> bool:
        """Whether a condition asks about the record."""
        return bool(self.record_columns or (self.not_ and self.not_.record_columns))

    def words(self) -> str:
        """The conditions in words, for messages; '' without any."""
        return ", ".join([*_words(self), *(f"not {said}" for said in (_words(self.not_) if self.not_ else ()))])


def mailboxes_of(where: Where, mailboxes: pd.DataFrame, shown: str, place: str) -> pd.Index:
    """The mailboxes that meet the conditions on mailboxes; all where there is none.

    Args:
        where: the conditions; those on records are not asked here.
        mailboxes: `tables.MAILBOXES` with the export's further columns in lower case.
        shown: the scenario's name for messages.
        place: where in it the conditions stand.

    Raises:
        ScenarioError: a column is unknown, a condition meets no mailbox, or all of them together leave none.
    """
    columns = list(map(str, mailboxes.columns))
    keep = np.ones(len(mailboxes), bool)
    for column, values in where.mailbox_columns.items():
        if column not in columns:
            _refuse_column(column, columns, shown, place)
        cells = _lower(mailboxes[column])
        meets = _among(cells, values)
        if not (keep & meets).any():
            met = "there are" if keep.all() else "that meet the conditions before it"
            _refuse_values(column, values, cells[keep], f"mailboxes {met}", shown, place)
        keep &= meets
    before = int(keep.sum())
    for column, values in (where.not_.mailbox_columns if where.not_ else {}).items():
        if column not in columns:
            _refuse_column(column, columns, shown, f"{place}.not")
        cells = _lower(mailboxes[column])
        meets = _among(cells, values)
        if not meets.any():
            _refuse_values(column, values, cells, "mailboxes there are", shown, f"{place}.not")
        keep &= ~meets
    if not keep.any():
        _refuse_nothing_left(where, before, "mailboxes", shown, place)
    chosen: pd.Index = pd.Index(mailboxes.loc[keep, "mailbox"])
    return chosen


def rows_of(where: Where, reduction: pd.DataFrame, shown: str, place: str, *, must_match: bool = False) -> Mask:
    """Which rows meet the conditions on records, shape (rows,); all where there is none.

    Args:
        where: the conditions; those on mailboxes are not asked here.
        reduction: rows of `tables.REDUCTION`, at least `access_type` and `app_id`.
        shown: the scenario's name for messages.
        place: where in it the conditions stand.
        must_match: whether it is an error that a condition meets no row, or that no row meets them all. A part of
            the sample, such as one operation of several, may well hold none.

    Raises:
        ScenarioError: `must_match`, and nothing does.
    """
    keep = np.ones(len(reduction), bool)
    for column, values in where.record_columns.items():
        cells = _lower(reduction[RECORD_COLUMNS[column]])
        meets = _among(cells, values)
        if must_match and not (keep & meets).any():
            met = "there are" if keep.all() else "that meet the conditions before it"
            _refuse_values(column, values, cells[keep], f"rows of the sample {met}", shown, place)
        keep &= meets
    before = int(keep.sum())
    for column, values in (where.not_.record_columns if where.not_ else {}).items():
        cells = _lower(reduction[RECORD_COLUMNS[column]])
        meets = _among(cells, values)
        if must_match and not meets.any():
            _refuse_values(column, values, cells, "rows of the sample there are", shown, f"{place}.not")
        keep &= ~meets
    if must_match and not keep.any():
        _refuse_nothing_left(where, before, "rows of the sample", shown, place)
    return keep


def _words(conditions: Conditions) -> list[str]:
    stated = {**conditions.mailbox_columns, **conditions.record_columns}
    return [f"{column} {' or '.join(value or chr(39) * 2 for value in values)}" for column, values in stated.items()]


def _lower(cells: pd.Series) -> pd.Series:
    """Cells as lower-cased text; a gap is ''. Each distinct value is lowered once: a sample has millions of rows."""
    codes, distinct = pd.factorize(cells)
    lowered = np.array([*(str(value).lower() for value in distinct), ""], dtype=object)
    return pd.Series(lowered[codes], index=cells.index, dtype="str")  # the code of a gap is -1: the last


def _among(cells: pd.Series, values: Iterable[str]) -> Mask:
    return np.asarray(cells.isin([value.lower() for value in values]).to_numpy(), dtype=bool)


def _refuse_column(column: str, columns: Sequence[str], shown: str, place: str) -> NoReturn:
    raise ScenarioError(
        f"there is no column {column!r} in the mailbox inventory",
        path=shown,
        place=place,
        expected=f"one of {', '.join(columns)}",
        mend=nearest(column, columns),
    )


def _refuse_values(column: str, values: Sequence[str], cells: pd.Series, of: str, shown: str, place: str) -> NoReturn:
    """No cell has one of the values: the message names some that do occur, the most frequent of a long list."""
    counts = cells.value_counts()
    present = sorted(map(str, counts.index[:8]))
    known = list(map(str, counts.index))
    near = next((hint for value in values if (hint := nearest(value.lower(), known))), None)
    raise ScenarioError(
        f"{column} = {list(values)} matches none of the {len(cells)} {of}",
        path=shown,
        place=place,
        expected=f"a value that occurs, such as {', '.join(map(repr, present))}",
        mend=near or "Correct the value or drop the condition.",
    )


def _refuse_nothing_left(where: Where, before: int, of: str, shown: str, place: str) -> NoReturn:
    raise ScenarioError(
        f"nothing is left: each of the {before} {of} that meet the other conditions meets one under 'not' as well",
        path=shown,
        place=place,
        expected=f"conditions that leave something ({where.words()} leaves nothing)",
        mend="Narrow 'not', or widen the others.",
    )
