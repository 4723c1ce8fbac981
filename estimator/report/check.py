"""What a tenant folder holds and lacks, as `check` prints it. Computes nothing."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator

from estimator.checkup import CheckedFile, Checkup, Missing
from estimator.inventory.words import counted
from estimator.report.files import days_of, laid_out, size_of
from estimator.report.layout import Section, as_markdown, as_table, findings_section, no_formula

#: Told under what is missing already.
_SAID = {"no_activity_report"}

#: A longer command is broken up.
_LINE = 100
_COMMA = re.compile(r"(?<=\w),(?=\w)")


def text(found: Checkup, form: str) -> str:
    """The check in one of the formats, ending in a line break."""
    if form == "json":
        return json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n"
    if form == "csv":
        return _csv(found.files)
    return as_markdown(_sections(found)) if form == "markdown" else as_table(_sections(found))


def _csv(files: list[CheckedFile]) -> str:
    """One row a file; the columns are the fields of the JSON."""
    file = io.StringIO()
    columns = ["path", "kind", "title", "rows", "first", "last", "size", "sha256", "encoding", "compressed", "refused"]
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    for one in files:
        row = one.to_json()
        cells = {name: row[name] for name in columns}
        writer.writerow({**cells, "path": no_formula(one.path), "refused": "true" if one.refused else "false"})
    return file.getvalue()


def _sections(found: Checkup) -> Iterator[Section]:
    yield _head(found)
    if found.files:
        yield _files(found.files)
    shown = [finding for finding in found.findings if finding.code not in _SAID]
    if shown:
        yield findings_section(shown)
    # Last, where a terminal stands when all is printed: what is to be done next.
    if found.missing:
        yield Section("What is missing", words=["Any file name will do; each file is told by its content."])
        yield from map(_missing, found.missing)


def _head(found: Checkup) -> Section:
    refused = sum(file.refused for file in found.files)
    words = [
        f"Checked as of {found.as_of}: {len(found.files):,} file{'s' * (len(found.files) != 1)}"
        + (f", {refused:,} refused" if refused else "")
        + f". {_can_run(found)}"
    ]
    if found.inventory is not None:
        boxes = found.inventory.mailboxes
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in boxes["kind"].value_counts().items())
        words.append(f"{counted(len(boxes), 'mailbox', 'mailboxes')} ({kinds}).")
    if found.sample is not None:
        sample = found.sample
        words.append(
            f"Audit sample: {sample.read:,} records read = {sample.distinct:,} distinct + {sample.duplicates:,} "
            f"duplicates + {sample.rejected:,} rejected, {sample.first} to {sample.last}"
            + ('; it was cut, so its volumes are "at least".' if sample.cut else ".")
        )
    return Section("The tenant folder", level=1, words=words)


def _can_run(found: Checkup) -> str:
    """Whether `estimate` would run, and on what."""
    lacking = [one.input for one in found.missing if one.needed == "needed"]
    if lacking:
        return f"`estimate` cannot run; missing: {' and '.join(lacking)}."
    if found.inventory is None:
        return "`estimate` cannot run: a file that is needed is refused, see the findings."
    if found.sample is None:
        return "`estimate` can run, on published rates: there is no audit sample."
    return "`estimate` can run."


def _files(files: list[CheckedFile]) -> Section:
    rows = [
        [
            one.path,
            f"{one.title} (refused)" if one.refused else one.title,
            "" if one.rows is None else f"{one.rows:,}",
            days_of(one.first, one.last),
            laid_out(one.encoding, one.compressed),
            size_of(one.size),
        ]
        for one in files
    ]
    return Section("Files", headers=["file", "taken for", "rows", "days", "text", "size"], rows=rows)


def _missing(one: Missing) -> Section:
    return Section(
        f"{one.input} ({one.needed})",
        level=3,
        words=[f"Without it {one.without}."],
        code=_lines(one.command),
    )


def _lines(command: str) -> list[str]:
    """A command on several lines where it is long and its language allows it: what runs off the screen is not read."""
    out = []
    for statement in command.replace("; Get-", "\nGet-").split("\n"):
        if len(statement) > _LINE:
            statement = statement.replace(" | ", " |\n    ").replace(",@{", ",\n    @{")
        for line in statement.split("\n"):
            out += _broken(line)
    return out


def _broken(line: str) -> list[str]:
    """A long list of properties on several lines: PowerShell goes on after a comma between two of them."""
    out = []
    while len(line) > _LINE and (commas := [at.end() for at in _COMMA.finditer(line, 0, _LINE)]):
        out.append(line[: commas[-1]])
        line = "    " + line[commas[-1] :]
    return [*out, line]
