"""Detect faces with MTCNN: three small networks, each checking the candidates of the one before more closely.

Zhang et al. (2016). The thresholds are those published with the weights: P-Net 0.6, R-Net 0.7; suppression above an
overlap of 0.5 among windows, of 0.7 among R-Net's boxes, and finally of 0.7 of the smaller box.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facesecure.domain import Face, Image
from facesecure.vision.detection.boxes import (
    Boxes,
    Scores,
    make_faces,
    require_rgb,
    squared,
    strongest,
    suppress,
    usable,
)
from facesecure.vision.detection.mtcnn_areas import AreaProposals
from facesecure.vision.detection.mtcnn_networks import (
    FACTOR,
    ONET_SIDE,
    RNET_SIDE,
    CropDetections,
    CropNetwork,
    ProposalNetwork,
    Pyramid,
)
from facesecure.vision.detection.search_areas import SearchArea
from facesecure.vision.inference.backend import PROCESSOR, Backend
from facesecure.vision.inference.model_card import Model

SIZES_KEPT = 2
"""Image sizes whose networks stay in memory: a camera has one, photos to enrol have two orientations."""

MAX_WINDOWS = 128
MAX_BOXES = 128
"""Candidates that R-Net and O-Net check at most, best first, so that a crowd or a hedge costs no more than this."""


@dataclass(frozen=True, slots=True)
class MtcnnModels:
    """The three networks."""

    pnet: Model
    rnet: Model
    onet: Model


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Smallest probability of a face that passes P-Net, R-Net and O-Net."""

    window: float = 0.6
    box: float = 0.7
    face: float = 0.8


class Mtcnn:
    """A Detector. It keeps networks for the last image sizes; not safe for two threads at once.

    Example::

        models = MtcnnModels(load_model("pnet"), load_model("rnet"), load_model("onet"))
        faces = Mtcnn(models, min_face=40).detect(image)
    """

    def __init__(
        self,
        models: MtcnnModels,
        *,
        min_face: float = 40,
        thresholds: Thresholds | None = None,
        factor: float = FACTOR,
        backend: Backend = PROCESSOR,
    ) -> None:
        self._thresholds = thresholds or Thresholds()
        self._windows = WindowSearch(models.pnet, min_face, factor, backend)
        self._rnet = CropNetwork(models.rnet, RNET_SIDE, backend)
        self._onet = CropNetwork(models.onet, ONET_SIDE, backend, landmarks=True)

    def detect(self, image: Image) -> list[Face]:
        """Return all faces in ``image`` (uint8 RGB, any size), largest first; confidence is O-Net's probability.

        Raises ValueError if ``image`` is something else.
        """
        require_rgb(image)
        windows = self._windows.find(image, self._thresholds.window)
        boxes = self._refined(image, windows)
        return self._faces(image, boxes)

    def detect_in(self, image: Image, areas: Sequence[SearchArea]) -> list[Face]:
        """Return the faces in ``areas`` of ``image`` (uint8 RGB, any size), each once, largest first.

        Takes a time in proportion to the areas. Raises ValueError if ``image`` is something else.
        """
        require_rgb(image)
        windows = self._windows.find_in(image, areas, self._thresholds.window)
        return self._faces(image, self._refined(image, windows))

    def _refined(self, image: Image, windows: Boxes) -> Boxes:
        found = self._checked(self._rnet, image, windows, self._thresholds.box)
        best = suppress(found.boxes, found.scores, 0.7)[:MAX_BOXES]
        return found.boxes[best]

    def _faces(self, image: Image, boxes: Boxes) -> list[Face]:
        found = self._checked(self._onet, image, boxes, self._thresholds.face)
        best = found.keep(suppress(found.boxes, found.scores, 0.7, of_smaller=True))
        return make_faces(best.boxes, best.landmarks, best.scores)

    @staticmethod
    def _checked(network: CropNetwork, image: Image, boxes: Boxes, threshold: float) -> CropDetections:
        height, width = image.shape[:2]
        found = network.detect(image, squared(boxes[usable(boxes, width, height)]))
        return found.keep(found.scores >= threshold)


class WindowSearch:
    """Runs P-Net over a pyramid; the interpreters of its levels are made when an image of a new size comes.

    Example::

        boxes = WindowSearch(load_model("pnet"), 40, FACTOR).find(image, threshold=0.6)
    """

    def __init__(self, model: Model, min_face: float, factor: float, backend: Backend = PROCESSOR) -> None:
        self._model, self._backend = model, backend
        self._min_face, self._factor = min_face, factor
        self._areas = AreaProposals(model, backend)
        self._plans: OrderedDict[tuple[int, int], tuple[Pyramid, list[ProposalNetwork]]] = OrderedDict()

    def find(self, image: Image, threshold: float) -> Boxes:
        """Return the boxes that may hold a face: at most MAX_WINDOWS, (n, 4), best first."""
        pyramid, networks = self._plan(image.shape[1], image.shape[0])
        found = [
            _thinned(*network.propose(level_image, threshold))
            for network, (_, level_image) in zip(networks, pyramid.images(image), strict=True)
        ]
        return _strongest_of(found)

    def find_in(self, image: Image, areas: Sequence[SearchArea], threshold: float) -> Boxes:
        """Return the boxes in ``areas`` that may hold a face: at most MAX_WINDOWS, (n, 4), best first."""
        pyramid, networks = self._plan(image.shape[1], image.shape[0])
        found: list[tuple[Boxes, Scores]] = []
        for network, (level, level_image) in zip(networks, pyramid.images(image), strict=True):
            tiles = self._areas.propose(level, level_image, areas, threshold)
            found += [_thinned(*network.propose(level_image, threshold))] if tiles is None else tiles
        return _strongest_of(found)

    def _plan(self, width: int, height: int) -> tuple[Pyramid, list[ProposalNetwork]]:
        size = width, height
        if size not in self._plans:
            if len(self._plans) >= SIZES_KEPT:
                self._plans.popitem(last=False)
            pyramid = Pyramid.plan(width, height, self._min_face, self._factor)
            networks = [ProposalNetwork(self._model, level, self._backend) for level in pyramid.levels]
            self._plans[size] = pyramid, networks
        self._plans.move_to_end(size)
        return self._plans[size]


def _strongest_of(found: Sequence[tuple[Boxes, Scores]]) -> Boxes:
    """Return the boxes of all parts, thinned once more: at most MAX_WINDOWS, (n, 4), best first."""
    if not found:
        return np.empty((0, 4), np.float32)
    boxes, _ = _thinned(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    return boxes[:MAX_WINDOWS]


def _thinned(boxes: Boxes, scores: Scores) -> tuple[Boxes, Scores]:
    """Return the best of overlapping windows; only the 4 * MAX_WINDOWS best are compared."""
    top = strongest(scores, 4 * MAX_WINDOWS)
    stay = top[suppress(boxes[top], scores[top], 0.5)]
    return boxes[stay], scores[stay]
