"""What a network camera answers, in words that help; and cameras that send over UDP only."""

from __future__ import annotations

import pytest

from facesecure.camera.sources import open_source, probe
from facesecure.config import CameraConfig
from facesecure.domain.errors import SourceError
from support.camera.rtsp import RtspCamera, unavailable
from support.camera.rtsp_peer import RtspPeer
from support.camera.sources import first

PATIENT = CameraConfig(timeout=60.0)
"""What is late is not taken for silence."""


@pytest.mark.parametrize("method", ["DESCRIBE", "SETUP", "PLAY"])
@pytest.mark.parametrize(
    ("status", "message", "hint"),
    [
        ("400 Bad Request", "refuses to send its stream", "transport"),
        ("401 Unauthorized", "refuses the user name or password", "%40"),
        ("404 Not Found", "no stream of that name", "manual"),
        ("429 Too Many Requests", "refuses to send its stream", "other viewers"),
        ("453 Not Enough Bandwidth", "refuses to send its stream", "other viewers"),
        ("454 Session Not Found", "refuses to send its stream", "other viewers"),
        ("461 Unsupported Transport", "refuses to send its stream", "udp"),
        ("500 Internal Server Error", "error of its own", "restart"),
        ("503 Service Unavailable", "error of its own", "too many viewers"),
    ],
)
def test_an_answer_is_put_into_words(method: str, status: str, message: str, hint: str) -> None:
    with RtspPeer(**{method: status}) as peer, pytest.raises(SourceError, match=message) as caught:
        probe(peer.url, PATIENT)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("method", ["DESCRIBE", "SETUP", "PLAY"])
def test_a_camera_that_hangs_up_is_named(method: str) -> None:
    with RtspPeer(**{method: "0"}) as peer, pytest.raises(SourceError, match="hangs up while connecting") as caught:
        probe(peer.url, PATIENT)
    assert "transport" in (caught.value.hint or "")


@pytest.mark.rtsp
def test_a_camera_is_seen_over_udp() -> None:
    if reason := unavailable():
        pytest.skip(reason)
    with RtspCamera() as camera:
        assert first(open_source(camera.url, CameraConfig(transport="udp")), 2)
