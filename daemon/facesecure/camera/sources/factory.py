"""From an address to a source."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol, runtime_checkable

from facesecure.camera.sources.base import ProbeResult
from facesecure.camera.sources.images import ImageFolder
from facesecure.camera.sources.live import LiveSource, OnTrouble
from facesecure.camera.sources.picamera import PicameraConnection
from facesecure.camera.sources.stream import StreamConnection, open_rtsp, open_v4l2
from facesecure.camera.sources.uri import parse
from facesecure.camera.sources.video import VideoFile
from facesecure.config import CameraConfig
from facesecure.domain import Frame
from facesecure.domain.interfaces import Source


@runtime_checkable
class OpenedSource(Source, Protocol):
    """What the sources of this package offer beyond ``frames``."""

    live: bool
    """Whether time passes by itself: a slow reader misses frames of a live source, and never of a recording."""

    def frames(self) -> Generator[Frame]:
        """As ``Source.frames``; closing the generator releases everything within about a second."""

    def stop(self) -> None:
        """End all iteration soon, for good; callable from any thread."""

    def probe(self) -> ProbeResult:
        """Open once, read one picture, close. Raises SourceError."""


def open_source(
    uri: str, camera: CameraConfig, *, on_trouble: OnTrouble | None = None, threads: int = 1
) -> OpenedSource:
    """The source at ``uri``; ``camera`` says how to use it. Nothing is opened before ``frames`` is called.

    ``on_trouble`` hears of losses of a live source (a SourceError) and of their end (None). ``threads`` is for
    decoding (0: as FFmpeg likes). Raises SourceError at once for an address that cannot work: an unknown scheme,
    a file, folder or device that is not there.
    """
    address = parse(uri)
    if address.scheme == "file":
        return VideoFile(address, camera, threads=threads)
    if address.scheme == "dir":
        return ImageFolder(address, camera)
    if address.scheme == "picamera2":
        pi = PicameraConnection(int(address.location), camera)
        return LiveSource(pi, camera.reconnect_max, patient=False, on_trouble=on_trouble)
    local = address.scheme == "v4l2"
    connection = StreamConnection(address, camera, open_v4l2 if local else open_rtsp, threads=threads)
    return LiveSource(connection, camera.reconnect_max, patient=not local, on_trouble=on_trouble)


def is_camera(uri: str) -> bool:
    """Whether ``uri`` is something that may fall silent, be covered or moved, and no recording. Raises SourceError."""
    return parse(uri).scheme not in ("file", "dir")


def probe(uri: str, camera: CameraConfig) -> ProbeResult:
    """Whether the source at ``uri`` works, tried once: size, rate, what it is. Raises SourceError if not."""
    return open_source(uri, camera).probe()
