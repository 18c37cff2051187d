"""After a change of model: everybody enrolled is embedded again from the crops that were kept."""

from __future__ import annotations

import logging
import time

from facesecure.recognize.embedder import ModelEmbedder
from facesecure.store.records import Reembedded
from facesecure.store.store import Store

_log = logging.getLogger(__name__)
_PATIENCE = 1.0
"""Seconds after which somebody who waits wants to know what for, and then again after each as long."""


def renew(store: Store, embedder: ModelEmbedder) -> Reembedded:
    """Make the templates in ``store`` fit ``embedder``; one line in the log where there was anything to do.

    Faces that cannot be embedded again are named in the log, stay as they were, and are compared with nobody.
    """
    began, progress = time.monotonic(), _Progress()
    done = store.reembed(embedder.sha256, embedder.embed, done=progress)
    if done.faces:
        people, took = ", ".join(done.people), time.monotonic() - began
        _log.info("the model has changed: %d faces of %s embedded again in %.1f s", done.faces, people, took)
    for face in done.refused:
        _log.error(
            "face %d of %s could not be embedded again and does not count: %s", face.identifier, face.name, face.why
        )
    return done


class _Progress:
    """Says how far it is, once it takes long."""

    def __init__(self) -> None:
        self._due = time.monotonic() + _PATIENCE

    def __call__(self, done: int, of: int) -> None:
        if time.monotonic() >= self._due and done < of:
            self._due = time.monotonic() + _PATIENCE
            _log.warning("the model has changed: embedding enrolled faces again, %d of %d done", done, of)
