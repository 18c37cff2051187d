"""MTCNN's three networks as functions of arrays, and the image pyramid that P-Net searches.

Zhang et al. (2016), "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks". All three
take uint8 RGB and normalise inside the graph. Outputs are distinguished by their last axis: 1 is the probability of a
face, 4 are offsets of the box's edges in widths and heights of the box, 10 are five x, then five y, of landmarks in
sides of the crop. ``Pyramid`` reduces an image step by step, so that a window of fixed size fits every face.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.domain.errors import ModelError
from facesecure.vision.detection.boxes import Boxes, Scores, cut, shifted, shrink, whole_pixels
from facesecure.vision.inference.backend import PROCESSOR, Backend
from facesecure.vision.inference.interpreter import Interpreter
from facesecure.vision.inference.model_card import Model

Floats = NDArray[np.float32]

CELL = 12
"""Side of P-Net's window, pixels (Zhang et al. 2016)."""
STRIDE = 2
"""Pixels between P-Net's windows: it pools once."""
OVERLAP = CELL - STRIDE
"""Rows that two bands of a level share."""
BAND_PIXELS = 20_000
"""Pixels of a level that are searched at once, about."""
RNET_SIDE = 24
"""Side of R-Net's input, pixels."""
ONET_SIDE = 48
"""Side of O-Net's input, pixels."""

FACTOR = 0.5
"""Scale from one level to the next. The paper's 0.709 takes a third more time and found the same 99.7 % of 400 faces in
1280x720 scenes, 40 to 150 pixels wide, most of them dark, blurred, noisy or rolled."""

LARGEST_LEVEL = 1_100_000
"""Pixels in the largest level: 8 megapixels at 40 px a face fit. In larger images only larger faces are found."""


@dataclass(frozen=True, slots=True)
class Level:
    """One size of the pyramid, and the number of image pixels that one of its pixels spans."""

    width: int
    height: int
    step_x: float
    step_y: float


