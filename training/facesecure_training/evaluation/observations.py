"""What the daemon makes of every photo of a folder: detector, alignment, quality and embedding, once, and kept.

One file a (folder of photos, model, detector, size, way of spoiling), which is rightly thrown away when any of them,
or what the daemon's code makes of a fixed picture, has changed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facesecure.config import QualityConfig
from facesecure.domain import Box, Embedding, Face, Quality
from facesecure.recognition.human_filter import Doubts, accept_all, human_filter_for
from facesecure.vision.detection.factory import USABLE_CONFIDENCE
from facesecure.vision.images import align
from facesecure.vision.images.quality import assess, examine
from facesecure_training.common.corruptions import Corruption, untouched
from facesecure_training.common.cropping import read_limited, subject
from facesecure_training.common.progress import with_progress
from facesecure_training.evaluation.setting import Setting

_SAVE_EVERY = 250
_MEASURES = ("eye_distance", "sharpness", "brightness", "contrast", "yaw", "pitch", "roll", "confidence", "clarity")


@dataclass(frozen=True, slots=True, eq=False)
class FaceObservation:
    """One face: its embedding, float32 (n,) of length 1, its quality, and its box's area in square pixels."""

    embedding: Embedding
    quality: Quality
    area: float


FaceObservations = Mapping[Path, FaceObservation | None]
"""None where no face was found."""


class FaceObserver:
    """Looks at photos through the daemon's own code."""

    def __init__(self, setting: Setting) -> None:
        self._max_side = setting.max_side
        self._cropper = setting.detecting()
        self._network = setting.network()
        model = self._network.model
        self._doubts: Doubts = human_filter_for(model.card) if model else accept_all
        self._floors = QualityConfig(min_confidence=USABLE_CONFIDENCE[setting.found_by])

    def observe(self, photo: Path, spoilt: str = "", spoil: Corruption = untouched) -> FaceObservation | None:
        """The subject of ``photo``, spoilt always in the same way; None where no face is found. Raises ImageError."""
        image = spoil(read_limited(photo, self._max_side), _random(photo, spoilt))
        face = subject(self._cropper.detector.detect(image), (image.shape[1], image.shape[0]))
        if face is None:
            return None
        found = examine(image, face, self._floors)
        return FaceObservation(self._network.embed(found.image), found.quality, face.box.area)

    def doubted(self, observation: FaceObservation | None) -> FaceObservation | None:
        """The same, with what the recogniser's doubts (is it a person?) add to its quality's reasons."""
        doubts = self._doubts(observation.embedding) if observation is not None else ()
        if observation is None or not doubts:
            return observation
        return replace(
            observation, quality=replace(observation.quality, reasons=(*observation.quality.reasons, *doubts))
        )

    def fingerprint(self) -> str:
        """Changes with the models, and with whatever the daemon does to a crop before it judges and embeds it."""
        rows = np.repeat(np.arange(112, dtype=np.uint8)[:, None], 112, 1)
        crop = np.stack([rows // 4, rows // 3, rows.T // 4], 2)
        quality = assess(crop, Face(Box(0, 0, 112, 112), align.TEMPLATE, 1.0), self._floors)
        seen = self._network.embed(crop).round(4)
        text = f"{self._network.sha256} {self._cropper.made_by} {quality} {seen.tobytes().hex()}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def observe(
    photos: Iterable[Path], setting: Setting, spoilt: str = "", spoil: Corruption = untouched
) -> FaceObservations:
    """Every photo's observation after ``spoil``, named ``spoilt``. Kept in the setting's cache, also if interrupted."""
    wanted = sorted(set(photos))
    observer = FaceObserver(setting)
    kept = setting.cache / f"looks-{_name(observer.fingerprint(), spoilt)}.npz" if setting.cache else None
    found = _load(kept)
    missing = [photo for photo in wanted if key_of(photo) not in found]
    for number, photo in enumerate(with_progress(missing, f"looking {spoilt}".strip()), 1):
        found[key_of(photo)] = observer.observe(photo, spoilt, spoil)
        if number % _SAVE_EVERY == 0 or number == len(missing):
            _save(kept, found)
    return {photo: observer.doubted(found[key_of(photo)]) for photo in wanted}


def key_of(photo: Path) -> str:
    """Names a photo as it is now: another content gets another name."""
    state = photo.stat()
    text = f"{photo.resolve()} {state.st_mtime_ns} {state.st_size}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _random(photo: Path, spoilt: str) -> np.random.Generator:
    return np.random.default_rng(int(hashlib.sha256(f"{photo.name} {spoilt}".encode()).hexdigest()[:12], 16))


def _name(fingerprint: str, spoilt: str) -> str:
    return hashlib.sha256(f"{fingerprint} {spoilt}".encode()).hexdigest()[:16]


def _load(path: Path | None) -> dict[str, FaceObservation | None]:
    if path is None or not path.exists():
        return {}
    with np.load(path) as kept:
        rows = zip(kept["seen"], kept["measures"], kept["reasons"], kept["area"], strict=True)
        return {str(key): _unpacked(*row) for key, row in zip(kept["keys"], rows, strict=True)}


def _unpacked(embedding: Embedding, measures: NDArray[np.float64], reasons: str, area: float) -> FaceObservation | None:
    if np.isnan(area):
        return None
    values = dict(zip(_MEASURES, map(float, measures), strict=True))
    return FaceObservation(
        embedding, Quality(**values, reasons=tuple(filter(None, str(reasons).split("|")))), float(area)
    )


def _save(path: Path | None, found: Mapping[str, FaceObservation | None]) -> None:
    if path is None or not any(found.values()):
        return
    some = next(observation for observation in found.values() if observation is not None)
    nothing = FaceObservation(np.zeros_like(some.embedding), some.quality, np.nan)
    observations = [observation or nothing for observation in found.values()]
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(
        scratch,
        keys=np.array(list(found)),
        seen=np.stack([observation.embedding for observation in observations]),
        measures=np.array([[getattr(observation.quality, name) for name in _MEASURES] for observation in observations]),
        reasons=np.array(["|".join(observation.quality.reasons) for observation in observations]),
        area=np.array([observation.area for observation in observations]),
    )
    scratch.replace(path)
