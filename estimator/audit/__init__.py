"""Audit exports: recognise one by its content, and reduce any number of them to counts and bytes.

Importing this package is cheap: DuckDB and pandas are loaded by the first call of `reduce`. CONTRIBUTING.md's "add an
export shape" starts at `shape.py`.
"""

from __future__ import annotations

from estimator.audit.recognise import recognise
from estimator.audit.reduce import FileCount, Reduction, Reject, reduce
from estimator.audit.shape import Shape

__all__ = ["FileCount", "Reduction", "Reject", "Shape", "recognise", "reduce"]
