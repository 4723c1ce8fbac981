"""Which assumption moves what is added, how much: computed from the draws of an estimate, never by hand.

Every random quantity has a stream of its own (`draws`), so the streams are independent of one another. With y the added
cost (or events) over the horizon and x_j what stream j drew, each as a log where it is above nothing and its log-sd is
below 1 (beyond that, logs are ruled by how near to nothing the small ones come, which moves no money),

    y = a + sum_j b_j x_j + e,

fitted by least squares over the draws, on the streams that tell: those whose correlation with y alone is beyond what
chance does among n draws, |r| sqrt(n) > 4. Levels multiply, so that logs add up. The swing of x_j is the mean over the
draws of

    y with b_j x_j at its P10 (P90) instead of what was drawn, all else as drawn:  exp(y + b_j (q - x_j)),

so that it runs from where the assumption makes y small to where it makes it large; and its share of the variance is
b_j^2 var(x_j) / var(y). Several numbers of one name (a factor drawn once for each of two groups) move together. What is
left, e, is one more swing: which mailboxes happened to be sampled (they are re-weighted in each draw, which is no one
number), and whatever streams too weak to be told apart do together.

What is open without being drawn (how much of a grant is left, which commitment tier) are the cases of a cost; each is a
swing from the figure to what the case comes to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from estimator import catalog
from estimator.draws import Floats, Record
from estimator.errors import SiemEstimatorError

if TYPE_CHECKING:  # `pipeline` may import this module
    from estimator.cost import Cost
    from estimator.pipeline import Estimate, ScenarioEstimate

#: |r| sqrt(n) beyond which a stream tells: of a thousand streams that do nothing fewer than one passes.
_TELLS = 4.0

#: What names of streams mean, without the operation and the class of mailboxes in front.
_WORDS = {
    ("tenant",): "the tenant as a whole: swing of the sampled weeks, drift until the horizon",
    ("week swing",): "the tenant as a whole: swing of the weeks of the horizon",
    ("day weight", "1"): "what a Saturday weighs",
    ("day weight", "2"): "what a Sunday weighs",
    ("holiday",): "what a public holiday weighs",
    ("size",): "billed bytes per AuditData byte",
    ("delivery",): "records delivered per distinct record",
    ("bytes",): "bytes of a record",
    ("ratio",): "the class against the others at equal activity",
    ("bare ratio",): "the class against the others, without an activity row",
    ("scatter",): "scatter of mailboxes not seen yet",
    ("bare scatter",): "scatter of mailboxes not seen yet, without an activity row",
    ("published scatter",): "scatter of mailboxes not seen yet, about the published rate",
    ("missing scatter",): "scatter of users the report does not list",
    ("thin",): "how little a few sampled mailboxes say of the rest",
    ("bare thin",): "how little a few sampled mailboxes say of the rest, without an activity row",
    ("published",): "the tenant against the published rate",
    ("ratio prior",): "records against the report's Send Count",
    ("selected",): "whether the busy ones join",
    ("missing",): "users the report does not list",
    ("unnamed",): "scatter of users whose names are concealed",
    ("unknown",): "share of the mailboxes no sample covers that emit already",
    ("unclear",): "share of the mailboxes whose settings do not decide that emit already",
    ("applications",): "share of mailboxes that applications touch, and how often",
    ("applications", "users"): "share of user mailboxes that applications touch",
    ("applications", "others"): "share of other mailboxes that applications touch",
    ("people", "day noise"): "chance of the sampled days, people",
    ("applications", "day noise"): "chance of the sampled days, applications",
}

_REST = "which mailboxes were sampled, and everything too weak to be told apart"


class NotRecordedError(SiemEstimatorError):
    """The estimate did not record its draws: a library caller's mistake."""

    exit_code = 70


@dataclass(frozen=True)
class Swing:
    """How far one assumption moves what is added over the horizon.

    Attributes:
        scenario: its id.
        measure: what is moved: `events`, or the currency of a cost.
        subject: of events the feed, of a cost the plan.
        feeds: the feeds that are meant.
        kind: `drawn`; `rest`, what no single stream explains; `case`, what is open.
        source: names of the stream, ` / ` between them, or the code of the case: stable within a version.
        title: what that is, in words.
        base: the mean of what is added.
        low: the mean with the assumption at its P10 (P90 where more of it adds less); of a case `base`.
        high: with it at its P90 (P10); of a case the mean if it holds.
        share: of the variance of what is added; None of a case.
    """

    scenario: str
    measure: str
    subject: str
    feeds: tuple[str, ...]
    kind: Literal["drawn", "rest", "case"]
    source: str
    title: str
    base: float
    low: float
    high: float
    share: float | None

    @property
    def width(self) -> float:
        """How far it moves what is added, either way."""
        return abs(self.high - self.low)

    def to_json(self) -> dict[str, Any]:
        """The swing as `sensitivity` of the JSON contract has it."""
        return {
            "scenario": self.scenario,
            "measure": self.measure,
            "subject": self.subject,
            "feeds": list(self.feeds),
            "kind": self.kind,
            "source": self.source,
            "title": self.title,
            "base": self.base,
            "low": self.low,
            "high": self.high,
            "share": self.share,
        }


@dataclass(frozen=True)
class Moved:
    """A `Swing` without its surroundings; see there."""

    names: tuple[str, ...]
    low: float
    high: float
    share: float


