"""Audit exports: recognise one by its content, and reduce any number of them to counts and bytes.

Importing this package is cheap: DuckDB and pandas are loaded by the first call of `reduce` or `measure`.
CONTRIBUTING.md's "add an export shape" starts at `shapes/`.
"""

from __future__ import annotations

from estimator.audit.account import FileCount, Reduction, Reject
from estimator.audit.measure import Measured, measure
from estimator.audit.recognise import recognise
from estimator.audit.reduce import reduce
from estimator.audit.shape import Shape

__all__ = ["FileCount", "Measured", "Reduction", "Reject", "Shape", "measure", "recognise", "reduce"]
