"""Forecasts what Microsoft 365 audit events add to a SIEM, in events, gigabytes and money, with an interval.

The public API::

    from estimator import check, estimate, measure, readiness_of

    result = estimate("sample_tenants/law_firm", as_of=date(2026, 11, 23))
    result.to_json()
    check("sample_tenants/law_firm", as_of=date(2026, 11, 23)).missing
    measure(["sample_tenants/law_firm/audit.csv.gz"]).operations
    readiness_of("sample_tenants/law_firm", as_of=date(2026, 11, 23)).summary()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from estimator.audit import Measured
    from estimator.backtest import Backtest, backtest_of
    from estimator.checkup import Checkup, check
    from estimator.errors import SiemEstimatorError
    from estimator.findings import Finding
    from estimator.forecast import Spread, Volume
    from estimator.forecasting import forecast_of
    from estimator.measuring import measure
    from estimator.pipeline import Estimate, ScenarioEstimate, estimate
    from estimator.readiness.tenant import TenantReadiness, readiness_of
    from estimator.reconcile import Reconciled, reconcile_forecast
    from estimator.sample_size import SampleSize, sample_size_of
    from estimator.sensitivity import Swing, sensitivity_of

_HOMES = {
    "Backtest": "estimator.backtest",
    "SampleSize": "estimator.sample_size",
    "backtest_of": "estimator.backtest",
    "forecast_of": "estimator.forecasting",
    "sample_size_of": "estimator.sample_size",
    "Checkup": "estimator.checkup",
    "Estimate": "estimator.pipeline",
    "Finding": "estimator.findings",
    "Measured": "estimator.audit",
    "ScenarioEstimate": "estimator.pipeline",
    "SiemEstimatorError": "estimator.errors",
    "Spread": "estimator.forecast",
    "Volume": "estimator.forecast",
    "check": "estimator.checkup",
    "estimate": "estimator.pipeline",
    "TenantReadiness": "estimator.readiness.tenant",
    "measure": "estimator.measuring",
    "readiness_of": "estimator.readiness.tenant",
    "Reconciled": "estimator.reconcile",
    "reconcile_forecast": "estimator.reconcile",
    "Swing": "estimator.sensitivity",
    "sensitivity_of": "estimator.sensitivity",
}

__all__ = [
    "Backtest",
    "Checkup",
    "Estimate",
    "Finding",
    "Measured",
    "Reconciled",
    "SampleSize",
    "ScenarioEstimate",
    "SiemEstimatorError",
    "Spread",
    "Swing",
    "TenantReadiness",
    "Volume",
    "backtest_of",
    "check",
    "estimate",
    "forecast_of",
    "measure",
    "readiness_of",
    "reconcile_forecast",
    "sample_size_of",
    "sensitivity_of",
]


def __getattr__(name: str) -> Any:
    # Loaded on first use, so that `siem-estimator --help` need not import pandas.
    if name not in _HOMES:
        raise AttributeError(f"module 'estimator' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
