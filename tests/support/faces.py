"""Real faces for tests: the two public-domain portraits that the package carries, and scenes without any."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

import cv2
import numpy as np

from facesecure.domain import Face, Image

NAMES = ("grace_hopper", "eileen_collins")
PHOTOS = Path(str(resources.files("facesecure.camera.synthetic"))) / "photos"
"""The folder of the two public-domain portraits that the package carries."""
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
YUNET_DIR = DATA / "models"


@cache
def portrait(name: str = "eileen_collins") -> Image:
    """One face, frontal, uint8 RGB; the same array every time and read-only."""
    path = Path(str(resources.files("facesecure"))) / "camera" / "synthetic" / "photos" / f"{name}.jpg"
    image = np.asarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), np.uint8)
    image.setflags(write=False)
    return image


def scaled(image: Image, factor: float) -> Image:
    size = round(image.shape[1] * factor), round(image.shape[0] * factor)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)


def on_canvas(image: Image, left: int, top: int, width: int = 960, height: int = 640) -> Image:
    """``image`` with its top left corner at (left, top) of a grey picture."""
    canvas = np.full((height, width, 3), 120, np.uint8)
    canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    return canvas


def empty_scene(width: int = 640, height: int = 480) -> Image:
    """A sky that fades, a brick wall, a lamp, and the noise of a sensor; nobody there."""
    rows, columns = np.mgrid[0:height, 0:width]
    scene = np.stack([120 + rows / 8, 140 + rows / 10, 200 - rows / 6], 2)
    mortar = (rows % 24 < 3) | ((columns + (rows // 24 % 2) * 30) % 60 < 3)
    scene[height // 2 :] = np.where(mortar[..., None], (170, 165, 160), (140, 70, 50))[height // 2 :]
    cv2.circle(scene, (width // 4, height // 4), 40, (255, 250, 220), -1)
    noise = np.random.default_rng(5).normal(0, 4, scene.shape)
    return np.clip(scene + noise, 0, 255).astype(np.uint8)


def swapped(image: Image) -> Image:
    """The same pixels with red and blue exchanged: what a mistake in colour order looks like."""
    return np.ascontiguousarray(image[:, :, ::-1])


def only(faces: list[Face]) -> Face:
    """The one face that there must be."""
    assert len(faces) == 1, f"{len(faces)} faces where there is one: {faces}"
    return faces[0]
