"""The regimes: levels of one factor with the others drawn at random, and the cells that have a target of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.world import Design

SIZES = (150, 600, 3000, 20000)
SHARES = (0.03, 0.10, 0.15, 0.30)
LENGTHS = (7, 14, 30)
BIASES = ("none", "mild", "strong")
CORRELATIONS = (0.5, 0.8, 0.95)
LOG_SDS = (1.0, 1.8)
PROGRAMS = ("none", "polling", "backup")

#: Factor → the value of a design, as it is printed.
FACTORS: dict[str, Callable[[Design], str]] = {
    "mailboxes": lambda d: f"{d.mailboxes:,}",
    "sampled": lambda d: f"{d.sampled:.0%}",
    "days": lambda d: str(d.days),
    "bias": lambda d: d.bias,
    "correlation": lambda d: f"{d.correlation:g}",
    "log_sd": lambda d: f"{d.log_sd:g}",
    "program": lambda d: d.program,
}

#: Sets beside the main one, in which one thing is wrong and the rest is drawn: what it is → the fields it fixes. The
#: first is gated as the levels are, the others are reported (what cannot be seen cannot be held).
SETS: dict[str, dict[str, object]] = {
    "truncated": {"inputs": "truncated"},
    "no activity report": {"inputs": "no_activity"},
    "no sample": {"inputs": "no_sample"},
    "residual bias": {"bias": "residual"},
}
REPORTED = ("no sample", "residual bias")


@dataclass(frozen=True)
class Cell:
    """One regime with targets: 15 % sampled for 14 days.

    Attributes:
        error: the median absolute error it must not pass.
        ratio: of that error to the spreadsheet's, likewise.
    """

    mailboxes: int
    correlation: float
    bias: str
    error: float
    ratio: float

    @property
    def name(self) -> str:
        return f"{self.mailboxes:,} at 15 %, 14 days, r {self.correlation:g}, bias {self.bias}"


CELLS = tuple(
    Cell(mailboxes, correlation, bias, error, 0.8 if bias == "none" else 0.25)
    for (mailboxes, correlation), error in {
        (3000, 0.95): 0.06, (3000, 0.8): 0.12, (600, 0.95): 0.08, (600, 0.8): 0.15,
    }.items()
    for bias in ("none", "strong")
)  # fmt: skip


def drawn(seed: int, stream: int = 0, **fixed: object) -> Design:
    """The design of a seed, its factors drawn; `fixed` ones stand as given and leave the others as they are."""
    rng = np.random.default_rng([20261124, stream, seed])
    factors: dict[str, object] = {
        "mailboxes": int(rng.choice(SIZES)),
        "sampled": float(rng.choice(SHARES)),
        "days": int(rng.choice(LENGTHS)),
        "bias": str(rng.choice(BIASES)),
        "correlation": float(rng.choice(CORRELATIONS)),
        "log_sd": float(rng.choice(LOG_SDS)),
        "program": str(rng.choice(PROGRAMS)),
    }
    return Design(seed=seed * 100 + stream, **{**factors, **fixed})  # type: ignore[arg-type]


def main_set(first: int, tenants: int, most: int = max(SIZES)) -> list[Design]:
    """Tenants that count for a level of every factor; those of four levels by turns, so that each has a quarter."""
    sizes = [size for size in SIZES if size <= most]
    return [
        drawn(seed, mailboxes=sizes[seed % len(sizes)], sampled=SHARES[seed // len(sizes) % len(SHARES)])
        for seed in range(first, first + tenants)
    ]


def other_set(name: str, first: int, tenants: int, most: int = 3000) -> list[Design]:
    """One of `SETS`."""
    sizes, stream = [size for size in SIZES if size <= most], 1 + list(SETS).index(name)
    return [
        drawn(seed, stream, **{"mailboxes": sizes[seed % len(sizes)], **SETS[name]})
        for seed in range(first, first + tenants)
    ]


def cell_set(cell: Cell, first: int, tenants: int) -> list[Design]:
    """Tenants of a cell: what it does not fix is drawn, save that no application disturbs it."""
    fixed = {
        "mailboxes": cell.mailboxes, "sampled": 0.15, "days": 14, "bias": cell.bias,
        "correlation": cell.correlation, "program": "none",
    }  # fmt: skip
    stream = 10 + CELLS.index(cell)
    return [drawn(seed, stream, **fixed) for seed in range(first, first + tenants)]
