"""Operations of a table by their key `Workload/Operation`, as the catalogue spells it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from estimator import catalog

if TYPE_CHECKING:  # `measure` names operations without it
    import pandas as pd


def operation_keys(frame: pd.DataFrame) -> pd.Series:
    """The key of each row of a table with the columns `workload` and `operation`.

    An alias or another spelling of case takes the catalogue's key (`SubscribedtoMessages` and
    `SubscribedToMessages` are one operation); an operation the catalogue does not know keeps its own.
    """
    keys = frame["workload"] + "/" + frame["operation"]
    spelling = {key: _spelled(key) for key in keys.unique()}
    return keys.map(spelling).astype("str")


def operation_key(workload: str, operation: str) -> str:
    """The key of one operation, see `operation_keys`."""
    return _spelled(f"{workload}/{operation}")


def _spelled(key: str) -> str:
    return _spelling().get(key.lower(), key)


@cache
def _spelling() -> dict[str, str]:
    out = {}
    for key, operation in catalog.operations().items():
        for name in (operation.name, *operation.aliases):
            out[f"{operation.workload}/{name}".lower()] = key
    return out
