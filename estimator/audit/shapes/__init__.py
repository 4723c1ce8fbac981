"""The export shapes, one module each; a module with a `SHAPE` is found by itself."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from estimator.audit.shape import Recogniser


@cache
def all_shapes() -> tuple[Recogniser, ...]:
    """Every shape, in the order in which they are asked."""
    found = [import_module(f"{__name__}.{module.name}").SHAPE for module in iter_modules(__path__)]
    return tuple(sorted(found, key=lambda one: (one.order, one.kind)))
