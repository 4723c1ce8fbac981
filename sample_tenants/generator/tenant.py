"""A tenant: what `generate` makes of a spec, and what the other modules read from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from .dice import Bools, Dice, Ints
from .events import Events, stack
from .inboxes import Day, Inboxes, empty, live
from .mailboxes import Mailboxes, make_mailboxes
from .operations import CREATE, SEND
from .records import CALENDAR, guid
from .sessions import spend_day
from .spec import REPORT_DAYS, TenantSpec
from .visibility import Visibility
from .workdays import Workday, workdays


@dataclass(frozen=True)
class Report:
    """The usage report's counts for each mailbox, over the thirty days up to its refresh date."""

    sent: Ints
    received: Ints
    read: Ints
    meetings: Ints
    last_active: list[date | None]


@dataclass(frozen=True)
class Tenant:
    """A tenant with its sample.

    Attributes:
        spec: What it was made from.
        mailboxes: Its mailboxes.
        sample: What its audit log shows for the days of the sample, by mailbox, operation and time.
        report: What its usage report says.
        state: How its inboxes stood when the history ended; the forecast carries on from here.
        ahead: The days from then to the end of the forecast.
    """

    spec: TenantSpec
    mailboxes: Mailboxes
    sample: Events
    report: Report
    state: Inboxes
    ahead: tuple[Workday, ...]

    def user(self, principal: int) -> str:
        """Return the UserId of a principal: an address, or the GUID of an application without an account."""
        if principal >= 0:
            return self.mailboxes.upn[principal]
        account = self.spec.applications[-1 - principal].account
        return f"{account}@{self.spec.domain}" if account else guid(self.spec.seed, "mailbox", principal)

    def emitted(self, events: Events) -> Bools:
        """Return which events the log shows today."""
        return Visibility(self.spec, self.mailboxes).shows(events)


def seconds(day: date) -> int:
    """Return the time at which a UTC day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def between(events: Events, first: date, end: date) -> Events:
    """Return the events from the first day up to, but not on, the end day."""
    return events.where((events.time >= seconds(first)) & (events.time < seconds(end)))


def generate(spec: TenantSpec) -> Tenant:
    """Make a tenant and live its life up to the report's refresh date."""
    boxes = make_mailboxes(spec)
    days = list(workdays(spec))
    end = spec.report_date + timedelta(days=1)
    past = [d for d in days if d.day < end]
    parts: list[Events] = []
    n = len(boxes)
    sent, received, read, meetings = (np.zeros(n, dtype=np.int64) for _ in range(4))
    last = np.full(n, -1)
    report_start = spec.report_date - timedelta(days=REPORT_DAYS - 1)
    for state, day in _live(spec, boxes, empty(boxes), past):  # noqa: B007 - the last state is what is handed on
        if day.workday.day < spec.history_start:
            continue
        events = spend_day(spec, boxes, day, Dice(spec.seed, 2, day.workday.day.toordinal()))
        if day.workday.day >= report_start:
            sent += np.bincount(events.mailbox[events.operation == SEND], minlength=n)
            meeting = (events.operation == CREATE) & (events.folder == CALENDAR)
            meetings += np.bincount(events.mailbox[meeting], minlength=n)
            received += day.arrived
            read += day.opened
            last = np.where(day.opened > 0, day.workday.day.toordinal(), last)
        parts.append(between(events, spec.sample_start, spec.sample_end))
    sample = stack(parts)
    visibility = Visibility(spec, boxes)
    sample = sample.where(visibility.shows(sample) & visibility.exported(sample))
    sample = sample.where(np.lexsort((sample.time, sample.operation, sample.mailbox)))
    active = [date.fromordinal(int(d)) if d > 0 else None for d in last]
    report = Report(sent, received, read, meetings, active)
    return Tenant(spec, boxes, sample, report, state, tuple(days[len(past) :]))


def future(tenant: Tenant) -> Iterator[Events]:
    """Live on to the end of the forecast and yield each day's events, emitted or not, that fall into it."""
    spec = tenant.spec
    for _, day in _live(spec, tenant.mailboxes, tenant.state, list(tenant.ahead)):
        if day.workday.day >= spec.forecast_start - timedelta(days=1):
            events = spend_day(spec, tenant.mailboxes, day, Dice(spec.seed, 2, day.workday.day.toordinal()))
            yield between(events, spec.forecast_start, spec.forecast_end)


def _live(spec: TenantSpec, boxes: Mailboxes, state: Inboxes, days: list[Workday]) -> Iterator[tuple[Inboxes, Day]]:
    for workday in days:
        state, day = live(boxes, state, workday, Dice(spec.seed, 4, workday.day.toordinal()))
        yield state, day
