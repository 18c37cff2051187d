"""Identifies the people in photo files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from facesecure.domain.errors import ImageError
from facesecure.recognition.identify import FaceReport, Identifier
from facesecure.services.progress import Progress, ignore_progress
from facesecure.vision.images.photos import read_photo


@dataclass(frozen=True, slots=True)
class PhotoReport:
    """One photo: its size in pixels and a report on each face, the largest first.

    One that could not be read has the ``error`` instead, and a ``hint``.
    """

    path: Path
    width: int = 0
    height: int = 0
    faces: tuple[FaceReport, ...] = ()
    error: str | None = None
    hint: str | None = None


def identify_photos(
    identifier: Identifier, paths: Sequence[Path], progress: Progress = ignore_progress
) -> list[PhotoReport]:
    """Return a report on each of ``paths``; a file that cannot be read does not stop the others.

    Example::

        identifier = ModelStack.load(config, state_dir).identifier(config, store, state_dir)
        reports = identify_photos(identifier, [Path("visitor.jpg")])
    """
    reports = []
    for number, path in enumerate(paths, 1):
        reports.append(_identify(identifier, path))
        progress("reading photos", number, len(paths))
    return reports


def _identify(identifier: Identifier, path: Path) -> PhotoReport:
    try:
        image = read_photo(path)
    except ImageError as error:
        return PhotoReport(path, error=error.message, hint=error.hint)
    height, width = image.shape[:2]
    return PhotoReport(path, width, height, tuple(identifier.identify(image)))
