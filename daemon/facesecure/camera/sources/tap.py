"""A tap on what a camera sends, before it is decoded: for those who keep the camera's own video."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from facesecure.domain import FrameImage

if TYPE_CHECKING:
    from av import Packet
    from av.video.stream import VideoStream


class PacketTap(Protocol):
    """Is told of every packet of a source, on the thread that reads it, and must neither raise nor wait.

    A stream and a packet are the reader's: what is to be kept of them is copied before the call returns.
    """

    def opened(self, stream: VideoStream) -> None:
        """Learn that a connection has been made, or a file opened: the packets that follow belong to ``stream``."""

    def packet(self, packet: Packet[VideoStream]) -> None:
        """Receive a packet, in the order of the stream (of decoding), whether or not it will be decoded."""

    def image(self, image: FrameImage) -> None:
        """Receive an image of a source that has no packets, as the Pi's own camera."""

    def closed(self) -> None:
        """Learn that the connection was lost, or closed; another may follow."""


class NoTap:
    """A PacketTap that keeps nothing."""

    def opened(self, stream: VideoStream) -> None:
        """Ignore the connection."""

    def packet(self, packet: Packet[VideoStream]) -> None:
        """Ignore the packet."""

    def image(self, image: FrameImage) -> None:
        """Ignore the image."""

    def closed(self) -> None:
        """Ignore the loss."""


NO_TAP = NoTap()


@contextmanager
def tapped(tap: PacketTap, stream: VideoStream) -> Iterator[None]:
    """Tell ``tap`` of ``stream``, and of its end however the block is left."""
    tap.opened(stream)
    try:
        yield
    finally:
        tap.closed()
