"""The latest packets of a camera: enough of them, and never too many."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from facesecure.camera.clips.muxer import FilmMuxer
from facesecure.camera.clips.packet_ring import PacketRing
from facesecure.camera.sources import open_source
from facesecure.config import CameraConfig
from facesecure.vision.images.frames import RgbImage
from support.camera.films import KEY_INTERVAL, RATE, camera_video, filled, mp4_of, played


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return camera_video(tmp_path_factory.mktemp("ring") / "a.mp4", seconds=10.0)


def test_what_is_older_is_dropped_by_whole_groups_from_key_frame_to_key_frame(video: Path) -> None:
    packets = filled(video, reach=2.5).take(0)
    assert packets[0].key
    assert 2.5 <= packets[-1].at - packets[0].at <= 2.5 + KEY_INTERVAL / RATE
    assert [packet.number for packet in packets] == list(range(packets[0].number, packets[-1].number + 1))


def test_a_film_begins_at_the_key_frame_before_the_moment_asked_for(video: Path) -> None:
    ring = PacketRing(60.0, recorded=True)
    begins = list[float]()
    for frame in open_source(str(video), CameraConfig(), tap=ring).frames():
        first = ring.hold(frame.taken_at - 2.5)
        assert first is not None
        assert first.key
        begins.append(frame.taken_at - first.at)
    assert all(2.5 <= before <= 3.5 + 1e-6 for before in begins[-50:])


def test_what_is_held_stays_until_it_is_taken(video: Path) -> None:
    ring = PacketRing(1.0, recorded=True)
    for frame in open_source(str(video), CameraConfig(), tap=ring).frames():
        if frame.index == 5:
            ring.hold(0.0)
    held = ring.take(0)
    assert held[0].number == 0
    ring.hold_from(held[-1].number + 1)
    assert ring.take(held[-1].number + 1) == []


def test_no_more_bytes_are_kept_than_allowed_even_while_they_are_held(video: Path) -> None:
    ring = PacketRing(60.0, recorded=True, limit=4000)
    for frame in open_source(str(video), CameraConfig(), tap=ring).frames():
        if frame.index == 0:
            ring.hold(0.0)
        assert sum(len(packet.data) for packet in ring.take(0)) <= 4000
    assert ring.take(0)[0].number > 0
    assert ring.arrived.is_set()


def test_packets_of_a_connection_that_has_ended_begin_no_film(video: Path) -> None:
    ring = filled(video)
    assert not ring.connected
    assert ring.hold(1.0) is None


def test_a_first_packet_without_a_time_of_a_network_camera_does_not_hide_those_that_follow(video: Path) -> None:
    ring, pieces = PacketRing(60.0, recorded=True), list[bytes]()
    with av.open(str(video), "r") as container:
        stream = container.streams.video[0]
        ring.opened(stream)
        for number, packet in enumerate(container.demux(stream)):
            if number == 0:
                packet.pts = packet.dts = None
            ring.packet(packet)
    film = FilmMuxer(pieces.append)
    for stored in ring.take(0):
        film.add(stored)
    film.close()
    shown = played(mp4_of(pieces))
    assert shown.frames == 10 * RATE
    assert shown.seconds == pytest.approx(10.0, abs=0.2)


def test_a_ring_that_is_not_needed_keeps_nothing(video: Path) -> None:
    ring = PacketRing(60.0, recorded=True)
    ring.disable()
    for _ in open_source(str(video), CameraConfig(), tap=ring).frames():
        assert ring.latest is None
    ring.image(RgbImage(np.zeros((48, 64, 3), np.uint8)))
    ring.code_images()
    assert ring.take(0) == []


def test_a_connection_that_hung_and_was_replaced_changes_nothing_when_it_ends(video: Path) -> None:
    ring = PacketRing(60.0, recorded=True)
    with av.open(str(video), "r") as container:
        stream = container.streams.video[0]
        hung = threading.Thread(target=ring.opened, args=(stream,))
        hung.start()
        hung.join()
        packets = list(container.demux(stream))
        ring.opened(stream)
        for end in (partial(ring.packet, packets[0]), ring.closed):
            late = threading.Thread(target=end)
            late.start()
            late.join()
        assert ring.connected
        assert ring.take(0) == []
        ring.packet(packets[0])
        assert len(ring.take(0)) == 1
        ring.closed()
        assert not ring.connected


def test_images_without_packets_are_kept_as_jpeg() -> None:
    ring, began = PacketRing(60.0), time.monotonic()
    for shade in (10, 20, 30):
        ring.image(RgbImage(np.full((48, 64, 3), shade, np.uint8)))
    assert ring.arrived.is_set()
    ring.code_images()
    packets = ring.take(0)
    assert [packet.data[:2] for packet in packets] == [b"\xff\xd8"] * 3
    assert all(packet.key and packet.format.codec == "mjpeg" for packet in packets)
    assert began <= packets[0].at <= packets[-1].at <= time.monotonic()
    assert packets[0].dts <= packets[1].dts <= packets[2].dts


def test_images_that_wait_when_their_camera_is_lost_are_kept_and_it_stays_lost() -> None:
    ring, image = PacketRing(60.0), RgbImage(np.zeros((48, 64, 3), np.uint8))
    ring.image(image)
    ring.closed()
    ring.code_images()
    assert len(ring.take(0)) == 1
    assert not ring.connected
    ring.image(image)
    assert ring.connected
    assert ring.hold(time.monotonic()) is None, "no film begins before the camera was lost"


def test_a_camera_that_is_faster_than_the_coder_loses_images_and_not_time() -> None:
    ring = PacketRing(10.0)
    for shade in range(50):
        ring.image(RgbImage(np.full((48, 64, 3), shade, np.uint8)))
    ring.code_images()
    assert len(ring.take(0)) == 3
