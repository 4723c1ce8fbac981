"""What the changes of a scenario select of a tenant: mailboxes to enable, records to drop."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from estimator.errors import ScenarioError
from estimator.operations import operation_keys
from estimator.scenario.changes import Drop, Enable
from estimator.scenario.scenario import Scenario
from estimator.scenario.values import expand
from estimator.scenario.where import Where, mailboxes_of, rows_of


@dataclass(frozen=True)
class Enabled:
    """Which mailboxes a scenario enables for an operation, and from which day."""

    operation: str
    day: dt.date
    mailboxes: pd.Index


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


def enabled_operations(scenario: Scenario) -> list[str]:
    """The operations that the scenario enables for somebody."""
    changes = (change for change in scenario.changes if isinstance(change, Enable))
    return list(dict.fromkeys(key for change in changes for key in expand(change.operations)))


def enabled(scenario: Scenario, mailboxes: pd.DataFrame, shown: str) -> list[Enabled]:
    """Which mailboxes each `enable` selects, expanded by operation; a mailbox keeps its earliest day.

    Args:
        scenario: the what-if.
        mailboxes: `tables.MAILBOXES` with the export's further columns in lower case.
        shown: the scenario's name for messages.

    Raises:
        ScenarioError: a `where` names no column of the inventory or matches no mailbox.
    """
    names = mailboxes["mailbox"]
    first: dict[str, npt.NDArray[np.datetime64]] = {}
    for number, change in enumerate(scenario.changes):
        if not isinstance(change, Enable):
            continue
        chosen = mailboxes_of(change.where, mailboxes, shown, f"changes[{number}].where")
        inside = names.isin(chosen).to_numpy() if len(chosen) < len(names) else np.ones(len(names), bool)
        day = np.datetime64(change.day(scenario.start), "D")
        for key in expand(change.operations):
            days = first.setdefault(key, np.full(len(names), np.datetime64("NaT"), dtype="datetime64[D]"))
            days[inside & (np.isnat(days) | (days > day))] = day
    out = []
    # Operations enabled together share their groups: there are many of them, and of mailboxes far more.
    groups: dict[bytes, list[tuple[dt.date, pd.Index]]] = {}
    for key, days in first.items():
        alike = days.tobytes()
        if alike not in groups:
            groups[alike] = [(day.item(), pd.Index(names[days == day])) for day in np.unique(days[~np.isnat(days)])]
        out += [Enabled(key, since, group) for since, group in groups[alike]]
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
    out = []
    for number, change in enumerate(scenario.changes):
        if not isinstance(change, Drop):
            continue
        place, day = f"changes[{number}]", change.day(scenario.start)
        feeds = change.named_feeds or tuple(f for f in scenario.feed_ids() if scenario.flows_on_or_after(f, day))
        operations = frozenset(expand(change.operations)) or None
        chosen: frozenset[str] | None = None
        if change.where.about_mailboxes:
            chosen = frozenset(map(str, mailboxes_of(change.where, mailboxes, shown, f"{place}.where")))
        one = Dropped(feeds, operations, day, chosen, change.where, place)
        if change.where.about_records:
            _must_be_sampled(one, reduction, shown)
        out.append(one)
    return out


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