def sensitivity_of(result: Estimate) -> list[Swing]:
    """The swings of each scenario's added events, feed by feed, and added cost, plan by plan; the largest first.

    Only what moves is listed: an output that is the same in all draws has no swings but those of its cases.

    Raises:
        NotRecordedError: the estimate's draws were not recorded (`Draws(count, seed, record={})`).
    """
    out: list[Swing] = []
    for one in result.scenarios:
        record = one.forecast._model.draws.record
        if record is None:
            raise NotRecordedError(
                "the draws of this estimate were not recorded", expected="Draws(count, seed, record={})"
            )
        out += _of_scenario(one, record)
    return out


def _of_scenario(one: ScenarioEstimate, record: Record) -> Iterator[Swing]:
    for use in one.forecast.uses:
        feed = use.feed.id
        added = one.forecast.total(feed, "added").events.sum(axis=0)
        yield from _largest(_drawn(one.scenario.id, "events", feed, (feed,), added, record))
    for cost in _whole(one.costs):
        added, feeds = cost.added.sum(axis=0), cost.feeds
        where = (one.scenario.id, cost.plan.currency, cost.plan.id, feeds)
        base = float(added.mean())
        cases = [Swing(*where, "case", case.code, case.title, base, base, case.added.mean, None) for case in cost.cases]
        yield from _largest([*_drawn(*where, added, record), *cases])


def _largest(swings: Iterable[Swing]) -> list[Swing]:
    return sorted((s for s in swings if s.width > 0), key=lambda s: -s.width)


def _drawn(
    scenario: str, measure: str, subject: str, feeds: tuple[str, ...], added: Floats, record: Record
) -> Iterator[Swing]:
    base = float(added.mean())
    moved, rest = swings(added, record)
    for one in moved:
        yield Swing(scenario, measure, subject, feeds, "drawn", " / ".join(one.names), words(one.names), base,
                    one.low, one.high, one.share)  # fmt: skip
    if rest is not None:
        yield Swing(scenario, measure, subject, feeds, "rest", "rest", _REST, base, rest.low, rest.high, rest.share)


def swings(output: Floats, record: Record) -> tuple[list[Moved], Moved | None]:
    """What the recorded streams do to an output, and what is left.

    Args:
        output: shape (draws,).
        record: see `Draws`.

    Returns:
        A `Moved` for each stream that tells, in the record's order, and one for the rest; none where nothing moves.
    """
    y = _scaled(output)
    logged = y is not output
    total = float(y.var())
    if not total > 1e-18 * max(float(np.square(y).mean()), 1e-300):
        return [], None
    telling = {names: columns for names, drawn in record.items() if (columns := _telling(drawn, y))}
    x = np.column_stack([one for columns in telling.values() for one in columns]) if telling else np.zeros((len(y), 0))
    x = x - x.mean(axis=0)
    slope = np.linalg.lstsq(x, y - y.mean(), rcond=None)[0]
    out, at = [], 0
    for names, columns in telling.items():
        mine = slice(at, at + len(columns))
        out.append(_moved(names, x[:, mine] @ slope[mine], y, total, logged))
        at += len(columns)
    return out, _moved(("rest",), y - y.mean() - x @ slope, y, total, logged)


def _moved(names: tuple[str, ...], effect: Floats, y: Floats, total: float, logged: bool) -> Moved:
    """What an effect on y does at its P10 and P90, with all else as drawn."""
    ends = [y + (end - effect) for end in np.quantile(effect, [0.1, 0.9])]
    low, high = (float((np.exp(end) if logged else end).mean()) for end in ends)
    return Moved(names, low, high, float(effect.var()) / total)


def _telling(drawn: Sequence[Floats], y: Floats) -> list[Floats]:
    """Those of the numbers of one name that tell."""
    out = []
    for one in drawn:
        x = _scaled(one)
        sd = float(x.std())
        if sd > 1e-9 * max(1.0, float(np.abs(x).max())):
            r = float(((x - x.mean()) * (y - y.mean())).mean()) / (sd * float(y.std()))
            if abs(r) * np.sqrt(len(y)) > _TELLS:
                out.append(x)
    return out


def _scaled(values: Floats) -> Floats:
    """Values as logs where that is their scale, else themselves."""
    if not (values > 0).all():
        return values
    logs = np.log(values)
    return logs if float(logs.std()) < 1 else values


def words(names: tuple[str, ...]) -> str:
    """What the names of a stream mean; the names themselves where nothing better is known."""
    for cut in range(len(names)):
        if (said := _WORDS.get(names[cut:])) is not None:
            of = [_shown(name) for name in names[:cut]]
            return f"{said} ({', '.join(of)})" if of else said
    return ", ".join(map(_shown, names))


def _shown(name: str) -> str:
    """A name as people know it: a feed's id and an operation's key stay, a class of mailboxes is one."""
    known = name in catalog.feeds() or "/" in name
    return name if known else f"{name.replace('_', ' ')} mailboxes" if " " in name else name


def _whole(costs: Sequence[Cost]) -> list[Cost]:
    """For each plan the bill of all its feeds together."""
    largest: dict[str, Cost] = {}
    for cost in costs:
        if cost.plan.id not in largest or len(cost.feeds) > len(largest[cost.plan.id].feeds):
            largest[cost.plan.id] = cost
    return list(largest.values())


__all__ = ["Moved", "NotRecordedError", "Swing", "sensitivity_of", "swings"]
