"""A folder of pictures, played like a film."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

from facesecure.camera.sources.base import FrameClock, Heartbeat, ProbeResult
from facesecure.camera.sources.uri import Address
from facesecure.config import CameraConfig
from facesecure.domain import Frame
from facesecure.domain.errors import ImageError, SourceError
from facesecure.vision.images.frames import RgbPicture
from facesecure.vision.images.photos import read_photo

log = logging.getLogger(__name__)

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


def natural_key(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sorts as people do: img2 before img10, and upper case beside lower."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)


def pictures_in(folder: Path) -> list[Path]:
    """The picture files directly in ``folder``, in natural order; hidden ones are left out. Raises SourceError."""
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise SourceError(
            f"the folder {folder} cannot be read ({error.strerror})", "check the path and its permissions"
        ) from None
    files = [
        entry
        for entry in entries
        if entry.suffix.lower() in EXTENSIONS and not entry.name.startswith(".") and entry.is_file()
    ]
    return sorted(files, key=natural_key)


class ImageFolder:
    """The pictures of a folder in natural order, upright, ``camera.fps`` to the second of film time.

    Unreadable ones are skipped with a warning. Raises SourceError if none is left.
    """

    def __init__(self, address: Address, camera: CameraConfig, *, start: datetime | None = None) -> None:
        self.live = camera.file_speed == "real"
        self._address = address
        self._interval = 1 / camera.fps
        self._start = start
        self._stopped = threading.Event()
        self._sign = Heartbeat()

    def __repr__(self) -> str:
        return f"ImageFolder({self._address})"

    @property
    def alive_at(self) -> float:
        """When this last gave a picture or waited to give the next, in ``time.monotonic()``."""
        return self._sign.at

    def stop(self) -> None:
        """End all iteration soon, for good; callable from any thread."""
        self._stopped.set()

    def frames(self) -> Generator[Frame]:
        """One frame a readable picture."""
        stamper, start = FrameClock(), self._start or datetime.now(UTC)
        for number, picture in enumerate(self._pictures()):
            if self.live and number and self._sign.wait(self._stopped, self._interval):
                return
            yield stamper.recorded(picture, number * self._interval, start)
            if self._stopped.is_set():
                return

    def probe(self) -> ProbeResult:
        """The size of the first readable picture. Raises SourceError."""
        first = next(self._pictures())
        count = len(pictures_in(self._address.path))
        return ProbeResult(*first.size, 1 / self._interval, f"the first of {count} pictures in {self._address}")

    def _pictures(self) -> Iterator[RgbPicture]:
        paths = pictures_in(self._address.path)
        if not paths:
            raise SourceError(
                f"there is no picture in {self._address.path}", f"put some there: {', '.join(sorted(EXTENSIONS))}"
            )
        readable = 0
        for path in paths:
            try:
                picture = RgbPicture(read_photo(path))
            except ImageError as error:
                log.warning("skipped: %s", error.message)
                continue
            readable += 1
            yield picture
        if not readable:
            raise SourceError(
                f"none of the {len(paths)} pictures in {self._address.path} can be read", "the warnings above say why"
            )
