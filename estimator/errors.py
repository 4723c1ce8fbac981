"""Errors of the estimator: one root, one class for each kind of input that can be refused."""

from __future__ import annotations

from pricing.errors import NoPriceError, PlanError, SiemEstimatorError

__all__ = [
    "AuditExportError",
    "InventoryError",
    "NoPriceError",
    "OutputError",
    "PlanError",
    "ScenarioError",
    "SiemEstimatorError",
    "TableError",
    "TenantFolderError",
    "UsageError",
]


class UsageError(SiemEstimatorError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 2


class TenantFolderError(SiemEstimatorError):
    """The tenant folder is missing, empty, or lacks an input that is needed."""


class InventoryError(SiemEstimatorError):
    """A mailbox, licence or activity file cannot be used."""


class AuditExportError(SiemEstimatorError):
    """An audit export cannot be used."""


class ScenarioError(SiemEstimatorError):
    """A scenario file is malformed or contradicts the tenant."""


class OutputError(SiemEstimatorError):
    """A result cannot be written where it was asked for."""


class TableError(SiemEstimatorError):
    """A step was handed a table that does not keep its declaration: a bug, or a library caller's mistake."""

    exit_code = 70
