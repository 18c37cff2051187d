"""A camera is tried before it is added: with real streams, and with cameras that never answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from facesecure.config import CameraConfig
from facesecure.domain import Image
from facesecure.domain.errors import BusyError, SourceError, UsageError
from facesecure.services.camera_trial import KEPT_SECONDS, MOST_KEPT, CameraTrials, first_image
from facesecure.util.redaction import redact
from support.camera.rtsp import RtspCamera, unavailable
from support.page_accounts import Time

PICTURE = np.zeros((48, 64, 3), np.uint8)
GATE = {"name": "gate", "source": "rtsp://ben:tops3cretword@gate/main"}


def shown(camera: CameraConfig, uri: str) -> Image:
    return PICTURE


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of something that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.mark.skipif(unavailable() is not None, reason=str(unavailable()))
def test_the_first_image_of_a_real_stream_is_shown() -> None:
    with RtspCamera() as camera:
        image = first_image(CameraConfig(source=camera.url), camera.url, 60)
    assert image.ndim == 3
    assert image.dtype == np.uint8


def test_an_address_where_nothing_is_says_so() -> None:
    uri = "rtsp://127.0.0.1:9/main"
    with pytest.raises(SourceError):
        first_image(CameraConfig(source=uri), uri, 60)


def test_a_camera_that_never_answers_is_given_up(silent: int) -> None:
    uri = f"rtsp://127.0.0.1:{silent}/main"
    with pytest.raises(SourceError):
        first_image(CameraConfig(source=uri, timeout=0.5), uri, 1.0)


def test_what_was_tried_is_kept_for_the_session_that_tried_it_and_not_for_long() -> None:
    time = Time()
    trials = CameraTrials(shown, time.steady)
    trial, image = trials.try_out("olga", GATE)
    assert image is PICTURE
    assert trials.tried("olga", trial) == GATE
    assert "tops3cretword" not in redact(f"{GATE}")
    for session, wrong in (("mallory", trial), ("olga", "0" * 32)):
        with pytest.raises(UsageError):
            trials.tried(session, wrong)
    for _ in range(MOST_KEPT):
        newest, _image = trials.try_out("olga", GATE)
    with pytest.raises(UsageError):
        trials.tried("olga", trial)
    time.wait(KEPT_SECONDS + 1)
    with pytest.raises(UsageError):
        trials.tried("olga", newest)


def test_one_camera_is_tried_at_a_time() -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(camera: CameraConfig, uri: str) -> Image:
        began.set()
        go_on.wait(30)
        return PICTURE

    trials = CameraTrials(slow)
    first = threading.Thread(target=trials.try_out, args=("olga", GATE))
    first.start()
    assert began.wait(30)
    with pytest.raises(BusyError):
        trials.try_out("olga", GATE)
    go_on.set()
    first.join(30)
    assert trials.try_out("olga", GATE)


def test_both_streams_are_looked_at() -> None:
    seen: list[str] = []

    def note(camera: CameraConfig, uri: str) -> Image:
        seen.append(uri)
        return PICTURE

    CameraTrials(note).try_out("olga", {**GATE, "detect": "rtsp://gate/small"})
    assert seen == [GATE["source"], "rtsp://gate/small"]
