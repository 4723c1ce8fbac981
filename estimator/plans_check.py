"""Whether plan files are sound: every problem of a file together, and its worked examples worked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from estimator.plans import Offered, id_twice
from pricing import ExampleResult, load_plan, shipped_plans
from pricing.errors import PlanError, PlanFileError, SiemEstimatorError
from pricing.examples import run_example
from pricing.money import round_half_up


@dataclass(frozen=True)
class Checked:
    """A plan file that was checked.

    Attributes:
        path: the file as it was named.
        offered: the plan; None where the file was refused.
        problems: all that is wrong with it, each with its place.
        examples: its worked examples that could be billed.
        notes: what is no mistake but should be known.
    """

    path: str
    offered: Offered | None
    problems: tuple[SiemEstimatorError, ...]
    examples: tuple[ExampleResult, ...]
    notes: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problems


def check(paths: Sequence[Path | str], as_of: dt.date) -> list[Checked]:
    """Read plan files and work their examples; what is wrong with one is told and never raised.

    Args:
        paths: the files, in the order they are told.
        as_of: the day they are looked at.
    """
    seen: dict[str, str] = {}
    return [_check(Path(path), as_of, seen) for path in paths]


def _check(path: Path, as_of: dt.date, seen: dict[str, str]) -> Checked:
    try:
        plan = load_plan(path)
    except PlanFileError as error:
        return Checked(str(path), None, error.problems, (), ())
    except PlanError as error:
        return Checked(str(path), None, (error,), (), ())
    one = Offered(plan, str(path), as_of)
    problems: list[SiemEstimatorError] = []
    if plan.id in seen:
        problems.append(id_twice(plan.id, path, seen[plan.id]))
    seen.setdefault(plan.id, str(path))
    worked: list[ExampleResult] = []
    for number, example in enumerate(plan.examples):
        place = f"examples[{number}]"
        try:
            result = run_example(plan, example)
        except SiemEstimatorError as error:
            problems.append(PlanError(f"the example cannot be billed: {error}", place=place))
            continue
        worked.append(result)
        if not result.holds:
            problems.append(
                PlanError(
                    f"'{result.title}' comes to {result.found}",
                    place=f"{place}.expected",
                    expected=str(result.expected),
                    mend=f"It is made of {_made_of(result)}. Either a price, the usage or the total is not what its "
                    "source prints, or a meter is missing here.",
                )
            )
    return Checked(str(path), one, tuple(problems), tuple(worked), tuple(_notes(one)))


def _made_of(result: ExampleResult) -> str:
    """What each meter charged, in one line: "ingest: 80.00, platform: 19.00"."""
    # A total without cents is made of charges with some.
    places = max(2, -int(result.expected.as_tuple().exponent))
    charged = [f"{id_}: {round_half_up(amount, places)}" for id_, amount in result.by_meter.items()]
    return ", ".join(charged) or "no charge at all"


def _notes(one: Offered) -> Iterator[str]:
    if one.plan.id in shipped_plans():
        yield f"It has the id of the shipped plan {one.plan.id} and takes its place where its folder is named."
    if one.open:
        yield f"{len(one.open)} of {len(one.priced)} prices are left open; a bill that needs one asks for it."
    if one.stale:
        yield f"Its prices were checked {one.age_days} days before {one.as_of}: compare them again."
    if one.age_days < 0:
        yield f"Its prices were checked on {one.plan.checked_on}, after {one.as_of}."
    used = {price.source for figure in one.priced for price in figure.prices}
    for id_ in sorted(id_ for id_ in used if one.plan.sources[id_].confidence == "D"):
        yield f"A price rests on '{id_}', a third party's estimate (confidence D): fit for a first idea, not a budget."
