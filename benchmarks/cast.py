"""The people of the door benchmark: from lfw-dev, or the two bundled portraits where it is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.camera.synthetic.figure import Figure, bust_mask
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, GRACE_HOPPER, Portrait
from facesecure.domain import Image

ENROLMENT = 5
HOUSEHOLD, STRANGERS = 4, 12
# Labelled Faces in the Wild centres each photo (250x250) on its face; medians of a hundred, found by YuNet.
_LFW_LANDMARKS = np.array([(104, 111.5), (147, 111.5), (126.5, 136), (107.5, 155), (145, 154.5)], np.float32)


@dataclass(frozen=True)
class Person:
    """A visitor: ``photos`` are for the clip, ``enrolment`` (household only) for the systems; no photo is in both."""

    name: str
    household: bool
    photos: Sequence[Path | Portrait]
    enrolment: Sequence[Path] = ()

    def figures(self, count: int) -> list[Figure]:
        """Return up to ``count`` cut-outs, from different photos."""
        return [figure_of(photo) for photo in self.photos[:count]]


def find_cast(lfw: Path, cache: Path, rng: np.random.Generator) -> list[Person]:
    """Return the household, then the strangers.

    ``lfw`` is lfw-dev's images folder; without it, images of the bundled portraits are written to ``cache``.
    """
    return _lfw_cast(lfw, rng) if lfw.is_dir() else _portrait_cast(cache)


def figure_of(photo: Path | Portrait) -> Figure:
    """Cut the person out of ``photo``."""
    if isinstance(photo, Portrait):
        return Figure.from_bust(photo.image(), photo.mask(), photo.points())
    image = _read(photo)
    return Figure.from_bust(image, bust_mask(image.shape[:2], _LFW_LANDMARKS), _LFW_LANDMARKS)


def _lfw_cast(lfw: Path, rng: np.random.Generator) -> list[Person]:
    folders = {folder.name: sorted(folder.glob("*.jpg")) for folder in sorted(lfw.iterdir()) if folder.is_dir()}
    often = [name for name, photos in folders.items() if len(photos) >= 10]
    seldom = [name for name, photos in folders.items() if 3 <= len(photos) < 10]
    family = [str(name) for name in rng.choice(often, HOUSEHOLD, replace=False)]
    others = [str(name) for name in rng.choice(seldom, STRANGERS, replace=False)]
    return [_member(name, folders[name], rng) for name in family] + [
        Person(_spoken(name), household=False, photos=folders[name]) for name in others
    ]


def _member(name: str, photos: Sequence[Path], rng: np.random.Generator) -> Person:
    shuffled = [photos[int(index)] for index in rng.permutation(len(photos))]
    return Person(_spoken(name), True, shuffled[ENROLMENT:], shuffled[:ENROLMENT])


def _spoken(folder: str) -> str:
    return folder.replace("_", " ")


def _portrait_cast(cache: Path) -> list[Person]:
    """Return one member and one stranger, who come repeatedly."""
    cache.mkdir(parents=True, exist_ok=True)
    paths = []
    for index, image in enumerate(enrolment_images()):
        path = cache / f"enrolment-{index}.png"
        cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        paths.append(path)
    return [
        Person(GRACE_HOPPER.name, True, (GRACE_HOPPER,), paths),
        Person(EILEEN_COLLINS.name, False, (EILEEN_COLLINS,)),
    ]


def _read(path: Path) -> Image:
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise FileNotFoundError(f"{path} is not a readable image")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
