"""Whatever a camera or a file sends, a source gives frames or a SourceError, and nothing else."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import av
import pytest

from facesecure.camera.sources import open_source, probe
from facesecure.config import CameraConfig
from facesecure.domain.errors import SourceError
from support.camera.rtsp_peer import SDP, RtspPeer
from support.camera.sources import first, scene, stopped_when, walk

QUICK = CameraConfig(timeout=30.0, reconnect_max=0.2)


def plays_or_says_why(path: Path) -> None:
    """Play the whole file. Any error but a SourceError fails the test."""
    with suppress(SourceError):
        for frame in open_source(f"file:{path}", CameraConfig()).frames():
            assert frame.luma.size
            assert frame.image.size


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mp4", "mpeg4"),
        ("a.mkv", "libx264"),
        ("a.mkv", "ffv1"),
        ("a.avi", "mjpeg"),
        ("a.ts", "libx264"),
        ("a.ts", "mpeg2video"),
        ("a.webm", "libvpx"),
        ("a.flv", "flv"),
        ("a.mov", "libx264"),
        ("a.3gp", "mpeg4"),
    ],
)
def test_a_damaged_file_of_any_kind_plays_or_says_why(tmp_path: Path, name: str, codec: str) -> None:
    pixel_format = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    whole = walk(tmp_path / name, 6, codec=codec, pixel_format=pixel_format).read_bytes()
    chance = random.Random(name + codec)
    broken = tmp_path / f"broken{Path(name).suffix}"
    for attempt in range(40):
        data = bytearray(whole)
        reach = (200, 2000, len(data))[attempt % 3]  # the header, the tables, anywhere
        for _ in range(chance.choice((1, 4, 30))):
            data[chance.randrange(min(reach, len(data)))] = chance.randrange(256)
        if attempt % 4 == 0:
            del data[chance.randrange(len(data)) :]
        broken.write_bytes(data)
        plays_or_says_why(broken)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
def test_a_title_in_any_encoding_is_nobodys_concern(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        container.metadata["title" if name != "a.ts" else "service_name"] = "HaustueEEEE"
        stream = cast("Any", container.add_stream("mpeg4", rate=25))
        stream.width, stream.height = 160, 120
        for number in range(30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(number), format="rgb24")))
        container.mux(stream.encode())
    data = path.read_bytes()
    assert b"HaustueEEEE" in data
    path.write_bytes(data.replace(b"HaustueEEEE", b"Haust\xfcr\xe9\xe8\xff\xfe"))
    assert len(list(open_source(str(path), CameraConfig()).frames())) == 30


def test_a_video_without_a_decoder_is_named(tmp_path: Path) -> None:
    film = walk(tmp_path / "walk.mp4", 3)
    film.write_bytes(film.read_bytes().replace(b"avc1", b"zz99"))
    with pytest.raises(SourceError, match="of a kind that cannot be decoded") as caught:
        probe(str(film), CameraConfig())
    assert "walk.mp4" in caught.value.message
    assert caught.value.hint


def test_a_title_in_another_encoding_does_not_keep_the_shared_input_from_playing(shared_data: Path) -> None:
    source = open_source(f"file:{shared_data / 'inputs' / 'metadata-latin1.mp4'}", CameraConfig())
    assert sum(frame.image.size > 0 for frame in source.frames()) > 1


@pytest.mark.parametrize("name", ["no-decoder.mp4", "cut-in-header.mp4"])
def test_the_shared_inputs_that_cannot_play_say_which_and_what_to_do(shared_data: Path, name: str) -> None:
    with pytest.raises(SourceError, match=name) as caught:
        next(iter(open_source(f"file:{shared_data / 'inputs' / name}", CameraConfig()).frames()))
    assert caught.value.hint


@pytest.mark.parametrize(
    "sdp",
    [
        SDP.replace(b"s=door", b"s=Haust\xfcr"),
        SDP.replace(b"H264/90000", b"X-NEW/90000"),
        SDP.replace(b"H264/90000", b"H264/0"),
        SDP.replace(b"m=video", b"m=audio"),
        SDP.replace(b"Z0LACtoPCJqA,aM4PyA==", b"!!!\xff,==="),
        b"",
        b"\xff" * 300,
        b"v=0\r\n" + b"a=" + b"x" * 5000 + b"\r\n",
    ],
)
def test_a_camera_that_describes_itself_badly_is_tried_again(sdp: bytes) -> None:
    with RtspPeer(sdp) as peer:
        with pytest.raises(SourceError):
            probe(peer.url, QUICK)
        troubles: list[SourceError | None] = []
        source = open_source(peer.url, QUICK, on_trouble=troubles.append)
        with stopped_when(source, lambda: peer.requests.count("DESCRIBE") > 2):
            assert first(source, 1) == []
        assert troubles
        assert peer.requests.count("DESCRIBE") > 2
