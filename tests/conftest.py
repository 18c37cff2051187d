"""Fixtures that every suite may use."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Research photos and clips that the project uses but does not ship; see the README."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the research data folder ../shared/data is not on this machine")
    return path
