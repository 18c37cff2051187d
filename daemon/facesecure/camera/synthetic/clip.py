"""Render the demo's clip from two portraits: a known visitor, a stranger, and one too blurred to identify.

Everything is seeded: the same seed gives the same frames. The ground truth is returned with the clip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import cos, pi, sin
from pathlib import Path

import cv2
import numpy as np

from facesecure.camera.synthetic.figure import SHARP, Degradation, Figure, Pose
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
    """Ground truth of one visit: the person, the expected verdict, and the face's box in every frame that shows it.

    ``boxes`` maps a frame's index to the face's box in that frame's pixels.
    """

    who: str
    expected: VerdictKind
    boxes: Mapping[int, Box] = field(repr=False)
    fps: float = FPS

    @property
    def start(self) -> float:
        """Seconds into the clip when the face appears."""
        return min(self.boxes) / self.fps

    @property
    def end(self) -> float:
        """Seconds into the clip when the face has gone."""
        return (max(self.boxes) + 1) / self.fps


@dataclass(frozen=True, slots=True)
class Visit:
    """One person's walk: ``blur`` is defocus as a fraction of the face's width, ``contrast`` 1 is unchanged."""

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
    """Write the clip (24.4 s, 1280x720, 15 frames a second) to ``path``. Return its ground truth."""
    with VideoWriter(path, SIZE, FPS, crf=21, preset="ultrafast") as video:
        for image in render(seed):
            video.write(image)
    return timeline()


def timeline() -> list[Appearance]:
    """Return the ground truth of the clip, in order of time, with boxes where the face lies wholly in the frame."""
    figures = [figure_of(visit.portrait) for visit in VISITS]
    return [
        Appearance(visit.portrait.name, visit.expected, visible_boxes(visit.walk, figure, SIZE, FPS, SECONDS))
        for visit, figure in zip(VISITS, figures, strict=True)
    ]


def render(seed: int = 0) -> Iterator[Image]:
    """Yield the clip's frames, uint8 RGB (720, 1280, 3)."""
    scene, sensor = draw_scene(SIZE, seed), Sensor(SIZE, seed)
    figures = [figure_of(visit.portrait) for visit in VISITS]
    for index in range(round(SECONDS * FPS)):
        time = index / FPS
        image = scene.image.copy()
        for visit, figure in zip(VISITS, figures, strict=True):
            paint_visit(image, scene, figure, visit.walk, time, FPS, visit.blur, visit.contrast)
        yield sensor.expose(image, gain=1.0 + 0.06 * sin(2 * pi * time / 19.0))


def paint_visit(
    image: Image,
    scene: Scene,
    figure: Figure,
    walk: Trajectory,
    time: float,
    fps: float,
    blur: float = 0.0,
    contrast: float = 1.0,
) -> None:
    """Paint a walking figure into ``image``, blurred by its own movement, and behind the hedge while it is there."""
    size = (image.shape[1], image.shape[0])
    pose = walk.pose(time, size)
    if pose is None:
        return
    figure.paint(image, pose, _degradation(pose, walk.pose(time - 1 / fps, size), blur, contrast))
    if walk.behind_hedge(time):
        cv2.copyTo(scene.image, scene.hedge, image)


def visible_boxes(
    walk: Trajectory, figure: Figure, size: tuple[int, int], fps: float, seconds: float
) -> dict[int, Box]:
    """Return the face's box by frame index, for every frame that shows it whole."""
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


def enrolment_images(count: int = 8, seed: int = 7) -> list[Image]:
    """Return images to enrol the known person from, uint8 RGB: her portrait in varied light, angle, size and focus.

    One photograph cannot show a face's other sides; a household's own photos make better templates than these.
    """
    rng = np.random.default_rng(seed)
    figure = figure_of(GRACE_HOPPER)
    # All around: left, up, right, down and between, as `facesecure enroll --camera` asks a person to look.
    angles = [2 * pi * index / count for index in range(count)]
    return [_enrolment_image(figure.turned(0.38 * cos(a), 0.28 * sin(a)), 0.3 * cos(a), rng) for a in angles]


def _enrolment_image(figure: Figure, turn: float, rng: np.random.Generator) -> Image:
    tone = rng.integers(70, 200) + rng.integers(-12, 12, 3)
    wall = np.linspace(tone, tone * 0.7, 640)[:, None].repeat(640, 1).astype(np.uint8)
    size = float(rng.uniform(70, 210))
    pose = Pose((320 + float(rng.uniform(-30, 30)), 260.0), size, yaw=turn, roll=float(rng.uniform(-0.2, 0.2)))
    figure.paint(wall, pose, Degradation(defocus=float(rng.uniform(0.0, 0.012)) * size))
    return _lit(wall, rng)


def _lit(image: Image, rng: np.random.Generator) -> Image:
    """Return the image in other light (from a side, above or below; warmer, colder, brighter, darker), with noise."""
    across, down = rng.uniform(-0.35, 0.35, 2)
    y, x = np.mgrid[-1 : 1 : image.shape[0] * 1j, -1 : 1 : image.shape[1] * 1j]
    light = (1 + 2 * across * x + down * y).clip(0.35, 1.6)[..., None] * (1 + rng.uniform(-0.12, 0.12, 3))
    bright = 255 * (image / 255.0) ** rng.uniform(0.75, 1.3) * light
    return np.asarray(np.clip(bright + rng.normal(0, 3, image.shape), 0, 255), np.uint8)


def figure_of(portrait: Portrait) -> Figure:
    """Return the person of ``portrait`` as a figure, cut out and with a body."""
    return Figure.from_bust(portrait.image(), portrait.mask(), portrait.points())


def _degradation(pose: Pose, before: Pose | None, blur: float, contrast: float) -> Degradation:
    """Return the degradation of a moving figure: half a frame's movement, as a shutter open for half the time sees."""
    if before is None:
        return SHARP if blur == 0 and contrast == 1.0 else Degradation(blur * pose.size, (0, 0), contrast)
    step = tuple((now - then) / 2 for now, then in zip(pose.centre, before.centre, strict=True))
    return Degradation(blur * pose.size, (step[0], step[1]), contrast)
