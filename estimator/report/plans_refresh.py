"""What `plans refresh` read, and how it differs from the plan there was."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from estimator.plans_refresh import Change, Refreshed
from estimator.report.layout import Section, as_markdown, as_table, no_formula
from pricing.money import plain

_COLUMNS = ("place", "unit", "was", "now", "percent", "status")


def text(made: Refreshed, form: str) -> str:
    """The differences in one of the formats, ending in a line break."""
    if form == "json":
        return json.dumps(_json(made), indent=2, ensure_ascii=False) + "\n"
    if form == "csv":
        file = io.StringIO()
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        for change in made.changes:
            # A percentage may be negative; a number is no formula.
            row = {key: "" if value is None else str(value) for key, value in _row(change).items()}
            writer.writerow({**row, "place": no_formula(change.place)})
        return file.getvalue()
    return as_markdown(_sections(made)) if form == "markdown" else as_table(_sections(made))


def _row(change: Change) -> dict[str, str | None]:
    return {
        "place": change.place,
        "unit": change.unit,
        "was": _amount(change.was),
        "now": _amount(change.now),
        "percent": None if change.percent is None else f"{change.percent:.2f}",
        "status": change.status,
    }


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


def _json(made: Refreshed) -> dict[str, Any]:
    return {
        "schema": "siem-estimator/plans-refresh/1",
        "version": version("siem-estimator"),
        "as_of": made.reading.read.isoformat(),
        "plan": made.new.plan.id,
        "region": made.reading.region,
        "currency": made.new.plan.currency,
        "compared_with": None if made.old is None else made.old.origin,
        "changes": [_row(change) for change in made.changes],
        "passed_over": list(made.reading.passed_over),
        "unknown": list(made.reading.unknown),
    }


def _sections(made: Refreshed) -> Iterator[Section]:
    counts = [(status, sum(change.status == status for change in made.changes)) for status in _STATUS]
    told = ", ".join(f"{count} {status}" for status, count in counts if count)
    words = [f"{made.new.plan.id}, read on {made.reading.read} from the Azure Retail Prices API: {told}."]
    if made.old is None:
        words.append("There is no plan of this region to compare it with.")
    else:
        origin = "the shipped plan" if made.old.origin == "shipped" else made.old.origin
        words.append(f"Compared with {origin}, checked on {made.old.plan.checked_on}.")
    if gone := [change.place for change in made.changes if change.status == "gone"]:
        words.append(f"Not listed by the API, and left out: {', '.join(gone)}.")
    if made.reading.passed_over:
        words.append(f"Passed over, as no plan charges them: {', '.join(made.reading.passed_over)}.")
    if made.reading.unknown:
        words.append(f"Not known to this version, and left out: {', '.join(made.reading.unknown)}.")
    rows = [
        [c.place, _amount(c.was) or "", _amount(c.now) or "", "" if c.percent is None else f"{c.percent:+.1f}%",
         c.unit, c.status]
        for c in made.changes
    ]  # fmt: skip
    headers = ["price", "was", "now", "change", "per", "status"]
    yield Section(made.new.plan.title, level=1, words=words, headers=headers, rows=rows)


_STATUS = ("changed", "new", "gone", "same")
