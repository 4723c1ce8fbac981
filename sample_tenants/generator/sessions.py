"""A day at work: people sit down to their mail, open it in bursts, answer, file, attach, meet and open documents.

Nothing here knows what is audited. Everything that could be a record is put into the table; which of it a mailbox
emits is decided later.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from .binds import bind_records
from .dice import Dice, Floats, Ints, floor
from .events import Events, stack
from .inboxes import Day
from .mailboxes import Mailboxes
from .operations import (
    ATTACHMENT,
    BIND,
    CREATE,
    FILE_ACCESSED,
    FILE_MODIFIED,
    HARD_DELETE,
    LOGGED_IN,
    MEETING,
    MOVE,
    PAGE_VIEWED,
    PARTICIPANT,
    SEARCH,
    SEND,
    SEND_AS,
    SOFT_DELETE,
    SYNC,
    UPDATE,
)  # fmt: skip
from .planting import touched
from .records import CALENDAR, DRAFTS, INBOX, LABELS, OUTLOOK, OWA, PHONE, SENT, SERVICE
from .spec import Application, TenantSpec

_HOUR = 3600
# Local times by which 0, 10, 20 … 100 % of the day's sittings have begun, and of its mails have arrived.
_SITTING = np.array([7.2, 8.2, 8.8, 9.5, 10.4, 11.4, 13.1, 14.1, 15.2, 16.4, 19.0]) * _HOUR
_PHONE_SITTING = np.array([6.0, 7.3, 8.3, 10.0, 12.0, 13.0, 15.0, 17.0, 18.5, 20.0, 23.0]) * _HOUR
_ARRIVAL = np.array([0.0, 5.5, 8.3, 9.3, 10.3, 11.3, 12.8, 14.0, 15.3, 17.2, 24.0]) * _HOUR
# A day's sittings and opened mails are numbered from 0, everything else from here on.
_FETCHED, _OTHER_MESSAGES = 20_000_000, 30_000_000
_PHONES, _MEETINGS, _PROGRAMS, _ALONE = 10_000_000, 15_000_000, 20_000_000, 25_000_000
_FETCH = 900  # seconds from one fetch of a phone to the next
_EXTRA = np.array([0, 1, 2, 3, 5, 9])  # further messages of the conversation that come up with the one opened
_EXTRA_SHARE = (0.38, 0.20, 0.15, 0.12, 0.09, 0.06)
_FOLDER_SHARE = (0.72, 0.12, 0.05, 0.06, 0.05, 0.0, 0.0)
_BULK = np.array([1, 2, 3, 6, 14])  # messages deleted or moved at a time
_BULK_SHARE = (0.72, 0.14, 0.07, 0.05, 0.02)


def spend_day(spec: TenantSpec, boxes: Mailboxes, day: Day, dice: Dice) -> Events:
    """Return everything that happens on one local day."""
    return _Today(spec, boxes, day, dice).run()


def _at(quantiles: Floats, u: Floats) -> Floats:
    """Read a time of day off its quantiles."""
    step = u * (len(quantiles) - 1)
    low = floor(step)
    return quantiles[low] + (quantiles[low + 1] - quantiles[low]) * (step - low)


class _Today:
    """One local day in the making."""

    def __init__(self, spec: TenantSpec, boxes: Mailboxes, day: Day, dice: Dice) -> None:
        self.spec, self.boxes, self.day, self.dice = spec, boxes, day, dice
        number = (day.workday.day - date(1970, 1, 1)).days
        self.midnight = number * 86400 - spec.utc_offset * _HOUR
        self.base = number * 40_000_000  # numbers of sessions and messages start here
        self.pace = day.workday.pace if day.workday.working else 0.12
        self.parts: list[Events] = []

    def run(self) -> Events:
        """Return everything that happens."""
        self._sit_down()
        self._open_mail()
        self._fetch_by_phone()
        self._synchronise()
        self._write_mail()
        self._handle_mail()
        self._keep_calendar()
        self._work_on_files()
        for number, application in enumerate(self.spec.applications):
            self._run_application(number, application)
        if self.spec.searching:
            self._search(Dice(self.spec.seed, 5, self.day.workday.day.toordinal()))
        return stack(self.parts)

    def put(self, operation: int | Ints, mailbox: Ints, time: Floats | Ints, **columns: int | Ints) -> None:
        """Add rows; columns left out get their usual value, `time` is in seconds after local midnight."""
        n = len(mailbox)
        usual = {"principal": mailbox, "client": SERVICE, "folder": INBOX, "items": 1, "session": _ALONE + mailbox}
        given = usual | columns
        given.setdefault("label", self.dice.below(np.full(n, LABELS)))
        given.setdefault("message", np.arange(n) + _OTHER_MESSAGES)
        given["session"] = given["session"] + self.base
        given["message"] = given["message"] + self.base
        full = {name: np.broadcast_to(np.asarray(value, dtype=np.int64), n) for name, value in given.items()}
        op = np.broadcast_to(np.asarray(operation, dtype=np.int64), n)
        self.parts.append(Events(time=floor(time) + self.midnight, operation=op, mailbox=mailbox, **full))

    def _sit_down(self) -> None:
        """Say how often each mailbox is sat down to, by whom, with which client, and when."""
        boxes, dice, habits = self.boxes, self.dice, self.boxes.habits
        working = self.day.workday.working
        more = dice.count((habits["sittings"] - 1.0) * (1.0 if working else 0.25))
        self.sittings = np.where(self.day.opened > 0, 1 + more, 0)
        self.first = np.cumsum(self.sittings) - self.sittings
        self.box = np.repeat(np.arange(len(boxes)), self.sittings)
        n = len(self.box)
        self.principal = boxes.hands[self.box, dice.below(boxes.hand_count[self.box])]
        desktop = habits["desktop"][self.box] * (1.0 if working else 0.3)
        u = dice.unit(n)
        phone_too = habits["phone"][self.box] > 0
        self.client = np.where(u < desktop, OUTLOOK, np.where(phone_too & (u < desktop + 0.2), PHONE, OWA))
        u = dice.unit(n)
        self.start = np.where(self.client == PHONE, _at(_PHONE_SITTING, u), _at(_SITTING, u))

    def _open_mail(self) -> None:
        """Open mails in bursts, some of them twice, each with its conversation; what is bound becomes records."""
        dice, opened = self.dice, self.day.opened
        reader = np.repeat(np.arange(len(self.boxes)), opened)
        session = np.sort(self.first[reader] + dice.below(self.sittings[reader]))
        n = len(session)
        gap = 5.0 + 450.0 * dice.unit(n) * dice.unit(n) * dice.unit(n) * dice.unit(n) * 2.0
        elapsed = np.cumsum(floor(gap))
        begins = np.searchsorted(session, session, side="left")
        time = floor(self.start)[session] + elapsed - elapsed[begins]
        message = np.arange(n) * 10
        back = np.arange(n) - 1 - dice.below(np.full(n, 4))
        again = dice.chance(np.full(n, 0.18)) & (back >= begins)
        message = np.where(again, message[back], message)
        folder = dice.pick(_FOLDER_SHARE, n)
        self.reads = {"session": session, "time": time, "folder": np.where(again, folder[back], folder)}
        extra = np.where(self.client[session] == PHONE, 0, _EXTRA[dice.pick(_EXTRA_SHARE, n)])
        which, record = bind_records(session, self.reads["folder"], time, message, 1 + extra)
        at = session[which]
        self.put(
            BIND, self.box[at], time[which], principal=self.principal[at], client=self.client[at],
            folder=self.reads["folder"][which], items=record, message=message[which], session=at,
        )  # fmt: skip
        reads = np.flatnonzero(dice.chance(np.where(self.client[session] == OUTLOOK, 0.05, 0.18)))
        at = session[reads]
        bulk = _EXTRA[dice.pick(_EXTRA_SHARE, len(reads))] // 3 + 1
        self.put(
            ATTACHMENT, self.box[at], time[reads] + 3, principal=self.principal[at], client=SERVICE,
            folder=self.reads["folder"][reads], items=bulk, message=message[reads], session=at,
        )  # fmt: skip

    def _fetch_by_phone(self) -> None:
        """Phones bind the mail as it arrives, whether or not anybody looks: at night, on days off, on leave."""
        dice, share = self.dice, np.where(self.boxes.habits["phone"] > 0, 0.85, 0.0)
        fetched = np.where(share > 0, dice.some(self.day.arrived, share), 0)
        box = np.repeat(np.arange(len(self.boxes)), fetched)
        n = len(box)
        time = floor(_at(_ARRIVAL, dice.unit(n)) / _FETCH) * _FETCH
        message = _FETCHED + np.arange(n)
        inbox = np.full(n, INBOX)
        which, record = bind_records(box, inbox, time, message, np.ones(n, dtype=np.int64))
        session = _PHONES + box[which]
        self.put(BIND, box[which], time[which], client=PHONE, items=record, message=message[which], session=session)

    def _synchronise(self) -> None:
        """Desktop Outlook synchronises a folder or two now and then while it is open."""
        desk = np.flatnonzero(self.client == OUTLOOK)
        folders = self.dice.some(np.full(len(desk), 3), np.full(len(desk), 0.19))
        at = np.repeat(desk, folders)
        time = self.start[at] + self.dice.unit(len(at)) * _HOUR
        folder = self.dice.pick((0.6, 0.25, 0.0, 0.0, 0.05, 0.05, 0.05), len(at))
        self.put(SYNC, self.box[at], time, principal=self.principal[at], client=OUTLOOK, folder=folder, session=at)

    def _write_mail(self) -> None:
        """Answer some of what was opened, and write new mails; drafts are what Outlook creates on the way.

        What a member or an assistant sends is sent in another's name: SendAs, and not Send.
        """
        dice, habits = self.dice, self.boxes.habits
        session, time = self.reads["session"], self.reads["time"]
        replies = np.flatnonzero(dice.chance(habits["reply"][self.box[session]]))
        new = np.where(self.day.present, dice.count(habits["writing"] * self.pace), 0)
        writer = np.repeat(np.arange(len(self.boxes)), np.where(self.sittings > 0, new, 0))
        fresh = self.first[writer] + dice.below(self.sittings[writer])
        at = np.concatenate([session[replies], fresh])
        n = len(at)
        started = np.concatenate([time[replies], self.start[fresh] + dice.unit(len(fresh)) * _HOUR])
        sent = started + 40 + floor(dice.unit(n) * dice.unit(n) * 900)
        own = self.boxes.person[self.box[at]] & (self.principal[at] == self.box[at])
        who = {"principal": self.principal[at], "client": self.client[at], "session": at}
        self.put(np.where(own, SEND, SEND_AS), self.box[at], sent, folder=SENT, **who)
        drafts = np.flatnonzero(own & dice.chance(np.full(n, 0.35)))
        self.put(
            CREATE, self.box[at[drafts]], started[drafts] + 20, folder=DRAFTS,
            **{name: column[drafts] for name, column in who.items()},
        )  # fmt: skip

    def _handle_mail(self) -> None:
        """Flag, file and delete, one by one or in bulk; and the purging that Outlook does by itself."""
        dice = self.dice
        session, time = self.reads["session"], self.reads["time"]
        for operation, share, bulk in (
            (UPDATE, 0.07, False), (MOVE, 0.05, True), (SOFT_DELETE, 0.02, True), (HARD_DELETE, 0.015, True),
        ):  # fmt: skip
            done = np.flatnonzero(dice.chance(np.full(len(session), share)))
            at, n = session[done], len(done)
            items = _BULK[dice.pick(_BULK_SHARE, n)] if bulk else 1
            self.put(
                operation, self.box[at], time[done] + 5 + dice.below(np.full(n, 30)), principal=self.principal[at],
                client=self.client[at], folder=self.reads["folder"][done], items=items, session=at,
            )  # fmt: skip

    def _keep_calendar(self) -> None:
        """Call meetings, which makes calendar items and, once they are held, a record for each who took part."""
        dice, boxes = self.dice, self.boxes
        people = np.flatnonzero(boxes.person)
        called = np.where(self.day.present, dice.count(boxes.habits["meetings"] * self.pace), 0)
        host = np.repeat(np.arange(len(boxes)), called)
        n = len(host)
        start = floor(_at(_SITTING, dice.unit(n)))
        self.put(CREATE, host, start, client=OUTLOOK, folder=CALENDAR)
        changed = np.flatnonzero(dice.chance(np.full(n, 0.5)))
        self.put(UPDATE, host[changed], start[changed] + 300, client=OUTLOOK, folder=CALENDAR)
        online = np.flatnonzero(dice.chance(np.full(n, 0.6)))
        held = floor(start[online] / 1800) * 1800 + 3600
        session = _MEETINGS + online
        self.put(MEETING, host[online], held + 5400, session=session)
        guests = 1 + dice.below(np.full(len(online), 6))
        which = np.repeat(np.arange(len(online)), guests)
        guest = people[dice.below(np.full(len(which), len(people)))]
        late = dice.below(np.full(len(which), 60))
        time = held[which] + 5400 + late
        self.put(PARTICIPANT, guest, time, principal=host[online][which], session=session[which])

    def _work_on_files(self) -> None:
        """Sign in, open documents and pages, save some."""
        dice, boxes = self.dice, self.boxes
        present = self.day.present & boxes.person
        habits = boxes.habits
        files = np.where(present, dice.count(habits["files"] * self.pace), 0)
        again = dice.count(np.full(len(boxes), 0.8 * self.pace))
        logins = np.where(present & (files + self.day.opened > 0), 1 + again, 0)
        for operation, times in (
            (FILE_ACCESSED, files), (FILE_MODIFIED, dice.some(files, np.full(len(boxes), 0.25))),
            (PAGE_VIEWED, dice.some(files, np.full(len(boxes), 0.2))), (LOGGED_IN, logins),
        ):  # fmt: skip
            who = np.repeat(np.arange(len(boxes)), times)
            self.put(operation, who, _at(_SITTING, dice.unit(len(who))), client=OWA)

    def _run_application(self, number: int, application: Application) -> None:
        """Let a program read the mailboxes it touches: the same ones every day, around the clock."""
        n = len(self.boxes)
        which = touched(self.spec, self.boxes.audited, self.boxes.kind, number)
        wobble = self.dice.between(0.9, 1.1, n)
        records = np.where(which, floor(application.records_per_day * wobble + self.dice.unit(n)), 0)
        box = np.repeat(np.arange(n), records)
        time = self.dice.unit(len(box)) * 86400
        session = _PROGRAMS + box
        self.put(BIND, box, time, principal=-1 - number, items=application.items, session=session)

    def _search(self, dice: Dice) -> None:
        """Look for something in some of the sittings."""
        own = self.boxes.person[self.box] & (self.principal == self.box)
        at = np.flatnonzero(dice.chance(np.where(own, 0.3, 0.0)))
        time = self.start[at] + 60 + dice.unit(len(at)) * 600
        self.put(SEARCH, self.box[at], time, client=self.client[at], session=at)
