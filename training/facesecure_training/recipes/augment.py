"""Augmentation: images made harder during training, so that a network copes at the door with what the album lacks.

``report`` rotates, shifts, zooms and mirrors, like the training of the classifier this project grew out of. ``door``
adds what that one was weak at: poor light, backlight, distance, motion. Every change depends on an image's own seed
alone: the same seed gives the same image.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.domain.errors import UsageError
from facesecure.vision.images.illumination import brightened
from facesecure_training.recipes.image_changes import Augmentation, change

if TYPE_CHECKING:
    from facesecure_training.datasets.loading import Augment


_GEOMETRY = Augmentation(rotation=20.0, shift=0.2, zoom=0.2, flip=0.5)
_DOOR = replace(_GEOMETRY, light=1.5, backlight=0.6, gamma=0.5, blur=0.02, noise=10.0, low_resolution=3.0, jpeg=70.0)
PRESETS = {
    "none": Augmentation(),
    "report": _GEOMETRY,
    "door": _DOOR,
    "aligned": replace(_DOOR, rotation=4.0, shift=0.03, zoom=0.04),
    "jittered": replace(_DOOR, rotation=8.0, shift=0.08, zoom=0.08, contrast=0.6, low_resolution=4.0),
}
"""``aligned`` is ``door`` for aligned crops, which the daemon shifts or rotates by no more than a detector's error.
``jittered`` also bears poor alignment and little contrast: what the article of 2018 claims to bear."""


def preset(name: str, strength: float = 1.0) -> Augmentation:
    """Return the preset ``name``, scaled by ``strength``. Raises UsageError for an unknown name."""
    if name not in PRESETS:
        raise UsageError(f"there is no augmentation {name!r}", f"use one of: {', '.join(PRESETS)}")
    return PRESETS[name].times(strength)


def augment(augmentation: Augmentation) -> Augment | None:
    """Return the function that ``datasets.loading`` applies to each image; None if there is nothing to change."""
    if augmentation.nothing:
        return None
    return lambda image, seed: change(image, augmentation, seed)


def with_brightening(augment: Augment | None) -> Augment:
    """Return ``augment``, if any, followed by the daemon's brightening: camera effects come before it."""

    def changed(image: Image, seed: NDArray[np.int32]) -> Image:
        return brightened(image if augment is None else augment(image, seed))

    return changed
