from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def reference() -> Path:
    folder = Path(__file__).parents[2].parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip("the reference files are not beside this checkout")
    return folder
