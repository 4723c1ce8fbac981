"""How much to sample, as `sample-size` prints it. Computes nothing, and names no mailbox."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from estimator.inventory.words import counted
from estimator.report.layout import Section, as_markdown, as_table, findings_section, no_formula
from estimator.sample_size import SampleSize, not_bought


def text(found: SampleSize, form: str) -> str:
    """The advice in one of the formats, ending in a line break."""
    if form == "json":
        return json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n"
    if form == "csv":
        return _csv(found)
    return as_markdown(_sections(found)) if form == "markdown" else as_table(_sections(found))


def _csv(found: SampleSize) -> str:
    """One row a class, unrounded."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["operation", "within", "status", "class", "joining", "share_of_added", "sample", "days", "as_of"])
    document = found.to_json()
    for row in document["classes"]:
        words = [no_formula(found.operation), repr(found.within), found.status, no_formula(row["class"])]
        figures = [row["joining"], repr(row["share_of_added"]), row["sample"], document["days"] or ""]
        writer.writerow([*words, *figures, found.as_of])
    return file.getvalue()


def _sections(found: SampleSize) -> Iterator[Section]:
    yield Section("How much to sample", level=1, words=list(_words(found)))
    if found.joining:
        yield Section(
            "Classes",
            words=["Take them at random within a class; `--list FILE.csv` writes a seeded random list."]
            if found.advice
            else [],
            headers=["licence and kind", "would join", "share of what is added", "sample"],
            rows=[[s.name, f"{len(s.at):,}", f"{s.share:.0%}", f"{s.sample:,}"] for s in found.strata],
        )
    if found.options:
        yield Section(
            "Days",
            words=["Mailboxes that each length of sample needs; whole weeks, for weekends differ from weekdays."],
            headers=["days", "mailboxes", "within"],
            rows=[
                [f"{o.days}", "no number" if o.mailboxes is None else f"{o.mailboxes:,}", f"±{o.half_width:.0%}"]
                for o in found.options
            ],
        )
    yield Section(
        "What no sample narrows",
        words=["Each alone, in 8 of 10 cases; season is not in it, for which no source gives a figure."],
        headers=["what", "within", "why"],
        rows=[[code.replace("_", " "), f"±{width:.1%}", why] for code, width, why in not_bought()],
    )
    if found.findings:
        yield findings_section(found.findings)


def _words(found: SampleSize) -> Iterator[str]:
    boxes = counted(found.joining, "mailbox", "mailboxes")
    if found.status == "nobody_joins":
        yield f"No mailbox would join: all that can emit {found.operation} emit it, or no script can make them."
        return
    known = (
        f"{counted(found.sampled_today, 'sampled mailbox emits', 'sampled mailboxes emit')} it today"
        if found.sampled_today
        else "no sample shows it, so this plan stands on published spread alone"
    )
    yield (
        f"{found.operation}: {boxes} would join, {known}. As things stand, what they add is known within "
        f"±{found.half_width_today:.0%} in 8 of 10 cases; ±{found.within:.0%} is wished."
    )
    if found.status == "reached":
        yield "No further sample is needed."
    elif found.advice is not None:
        yield (
            f"Enable {found.advice.mailboxes:,} of them for {found.advice.days} days, chosen at random as below, and "
            f"sample these days: that should bring it within ±{found.advice.half_width:.0%}."
        )
    else:
        yield (
            f"Not reachable by sampling: the best is ±{found.best:.0%}, with all of them sampled for the longest time "
            "below. What is left is named below, and only time or another source narrows it."
        )
