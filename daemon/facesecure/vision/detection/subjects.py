"""Find the person, the animal and the vehicle in a part of an image, by SSD-MobileNetV2 (the card says its origin)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Box, Image, Subject
from facesecure.vision.detection.boxes import overlaps
from facesecure.vision.inference.backend import PROCESSOR, Backend
from facesecure.vision.inference.interpreter import Interpreter
from facesecure.vision.inference.model_card import Model

MODEL: Final = "ssd-mobilenetv2"
SIDE: Final = 300
"""Width and height of the image that the network sees, pixels."""
LABELS: Final = {
    Subject.PERSON: frozenset({"Person"}),
    Subject.ANIMAL: frozenset({"Cat", "Dog", "Cattle"}),
    Subject.VEHICLE: frozenset({"Car", "Vehicle", "Bicycle"}),
}
"""Labels of the network that are of interest; the others are furniture, computers, shoes and the like."""

PERSON_SCORE: Final = 0.4
ANIMAL_SCORE: Final = 0.4
VEHICLE_SCORE: Final = 0.5
"""Scores from which a box is taken for one of its kind; measured with ``python -m benchmarks.subjects``.

On a square around what moves, 99 % of looks at people seen from behind reach 0.4 by day, 79 to 98 % at a tenth of the
light; of 148 scenes without people two do, and with 0.35 six."""
_APART = 0.4
"""Overlap (intersection over union) below which a person and an animal are two, as somebody with a dog."""

# The anchors of Liu et al. 2016, https://arxiv.org/abs/1512.02325, as Google's ssd_anchor_generator makes them.
_GRIDS = (19, 10, 5, 3, 2, 1)
_SCALES = tuple(float(scale) for scale in np.linspace(0.2, 0.95, len(_GRIDS)))
_RATIOS = (1.0, 2.0, 1 / 2, 3.0, 1 / 3)
_CODE = np.array([10.0, 10.0, 5.0, 5.0], np.float32)
"""What the network multiplied y, x, log height and log width of a box by."""
_LARGEST = 10.0
"""A logarithm of a size beyond any image's: a damaged model must not overflow."""

_Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Detection:
    """The surest box of one kind of subject: ``score`` 0 to 1, ``box`` in pixels of the image, within it."""

    subject: Subject
    score: float
    box: Box


class SubjectDetector:
    """Finds people, animals and vehicles. One thread at a time may ``detect``; ``release`` is safe from any.

    Example::

        detector = SubjectDetector(load_model(MODEL))
        for found in detector.detect(frame.image, Box(0, 0, 720, 720)):
            print(found.subject, found.score)
    """

    def __init__(self, model: Model, backend: Backend = PROCESSOR) -> None:
        """Take ``model`` to run on ``backend``; its interpreter is built when it is needed first."""
        self._model, self._backend = model, backend
        self._graph: Interpreter | None = None
        self._lock = threading.Lock()
        labels = model.card.labels or ()
        self._columns = {kind: [labels.index(name) for name in labels if name in LABELS[kind]] for kind in LABELS}

    def detect(self, image: Image, region: Box | None = None) -> list[Detection]:
        """Return the surest person, animal and vehicle in ``region`` of ``image`` (uint8 RGB), surest first.

        Each has a score, however low. ``region`` is in pixels and is cut at the edges of the image; None is all of it.
        Raises ModelError if the model does not fit its card.
        """
        left, top, right, bottom = _edges(image, region)
        boxes, logits = self._invoke(shrunk(image[top:bottom, left:right])[None])
        found = []
        for kind, columns in self._columns.items():
            scores = logits[0][:, columns].max(1)
            surest = int(scores.argmax())
            edges = decoded(boxes[0][surest], anchors()[surest])
            box = _within(edges, (left, top, right, bottom))
            found.append(Detection(kind, 1 / (1 + exp(min(-float(scores[surest]), 50.0))), box))
        return sorted(found, key=lambda one: -one.score)

    def release(self) -> None:
        """Free the 20 MB of the interpreter, which takes 0.03 s to build again at the next image."""
        with self._lock:
            self._graph = None

    def _invoke(self, image: NDArray[np.uint8]) -> Sequence[NDArray[Any]]:
        with self._lock:
            self._graph = self._graph or self._model.interpreter(self._backend)
            return self._graph.invoke(image)


