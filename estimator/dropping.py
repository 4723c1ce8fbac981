"""What a drop takes away: which share of an operation's records and bytes it meets, measured on the sample.

A drop before the SIEM takes records by their access type, their application, their mailbox or their operation. Of what
flows today the sample says exactly which part that is; of mailboxes that do not emit yet it is that of those that do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from estimator.scenario import Dropped
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


class Drops:
    """The drops of one scenario, measured.

    Args:
        dropped: the drops, see `scenario.dropped`.
        rows: of each operation the sampled rows: `subject`, `subject_kind`, `access_type`, `app_id`, `person`, `events`
            and `bytes`, each record as many as it stands for.
        emitting: of an operation without sampled rows, the mailboxes that may emit it.
        shown: the scenario's name for messages.
    """

    def __init__(
        self,
        dropped: Sequence[Dropped],
        rows: Mapping[str, pd.DataFrame],
        emitting: Mapping[str, pd.Index],
        shown: str,
    ) -> None:
        self._dropped = sorted(dropped, key=lambda one: one.day)
        self._rows, self._emitting, self._shown = rows, emitting, shown
        #: (operation, place) of drops whose share of an operation nothing measures.
        self.unmeasured: set[tuple[str, str]] = set()

    def partition(self, key: str, names: pd.Index) -> list[tuple[pd.Index, frozenset[int]]]:
        """Mailboxes that join, split so that each part meets the same drops; with the numbers of these drops."""
        meets = [self._of_operation(one, key) for one in self._dropped]
        inside = np.array(
            [
                np.full(len(names), meet) if not meet or one.mailboxes is None else names.isin(list(one.mailboxes))
                for one, meet in zip(self._dropped, meets, strict=True)
            ],
            dtype=bool,
        ).reshape(len(meets), len(names))
        alike, which = np.unique(inside.T, axis=0, return_inverse=True)
        return [(names[which == number], frozenset(np.flatnonzero(row).tolist())) for number, row in enumerate(alike)]

    def steps(self, feed: str, key: str, applying: frozenset[int] | None) -> list[tuple[dt.date, Share]]:
        """What is dropped of an operation on a feed from each day on, all drops up to it together.

        Args:
            feed: its id.
            key: the operation.
            applying: of mailboxes that join, the drops that their mailbox meets; None for what flows today.
        """
        out: list[tuple[dt.date, Share]] = []
        rows = self._rows.get(key)
        taken: Mask | None = None if rows is None else np.zeros(len(rows), bool)
        for number, one in enumerate(self._dropped):
            if feed not in one.feeds or not self._of_operation(one, key):
                continue
            if applying is not None and number not in applying:
                continue
            if rows is None or not rows["events"].sum() > 0:
                share = self._unsampled(one, key, applying)
                if share is not None:
                    out.append((one.day, share))
                continue
            assert taken is not None
            taken = taken | self._met(one, rows, flowing=applying is None)
            out.append((one.day, _share(rows, taken)))
        return out

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

    def _unsampled(self, one: Dropped, key: str, applying: frozenset[int] | None) -> Share | None:
        """Of an operation without sampled rows: all, the mailboxes' part by their number, or nobody knows."""
        if one.where.about_records:
            self.unmeasured.add((key, one.place))
            return None
        if applying is not None or one.mailboxes is None:
            return ALL
        emitting = self._emitting.get(key, pd.Index([]))
        part = float(emitting.isin(list(one.mailboxes)).mean()) if len(emitting) else 0.0
        return Share(part, part, part, part)


def _share(rows: pd.DataFrame, taken: Mask) -> Share:
    person = rows["person"].to_numpy(bool)
    events, sizes = rows["events"].to_numpy(float), rows["bytes"].to_numpy(float)

    def part(who: Mask) -> tuple[float, float]:
        total, size = float(events[who].sum()), float(sizes[who].sum())
        of_events = float(events[who & taken].sum()) / total if total else 0.0
        # Where no size is known (redacted records) one record is taken for another.
        return of_events, float(sizes[who & taken].sum()) / size if size else of_events

    (people, people_bytes), (applications, applications_bytes) = part(person), part(~person)
    return Share(people, applications, people_bytes, applications_bytes)
