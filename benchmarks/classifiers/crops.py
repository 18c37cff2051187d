"""The faces of all photos: cut once, in both forms, without near-duplicates, and linked for each training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.classifiers.manifest import Entry, Photos, without_repeats
from benchmarks.steps import Steps
from facesecure.domain.errors import ImageError
from facesecure_training.datasets import manifest as faces
from facesecure_training.datasets.near_duplicates import thumbnail

ALL = ("--faces", "central", "--min-quality", 0, "--thin", 1)
CROPS: Mapping[str, tuple[object, ...]] = {"aligned": (), "square": ("--crop", "square", "--size", 112)}
"""Aligned faces for ``compact``; squares cut as the report's, by MTCNN's box, for ``hugonet``."""


def extract(steps: Steps, images: Path) -> Photos:
    """Cut the faces of ``images`` in both forms; return each person's, near-duplicates left out."""
    for name, words in CROPS.items():
        steps.run("dataset", "extract", "-d", images, "-o", f"crops/{name}", *ALL, *words)
    return distinct(steps.folder / "crops/aligned")


def distinct(aligned: Path) -> Photos:
    """Return each person's faces in the folder of an extraction, as paths below it, without near-duplicates."""
    files = [str(row["file"]) for row in faces.read(aligned)]
    kept = without_repeats({file: thumbnail(read(aligned / file)) for file in files})
    people: dict[str, list[str]] = {}
    for file in kept:
        people.setdefault(file.partition("/")[0], []).append(file)
    return people


def read(path: Path, side: int | None = None) -> NDArray[np.uint8]:
    """Return the crop in ``path``, RGB, scaled to ``side`` pixels. Raises ImageError."""
    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if found is None:
        raise ImageError(f"{path} cannot be read", "delete it, and run the same command again")
    if side is not None and found.shape[0] != side:
        found = cv2.resize(found, (side, side), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(found[:, :, ::-1], np.uint8)


def located(crops: Path, photo: str) -> Path:
    """Return the file of ``photo``, named as in the aligned crops, in the folder ``crops``: squares are JPEGs.

    Raises ImageError if there is none.
    """
    for suffix in (".png", ".jpg"):
        found = (crops / photo).with_suffix(suffix)
        if found.exists():
            return found
    raise ImageError(f"{crops / photo} is missing", "begin again in another --out")


def link(crops: Path, entries: Iterable[Entry], folder: Path, parts: Sequence[str] = ("train", "validation")) -> None:
    """Link the crops of ``entries`` in ``parts`` as ``folder``/PART/CLASS/photo, where the training reads them."""
    for entry in entries:
        if entry.part in parts:
            source = located(crops, entry.photo)
            place = folder / entry.part / entry.label / source.name
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.is_symlink():
                place.symlink_to(source.resolve())
