"""The images on which detectors are compared, each with the positions of its faces."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from facesecure.domain import Box, Image

FACE_SHARE = 0.36
"""Width of the face's box in an LFW photo, as a share of the photo's side."""

HARD_SIZES = (30, 36, 40, 48, 64, 96, 150)


@dataclass(frozen=True, slots=True)
class Spot:
    """A face to be found, with its centre within ``reach`` pixels of (x, y)."""

    x: float
    y: float
    reach: float
    size: int = 0

    def holds(self, box: Box) -> bool:
        x, y = box.centre
        return abs(x - self.x) <= self.reach and abs(y - self.y) <= self.reach


@dataclass(frozen=True, slots=True)
class Sample:
    """An image, uint8 RGB. ``spots`` are the faces to be found, None where they are not annotated."""

    image: Image
    spots: tuple[Spot, ...] | None


def read_rgb(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise SystemExit(f"{path} is not a picture")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def lfw_paths(data: Path, seed: int) -> list[Path]:
    paths = sorted((data / "lfw-dev/images").glob("*/*.jpg"))
    random.Random(seed).shuffle(paths)
    return paths


def portraits(data: Path, count: int, seed: int) -> Iterator[Sample]:
    """Yield LFW photos: the named face is the one in the middle; others may be around it."""
    for path in lfw_paths(data, seed)[:count]:
        image = read_rgb(path)
        height, width = image.shape[:2]
        yield Sample(image, (Spot(width / 2, height / 2, width / 6),))


def lighting(data: Path) -> Iterator[Sample]:
    """Yield faces under one lamp each, cropped tightly, grey."""
    for path in sorted((data / "lighting").glob("*/*.pgm")):
        image = read_rgb(path)
        height, width = image.shape[:2]
        yield Sample(image, (Spot(width / 2, height / 2, width / 4),))


def faceless(folder: Path) -> Iterator[Sample]:
    for path in sorted(folder.glob("*.jpg")):
        yield Sample(read_rgb(path), ())


def street(data: Path, every: int = 10) -> Iterator[Sample]:
    with av.open(str(data / "clips/street-strangers.mp4")) as clip:
        for number, frame in enumerate(clip.decode(video=0)):
            if number % every == 0:
                yield Sample(frame.to_ndarray(format="rgb24"), None)


def hard(data: Path, count: int, seed: int) -> Iterator[Sample]:
    """Yield LFW photos at seven sizes in 1280x720 scenes without faces: dark, noisy, blurred, rolled or unchanged."""
    chance = random.Random(seed)
    faces = iter(lfw_paths(data, seed + 1))
    scenes = sorted((data / "negatives/scenes").glob("*.jpg"))
    for scene in chance.sample(scenes, min(count, len(scenes))):
        canvas = np.array(cv2.resize(read_rgb(scene), (1280, 720), interpolation=cv2.INTER_CUBIC))
        places = chance.sample([(column, row) for column in range(4) for row in range(2)], len(HARD_SIZES))
        spots = [
            _paste(canvas, _worsened(read_rgb(next(faces)), size, chance), column, row, size)
            for (column, row), size in zip(places, HARD_SIZES, strict=True)
        ]
        yield Sample(canvas, tuple(spots))


def _paste(canvas: Image, photo: Image, column: int, row: int, size: int) -> Spot:
    side = min(photo.shape[0], 360)
    trim = (photo.shape[0] - side) // 2
    left = min(max(160 + 320 * column - side // 2, 0), 1280 - side)
    top = 180 + 360 * row - side // 2
    canvas[top : top + side, left : left + side] = photo[trim : trim + side, trim : trim + side]
    return Spot(left + side / 2, top + side / 2, size / 2, size)


def _worsened(photo: Image, size: int, chance: random.Random) -> Image:
    side = round(size / FACE_SHARE)
    method = cv2.INTER_AREA if side < photo.shape[0] else cv2.INTER_CUBIC
    scaled = np.asarray(cv2.resize(photo, (side, side), interpolation=method), np.float32)
    worse = chance.choice(_HARDSHIPS)(scaled, chance)
    return np.clip(worse, 0, 255).astype(np.uint8)


def _dark(photo: np.ndarray, chance: random.Random) -> np.ndarray:
    return photo * chance.uniform(0.12, 0.35)


def _noisy(photo: np.ndarray, chance: random.Random) -> np.ndarray:
    return photo * 0.6 + np.random.default_rng(chance.getrandbits(32)).normal(0, 16, photo.shape)


def _smeared(photo: np.ndarray, chance: random.Random) -> np.ndarray:
    length = max(3, round(photo.shape[0] * FACE_SHARE * chance.uniform(0.08, 0.18))) | 1
    return cv2.blur(photo, (length, 1))


def _rolled(photo: np.ndarray, chance: random.Random) -> np.ndarray:
    side = photo.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), chance.uniform(-35, 35), 1)
    return cv2.warpAffine(photo, turn, (side, side), borderMode=cv2.BORDER_REFLECT)


def _plain(photo: np.ndarray, chance: random.Random) -> np.ndarray:
    return photo


_HARDSHIPS: tuple[Callable[[np.ndarray, random.Random], np.ndarray], ...] = (
    _dark,
    _dark,
    _noisy,
    _smeared,
    _smeared,
    _rolled,
    _plain,
)
