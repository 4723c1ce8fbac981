"""Days and hours that are missing from a sample, and the days that therefore do not count as sampled.

What is missing is judged by what the other days hold: an hour (a day) is missed where it holds nothing and the same
hour of other days of its kind holds plenty. Days are UTC and offices are not, so an evening may fall on the next day:
the first half of a Monday may belong to a Sunday, the second half of a Friday to a Saturday, and both are compared with
their own weekday, or with a fifth of a weekday.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING

from estimator.audit.doctor.digest import HourRows, hour_rows
from estimator.findings import Finding

if TYPE_CHECKING:
    import pandas as pd

#: What an hour normally holds for its silence to be a gap and not chance; what a day must hold.
_PLENTY_HOUR, _PLENTY_DAY = 20, 10
#: What a weekend day is expected to hold for its silence to be a gap where no other weekend shows what they are like.
_PLENTY_WEEKEND = 1_000
#: Consecutive silent hours that are told, and from which on their days do not count as sampled.
_TOLD, _BROKEN = 2, 3
#: The share of a normal day that a first or last day must lack to be partial.
_PARTIAL = 0.05
#: A last weekday below this part of the other weekdays has not arrived whole. Holidays may look the same.
_LATE, _LATE_PEERS, _LATE_PLENTY = 0.6, 3, 50
#: A weekend day against a weekday, rounded (priors.toml: saturday_factor, sunday_factor).
_WEEKEND = 0.2
#: Whole days that must stay for the others to be left out.
_LEAST_DAYS = 3
#: Of a day whose times are mostly unreadable, or that was counted by the day, no hour can be judged.
_UNTIMED = 0.1

_MONDAY, _FRIDAY, _SATURDAY = 0, 4, 5
_NAMED = 5

#: Records by UTC hour, 24 of them; None where the hours of the day are not known.
Hours = Sequence[int] | None


@dataclass(frozen=True)
class Silence:
    """Consecutive hours without a record: the day and hour (UTC) of the first, how many, what they would hold."""

    day: date
    hour: int
    length: int
    missed: float

    @property
    def days(self) -> set[date]:
        """The days it touches."""
        return {self.day + timedelta(hour // 24) for hour in range(self.hour, self.hour + self.length)}


@dataclass(frozen=True)
class Timeline:
    """A sample by day and hour, and what is missing of it.

    Attributes:
        totals: records of each day from the first to the last, 0 where there are none.
        hours: the same by hour.
    """

    totals: Mapping[date, int]
    hours: Mapping[date, Hours]

    @staticmethod
    def of(hours: HourRows) -> Timeline:
        """From records by day and hour; hour -1 says that there was a record that day, and not when."""
        totals: dict[date, int] = defaultdict(int)
        by: dict[date, list[int]] = defaultdict(lambda: [0] * 24)
        untimed: dict[date, int] = defaultdict(int)
        for day, hour, count in hours:
            totals[day] += count
            if hour < 0:
                untimed[day] += count
            else:
                by[day][hour] += count
        if not totals:
            return Timeline({}, {})
        first, last = min(totals), max(totals)
        days = [first + timedelta(n) for n in range((last - first).days + 1)]
        timed = {day: untimed[day] <= _UNTIMED * totals[day] for day in days}
        return Timeline({day: totals[day] for day in days}, {day: by[day] if timed[day] else None for day in days})

    # ---------------------------------------------------------------------------------------------- what is normal

    @cached_property
    def full(self) -> list[date]:
        """The days that hold any record."""
        return [day for day, total in self.totals.items() if total]

    @cached_property
    def _by_hour(self) -> dict[tuple[str | int, int], list[int]]:
        """What hours hold, ascending: by weekday 0-6, and of all weekdays (`weekday`) where no weekend is near."""
        out: dict[tuple[str | int, int], list[int]] = defaultdict(list)
        for day in self.full:
            counts = self.hours[day]
            for hour, count in enumerate(counts or ()):
                out[day.weekday(), hour].append(count)
                if day.weekday() < _SATURDAY and not _near_weekend(day, hour):
                    out["weekday", hour].append(count)
        return {key: sorted(counts) for key, counts in out.items()}

    def normal_hour(self, day: date, hour: int) -> float:
        """What an hour without a record would hold, by other days; 0 where they cannot say."""
        plain = day.weekday() < _SATURDAY and not _near_weekend(day, hour)
        weekdays = self._others("weekday", hour, counted=plain)
        weekday = median(weekdays) if len(weekdays) >= 2 else 0.0
        if plain:
            return weekday
        same = self._others(day.weekday(), hour, counted=True)
        if len(same) >= 2:
            return median(same)
        # One other day may be the odd one, so it must agree with the weekdays.
        least = weekday if same and day.weekday() < _SATURDAY else _WEEKEND * weekday
        return min([least, *same])

    def _others(self, kind: str | int, hour: int, *, counted: bool) -> list[int]:
        """What the hour holds on other days; `counted`: the silent day itself is among them, and is the least."""
        counts = self._by_hour.get((kind, hour), [])
        return counts[1:] if counted and counts and counts[0] == 0 else counts

    @cached_property
    def normal_weekday(self) -> float:
        """What a weekday holds; 0 where there is none."""
        return median([self.totals[day] for day in self.full if day.weekday() < _SATURDAY] or [0])

    def normal_day(self, day: date) -> float:
        """What a day without a record would hold."""
        if day.weekday() < _SATURDAY:
            return self.normal_weekday
        totals = self._by_weekday[day.weekday()]
        others, without = len(totals), len(totals)
        if day in self.totals:
            others, without = others - 1, bisect_left(totals, self.totals[day])
        if not others:
            return _WEEKEND * self.normal_weekday
        # The median of the others, of a list that need not be copied: a date far off makes thousands of silent days.
        middle = ((others - 1) // 2, others // 2)
        return sum(totals[place + (place >= without)] for place in middle) / 2

    @cached_property
    def _by_weekday(self) -> dict[int, list[int]]:
        """The totals of the Mondays, ..., of the Sundays, ascending."""
        out: dict[int, list[int]] = {weekday: [] for weekday in range(7)}
        for day, total in self.totals.items():
            out[day.weekday()].append(total)
        return {weekday: sorted(totals) for weekday, totals in out.items()}

    def _weekend_missed(self, day: date) -> bool:
        """Whether a silent weekend day should hold something; of a single weekend only a big office can tell."""
        compared = len(self._by_weekday[day.weekday()]) > 1
        return self.normal_day(day) >= (_PLENTY_HOUR if compared else _PLENTY_WEEKEND)

    # ---------------------------------------------------------------------------------------------- what is missing

    @cached_property
    def missing_days(self) -> list[date]:
        """Whole days that hold nothing and should.

        A weekday is judged by the other weekdays; a weekend day by its own kind, silent ones included, unless it lies
        in one stretch of silence with a missing weekday.
        """
        out: list[date] = []
        for stretch in self._silent_stretches():
            weekdays = [day for day in stretch if day.weekday() < _SATURDAY]
            if weekdays and self.normal_weekday >= _PLENTY_DAY:
                out += stretch
            else:
                out += [day for day in stretch if day.weekday() >= _SATURDAY and self._weekend_missed(day)]
        return out

    def _silent_stretches(self) -> Iterator[list[date]]:
        stretch: list[date] = []
        for day, total in self.totals.items():
            if not total:
                stretch.append(day)
            elif stretch:
                yield stretch
                stretch = []

    @cached_property
    def silences(self) -> list[Silence]:
        """Runs of two hours or more without a record, within days that hold some; those at the edges are `edges`."""
        out: list[Silence] = []
        run: list[tuple[date, int]] = []
        edge = {(day, hour) for day, _, hours in self._silent_edges() for hour in hours}
        for day in self.totals:
            counts = self.hours[day] if self.totals[day] else None
            for hour in range(24):
                silent = (
                    counts is not None
                    and counts[hour] == 0
                    and (day, hour) not in edge
                    and self.normal_hour(day, hour) >= _PLENTY_HOUR
                )
                if silent:
                    run.append((day, hour))
                if run and (not silent or (day, hour) == (self.full[-1], 23)):
                    if len(run) >= _TOLD:
                        out.append(Silence(*run[0], len(run), sum(self.normal_hour(*one) for one in run)))
                    run = []
        return out

    def _silent_edges(self) -> Iterator[tuple[date, str, range]]:
        """The hours before the first record of the first day, and after the last one of the last day."""
        if not self.full:
            return
        first, last = self.full[0], self.full[-1]
        if (counts := self.hours[first]) is not None:
            yield first, "first", range(next(hour for hour in range(24) if counts[hour]))
        if (counts := self.hours[last]) is not None:
            yield last, "last", range(next(hour for hour in range(24, 0, -1) if counts[hour - 1]), 24)

    @cached_property
    def edges(self) -> list[tuple[date, str, int, float]]:
        """Partial first and last days: the day, which, the hour it begins (ends) at, and what it lacks."""
        out = []
        for day, which, silent in self._silent_edges():
            missed = sum(self.normal_hour(day, hour) for hour in silent)
            whole = missed + self.totals[day]
            lacks = _PARTIAL * max(whole, self.normal_weekday if day.weekday() < _SATURDAY else 0)
            if missed >= _PLENTY_HOUR and missed >= lacks and day not in self.late:
                out.append((day, which, silent.stop if which == "first" else silent.start, missed))
        return out

    @cached_property
    def late(self) -> list[date]:
        """The last one or two days, where they are far below other weekdays before the hour they end at too."""
        out: list[date] = []
        for day in self.full[:-3:-1]:
            if day.weekday() >= _SATURDAY:  # too little is known of single weekend days
                continue
            peers = [
                self.totals[other]
                for other in self.full[1:]
                if other.weekday() < _SATURDAY and other not in (day, *out)
            ]
            if len(peers) < _LATE_PEERS or (normal := median(peers)) < _LATE_PLENTY:
                break
            if self.totals[day] >= min(_LATE * normal, *peers) or self._merely_ends_early(day):
                break
            out.insert(0, day)
        return out

    def _merely_ends_early(self, day: date) -> bool:
        """Whether the day is as busy as others up to its last record."""
        counts = self.hours[day]
        if counts is None or day != self.full[-1]:
            return False
        end = next(hour for hour in range(24, 0, -1) if counts[hour - 1])
        # The last hour itself may be cut in two.
        normal = sum(median(self._by_hour.get(("weekday", hour), [0])) for hour in range(end - 1))
        return end < 24 and sum(counts[: end - 1]) >= _LATE * normal

    # ---------------------------------------------------------------------------------------------- what it does

    @cached_property
    def suspect(self) -> list[date]:
        """Days that do not hold what they should."""
        long = [day for silence in self.silences if silence.length >= _BROKEN for day in silence.days]
        return sorted({*self.missing_days, *long, *self.late, *(edge[0] for edge in self.edges)})

    @cached_property
    def broken(self) -> list[date]:
        """Those of them that are left out: none where fewer than three whole days, or no weekday, would stay."""
        stay = set(self.totals) - set(self.suspect)
        weekdays = {day for day in self.full if day.weekday() < _SATURDAY}
        return self.suspect if len(stay) >= _LEAST_DAYS and (stay & weekdays or not weekdays) else []

    def low_by(self, missed: float) -> str:
        """The share of the whole that is missing."""
        share = missed / max(missed + sum(self.totals.values()), 1)
        return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"


def broken_days(hours: pd.DataFrame) -> list[date]:
    """The days that must not count as sampled days of a rate, ascending.

    Days without any record that should have some, days that lack three hours or more in a row, a first or last day that
    is partial, last days that have not arrived whole. None where fewer than three days, or no weekday, would stay.

    Args:
        hours: `tables.HOURS`.
    """
    return list(Timeline.of(hour_rows(hours)).broken)


def gaps(hours: HourRows) -> Iterator[Finding]:
    """`sample_gap_days`, `sample_gap_hours`, `late_last_days`, `partial_edge_day`; how much lower they make rates.

    Args:
        hours: records by day and hour.
    """
    line = Timeline.of(hours)

    def effect(missed: float) -> str:
        if line.suspect and not line.broken:
            return (
                f"Rates are low by about {line.low_by(missed)}: without such days too few whole days would stay, so "
                "they count all the same"
            )
        return (
            f"The forecast leaves such days out and rests on the others; with them its rates would be low by about "
            f"{line.low_by(missed)}"
        )

    if days := line.missing_days:
        missed = sum(line.normal_day(day) for day in days)
        yield Finding(
            "sample_gap_days",
            "warning",
            f"{_count(len(days), 'day')} without a single record between the first and the last, where others of "
            f"{'their' if len(days) > 1 else 'its'} kind have plenty: {_stretches(days)}. {effect(missed)}. Export "
            "these days too (a public holiday of a small office looks the same).",
        )
    if line.silences:
        yield _gap_hours(line)
    if line.late:
        normal = median([line.totals[day] for day in line.full if day.weekday() < _SATURDAY and day not in line.late])
        missed = sum(normal - line.totals[day] for day in line.late)
        percent = sum(line.totals[day] for day in line.late) / (normal * len(line.late))
        yield Finding(
            "late_last_days",
            "warning",
            f"the sample ends low: {_stretches(line.late)} hold{'s' * (len(line.late) == 1)} {percent:.0%} of what "
            "other weekdays do, as when records are fetched before all have arrived (the Management Activity API "
            f"delivers some a day or two late), or on a public holiday. {effect(missed)}. Fetch these days "
            "again two days later.",
        )
    for day, which, hour, missed in line.edges:
        begins = f"begins at {hour:02}:00" if which == "first" else f"ends at {hour:02}:00"
        yield Finding(
            "partial_edge_day",
            "info",
            f"the {which} day, {day}, {begins} UTC: the rest of it is not in the sample. {effect(missed)}. Export from "
            "midnight to midnight UTC.",
        )


def _gap_hours(line: Timeline) -> Finding:
    short = [one for one in line.silences if not one.days & set(line.broken)]
    missed = sum(one.missed for one in line.silences)
    largest = sorted(line.silences, key=lambda one: (-one.missed, one.day))[:_NAMED]
    each = ", ".join(f"{one.day} {one.hour:02}:00 UTC for {one.length} hours" for one in largest)
    more = len(line.silences) - len(largest)
    low = f"Rates would be low by about {line.low_by(missed)}"
    if len(short) == len(line.silences):
        low = f"Rates are low by about {line.low_by(missed)}"
    elif short:
        low += (
            f", and are by {line.low_by(sum(one.missed for one in short))}: the forecast leaves days out that lack "
            "three hours or more in a row"
        )
    else:
        low = f"The forecast leaves such days out; with them its rates would be low by about {line.low_by(missed)}"
    return Finding(
        "sample_gap_hours",
        "warning",
        f"{_count(len(line.silences), 'stretch', 'stretches')} of hours without a single record, where the same hours "
        f"of other days have plenty: {each}{f' and {more} more' if more else ''}. {low}. Look whether the collector "
        "stood still, and export these hours again.",
    )


def _near_weekend(day: date, hour: int) -> bool:
    return (day.weekday() == _MONDAY and hour < 12) or (day.weekday() == _FRIDAY and hour >= 12)


def _stretches(days: Sequence[date]) -> str:
    """Days as their stretches: `2026-09-14 to 2026-09-16, 2026-09-20`."""
    found: list[list[date]] = []
    for day in days:
        if found and day - found[-1][-1] == timedelta(1):
            found[-1].append(day)
        else:
            found.append([day])
    each = [f"{one[0]} to {one[-1]}" if len(one) > 1 else f"{one[0]}" for one in found]
    more = len(each) - _NAMED
    return ", ".join(each[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