def subject_of(found: Sequence[Detection]) -> Detection | None:
    """Return what the detections of one look (``SubjectDetector.detect``) show; None if it is nothing known.

    A person counts before an animal, unless their boxes show the same: then it is an animal if that is surer.
    """
    best = {one.subject: one for one in found}
    person, animal, vehicle = (best[kind] for kind in (Subject.PERSON, Subject.ANIMAL, Subject.VEHICLE))
    if animal.score >= ANIMAL_SCORE and animal.score > person.score:
        beside = person.score >= PERSON_SCORE and _overlap(person.box, animal.box) < _APART
        return person if beside else animal
    if person.score >= PERSON_SCORE:
        return person
    return vehicle if vehicle.score >= VEHICLE_SCORE else None


def shrunk(image: Image) -> Image:
    """Return ``image`` (uint8 RGB, any size) as the network sees it: uint8 RGB (300, 300, 3), its shape ignored."""
    return np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


@cache
def anchors() -> _Array:
    """Return the anchors, float32 (1917, 4): y and x of the centre, height and width, in fractions of the image."""
    return np.array([anchor for layer in range(len(_GRIDS)) for anchor in _anchors_of(layer)], np.float32)


def decoded(code: _Array, anchor: _Array) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom, in fractions of the image, of the box that ``code`` says at ``anchor``."""
    y, x, height, width = (min(float(part), _LARGEST) for part in code / _CODE)
    middle_y, middle_x, tall, wide = (float(part) for part in anchor)
    centre_y, centre_x = middle_y + y * tall, middle_x + x * wide
    half_height, half_width = tall * exp(height) / 2, wide * exp(width) / 2
    return centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height


def _anchors_of(layer: int) -> Iterator[tuple[float, float, float, float]]:
    """Yield the anchors of one layer, row by row."""
    grid, sizes = _GRIDS[layer], list(_sizes(layer))
    for row in range(grid):
        for column in range(grid):
            yield from (((row + 0.5) / grid, (column + 0.5) / grid, height, width) for height, width in sizes)


def _sizes(layer: int) -> Iterator[tuple[float, float]]:
    """Yield height and width of the anchors of one layer; the lowest has three, each other six."""
    scale = _SCALES[layer]
    following = _SCALES[layer + 1] if layer + 1 < len(_SCALES) else 1.0
    shapes = [(0.1, 1.0), (scale, 2.0), (scale, 1 / 2)] if layer == 0 else [(scale, ratio) for ratio in _RATIOS]
    if layer:
        shapes.append((float(np.sqrt(scale * following)), 1.0))
    for size, ratio in shapes:
        yield size / ratio**0.5, size * ratio**0.5


def _overlap(one: Box, other: Box) -> float:
    """Return the intersection over the union of two boxes."""
    edges = [np.array([[box.left, box.top, box.right, box.bottom]], np.float32) for box in (one, other)]
    return float(overlaps(*edges)[0, 0])


def _edges(image: Image, region: Box | None) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of ``region`` within ``image``, whole pixels, at least one of each."""
    height, width = image.shape[:2]
    if region is None:
        return 0, 0, width, height
    left, top = min(max(0, int(region.left)), width - 1), min(max(0, int(region.top)), height - 1)
    right, bottom = max(left + 1, min(width, round(region.right))), max(top + 1, min(height, round(region.bottom)))
    return left, top, right, bottom


def _within(fractions: tuple[float, float, float, float], part: tuple[int, int, int, int]) -> Box:
    """Return the box at ``fractions`` of ``part`` of an image, cut at its edges, in pixels of the image."""
    left, top, right, bottom = part
    width, height = right - left, bottom - top
    x = [left + width * min(max(at, 0.0), 1.0) for at in (fractions[0], fractions[2])]
    y = [top + height * min(max(at, 0.0), 1.0) for at in (fractions[1], fractions[3])]
    return Box(x[0], y[0], max(x[1], x[0] + 1), max(y[1], y[0] + 1))
