"""Draw the benchmark's clip: a minute at a front door, 1920x1080, with the ground truth of every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi, sin
from pathlib import Path

import cv2
import numpy as np

from benchmarks.cast import Person
from benchmarks.labels import Corners, Labels, Sight, Visit, covered
from facesecure.camera.synthetic.figure import Degradation, Figure, Pose
from facesecure.camera.synthetic.scene import HEDGE_LEFT, Scene, Sensor, draw_scene
from facesecure.camera.synthetic.trajectory import Trajectory
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.domain import Image

SIZE = (1920, 1080)
FPS = 15.0
USABLE_SIZE = 40.0
_PLACES = (0.36, 0.49, 0.60)
SECONDS = 60.0
GROUPS = (2, 3, 3, 3, 3, 3, 3)
_EMPTY_FIRST, _LONG_GAP, _SHORT_GAP = 5.0, 6.5, 0.6
_SHUTTER = 0.5
_PHOTOS_A_VISIT = 3


@dataclass(frozen=True)
class Guest:
    """One visit to draw; ``blur`` is defocus as a fraction of the face's width."""

    person: Person
    walk: Trajectory
    figures: Sequence[Figure]
    blur: float

    def figure(self, time: float) -> Figure:
        """Return the figure at ``time``: photos alternate, since a real face changes too."""
        share = (time - self.walk.start) / self.walk.duration
        return self.figures[min(int(share * len(self.figures)), len(self.figures) - 1)]


def plan(cast: Sequence[Person], rng: np.random.Generator, groups: Sequence[int] = GROUPS) -> list[Guest]:
    """Plan the visits: each member twice and each stranger once, in small groups with pauses between."""
    coming = [person for person in cast for _ in range(2 if person.household else 1)]
    while len(coming) < sum(groups):
        coming += list(cast)
    order = _order(coming, groups, rng)
    guests: list[Guest] = []
    time = _EMPTY_FIRST
    for number, size in enumerate(groups):
        party = [_guest(order.pop(), time + 0.7 * place, place, rng) for place in range(size)]
        guests += party
        time = max(guest.walk.end for guest in party) + (_LONG_GAP if number % 3 == 1 else _SHORT_GAP)
    return guests


def _order(coming: Sequence[Person], groups: Sequence[int], rng: np.random.Generator) -> list[Person]:
    """Return a random order (taken from its end) in which no group holds a person twice, if there are enough people."""
    order = list(coming)
    for _ in range(1000):
        order = [coming[int(index)] for index in rng.permutation(len(coming))]
        names = iter([person.name for person in reversed(order)])
        parties = [[next(names) for _ in range(size)] for size in groups]
        if all(len(set(party)) == len(party) for party in parties):
            break
    return order


def _guest(person: Person, start: float, place: int, rng: np.random.Generator) -> Guest:
    walk = Trajectory(
        start=start,
        duration=float(rng.uniform(3.5, 4.1)),
        far=float(rng.uniform(34, 42)),
        near=float(rng.uniform(140, 220)),
        end_x=_PLACES[place] + float(rng.uniform(-0.03, 0.03)),
        swing=float(rng.uniform(0, 2 * pi)),
        leave=0.8,
    )
    return Guest(person, walk, person.figures(_PHOTOS_A_VISIT), float(rng.uniform(0.0, 0.012)))


def make(path: Path, guests: Sequence[Guest], seconds: float, seed: int, size: tuple[int, int] = SIZE) -> Labels:
    """Draw, encode (H.264, crf 20) and label the clip."""
    scene, sensor = draw_scene(size, seed), Sensor(size, seed)
    sights: list[dict[int, Sight]] = [{} for _ in guests]
    frames = round(seconds * FPS)
    with VideoWriter(path, size, FPS, crf=20, preset="veryfast") as video:
        for index in range(frames):
            image = scene.image.copy()
            for number, sight in draw(image, scene, guests, index / FPS).items():
                sights[number][index] = sight
            video.write(sensor.expose(image, exposure(index / FPS)))
    visits = tuple(
        Visit(guest.person.name, guest.person.household, seen) for guest, seen in zip(guests, sights, strict=True)
    )
    return Labels(FPS, size, frames, visits)


def draw(image: Image, scene: Scene, guests: Sequence[Guest], time: float) -> dict[int, Sight]:
    """Paint all people present, the farthest first. Return what can be seen of each, by number."""
    size = (image.shape[1], image.shape[0])
    poses = {n: pose for n, guest in enumerate(guests) if (pose := guest.walk.pose(time, size)) is not None}
    seen: dict[int, Sight] = {}
    nearer: list[Corners] = []
    for number in sorted(poses, key=lambda n: -poses[n].size):
        guest, pose = guests[number], poses[number]
        box = _corners(guest.figure(time), pose)
        seen[number] = _sight(guest, pose, time, size, box, covered(box, nearer))
        nearer.append(box)
    for number in sorted(poses, key=lambda n: poses[n].size):
        guest, pose = guests[number], poses[number]
        guest.figure(time).paint(image, pose, Degradation(guest.blur * pose.size, _step(guest, pose, time, size)))
        if guest.walk.behind_hedge(time):
            cv2.copyTo(scene.image, scene.hedge, image)
    return seen


def exposure(time: float) -> float:
    """Return the light's gain: a slow drift, a cloud from 23 to 32 s, a lamp switched on from 46.5 to 52 s."""
    drift = 1.0 + 0.05 * sin(2 * pi * time / 23.0)
    cloud = np.interp(time, (23, 24, 31, 32), (1, 0.62, 0.62, 1))
    lamp = np.interp(time, (46.5, 46.8, 51.7, 52.0), (1, 1.2, 1.2, 1))
    return float(drift * cloud * lamp)


def _step(guest: Guest, pose: Pose, time: float, size: tuple[int, int]) -> tuple[float, float]:
    """Return the movement of the face while the shutter is open, pixels in x and y."""
    before = guest.walk.pose(time - _SHUTTER / FPS, size)
    return (pose.centre[0] - before.centre[0], pose.centre[1] - before.centre[1]) if before else (0.0, 0.0)


def _sight(guest: Guest, pose: Pose, time: float, size: tuple[int, int], box: Corners, hidden: bool) -> Sight:
    edge = HEDGE_LEFT * size[0] if guest.walk.behind_hedge(time) else size[0]
    inside = box[0] >= 0 and box[1] >= 0 and box[2] <= edge and box[3] <= size[1]
    visible = inside and not hidden
    blur = float(np.hypot(*_step(guest, pose, time, size))) / pose.size
    sharp = blur < 0.12 and guest.blur < 0.03
    usable = visible and sharp and pose.size >= USABLE_SIZE and abs(pose.yaw) < 0.6
    return Sight(box, visible, usable)


def _corners(figure: Figure, pose: Pose) -> Corners:
    box = figure.box_at(pose)
    return (round(box.left, 1), round(box.top, 1), round(box.right, 1), round(box.bottom, 1))
