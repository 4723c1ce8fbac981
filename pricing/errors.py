"""The one error root of the product.

Every refusal names the file, the place in it, what was found, what was expected and how to mend it. The root lives in
`pricing` because `estimator` imports `pricing` and never the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal


class SiemEstimatorError(Exception):
    """Something the user gave us cannot be used; the message says where, what and how to mend it.

    Args:
        found: what stands there.
        path: the file, where there is one.
        place: where in the file: a line number, a column, a dotted key.
        expected: what should have stood there.
        mend: what the user can do about it.
    """

    #: Process exit code of the command line (design: 2 usage, 3 an input was refused, 4 no price in force).
    exit_code = 3

    def __init__(
        self,
        found: str,
        *,
        path: Path | str | None = None,
        place: str | int | None = None,
        expected: str | None = None,
        mend: str | None = None,
    ) -> None:
        self.found = found
        self.path = None if path is None else str(path)
        self.place = None if place is None else str(place)
        self.expected = expected
        self.mend = mend
        super().__init__(self._message())

    def _message(self) -> str:
        where = ":".join(part for part in (self.path, self.place) if part)
        text = f"{where}: {self.found}" if where else self.found
        if self.expected:
            text += f"; expected {self.expected}"
        if not text.endswith((".", "?", "!")):
            text += "."
        if self.mend:
            text += f" {self.mend}"
        return text


class PlanError(SiemEstimatorError):
    """A plan file is malformed, unknown or contradictory."""


class NoPriceError(SiemEstimatorError):
    """No price is in force for a day that must be billed, or the plan leaves the price open."""

    exit_code = 4


class PlanFileError(PlanError):
    """A plan file with problems: all of them, reported together.

    Args:
        path: the plan file.
        problems: one error a problem, each with place, found, expected and mend; at least one.
    """

    def __init__(self, path: Path | str, problems: Sequence[PlanError]) -> None:
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            only = self.problems[0]
            super().__init__(only.found, path=path, place=only.place, expected=only.expected, mend=only.mend)
        else:
            lines = "".join(f"\n  {problem}" for problem in self.problems)
            super().__init__(f"{len(self.problems)} problems{lines}", path=path)


class TermsError(SiemEstimatorError):
    """The terms asked for (tier, discount, retention, grants) do not fit the plan."""


class NotCountedError(TermsError):
    """Events, or their peak, by which a plan charges, are not given.

    Args:
        found, place, expected: as for every refusal.
        measure: what is missing, by the name of the field of `Usage`.
    """

    def __init__(
        self, found: str, *, place: str, expected: str, measure: Literal["events", "peak_events_per_second"]
    ) -> None:
        self.measure = measure
        super().__init__(found, place=place, expected=expected)


class MissingCountError(TermsError):
    """A count by which a plan charges is not stated.

    Args:
        plan: id of the plan.
        count: name of the count.
        title: what the meter that asks for it charges.
    """

    def __init__(self, plan: str, count: str, title: str) -> None:
        self.count = count
        super().__init__(
            f"{plan} charges by '{count}' ({title}), and it is not stated",
            place=f"counts.{count}",
            expected="a number, 0 or more",
            mend="It does not follow from the volume: take it from your contract or inventory.",
        )


class UsageShapeError(SiemEstimatorError):
    """Daily usage is not contiguous days of finite, non-negative gigabytes: a library caller's mistake."""

    exit_code = 70
