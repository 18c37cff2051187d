"""Fixtures that every suite may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from facesecure.util import redaction

with suppress(ImportError):
    import psycopg  # noqa: F401 - its TLS aborts the process where TensorFlow was loaded first

ROOT = Path(__file__).resolve().parents[1]

pytest_plugins = ["support.faults.homes", "support.faults.recording", "support.service.fixtures"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Research photos and clips that the project uses but does not ship; see the README."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the research data folder ../shared/data is not on this machine")
    return path


@pytest.fixture(autouse=True)
def _no_secret_is_remembered() -> Iterator[None]:
    """What one test calls a secret is an ordinary word in the next."""
    yield
    redaction.forget()
