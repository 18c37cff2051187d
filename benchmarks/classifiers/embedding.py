"""Embeddings of all faces by the bundled network, computed once and kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.classifiers.crops import read
from benchmarks.classifiers.manifest import Photos
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.storage.trusted_models import load_model
from facesecure_training.common.progress import with_progress

Vectors = NDArray[np.float32]
MODEL = "mobilefacenet"


def embeddings(aligned: Path, photos: Photos, kept: Path) -> dict[str, Vectors]:
    """Return each person's embeddings (photos, size), of length 1; ``kept`` is the file of them."""
    names = [photo for some in photos.values() for photo in some]
    found = _kept(kept, names)
    if found is None:
        embedder = ModelEmbedder(load_model(MODEL))
        found = np.stack([embedder.embed(read(aligned / name)) for name in with_progress(names, "embedding")])
        beside = kept.with_suffix(".writing.npz")
        np.savez(beside, names=np.array(names), vectors=found)
        beside.replace(kept)
    ends = np.cumsum([len(some) for some in photos.values()])
    return dict(zip(photos, np.split(found, ends[:-1]), strict=True))


def mean_of(vectors: Vectors) -> Vectors:
    """Return the mean of ``vectors`` (photos, size), scaled to length 1."""
    mean = vectors.mean(axis=0)
    return np.asarray(mean / max(1e-9, float(np.linalg.norm(mean))), np.float32)


def means(people: Mapping[str, Vectors]) -> Vectors:
    """Return the mean embedding of each person, (people, size)."""
    return np.stack([mean_of(vectors) for vectors in people.values()])


def _kept(path: Path, names: list[str]) -> Vectors | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as file:
        return np.asarray(file["vectors"], np.float32) if file["names"].tolist() == names else None
