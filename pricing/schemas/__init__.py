"""The JSON Schema of plan files, `plan.json`; `pricing.schema` makes it from the types."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def schema(name: str = "plan") -> dict[str, Any]:
    """The published JSON Schema of that name."""
    document: dict[str, Any] = json.loads((resources.files(__name__) / f"{name}.json").read_text(encoding="utf-8"))
    return document
