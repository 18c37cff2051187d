"""One process of an extraction: receives sources and returns the faces found."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facesecure.domain import Image
from facesecure.domain.errors import FacesecureError
from facesecure.vision.detection.factory import build_detector
from facesecure_training.datasets.cropping import ExtractedFace, FaceExtractor
from facesecure_training.datasets.journal import SourceResult
from facesecure_training.datasets.manifest import ManifestRow, face_columns
from facesecure_training.datasets.near_duplicates import packed
from facesecure_training.datasets.settings import ExtractionSettings
from facesecure_training.datasets.sources import Recording

_JPEG_QUALITY = 95


class Interrupted(Exception):
    """The extraction was asked to stop; nothing of the current source is kept."""


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """What a worker process needs.

    ``stop`` is an Event and ``searched`` a counter of frames, both shared by all workers.
    """

    settings: ExtractionSettings
    output: Path
    workplace: Path
    models_dir: Path | None
    stop: Any
    searched: Any


class Worker:
    """Extracts the faces of sources to files. The files of a source appear in the output only when it is done."""

    def __init__(self, task: WorkerTask) -> None:
        self._task = task
        detector = build_detector(task.settings.detection, models_dir=task.models_dir)
        self._extractor = FaceExtractor(detector, task.settings)

    def run(self, recording: Recording) -> SourceResult:
        """Extract one recording. A recording that cannot be read is reported in the result.

        Raises Interrupted if the extraction is to stop.
        """
        state = recording.state
        scratch = self._task.workplace / f"{os.getpid()}"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        self._count = 0
        with _collected_warnings() as warnings:
            try:
                rows = self._drawn([self._kept(recording, one, scratch) for one in self._faces(recording)], recording)
            except FacesecureError as error:
                return SourceResult(recording.name, state, self._count, [], error.message, broken=True)
        self._hand_over(rows, scratch)
        return SourceResult(recording.name, state, self._count, rows, "; ".join(warnings) or None)

    def _faces(self, recording: Recording) -> Iterator[ExtractedFace]:
        return self._extractor.extract(recording, self._searching)

    def _searching(self) -> None:
        if self._task.stop.is_set():
            raise Interrupted
        self._count += 1
        with self._task.searched.get_lock():
            self._task.searched.value += 1

    def _kept(self, recording: Recording, found: ExtractedFace, scratch: Path) -> ManifestRow:
        name = f"{recording.name}-{found.frame.index:06}-{found.number}{self._task.settings.suffix}"
        write_image(scratch / name, found.crop)
        width, height = found.frame.pixels.size
        return {
            "file": name,
            "class": recording.label,
            "source": recording.name,
            "kind": recording.kind,
            "frame": found.frame.index,
            "time": found.frame.taken_at,
            "face": found.number,
            "track": found.track,
            "width": width,
            "height": height,
            **face_columns(found.face, found.aligned.quality),
            "thumb": packed(found.thumb),
        }

    def _drawn(self, rows: list[ManifestRow], recording: Recording) -> list[ManifestRow]:
        """Return all rows, or as many as the limit allows, drawn by the seed and the source's name."""
        limit = self._task.settings.limit
        if limit is None or len(rows) <= limit:
            return rows
        rng = np.random.default_rng([self._task.settings.seed, zlib.crc32(recording.name.encode())])
        return [rows[index] for index in sorted(rng.choice(len(rows), limit, replace=False))]

    def _hand_over(self, rows: list[ManifestRow], scratch: Path) -> None:
        for one in rows:
            place = self._task.output / one["file"]
            place.parent.mkdir(parents=True, exist_ok=True)
            (scratch / one["file"]).replace(place)
        shutil.rmtree(scratch)


def write_image(path: Path, image: Image) -> None:
    """Write ``image`` as PNG or JPEG, by the suffix of ``path``. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if path.suffix == ".jpg" else []
    done, content = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality)
    if not done:
        raise OSError(f"{path} cannot be written as {path.suffix}")
    path.write_bytes(content.tobytes())


@contextmanager
def _collected_warnings() -> Iterator[list[str]]:
    """Collect warnings that the daemon's code logs; the process that shows the progress prints them."""
    warnings: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: warnings.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("facesecure")
    logger.addHandler(handler)
    try:
        yield warnings
    finally:
        logger.removeHandler(handler)


_worker: Worker | None = None


def begin(task: WorkerTask) -> None:
    """Make this process a worker: one thread, no reaction to Ctrl-C (its parent stops it), gone when its parent is."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = Worker(task)


def work(recording: Recording) -> SourceResult | None:
    """Return the result for ``recording``; None if it was interrupted."""
    assert _worker is not None
    try:
        return _worker.run(recording)
    except Interrupted:
        return None


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
