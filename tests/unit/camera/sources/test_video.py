"""Video files: times, colours, rotation, damage."""

from __future__ import annotations

import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from facesecure.camera.capture import LatestFrame
from facesecure.camera.sources import open_source, probe
from facesecure.camera.sources.uri import Address
from facesecure.camera.sources.video import VideoFile
from facesecure.config import CameraConfig
from facesecure.domain.errors import SourceError
from support.camera.sources import BLUE, ORANGE, RATE, first, pixel, plain, walk, write_video

FAST = CameraConfig()
REAL = CameraConfig(file_speed="real")
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_frame_times_are_the_films_own(tmp_path: Path) -> None:
    film = walk(tmp_path / "walk.mp4", 10)
    frames = list(VideoFile(Address("file", str(film)), FAST, start=NOON).frames())
    assert [frame.taken_at for frame in frames] == pytest.approx([n / RATE for n in range(10)], abs=1e-3)
    assert frames[5].wall_time == NOON + timedelta(seconds=frames[5].taken_at)
    assert [frame.index for frame in frames] == list(range(10))


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.avi", "mjpeg", "yuvj422p"),
        ("a.mkv", "libx264", "yuv444p"),
        ("a.mkv", "ffv1", "gray"),
        ("a.mkv", "ffv1", "bgr0"),
        ("a.mkv", "ffv1", "yuv420p10le"),
        ("a.avi", "rawvideo", "yuyv422"),
    ],
)
def test_colour_and_brightness_survive_every_pixel_format(
    tmp_path: Path, name: str, codec: str, pixel_format: str
) -> None:
    film = write_video(tmp_path / name, [plain(ORANGE)] * 3, codec=codec, pixel_format=pixel_format)
    frame = first(open_source(str(film), FAST), 1)[0]
    red, green, blue = frame.image.reshape(-1, 3).mean(0)
    grey = np.dot(ORANGE, (0.299, 0.587, 0.114))
    if pixel_format == "gray":
        assert (red, green, blue) == pytest.approx((grey,) * 3, abs=4)
    else:
        assert (red, green, blue) == pytest.approx(ORANGE, abs=6)
    assert frame.luma.shape == frame.image.shape[:2]
    assert float(frame.luma.mean()) == pytest.approx(grey, abs=12)  # limited range lies within that


def test_real_speed_takes_real_time_and_fast_does_not(tmp_path: Path) -> None:
    began = time.monotonic()
    assert len(list(open_source(str(walk(tmp_path / "walk.mp4", 11)), REAL).frames())) == 11
    assert time.monotonic() - began >= 0.38
    two_minutes = walk(tmp_path / "long.mp4", 120, rate=1)
    began = time.monotonic()
    assert len(list(open_source(str(two_minutes), FAST).frames())) == 120
    assert time.monotonic() - began < 60


def test_a_slow_reader_misses_frames_of_a_film_at_real_speed_and_none_of_a_fast_one(tmp_path: Path) -> None:
    film = walk(tmp_path / "walk.mp4", 15)
    kept = {}
    for camera in (REAL, FAST):
        with LatestFrame(open_source(str(film), camera)) as latest:
            seen = 0
            for _ in latest:
                seen += 1
                time.sleep(0.06)
            kept[camera.file_speed] = seen, latest.dropped
    assert kept["fast"] == (15, 0)
    assert kept["real"][0] < 15
    assert sum(kept["real"]) == 15


def turned(film: Path, degrees_clockwise: int) -> Path:
    """Write a rotation into the video's track header, as phones do (ISO 14496-12, tkhd)."""
    data = bytearray(film.read_bytes())
    one, matrix = 0x10000, {90: (0, 1, 0, -1, 0, 0), 180: (-1, 0, 0, 0, -1, 0), 270: (0, -1, 0, 1, 0, 0)}
    at = data.index(b"tkhd") + 4 + 40
    struct.pack_into(">6i", data, at, *(value * one for value in matrix[degrees_clockwise]))
    film.write_bytes(data)
    return film


