"""The forecast that is held against what came: the JSON that `estimate` and `forecast` print, read again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from estimator import catalog
from estimator.calendar import day_kinds
from estimator.errors import SiemEstimatorError, UsageError
from estimator.forecast import Spread
from estimator.reconcile.figures import Figure, Length, part
from estimator.scenario.values import add_months

Measure = Literal["events", "gb"]

_SCHEMAS = ("siem-estimator/estimate/1", "siem-estimator/forecast/1")
_MEND = "Make one with: siem-estimator estimate TENANT --format json > forecast.json"
#: The longest horizon a scenario may have.
_MOST_MONTHS = 60
_NOTHING = Spread(0.0, 0.0, 0.0, 0.0)


class ReconcileError(SiemEstimatorError):
    """A forecast cannot be held against what came: one of the two cannot be used, or they do not fit together."""


@dataclass(frozen=True)
class ForecastFile:
    """One scenario of a forecast.

    Attributes:
        path: the file, as given.
        sha256: of the file.
        schema: its contract.
        as_of: the day it was made for.
        scenario: id.
        title: of the scenario.
        start: first day of the horizon.
        months: how many.
        not_known: operations without a rate.
        emitting_today: mailboxes by operation.
        emitting: mailboxes by operation and month, those that join included; empty where the file does not say.
        country: whose public holidays count; None for nobody's.
        flows: spreads by feed, operation (None for all together), month, flow and measure.
    """

    path: str
    sha256: str
    schema: str
    as_of: str
    scenario: str
    title: str
    start: dt.date
    months: int
    not_known: tuple[str, ...]
    emitting_today: Mapping[str, int]
    emitting: Mapping[tuple[str, str], float]
    country: str | None
    flows: Mapping[tuple[str, str | None, str, str, Measure], Spread]

    @cached_property
    def days(self) -> pd.DatetimeIndex:
        """Every day of the horizon."""
        return pd.date_range(self.start, add_months(self.start, self.months), inclusive="left", unit="us")

    @cached_property
    def by_month(self) -> dict[str, list[dt.date]]:
        """The days of the horizon by month."""
        out: dict[str, list[dt.date]] = {}
        for day in self.days:
            out.setdefault(f"{day:%Y-%m}", []).append(day.date())
        return out

    @property
    def feeds(self) -> list[str]:
        """Its feeds."""
        return list(dict.fromkeys(key[0] for key in self.flows))

    def operations(self, feed: str) -> list[str]:
        """The operations forecast on a feed."""
        return list(dict.fromkeys(op for f, op, *_ in self.flows if f == feed and op is not None))

    def net(self, feed: str, operation: str | None, month: str, measure: Measure) -> Spread | None:
        """What flows in a month: already flowing, plus added, less saved. None where nothing is forecast of it.

        The flows of one tenant rise and fall together, so equal quantiles are added up; where they do not quite, the
        interval is somewhat too wide.
        """
        found = {
            flow: self.flows[key]
            for flow in ("already", "added", "saved")
            if (key := (feed, operation, month, flow, measure)) in self.flows
        }
        if not found:
            return None
        already, added, saved = (found.get(flow, _NOTHING) for flow in ("already", "added", "saved"))
        mean, *quantiles = (
            getattr(already, name) + getattr(added, name) - getattr(saved, name)
            for name in ("mean", "p10", "p50", "p90")
        )
        return Spread(mean, *sorted(quantiles))

    def part(
        self, feed: str, operation: str | None, month: str, measure: Measure, days: list[dt.date]
    ) -> Figure | None:
        """The forecast of some days of a month."""
        spread, whole = self.net(feed, operation, month, measure), self.by_month[month]
        if spread is None:
            return None
        return part(spread, self.share(month, days), self.length(days), self.length(whole))

    def share(self, month: str, days: list[dt.date]) -> float:
        """The share of a month's weight that some of its days have."""
        whole = self.by_month[month]
        return 1.0 if len(days) == len(whole) else sum(map(self.weight, days)) / sum(map(self.weight, whole))

    def weight(self, day: dt.date) -> float:
        """What a day weighs, in weekdays, by the published weights: the file does not have the tenant's own."""
        return float(self._weights[self._kinds[day]])

    def weight_words(self) -> str:
        """What a Saturday and a Sunday weigh, for messages."""
        return f"{self._weights[1]:.2f} and {self._weights[2]:.2f}"

    def length(self, days: list[dt.date]) -> Length:
        """How long some days of the horizon are."""
        return Length(len(days) / 7, sum(self._kinds[day] == 0 for day in days))

    @cached_property
    def _kinds(self) -> dict[dt.date, int]:
        kinds = day_kinds(self.days, self.country)
        return {day.date(): int(kind) for day, kind in zip(self.days, kinds, strict=True)}

    @cached_property
    def _weights(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        priors = catalog.priors()
        sunday, worked = priors.sunday_factor.value, priors.holiday_worked
        # The mean of the triangle that it is drawn from.
        holiday = ((worked.low or 0.0) + worked.value + (worked.high or 1.0)) / 3
        return np.array([1.0, priors.saturday_factor.value, sunday, sunday + (1 - sunday) * holiday])


def read_forecast(path: Path, scenario: str | None = None, country: str | None = None) -> ForecastFile:
    """Read the JSON of an estimate or a forecast.

    Args:
        path: the file.
        scenario: id of the scenario that became true; may be left out where there is one.
        country: whose public holidays count in shares of months.

    Raises:
        ReconcileError: the file is no forecast.
        UsageError: the scenario is not in it, or it has several and none is named.
    """
    try:
        data = path.read_bytes()
        document = json.loads(data)
    except OSError as error:
        raise ReconcileError(f"cannot be read: {error.strerror or error}", path=path) from error
    except (ValueError, RecursionError) as error:
        raise ReconcileError(f"is not JSON: {error}", path=path, mend=_MEND) from error
    found = document.get("schema") if isinstance(document, dict) else None
    if found not in _SCHEMAS:
        raise ReconcileError(f"has the schema {found!r}", path=path, expected=" or ".join(_SCHEMAS), mend=_MEND)
    place = "scenarios"
    try:
        one = _chosen(document["scenarios"], scenario, path)
        place = f"scenarios[id={one['id']}]"
        flows: dict[tuple[str, str | None, str, str, Measure], Spread] = {}
        for name in ("volume", "total"):
            for number, row in enumerate(one.get(name, ()) if name == "total" else one[name]):
                place = f"scenarios[id={one['id']}].{name}[{number}]"
                operation = row["operation"] if name == "volume" else None
                for measure in ("events", "gb"):
                    flows[row["feed"], operation, row["month"], row["flow"], measure] = _spread(row[measure])
        place = f"scenarios[id={one['id']}]"
        if "total" not in one:
            flows |= _totals(flows)
        if strange := {key[0] for key in flows} - set(catalog.feeds()):
            raise ValueError(f"unknown feed {', '.join(sorted(map(repr, strange)))}")
        months = int(one["months"])
        if not 1 <= months <= _MOST_MONTHS:
            raise ValueError(f"{months} months")
        add_months(dt.date.fromisoformat(one["start"]), months)
        return ForecastFile(
            path=str(path),
            sha256=hashlib.sha256(data).hexdigest(),
            schema=found,
            as_of=str(document["as_of"]),
            scenario=str(one["id"]),
            title=str(one["title"]),
            start=dt.date.fromisoformat(one["start"]),
            months=months,
            not_known=tuple(map(str, one.get("not_known", ()))),
            emitting_today={str(k): int(v) for k, v in document["tenant"]["emitting_today"].items()},
            emitting={(e["operation"], e["month"]): float(e["mailboxes"]) for e in one.get("emitting", ())},
            country=country,
            flows=flows,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        why = f"lacks {error}" if isinstance(error, KeyError) else f"is not as the contract has it ({error})"
        raise ReconcileError(why, path=path, place=place, expected=f"the contract {found}", mend=_MEND) from error


def _chosen(scenarios: list[dict[str, Any]], wanted: str | None, path: Path) -> dict[str, Any]:
    ids = [str(one["id"]) for one in scenarios]
    if wanted is None and len(scenarios) == 1:
        return scenarios[0]
    for one in scenarios:
        if one["id"] == wanted:
            return one
    raise UsageError(
        f"{path} has {len(ids)} scenarios" if wanted is None else f"{path} has no scenario {wanted!r}",
        expected=f"--scenario with one of {', '.join(ids)}",
        mend="Name the one that became true.",
    )


def _spread(value: Mapping[str, Any]) -> Spread:
    out = Spread(*(float(value[name]) for name in ("mean", "p10", "p50", "p90")))
    if not all(np.isfinite([out.mean, out.p10, out.p50, out.p90])):
        raise ValueError("a figure is no number")
    return out


def _totals(
    flows: Mapping[tuple[str, str | None, str, str, Measure], Spread],
) -> dict[tuple[str, str | None, str, str, Measure], Spread]:
    """All operations of a feed together, where the file does not have them: equal quantiles added up."""
    out: dict[tuple[str, str | None, str, str, Measure], Spread] = {}
    for (feed, _, month, flow, measure), one in flows.items():
        key, so_far = (feed, None, month, flow, measure), None
        so_far = out.get(key, _NOTHING)
        names = ("mean", "p10", "p50", "p90")
        out[key] = Spread(*(getattr(so_far, name) + getattr(one, name) for name in names))
    return out
