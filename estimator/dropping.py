"""What drops and routes take: which share of an operation's records and bytes they meet, measured on the sample.

A drop before the SIEM, or a route into another tier of it, takes records by their access type, their application, their
mailbox or their operation. Of what flows today the sample says exactly which part that is; of mailboxes that do not
emit yet it is that of those that do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from estimator.scenario import Dropped, Routed
from estimator.scenario.where import rows_of

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Share:
    """A part of a level, each from 0 to 1: of the records that people and applications cause, and of their bytes."""

    people: float = 0.0
    applications: float = 0.0
    people_bytes: float = 0.0
    applications_bytes: float = 0.0

    def __sub__(self, other: Share) -> Share:
        return Share(
            self.people - other.people,
            self.applications - other.applications,
            self.people_bytes - other.people_bytes,
            self.applications_bytes - other.applications_bytes,
        )


NOTHING, ALL = Share(), Share(1.0, 1.0, 1.0, 1.0)

#: By where records go, the share that goes there: None is nowhere (dropped), else a tier of the SIEM.
Shares = dict[str | None, Share]


class Drops:
    """The drops and routes of one scenario, measured.

    Args:
        taken: the drops and routes, see `scenario.dropped` and `scenario.routed`. A record that is dropped is not
            routed; of two routes the one that stands first in the file has it.
        rows: of each operation the sampled rows: `subject`, `subject_kind`, `access_type`, `app_id`, `person`, `events`
            and `bytes`, each record as many as it stands for.
        emitting: of an operation without sampled rows, the mailboxes that may emit it.
        shown: the scenario's name for messages.
        pooled: operations whose level does not tell people from applications, so that their shares are of both.
    """

    def __init__(
        self,
        taken: Sequence[Dropped],
        rows: Mapping[str, pd.DataFrame],
        emitting: Mapping[str, pd.Index],
        shown: str,
        pooled: Collection[str] = (),
    ) -> None:
        self._taken = sorted(taken, key=lambda one: one.day)
        #: Who has a record that several meet: drops, then routes as the file has them.
        order = {id(one): n for n, one in enumerate(taken)}
        self._first = sorted(
            range(len(taken)),
            key=lambda n: (isinstance(self._taken[n], Routed), order[id(self._taken[n])]),
        )
        self._rows, self._emitting, self._shown, self._pooled = rows, emitting, shown, frozenset(pooled)
        #: (operation, place) of drops whose share of an operation nothing measures.
        self.unmeasured: set[tuple[str, str]] = set()

    def partition(self, key: str, names: pd.Index) -> list[tuple[pd.Index, frozenset[int]]]:
        """Mailboxes that join, split so that each part meets the same drops; with the numbers of these drops."""
        meets = [self._of_operation(one, key) for one in self._taken]
        inside = np.array(
            [
                np.full(len(names), meet) if not meet or one.mailboxes is None else names.isin(list(one.mailboxes))
                for one, meet in zip(self._taken, meets, strict=True)
            ],
            dtype=bool,
        ).reshape(len(meets), len(names))
        alike, which = np.unique(inside.T, axis=0, return_inverse=True)
        return [(names[which == number], frozenset(np.flatnonzero(row).tolist())) for number, row in enumerate(alike)]

    def steps(self, feed: str, key: str, applying: frozenset[int] | None) -> list[tuple[dt.date, Shares]]:
        """What is taken of an operation on a feed from each day on, everything in force by then together.

        Args:
            feed: its id.
            key: the operation.
            applying: of mailboxes that join, the drops and routes that their mailbox meets; None for what flows today.
        """
        mine = [
            number
            for number in self._first
            if feed in self._taken[number].feeds
            and self._of_operation(self._taken[number], key)
            and (applying is None or number in applying)
        ]
        if not mine:
            return []
        rows = self._rows.get(key)
        sampled = rows is not None and bool(rows["events"].sum() > 0)
        if rows is None or not sampled:
            rows = self._stand_ins(key, flowing=applying is None)
            unmeasured = [n for n in mine if self._taken[n].where.about_records]
            self.unmeasured |= {(key, self._taken[number].place) for number in unmeasured}
            mine = [number for number in mine if number not in unmeasured]
        met = {number: self._met(self._taken[number], rows, flowing=applying is None) for number in mine}
        out: list[tuple[dt.date, Shares]] = []
        for day in sorted({self._taken[number].day for number in mine}):
            left = np.ones(len(rows), bool)
            by: dict[str | None, Mask] = {}
            for number in mine:
                one = self._taken[number]
                if one.day <= day:
                    to = one.to if isinstance(one, Routed) else None
                    by[to] = by.get(to, np.zeros(len(rows), bool)) | (met[number] & left)
                    left = left & ~met[number]
            pooled = key in self._pooled or not sampled
            out.append((day, {to: _share(rows, taken, pooled=pooled) for to, taken in by.items()}))
        return out

    def tiers(self, feed: str) -> list[str]:
        """The tiers that some route sends records of a feed to."""
        return list(dict.fromkeys(one.to for one in self._taken if isinstance(one, Routed) and feed in one.feeds))

    def meets(self, one: Dropped, key: str) -> bool:
        """Whether a drop takes any record of an operation that the sample shows, or may take any it does not show."""
        rows = self._rows.get(key)
        return self._of_operation(one, key) and (rows is None or bool(self._met(one, rows, flowing=False).any()))

    def _of_operation(self, one: Dropped, key: str) -> bool:
        return one.operations is None or key in one.operations

    def _met(self, one: Dropped, rows: pd.DataFrame, *, flowing: bool) -> Mask:
        met = rows_of(one.where, rows, self._shown, one.place) if one.where.about_records else np.ones(len(rows), bool)
        if flowing and one.mailboxes is not None:
            met = met & rows["subject"].isin(list(one.mailboxes)).to_numpy()
        return met

    def _stand_ins(self, key: str, *, flowing: bool) -> pd.DataFrame:
        """Of an operation without sampled rows, one record of each mailbox that may emit it; one of nobody's else."""
        names = self._emitting.get(key, pd.Index([])) if flowing else pd.Index([])
        subjects = list(map(str, names)) or [""]
        return pd.DataFrame({"subject": pd.array(subjects, dtype="str"), "person": True, "events": 1.0, "bytes": 0.0})


def _share(rows: pd.DataFrame, taken: Mask, *, pooled: bool) -> Share:
    person = rows["person"].to_numpy(bool)
    events, sizes = rows["events"].to_numpy(float), rows["bytes"].to_numpy(float)

    def part(who: Mask) -> tuple[float, float]:
        total, size = float(events[who].sum()), float(sizes[who].sum())
        of_events = float(events[who & taken].sum()) / total if total else 0.0
        # Where no size is known (redacted records) one record is taken for another.
        return of_events, float(sizes[who & taken].sum()) / size if size else of_events

    if pooled:
        of_events, of_bytes = part(np.ones(len(rows), bool))
        return Share(of_events, of_events, of_bytes, of_bytes)
    (people, people_bytes), (applications, applications_bytes) = part(person), part(~person)
    return Share(people, applications, people_bytes, applications_bytes)
