"""Fixtures for an estate whose doors share people; list this module in ``pytest_plugins``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hub_people import SharingDoor, SharingEstate


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[SharingEstate]:
    """An estate without doors."""
    made = SharingEstate(tmp_path)
    yield made
    made.close()


@pytest.fixture
def front(estate: SharingEstate) -> SharingDoor:
    """Its manager's door."""
    return estate.add("front")


@pytest.fixture
def garage(estate: SharingEstate, front: SharingDoor) -> SharingDoor:
    """A second door of the same household."""
    return estate.add("garage")