@pytest.mark.parametrize(("degrees", "top_left"), [(90, (0, 0)), (180, (1, 1)), (270, (1, 0))])
def test_a_phones_rotation_is_undone(tmp_path: Path, degrees: int, top_left: tuple[int, int]) -> None:
    image = plain(BLUE)
    corners = {90: (60, 0), 180: (60, 80), 270: (0, 80)}  # where, unturned, the corner lies that ends up top left
    row, column = corners[degrees]
    image[row : row + 60, column : column + 80] = ORANGE
    film = turned(write_video(tmp_path / "phone.mp4", [image] * 3), degrees)
    frame = first(open_source(str(film), FAST), 1)[0]
    assert frame.pixels.size == ((120, 160) if degrees != 180 else (160, 120))
    assert pixel(frame.image, 15, 15) == pytest.approx(ORANGE, abs=12)
    assert pixel(frame.image, -15, -15) == pytest.approx(BLUE, abs=12)
    assert frame.luma[15, 15] > frame.luma[-15, -15] + 30
    assert probe(str(film), FAST).width == frame.pixels.size[0]


def test_a_text_file_named_mp4_is_refused_with_a_hint(tmp_path: Path) -> None:
    fake = tmp_path / "clip.mp4"
    fake.write_text("this is no film\n" * 50)
    with pytest.raises(SourceError, match=r"clip\.mp4 is not a video") as caught:
        first(open_source(str(fake), FAST), 1)
    assert caught.value.hint


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(SourceError, match="is empty"):
        probe(str(tmp_path / "clip.mp4"), FAST)


def test_a_truncated_film_gives_what_there_is_and_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    film = walk(tmp_path / "walk.mp4", 50)
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])
    frames = list(open_source(str(film), FAST).frames())
    assert 0 < len(frames) < 50
    assert "walk.mp4 is damaged or cut short" in caplog.text


@pytest.mark.parametrize("codec", ["mpeg4", "libx264", "libx265", "mpeg2video"])
def test_a_film_that_begins_between_two_key_frames_is_shown_from_the_next_one_on(tmp_path: Path, codec: str) -> None:
    options = {"g": "25", "sc_threshold": "0"} | (
        {"x265-params": "keyint=25:scenecut=0:log-level=none"} if codec == "libx265" else {}
    )
    film = walk(tmp_path / "walk.ts", 100, codec=codec, options={} if codec == "mpeg2video" else options)
    data = film.read_bytes()
    film.write_bytes(data[len(data) // 3 // 188 * 188 :])
    frame = first(open_source(str(film), FAST), 1)[0]
    assert pixel(frame.image, 100, 5) == pytest.approx((90, 90, 90), abs=8)
    assert sum(abs(frame.image[60].astype(int) - ORANGE).sum(1) < 40) > 30  # the whole square


def test_a_whole_film_gives_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert len(list(open_source(str(walk(tmp_path / "walk.mp4", 50)), FAST).frames())) == 50
    assert caplog.text == ""


def test_a_film_without_its_index_is_refused(tmp_path: Path) -> None:
    film = walk(tmp_path / "walk.mp4", 50)
    data = film.read_bytes()
    film.write_bytes(data[: data.index(b"mdat") // 2])
    with pytest.raises(SourceError, match="not a video"):
        list(open_source(str(film), FAST).frames())


def test_a_film_whose_pictures_are_all_destroyed_is_refused(tmp_path: Path) -> None:
    film = walk(tmp_path / "walk.mp4", 10)
    data = film.read_bytes()
    body = data.index(b"mdat") + 4
    film.write_bytes(data[:body] + bytes(len(data) - body))
    with pytest.raises(SourceError, match=r"no frame of .* can be decoded"):
        list(open_source(str(film), FAST).frames())


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    import wave

    with wave.open(str(tmp_path / "bell.wav"), "wb") as bell:
        bell.setparams((1, 2, 8000, 0, "NONE", ""))
        bell.writeframes(bytes(8000))
    with pytest.raises(SourceError, match="has no video in it"):
        probe(str(tmp_path / "bell.wav"), FAST)


def test_a_file_deleted_before_it_is_played_is_reported(tmp_path: Path) -> None:
    film = walk(tmp_path / "walk.mp4", 3)
    source = open_source(str(film), FAST)
    film.unlink()
    with pytest.raises(SourceError, match="no longer exists"):
        first(source, 1)


def test_a_probe_describes_the_film(tmp_path: Path) -> None:
    answer = probe(str(walk(tmp_path / "walk.mp4", 3)), FAST)
    assert str(answer) == "160x120 at 25 frames a second, h264 video file"


@pytest.mark.parametrize("name", ["corridor-backs.mp4", "street-strangers.mp4"])
def test_the_shared_clips_play(shared_data: Path, name: str) -> None:
    frames = first(open_source(str(shared_data / "clips" / name), FAST), 5)
    assert len(frames) == 5
    assert frames[0].pixels.size[0] >= 768
