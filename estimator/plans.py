"""Price tables as the verb `plans` tells of them: which there are, how old each is, what it charges by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from estimator.plans_figures import Priced, Rule, figures_of, rules_of, unit_of
from pricing import ExampleResult, Plan, load_plan, run_examples, shipped_plans
from pricing.errors import PlanError

#: Days after which a price list counts as stale (design: checked more than 180 days before `--as-of` warns).
STALE_DAYS = 180


@dataclass(frozen=True)
class Offered:
    """A plan that can be used, with how old it is.

    Attributes:
        plan: the price table.
        origin: "shipped", or the path of its file.
        as_of: the day it is looked at.
    """

    plan: Plan
    origin: str
    as_of: dt.date

    @property
    def age_days(self) -> int:
        """Days since the prices were compared with their sources; negative where that day is still to come."""
        return (self.as_of - self.plan.checked_on).days

    @property
    def stale(self) -> bool:
        """Whether the prices were checked so long ago that they should be checked again."""
        return self.age_days > STALE_DAYS

    @cached_property
    def priced(self) -> tuple[Priced, ...]:
        """Every figure of the plan, in the order of its file."""
        return tuple(figures_of(self.plan))

    @property
    def open(self) -> tuple[Priced, ...]:
        """The figures that are left open."""
        return tuple(figure for figure in self.priced if not figure.prices)

    @property
    def at_least(self) -> bool:
        """Whether the plan's prices are floors ("as low as"), so that its bills say "at least"."""
        return self.plan.at_least

    @property
    def headline(self) -> Priced | None:
        """The first figure of the main meter that is not 0; else the first of any."""
        main = [figure for figure in self.priced if figure.place.split(".")[0] == self.plan.ingest]
        figures = [*main, *self.priced]
        charging = (figure for figure in figures if not figure.prices or any(price.amount for price in figure.prices))
        return next(charging, next(iter(figures), None))

    @property
    def charged_by(self) -> str:
        """What the plan charges by, each once, such as "GB + calendar day + GB-month"; not what is optional."""
        meters = (meter for meter in self.plan.meters.values() if not getattr(meter, "optional", False))
        return " + ".join(dict.fromkeys(unit_of(meter) for meter in meters))

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Every key of the plan and of its meters that is no price, in the order of its file."""
        return tuple(rules_of(self.plan))

    def examples(self) -> list[ExampleResult]:
        """The worked examples: what each should come to, and what it does.

        Raises:
            SiemEstimatorError: an example cannot be billed.
        """
        return run_examples(self.plan)


def offered(as_of: dt.date, plans_dirs: Iterable[Path | str] = ()) -> list[Offered]:
    """The plans that can be named: those of the folders, and the shipped ones they do not replace; by id.

    Args:
        as_of: the day they are looked at.
        plans_dirs: folders of plan files; an earlier folder wins over a later one, all win over what is shipped.

    Raises:
        PlanError: a folder does not exist, a file in it cannot be used, or two files of one folder have one id.
    """
    found: dict[str, Offered] = {}
    for folder in map(Path, plans_dirs):
        if not folder.is_dir():
            raise PlanError("no such folder", path=folder, expected="a folder of plan files")
        mine: dict[str, Offered] = {}
        for file in sorted(folder.glob("*.toml")):
            plan = load_plan(file)
            if plan.id in mine:
                raise id_twice(plan.id, file, mine[plan.id].origin)
            mine[plan.id] = Offered(plan, str(file), as_of)
        found = mine | found
    shipped = {id_: Offered(plan, "shipped", as_of) for id_, plan in shipped_plans().items()}
    return [one for _, one in sorted((shipped | found).items())]


def id_twice(id_: str, file: Path, first: str) -> PlanError:
    """The refusal of a second file with one id."""
    return PlanError(f"'{id_}' is also the id of {first}", path=file, place="id", expected="each id once")
