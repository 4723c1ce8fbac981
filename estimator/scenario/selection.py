"""What the changes of a scenario select of a tenant: mailboxes to enable or to license, records to drop or to route."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from estimator.errors import ScenarioError
from estimator.operations import operation_keys
from estimator.scenario.changes import AssignLicence, Drop, Enable, Route
from estimator.scenario.scenario import Scenario
from estimator.scenario.values import expand
from estimator.scenario.where import Where, mailboxes_of, rows_of


@dataclass(frozen=True)
class Enabled:
    """Which mailboxes a scenario enables for an operation, from which day, and over how many days they join."""

    operation: str
    day: dt.date
    mailboxes: pd.Index
    ramp_days: int = 1


@dataclass(frozen=True)
class Dropped:
    """What one drop takes away, held against the tenant.

    Attributes:
        feeds: ids of the feeds it is dropped from; where the file names none, all that flow on `day` or later.
        operations: keys; None means all.
        day: the first day it is dropped.
        mailboxes: whose records; None means no condition on mailboxes: records of sites and of the tenant as well.
        where: the conditions; those on records are for `rows_of`.
        place: the change in its file, for messages.
    """

    feeds: tuple[str, ...]
    operations: frozenset[str] | None
    day: dt.date
    mailboxes: frozenset[str] | None
    where: Where
    place: str


@dataclass(frozen=True)
class Routed(Dropped):
    """What one route sends elsewhere, held against the tenant: as a drop does, but it is kept.

    Attributes:
        to: the tier of storage it goes to.
    """

    to: str


@dataclass(frozen=True)
class Licensed:
    """Which mailboxes a scenario gives which licence (part number), and from which day."""

    sku: str
    day: dt.date
    mailboxes: pd.Index
    place: str


def enabled_operations(scenario: Scenario) -> list[str]:
    """The operations that the scenario enables for somebody."""
    changes = (change for change in scenario.changes if isinstance(change, Enable))
    return list(dict.fromkeys(key for change in changes for key in expand(change.operations)))


def enabled(scenario: Scenario, mailboxes: pd.DataFrame, shown: str) -> list[Enabled]:
    """Which mailboxes each `enable` selects, expanded by operation.

    Of several changes that enable a mailbox, the one that is done first has it: at once before a ramp that ends later.

    Args:
        scenario: the what-if.
        mailboxes: `tables.MAILBOXES` with the export's further columns in lower case.
        shown: the scenario's name for messages.

    Raises:
        ScenarioError: a `where` names no column of the inventory or matches no mailbox.
    """
    names = mailboxes["mailbox"]
    #: Of each operation the number of the change that enables each mailbox, -1 where none does.
    by: dict[str, npt.NDArray[np.intp]] = {}
    changes = [(n, change) for n, change in enumerate(scenario.changes) if isinstance(change, Enable)]
    # The first of two that are done on one day has the mailbox.
    for number, change in sorted(changes, key=lambda one: (_done(one[1], scenario), one[0]), reverse=True):
        chosen = mailboxes_of(change.where, mailboxes, shown, f"changes[{number}].where")
        inside = names.isin(chosen).to_numpy() if len(chosen) < len(names) else np.ones(len(names), bool)
        for key in expand(change.operations):
            by.setdefault(key, np.full(len(names), -1))[inside] = number
    when = {number: (change.day(scenario.start), change.ramp_days) for number, change in changes}
    out = []
    # Operations enabled together share their groups: there are many of them, and of mailboxes far more.
    groups: dict[bytes, list[tuple[dt.date, int, pd.Index]]] = {}
    for key in dict.fromkeys(key for _, change in changes for key in expand(change.operations)):
        alike = by[key].tobytes()
        if alike not in groups:
            numbers = [int(number) for number in np.unique(by[key]) if number >= 0]
            together: dict[tuple[dt.date, int], list[int]] = {}
            for number in numbers:
                together.setdefault(when[number], []).append(number)
            groups[alike] = [
                (day, ramp, pd.Index(names[np.isin(by[key], together[day, ramp])])) for day, ramp in sorted(together)
            ]
        out += [Enabled(key, day, group, ramp) for day, ramp, group in groups[alike]]
    return out


def _done(change: Enable, scenario: Scenario) -> dt.date:
    """The day on which all mailboxes of a change have joined."""
    return change.day(scenario.start) + dt.timedelta(days=change.ramp_days - 1)


def licensed(scenario: Scenario, mailboxes: pd.DataFrame, shown: str) -> list[Licensed]:
    """Which mailboxes each `assign_licence` selects, in the order of the file; arguments and errors as `enabled`."""
    out = []
    for number, change in enumerate(scenario.changes):
        if isinstance(change, AssignLicence):
            place = f"changes[{number}]"
            chosen = mailboxes_of(change.where, mailboxes, shown, f"{place}.where")
            out.append(Licensed(change.sku, change.day(scenario.start), chosen, place))
    return out


def dropped(scenario: Scenario, mailboxes: pd.DataFrame, reduction: pd.DataFrame | None, shown: str) -> list[Dropped]:
    """What each `drop` takes away, in the order of the file.

    Args:
        scenario: the what-if.
        mailboxes: as for `enabled`.
        reduction: the sample (`tables.REDUCTION`); None without one.
        shown: the scenario's name for messages.

    Raises:
        ScenarioError: a `where` names no column of the inventory, or matches no mailbox or no record of the sample; or
            it asks about records, and no sample tells how many of them there are.
    """
    return [
        _held_against(change, number, scenario, mailboxes, reduction, shown)
        for number, change in enumerate(scenario.changes)
        if isinstance(change, Drop)
    ]


def routed(scenario: Scenario, mailboxes: pd.DataFrame, reduction: pd.DataFrame | None, shown: str) -> list[Routed]:
    """What each `route` sends elsewhere, in the order of the file; arguments and errors as `dropped`."""
    out = []
    for number, change in enumerate(scenario.changes):
        if isinstance(change, Route):
            taken = _held_against(change, number, scenario, mailboxes, reduction, shown)
            out.append(
                Routed(taken.feeds, taken.operations, taken.day, taken.mailboxes, taken.where, taken.place, change.to)
            )
    return out


def _held_against(
    change: Drop | Route,
    number: int,
    scenario: Scenario,
    mailboxes: pd.DataFrame,
    reduction: pd.DataFrame | None,
    shown: str,
) -> Dropped:
    place, day = f"changes[{number}]", change.day(scenario.start)
    feeds = change.named_feeds or tuple(f for f in scenario.feed_ids() if scenario.flows_on_or_after(f, day))
    operations = frozenset(expand(change.operations)) or None
    chosen: frozenset[str] | None = None
    if change.where.about_mailboxes:
        chosen = frozenset(map(str, mailboxes_of(change.where, mailboxes, shown, f"{place}.where")))
    one = Dropped(feeds, operations, day, chosen, change.where, place)
    if change.where.about_records:
        _must_be_sampled(one, reduction, shown)
    return one


def _must_be_sampled(one: Dropped, reduction: pd.DataFrame | None, shown: str) -> None:
    """Refuse conditions on records that no record of the sample meets: nothing would tell their share."""
    place = f"{one.place}.where"
    if reduction is None or reduction.empty:
        raise ScenarioError(
            f"{one.where.words()}: without an audit sample nothing tells which share of the records that is",
            path=shown,
            place=place,
            expected="an audit export in the tenant folder",
            mend="Add one, or drop whole operations, feeds or mailboxes.",
        )
    keep = pd.Series(True, index=reduction.index)
    if one.operations is not None:
        keep &= operation_keys(reduction).isin(one.operations)
    if one.mailboxes is not None:
        keep &= reduction["subject"].isin(one.mailboxes)
    if not keep.any():
        of = [", ".join(sorted(one.operations))] if one.operations is not None else []
        of += ["these mailboxes"] if one.mailboxes is not None else []
        raise ScenarioError(
            f"the sample has no record of {' and '.join(of)}, so nothing tells which share {one.where.words()} is",
            path=shown,
            place=place,
            expected="an audit export with such records",
            mend="Add one, or take the conditions on records out.",
        )
    rows_of(one.where, reduction[keep], shown, place, must_match=True)
