"""Embeddings of the same photos by face_recognition, run with the Python that ``make bench`` sets up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.domain.errors import FacesecureError
from facesecure_training.common.cropping import read_limited
from facesecure_training.common.npz import DAMAGED
from facesecure_training.common.progress import with_progress
from facesecure_training.evaluation.observations import key_of

TOLERANCE = 0.6
"""face_recognition's default: nearer than this (Euclidean) to the nearest enrolled photo is a match."""
_WORKER = Path(__file__).with_name("baseline_dlib.py")
_SAVE_EVERY = 500

Vector = NDArray[np.float32]


def default_python() -> Path:
    """Return the Python that ``make bench`` installs face_recognition for."""
    return Path(__file__).resolve().parents[3] / ".venv-bench" / "bin" / "python"


class DlibEmbedder:
    """dlib's ResNet as face_recognition runs it, in a process of its own.

    Example::

        with DlibEmbedder.running(default_python()) as dlib:
            vector = dlib.embed(image)
    """

    def __init__(self, worker: subprocess.Popen[bytes]) -> None:
        self._worker = worker

    @classmethod
    @contextmanager
    def running(cls, python: Path) -> Iterator[DlibEmbedder]:
        """Start the process. Raises FacesecureError if ``python`` lacks dlib or face_recognition's models."""
        command = [str(python), "-W", "ignore", str(_WORKER)]
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with worker:
            if _line(worker) != "ready":
                worker.kill()
                raise FacesecureError("face_recognition does not run", f"build its environment ({python}): make bench")
            try:
                yield cls(worker)
            finally:
                worker.kill()

    def embed(self, image: Image) -> Vector | None:
        """Return the embedding of ``image``, uint8 RGB: float32 (128,), or None if no face is found."""
        pipe = self._worker.stdin
        assert pipe is not None
        pipe.write(f"{image.shape[0]} {image.shape[1]}\n".encode() + image.tobytes())
        pipe.flush()
        answer = _line(self._worker)
        return np.array(answer.split(), np.float32) if answer else None


def _line(worker: subprocess.Popen[bytes]) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().decode().strip()


def embed_by_dlib(
    photos: Iterable[Path], max_side: int | None, cache: Path | None, python: Path
) -> Mapping[Path, Vector | None]:
    """Return every photo's embedding, None if no face is found; cached in ``cache``, also if interrupted.

    Raises FacesecureError if the cache is damaged.
    """
    wanted = sorted(set(photos))
    kept = cache / f"dlib-{max_side or 'full'}.npz" if cache else None
    found = _load(kept)
    missing = [photo for photo in wanted if key_of(photo) not in found]
    if missing:
        with DlibEmbedder.running(python) as dlib:
            for number, photo in enumerate(with_progress(missing, "dlib"), 1):
                found[key_of(photo)] = dlib.embed(read_limited(photo, max_side))
                if number % _SAVE_EVERY == 0 or number == len(missing):
                    _save(kept, found)
    return {photo: found[key_of(photo)] for photo in wanted}


def _load(path: Path | None) -> dict[str, Vector | None]:
    if path is None or not path.exists():
        return {}
    try:
        with path.open("rb") as file, np.load(file) as kept:
            pairs = zip(kept["keys"], kept["vectors"], strict=True)
            return {str(key): None if np.isnan(vector[0]) else vector for key, vector in pairs}
    except DAMAGED:
        raise FacesecureError(f"{path} is damaged", "remove it: its photos are embedded again") from None


def _save(path: Path | None, found: Mapping[str, Vector | None]) -> None:
    if path is None:
        return
    nothing = np.full(128, np.nan, np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}.npz")
    vectors = np.stack([nothing if vector is None else vector for vector in found.values()])
    np.savez(scratch, keys=np.array(list(found)), vectors=vectors)
    scratch.replace(path)
