"""Read the Raspberry Pi's camera with picamera2.

Tested against the real picamera2 on libcamera's virtual camera (`make test-picamera`) and the fake beside this module.
The camera's image processor makes two streams at no cost to the CPU: ``main``, RGB with corrected colours, and
``lores``, a small YUV image whose first rows are the brightness that the motion gate reads.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from facesecure.camera.sources.base import ProbeResult
from facesecure.camera.sources.tap import NO_TAP, PacketTap
from facesecure.config import CameraConfig
from facesecure.domain.errors import SourceError, SourceLost
from facesecure.util.installing import pip_install
from facesecure.vision.images.frames import RgbImage

log = logging.getLogger(__name__)

LORES_WIDTH = 320
BUFFERS = 4
"""Requests in flight: one being copied, one queued, two with the sensor. More would only cost memory."""

CameraFactory = Callable[[int], Any]


def picamera2_factory() -> CameraFactory:
    """Return picamera2's camera class, imported on the first call. Raises SourceError if that fails."""
    try:
        from picamera2 import Picamera2
    except ImportError as error:
        raise SourceError(
            f"the Pi's camera needs picamera2, which is not installed ({error.name or error})",
            "sudo apt install python3-picamera2, then sudo make install again; your own venv must be built with "
            "--system-site-packages; USB cameras are v4l2:",
        ) from None
    except Exception as error:  # a library built for another numpy raises ValueError
        raise SourceError(
            f"picamera2 is installed and cannot be imported ({type(error).__name__}: {error})", _import_hint(error)
        ) from error

    class Camera(Picamera2):  # type: ignore[misc]
        """Closes its pipe where it cannot be opened: picamera2 0.3 leaves it open, and attempts go on without end."""

        def __init__(self, number: int) -> None:
            try:
                super().__init__(number)
            except Exception:
                _close_pipe(self)
                raise

    return Camera


def _import_hint(error: Exception) -> str:
    """Return what to install: Raspberry Pi OS Bookworm has a simplejpeg that is built for numpy 1."""
    if "numpy" in str(error):
        return f"replace what is built for another numpy: {pip_install('simplejpeg>=1.8')}"
    return "update it: sudo apt update && sudo apt full-upgrade"


def _close_pipe(camera: Any) -> None:
    for end in (getattr(camera, "notifymeread", None), getattr(camera, "notifyme_w", None)):
        if isinstance(end, int):
            os.close(end)
        elif end is not None:
            end.close()


def configuration(camera: Any, wanted: CameraConfig) -> Any:
    """Return a video configuration: RGB ``main`` as wanted, small YUV ``lores``, a fixed frame rate, few buffers."""
    width = min(LORES_WIDTH, wanted.width)
    lores = width // 2 * 2, max(2, round(width * wanted.height / wanted.width) // 2 * 2)
    microseconds = round(1e6 / wanted.fps)
    return camera.create_video_configuration(
        main={"size": (wanted.width, wanted.height), "format": "BGR888"},  # picamera2's name for R, G, B in memory
        lores={"size": lores, "format": "YUV420"},
        controls={"FrameDurationLimits": (microseconds, microseconds)},
        buffer_count=BUFFERS,
    )


def _first_cause(error: BaseException) -> BaseException:
    """Return libcamera's own error: picamera2 wraps it in "Camera __init__ sequence did not complete."."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


class PicameraConnection:
    """Camera ``number`` of the Pi. ``factory`` makes the camera object; the default is picamera2's own class.

    Example::

        source = LiveSource(PicameraConnection(0, camera), camera.reconnect_max, patient=False)
    """

    def __init__(
        self, number: int, wanted: CameraConfig, factory: CameraFactory | None = None, tap: PacketTap = NO_TAP
    ) -> None:
        """``tap`` receives the images of ``images``."""
        self._number = number
        self._wanted = wanted
        self._factory = factory
        self._tap = tap

    def __str__(self) -> str:
        return f"picamera2:{self._number}"

    def images(self, stopped: threading.Event) -> Generator[RgbImage]:
        """Yield images until ``stopped`` is set. Raises SourceError if it does not open, SourceLost if none comes."""
        with self._started() as (camera, lores_size):
            try:
                while not stopped.is_set():
                    image = self._image(camera, lores_size)
                    self._tap.image(image)
                    yield image
            finally:
                self._tap.closed()

    def probe(self) -> ProbeResult:
        """Open once, take one image, close. Raises SourceError."""
        with self._started() as (camera, lores_size):
            size = self._image(camera, lores_size).size
        return ProbeResult(*size, self._wanted.fps, f"camera {self._number} of this Pi")

    def _image(self, camera: Any, lores_size: tuple[int, int]) -> RgbImage:
        """Return one request's image, copied: the sensor stalls if its buffers are not given back at once."""
        try:
            with camera.captured_request(wait=self._wanted.timeout) as request:
                main, lores = request.make_array("main"), request.make_array("lores")
        except TimeoutError:
            raise SourceLost(
                f"{self} gave no image for {self._wanted.timeout:g} s",
                "check the camera's ribbon cable, then restart the Pi",
            ) from None
        except RuntimeError as error:
            raise SourceLost(
                f"{self} failed: {error}", "check the camera's ribbon cable, then restart the Pi"
            ) from None
        width, height = lores_size
        return RgbImage(np.asarray(main, np.uint8), np.ascontiguousarray(lores[:height, :width]))  # rows may be padded

    @contextmanager
    def _started(self) -> Iterator[tuple[Any, tuple[int, int]]]:
        """Yield the running camera and the true size of its small stream, which libcamera may align."""
        camera = self._opened()
        try:
            try:
                camera.configure(configuration(camera, self._wanted))
                camera.start()
            except RuntimeError as error:
                raise SourceError(
                    f"{self} cannot be started: {error}", "choose another width and height, then restart the Pi"
                ) from None
            yield camera, camera.camera_configuration()["lores"]["size"]
        finally:
            camera.close()  # stops it first, if it runs

    def _opened(self) -> Any:
        factory = self._factory or picamera2_factory()
        try:
            return factory(self._number)
        except (IndexError, RuntimeError) as error:
            # An older picamera2 raises IndexError for a missing camera, a newer one RuntimeError.
            if isinstance(error, IndexError) or "No camera number" in str(error):
                raise SourceError(
                    f"this Pi has no camera {self._number}",
                    "`rpicam-hello --list-cameras` shows what is connected; check the ribbon cable",
                ) from None
            raise SourceError(
                f"{self} cannot be opened: {_first_cause(error)}",
                "is another program using the camera? `fuser -v /dev/media*` lists it",
            ) from None
