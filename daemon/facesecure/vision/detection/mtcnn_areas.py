"""Run P-Net on parts of a pyramid's levels only, in square tiles of a few fixed sizes.

The tiles of all areas, levels and images share one interpreter for each size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from facesecure.domain import Image
from facesecure.vision.detection.boxes import Boxes, Scores
from facesecure.vision.detection.mtcnn_networks import CELL, OVERLAP, Level, ProposalNetwork
from facesecure.vision.detection.search_areas import SearchArea
from facesecure.vision.inference.backend import PROCESSOR, Backend
from facesecure.vision.inference.model_card import Model

SIDES = (32, 48, 64, 96, 128)
"""Sides of the tiles, pixels. For what moves at a door three of them (32, 64, 128) would take a seventh longer."""
_CALL = 2_000
"""Pixels that P-Net searches in the time that a call takes beside."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """``across`` times ``down`` tiles of ``side`` pixels, which share OVERLAP pixels with their neighbours."""

    side: int
    across: int
    down: int

    @classmethod
    def covering(cls, width: float, height: float, level: Level) -> Tiling | None:
        """Return the cheapest tiles that cover ``width`` x ``height`` pixels; None if searching all of ``level`` is."""
        fitting = [side for side in SIDES if side <= min(level.width, level.height)]
        tilings = [cls(side, _count(width, side), _count(height, side)) for side in fitting]
        best = min(tilings, key=lambda tiling: tiling.cost, default=None)
        return best if best and best.cost < level.width * level.height + _CALL else None

    @property
    def cost(self) -> int:
        """The time that P-Net needs, in pixels."""
        return self.across * self.down * (self.side**2 + _CALL)

    def corners(self, centre: tuple[float, float], level: Level) -> Iterator[tuple[int, int]]:
        """Yield the left and top edge of each tile, around ``centre`` but inside ``level``."""
        for top in _starts(centre[1], self.down, self.side, level.height):
            for left in _starts(centre[0], self.across, self.side, level.width):
                yield left, top


def _count(length: float, side: int) -> int:
    return max(1, int(np.ceil((length - OVERLAP) / (side - OVERLAP))))


def _starts(centre: float, count: int, side: int, limit: int) -> list[int]:
    step = side - OVERLAP
    first = min(max(round(centre - (count * step + OVERLAP) / 2), 0), max(limit - count * step - OVERLAP, 0))
    return [min(first + number * step, limit - side) for number in range(count)]


class AreaProposals:
    """Finds the windows in parts of a level that may hold a face.

    Example::

        found = AreaProposals(load_model("pnet")).propose(level, level_image, areas, 0.6)
    """

    def __init__(self, model: Model, backend: Backend = PROCESSOR) -> None:
        self._networks = {side: ProposalNetwork(model, Level(side, side, 1.0, 1.0), backend) for side in SIDES}

    def propose(
        self, level: Level, image: Image, areas: Sequence[SearchArea], threshold: float
    ) -> Iterator[tuple[Boxes, Scores]] | None:
        """Return the windows in ``areas`` scored above ``threshold``, in pixels of the whole image, tile by tile.

        ``image`` is that of ``level``. None if it is cheaper to search all of it.
        """
        wanted = [area for area in areas if area.wants(CELL * max(level.step_x, level.step_y))]
        tilings = [
            Tiling.covering(area.box.width / level.step_x, area.box.height / level.step_y, level) for area in wanted
        ]
        known = [tiling for tiling in tilings if tiling]
        if len(known) < len(tilings) or sum(tiling.cost for tiling in known) >= level.width * level.height:
            return None
        return self._in_tiles(level, image, zip(wanted, known, strict=True), threshold)

    def _in_tiles(
        self, level: Level, image: Image, tilings: Iterable[tuple[SearchArea, Tiling]], threshold: float
    ) -> Iterator[tuple[Boxes, Scores]]:
        steps = np.array((level.step_x, level.step_y) * 2, np.float32)
        for area, tiling in tilings:
            x, y = area.box.centre
            for left, top in tiling.corners((x / level.step_x, y / level.step_y), level):
                tile = image[top : top + tiling.side, left : left + tiling.side]
                boxes, scores = self._networks[tiling.side].propose(tile, threshold)
                yield (boxes + np.array((left, top) * 2, np.float32)) * steps, scores
