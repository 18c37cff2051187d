"""Re-embeds the enrolled faces after a change of model, since embeddings of two models cannot be compared."""

from __future__ import annotations

import logging
import time

from facesecure.domain.records import Reembedded, Template
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.storage.store import Store

_log = logging.getLogger(__name__)

_PROGRESS_SECONDS = 1.0
"""Seconds before re-embedding logs its progress, and between two such lines."""


def renew(store: Store, embedder: ModelEmbedder) -> Reembedded:
    """Re-embed the faces in ``store`` that another model than ``embedder`` embedded, and log the result.

    Faces that cannot be embedded are logged by number and person, stay unchanged, and match no one.
    """
    began = time.monotonic()
    done = _reembedded(store, embedder, keep=True)
    if done.faces:
        people, took = ", ".join(done.people), time.monotonic() - began
        _log.info("the model has changed: re-embedded %d faces of %s in %.1f s", done.faces, people, took)
    return done


def foreseen_templates(store: Store, embedder: ModelEmbedder) -> list[Template]:
    """Return everyone's templates for ``embedder`` as ``renew`` would make them; nothing is stored."""
    return list(_reembedded(store, embedder, keep=False).templates)


def _reembedded(store: Store, embedder: ModelEmbedder, keep: bool) -> Reembedded:
    done = store.reembed(embedder.sha256, embedder.embed, done=_Progress(), keep=keep)
    for face in done.refused:
        _log.error(
            "face %d of %s could not be re-embedded and is not compared: %s", face.identifier, face.name, face.why
        )
    return done


class _Progress:
    """Logs the progress of re-embedding once it takes long."""

    def __init__(self) -> None:
        self._due = time.monotonic() + _PROGRESS_SECONDS

    def __call__(self, done: int, of: int) -> None:
        if time.monotonic() >= self._due and done < of:
            self._due = time.monotonic() + _PROGRESS_SECONDS
            _log.warning("the model has changed: re-embedding enrolled faces, %d of %d done", done, of)
