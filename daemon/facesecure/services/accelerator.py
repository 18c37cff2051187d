"""Decide what runs the models: the configured accelerator if it works here, else the processor.

The alarm must work without the accelerator too: one that is missing or broken is reported, and never keeps the daemon
from starting.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from facesecure.config import FacesecureConfig
from facesecure.storage.trusted_models import load_model
from facesecure.vision.detection.factory import TFLITE_MODELS
from facesecure.vision.detection.subjects import MODEL as SUBJECTS_MODEL
from facesecure.vision.inference.backend import Backend
from facesecure.vision.inference.delegates import DelegateError, ModelTrial, library_problem, try_delegate
from facesecure.vision.inference.model_card import Model

_log = logging.getLogger(__name__)


def choose_backend(config: FacesecureConfig, state_dir: Path) -> Backend:
    """Return what runs the models of ``config``; a warning in the log says why it is not the accelerator.

    Raises ModelError if a model is missing or damaged.
    """
    threads, library = config.inference.threads, config.inference.library
    if library is None:
        return Backend(threads)
    try:
        trials = try_accelerator(config, state_dir)
    except DelegateError as error:
        _log.warning("without its accelerator, the processor runs all models: %s; %s", error.message, error.hint)
        return Backend(threads)
    _log.info("the accelerator %s runs %s", library, ", ".join(map(str, trials)))
    return Backend(threads, library)


def try_accelerator(config: FacesecureConfig, state_dir: Path) -> list[ModelTrial]:
    """Return how the accelerator of ``config``, which has one, runs each model, after trying it in another process.

    Raises DelegateError if it cannot be used, ModelError if a model is missing or damaged.
    """
    library = config.inference.library
    if library is None:
        raise DelegateError("no accelerator is configured")
    if problem := library_problem(library, state_dir):
        raise DelegateError(problem)
    return try_delegate(Backend(config.inference.threads, library), list(_models(config, state_dir)))


def _models(config: FacesecureConfig, state_dir: Path) -> Iterator[Model]:
    recognizer = config.recognizer
    bundled = TFLITE_MODELS[config.detector.kind]
    for name in dict.fromkeys((*bundled, recognizer.embedding_model, recognizer.model)):
        yield load_model(name) if name in bundled else load_model(name, state_dir)
    if config.subjects.enabled:
        yield load_model(SUBJECTS_MODEL)
