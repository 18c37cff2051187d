"""A camera with two streams: faces are searched in the small one, and recognised in the large one."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from facesecure.app import assembly
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.config import FacesecureConfig

SHARE = 8
"""The main stream is this many times as wide as the other."""


@pytest.fixture(scope="module")
def sub_clip(door_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The door's clip as the camera's sub-stream shows it."""
    path = tmp_path_factory.mktemp("sub") / "sub.mp4"
    with av.open(str(door_clip)) as clip:
        stream = clip.streams.video[0]
        size = stream.width // SHARE // 2 * 2, stream.height // SHARE // 2 * 2
        with VideoWriter(path, size, float(stream.average_rate or 15)) as video:
            for frame in clip.decode(stream):
                image = frame.to_ndarray(format="rgb24")
                video.write(np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8))
    return path


def scores_at(camera: dict[str, object], household: Path, state: Path) -> dict[str, float]:
    """How alike those who came while ``camera`` played were to whom they were taken for."""
    shutil.copytree(household, state)
    config = FacesecureConfig.model_validate({"camera": {**camera, "file_speed": "real", "min_face": 12}})
    with assembly.assembled(config, state) as daemon:
        daemon.watch()
        found = daemon.store.sightings(limit=100, latest_only=True)
    return {one.name: one.verdict.score or 0.0 for one in found if one.name}


@pytest.mark.slow
def test_who_is_small_in_the_sub_stream_is_recognised_in_the_main_stream(door_clip, sub_clip, household, tmp_path):
    alone = scores_at({"source": f"file:{sub_clip}"}, household, tmp_path / "sub")
    both = {"source": f"file:{door_clip}", "detect": f"file:{sub_clip}"}
    closer = scores_at(both, household, tmp_path / "both")
    assert closer["Grace Hopper"] > alone.get("Grace Hopper", 0.0) + 0.02


@pytest.mark.slow
def test_a_main_stream_that_is_lost_leaves_the_watch_as_it_is(door_clip, household, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film" * 1000)
    both = {"source": f"file:{broken}", "detect": f"file:{door_clip}"}
    assert "Grace Hopper" in scores_at(both, household, tmp_path / "both")
