"""The Pi's camera, against the fake: requests as documented, and everything released."""

from __future__ import annotations

import sys
import threading
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from facesecure.camera.sources import open_source
from facesecure.camera.sources.fake_picamera import FakePicamera2
from facesecure.camera.sources.live import LiveSource
from facesecure.camera.sources.picamera import CameraFactory, PicameraConnection
from facesecure.config import CameraConfig
from facesecure.domain.errors import SourceError, SourceLost
from support.camera.sources import ORANGE, plain

WANTED = CameraConfig(width=1280, height=720, fps=100, timeout=0.2)


def test_it_asks_for_rgb_and_a_small_yuv_stream_at_a_fixed_rate() -> None:
    fake = FakePicamera2()
    PicameraConnection(0, WANTED, lambda _: fake).probe()
    assert fake.configured["main"] == {"size": (1280, 720), "format": "BGR888"}
    assert fake.configured["lores"]["format"] == "YUV420"
    assert fake.configured["lores"]["size"] == (320, 180)
    assert fake.configured["controls"] == {"FrameDurationLimits": (10_000, 10_000)}
    assert fake.closed


def test_the_motion_gate_gets_the_small_brightness_without_its_padding() -> None:
    fake = FakePicamera2(picture=plain(ORANGE, (400, 300)))
    odd = CameraConfig(width=400, height=300, fps=100)
    with closing(PicameraConnection(0, odd, lambda _: fake).images(threading.Event())) as pictures:
        picture = next(pictures)
    assert tuple(picture.rgb()[0, 0]) == ORANGE
    assert picture.luma().shape == (240, 320)
    narrow = CameraConfig(width=100, height=80, fps=100)
    with closing(PicameraConnection(0, narrow, lambda _: FakePicamera2()).images(threading.Event())) as pictures:
        luma = next(pictures).luma()
    assert luma.shape == (80, 100)
    assert np.all(luma == 128)  # the padding, 255, is cut off


def test_a_request_is_given_back_before_the_picture_is_handed_on() -> None:
    fake = FakePicamera2()
    with closing(PicameraConnection(0, WANTED, lambda _: fake).images(threading.Event())) as pictures:
        for _ in range(3):
            next(pictures)
            assert fake.requests_out == 0
    assert fake.most_requests_out == 1
    assert fake.closed


def test_a_camera_that_falls_silent_is_reopened() -> None:
    cameras: list[FakePicamera2] = []

    def plug_in(number: int) -> FakePicamera2:
        cameras.append(FakePicamera2(number, frames=2))
        return cameras[-1]

    source = LiveSource(PicameraConnection(0, WANTED, plug_in), 0.05, patient=False)
    with closing(source.frames()) as frames:
        assert [next(frames).index for _ in range(5)] == list(range(5))
    assert len(cameras) == 3
    assert all(camera.closed for camera in cameras)


def test_silence_is_a_loss_with_a_hint() -> None:
    with pytest.raises(SourceLost, match=r"gave no image for 0\.2 s") as caught:
        PicameraConnection(0, WANTED, lambda n: FakePicamera2(n, frames=0)).probe()
    assert "ribbon" in str(caught.value.hint)


def failing(error: Exception) -> CameraFactory:
    def plug_in(number: int) -> FakePicamera2:
        raise error

    return plug_in


@pytest.mark.parametrize("plug_in", [FakePicamera2, failing(IndexError("list index out of range"))])
def test_a_camera_that_is_not_connected_is_named_by_picamera2_of_any_age(plug_in: CameraFactory) -> None:
    with pytest.raises(SourceError, match="no camera 1"):
        PicameraConnection(1, WANTED, plug_in).probe()


def test_a_busy_camera_is_named_by_what_libcamera_said_first() -> None:
    wrapped = RuntimeError("Camera __init__ sequence did not complete.")
    wrapped.__cause__ = RuntimeError("Failed to acquire camera: Device or resource busy")
    with pytest.raises(SourceError, match="resource busy"):
        PicameraConnection(0, WANTED, failing(wrapped)).probe()


def test_a_camera_that_will_not_be_configured_is_an_error_with_a_hint_and_is_closed() -> None:
    class Refusing(FakePicamera2):
        def configure(self, config: dict[str, Any]) -> None:
            raise RuntimeError("Invalid camera configuration")

    fake = Refusing()
    with pytest.raises(SourceError, match="cannot be started: Invalid camera configuration") as caught:
        PicameraConnection(0, WANTED, lambda _: fake).probe()
    assert "another width and height" in str(caught.value.hint)
    assert fake.closed


def test_without_picamera2_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    source = open_source("picamera2:0", WANTED)
    with pytest.raises(SourceError, match="needs picamera2") as caught:
        next(iter(source.frames()))
    assert "apt install python3-picamera2" in str(caught.value.hint)


_NUMPY_1 = "numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88"


@pytest.mark.parametrize(
    ("raised", "hint"),
    [(f"ValueError('{_NUMPY_1}')", "-m pip install 'simplejpeg>=1.8'"), ("OSError('no media device')", "apt update")],
)
def test_a_picamera2_that_breaks_while_it_is_imported_says_what_to_install(tmp_path, monkeypatch, raised, hint) -> None:
    """Bookworm's simplejpeg 1.7 beside numpy 2 raises this ValueError."""
    (tmp_path / "picamera2.py").write_text(f"raise {raised}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    with pytest.raises(SourceError, match="cannot be imported") as caught:
        next(iter(open_source("picamera2:0", WANTED).frames()))
    assert hint in str(caught.value.hint)
