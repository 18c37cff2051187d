"""Films, households and homes in which faults are injected and attacks tried: fixtures for every test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.app.demo.demo import enrol
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, GRACE_HOPPER
from support.faults.film import Caller, film
from support.faults.household import Home
from support.service.journey import config_for


@pytest.fixture(scope="session")
def strangers_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A door at which a stranger comes after a second and then every ten, for two minutes."""
    path = tmp_path_factory.mktemp("film") / "strangers.mp4"
    film(path, 120, [Caller(EILEEN_COLLINS, at) for at in range(1, 115, 10)])
    return path


@pytest.fixture(scope="session")
def family_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A door at which Grace Hopper comes after a second and then every ten, for two minutes."""
    path = tmp_path_factory.mktemp("film") / "family.mp4"
    film(path, 120, [Caller(GRACE_HOPPER, at) for at in range(1, 115, 10)])
    return path


@pytest.fixture(scope="session")
def household(tmp_path_factory: pytest.TempPathFactory, strangers_film: Path) -> Path:
    """A state directory in which Grace Hopper is enrolled."""
    state_dir = tmp_path_factory.mktemp("household")
    enrol(config_for(strangers_film), state_dir)
    return state_dir


@pytest.fixture
def home(tmp_path: Path, strangers_film: Path, household: Path) -> Iterator[Home]:
    """A home of its own, whose door the film of strangers shows."""
    shutil.copytree(household, tmp_path / "state")
    (tmp_path / "state").chmod(0o700)
    home = Home(tmp_path, strangers_film)
    yield home
    home.kill()
