"""What a running daemon keeps of its cameras for people who look."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facesecure.app.assembly import assembled
from facesecure.camera.sources.attention import Attention
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.config import FacesecureConfig
from facesecure.pipeline.movements import Movements


def passing(path: Path) -> Path:
    """Somebody square walks across a lawn for three seconds."""
    with VideoWriter(path, (320, 240), 10) as video:
        for step in range(40):
            picture = np.full((240, 320, 3), (60, 110, 50), np.uint8)
            if step >= 10:
                picture[80:200, 6 * step : 6 * step + 60] = (230, 220, 210)
            video.write(picture)
    return path


def test_the_newest_frame_and_the_movements_are_kept_for_people_who_look(tmp_path: Path) -> None:
    film, seen = passing(tmp_path / "film.mp4"), []
    config = FacesecureConfig.model_validate(
        {
            "camera": {"source": f"file:{film}"},
            "motion": {"mask": [[0.0, 0.0, 1.0, 1.0]]},
            "plugins": {"speaker": {"enabled": False}},
        }
    )
    with assembled(config, tmp_path / "state") as daemon:
        (camera,) = daemon.cameras
        assert camera.view.picture(320) is None
        daemon.watch(onlooker=lambda frame, _: seen.append(frame.index))
        picture = camera.view.picture(320)
        assert picture is not None
        assert (picture.number, picture.size) == (len(seen), (320, 240)) == (40, (320, 240))
        tried = camera.movements.tried([], [], 0.004)
        assert (tried.movements, tried.left_out) == (1, 0)
        assert camera.movements.tried([(0.0, 0.0, 1.0, 1.0)], [], 0.004).left_out == 1


def test_a_scene_is_busy_for_whoever_needs_it() -> None:
    attention, needs = Attention(), {"drill": False, "looking": False}
    attention.also(lambda: needs["drill"])
    attention.also(lambda: needs["looking"])
    attention.scene = False
    assert not attention.busy
    for one in needs:
        needs[one] = True
        assert attention.busy
        needs[one] = False
    attention.scene = True
    assert attention.busy


def test_another_daemon_goes_on_with_the_movements_of_a_camera(tmp_path: Path) -> None:
    config = FacesecureConfig.model_validate({"camera": {"source": f"file:{passing(tmp_path / 'film.mp4')}"}})
    movements = {"front door": Movements(lambda: [((0.1, 0.1, 0.4, 0.4), 0.05)])}
    movements["front door"].note(-100.0)
    with assembled(config, tmp_path / "state", movements=movements) as daemon:
        daemon.watch()
        assert daemon.cameras[0].movements.tried([], [], 0.004).movements == 2
