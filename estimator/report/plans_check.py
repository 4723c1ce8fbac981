"""What is wrong with plan files and what their examples come to, as `plans check` prints it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from estimator.errors import SiemEstimatorError
from estimator.plans_check import Checked
from estimator.report.layout import Section
from estimator.report.plans import EXAMPLE, as_csv, as_json, example_json, example_rows, laid_out, truth


def text(files: Sequence[Checked], form: str) -> str:
    """What is wrong with plan files, and what their examples come to, in one of the formats, ending in a line break."""
    if form == "json":
        body = {
            "schema": "siem-estimator/plans-check/1",
            "files": [
                {
                    "path": one.path,
                    "plan": None if one.offered is None else one.offered.plan.id,
                    "sound": one.sound,
                    "problems": [_problem_json(problem) for problem in one.problems],
                    "examples": [example_json(result) for result in one.examples],
                    "notes": list(one.notes),
                }
                for one in files
            ],
        }
        return as_json(body, [one.offered for one in files if one.offered is not None])
    if form == "csv":
        rows = [
            {"path": one.path, "row": "problem", **_problem_json(problem), "found_total": "", "holds": ""}
            for one in files
            for problem in one.problems
        ]
        rows += [
            {"path": one.path, "row": "example", "place": result.title, "found": "", "expected": str(result.expected),
             "mend": "", "found_total": str(result.found), "holds": truth(result.holds)}
            for one in files
            for result in one.examples
        ]  # fmt: skip
        return as_csv(rows, ["path", "row", "place", "found", "expected", "mend", "found_total", "holds"])
    return laid_out((section for one in files for section in _check_sections(one)), form)


def _problem_json(problem: SiemEstimatorError) -> dict[str, Any]:
    return {"place": problem.place, "found": problem.found, "expected": problem.expected, "mend": problem.mend}


def _check_sections(one: Checked) -> Iterator[Section]:
    count = len(one.problems)
    words = ["sound"] if one.sound else [f"refused: {count} problem{'s' * (count > 1)}"]
    if one.offered is not None:
        plan = one.offered.plan
        words[0] += f". {plan.id}: {plan.title}; {len(one.offered.priced)} prices, checked on {plan.checked_on}."
    for problem in one.problems:
        # The file stands above; what is left of the message is its place, what was found, expected, and the way out.
        text = type(problem)(problem.found, place=problem.place, expected=problem.expected, mend=problem.mend)
        words.append(f"* {text}")
    yield Section(one.path, level=1, words=[*words, *one.notes])
    if one.examples:
        yield Section("Worked examples", headers=EXAMPLE, rows=example_rows(one.examples))
