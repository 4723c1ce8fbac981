"""Trials → one row a level: how far off, against a spreadsheet, how often the interval held, how wide."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

Z95 = statistics.NormalDist().inv_cdf(0.975)
HELD = (0.75, 0.88)
"""Between which coverage of P10-P90 must lie."""


class Outcome(Protocol):
    """What a row is made of: see `Trial`."""

    @property
    def error(self) -> float: ...
    @property
    def spreadsheet_error(self) -> float: ...
    @property
    def held(self) -> bool: ...
    @property
    def width(self) -> float: ...


@dataclass(frozen=True)
class Row:
    """One level.

    Attributes:
        level: of which factor, which.
        tenants: how many.
        error: median absolute error of the forecast (mean).
        bias: median error.
        spreadsheet: median absolute error of the spreadsheet.
        ratio: the first to the second.
        coverage: share of tenants whose truth lay within P10-P90.
        low, high: Wilson's 95 % interval of it.
        width: median width of P10-P90, of the mean.
        nearer: share of tenants in which the forecast was nearer than the spreadsheet.
        p: of a two-sided sign test that neither is nearer.
        missed: which promises it breaks.
    """

    level: str
    tenants: int
    error: float
    bias: float
    spreadsheet: float
    ratio: float
    coverage: float
    low: float
    high: float
    width: float
    nearer: float
    p: float
    missed: str = ""


def row(
    level: str,
    trials: Sequence[Outcome],
    *,
    error: float | None = None,
    ratio: float | None = None,
    gated: bool = True,
) -> Row:
    """The row of a level.

    Args:
        level: its name.
        trials: its tenants.
        error: the median absolute error it must not pass, if any.
        ratio: of that to the spreadsheet's, likewise.
        gated: whether its coverage is a promise.
    """
    n, held = len(trials), sum(t.held for t in trials)
    low, high = wilson(held, n)
    median = statistics.median(abs(t.error) for t in trials)
    theirs = statistics.median(abs(t.spreadsheet_error) for t in trials)
    ours = sum(abs(t.error) < abs(t.spreadsheet_error) for t in trials)
    ties = sum(abs(t.error) == abs(t.spreadsheet_error) for t in trials)
    p = sign_test(ours, n - ties)
    missed = []
    if error is not None and median > error:
        missed.append(f"error > {error:.0%}")
    if ratio is not None and median > ratio * theirs:
        missed.append(f"ratio > {ratio:g}")
    if gated and (high < HELD[0] or low > HELD[1]):
        missed.append("coverage")
    if 2 * ours < n - ties and p < 0.05:
        missed.append("worse than the spreadsheet")
    return Row(
        level,
        n,
        median,
        statistics.median(t.error for t in trials),
        theirs,
        median / theirs,
        held / n,
        low,
        high,
        statistics.median(t.width for t in trials),
        ours / n,
        p,
        ", ".join(missed),
    )


def wilson(held: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share, z2 = held / n, Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return middle - half, middle + half


def sign_test(wins: int, n: int) -> float:
    """Two-sided p of `wins` of `n` at even odds, exact."""
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(min(wins, n - wins) + 1))
    return min(1.0, float(2 * tail / 2**n))


def text(rows: Iterable[Row]) -> str:
    """The table as it is printed."""
    lines = [
        f"{'level':44} {'n':>4}  {'error':>6} {'bias':>6} {'sheet':>6} {'ratio':>5}  {'held':>4} {'Wilson 95 %':>11}"
        f"  {'width':>5}  {'nearer':>6} {'p':>7}  misses"
    ]
    lines += [
        f"{r.level:44} {r.tenants:4}  {r.error:6.1%} {r.bias:+6.1%} {r.spreadsheet:6.1%} {r.ratio:5.2f}  "
        f"{r.coverage:4.0%} {r.low:5.0%}-{r.high:4.0%}  {r.width:5.0%}  {r.nearer:6.0%} {r.p:7.1g}  {r.missed}".rstrip()
        for r in rows
    ]
    return "\n".join(lines)


def write(rows: Sequence[Row], path: Path) -> None:
    """The table as CSV, unrounded."""
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, list(asdict(rows[0])))
        out.writeheader()
        out.writerows(asdict(r) for r in rows)
