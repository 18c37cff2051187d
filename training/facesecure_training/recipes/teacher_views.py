"""Changed views of aligned faces with the bundled network's answers to them, made once and kept on disk.

A student that is taught in every epoch by the teacher itself waits for it: the bundled network takes twice as long as
the student. So each face is changed in several ways beforehand, and teacher and student see the same pixels, as Beyer
et al., "Knowledge distillation: A good teacher is patient and consistent", CVPR 2022 (https://arxiv.org/abs/2106.05237)
recommend. As there, half of the views are mixed from two faces: nobody's face, which the teacher can place all the
same, and which makes more of few photos.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.domain.errors import FacesecureError, UsageError
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.util.files import replace_file
from facesecure.vision.images.align import SIZE
from facesecure.vision.images.fitting import resized
from facesecure.vision.images.illumination import brightened
from facesecure.vision.images.photos import read_photo
from facesecure.vision.inference.model_card import load_model
from facesecure_training.common.progress import ProgressBar
from facesecure_training.datasets.cache import state_of
from facesecure_training.recipes.image_changes import Augmentation, change

TEACHER = "mobilefacenet"
_MIXED = 0.5
"""The share of views that are mixed from two faces."""
_CHUNK = 128
_STEEPNESS = 8.0
"""How sharp the border is between the parts of a view that is mixed part by part."""


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """What decides how views look: ``views`` of each image, ``side`` in pixels, their ``changes`` and the ``seed``."""

    views: int
    side: int
    changes: Augmentation
    seed: int


class TeacherViews:
    """Views of ``files``, aligned faces, in ``folder``; an interrupted preparation continues.

    ``pictures`` is uint8 RGB (views * files, side, side, 3), brightened as the daemon would; ``answers`` is float32
    (views * files, n), of length 1. Example::

        views = TeacherViews(files, ViewSettings(4, 64, preset("jittered"), seed=0), Path("cache"))
        views.prepare(threads=2)
    """

    def __init__(self, files: Sequence[Path], settings: ViewSettings, folder: Path) -> None:
        """Open the folder; nothing is computed.

        Raises OSError if an image is missing, FacesecureError if the disk is full.
        """
        self._files, self._settings = files, settings
        self._model = load_model(TEACHER)
        self.folder = folder / f"views-{self._key()}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.count = settings.views * len(files)
        self._local = threading.local()
        self._size = self._model.card.embedding_size or 0
        self.pictures = self._memory("pictures", (self.count, settings.side, settings.side, 3), np.uint8)
        self.answers = self._memory("answers", (self.count, self._size), np.float32)

    def prepare(self, threads: int) -> None:
        """Make the views that are missing. Raises UsageError for an image that is not an aligned face, ImageError."""
        begun = self._done()
        with ThreadPoolExecutor(threads) as pool, ProgressBar(self.count, "views for the teacher") as bar:
            for done in self._made(pool, begun, threads):
                self.pictures.flush()
                self.answers.flush()
                replace_file(self._progress, json.dumps({"done": done}).encode())
                bar.reach(done)

    def _made(self, pool: ThreadPoolExecutor, begun: int, threads: int) -> Iterator[int]:
        """Yield how many views are complete, after each round of chunks."""
        step = _CHUNK * threads
        for at in range(begun, self.count, step):
            ends = min(at + step, self.count)
            list(pool.map(self._chunk, range(at, ends, _CHUNK)))
            yield ends

    def _chunk(self, begin: int) -> None:
        for row in range(begin, min(begin + _CHUNK, self.count)):
            view = self._view(row)
            self.answers[row] = self._embedder().embed(view)  # which brightens it, too
            self.pictures[row] = brightened(resized(view, (self._settings.side, self._settings.side)))

    def _view(self, row: int) -> Image:
        number, index = divmod(row, len(self._files))
        seed = (self._settings.seed, number, index)
        chance = np.random.default_rng(seed)
        face = self._read(index)
        if chance.random() < _MIXED:
            face = mixed(face, self._read(int(chance.integers(len(self._files)))), chance)
        return change(face, self._settings.changes, seed)

    def _read(self, index: int) -> Image:
        face = read_photo(self._files[index])
        if face.shape != (SIZE, SIZE, 3):
            raise UsageError(
                f"{self._files[index]} is not an aligned face of {SIZE} pixels",
                "cut the faces out with: facesecure-train dataset extract --crop aligned",
            )
        return face

    def _embedder(self) -> ModelEmbedder:
        if not hasattr(self._local, "embedder"):
            self._local.embedder = ModelEmbedder(self._model)
        made: ModelEmbedder = self._local.embedder
        return made

    @property
    def _progress(self) -> Path:
        return self.folder / "progress.json"

    def _done(self) -> int:
        try:
            return int(json.loads(self._progress.read_text())["done"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def _key(self) -> str:
        facts = [self._model.sha256, json.dumps(asdict(self._settings)), *(state_of(file) for file in self._files)]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]

    def _memory(self, name: str, shape: tuple[int, ...], kind: Any) -> Any:
        """Return the array in a file; its space is reserved, as writing to one on a full disk ends the process."""
        path = self.folder / f"{name}.npy"
        if path.exists() and self._done():
            return np.lib.format.open_memmap(path, "r+")
        self._progress.unlink(missing_ok=True)
        made = np.lib.format.open_memmap(path, "w+", dtype=kind, shape=shape)
        try:
            with path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise FacesecureError(
                f"{path} cannot be made: {error.strerror}",
                f"it needs {made.nbytes:,} bytes; make room, or use fewer --views",
            ) from None
        return made


def mixed(first: Image, second: Image, chance: np.random.Generator) -> Image:
    """Return a face made of two aligned ones: both everywhere, or each on its side of a soft border."""
    height, width = first.shape[:2]
    if chance.random() < 0.5:
        share = np.full((height, width, 1), chance.uniform(0.3, 0.7), np.float32)
    else:
        direction, place = chance.uniform(0, 2 * np.pi), chance.uniform(-0.4, 0.4)
        rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in (height, width))
        plane = np.sin(direction) * rows[:, None] + np.cos(direction) * columns[None, :] - place
        share = (1 / (1 + np.exp(-_STEEPNESS * plane)))[..., None].astype(np.float32)
    return np.asarray(np.rint(first * share + second * (1 - share)), np.uint8)


def projection(answers: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return the matrix (n, size) onto the ``size`` directions that keep most of the cosines of ``answers`` (rows, n).

    The bundled network's 192 numbers have 64 independent directions; 32 of them keep its accuracy on Labelled Faces in
    the Wild but for 0.6 % (98.4 % of 99.0 %).
    """
    gram = np.asarray(answers.T @ answers, np.float64)
    _, vectors = np.linalg.eigh(gram)
    return np.ascontiguousarray(vectors[:, ::-1][:, :size], np.float32)


def workers(threads: int) -> int:
    """Return how many threads make views where ``threads`` is asked for; 0: one for each core."""
    return threads or os.cpu_count() or 1
