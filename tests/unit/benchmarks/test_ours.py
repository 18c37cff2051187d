"""facesecure in the door benchmark, over a video of half a second."""

from __future__ import annotations

import pytest

from benchmarks.systems.ours import Run, WholeFrames
from facesecure.camera.synthetic.clip import render
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.vision.detection.scripted import ScriptedDetector
from support.builders import face_at, frame_at


@pytest.mark.slow
def test_every_stage_of_the_real_wiring_is_on_the_stopwatch(tmp_path):
    frames = [image for index, image in enumerate(render()) if 60 <= index < 90 and index % 3 == 0]
    with VideoWriter(tmp_path / "door.mp4", (1280, 720), 5.0) as film:
        for image in frames:
            film.write(image)
    run = Run(tmp_path / "door.mp4", tmp_path / "state")
    run.go()
    assert len(run.cpu) == len(frames)
    timed = {stage for frame in run.stages for stage in frame}
    assert {"decode", "motion", "detect", "align", "embed", "track"} <= timed
    assert run.memory["run"] >= run.memory["assembled"] >= run.memory["imported"]


def test_every_search_can_be_of_the_whole_frame_for_comparison():
    face, search = face_at(100, 100), WholeFrames()
    assert [search.find(ScriptedDetector([[face]]), frame_at(at), (), ()) for at in (0.0, 0.2)] == [[face], [face]]
