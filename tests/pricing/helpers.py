"""What the tests of pricing share: one small plan with round numbers, and days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

#: Flat 4.00, tiers of 100 GB at 300 and 200 GB at 500, retention 0.10 past 90 days, capacity, a grant, a free stream.
#: The files of bad_plans/ are this one with one thing wrong.
GOOD = Path(__file__).with_name("good_plan.toml").read_text(encoding="utf-8")


def span(first: str, count: int) -> Sequence[date]:
    """So many days from the first."""
    return [date.fromisoformat(first) + timedelta(days=i) for i in range(count)]
