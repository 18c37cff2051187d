"""The clip and the household that journeys share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.app.demo.demo import enrol
from facesecure.camera.synthetic.clip import make_clip
from support.delivery import end_at_leisure
from support.service.journey import config_for


@pytest.fixture(scope="session", autouse=True)
def _what_is_ready_is_delivered_at_the_end() -> Iterator[None]:
    """A daemon in the tests' own process waits a minute, not two seconds: the machine may be paused as it ends."""
    with pytest.MonkeyPatch.context() as patched:
        end_at_leisure(patched)
        yield


@pytest.fixture(scope="session")
def door_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's clip: somebody known, a stranger, and one too blurred to tell."""
    path = tmp_path_factory.mktemp("clip") / "door.mp4"
    make_clip(path)
    return path


@pytest.fixture(scope="session")
def household(tmp_path_factory: pytest.TempPathFactory, door_clip: Path) -> Path:
    """A state directory in which Grace Hopper is enrolled."""
    state_dir = tmp_path_factory.mktemp("household")
    enrol(config_for(door_clip), state_dir)
    return state_dir
