"""Observes every photo of a folder as the daemon does: detector, alignment, quality and embedding, cached.

There is one cache file per combination of model, detector, size and corruption. It is ignored when one of them changes,
or when the daemon's code yields another result on a fixed image.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facesecure.config import QualityConfig
from facesecure.domain import Box, Embedding, Face, Quality
from facesecure.domain.errors import FacesecureError
from facesecure.recognition.human_filter import Doubts, accept_all, human_filter_for
from facesecure.vision.detection.factory import USABLE_CONFIDENCE
from facesecure.vision.images import align
from facesecure.vision.images.quality import assess, examine
from facesecure_training.common.corruptions import Corruption, untouched
from facesecure_training.common.cropping import read_limited, subject
from facesecure_training.common.npz import DAMAGED
from facesecure_training.evaluation.photo_embeddings import for_each, refuse_other
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
    """Observes photos with the daemon's own code."""

    def __init__(self, setting: Setting) -> None:
        self._max_side = setting.max_side
        self._cropper = setting.detecting()
        self._network = setting.network()
        model = self._network.model
        self._doubts: Doubts = human_filter_for(model.card) if model else accept_all
        self._floors = QualityConfig(min_confidence=USABLE_CONFIDENCE[setting.found_by])

    def observe(self, photo: Path, name: str = "", corruption: Corruption = untouched) -> FaceObservation | None:
        """Observe the main face of ``photo`` after ``corruption``; None if no face is found. Raises ImageError.

        ``name`` seeds the corruption, so that each photo is always corrupted in the same way.
        """
        image = corruption(read_limited(photo, self._max_side), _random(photo, name))
        face = subject(self._cropper.detector.detect(image), (image.shape[1], image.shape[0]))
        if face is None:
            return None
        found = examine(image, face, self._floors)
        return FaceObservation(self._network.embed(found.image), found.quality, face.box.area)

    def with_filter_reasons(self, observation: FaceObservation | None) -> FaceObservation | None:
        """Return the observation with the human-face filter's objections added to its quality's reasons."""
        doubts = self._doubts(observation.embedding) if observation is not None else ()
        if observation is None or not doubts:
            return observation
        return replace(
            observation, quality=replace(observation.quality, reasons=(*observation.quality.reasons, *doubts))
        )

    def fingerprint(self) -> str:
        """Return a hash that changes with the models, and with the daemon's processing of a crop."""
        rows = np.repeat(np.arange(112, dtype=np.uint8)[:, None], 112, 1)
        crop = np.stack([rows // 4, rows // 3, rows.T // 4], 2)
        quality = assess(crop, Face(Box(0, 0, 112, 112), align.TEMPLATE, 1.0), self._floors)
        seen = self._network.embed(crop).round(4)
        text = f"{self._network.sha256} {self._cropper.made_by} {quality} {seen.tobytes().hex()}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def observe(
    photos: Iterable[Path], setting: Setting, name: str = "", corruption: Corruption = untouched
) -> FaceObservations:
    """Observe every photo after ``corruption``; cached in the setting's folder, also if interrupted.

    ``name`` names the corruption in the cache. Raises FacesecureError if the cache is damaged.
    """
    wanted = sorted(set(photos))
    observer = FaceObserver(setting)
    fingerprint = observer.fingerprint()
    kept = setting.cache / f"looks-{_name(fingerprint, name)}.npz" if setting.cache else None
    found = _load(kept)
    missing = [photo for photo in wanted if key_of(photo) not in found]
    unsaved = 0

    def done(photo: Path, seen: FaceObservation | None) -> None:
        nonlocal unsaved
        found[key_of(photo)] = seen
        unsaved += 1
        if unsaved % _SAVE_EVERY == 0 or unsaved == len(missing):
            _save(kept, found)

    task = (setting.for_workers(), fingerprint, name, corruption)
    for_each(setting, _observed, task, missing, f"observing {name}".strip(), done)
    return {photo: observer.with_filter_reasons(found[key_of(photo)]) for photo in wanted}


def _observed(task: tuple[Setting, str, str, Corruption], photo: Path) -> FaceObservation | None:
    setting, fingerprint, name, corruption = task
    return _observer(setting, fingerprint, threading.get_ident()).observe(photo, name, corruption)


@lru_cache(maxsize=1)
def _observer(setting: Setting, fingerprint: str, thread: int) -> FaceObserver:  # noqa: ARG001 - for one thread
    observer = FaceObserver(setting)
    refuse_other(observer.fingerprint(), fingerprint)
    return observer


def key_of(photo: Path) -> str:
    """Return a key for the current state of ``photo``; it changes with the file."""
    state = photo.stat()
    text = f"{photo.resolve()} {state.st_mtime_ns} {state.st_size}"
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:24]


def _random(photo: Path, name: str) -> np.random.Generator:
    return np.random.default_rng(int(hashlib.sha256(os.fsencode(f"{photo.name} {name}")).hexdigest()[:12], 16))


def _name(fingerprint: str, corruption: str) -> str:
    return hashlib.sha256(f"{fingerprint} {corruption}".encode()).hexdigest()[:16]


def _load(path: Path | None) -> dict[str, FaceObservation | None]:
    if path is None or not path.exists():
        return {}
    try:
        with path.open("rb") as file, np.load(file) as kept:
            rows = zip(kept["seen"], kept["measures"], kept["reasons"], kept["area"], strict=True)
            return {str(key): _unpacked(*row) for key, row in zip(kept["keys"], rows, strict=True)}
    except DAMAGED:
        raise FacesecureError(f"{path} is damaged", "remove it: its photos are observed again") from None


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
