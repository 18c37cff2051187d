"""Cameras that watch different parts of one scene, in one daemon: a visitor counts where he is watched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facesecure.app.assembly import run
from facesecure.camera.synthetic.clip import figure_of
from facesecure.camera.synthetic.figure import Pose
from facesecure.camera.synthetic.portraits import GRACE_HOPPER
from facesecure.camera.synthetic.scene import Sensor
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.config import FacesecureConfig
from facesecure.domain import VerdictKind
from facesecure.storage.store import Store
from support.faces import empty_scene

SIZE, FPS = (480, 270), 5.0

AROUND_THE_LAMP = [[0.5, 0.0], [0.6, 0.0], [0.6, 0.15], [0.7, 0.15], [0.7, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]
"""The right half without a notch at its top: a concave polygon."""
CAMERAS: dict[str, dict[str, Any]] = {
    "everything": {},
    "right": {"zones": [AROUND_THE_LAMP]},
    "left": {"zones": [[0.0, 0.0, 0.45, 1.0], [[0.3, 0.0], [0.5, 0.0], [0.3, 1.0]]]},
    "behind a wire": {"mask": [[[0.0, 0.38], [1.0, 0.3], [1.0, 0.38], [0.0, 0.46]]]},
    "masked": {"mask": [[[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]]},
}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of Grace Hopper, who stands in the right half and sways, from the second second to the ninth."""
    path, visitor = tmp_path_factory.mktemp("zones") / "scene.mp4", figure_of(GRACE_HOPPER)
    sensor, wall = Sensor(SIZE, seed=5, noise=3.0), empty_scene(*SIZE)
    with VideoWriter(path, SIZE, FPS, crf=24) as video:
        for at in np.arange(0, 11, 1 / FPS):
            frame = wall.copy()
            if 2 <= at < 9:
                sway = 4 * np.sin(1.3 * at), 2 * np.sin(2.1 * at)
                visitor.paint(frame, Pose((340 + sway[0], 110 + sway[1]), 70, yaw=0.2 * np.sin(at)))
            video.write(sensor.expose(frame, gain=1.0))
    return path


def test_a_visitor_is_seen_by_the_cameras_that_watch_his_face(scene: Path, tmp_path: Path) -> None:
    tables = [{"name": name, "source": f"file:{scene}", **own} for name, own in CAMERAS.items()]
    config = FacesecureConfig.model_validate({"cameras": tables, "plugins": {"log": {"enabled": False}}})
    run(config, tmp_path, exit_at_end=True)
    with Store.open(tmp_path) as store:
        seen = {(sighting.source, sighting.kind) for sighting in store.sightings()}
    assert seen == {(name, VerdictKind.STRANGER) for name in ("everything", "right", "behind a wire")}
