"""Tests of the booted system; its fixtures are in ``support.service.fixtures``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.service.packages import Packages


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """The Debian packages of this run, which all its processes share."""
    own = tmp_path_factory.getbasetemp()
    return Packages(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """None of these is quick."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
