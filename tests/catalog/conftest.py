from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def reference(shared: Path) -> Path:
    return shared / "reference"
