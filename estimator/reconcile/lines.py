"""What `reconcile` comes to: lines of forecast against what came, the rest of the horizon, the JSON contract."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from estimator.findings import Finding
from estimator.forecast import Spread
from estimator.reconcile.actuals import Read
from estimator.reconcile.figures import Factor, Z
from estimator.reconcile.forecasts import ForecastFile, Measure


@dataclass(frozen=True)
class MonthLine:
    """One month of a line.

    Attributes:
        month: `2027-01`.
        days: days of it that are known.
        share: of the month's weight that they have; 1 for a whole month.
        forecast: of these days.
        actual: what came on them.
    """

    month: str
    days: int
    share: float
    forecast: Spread
    actual: float

    @property
    def inside(self) -> bool:
        """Whether P10 to P90 held it."""
        return self.forecast.p10 <= self.actual <= self.forecast.p90

    @property
    def error(self) -> float | None:
        """Actual ÷ mean forecast - 1; None where nothing was forecast."""
        return self.actual / self.forecast.mean - 1 if self.forecast.mean > 0 else None


@dataclass(frozen=True)
class Split:
    """A difference split by its factors: each is (actual ÷ forecast, its part of the difference).

    Attributes:
        mailboxes: how many mailboxes had any record against how many should emit.
        records: records per mailbox; where mailboxes are not told apart, records.
        size: billed bytes per record; None of a difference in events, or where nothing shows it.
        note: what is not told apart, and why; '' where all is.
    """

    mailboxes: tuple[float, float] | None
    records: tuple[float, float] | None
    size: tuple[float, float] | None
    note: str


@dataclass(frozen=True)
class Line:
    """One operation on one feed against what came.

    Attributes:
        feed: its id.
        operation: the operation; None for all together.
        measure: `events` or `gb`.
        source: `audit-sample` or `billed-usage`.
        first, last: first and last day that is known.
        days: how many are.
        months: month by month.
        forecast: of all these days.
        actual: what came on them.
        split: why it differs.
        record_bytes: AuditData bytes of a record: what came, and what the forecast took; None where not known.
        factor: what lasts of the difference; None where nothing can be learnt.
    """

    feed: str
    operation: str | None
    measure: Measure
    source: str
    first: dt.date
    last: dt.date
    days: int
    months: tuple[MonthLine, ...]
    forecast: Spread
    actual: float
    split: Split
    record_bytes: tuple[float, float] | None
    factor: Factor | None

    @property
    def inside(self) -> bool:
        """Whether P10 to P90 held it."""
        return self.forecast.p10 <= self.actual <= self.forecast.p90

    @property
    def error(self) -> float | None:
        """Actual ÷ mean forecast - 1; None where nothing was forecast."""
        return self.actual / self.forecast.mean - 1 if self.forecast.mean > 0 else None

    @property
    def verdict(self) -> str:
        """`inside`, `above_p90` or `below_p10`."""
        return "inside" if self.inside else "above_p90" if self.actual > self.forecast.p90 else "below_p10"


@dataclass(frozen=True)
class Recalibrated:
    """The forecast of days to come, before and after what came.

    Attributes:
        feed, operation, measure: as of a `Line`.
        month: `2027-03`; None for all of the rest together.
        start: the first of these days.
        share: of the month's weight; 1 for a whole month, and for all together.
        forecast: as it was.
        recalibrated: as it is now.
    """

    feed: str
    operation: str | None
    measure: Measure
    month: str | None
    start: dt.date
    share: float
    forecast: Spread
    recalibrated: Spread


@dataclass(frozen=True)
class Reconciled:
    """A forecast held against what came."""

    forecast: ForecastFile
    files: list[Read]
    lines: list[Line]
    recalibrated: list[Recalibrated]
    findings: list[Finding]

    @property
    def refused(self) -> bool:
        """Whether some file was refused."""
        return any(finding.severity == "error" for finding in self.findings)

    @property
    def outside(self) -> list[Line]:
        """The lines that P10 to P90 did not hold."""
        return [line for line in self.lines if not line.inside]

    def to_json(self) -> dict[str, Any]:
        """The JSON contract `siem-estimator/reconcile/1`; figures unrounded."""
        told = self.forecast
        return {
            "schema": "siem-estimator/reconcile/1",
            "version": version("siem-estimator"),
            "forecast": {
                "path": told.path,
                "sha256": told.sha256,
                "schema": told.schema,
                "as_of": told.as_of,
                "scenario": told.scenario,
                "title": told.title,
                "start": told.start.isoformat(),
                "months": told.months,
            },
            "actuals": [
                {"path": f.path, "kind": f.kind, "rows": f.rows, "first": _iso(f.first), "last": _iso(f.last)}
                for f in self.files
            ],
            "lines": [_line_json(line) for line in self.lines],
            "recalibrated": [
                {
                    "feed": one.feed,
                    "operation": one.operation,
                    "measure": one.measure,
                    "month": one.month,
                    "from": one.start.isoformat(),
                    "share": one.share,
                    "forecast": one.forecast.to_json(),
                    "recalibrated": one.recalibrated.to_json(),
                }
                for one in self.recalibrated
            ],
            "findings": [finding.to_json() for finding in self.findings],
        }


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _line_json(line: Line) -> dict[str, Any]:
    def part(one: tuple[float, float] | None) -> dict[str, float] | None:
        return None if one is None else {"ratio": one[0], "difference": one[1]}

    factor, sizes = line.factor, line.record_bytes
    return {
        "feed": line.feed,
        "operation": line.operation,
        "measure": line.measure,
        "source": line.source,
        "first": line.first.isoformat(),
        "last": line.last.isoformat(),
        "days": line.days,
        "months": [
            {
                "month": one.month,
                "days": one.days,
                "share": one.share,
                "forecast": one.forecast.to_json(),
                "actual": one.actual,
                "error": one.error,
                "inside": one.inside,
            }
            for one in line.months
        ],
        "forecast": line.forecast.to_json(),
        "actual": line.actual,
        "error": line.error,
        "inside": line.inside,
        "verdict": line.verdict,
        "split": {
            "mailboxes": part(line.split.mailboxes),
            "records": part(line.split.records),
            "size": part(line.split.size),
            "note": line.split.note,
        },
        "record_bytes": None if sizes is None else {"actual": sizes[0], "forecast": sizes[1]},
        "factor": None
        if factor is None
        else {
            "p10": factor.quantile(-Z),
            "p50": factor.quantile(0.0),
            "p90": factor.quantile(Z),
            "forecast_p10": math.exp(-Z * factor.prior),
            "forecast_p90": math.exp(Z * factor.prior),
            "weight": factor.weight,
        },
    }
