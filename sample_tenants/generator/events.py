"""The table that everything which happens is put into: one row a record that would be written if it were enabled."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from .dice import Bools, Ints


@dataclass(frozen=True)
class Events:
    """Things that happened, as columns of equal length.

    Attributes:
        time: Seconds since 1970, UTC.
        operation: Position in `OPERATIONS`.
        mailbox: Whose mailbox, or whose account where there is none.
        principal: Who acted: a mailbox's person, or -1, -2 … for the first, second … application.
        client: Position in `CLIENTS`.
        folder: Position in `FOLDERS`.
        label: Subject, file or page, as a position in the operation's list.
        items: Messages in the record.
        message: Number of the first of them.
        session: Number of the session, never used twice.
    """

    time: Ints
    operation: Ints
    mailbox: Ints
    principal: Ints
    client: Ints
    folder: Ints
    label: Ints
    items: Ints
    message: Ints
    session: Ints

    def __len__(self) -> int:
        return len(self.time)

    def where(self, chosen: Bools | Ints) -> Events:
        """Return the rows chosen, by mask or by position."""
        return Events(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


def stack(parts: list[Events]) -> Events:
    """Put tables one below the other."""
    return Events(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Events)})
