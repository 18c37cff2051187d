"""Try a camera before it is added: one image of each of its streams, one trial at a time.

What was tried is kept for some minutes, and only that can be added: an address with its password is not sent back to a
browser to be sent again.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

from facesecure.config import CameraConfig
from facesecure.config.secrets import learn_secrets
from facesecure.domain import Image
from facesecure.domain.errors import BusyError, FacesecureError, SourceError, UsageError

KEPT_SECONDS = 10 * 60.0
"""How long a camera that was tried can be added."""
MOST_KEPT = 4
_TRIAL_SECONDS = 12.0
"""For one stream: twice its time-out, and to resolve a name; two streams have to fit into a request of the page."""
_TIMEOUT = 5.0
_STREAMS = ("source", "detect")

Settings = Mapping[str, str]
"""The settings of a camera that was not added yet."""


def first_image(camera: CameraConfig, uri: str, seconds: float = _TRIAL_SECONDS) -> Image:
    """Return the first image of the stream ``uri``, which is opened as ``camera`` says. Raises SourceError."""
    stream = _Stream(camera, uri)
    stream.start()
    stream.join(seconds)
    stream.end()
    if stream.image is not None:
        return stream.image
    if isinstance(stream.error, FacesecureError):
        raise SourceError(stream.error.message, stream.error.hint) from stream.error
    raise SourceError(f"no image came within {seconds:.0f} s", "check its power, its network and its address")


class CameraTrials:
    """The cameras that were tried and may be added; thread-safe. Each is of the session only that tried it.

    Example::

        trial, image = trials.try_out(session.identifier, {"name": "gate", "source": "rtsp://gate/main"})
        trials.tried(session.identifier, trial)
    """

    def __init__(
        self,
        look: Callable[[CameraConfig, str], Image] = first_image,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``look`` returns an image of a stream, or raises SourceError."""
        self._look, self._clock = look, clock
        self._one, self._lock = threading.Lock(), threading.Lock()
        self._kept: dict[str, _Tried] = {}

    def try_out(self, session: str, settings: Settings) -> tuple[str, Image]:
        """Return the number of the trial, and an image of the camera. Raises SourceError, or BusyError at once."""
        learn_secrets(settings)
        if not self._one.acquire(blocking=False):
            raise BusyError("another camera is being tried", "try again in some seconds")
        try:
            camera = CameraConfig.model_validate({**settings, "timeout": _TIMEOUT})
            images = [self._look(camera, settings[stream]) for stream in _STREAMS if stream in settings]
        finally:
            self._one.release()
        return self._keep(session, settings), images[0]

    def tried(self, session: str, trial: str) -> Settings:
        """Return the settings that were tried. Raises UsageError if they are not kept (any more) for ``session``."""
        with self._lock:
            found = self._kept.get(trial)
        if found is None or found.session != session or self._clock() - found.at > KEPT_SECONDS:
            raise UsageError("this camera has to be tried again", f"it is kept for {KEPT_SECONDS / 60:.0f} minutes")
        return found.settings

    def _keep(self, session: str, settings: Settings) -> str:
        trial = secrets.token_hex(16)
        with self._lock:
            newest = list(self._kept.items())[1 - MOST_KEPT :]
            self._kept = {**dict(newest), trial: _Tried(session, dict(settings), self._clock())}
        return trial


@dataclass(frozen=True, slots=True)
class _Tried:
    session: str
    settings: Settings = field(repr=False)
    at: float


class _Stream(threading.Thread):
    """Reads one image in a thread of its own, so that a camera which never answers holds nothing up."""

    def __init__(self, camera: CameraConfig, uri: str) -> None:
        super().__init__(name="camera-trial", daemon=True)
        from facesecure.camera.sources import open_source

        self.image: Image | None = None
        self.error: Exception | None = None
        self._source = open_source(uri, camera, on_trouble=self._lost)

    def run(self) -> None:
        """Read the first image."""
        try:
            with closing(self._source.frames()) as frames:
                self.image = next(frame.image for frame in frames)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - reported by first_image()
            self.error = self.error or error

    def end(self) -> None:
        """Read no more."""
        self._source.stop()

    def _lost(self, trouble: SourceError | None) -> None:
        if trouble is not None and self.image is None:
            self.error = trouble
            self._source.stop()
