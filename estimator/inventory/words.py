"""Numbers in messages, with the words that go with them."""

from __future__ import annotations


def counted(count: int, one: str, many: str) -> str:
    """A number and what it counts: `1 mailbox has`, `2,285 mailboxes have`."""
    return f"{count:,} {one if count == 1 else many}"
