"""Make the configured face detector: MTCNN, OpenCV's Haar cascade or YuNet."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from facesecure.config import DetectorConfig
from facesecure.domain.errors import ModelError
from facesecure.domain.interfaces import Detector
from facesecure.vision.inference.backend import PROCESSOR, Backend

DEFAULT_CONFIDENCE: Final = {"mtcnn": 0.8, "haar": 0.8, "yunet": 0.6}
"""Confidence from which each detector's own score is a face, measured with benchmarks/detectors.py."""
USABLE_CONFIDENCE: Final = {"mtcnn": 0.9, "haar": 0.9, "yunet": 0.7}
"""Confidence from which a face is certain enough to be identified. YuNet's scores for clear faces end at 0.95."""

TFLITE_MODELS: Final = {"mtcnn": ("pnet", "rnet", "onet"), "haar": ("onet",), "yunet": ()}
"""The bundled models of each detector that a backend runs; OpenCV runs YuNet."""


def build_detector(config: DetectorConfig, *, models_dir: Path | None = None, backend: Backend = PROCESSOR) -> Detector:
    """Return the detector that ``config`` selects, its TFLite models on ``backend``.

    ``models_dir`` is the folder of pulled models; only YuNet needs it. Raises ModelError if a model is missing or
    damaged. The detector must not be used by two threads at once.
    """
    builders = {"mtcnn": _mtcnn, "haar": _haar, "yunet": _yunet}
    return builders[config.kind](config, models_dir, backend)


def _mtcnn(config: DetectorConfig, _models_dir: Path | None, backend: Backend) -> Detector:
    from facesecure.vision.detection.mtcnn import Mtcnn, MtcnnModels, Thresholds
    from facesecure.vision.inference.model_card import load_model

    models = MtcnnModels(load_model("pnet"), load_model("rnet"), load_model("onet"))
    thresholds = Thresholds(face=_confidence(config))
    return Mtcnn(models, min_face=config.min_face, thresholds=thresholds, backend=backend)


def _haar(config: DetectorConfig, _models_dir: Path | None, backend: Backend) -> Detector:
    from facesecure.vision.detection import haar
    from facesecure.vision.inference.model_card import load_model

    settings = haar.PISECUREHOME if config.preset == "pisecurehome" else haar.DEFAULT
    return haar.Haar(
        load_model("onet"),
        settings=settings,
        min_face=config.min_face,
        confidence=_confidence(config),
        backend=backend,
    )


def _yunet(config: DetectorConfig, models_dir: Path | None, _backend: Backend) -> Detector:
    from facesecure.vision.detection import yunet
    from facesecure.vision.inference.model_registry import downloadable_card

    if models_dir is None:
        raise ModelError("the YuNet detector is not bundled", "fetch it: facesecure models pull yunet")
    wanted = downloadable_card("yunet").sha256
    return yunet.YuNet(models_dir / yunet.FILE, min_face=config.min_face, confidence=_confidence(config), sha256=wanted)


def _confidence(config: DetectorConfig) -> float:
    """Return the configured confidence, or the default of this kind of detector."""
    return DEFAULT_CONFIDENCE[config.kind] if config.confidence is None else config.confidence
