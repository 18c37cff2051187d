"""The parts that every source shares: frame numbers and times, a heartbeat, the result of a probe, recordings.

``FrameClock`` numbers frames and keeps their times rising, ``Heartbeat`` shows the watchdog that a waiting source is
not stuck, ``ProbeResult`` describes a source that works, and ``RecordedSource`` plays files and folders.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from facesecure.camera.sources.uri import Address
from facesecure.config import CameraConfig
from facesecure.domain import Frame, FrameImage

_BEAT_INTERVAL = 1.0
"""Seconds between two beats while a source waits."""
SMALLEST_STEP = 1e-3
"""Seconds that a frame is put behind the previous one where its own time does not rise."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """A working source: size in pixels, frames a second (0 if it does not state them), and a description."""

    width: int
    height: int
    fps: float
    why: str

    def __str__(self) -> str:
        rate = f" at {self.fps:g} frames a second" if self.fps else ""
        return f"{self.width}x{self.height}{rate}, {self.why}"


@dataclass(frozen=True, slots=True)
class LateImage:
    """An image that came ``at`` some time ago (``time.monotonic()``) and was kept undecoded until now."""

    image: FrameImage
    at: float


class Heartbeat:
    """The time of a source's last sign of life: ``at``, on ``time.monotonic()``.

    Beaten by the thread that reads the source, read by any thread.
    """

    def __init__(self) -> None:
        self.at = time.monotonic()

    def beat(self) -> None:
        """Set ``at`` to now."""
        self.at = time.monotonic()

    def wait(self, stopped: threading.Event, seconds: float) -> bool:
        """Wait as ``stopped.wait(seconds)`` does, beating every second, so that a long pause is not taken for a hang.

        Return whether ``stopped`` was set.
        """
        end = time.monotonic() + seconds
        while True:
            self.beat()
            left = end - time.monotonic()
            if stopped.wait(min(_BEAT_INTERVAL, max(0.0, left))):
                return True
            if left <= _BEAT_INTERVAL:
                return False


class FrameClock:
    """Makes Frames out of images: numbers them, and keeps their times strictly rising.

    Example::

        clock = FrameClock()
        frame = clock.live(RgbImage(pixels))
    """

    def __init__(self) -> None:
        self._index = 0
        self._last = float("-inf")

    @property
    def count(self) -> int:
        """The number of frames made so far."""
        return self._index

    def live(self, image: FrameImage | LateImage) -> Frame:
        """Return a frame taken now, on the monotonic clock, or when a late image came."""
        now, wall = time.monotonic(), datetime.now(UTC)
        if isinstance(image, LateImage):
            return self._stamp(image.image, image.at, wall - timedelta(seconds=now - image.at))
        return self._stamp(image, now, wall)

    def recorded(self, image: FrameImage, at: float, start: datetime, latest: datetime | None = None) -> Frame:
        """Return a frame taken ``at`` seconds into a recording that began at ``start``, but not after ``latest``."""
        at = max(at, self._last + SMALLEST_STEP)
        wall = start + timedelta(seconds=at)
        return self._stamp(image, at, wall if latest is None else min(wall, latest))

    def _stamp(self, image: FrameImage, at: float, wall: datetime) -> Frame:
        at = max(at, self._last + 1e-6)
        frame = Frame(self._index, at, image, wall)
        self._index, self._last = self._index + 1, at
        return frame


class RecordedSource(ABC):
    """A file or folder that is played and ends; ``frames`` may be called again and starts over.

    ``taken_at`` is the recording's own time, from 0; ``wall_time`` is ``start`` plus that. Without a ``start`` the
    recording ends now, so that nothing in it is dated in the future. With ``camera.file_speed = "real"`` it begins
    now, frames come when a camera would have sent them, and a slow reader may miss some; ``replaying`` says that the
    latest frame was kept for a while, and is wanted though there are newer ones, ``resting`` that some are left out. A
    subclass provides
    ``_timed_images``, in which it sets ``_length``, and ``probe``.
    """

    def __init__(self, address: Address, camera: CameraConfig, *, start: datetime | None = None) -> None:
        self.live = camera.file_speed == "real"
        self._address = address
        self._start = start
        self._length = 0.0  # seconds
        self._stopped = threading.Event()
        self._heartbeat = Heartbeat()
        self.replaying = self.resting = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._address})"

    @property
    def alive_at(self) -> float:
        """When this last gave a frame or waited to give the next, in ``time.monotonic()``."""
        return self._heartbeat.at

    def stop(self) -> None:
        """End all iteration soon, for good; callable from any thread."""
        self._stopped.set()

    def frames(self) -> Generator[Frame]:
        """Yield every readable frame of the recording. Raises SourceError if there is none."""
        clock, start, began = FrameClock(), self._start, None
        with closing(self._timed_images()) as images:
            for image, at in images:
                if start is None:
                    start = datetime.now(UTC) - timedelta(seconds=0 if self.live else self._length)
                latest = None if self.live or self._start else datetime.now(UTC)
                frame, now = clock.recorded(image, at, start, latest), time.monotonic()
                began = now - frame.taken_at if began is None else began
                if self.live and self._heartbeat.wait(self._stopped, began + frame.taken_at - now):
                    return
                yield frame
                if self._stopped.is_set():
                    return

    @abstractmethod
    def probe(self) -> ProbeResult:
        """Read the first image and describe the recording. Raises SourceError."""

    @abstractmethod
    def _timed_images(self) -> Generator[tuple[FrameImage, float]]:
        """Open, yield each readable image with its time in seconds from 0, and release when closed.

        Raises SourceError where not one image can be read.
        """
