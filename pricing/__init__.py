"""Money: from daily usage to a bill, under price tables that are files.

    from pricing import Terms, Usage, find_plan
    from pricing.bill import bill

    plan = find_plan("sentinel-eastus")
    usage = Usage.from_bytes(plan, days, {"CloudAppEvents": bytes_per_day})
    print(bill(plan, usage, Terms(commitment="best", retention_days=365)).total)

The package knows nothing of Microsoft 365. Names are loaded when they are first used, so that importing it costs
neither pydantic nor numpy. (`bill`, `money` and `run_rate` are modules of the same name, and are imported from there.)
The format of a plan is described in `pricing/README.md`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pricing.bill import Bill, Charge
    from pricing.commitment import Quote, Schedule, break_even, choose, compare
    from pricing.days import fiscal_years
    from pricing.draws import DrawBill, bill_draws
    from pricing.errors import NoPriceError, PlanError, PlanFileError, SiemEstimatorError, TermsError, UsageShapeError
    from pricing.examples import ExampleResult, run_examples
    from pricing.plan import Plan, find_plan, load_plan, parse_plan, reprice, shipped_plans
    from pricing.settle import committable_gb
    from pricing.usage import Terms, Usage

_MODULES = {
    "bill": ("Bill", "Charge"),
    "commitment": ("Quote", "Schedule", "break_even", "choose", "compare"),
    "days": ("fiscal_years",),
    "draws": ("DrawBill", "bill_draws"),
    "errors": ("NoPriceError", "PlanError", "PlanFileError", "SiemEstimatorError", "TermsError", "UsageShapeError"),
    "examples": ("ExampleResult", "run_examples"),
    "plan": ("Plan", "find_plan", "load_plan", "parse_plan", "reprice", "shipped_plans"),
    "settle": ("committable_gb",),
    "usage": ("Terms", "Usage"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Bill",
    "Charge",
    "DrawBill",
    "ExampleResult",
    "NoPriceError",
    "Plan",
    "PlanError",
    "PlanFileError",
    "Quote",
    "Schedule",
    "SiemEstimatorError",
    "Terms",
    "TermsError",
    "Usage",
    "UsageShapeError",
    "bill_draws",
    "break_even",
    "choose",
    "committable_gb",
    "compare",
    "find_plan",
    "fiscal_years",
    "load_plan",
    "parse_plan",
    "reprice",
    "run_examples",
    "shipped_plans",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"pricing.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
