"""What extracts the faces of one source: in the process that shows the progress, or in a worker of a cluster."""

from __future__ import annotations

import errno
import json
import logging
import shutil
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir

import cv2
import numpy as np

from facesecure.domain import Image
from facesecure.domain.errors import DiskFullError, FacesecureError
from facesecure.vision.detection.factory import build_detector
from facesecure_training.common.disk_errors import explained
from facesecure_training.datasets.crop_folder import crop_folder
from facesecure_training.datasets.crop_names import crop_name, stem_of
from facesecure_training.datasets.cropping import ExtractedFace, FaceExtractor
from facesecure_training.datasets.journal import SourceResult
from facesecure_training.datasets.location import Location, is_remote
from facesecure_training.datasets.manifest import ManifestRow, face_columns
from facesecure_training.datasets.near_duplicates import packed
from facesecure_training.datasets.settings import ExtractionSettings
from facesecure_training.datasets.sources import Recording

_JPEG_QUALITY = 95


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """What a worker needs: plain values, since it may be on another machine.

    ``source`` and ``output`` are paths or addresses, ``run`` the word by which a worker knows the output
    (``CropFolder.begin_run``), and ``described`` what the settings and networks are where the extraction was started.
    """

    settings: ExtractionSettings
    source: str
    output: str
    run: str
    models_dir: Path | None
    described: str


class Worker:
    """Extracts the faces of sources to files. The files of a source appear in the output only when it is done."""

    def __init__(self, task: WorkerTask) -> None:
        if described(task.settings) != task.described:
            raise FacesecureError(
                f"{socket.gethostname()} has other networks than the machine that extracts",
                "install the same version of facesecure and the same models on every machine",
            )
        if not is_remote(task.source) and not Path(task.source).is_dir():
            raise FacesecureError(
                f"{socket.gethostname()} has no folder {task.source}", "every worker needs it, at the same path"
            )
        self._task = task
        self._output = crop_folder(task.output if is_remote(task.output) else Path(task.output))
        self._require_output()
        cv2.setNumThreads(1)
        self._classes = Location.at(task.source) if is_remote(task.source) else None
        detector = build_detector(task.settings.detection, models_dir=task.models_dir)
        self._extractor = FaceExtractor(detector, task.settings)

    def run(self, recording: Recording) -> SourceResult:
        """Extract one recording. A recording that cannot be read is reported in the result.

        Raises FacesecureError if the output is not there, or no longer, or a disk is full.
        """
        place = gettempdir() if is_remote(self._task.output) else self._output.shown
        with explained(f"{place} on {socket.gethostname()}"), self._scratch() as scratch:
            return self._run(recording, scratch)

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """Yield an empty folder for as long; no other worker on any machine has it."""
        try:
            scratch = self._output.scratch(self._task.run)
        except FileNotFoundError:
            self._require_output()
            raise
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _require_output(self) -> None:
        """Raise FacesecureError where the output is another folder: what is put there would be lost."""
        if not self._output.sees_run(self._task.run):
            raise FacesecureError(
                f"{socket.gethostname()} does not have the output {self._output.shown} of this extraction",
                "every worker needs that very folder, at the same path: is it mounted there?",
            )

    def _run(self, recording: Recording, scratch: Path) -> SourceResult:
        self._count = 0
        with _collected_warnings() as warnings:
            try:
                # No folder is made later: that would bring back the scratch folder of a run that is over by then.
                (scratch / stem_of(recording.name)).parent.mkdir(parents=True)
                state = recording.state
                with recording.here(self._classes) as here:
                    found = [self._kept(here, one, scratch) for one in self._extractor.extract(here, self._searching)]
            except (FacesecureError, OSError) as error:
                if not scratch.is_dir():
                    self._require_output()
                why = _fault(error, recording)
                return SourceResult(recording.name, "", self._count, [], why, broken=True)
        rows = self._drawn(found, recording)
        if rows:  # what is put there after the end of the run is removed by nobody
            self._require_output()
        for one in rows:
            self._output.put(scratch / one["file"], one["file"])
        return SourceResult(recording.name, state, self._count, rows, "; ".join(warnings) or None)

    def _searching(self) -> None:
        self._count += 1

    def _kept(self, recording: Recording, found: ExtractedFace, scratch: Path) -> ManifestRow:
        name = crop_name(recording.name, found.frame.index, found.number, self._task.settings.suffix)
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


def _fault(error: FacesecureError | OSError, recording: Recording) -> str:
    """Return why the recording is left out; raise an error that is not its fault."""
    if isinstance(error, DiskFullError):
        raise error
    if isinstance(error, FacesecureError):
        return error.message if recording.remote is None else f"{recording.name}: {error.message}"
    if error.errno == errno.ENAMETOOLONG:
        return f"{recording.name}: its name is too long for the file system of the output"
    if error.errno == errno.ENOENT:
        return f"{recording.path if recording.remote is None else recording.name} is gone"
    raise error


def write_image(path: Path, image: Image) -> None:
    """Write ``image`` as PNG or JPEG, by the suffix of ``path``, whose folder is there. Raises OSError."""
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
    before, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield warnings
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


def described(settings: ExtractionSettings) -> str:
    """Return everything that decides what comes out, with the networks of this machine, as text."""
    return json.dumps(settings.described(), sort_keys=True)


@lru_cache(maxsize=1)
def _worker(task: WorkerTask, thread: int) -> Worker:  # noqa: ARG001 - the networks serve one thread
    return Worker(task)


def extracted(task: WorkerTask, recording: Recording) -> SourceResult:
    """Extract one recording: the work of ``services.bulk``. The networks are loaded once in a process."""
    return _worker(task, threading.get_ident()).run(recording)
