"""Make the source for an address."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Protocol, runtime_checkable

from facesecure.camera.sources.base import ProbeResult
from facesecure.camera.sources.idle_decoding import IdleDecoding
from facesecure.camera.sources.images import ImageFolder
from facesecure.camera.sources.live import LiveSource
from facesecure.camera.sources.outages import OnTrouble
from facesecure.camera.sources.picamera import PicameraConnection
from facesecure.camera.sources.stream import StreamConnection, open_rtsp, open_v4l2
from facesecure.camera.sources.tap import NO_TAP, PacketTap
from facesecure.camera.sources.uri import Address, parse
from facesecure.camera.sources.video import VideoFile
from facesecure.config import CameraConfig
from facesecure.domain import Frame
from facesecure.domain.errors import SourceError
from facesecure.domain.interfaces import Source


@runtime_checkable
class OpenedSource(Source, Protocol):
    """A source as this package makes them: it can be stopped and probed, and states whether it is live."""

    live: bool
    """True if frames come in real time: a slow reader misses frames of a live source, but none of a recording."""

    def frames(self) -> Generator[Frame]:
        """Yield frames as ``Source.frames`` does; closing the generator releases everything within about a second."""

    def stop(self) -> None:
        """End all iteration soon, for good; callable from any thread."""

    def probe(self) -> ProbeResult:
        """Open once, read one image, close. Raises SourceError."""


def open_source(
    uri: str,
    camera: CameraConfig,
    *,
    on_trouble: OnTrouble | None = None,
    threads: int = 1,
    tap: PacketTap = NO_TAP,
    patient: bool = False,
    idle: IdleDecoding | None = None,
) -> OpenedSource:
    """Return the source at ``uri``, used as ``camera`` says. Nothing is opened before ``frames`` is called.

    ``on_trouble`` receives each loss of a live source (a SourceError) and its end (None). ``threads`` decode
    (0: as many as FFmpeg likes). ``tap`` receives what the source sends, before it is decoded; a folder of images
    sends nothing. With ``patient`` a local camera that is not there is waited for, as a network camera always is.
    With ``idle`` not everything is decoded while nothing moves, unless ``camera.idle_decoding`` is off. Raises
    SourceError at once for an address that cannot work: an unknown scheme, or a file, folder or device that does not
    exist.
    """
    address = _address(uri, patient=patient)
    idle = idle if camera.idle_decoding == "auto" else None
    if address.scheme == "file":
        return VideoFile(address, camera, threads=threads, tap=tap, idle=idle)
    if address.scheme == "dir":
        return ImageFolder(address, camera)
    if address.scheme == "picamera2":
        pi = PicameraConnection(int(address.location), camera, tap=tap)
        return LiveSource(pi, camera.reconnect_max, patient=patient, on_trouble=on_trouble)
    local = address.scheme == "v4l2"
    opener = open_v4l2 if local else open_rtsp
    connection = StreamConnection(address, camera, opener, threads=threads, tap=tap, idle=idle)
    return LiveSource(connection, camera.reconnect_max, patient=patient or not local, on_trouble=on_trouble)


def _address(uri: str, *, patient: bool) -> Address:
    """Return the address ``uri``; with ``patient`` also that of a device that is not plugged in."""
    try:
        return parse(uri)
    except SourceError:
        device = uri.strip().removeprefix("v4l2:")
        if not patient or not device.startswith("/dev/") or Path(device).exists():
            raise
        return Address("v4l2", device)


def is_camera(uri: str) -> bool:
    """Return whether ``uri`` is a camera, which may be lost, covered or moved, rather than a recording.

    Raises SourceError for an address that cannot work.
    """
    return _address(uri, patient=True).scheme not in ("file", "dir")


def probe(uri: str, camera: CameraConfig) -> ProbeResult:
    """Open the source at ``uri`` once. Return its size, rate and kind; raises SourceError if it does not work."""
    return open_source(uri, camera).probe()
