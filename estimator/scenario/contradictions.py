"""Changes that cannot hold together: each refusal stands at one change and names the place of the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from pydantic import ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from estimator import catalog
from estimator.scenario.changes import Assume, Change, Connect, Disconnect, Drop, Grow, Price, Retain, Route
from estimator.scenario.terms import FeedState
from estimator.scenario.values import expand
from pricing.prices import nearest, refuse

_Kind = TypeVar("_Kind", Connect, Disconnect)


def consistent(changes: tuple[Change, ...], info: ValidationInfo) -> tuple[Change, ...]:
    """The changes, if they contradict neither each other nor what [[feeds]] says.

    Raises:
        ValidationError: every contradiction, each at the change that comes second.
    """
    start, feeds = info.data.get("start"), info.data.get("feeds")
    if start is None or feeds is None:
        return changes  # refused already, and nothing to hold the changes against
    found = list(_Story(start, feeds, changes).contradictions())
    if found:
        raise ValidationError.from_exception_data(
            "changes", [InitErrorDetails(type=why, loc=(at,), input=changes[at]) for at, why in sorted(found, key=_at)]
        )
    return changes


def _at(found: tuple[int, PydanticCustomError]) -> int:
    return found[0]


class _Step(NamedTuple):
    """A feed connected or disconnected: by which change, and when."""

    number: int
    day: dt.date


class _Story:
    """The feeds of a scenario, as its changes tell them."""

    def __init__(self, start: dt.date, feeds: Sequence[FeedState], changes: Sequence[Change]) -> None:
        self._start, self._changes = start, changes
        self._states = {state.id: (n, state.connected) for n, state in enumerate(feeds)}
        self._connects, self._disconnects = self._steps(Connect), self._steps(Disconnect)
        #: In the order of `Scenario.feed_ids`.
        self._feeds = list(dict.fromkeys([*self._states, *self._connects]))

    def _steps(self, kind: type[_Kind]) -> dict[str, list[_Step]]:
        out: dict[str, list[_Step]] = {}
        for n, change in enumerate(self._changes):
            if isinstance(change, kind):
                out.setdefault(change.feed, []).append(_Step(n, change.day(self._start)))
        return out

    def contradictions(self) -> Iterator[tuple[int, PydanticCustomError]]:
        """The number of a change and why it cannot hold."""
        yield from self._twice("connects", self._connects)
        yield from self._twice("disconnects", self._disconnects)
        for feed, (first, *_) in self._connects.items():
            number, connected = self._states.get(feed, (0, None))
            if connected:
                found = f"connects {feed!r}, which [[feeds]] says is connected already (feeds[{number}])"
                yield first.number, refuse(found, mend="Take the change out, or say connected = false.")
        for feed, (first, *_) in self._disconnects.items():
            if why := self._cannot_disconnect(feed, first.day):
                yield first.number, why
        for n, change in enumerate(self._changes):
            if isinstance(change, Drop | Route):
                yield from ((n, why) for why in self._cannot_take(change))
            if isinstance(change, Retain | Assume) and change.feed is not None and change.feed not in self._feeds:
                yield n, self._never_mentioned(f"is about {change.feed!r}", change.feed)
        yield from self._said_twice()

    def _said_twice(self) -> Iterator[tuple[int, PydanticCustomError]]:
        """Two changes that set one figure from one day on: neither could be told to hold."""
        said: dict[tuple[object, ...], int] = {}
        for n, change in enumerate(self._changes):
            what: tuple[object, ...]
            match change:
                case Grow():
                    what, told = ("grow", change.day(self._start)), "how the organisation grows"
                case Price():
                    what = ("price", change.plan, change.meter, change.day(self._start))
                    told = f"the price of {change.meter} of {change.plan}"
                case Retain():
                    what, told = ("retain", change.of, change.day(self._start)), f"how long {change.of} is kept"
                case Assume():
                    what, told = ("assume", change.about, change.what), f"{change.what} of {change.about}"
                case _:
                    continue
            if what in said:
                since = f" from {what[-1]} on" if isinstance(what[-1], dt.date) else ""
                yield (
                    n,
                    refuse(
                        f"says {told}{since}, which changes[{said[what]}] says already",
                        "each once",
                        "Take one of the two changes out.",
                    ),
                )
            said.setdefault(what, n)

    def _twice(self, verb: str, steps: dict[str, list[_Step]]) -> Iterator[tuple[int, PydanticCustomError]]:
        for feed, (first, *others) in steps.items():
            for other in others:
                yield (
                    other.number,
                    refuse(
                        f"{verb} {feed!r}, which changes[{first.number}] {verb} already, on {first.day}",
                        "each feed once",
                        "Take one of the two changes out.",
                    ),
                )

    def _cannot_disconnect(self, feed: str, day: dt.date) -> PydanticCustomError | None:
        if feed in self._connects:
            connect = self._connects[feed][0]
            if connect.day < day:
                return None
            when = "that very day" if connect.day == day else f"only later, on {connect.day}"
            return refuse(
                f"disconnects {feed!r} on {day}, and changes[{connect.number}] connects it {when}",
                "a feed that flows by then",
                f"Take one of the two changes out, or disconnect it after {connect.day}.",
            )
        if feed not in self._states:
            return self._never_mentioned(f"disconnects {feed!r}", feed)
        number, connected = self._states[feed]
        if connected is False:
            return refuse(
                f"disconnects {feed!r}, which [[feeds]] says is not connected (feeds[{number}])",
                "a feed that flows by then",
                "Take the change out, or say connected = true.",
            )
        return None

    def _cannot_take(self, drop: Drop | Route) -> Iterator[PydanticCustomError]:
        day = drop.day(self._start)
        verb = "drops" if isinstance(drop, Drop) else "routes"
        of = f"{verb} from" if isinstance(drop, Drop) else verb
        if strangers := [feed for feed in drop.named_feeds if feed not in self._feeds]:
            yield from (self._never_mentioned(f"{of} {feed!r}", feed) for feed in strangers)
            return
        feeds = drop.named_feeds or self._feeds
        silent = [(feed, why) for feed in feeds if (why := self._silent(feed, day))]
        if drop.named_feeds:
            for feed, why in silent:
                yield refuse(f"{of} {feed!r} on {day}, when it carries nothing: {why}", *_FLOWING)
        elif silent and len(silent) == len(feeds):
            told = "; ".join(f"{feed!r}: {why}" for feed, why in silent)
            yield refuse(f"drops from {day} on, when no feed carries anything: {told}", *_FLOWING)
        keys = [key.split("/", 1) for key in expand(drop.operations)]
        if keys and feeds and not any(catalog.feed(feed).carries(*key) for feed in feeds for key in keys):
            yield refuse(
                f"{verb} {', '.join(drop.operations)}, which {', '.join(feeds)} {'do' if len(feeds) > 1 else 'does'} "
                "not carry",
                "operations that one of these feeds carries",
                "Take the change out, or correct its feeds or operations.",
            )

    def _silent(self, feed: str, day: dt.date) -> str | None:
        """Why a feed carries nothing on a day; None where it does, or may."""
        if feed in self._disconnects and (gone := self._disconnects[feed][0]).day <= day:
            return f"changes[{gone.number}] disconnects it on {gone.day}"
        if feed in self._connects:
            connect = self._connects[feed][0]
            return f"changes[{connect.number}] connects it only on {connect.day}" if connect.day > day else None
        number, connected = self._states[feed]
        return f"feeds[{number}] says it is not connected, and no change connects it" if connected is False else None

    def _never_mentioned(self, what: str, feed: str) -> PydanticCustomError:
        return refuse(
            f"{what}, which neither [[feeds]] nor a change of kind 'connect' names",
            f"a feed of the scenario: {', '.join(self._feeds) or 'there is none'}",
            nearest(feed, self._feeds) or "List it under [[feeds]], with connected = true where it flows today.",
        )


#: What is expected of the feed of a drop, and how to mend one that carries nothing.
_FLOWING = ("a day on which the feed flows", "Set 'from' to such a day, or take the change out.")
