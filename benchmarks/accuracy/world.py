"""A tenant that only counts: what each mailbox would log of MailItemsAccessed, day by day, from sittings and windows.

Mail arrives, people sit down to it, open it in bursts, look up old mail, and phones fetch it as it comes; binds within
two minutes join one record, so what is logged saturates. Who gets how much mail is the person's *busyness*, which the
usage report sees (received, read, sent); how much old mail somebody looks up for each new one is a *habit* that the log
sees and the report does not. The two spreads are set so that rates have the log-sd and the log-correlation with the
report that a design asks for. No rate is a function of the report, let alone a log-linear one; nothing is shared with
the forecast, nor with the sample tenants' generator, whose figures (seasons, leave, shares) are this one's measure.

All figures are our assumptions, in the range of the one real tenant measured: busiest 5 of 56 mailboxes half of all,
median mailbox 9 a weekday at a mean of 40, weekend 0.22 of a weekday, log-correlation with Send 0.78.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Bias = Literal["none", "mild", "strong", "residual"]
Program = Literal["none", "polling", "backup"]
Inputs = Literal["all", "truncated", "no_activity", "no_sample"]

REPORT_DAYS = 30
FORECAST_MONTHS = 2
COUNTRY = "US"

_SEASON = (1.00, 1.02, 1.03, 1.01, 1.00, 0.98, 0.93, 0.91, 1.02, 1.04, 1.02, 0.93)
_WEEKDAY = (1.04, 1.05, 1.03, 1.00, 0.88)
_DAY_OFF = 0.28  # of a working day's mail arrives on a day off
_WINDOWS = 240  # windows of two minutes in a working day of eight hours
_SLOTS = 96  # a phone fetches every quarter of an hour
_SELECTION = {"none": 0.0, "mild": 0.4, "strong": 2.0, "residual": 0.4}
_PROGRAMS = {"polling": (0.02, 250.0), "backup": (0.1, 40.0)}  # share of mailboxes, records a day in each
_PORTAL_ROWS = 50_000
_MAILS = 110.0  # arrive on a working day in a mean mailbox
_STRETCH = 1.2  # of latent log-sd to that of rates
_CLEARER = 1.03  # of latent correlation to that of counts


@dataclass(frozen=True)
class Design:
    """What a tenant is like: one level of every factor, and a seed for the rest.

    Attributes:
        seed: everything else follows from it.
        mailboxes: people's and shared ones.
        sampled: share of the mailboxes that emit, and so are in the sample.
        days: sampled days.
        bias: how much those that emit are the busier ones; `residual` is one the report cannot see: by habit.
        correlation: of a mailbox's log rate with the log of what the report says of it.
        log_sd: of the rates of people's mailboxes.
        program: an application that reads mailboxes, or none.
        inputs: what the forecast gets to see.
    """

    seed: int
    mailboxes: int = 600
    sampled: float = 0.15
    days: int = 14
    bias: Bias = "none"
    correlation: float = 0.8
    log_sd: float = 1.0
    program: Program = "none"
    inputs: Inputs = "all"


@dataclass(frozen=True)
class World:
    """A tenant as its administrator could export it, and what came.

    Attributes:
        design: what it was made from.
        person: whose mailbox is a person's, the others are shared; shape (mailboxes,).
        premium: whose licence is a premium one.
        emitting: who emits today.
        start: first sampled day.
        people: records that people caused on the sampled days, shape (mailboxes, days).
        program: the same of the application.
        report: sent, received, read over the report's days, shape (mailboxes, 3); shared mailboxes have no row.
        report_end: the last of those days.
        forecast_start: first day of the horizon, which is `FORECAST_MONTHS` long.
        future: records over the horizon, of people and application, shape (mailboxes,).
        rates: records that people would cause in each mailbox over the report's days.
        kept: share of the sample's records that the export holds.
    """

    design: Design
    person: Bools
    premium: Bools
    emitting: Bools
    start: dt.date
    people: Ints
    program: Ints
    report: Ints
    report_end: dt.date
    forecast_start: dt.date
    future: Ints
    rates: Ints
    kept: float

    @property
    def added(self) -> int:
        """Records over the horizon of the mailboxes that do not emit today: the truth."""
        return int(self.future[~self.emitting].sum())


def live(design: Design) -> World:
    """Make a tenant and live its days: those of the report and the sample, and those of the horizon."""
    rng = np.random.default_rng([design.seed, 1])
    n = design.mailboxes
    person = np.arange(n) < n - round(n * rng.uniform(0.03, 0.15))
    mailboxes = _Mailboxes(design, person, rng)
    emitting, premium = _emitting(design, mailboxes, rng)
    start = dt.date(2026, 1, 12) + dt.timedelta(days=int(rng.integers(0, 290)))
    sample_end = start + dt.timedelta(days=design.days - 1)
    report_end = sample_end + dt.timedelta(days=2)
    forecast_start = _first_of_next_month(report_end)
    forecast_end = forecast_start
    for _ in range(FORECAST_MONTHS):
        forecast_end = _first_of_next_month(forecast_end)
    first = min(start, report_end - dt.timedelta(days=REPORT_DAYS - 1))
    days = _Days(design, first, forecast_end)

    people = np.zeros((n, design.days), np.int64)
    program = np.zeros((n, design.days), np.int64)
    report, rates, future = np.zeros((n, 3), np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    leave = np.zeros(n, np.int64)
    day = first
    while day < forecast_end:
        pace, working = days.pace(day), days.working(day)
        today = mailboxes.spend(pace, working, leave, rng, month=day.month)
        leave = today.leave
        by_program = mailboxes.program(rng)
        if start <= day <= sample_end:
            people[:, (day - start).days], program[:, (day - start).days] = today.records, by_program
        if report_end - dt.timedelta(days=REPORT_DAYS) < day <= report_end:
            report += np.stack([today.sent, today.arrived, today.read], axis=1)
            rates += today.records
        if day >= forecast_start:
            future += today.records + by_program
        day += dt.timedelta(days=1)
    people[~emitting] = 0
    program[~emitting] = 0
    kept = 1.0
    if design.inputs == "truncated":
        # An export is cut at a number of rows; a portal's is a random part of all days (real_samples.md, section 2).
        total = int(people.sum() + program.sum())
        kept = min(_PORTAL_ROWS / max(total, 1), rng.uniform(0.2, 0.6))
        people, program = rng.binomial(people, kept), rng.binomial(program, kept)
    return World(
        design, person, premium, emitting, start, people, program, report, report_end, forecast_start, future, rates,
        kept,
    )  # fmt: skip


@dataclass(frozen=True)
class _Today:
    """A day of all mailboxes, shape (mailboxes,) each."""

    records: Ints
    arrived: Ints
    read: Ints
    sent: Ints
    leave: Ints


class _Mailboxes:
    """How people live with their mail."""

    def __init__(self, design: Design, person: Bools, rng: np.random.Generator) -> None:
        n = len(person)
        self.person = person
        # Rates saturate and days are chance, so more goes in than comes out: what does is held by a test.
        clear = min(_CLEARER * design.correlation, 1.0)
        seen = _STRETCH * design.log_sd * clear
        unseen = _STRETCH * design.log_sd * float(np.sqrt(1 - clear**2))
        tenant = rng.uniform(0.6, 1.5)
        self.busyness = np.exp(seen * rng.standard_normal(n) - seen**2 / 2) * np.where(person, 1.0, 0.6) * tenant
        self.habit = np.exp(unseen * rng.standard_normal(n) - unseen**2 / 2)
        self.class_habit = np.exp(0.1 * rng.standard_normal(2))  # of premium users and of shared mailboxes
        self.premium = np.zeros(n, bool)
        self.attention = np.clip(0.7 + 0.12 * rng.standard_normal(n), 0.3, 0.95)
        self.talk = np.where(rng.random(n) < 0.125, 0.0, np.exp(0.8 * rng.standard_normal(n)))
        self.phone = rng.random(n) < 0.4
        self.weekend = np.clip(0.3 + 0.25 * np.log1p(self.busyness), 0.05, 0.9)
        self.touched, self.each = np.zeros(n, bool), 0.0
        if design.program != "none":
            share, self.each = _PROGRAMS[design.program]
            self.touched = rng.random(n) < share

    def spend(self, pace: float, working: bool, leave: Ints, rng: np.random.Generator, month: int) -> _Today:
        """Live one day."""
        n = len(self.person)
        going = self.person & (leave == 0) & (rng.random(n) < 0.012 * (1.6 if month in (7, 8, 12) else 0.9))
        leave = np.where(going, rng.integers(1, 13, n), np.maximum(leave - 1, 0))
        present = (rng.random(n) < (0.985 if working else self.weekend)) & (leave == 0)
        arrived = rng.poisson(_MAILS * self.busyness * pace * rng.gamma(3.0, 1 / 3.0, n))
        read = np.where(present, rng.binomial(arrived, self.attention * (1.0 if working else 0.5)), 0)
        # Old mail is looked up for the new that is worked on.
        of_class = np.where(self.premium, self.class_habit[0], np.where(self.person, 1.0, self.class_habit[1]))
        habit = self.habit * of_class
        opened = np.where(present, rng.poisson(1.1 * habit * read), 0)
        sittings = 1 + rng.poisson(0.8 * np.sqrt(opened))
        windows = np.minimum(2.0 + sittings * rng.gamma(2.0, 3.0, n), 2.5 * _WINDOWS)
        bound = windows * -np.expm1(-opened / windows)
        fetched = np.where(self.phone, _SLOTS * -np.expm1(-0.25 * habit * arrived / _SLOTS), 0.0)
        records = np.floor(bound + fetched + rng.random(n)).astype(np.int64)
        sent = np.where(present, rng.poisson(0.08 * self.talk * read), 0)
        return _Today(np.where(opened + arrived > 0, records, 0), arrived, read, sent, leave)

    def program(self, rng: np.random.Generator) -> Ints:
        """What the application reads in a day: the same mailboxes every day, weekends too."""
        if not self.each:
            return np.zeros(len(self.person), np.int64)
        return np.where(self.touched, np.round(self.each * rng.uniform(0.9, 1.1, len(self.person))), 0).astype(np.int64)


def _emitting(design: Design, mailboxes: _Mailboxes, rng: np.random.Generator) -> tuple[Bools, Bools]:
    """Who emits: users with premium licences and pilots, the busier ones by bias; and as many shared mailboxes."""
    person = mailboxes.person
    users = np.flatnonzero(person)
    score = mailboxes.habit if design.bias == "residual" else mailboxes.busyness
    rank = np.argsort(np.argsort(score[users])) / len(users)
    order = users[np.argsort(-(rng.random(len(users)) + _SELECTION[design.bias] * rank))]
    count = max(round(design.sampled * len(users)), 2)
    emitting, premium = np.zeros(len(person), bool), np.zeros(len(person), bool)
    emitting[order[:count]] = True
    # The rest of those that emit are pilots with standard licences; without any, a class joins that was never sampled.
    licensed = rng.permutation(order[:count])[: max(round(count * rng.choice([1.0, 0.7, 0.4])), 1)]
    premium[licensed] = True
    emitting[~person] = rng.random(int((~person).sum())) < design.sampled
    mailboxes.premium = premium
    return emitting, premium


class _Days:
    """How busy the tenant's days are."""

    def __init__(self, design: Design, first: dt.date, end: dt.date) -> None:
        self.holidays = _holidays()
        rng = np.random.default_rng([design.seed, 2])
        self.swing: dict[dt.date, float] = {}
        swing = 0.06 * rng.standard_normal()
        week = first - dt.timedelta(days=first.weekday())
        while week < end:
            swing = 0.6 * swing + 0.05 * rng.standard_normal()
            self.swing[week] = 1.0 + swing
            week += dt.timedelta(days=7)

    def working(self, day: dt.date) -> bool:
        return day.weekday() < 5 and day not in self.holidays

    def pace(self, day: dt.date) -> float:
        """Of a mean working day of the year."""
        shape = _WEEKDAY[day.weekday()] if self.working(day) else _DAY_OFF
        return shape * _SEASON[day.month - 1] * self.swing[day - dt.timedelta(days=day.weekday())]


@lru_cache
def _holidays() -> frozenset[dt.date]:
    import holidays

    return frozenset(holidays.country_holidays(COUNTRY, years=(2025, 2026, 2027)))


def _first_of_next_month(day: dt.date) -> dt.date:
    return dt.date(day.year + day.month // 12, day.month % 12 + 1, 1)
