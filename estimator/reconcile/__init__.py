"""Forecast against what came: what was off, by how much and why, and what the rest of the horizon then looks like.

Three steps: `forecasts` reads the forecast, `actuals` what came, and `compare` holds one against the other. The
equations stand in `figures`.
"""

from __future__ import annotations

from estimator.reconcile.compare import reconcile_forecast
from estimator.reconcile.forecasts import ForecastFile, ReconcileError, read_forecast
from estimator.reconcile.lines import Line, MonthLine, Recalibrated, Reconciled, Split

__all__ = [
    "ForecastFile",
    "Line",
    "MonthLine",
    "Recalibrated",
    "ReconcileError",
    "Reconciled",
    "Split",
    "read_forecast",
    "reconcile_forecast",
]
