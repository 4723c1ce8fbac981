"""How near the forecast is to the truth, by regime: one table.

    python -m benchmarks.accuracy                       # all of it: about an hour on two cores
    python -m benchmarks.accuracy --small               # a minute
    python -m benchmarks.accuracy --only cells --tenants 50 --first 5000
    python -m benchmarks.accuracy --out accuracy.csv --trials trials.csv

A level is one value of one factor with the others drawn at random. Seeds are fixed, so the table is the same each time;
besides, a fresh set is drawn at each run and its first seed printed, so that nothing can be fitted to the fixed ones.
The tenants' lives are in `world.py`, which shares neither code nor functional form with the model.
"""

from __future__ import annotations

import argparse
import csv
import secrets
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from benchmarks.accuracy import table
from benchmarks.accuracy.designs import CELLS, FACTORS, REPORTED, SETS, Cell, cell_set, main_set, other_set
from benchmarks.accuracy.table import Row
from benchmarks.accuracy.trial import Trial, run
from benchmarks.accuracy.world import Design

PARTS = ("cells", "main", "sets", "fresh")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, default=100, help="a level (the main set has four times as many)")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--fresh", type=int, help="the first seed of the fresh set, to see one again")
    parser.add_argument("--most", type=int, default=20000, help="no larger tenants than this")
    parser.add_argument("--only", choices=PARTS, action="append", help="parts of it")
    parser.add_argument("--small", action="store_true", help="few and small tenants: a minute")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help="the table as CSV")
    parser.add_argument("--trials", type=Path, help="every tenant as CSV")
    options = parser.parse_args()
    if options.small:
        options.tenants, options.most = min(options.tenants, 10), min(options.most, 600)
    start, fresh = time.perf_counter(), options.fresh or 1_000_000 + secrets.randbelow(1_000_000_000)
    parts = tuple(options.only or PARTS)
    groups = groups_of(parts, options.tenants, options.first, fresh, options.most)
    designs = [design for members in groups.values() for design in members]
    # The largest first: the last to be done should not be a long one.
    order = sorted(range(len(designs)), key=lambda at: -designs[at].mailboxes)
    with ProcessPoolExecutor(options.processes) as pool:
        done = dict(zip(order, pool.map(run, [designs[at] for at in order], chunksize=2), strict=True))
    trials, at = {}, 0
    for key, members in groups.items():
        trials[key] = [done[at + k] for k in range(len(members))]
        at += len(members)
    rows = rows_of(trials, fresh)
    print(table.text(rows))
    missed = [r for r in rows if r.missed]
    print(f"\n{len(missed)} of {len(rows)} rows miss a promise. Fresh set: --fresh {fresh}")
    print(f"{len(designs)} tenants in {time.perf_counter() - start:.0f} s", file=sys.stderr)
    if options.out:
        table.write(rows, options.out)
    if options.trials:
        _write_trials(trials, options.trials)


def groups_of(
    parts: tuple[str, ...], tenants: int, first: int, fresh: int, most: int
) -> dict[str | Cell, list[Design]]:
    """The designs to run: `main`, `fresh`, each of `SETS`, each of `CELLS`."""
    groups: dict[str | Cell, list[Design]] = {}
    if "main" in parts:
        groups["main"] = main_set(first, 4 * tenants, most)
    if "fresh" in parts:
        groups["fresh"] = main_set(fresh, tenants, min(most, 3000))
    if "sets" in parts:
        groups |= {name: other_set(name, first, tenants, min(most, 3000)) for name in SETS}
    if "cells" in parts:
        groups |= {cell: cell_set(cell, first, tenants) for cell in CELLS if cell.mailboxes <= most}
    return groups


def rows_of(trials: dict[str | Cell, list[Trial]], fresh: int) -> list[Row]:
    """The rows of the table."""
    rows = []
    for cell in CELLS:
        if cell in trials:
            rows.append(table.row(cell.name, trials[cell], error=cell.error, ratio=cell.ratio))
    if "main" in trials:
        rows.append(table.row("overall", trials["main"]))
        for factor, value in FACTORS.items():
            levels: dict[str, list[Trial]] = {}
            for trial in sorted(trials["main"], key=lambda t: _order(t.design, factor)):
                levels.setdefault(value(trial.design), []).append(trial)
            rows += [table.row(f"{factor} {level}", mine) for level, mine in levels.items()]
    for name in SETS:
        if name in trials:
            rows.append(table.row(name, trials[name], gated=name not in REPORTED))
    if "fresh" in trials:
        rows.append(table.row(f"fresh set {fresh}", trials["fresh"]))
    return rows


def _order(design: Design, factor: str) -> float:
    value = getattr(design, factor)
    if isinstance(value, str):
        return ("none", "mild", "strong", "polling", "backup").index(value)
    return float(value)


def _write_trials(trials: dict[str | Cell, list[Trial]], path: Path) -> None:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        header: list[str] | None = None
        for key, members in trials.items():
            for trial in members:
                fields = asdict(trial.design)
                if header is None:
                    header = [*fields, "set", "truth", "mean", "p10", "p50", "p90", "spreadsheet"]
                    out.writerow(header)
                f = trial.forecast
                name = key if isinstance(key, str) else key.name
                out.writerow([*fields.values(), name, trial.truth, f.mean, f.p10, f.p50, f.p90, trial.spreadsheet])


if __name__ == "__main__":
    main()
