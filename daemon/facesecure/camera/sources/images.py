"""Play a folder of images as if it were a video."""

from __future__ import annotations

import logging
import re
from collections.abc import Generator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from facesecure.camera.sources.base import ProbeResult, RecordedSource
from facesecure.camera.sources.uri import Address
from facesecure.config import CameraConfig
from facesecure.domain import FrameImage
from facesecure.domain.errors import ImageError, SourceError
from facesecure.vision.images.frames import RgbImage
from facesecure.vision.images.photos import PHOTO_SUFFIXES, may_be_photo, read_photo

log = logging.getLogger(__name__)

EXTENSIONS = PHOTO_SUFFIXES


def natural_key(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key for natural order: img2 before img10, and upper case beside lower."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)


def images_in(folder: Path) -> list[Path]:
    """Return the image files directly in ``folder``, in natural order, without hidden ones. Raises SourceError."""
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise SourceError(
            f"the folder {folder} cannot be read ({error.strerror})", "check the path and its permissions"
        ) from None
    files = [entry for entry in entries if not entry.name.startswith(".") and entry.is_file() and may_be_photo(entry)]
    return sorted(files, key=natural_key)


class ImageFolder(RecordedSource):
    """The images of a folder in natural order, upright, ``camera.fps`` of them to the second.

    Unreadable ones are skipped with a warning. Example::

        for frame in ImageFolder(parse("dir:images/"), CameraConfig(fps=5)).frames():
            ...
    """

    def __init__(self, address: Address, camera: CameraConfig, *, start: datetime | None = None) -> None:
        """Open nothing yet; the folder is read by ``frames`` and ``probe``."""
        super().__init__(address, camera, start=start)
        self._interval = 1 / camera.fps

    def probe(self) -> ProbeResult:
        """Return the size of the first readable image, and how many there are. Raises SourceError."""
        with closing(self._timed_images()) as images:
            first, _ = next(images)
        count = len(images_in(self._address.path))
        return ProbeResult(*first.size, 1 / self._interval, f"the first of {count} images in {self._address}")

    def _timed_images(self) -> Generator[tuple[FrameImage, float]]:
        paths = images_in(self._address.path)
        if not paths:
            raise SourceError(
                f"there is no image in {self._address.path}",
                f"put some into it; their names end in {', '.join(sorted(EXTENSIONS))}",
            )
        self._length = len(paths) * self._interval
        readable = 0
        for path in paths:
            try:
                image = RgbImage(read_photo(path))
            except ImageError as error:
                log.warning("skipped: %s; %s", error.message, error.hint)
                continue
            yield image, readable * self._interval
            readable += 1
        if not readable:
            raise SourceError(
                f"none of the {len(paths)} images in {self._address.path} can be read", "the warnings above say why"
            )
