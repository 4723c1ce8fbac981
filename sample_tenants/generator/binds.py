"""How opened messages become MailItemsAccessed records.

Documented behaviour (Purview, "Use MailItemsAccessed to investigate"): messages bound within two minutes join one
record; a message bound again within an hour is dropped; another session or folder makes another record.
"""

from __future__ import annotations

import numpy as np

from .dice import Ints

WINDOW = 120
REPEAT = 3600
MOST_ITEMS = 100
"""The most messages a record is given here; the service documents no limit."""


def bind_records(session: Ints, folder: Ints, time: Ints, message: Ints, messages: Ints) -> tuple[Ints, Ints]:
    """Make records of binds.

    Args:
        session: The session of each bind.
        folder: The folder it was in.
        time: When it was, in seconds.
        message: Number of the message.
        messages: How many messages of its conversation were bound with it, itself included.

    Returns:
        For each record the position of its first bind, and the number of messages in it.
    """
    if len(session) == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing
    order = np.lexsort((time, message, session))
    same = (np.diff(session[order]) == 0) & (np.diff(message[order]) == 0)
    repeated = np.concatenate([[False], same & (np.diff(time[order]) < REPEAT)])
    kept = np.sort(order[~repeated])
    window = time[kept] // WINDOW
    key = (session[kept] * 16 + folder[kept]) * 4096 + window % 4096
    _, first, record = np.unique(key, return_index=True, return_inverse=True)
    items = np.bincount(record, weights=messages[kept], minlength=len(first)).astype(np.int64)
    return kept[first], np.minimum(items, MOST_ITEMS)
