"""How many bytes records have, without writing them: measured on a few records that `AuditWriter` did write.

The size of a record is that of the shortest of its operation, plus what each of the six things that vary adds to it;
a label may be repeated with each message. This is exact; a test writes a sample and compares.
"""

from __future__ import annotations

import numpy as np

from .binds import MOST_ITEMS
from .dice import Ints
from .events import Events
from .operations import OPERATIONS
from .records import CLIENTS, FOLDERS, LABELS, AuditWriter, Row


class SizeLaw:
    """Bytes of AuditData by operation, client, folder, label, messages and the lengths of two addresses."""

    def __init__(self, writer: AuditWriter) -> None:
        def size(op: int, **change: int | str) -> int:
            row = Row(op, 1_800_000_000, "", "", 0, 0, 0, 0, 0, 1, 0, 0, 0)
            return len(writer(row._replace(**change)))

        def table(field: str, values: range) -> Ints:
            return np.array([[size(op, **{field: v}) - self.base[op] for v in values] for op in ops], dtype=np.int64)

        ops = range(len(OPERATIONS))
        self.base = np.array([size(op) for op in ops], dtype=np.int64)
        self.client = table("client", range(len(CLIENTS)))
        self.folder = table("folder", range(len(FOLDERS)))
        self.label = table("label", range(LABELS))
        self.items = table("items", range(MOST_ITEMS + 1))
        longer = self.items[:, 2:3] - self.items[:, 1:2]
        twice = np.array([[size(op, label=v, items=2) for v in range(LABELS)] for op in ops], dtype=np.int64)
        self.label_again = twice - self.base[:, None] - self.label - longer
        self.user = np.array([size(op, user="x") for op in ops]) - self.base
        self.owner = np.array([size(op, owner="x") for op in ops]) - self.base
        # Acting for another adds a fixed part, in which the owner's address may stand once more.
        self.other = np.array([size(op, principal=1) for op in ops]) - self.base
        self.other_owner = np.array([size(op, principal=1, owner="x") for op in ops]) - self.base - self.other

    def __call__(self, events: Events, user_length: Ints, owner_length: Ints) -> Ints:
        """Return the bytes of each event's record, given the lengths of its two addresses."""
        op = events.operation
        other = events.principal != events.mailbox
        return (
            self.base[op]
            + self.client[op, events.client]
            + self.folder[op, events.folder]
            + self.label[op, events.label]
            + self.items[op, events.items]
            + self.label_again[op, events.label] * (events.items - 1)
            + self.user[op] * user_length
            + np.where(other, self.other[op] + self.other_owner[op] * owner_length, self.owner[op] * owner_length)
        )
