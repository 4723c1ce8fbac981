"""Forecasts what Microsoft 365 audit events add to a SIEM, in events, gigabytes and money, with an interval.

The public API::

    from estimator import estimate

    result = estimate("sample_tenants/law_firm", as_of=date(2026, 11, 23))
    result.to_json()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from estimator.errors import SiemEstimatorError
    from estimator.findings import Finding
    from estimator.forecast import Spread, Volume
    from estimator.pipeline import Estimate, ScenarioEstimate, estimate

_HOMES = {
    "Estimate": "estimator.pipeline",
    "Finding": "estimator.findings",
    "ScenarioEstimate": "estimator.pipeline",
    "SiemEstimatorError": "estimator.errors",
    "Spread": "estimator.forecast",
    "Volume": "estimator.forecast",
    "estimate": "estimator.pipeline",
}

__all__ = ["Estimate", "Finding", "ScenarioEstimate", "SiemEstimatorError", "Spread", "Volume", "estimate"]


def __getattr__(name: str) -> Any:
    # Loaded on first use, so that `siem-estimator --help` need not import pandas.
    if name not in _HOMES:
        raise AttributeError(f"module 'estimator' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
