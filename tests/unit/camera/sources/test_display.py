"""Pixels that are not square, and display matrices that mirror: shown as players show them."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import psutil
import pytest

from facesecure.camera.sources import open_source, probe
from facesecure.config import CameraConfig
from facesecure.domain import Image
from facesecure.vision.images import display
from support.camera.rtsp import RtspCamera, unavailable
from support.camera.sources import BLUE, ORANGE, first, pixel, plain, write_video

FAST = CameraConfig()


def quarter() -> Image:
    """Blue, with an orange quarter at the top left."""
    image = plain(BLUE)
    image[:60, :80] = ORANGE
    return image


def squeezed(path: Path, aspect: Fraction, count: int = 30, codec: str = "libx264") -> Path:
    """A film of 160x120 pixels that are ``aspect`` times as wide as high."""
    with av.open(str(path), "w") as container:
        stream = cast("Any", container.add_stream(codec, rate=25))
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        for _ in range(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(quarter(), format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (Fraction(2), (320, 120)),
        (Fraction(16, 11), (233, 120)),
        (Fraction(8, 9), (160, 135)),
        (Fraction(1, 2), (160, 240)),
        (Fraction(1), (160, 120)),
        (Fraction(200, 199), (160, 120)),
        (Fraction(30), (160, 120)),
    ],
)
def test_pixels_are_square(tmp_path: Path, name: str, aspect: Fraction, size: tuple[int, int]) -> None:
    film = squeezed(tmp_path / name, aspect)
    frame = first(open_source(str(film), FAST), 1)[0]
    answer = probe(str(film), FAST)
    assert frame.pixels.size == (answer.width, answer.height) == size
    assert frame.image.shape == (size[1], size[0], 3)
    assert frame.luma.shape == (size[1], size[0])
    assert pixel(frame.image, size[1] // 2 - 10, size[0] // 2 - 10) == pytest.approx(ORANGE, abs=12)
    assert pixel(frame.image, size[1] // 2 + 10, size[0] // 2 + 10) == pytest.approx(BLUE, abs=12)


@pytest.mark.rtsp
def test_pixels_of_a_network_camera_are_square(tmp_path: Path) -> None:
    if reason := unavailable():
        pytest.skip(reason)
    with RtspCamera(film=squeezed(tmp_path / "a.mp4", Fraction(2), 100)) as camera:
        assert probe(camera.url, FAST).width == 320
        assert first(open_source(camera.url, FAST), 1)[0].image.shape == (120, 320, 3)


MATRICES = {  # a, b, c, d, and where the orange quarter is then
    "mirrored": ((-1, 0, 0, 1), (False, True)),
    "upside down in a mirror": ((1, 0, 0, -1), (True, False)),
    "both": ((-1, 0, 0, -1), (True, True)),
    "turned right": ((0, 1, -1, 0), (False, True)),
    "transposed": ((0, 1, 1, 0), (False, False)),
    "transversed": ((0, -1, -1, 0), (True, True)),
}


@pytest.mark.parametrize("kind", list(MATRICES))
def test_a_display_matrix_is_followed(tmp_path: Path, kind: str) -> None:
    (a, b, c, d), (bottom, right) = MATRICES[kind]
    film = write_video(tmp_path / "phone.mp4", [quarter()] * 3)
    data = bytearray(film.read_bytes())
    struct.pack_into(">6i", data, data.index(b"tkhd") + 44, *(0x10000 * value for value in (a, b, 0, c, d, 0)))
    film.write_bytes(data)
    frame = first(open_source(str(film), FAST), 1)[0]
    for plane in (frame.image[:, :, 0], frame.luma):
        halves = np.array_split(plane, 2)
        quarters = [part.mean() for half in halves for part in np.array_split(half, 2, axis=1)]
        assert int(np.argmax(quarters)) == 2 * bottom + right
    assert frame.pixels.size == ((160, 120) if b == 0 else (120, 160))


def test_transposing_is_not_turning(tmp_path: Path) -> None:
    image = quarter()
    image[60:, :80] = (250, 250, 250)  # bottom left: after transposing it is at the top right
    film = write_video(tmp_path / "phone.mp4", [image] * 3)
    data = bytearray(film.read_bytes())
    struct.pack_into(">6i", data, data.index(b"tkhd") + 44, *(0x10000 * value for value in (0, 1, 0, 1, 0, 0)))
    film.write_bytes(data)
    shown = first(open_source(str(film), FAST), 1)[0].image
    assert pixel(shown, 20, 20) == pytest.approx(ORANGE, abs=12)
    assert min(pixel(shown, 20, -20)) > 230


def test_pixels_may_change_within_a_film(tmp_path: Path) -> None:
    """A recorder that was set from 1080P to 1080N writes on into the same file."""
    parts = [squeezed(tmp_path / f"{number}.ts", Fraction(aspect)) for number, aspect in enumerate((1, 2))]
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    sizes = [frame.pixels.size for frame in open_source(str(both), FAST).frames()]
    assert sizes[:20] == [(160, 120)] * 20
    assert sizes[-20:] == [(320, 120)] * 20


def test_reading_how_films_are_shown_keeps_no_frame(tmp_path: Path) -> None:
    """PyAV never frees a frame whose side data was read; extraction opens many thousands of films."""
    film = turned_over(write_video(tmp_path / "phone.mp4", [plain(BLUE, (1280, 720))] * 2))
    first(open_source(str(film), FAST), 1)
    before = psutil.Process().memory_info().rss
    for _ in range(100):
        first(open_source(str(film), FAST), 1)
    assert psutil.Process().memory_info().rss - before < 60e6  # 100 frames are 138 MB


def turned_over(film: Path) -> Path:
    """Write a matrix that mirrors left and right into the track header of ``film``."""
    data = bytearray(film.read_bytes())
    struct.pack_into(">6i", data, data.index(b"tkhd") + 44, *(0x10000 * value for value in (-1, 0, 0, 0, 1, 0)))
    film.write_bytes(data)
    return film


def test_the_shared_inputs_are_shown_as_players_show_them(shared_data: Path) -> None:
    answer = probe(str(shared_data / "inputs" / "pixel-aspect-960x1080.mp4"), FAST)
    assert (answer.width, answer.height) == (1920, 1080)
    mirrored = shared_data / "inputs" / "mirrored-matrix.mp4"
    with av.open(str(mirrored)) as container:
        coded = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(float)
    shown = first(open_source(str(mirrored), FAST), 1)[0].image
    assert np.abs(shown[:, ::-1] - coded).mean() < 8


def test_no_frame_outlives_its_turn_for_having_been_asked_how_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyAV never frees a frame whose side data was read: read of each, a day of video would fill the memory."""
    read: list[object] = []
    monkeypatch.setattr(display, "_orientation", lambda frame: read.append(frame.pts) or (False, 0))
    frames = list(open_source(f"file:{squeezed(tmp_path / 'film.mp4', Fraction(2, 1))}", FAST).frames())
    assert len(frames) == 30
    assert len(read) == 1
    assert {frame.pixels.size for frame in frames} == {(320, 120)}
