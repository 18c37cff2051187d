"""Network cameras against a real RTSP server, and the same code with video files where no camera is available."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import pytest

from facesecure.camera.capture import LatestFrame
from facesecure.camera.sources import open_source, probe, stream
from facesecure.camera.sources.live import LiveSource
from facesecure.camera.sources.stream import StreamConnection
from facesecure.camera.sources.uri import Address
from facesecure.config import CameraConfig
from facesecure.domain.errors import SourceError, SourceLost
from support.camera.rtsp import RtspCamera, unavailable
from support.camera.sources import first, plain, stopped_when, walk, write_video
from support.ports import free_port

PASSWORD = "hunter2"
ACCOUNT = f"porch:{PASSWORD}"
QUICK = CameraConfig(timeout=30.0, reconnect_max=0.5)
"""Tries again soon, and takes nobody who is only slow for silent."""


@pytest.fixture
def camera() -> Iterator[RtspCamera]:
    if reason := unavailable():
        pytest.skip(reason)
    with RtspCamera(ACCOUNT) as running:
        yield running


@pytest.mark.rtsp
def test_it_connects_with_its_password(camera: RtspCamera) -> None:
    frames = first(open_source(camera.url, QUICK), 5)
    assert frames[0].pixels.size == (160, 120)
    assert frames[-1].image.max() > 200  # the test picture is a white ball on black


@pytest.mark.rtsp
def test_a_wrong_password_is_named_and_never_shown(
    camera: RtspCamera, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SourceError, match="refuses the user name or password") as caught:
        probe(camera.url_for("porch:swordfish"), QUICK)
    assert "swordfish" not in str(caught.value) + caplog.text + "".join(capfd.readouterr())
    assert caught.value.__cause__ is None


@pytest.mark.rtsp
def test_a_stream_that_does_not_exist_is_named(camera: RtspCamera) -> None:
    with pytest.raises(SourceError, match="no stream of that name"):
        probe(camera.url.replace("/door", "/garage"), QUICK)


@pytest.mark.rtsp
def test_a_killed_server_is_reported_and_the_stream_comes_back(
    camera: RtspCamera, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    troubles: list[SourceError | None] = []
    source = open_source(camera.url, QUICK, on_trouble=troubles.append)
    with closing(source.frames()) as frames:
        before = next(frames)
        camera.kill()
        threading.Timer(0.8, camera.switch_on).start()
        after = next(frame for frame in frames if troubles and troubles[-1] is None)
    assert after.index > before.index
    assert after.taken_at > before.taken_at
    assert isinstance(troubles[0], SourceError)
    assert troubles[-1] is None
    assert "is back after" in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.rtsp
def test_a_stalled_server_is_a_loss_after_the_time_out(camera: RtspCamera) -> None:
    losses: list[SourceError] = []

    def told(trouble: SourceError | None) -> None:
        losses.extend([trouble] if isinstance(trouble, SourceLost) else [])

    source = open_source(camera.url, CameraConfig(timeout=2.0, reconnect_max=0.5), on_trouble=told)
    with closing(source.frames()) as frames:
        next(frames)
        with stopped_when(source, lambda: losses):
            camera.stall()
            list(frames)
    # Packets may have been under way that make no whole picture; on a busy machine they are what came last.
    assert any(why in str(losses[0]) for why in ("sent nothing for 2 s", "sends data but no image"))


def seldom(folder: Path, seconds: int, gap: int) -> Path:
    """A film at 10 frames a second with a key frame every ``gap`` seconds only."""
    options = {"g": str(10 * gap), "keyint_min": str(10 * gap), "sc_threshold": "0", "bf": "0"}
    return walk(folder / "seldom.mp4", 10 * seconds, rate=10, options=options)


@pytest.mark.rtsp
def test_a_camera_whose_key_frames_come_seldom_is_seen_from_its_first_one(tmp_path: Path) -> None:
    if reason := unavailable():
        pytest.skip(reason)
    patient = CameraConfig(timeout=8.0, reconnect_max=0.5)
    with RtspCamera(film=seldom(tmp_path, 20, 10)) as camera:
        began = time.monotonic()
        assert probe(camera.url, patient).width == 160
        assert time.monotonic() - began < 9  # 0.5 s on an idle machine; the second key frame comes after 10 s
        troubles: list[SourceError | None] = []
        assert first(open_source(camera.url, patient, on_trouble=troubles.append), 3)
        assert troubles == []


@pytest.mark.rtsp
def test_a_stream_joined_between_two_key_frames_is_waited_for(tmp_path: Path) -> None:
    if reason := unavailable():
        pytest.skip(reason)
    patient = CameraConfig(timeout=6.0, reconnect_max=0.5)  # less than from one key frame to the next
    with RtspCamera(film=seldom(tmp_path, 40, 8), shared=True) as camera:
        troubles: list[SourceError | None] = []
        with closing(open_source(camera.url, QUICK).frames()) as other:
            next(other)
            time.sleep(1)
            assert first(open_source(camera.url, patient, on_trouble=troubles.append), 2)
        assert troubles == []


@pytest.mark.rtsp
def test_leaving_a_stalled_camera_does_not_wait_for_its_time_out(camera: RtspCamera) -> None:
    patient = CameraConfig(timeout=10.0)
    with LatestFrame(open_source(camera.url, patient)) as latest:
        next(iter(latest))
        camera.stall()
        time.sleep(0.3)
        began = time.monotonic()
    assert time.monotonic() - began < 9
    latest._thread.join(60)  # left behind, it ends with its time-out
    assert not latest._thread.is_alive()


def test_a_camera_that_boots_later_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    nobody = f"rtsp://porch:{PASSWORD}@127.0.0.1:{free_port()}/door"
    source = open_source(nobody, CameraConfig(reconnect_max=0.1))
    threading.Timer(1.0, source.stop).start()
    assert list(source.frames()) == []
    assert caplog.text.count("nothing answers on that port") == 1  # once a cause, not once an attempt
    assert PASSWORD not in caplog.text


def test_a_probe_does_not_wait_for_a_camera_that_is_off() -> None:
    with pytest.raises(SourceError, match="nothing answers on that port") as caught:
        probe(f"rtsp://127.0.0.1:{free_port()}/door", QUICK)
    assert caught.value.hint


def test_a_host_that_accepts_and_says_nothing_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        began = time.monotonic()
        with pytest.raises(SourceError, match="does not answer in time"):
            probe(f"rtsp://127.0.0.1:{mute.getsockname()[1]}/door", CameraConfig(timeout=0.5))
    assert time.monotonic() - began < 10


def playing(film: Path, opened: list[float], camera: CameraConfig = QUICK) -> LiveSource:
    """The code path of a USB camera, with a video file; ``opened`` gets the time of each opening."""

    def open_film(address: Address, wanted: CameraConfig) -> Any:
        opened.append(time.monotonic())
        return av.open(str(film))

    return LiveSource(StreamConnection(Address("v4l2", "/dev/film"), camera, open_film), 0.2, patient=False)


def test_the_end_of_a_live_stream_is_a_loss_and_never_a_busy_loop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened: list[float] = []
    source = playing(walk(tmp_path / "walk.mp4", 3), opened)
    frames = first(source, 9)
    assert len(opened) == 3
    assert opened[2] - opened[1] > 0.1
    assert [frame.index for frame in frames] == list(range(9))
    assert "ended its stream" in caplog.text


def test_a_camera_that_never_opened_is_an_error_at_once(tmp_path: Path) -> None:
    source = playing(tmp_path / "nothing.mp4", [])
    with pytest.raises(SourceError, match="does not exist"):
        first(source, 1)
    assert source.trouble is None


def test_a_camera_unplugged_later_is_waited_for(tmp_path: Path) -> None:
    film = walk(tmp_path / "walk.mp4", 3)
    source = playing(film, [])
    with closing(source.frames()) as frames:
        for _ in range(3):
            next(frames)
        unplugged = film.rename(tmp_path / "away.mp4")
        threading.Timer(0.5, lambda: unplugged.rename(film)).start()
        assert next(frames).index == 3
    assert source.trouble is None


def test_data_without_pictures_is_a_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEY_FRAME_WAIT", -1.0)
    film = write_video(tmp_path / "long.mp4", [plain((number % 200,) * 3, (64, 48)) for number in range(100)])
    data = bytearray(film.read_bytes())
    body = data.index(b"mdat") + 4
    data[body:] = bytes(len(data) - body)
    film.write_bytes(data)
    connection = StreamConnection(
        Address("v4l2", "/dev/film"), CameraConfig(timeout=1e-6), lambda *_: av.open(str(film))
    )
    with pytest.raises(SourceLost, match="sends data but no key frame"):
        list(connection.images(threading.Event()))


def test_a_hint_does_not_ask_for_the_codec_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEY_FRAME_WAIT", -1.0)
    for codec, name in (("libx264", "a.mp4"), ("mpeg4", "b.mp4")):
        film = write_video(tmp_path / name, [plain(size=(64, 48))] * 30, codec=codec)
        data = bytearray(film.read_bytes())
        body = data.index(b"mdat") + 4
        data[body:] = bytes(len(data) - body)
        film.write_bytes(data)
        connection = StreamConnection(
            Address("v4l2", "/dev/film"), CameraConfig(timeout=1e-6), lambda *_, film=film: av.open(str(film))
        )
        with pytest.raises(SourceLost) as caught:
            list(connection.images(threading.Event()))
        assert ("H.264" in (caught.value.hint or "")) == (codec != "libx264")
