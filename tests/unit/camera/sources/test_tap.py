"""What a tap sees of a source: every packet before its frame, in the order of the stream, and each connection's end."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import av
import pytest

from facesecure.camera.sources import open_source
from facesecure.camera.sources.fake_picamera import FakePicamera2
from facesecure.camera.sources.live import LiveSource
from facesecure.camera.sources.picamera import PicameraConnection
from facesecure.config import CameraConfig
from facesecure.domain import FrameImage
from facesecure.domain.errors import SourceError
from support.camera.rtsp import RtspCamera, unavailable
from support.camera.sources import first, walk


class Notes:
    """A PacketTap that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.packets: list[int | None] = []

    def opened(self, stream: av.video.stream.VideoStream) -> None:
        self.told.append(f"opened {stream.codec_context.name}")

    def packet(self, packet: av.Packet[av.video.stream.VideoStream]) -> None:
        if packet.size:
            self.packets.append(packet.pts)

    def image(self, image: FrameImage) -> None:
        self.told.append(f"image {image.size}")

    def closed(self) -> None:
        self.told.append("closed")


def test_every_packet_of_a_file_passes_before_its_frame(tmp_path: Path) -> None:
    notes, film = Notes(), walk(tmp_path / "walk.mp4", 10)
    source = open_source(str(film), CameraConfig(), tap=notes)
    for frame in source.frames():
        assert len(notes.packets) > frame.index
    with av.open(str(film)) as container:
        assert notes.packets == [packet.pts for packet in container.demux(video=0) if packet.size]
    assert notes.told == ["opened h264", "closed"]


def test_a_file_that_is_left_early_is_closed_too(tmp_path: Path) -> None:
    notes, film = Notes(), walk(tmp_path / "walk.mp4", 10)
    first(open_source(str(film), CameraConfig(), tap=notes), 2)
    assert notes.told[-1] == "closed"


def test_images_of_the_pis_camera_pass() -> None:
    notes, wanted = Notes(), CameraConfig(source="picamera2:0", width=64, height=64, fps=50)
    camera = PicameraConnection(0, wanted, lambda number: FakePicamera2(number, frames=4), notes)
    first(LiveSource(camera, 0.1, patient=False), 2)
    assert notes.told == ["image (64, 64)", "image (64, 64)", "closed"]


@pytest.mark.rtsp
def test_a_lost_camera_closes_the_tap_at_once_and_the_next_connection_opens_it_again() -> None:
    if reason := unavailable():
        pytest.skip(reason)
    notes, troubles = Notes(), list[SourceError | None]()
    with RtspCamera() as camera:
        source = open_source(
            camera.url, CameraConfig(timeout=30.0, reconnect_max=0.2), on_trouble=troubles.append, tap=notes
        )
        with closing(source.frames()) as frames:
            next(frames)
            camera.kill()
            camera.switch_on()
            end = time.monotonic() + 60
            while notes.told.count("opened h264") < 2 and time.monotonic() < end:
                next(frames)
        assert notes.told == ["opened h264", "closed", "opened h264", "closed"]
