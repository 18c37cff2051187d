"""Embeddings of photos by the model that is evaluated: in this process, in several, or on a cluster."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from facesecure.domain import Embedding
from facesecure.domain.errors import FacesecureError, ImageError
from facesecure.recognition.embedder import ModelEmbedder
from facesecure_training.common.cropping import CropMaker
from facesecure_training.common.embeddings import photos_by_person
from facesecure_training.common.progress import ProgressBar
from facesecure_training.evaluation import scores
from facesecure_training.evaluation.predictors import Network
from facesecure_training.evaluation.setting import Setting

Task = TypeVar("Task")
Result = TypeVar("Result")
_CHUNK = 64
"""Photos that a worker embeds in one go, at most."""


def embed_photos(photos: Iterable[Path], setting: Setting) -> Mapping[Path, Embedding | None]:
    """Return each photo's embedding, or None if no face was found; shows progress on stderr.

    Raises ImageError if a photo is missing or cannot be read.
    """
    distinct = sorted(set(photos))
    missing = [photo for photo in distinct if not photo.is_file()]
    if missing:
        raise ImageError(f"{len(missing)} of {len(distinct)} photos are missing, first {missing[0]}")
    found: dict[Path, Embedding | None] = {}
    task = (setting.for_workers(), setting.network().sha256)
    for_each(setting, _embedded, task, distinct, "embedding", found.__setitem__)
    return {photo: found[photo] for photo in distinct}


def for_each(
    setting: Setting,
    work: Callable[[Task, Path], Result],
    task: Task,
    photos: Sequence[Path],
    what: str,
    done: Callable[[Path, Result], None],
) -> None:
    """Do ``work`` on each photo by the setting's workforce, and call ``done`` as each is finished, in any order.

    Raises ImageError for a photo that kills the processes that work on it.
    """
    if not photos:
        return
    with setting.workforce.pool(-(-len(photos) // _CHUNK)) as pool, ProgressBar(len(photos), what) as bar:
        if pool.described:
            bar.say(pool.described)
        given = {photo.absolute(): photo for photo in photos}  # a worker may stand in another folder
        for count, outcome in enumerate(pool.map(work, task, given, _CHUNK), 1):
            if outcome.lost:
                raise ImageError(f"{outcome.item}: {outcome.lost}", "remove it, and run the command again")
            done(given[outcome.item], outcome.result)  # type: ignore[arg-type]
            bar.reach(count)


def measure_scores(setting: Setting, images: Path) -> scores.ScoreReport:
    """Return the distribution of genuine and of strangers' scores over all people under ``images``."""
    people = photos_by_person(images)
    require_embedder(setting)
    found = embed_photos((photo for photos in people.values() for photo in photos), setting)
    vectors = {name: [v for photo in photos if (v := found[photo]) is not None] for name, photos in people.items()}
    return scores.measure({name: np.stack(some) for name, some in vectors.items() if some})


def require_embedder(setting: Setting) -> None:
    """Raise ModelError unless the model embeds faces."""
    ModelEmbedder(setting.load())


def _embedded(task: tuple[Setting, str], photo: Path) -> Embedding | None:
    cropper, network = _parts(*task, threading.get_ident())
    crop = cropper.crop(photo)
    return None if crop is None else network.embed(crop)


@lru_cache(maxsize=1)
def _parts(setting: Setting, sha256: str, thread: int) -> tuple[CropMaker, Network]:  # noqa: ARG001 - for one thread
    network = setting.network()
    refuse_other(network.sha256, sha256)
    return setting.cropper(), network


def refuse_other(found: str, wanted: str) -> None:
    """Raise FacesecureError if a worker has another model than the process that evaluates."""
    if found != wanted:
        raise FacesecureError(f"{socket.gethostname()} has another model of that name", "copy the model's files there")
