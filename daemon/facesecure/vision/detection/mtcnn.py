"""MTCNN: three small networks, each looking harder at what the one before let through.

Zhang et al. (2016). The thresholds are those published with the weights: P-Net 0.6, R-Net 0.7; suppression above an
overlap of 0.5 among windows and 0.7 among R-Net's boxes, and 0.7 of the smaller box in the end.
"""

from __future__ import annotations

from collections import OrderedDict
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
from facesecure.vision.detection.mtcnn_networks import (
    FACTOR,
    ONET_SIDE,
    RNET_SIDE,
    CropNetwork,
    Judgement,
    ProposalNetwork,
    Pyramid,
)
from facesecure.vision.inference.model_card import Model

SIZES_KEPT = 2
"""Picture sizes whose networks stay in memory: a camera has one, photos to enrol come upright and across."""

MOST_WINDOWS = 256
MOST_BOXES = 128
"""What R-Net and O-Net get to see at most, best first, so that a crowd or a hedge costs no more than this."""


@dataclass(frozen=True, slots=True)
class MtcnnModels:
    """The three networks."""

    pnet: Model
    rnet: Model
    onet: Model


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What passes a stage: P-Net's, R-Net's and O-Net's probability of a face."""

    window: float = 0.6
    box: float = 0.7
    face: float = 0.8


class Mtcnn:
    """A Detector. Keeps networks for the last few picture sizes; not safe for two threads at once."""

    def __init__(
        self,
        models: MtcnnModels,
        *,
        min_face: float = 40,
        thresholds: Thresholds | None = None,
        factor: float = FACTOR,
        threads: int = 1,
    ) -> None:
        self._thresholds = thresholds or Thresholds()
        self._windows = WindowSearch(models.pnet, min_face, factor, threads)
        self._rnet = CropNetwork(models.rnet, RNET_SIDE, threads)
        self._onet = CropNetwork(models.onet, ONET_SIDE, threads, landmarks=True)

    def detect(self, image: Image) -> list[Face]:
        """All faces in ``image`` (uint8 RGB, any size), largest first; confidence is O-Net's probability.

        Raises ValueError if ``image`` is something else.
        """
        require_rgb(image)
        windows = self._windows.find(image, self._thresholds.window)
        boxes = self._refined(image, windows)
        return self._faces(image, boxes)

    def _refined(self, image: Image, windows: Boxes) -> Boxes:
        judged = self._judged(self._rnet, image, windows, self._thresholds.box)
        best = suppress(judged.boxes, judged.scores, 0.7)[:MOST_BOXES]
        return judged.boxes[best]

    def _faces(self, image: Image, boxes: Boxes) -> list[Face]:
        judged = self._judged(self._onet, image, boxes, self._thresholds.face)
        best = judged.keep(suppress(judged.boxes, judged.scores, 0.7, of_smaller=True))
        return make_faces(best.boxes, best.landmarks, best.scores)

    @staticmethod
    def _judged(network: CropNetwork, image: Image, boxes: Boxes, threshold: float) -> Judgement:
        height, width = image.shape[:2]
        judged = network.judge(image, squared(boxes[usable(boxes, width, height)]))
        return judged.keep(judged.scores >= threshold)


class WindowSearch:
    """P-Net over a pyramid: one interpreter a level, made when a picture of a new size comes."""

    def __init__(self, model: Model, min_face: float, factor: float, threads: int) -> None:
        self._model, self._threads = model, threads
        self._min_face, self._factor = min_face, factor
        self._plans: OrderedDict[tuple[int, int], tuple[Pyramid, list[ProposalNetwork]]] = OrderedDict()

    def find(self, image: Image, threshold: float) -> Boxes:
        """Where a face may be: at most MOST_WINDOWS boxes (n, 4), best first."""
        pyramid, networks = self._plan(image.shape[1], image.shape[0])
        found = [
            _thinned(*network.propose(level_image, threshold))
            for network, (_, level_image) in zip(networks, pyramid.images(image), strict=True)
        ]
        if not found:
            return np.empty((0, 4), np.float32)
        boxes, _ = _thinned(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
        return boxes[:MOST_WINDOWS]

    def _plan(self, width: int, height: int) -> tuple[Pyramid, list[ProposalNetwork]]:
        size = width, height
        if size not in self._plans:
            if len(self._plans) >= SIZES_KEPT:
                self._plans.popitem(last=False)
            pyramid = Pyramid.plan(width, height, self._min_face, self._factor)
            networks = [ProposalNetwork(self._model, level, self._threads) for level in pyramid.levels]
            self._plans[size] = pyramid, networks
        self._plans.move_to_end(size)
        return self._plans[size]


def _thinned(boxes: Boxes, scores: Scores) -> tuple[Boxes, Scores]:
    """The strongest of overlapping windows; of more than four times MOST_WINDOWS only the best are compared."""
    top = strongest(scores, 4 * MOST_WINDOWS)
    stay = top[suppress(boxes[top], scores[top], 0.5)]
    return boxes[stay], scores[stay]