@dataclass(frozen=True, slots=True)
class Pyramid:
    """The levels for images of one size, largest first; none if the image is smaller than a face.

    It keeps the memory of the levels' images for the next image.

    Example::

        for level, small in Pyramid.plan(1280, 720, min_face=40).images(image): ...
    """

    levels: tuple[Level, ...]
    _buffers: tuple[list[Image], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_buffers", tuple([] for _ in self.levels))

    @classmethod
    def plan(cls, width: int, height: int, min_face: float, factor: float = FACTOR) -> Pyramid:
        """Plan the levels for an image of ``width`` x ``height``, to find faces from ``min_face`` pixels to all of it.

        The image is never enlarged, so a ``min_face`` below CELL counts as CELL. The last level shrinks the shorter
        side to one window, so that a face as large as the image is found too.
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
        """Yield each level with its image, uint8 RGB, made from the level before; the next call overwrites them."""
        for level, buffers in zip(self.levels, self._buffers, strict=True):
            image = shrink(image, level.width, level.height, buffers)
            yield level, image


class ProposalNetwork:
    """P-Net for one level of a pyramid: every 12x12 window, every second pixel.

    A large level is searched in bands of one shape that share OVERLAP rows. That costs 5 % more time than all at
    once and halves the memory (1080p at 40 px a face: 28 MB instead of 53 MB), at any size of the image. Example::

        boxes, scores = ProposalNetwork(load_model("pnet"), level).propose(level_image, threshold=0.6)
    """

    def __init__(self, model: Model, level: Level, backend: Backend = PROCESSOR) -> None:
        bands = -(-level.width * level.height // BAND_PIXELS)
        rows = -(-(level.height - OVERLAP) // bands) + OVERLAP
        self._rows = rows
        self._tops = [min(band * (rows - OVERLAP), level.height - rows) for band in range(bands)]
        self._graph = model.interpreter(backend, input_shape=(1, rows, level.width, 3))
        self._probability, self._offsets = positions(self._graph, 1, 4)
        self._step = np.array((level.step_x, level.step_y) * 2, np.float32)

    def propose(self, image: Image, threshold: float) -> tuple[Boxes, Scores]:
        """Return the windows of this level's ``image`` (uint8 RGB) scored above ``threshold`` and their neighbours.

        Boxes are in pixels of the whole image. Suppression would remove lower neighbours anyway, but in a crowd there
        are thousands of them.
        """
        found = [self._search(image[top : top + self._rows], top, threshold) for top in self._tops]
        if len(found) == 1:
            return found[0][0] * self._step, found[0][1]
        boxes, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return boxes * self._step, scores

    def _search(self, band: Image, top: int, threshold: float) -> tuple[Boxes, Scores]:
        outputs = self._graph.invoke(band[None])
        face, offsets = outputs[self._probability][0, :, :, 0], outputs[self._offsets][0]
        if face.max() <= threshold:
            return _NO_BOXES, _NO_SCORES
        rows, columns = np.nonzero((face > threshold) & (face >= _highest_nearby(face)))
        corners = np.stack((columns * STRIDE, rows * STRIDE + top), 1).astype(np.float32)
        return shifted(np.hstack((corners, corners + CELL)), offsets[rows, columns]), face[rows, columns]


_NO_BOXES, _NO_SCORES = np.empty((0, 4), np.float32), np.empty(0, np.float32)


def _highest_nearby(scores: Floats) -> Floats:
    return np.asarray(cv2.dilate(scores, np.ones((3, 3), np.uint8)), np.float32)


@dataclass(frozen=True, slots=True)
class CropDetections:
    """Output of R-Net or O-Net for n squares: refined boxes, scores, and O-Net's landmarks (n, 5, 2), in pixels."""

    boxes: Boxes
    scores: Scores
    landmarks: Floats

    def keep(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> CropDetections:
        """Return the selected rows, by mask or by indices."""
        return CropDetections(self.boxes[which], self.scores[which], self.landmarks[which])


class CropNetwork:
    """R-Net or O-Net, one crop at a time.

    A batch is no faster (measured from 1 to 16: 0.03 ms a crop for R-Net, 0.13 ms for O-Net), and XNNPACK runs all of
    a graph of fixed shape. Example::

        found = CropNetwork(load_model("onet"), ONET_SIDE, landmarks=True).detect(image, squares)
    """

    def __init__(self, model: Model, side: int, backend: Backend = PROCESSOR, *, landmarks: bool = False) -> None:
        self._side, self._landmarks = side, landmarks
        self._graph = model.interpreter(backend, input_shape=(1, side, side, 3))
        self._order = positions(self._graph, *((1, 4, 10) if landmarks else (1, 4)))

    def detect(self, image: Image, squares: Boxes) -> CropDetections:
        """Run the network on each of ``squares`` (float32 (n, 4), may cross the edge) in ``image`` (uint8 RGB)."""
        pixels = whole_pixels(squares)
        rows = [self._detect_one(crop) for crop in cut(image, pixels, self._side)]
        outputs = np.array(rows, np.float32).reshape(len(rows), 15 if self._landmarks else 5)
        corners = pixels.astype(np.float32)
        points = outputs[:, 5:].reshape(len(rows), 2, 5 if self._landmarks else 0).transpose(0, 2, 1)
        sides = (corners[:, 2:] - corners[:, :2])[:, None]
        landmarks = corners[:, None, :2] + points * sides
        return CropDetections(shifted(corners, outputs[:, 1:5]), outputs[:, 0], landmarks)

    def _detect_one(self, crop: Image) -> Floats:
        outputs = self._graph.invoke(crop[None])
        return np.concatenate([outputs[position].ravel() for position in self._order])


def positions(graph: Interpreter, *widths: int) -> list[int]:
    """Return the positions of the graph's outputs whose last axes are ``widths``. Raises ModelError if they differ."""
    found = {spec.shape[-1]: position for position, spec in enumerate(graph.outputs)}
    if set(found) != set(widths):
        raise ModelError(
            f"a detection network gives outputs of {sorted(found)} values instead of {sorted(widths)}",
            "run `facesecure models verify`; reinstalling restores bundled models",
        )
    return [found[width] for width in widths]
