"""What moves the added cost and events how much, as a section of a report. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from estimator.report.figures import money, significant
from estimator.report.layout import Section
from estimator.sensitivity import Swing

#: Swings shown to people of each output; machines get them all.
SHOWN = 8


def section(swings: Sequence[Swing], *, level: int = 2) -> Iterator[Section]:
    """One section for each feed's added events and each plan's added cost: the largest swings first.

    Args:
        swings: of `sensitivity_of`, those of one output in a row.
        level: of the headings.
    """
    for (scenario, measure, subject), mine in groupby(swings, key=lambda s: (s.scenario, s.measure, s.subject)):
        each = list(mine)
        shown, left = each[:SHOWN], len(each) - SHOWN
        of = "events added" if measure == "events" else f"cost added, {measure}"
        base = each[0].base
        words = [
            f"Mean {_figure(base, measure)}. Each row moves one assumption from its P10 to its P90 and leaves all else "
            "as drawn; of what is open and not drawn it shows the other case."
        ]
        if left > 0:
            words.append("One smaller one is not shown." if left == 1 else f"{left} smaller ones are not shown.")
        yield Section(
            f"What moves it: {of}, {subject} ({scenario})",
            level=level,
            words=words,
            headers=["assumption", "from", "to", "moves it by", "share of variance"],
            rows=[
                [
                    one.title,
                    _figure(one.low, measure),
                    _figure(one.high, measure),
                    _figure(one.width, measure),
                    "case" if one.share is None else "<1%" if one.share < 0.005 else f"{one.share:.0%}",
                ]
                for one in shown
            ],
        )


def _figure(value: float, measure: str) -> str:
    return significant(value) if measure == "events" else money(value)
