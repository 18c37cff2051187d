"""Finding faces: MTCNN, OpenCV's Haar cascade, YuNet, and a scripted one, all behind ``stages.Detector``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from facesecure.config import DetectorConfig
from facesecure.domain.errors import ModelError
from facesecure.domain.interfaces import Detector

DEFAULT_CONFIDENCE: Final = {"mtcnn": 0.8, "haar": 0.8, "yunet": 0.6}
"""Where each detector's own score tells faces from the rest, by tests/bench/detectors.py."""
USABLE_CONFIDENCE: Final = {"mtcnn": 0.9, "haar": 0.9, "yunet": 0.7}
"""Where it is sure enough to tell by the face who it is. YuNet's scores for clear faces end at 0.95."""


def build_detector(config: DetectorConfig, *, models_dir: Path | None = None, threads: int = 1) -> Detector:
    """The detector that ``config`` asks for, on ``threads`` threads.

    ``models_dir`` is where ``facesecure models pull`` puts things; only YuNet needs it. Raises ModelError if a
    model is missing or damaged. What is returned must not be used by two threads at once.
    """
    builders = {"mtcnn": _mtcnn, "haar": _haar, "yunet": _yunet}
    return builders[config.kind](config, models_dir, threads)


def _mtcnn(config: DetectorConfig, _models_dir: Path | None, threads: int) -> Detector:
    from facesecure.vision.detection.mtcnn import Mtcnn, MtcnnModels, Thresholds
    from facesecure.vision.inference.model_card import load_model

    models = MtcnnModels(load_model("pnet"), load_model("rnet"), load_model("onet"))
    thresholds = Thresholds(face=_confidence(config))
    return Mtcnn(models, min_face=config.min_face, thresholds=thresholds, threads=threads)


def _haar(config: DetectorConfig, _models_dir: Path | None, threads: int) -> Detector:
    from facesecure.vision.detection import haar
    from facesecure.vision.inference.model_card import load_model

    settings = haar.PISECUREHOME if config.preset == "pisecurehome" else haar.DEFAULT
    return haar.Haar(
        load_model("onet"),
        settings=settings,
        min_face=config.min_face,
        confidence=_confidence(config),
        threads=threads,
    )


def _yunet(config: DetectorConfig, models_dir: Path | None, _threads: int) -> Detector:
    from facesecure.vision.detection import yunet

    if models_dir is None:
        raise ModelError("the YuNet detector is not bundled", "fetch it: facesecure models pull yunet")
    return yunet.YuNet(models_dir / yunet.FILE, min_face=config.min_face, confidence=_confidence(config))


def _confidence(config: DetectorConfig) -> float:
    """What the configuration says, or this kind's own default."""
    return DEFAULT_CONFIDENCE[config.kind] if config.confidence is None else config.confidence
