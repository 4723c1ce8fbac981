"""The JSON contracts, as JSON Schema: `estimate.json` describes what `estimate --format json` prints, and so on.

`scenario.json` describes the scenario files that people write; `estimator.scenario.schema` makes it from the types.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a contract, by the name of its file: `estimate`, `measure`, `plans-check`, `scenario`, …"""
    text = (resources.files(__name__) / f"{name}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
