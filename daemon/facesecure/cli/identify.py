"""``facesecure identify``: identify the people in photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output, serializers
from facesecure.cli.output import Json
from facesecure.cli.settings import open_store, settings_of, state_of

if TYPE_CHECKING:
    from facesecure.recognition.identify import FaceReport
    from facesecure.services.identification import PhotoReport

_COLUMNS = ("image", "face", "who", "score", "second", "quality", "why")


def identify(
    context: typer.Context,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Photos, or folders of photos.")],
    json: Json = False,
) -> None:
    """Identify the people in photos, and explain each verdict.

    A photo that cannot be read does not stop the others; the exit code is then 1. Files of other kinds in a folder are
    only noted.
    """
    from facesecure.services.identification import identify_photos
    from facesecure.services.image_providers import photo_files
    from facesecure.services.model_stack import ModelStack

    config = settings_of(context).config()
    paths, state_dir = list(photo_files(images)), state_of(config)
    with open_store(config) as store:
        identifier = ModelStack.load(config, state_dir).identifier(config, store, state_dir)
        with output.progress(quiet=json) as progress:
            reports = identify_photos(identifier, paths, progress)
    if json:
        output.emit_json({"images": [_document(report) for report in reports]})
    else:
        _table(reports)
    failed = [report for report in reports if report.error]
    for report in failed:
        output.note(f"{'error' if _expected(report.path, images) else 'skipped'}: {report.error}")
    for hint in dict.fromkeys(report.hint for report in failed if report.hint and _expected(report.path, images)):
        output.note(f"hint: {hint}")
    if any(_expected(report.path, images) for report in failed):
        raise typer.Exit(1)


def _expected(path: Path, named: Sequence[Path]) -> bool:
    """Return whether the file ``path`` was named, or is a photo by its name or content; other files may lie about."""
    from facesecure.vision.images.photos import may_be_photo

    return path in named or may_be_photo(path)


def _document(report: PhotoReport) -> dict[str, Any]:
    document: dict[str, Any] = {"path": str(report.path), "error": report.error}
    if report.error:
        return {**document, "faces": [], "hint": report.hint}
    size = {"width": report.width, "height": report.height}
    return {**document, **size, "faces": [_face(face) for face in report.faces]}


def _face(report: FaceReport) -> dict[str, Any]:
    return {
        "box": serializers.box(report.face.box),
        "landmarks": [[round(float(x), 1), round(float(y), 1)] for x, y in report.face.landmarks],
        **serializers.verdict(report.verdict),
        "scores": dict(report.recognition.ranked()) if report.recognition else {},
        "quality": serializers.quality(report.aligned.quality),
    }


def _table(reports: Sequence[PhotoReport]) -> None:
    rows = [row for report in reports if not report.error for row in _rows(report)]
    if rows:
        output.table(_COLUMNS, rows, right=("score", "quality"))


def _rows(report: PhotoReport) -> list[tuple[object, ...]]:
    if not report.faces:
        return [(report.path, None, None, None, None, None, "no face found")]
    return [(report.path, *_row(face)) for face in report.faces]


def _row(report: FaceReport) -> tuple[object, ...]:
    from facesecure.domain.wire.sightings import BoxDocument

    verdict, (left, top, right, bottom) = report.verdict, BoxDocument.of(report.face.box).edges()
    second = f"{verdict.second_name} {verdict.second_score:.2f}" if verdict.second_name else None
    where = f"{right - left:.0f}x{bottom - top:.0f} at {left:.0f},{top:.0f}"
    who = serializers.coloured_who(verdict)
    return where, who, verdict.score, second, report.aligned.quality.clarity, verdict.why
