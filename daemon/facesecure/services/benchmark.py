"""Times each stage of recognition on this machine, with the bundled images and the configured models."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from facesecure.camera.synthetic.figure import Figure, Pose
from facesecure.camera.synthetic.portraits import GRACE_HOPPER
from facesecure.camera.synthetic.scene import draw_scene
from facesecure.config import FacesecureConfig
from facesecure.domain import Image
from facesecure.domain.errors import ModelError
from facesecure.services.model_stack import ModelStack
from facesecure.services.progress import Progress, ignore_progress
from facesecure.storage.trusted_models import load_model
from facesecure.vision.images.quality import examine

_SIZE = (1280, 720)


@dataclass(frozen=True, slots=True)
class StageTiming:
    """The median and longest duration of one stage, in milliseconds."""

    stage: str
    median_ms: float
    worst_ms: float


@dataclass(frozen=True, slots=True)
class Machine:
    """What the timings depend on: processor architecture, number of cores and TFLite runtime."""

    machine: str
    cores: str
    runtime: str


def time_stages(
    config: FacesecureConfig, models: ModelStack, repeats: int, progress: Progress = ignore_progress
) -> list[StageTiming]:
    """Run each stage ``repeats`` times and return its timing. Raises ModelError if the bundled face is not found."""
    stages = list(_stages(config, models))
    timings = []
    for number, (name, stage) in enumerate(stages, 1):
        timings.append(_time(name, stage, repeats))
        progress("timing", number, len(stages))
    return timings


def describe_machine(config: FacesecureConfig, state_dir: Path) -> Machine:
    """Return what the timings on this machine depend on. Raises ModelError."""
    runtime = load_model(config.recognizer.model, state_dir).interpreter().runtime
    return Machine(platform.machine(), str(os.cpu_count()), runtime)


def _stages(config: FacesecureConfig, models: ModelStack) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield each stage as a name and a function that runs it on an image with one face."""
    image = _image()
    done, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    faces = models.detector.detect(image)
    if not done or not faces:
        raise ModelError(
            f"the {config.detector.kind} detector does not find the bundled face", "run: facesecure models verify"
        )
    crop = examine(image, faces[0], config.quality).image
    yield f"decode JPEG {_SIZE[0]}x{_SIZE[1]}", lambda: cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    yield f"detect ({config.detector.kind}) {_SIZE[0]}x{_SIZE[1]}", lambda: models.detector.detect(image)
    yield "align and judge one face", lambda: examine(image, faces[0], config.quality)
    yield f"embed one face ({config.recognizer.embedding_model})", lambda: models.embedder.embed(crop)
    if (classifier := models.classifier) is not None:
        context = classifier.crop_context(image, faces[0].box)
        shown = crop if context is None else context
        yield f"classify one face ({classifier.card.name})", lambda: classifier.scores(shown)


def _image() -> Image:
    """Draw a porch with one person on it, uint8 RGB."""
    image = draw_scene(_SIZE, 0).image.copy()
    figure = Figure.from_bust(GRACE_HOPPER.image(), GRACE_HOPPER.mask(), GRACE_HOPPER.points())
    figure.paint(image, Pose((_SIZE[0] / 2, _SIZE[1] / 3), 120.0))
    return image


def _time(name: str, stage: Callable[[], Any], repeats: int) -> StageTiming:
    """Time a stage after one call that is not counted, which builds what the later ones use."""
    stage()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        stage()
        times.append(1000 * (time.perf_counter() - began))
    return StageTiming(name, statistics.median(times), max(times))
