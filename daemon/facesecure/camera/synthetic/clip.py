"""The demo's clip, made from two portraits: one visitor who is known, one who is not, one too blurred to tell.

Everything is seeded; the same seed gives the same pictures. What is true of the clip is returned beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import cos, pi, sin
from pathlib import Path

import cv2
import numpy as np

from facesecure.camera.synthetic.figure import SHARP, Figure, Pose, Smear
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, GRACE_HOPPER, Portrait
from facesecure.camera.synthetic.scene import HEDGE_LEFT, Scene, Sensor, draw_scene
from facesecure.camera.synthetic.trajectory import Trajectory
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.domain import Box, Image, VerdictKind

SIZE = (1280, 720)
FPS = 15.0
SECONDS = 24.4


@dataclass(frozen=True, slots=True)
class Appearance:
    """What is true of one visit: who, the verdict that fits, and the face's box in every frame it is in.

    ``boxes`` maps a frame's index to the face's box in that frame's pixels.
    """

    who: str
    expected: VerdictKind
    boxes: Mapping[int, Box] = field(repr=False)
    fps: float = FPS

    @property
    def start(self) -> float:
        """Seconds into the clip when the face comes in."""
        return min(self.boxes) / self.fps

    @property
    def end(self) -> float:
        """Seconds into the clip when it is gone."""
        return (max(self.boxes) + 1) / self.fps


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody on their way: ``blur`` is defocus as a fraction of the face's width, ``contrast`` 1 is untouched."""

    portrait: Portrait
    expected: VerdictKind
    walk: Trajectory
    blur: float = 0.0
    contrast: float = 1.0


VISITS = (
    Visit(GRACE_HOPPER, VerdictKind.KNOWN, Trajectory(start=1.6, duration=6.0, far=40, near=205, swing=0.4)),
    Visit(
        EILEEN_COLLINS,
        VerdictKind.STRANGER,
        Trajectory(start=9.9, duration=5.6, far=40, near=195, swing=1.5, end_x=0.5),
    ),
    Visit(
        EILEEN_COLLINS,
        VerdictKind.UNIDENTIFIED,
        Trajectory(start=18.3, duration=5.2, far=38, near=130, swing=2.6, end_x=0.44),
        blur=0.09,
        contrast=0.5,
    ),
)


def make_clip(path: Path, seed: int = 0) -> list[Appearance]:
    """Write the clip (24.4 s, 1280x720, 15 frames a second) to ``path`` and return what is true of it."""
    with VideoWriter(path, SIZE, FPS, crf=21, preset="ultrafast") as film:
        for image in render(seed):
            film.write(image)
    return timeline()


def timeline() -> list[Appearance]:
    """What is true of the clip, in order of time. Boxes are given where the face lies wholly in the picture."""
    figures = [figure_of(visit.portrait) for visit in VISITS]
    return [
        Appearance(visit.portrait.name, visit.expected, visible_boxes(visit.walk, figure, SIZE, FPS, SECONDS))
        for visit, figure in zip(VISITS, figures, strict=True)
    ]


def render(seed: int = 0) -> Iterator[Image]:
    """The clip's frames, uint8 RGB."""
    scene, sensor = draw_scene(SIZE, seed), Sensor(SIZE, seed)
    figures = [figure_of(visit.portrait) for visit in VISITS]
    for index in range(round(SECONDS * FPS)):
        time = index / FPS
        picture = scene.picture.copy()
        for visit, figure in zip(VISITS, figures, strict=True):
            paint_visit(picture, scene, figure, visit.walk, time, FPS, visit.blur, visit.contrast)
        yield sensor.expose(picture, gain=1.0 + 0.06 * sin(2 * pi * time / 19.0))


def paint_visit(
    picture: Image,
    scene: Scene,
    figure: Figure,
    walk: Trajectory,
    time: float,
    fps: float,
    blur: float = 0.0,
    contrast: float = 1.0,
) -> None:
    """Put a walking figure into ``picture``, blurred by its own movement, and behind the hedge while it is there."""
    size = (picture.shape[1], picture.shape[0])
    pose = walk.pose(time, size)
    if pose is None:
        return
    figure.paint(picture, pose, _smear(pose, walk.pose(time - 1 / fps, size), blur, contrast))
    if walk.behind_hedge(time):
        cv2.copyTo(scene.picture, scene.hedge, picture)


def visible_boxes(
    walk: Trajectory, figure: Figure, size: tuple[int, int], fps: float, seconds: float
) -> dict[int, Box]:
    """The face's box by frame index, for every frame that shows it whole."""
    boxes = {}
    for index in range(round(seconds * fps)):
        pose = walk.pose(index / fps, size)
        if pose is None:
            continue
        box = figure.box_at(pose)
        right = HEDGE_LEFT * size[0] if walk.behind_hedge(index / fps) else size[0]
        if box.left >= 0 and box.right <= right and box.top >= 0 and box.bottom <= size[1]:
            boxes[index] = box
    return boxes


def enrolment_pictures(count: int = 8, seed: int = 7) -> list[Image]:
    """Pictures to enrol the known person from, uint8 RGB: her portrait in other light, turned, tilted, nearer, softer.

    One photograph cannot show a face's other sides; a family's own photos make better templates than these.
    """
    rng = np.random.default_rng(seed)
    figure = figure_of(GRACE_HOPPER)
    # Round about: left, up, right, down and between, as the command asks a person to look.
    ways = [2 * pi * index / count for index in range(count)]
    return [_enrolment_picture(figure.turned(0.38 * cos(way), 0.28 * sin(way)), 0.3 * cos(way), rng) for way in ways]


def _enrolment_picture(figure: Figure, turn: float, rng: np.random.Generator) -> Image:
    tone = rng.integers(70, 200) + rng.integers(-12, 12, 3)
    wall = np.linspace(tone, tone * 0.7, 640)[:, None].repeat(640, 1).astype(np.uint8)
    size = float(rng.uniform(70, 210))
    pose = Pose((320 + float(rng.uniform(-30, 30)), 260.0), size, yaw=turn, roll=float(rng.uniform(-0.2, 0.2)))
    figure.paint(wall, pose, Smear(defocus=float(rng.uniform(0.0, 0.012)) * size))
    return _lit(wall, rng)


def _lit(picture: Image, rng: np.random.Generator) -> Image:
    """Other light: from one side, from above or below, warmer or colder, brighter or darker; and some noise."""
    across, down = rng.uniform(-0.35, 0.35, 2)
    y, x = np.mgrid[-1 : 1 : picture.shape[0] * 1j, -1 : 1 : picture.shape[1] * 1j]
    light = (1 + 2 * across * x + down * y).clip(0.35, 1.6)[..., None] * (1 + rng.uniform(-0.12, 0.12, 3))
    bright = 255 * (picture / 255.0) ** rng.uniform(0.75, 1.3) * light
    return np.asarray(np.clip(bright + rng.normal(0, 3, picture.shape), 0, 255), np.uint8)


def figure_of(portrait: Portrait) -> Figure:
    """The person of ``portrait``, cut out and given a body."""
    return Figure.from_bust(portrait.image(), portrait.mask(), portrait.points())


def _smear(pose: Pose, before: Pose | None, blur: float, contrast: float) -> Smear:
    """Half a frame's movement, which is what a shutter open for half the time sees."""
    if before is None:
        return SHARP if blur == 0 and contrast == 1.0 else Smear(blur * pose.size, (0, 0), contrast)
    step = tuple((now - then) / 2 for now, then in zip(pose.centre, before.centre, strict=True))
    return Smear(blur * pose.size, (step[0], step[1]), contrast)
