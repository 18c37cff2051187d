"""Films of a front door for faults: who comes, and when. Drawn as the demo's clip is, and smaller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import pi, sin
from pathlib import Path

from facesecure.camera.synthetic.clip import figure_of, paint_visit
from facesecure.camera.synthetic.portraits import Portrait
from facesecure.camera.synthetic.scene import Sensor, draw_scene
from facesecure.camera.synthetic.trajectory import Trajectory
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.domain import Image

SIZE, FPS = (960, 540), 10.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who comes ``at`` so many seconds and is gone 4.5 s later; with ``blur`` nobody could tell who."""

    portrait: Portrait
    at: float
    blur: float = 0.0

    def walk(self, width: int) -> Trajectory:
        scale = width / 1280
        near = 130 if self.blur else 200
        return Trajectory(start=self.at, duration=4.5, far=40 * scale, near=near * scale, end_x=0.5, leave=1.0)


def film(
    path: Path,
    seconds: float,
    callers: Sequence[Caller],
    size: tuple[int, int] = SIZE,
    fps: float = FPS,
    seed: int = 0,
    crf: int = 24,
) -> Path:
    """A film of ``seconds`` at ``path``."""
    with VideoWriter(path, size, fps, crf=crf, preset="ultrafast") as writer:
        for picture in pictures(seconds, callers, size, fps, seed):
            writer.write(picture)
    return path


def pictures(
    seconds: float, callers: Sequence[Caller], size: tuple[int, int] = SIZE, fps: float = FPS, seed: int = 0
) -> Iterator[Image]:
    """The film's pictures, uint8 RGB, under light that drifts, with the noise of a sensor."""
    scene, sensor = draw_scene(size, 0), Sensor(size, seed)
    visits = [(caller, caller.walk(size[0]), figure_of(caller.portrait)) for caller in callers]
    for index in range(round(seconds * fps)):
        at = index / fps
        picture = scene.image.copy()
        for caller, walk, figure in visits:
            paint_visit(picture, scene, figure, walk, at, fps, caller.blur, 0.5 if caller.blur else 1.0)
        yield sensor.expose(picture, gain=1.0 + 0.04 * sin(2 * pi * at / 300.0))
