"""From a file to a scenario, every problem of it reported together; and the scenario that stands in without a file."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from estimator.errors import ScenarioError, UsageError
from estimator.scenario.changes import Connect, Enable
from estimator.scenario.scenario import Scenario
from estimator.scenario.terms import FeedState
from estimator.scenario.values import NEWLY_AVAILABLE, add_months
from pricing.problems import problems_of

#: What messages call the scenario that stands in where there is none.
DEFAULT_SCENARIO = "default scenario"


def load_scenario(path: Path, shown: str | None = None) -> Scenario:
    """Read a scenario file; every problem of it is reported together.

    Raises:
        ScenarioError: unreadable, not TOML, unknown keys, bad values, unknown feeds or operations, contradictions.
        UsageError: there is no such file.
    """
    name = shown or str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError("there is no such scenario file", path=name) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"cannot be read: {error}", path=name, expected="a scenario file in TOML, UTF-8") from error
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        # Numbers too long for Python and nesting without end are errors of their own, not TOML's.
        place = re.search(r"at line (\d+)", str(error))
        raise ScenarioError(
            f"is not valid TOML: {error}", path=name, place=place and place[1], expected="a scenario file"
        ) from error
    try:
        return Scenario.model_validate(document)
    except ValidationError as error:
        raise _refusal(error, name) from error


def default_scenario(as_of: dt.date, feeds: Sequence[str], country: str | None = None) -> Scenario:
    """Without a file: enable the newly available operations everywhere and connect each feed, for 12 months.

    The horizon starts on the first of the month after `as_of`.
    """
    return Scenario(
        schema_version=1,
        id="default",
        title="Newly available operations on every mailbox, each feed connected",
        start=add_months(as_of.replace(day=1), 1),
        months=12,
        country=country,
        feeds=tuple(FeedState(id=feed, connected=False) for feed in feeds),
        changes=(
            Enable(kind="enable", operations=(NEWLY_AVAILABLE,)),
            *(Connect(kind="connect", feed=feed) for feed in feeds),
        ),
    )


def _refusal(error: ValidationError, path: str) -> ScenarioError:
    """Every problem of the file in one error."""
    problems = problems_of(error, Scenario)
    if len(problems) == 1:
        only = problems[0]
        return ScenarioError(only.found, path=path, place=only.place, expected=only.expected, mend=only.mend)
    lines = "".join(f"\n  {problem}" for problem in problems)
    return ScenarioError(f"{len(problems)} problems{lines}", path=path)
