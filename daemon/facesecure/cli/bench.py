"""``facesecure bench``: how long each stage takes on this machine, in half a minute."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.output import Json
from facesecure.cli.settings import settings_of, state_of

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig
    from facesecure.domain import Image
    from facesecure.services.model_stack import ModelStack

_SIZE = (1280, 720)


def bench(
    context: typer.Context,
    repeats: Annotated[
        int, typer.Option(min=1, max=1000, help="How often each stage is timed; the median is told.")
    ] = 20,
    json: Json = False,
) -> None:
    """Time each stage on this machine.

    On the bundled pictures, with the models and the detector of the configuration.
    For the whole daemon against other programs see `make bench` in the source tree.
    """
    from facesecure.services.model_stack import ModelStack

    settings = settings_of(context)
    config = settings.config()
    vision = ModelStack.load(config, state_of(config))
    results = {}
    with output.progress(quiet=json) as progress:
        for name, stage in progress.track(list(_stages(config, vision)), description="timing"):
            results[name] = _time(stage, repeats)
    if json:
        output.emit_json({**_machine(config), "stages": results})
        return
    rows = [(name, timing["median_ms"], timing["worst_ms"]) for name, timing in results.items()]
    output.table(("stage", "median ms", "worst ms"), rows, right=("median ms", "worst ms"))
    output.say("\n" + ", ".join(f"{key}: {value}" for key, value in _machine(config).items()))


def _stages(config: FacesecureConfig, vision: ModelStack) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each stage as something to call, on a picture with one face in it."""
    import cv2

    from facesecure.domain.errors import ModelError
    from facesecure.vision.images.quality import examine

    image = _picture()
    done, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    faces = vision.detector.detect(image)
    if not done or not faces:
        raise ModelError(
            f"the {config.detector.kind} detector does not find the bundled face", "run: facesecure models verify"
        )
    crop = examine(image, faces[0], config.quality).image
    yield f"decode JPEG {_SIZE[0]}x{_SIZE[1]}", lambda: cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    yield f"detect ({config.detector.kind}) {_SIZE[0]}x{_SIZE[1]}", lambda: vision.detector.detect(image)
    yield "align and judge one face", lambda: examine(image, faces[0], config.quality)
    yield f"embed one face ({config.recognizer.embedding_model})", lambda: vision.embedder.embed(crop)
    if (classifier := vision.classifier) is not None:
        seen = classifier.crop_context(image, faces[0].box)
        yield f"classify one face ({classifier.card.name})", lambda: classifier.scores(crop if seen is None else seen)


def _picture() -> Image:
    """A porch with one person on it, uint8 RGB."""
    from facesecure.camera.synthetic.figure import Figure, Pose
    from facesecure.camera.synthetic.portraits import GRACE_HOPPER
    from facesecure.camera.synthetic.scene import draw_scene

    picture = draw_scene(_SIZE, 0).picture.copy()
    figure = Figure.from_bust(GRACE_HOPPER.image(), GRACE_HOPPER.mask(), GRACE_HOPPER.points())
    figure.paint(picture, Pose((_SIZE[0] / 2, _SIZE[1] / 3), 120.0))
    return picture


def _time(stage: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Milliseconds, after one call that is not counted: the first builds what the later ones use."""
    stage()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        stage()
        times.append(1000 * (time.perf_counter() - began))
    return {"median_ms": statistics.median(times), "worst_ms": max(times)}


def _machine(config: FacesecureConfig) -> dict[str, str]:
    import os
    import platform

    from facesecure.vision.inference.model_card import load_model

    runtime = load_model(config.recognizer.model, state_of(config)).interpreter().runtime
    return {"machine": platform.machine(), "cores": str(os.cpu_count()), "runtime": runtime}
