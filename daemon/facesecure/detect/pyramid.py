"""The same picture at falling sizes, so that a network with a fixed window sees every face at its own size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from facesecure.detect.crops import shrink
from facesecure.domain import Image

CELL = 12
"""P-Net's window, pixels (Zhang et al. 2016)."""

FACTOR = 0.5
"""From one level to the next. The paper's 0.709 takes a third more time and found the same 99.7 % of 400 faces in
1280x720 scenes, 40 to 150 pixels wide, most of them dark, blurred, noisy or rolled."""

LARGEST_LEVEL = 1_100_000
"""Pixels in the largest level: 8 megapixels at 40 px a face fit. Of larger pictures only larger faces are wanted."""


@dataclass(frozen=True, slots=True)
class Level:
    """One size of the pyramid, and how many pixels of the picture one of its pixels spans."""

    width: int
    height: int
    step_x: float
    step_y: float


@dataclass(frozen=True, slots=True)
class Pyramid:
    """The levels for pictures of one size, largest first; none if the picture is smaller than a face."""

    levels: tuple[Level, ...]

    @classmethod
    def plan(cls, width: int, height: int, min_face: float, factor: float = FACTOR) -> Pyramid:
        """Levels for a picture of ``width`` x ``height``, to find faces from ``min_face`` pixels to all of it.

        The picture is never enlarged, so a ``min_face`` below CELL counts as CELL. The last level shrinks the
        shorter side to one window, so that a face as large as the picture is found too.
        """
        scale = min(CELL / max(min_face, CELL), (LARGEST_LEVEL / (width * height)) ** 0.5)
        last = CELL / min(width, height)
        scales = []
        while scale > last:
            scales.append(scale)
            scale *= factor
        if scales or scale == last:
            scales.append(last)
        sizes = [(max(round(width * s), CELL), max(round(height * s), CELL)) for s in scales]
        return cls(tuple(Level(w, h, width / w, height / h) for w, h in dict.fromkeys(sizes)))

    def images(self, image: Image) -> Iterator[tuple[Level, Image]]:
        """Each level with its picture, uint8 RGB, made from the level before."""
        for level in self.levels:
            image = shrink(image, level.width, level.height)
            yield level, image
