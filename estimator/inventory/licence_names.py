"""The licences in one cell of a CSV export, however they are joined and named."""

from __future__ import annotations

import re
from functools import cache

from estimator import catalog

#: What the admin center writes for a user without any licence.
_NO_LICENCE = "unlicensed"

#: What stands between licences, from what no licence's name holds to what some do: `Enterprise Mobility + Security E3`.
_BETWEEN = (r"[;|\r\n]+", r"(?<! )\+", r"\+", r",", r"\s+")

#: The longest catalogued name, in pieces between commas or plus signs, is shorter than this.
_MOST_PIECES = 5


@cache
def names_in(cell: str) -> tuple[str, ...]:
    """The licences in a cell: part numbers, GUIDs or product names, joined by `+`, `;`, `,`, `|`, spaces or lines."""
    cell = cell.strip()
    if cell.casefold() == _NO_LICENCE:
        return ("",)
    if catalog.licence_tier(cell) is not None:
        return (cell,)
    for between in _BETWEEN:
        parts = _pieces(cell, between)
        # An unknown product name stays in one piece: its words say nothing apart.
        if len(parts) > 1 and (between != _BETWEEN[-1] or any(catalog.licence_tier(bare(part)) for part in parts)):
            return tuple(dict.fromkeys(name for part in parts for name in names_in(part) if name)) or ("",)
    return (bare(cell),)


def _pieces(cell: str, between: str) -> list[str]:
    """A cell cut at each `between`, save within the name of a licence that holds one itself: the longest name wins."""
    cuts = [match.span() for match in re.finditer(between, cell)]
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(cell)]
    pieces, at = [], 0
    while at < len(starts):
        last = min(at + _MOST_PIECES, len(starts))
        upto = next((to for to in range(last, at + 1, -1) if catalog.licence_tier(cell[starts[at] : ends[to - 1]])), 0)
        upto = upto or at + 1
        pieces.append(cell[starts[at] : ends[upto - 1]])
        at = upto
    return [piece for piece in pieces if piece]


def bare(name: str) -> str:
    """The part number of `reseller-account:ENTERPRISEPACK`, which is how MSOnline wrote it."""
    return name.rsplit(":", 1)[-1].strip()


@cache
def switched_off(names: tuple[str, ...], disabled: str) -> tuple[str, ...]:
    """For each licence of a row, which of its deciding plans are off, where the row joins the disabled plans of all.

    A plan that several of them have is off where it is named as often: else it is on through one of them.
    """
    plans = [name for name in map(catalog.deciding_plan, re.split(r"[+;,|\s]+", disabled)) if name]
    having = {plan: sum(plan in _plans_of(name) for name in names) for plan in plans}
    off = {plan for plan in plans if plans.count(plan) >= having[plan]}
    return tuple(
        ",".join(sorted(plan for plan in off if plan in _plans_of(name) or not having[plan])) for name in names
    )


def _plans_of(sku: str) -> tuple[str, ...]:
    found = catalog.licence_tier(sku)
    return found.audit_plans if found else ()
