"""Embeds faces that are cropped already, by a model given by name: the work of ``services.bulk``."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2

from facesecure.domain import Embedding, Image
from facesecure.domain.errors import ModelError
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.storage.trusted_models import load_model


@dataclass(frozen=True, slots=True)
class EmbeddingTask:
    """The model that embeds: its name, the state directory it may be in, and its SHA-256."""

    model: str
    state_dir: Path
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class FacesToEmbed:
    """Some faces that belong together, by ``key``: their numbers, and aligned crops, uint8 RGB (112, 112, 3)."""

    key: str
    numbers: tuple[int, ...]
    images: tuple[Image, ...]


def embedded(task: EmbeddingTask, faces: FacesToEmbed) -> list[Embedding]:
    """Return the embedding of each face, float32 of length 1. Raises ModelError if the model is another here."""
    embedder = _embedder(task, threading.get_ident())
    return [embedder.embed(image) for image in faces.images]


@lru_cache(maxsize=1)
def _embedder(task: EmbeddingTask, thread: int) -> ModelEmbedder:  # noqa: ARG001 - an interpreter serves one thread
    cv2.setNumThreads(1)
    found = ModelEmbedder(load_model(task.model, task.state_dir))
    if found.sha256 != task.sha256:
        raise ModelError(
            f"{socket.gethostname()} has another model {task.model}", "install the same version of facesecure there"
        )
    return found
