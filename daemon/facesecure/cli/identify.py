"""``facesecure identify``: who is in these pictures, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output, serializers
from facesecure.cli.output import Json
from facesecure.cli.settings import open_store, settings_of, state_of

if TYPE_CHECKING:
    from rich.progress import Progress

    from facesecure.recognition.identify import FaceReport, Identifier


def identify(
    context: typer.Context,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Pictures, or folders of pictures.")],
    json: Json = False,
) -> None:
    """Say who is in pictures, how sure that is, and why.

    Ends with 1 if a picture could not be read; the others are looked at all the same.
    """
    from facesecure.services.enrolment import expand
    from facesecure.services.model_stack import ModelStack

    config = settings_of(context).config()
    paths = list(expand(images))
    with open_store(config) as store:
        identifier = ModelStack.load(config, state_of(config)).identifier(config, store, state_of(config))
        with output.progress(quiet=json) as progress:
            looked = _look(identifier, paths, progress)
    if json:
        output.emit_json({"images": looked})
    else:
        _table(looked)
    failed = [image for image in looked if image["error"]]
    for image in failed:
        output.note(f"error: {image['error']}")
    if failed:
        raise typer.Exit(1)


def _look(identifier: Identifier, paths: Sequence[Path], progress: Progress) -> list[dict[str, Any]]:
    return [_one(identifier, path) for path in progress.track(paths, description="looking at pictures")]


def _one(identifier: Identifier, path: Path) -> dict[str, Any]:
    from facesecure.domain.errors import ImageError
    from facesecure.vision.images.photos import read_photo

    try:
        image = read_photo(path)
    except ImageError as error:
        return {"path": str(path), "error": error.message, "faces": []}
    height, width = image.shape[:2]
    faces = [_face(report) for report in identifier.identify(image)]
    return {"path": str(path), "error": None, "width": width, "height": height, "faces": faces}


def _face(report: FaceReport) -> dict[str, Any]:
    return {
        "box": serializers.box(report.face.box),
        "landmarks": [[round(float(x), 1), round(float(y), 1)] for x, y in report.face.landmarks],
        **serializers.verdict(report.verdict),
        "scores": dict(report.recognition.ranked()) if report.recognition else {},
        "quality": serializers.quality(report.aligned.quality),
    }


_COLUMNS = ("picture", "face", "who", "score", "second", "quality", "why")


def _table(looked: list[dict[str, Any]]) -> None:
    rows = [row for image in looked if not image["error"] for row in _rows(image)]
    if rows:
        output.table(_COLUMNS, rows, right=("score", "quality"))


def _rows(image: dict[str, Any]) -> list[tuple[object, ...]]:
    if not image["faces"]:
        return [(image["path"], None, None, None, None, None, "no face found")]
    return [(image["path"], *_row(face)) for face in image["faces"]]


def _row(face: dict[str, Any]) -> tuple[object, ...]:
    left, top, right, bottom = face["box"]
    who = output.coloured(face["name"] or face["verdict"], serializers.VERDICT_STYLES[face["verdict"]])
    second = f"{face['second_name']} {face['second_score']:.2f}" if face["second_name"] else None
    where = f"{right - left:.0f}x{bottom - top:.0f} at {left:.0f},{top:.0f}"
    return where, who, face["score"], second, face["quality"]["clarity"], face["why"]
