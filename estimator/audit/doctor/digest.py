"""What the doctor looks at: a sample summed up until little is left of it, in plain Python.

`measure` sums up in DuckDB and needs no pandas for it (`Engine.digest`); whoever has the tables sums them up here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: Records by UTC day and hour: day, hour (-1 where nobody knows when on that day), records.
HourRows = list[tuple[date, int, int]]


@dataclass(frozen=True)
class Digest:
    """A sample summed up. All counts are of distinct records.

    Attributes:
        events: in all.
        unsized: those without a size.
        throttled: those marked IsThrottled, and the mailboxes they are of.
        principals: by principal.
        operations: by workload and operation, as they are spelled.
        busiest: of the principal with most of them: by workload and operation, and by application.
        hours: by day and hour.
    """

    events: int
    unsized: int
    throttled: tuple[int, int]
    principals: Mapping[str, int]
    operations: Mapping[tuple[str, str], int]
    busiest: tuple[Mapping[tuple[str, str], int], Mapping[str, int]]
    hours: HourRows

    @property
    def days(self) -> list[date]:
        """The days with any record, ascending."""
        return sorted({day for day, _, _ in self.hours})

    @staticmethod
    def of(table: pd.DataFrame, hours: pd.DataFrame) -> Digest:
        """Of `tables.REDUCTION` and `tables.HOURS`."""
        slow = table[table["throttled"]]
        principals = _sums(table, "principal")
        mine = table[table["principal"] == busiest_of(principals)]
        boxes = slow.loc[slow["subject_kind"] == "mailbox", "subject"]
        return Digest(
            events=int(table["events"].sum()),
            unsized=int(table.loc[table["size_basis"] == "none", "events"].sum()),
            throttled=(int(slow["events"].sum()), int(boxes.nunique())),
            principals=principals,
            operations=_sums_by_operation(table),
            busiest=(_sums_by_operation(mine), _sums(mine, "app_id")),
            hours=hour_rows(hours),
        )


def busiest_of(principals: Mapping[str, int]) -> str:
    """The principal with most records, of equals the first by name."""
    return min(principals, key=lambda name: (-principals[name], name), default="")


def hour_rows(hours: pd.DataFrame) -> HourRows:
    """`tables.HOURS` without operations."""
    sums = hours.groupby(["day", "hour"], as_index=False)["events"].sum()
    return list(zip(sums["day"].dt.date, sums["hour"].tolist(), sums["events"].tolist(), strict=True))


def _sums(table: pd.DataFrame, by: str) -> dict[str, int]:
    return {str(name): int(count) for name, count in table.groupby(by)["events"].sum().items()}


def _sums_by_operation(table: pd.DataFrame) -> dict[tuple[str, str], int]:
    sums = table.groupby(["workload", "operation"], as_index=False)["events"].sum()
    return dict(zip(zip(sums["workload"], sums["operation"], strict=True), sums["events"].tolist(), strict=True))
