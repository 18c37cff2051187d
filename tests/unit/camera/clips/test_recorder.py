"""Films of visits, while a camera sends and somebody comes and goes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from facesecure.camera.clips import recorder as recording
from facesecure.camera.clips.packet_ring import PacketRing
from facesecure.camera.clips.recorder import ClipRecorder
from facesecure.camera.sources import open_source
from facesecure.config import CameraConfig
from facesecure.config.clips import ClipsConfig
from facesecure.domain.errors import StoreError
from facesecure.vision.images.frames import RgbImage
from support.builders import NOON
from support.camera.films import camera_video, mp4_of, played


class Reel:
    """A film in memory; ``broken`` is raised by the first write."""

    def __init__(self, identifier: str, camera: str, began: datetime, broken: Exception | None = None) -> None:
        self.identifier, self.camera, self.began = identifier, camera, began
        self.pieces, self.seconds = list[bytes](), 0.0
        self.done = ""
        self._broken = broken

    def write(self, data: bytes) -> None:
        if self._broken:
            raise self._broken
        self.pieces.append(data)

    def flush(self) -> None:
        """Nothing is behind it."""

    def finish(self, seconds: float) -> None:
        self.done, self.seconds = "finished", seconds

    def discard(self) -> None:
        self.done = "discarded"

    def close(self) -> None:
        self.done = self.done or "broken off"


class Door:
    """A camera whose packets are played as fast as they are read, and the recorder of its films."""

    def __init__(self, video: Path, broken: Exception | None = None, **config: float) -> None:
        self.films = list[Reel]()
        self._video, self._broken = video, broken
        self.ring = PacketRing(60.0, recorded=True)
        self.recorder = ClipRecorder(self.ring, self._begin, "door", ClipsConfig(enabled=True, **config))

    def _begin(self, identifier: str, camera: str, began: datetime) -> Reel:
        self.films.append(Reel(identifier, camera, began, self._broken))
        return self.films[-1]

    def play(self, busy: Callable[[float], bool], sighted: Callable[[float], bool]) -> None:
        """Play the film: something happens while ``busy``, and there is a sighting when ``sighted``."""
        source = open_source(str(self._video), CameraConfig(), tap=self.ring)
        with self.recorder:
            for frame in source.frames():
                if busy(frame.taken_at):
                    self.recorder.active(frame.taken_at, frame.taken_at, NOON + timedelta(seconds=frame.taken_at))
                if sighted(frame.taken_at):
                    self.recorder.keep()
                if frame.index % 5 == 0:
                    self._wait_for_writer()

    def _wait_for_writer(self) -> None:
        """Let the writer write all that has come: it has begun a second round after it was woken twice."""
        for _ in range(2):
            self.ring.arrived.set()
            _wait_until(lambda: not self.ring.arrived.is_set())


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture(autouse=True)
def _every_film_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """On leaving, a writer that is only slow is waited for."""
    monkeypatch.setattr(recording, "_JOIN", 60.0)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return camera_video(tmp_path_factory.mktemp("door") / "a.mp4", seconds=20.0)


def at(second: float) -> Callable[[float], bool]:
    return lambda now: abs(now - second) < 0.06


def between(first: float, last: float) -> Callable[[float], bool]:
    return lambda now: first <= now <= last


def test_a_visit_is_filmed_with_what_was_before_and_after(video: Path) -> None:
    door = Door(video, before=2.5, after=2)
    door.play(between(6, 8), at(7))
    (film,) = door.films
    assert (film.done, film.camera) == ("finished", "door")
    shown = played(mp4_of(film.pieces))
    begins, ends = (film.began - NOON).total_seconds(), (film.began - NOON).total_seconds() + shown.seconds
    assert begins == pytest.approx(3.0, abs=0.11), "the key frame before 6 - 2.5"
    assert ends == pytest.approx(10.0, abs=0.3)
    assert film.seconds == pytest.approx(shown.seconds, abs=0.15)
    assert film.identifier.startswith(f"{film.began.astimezone(UTC):%Y%m%dT%H%M%SZ}-")


def test_activity_without_a_sighting_leaves_no_film(video: Path) -> None:
    door = Door(video)
    door.play(between(3, 4), lambda _: False)
    assert [film.done for film in door.films] == ["discarded"]


def test_those_who_come_one_after_another_are_in_one_film_and_later_ones_in_another(video: Path) -> None:
    door = Door(video, before=0, after=1)
    door.play(lambda now: 2 <= now <= 3 or 5 <= now <= 6 or 14 <= now <= 15, lambda now: at(3)(now) or at(15)(now))
    assert [round(played(mp4_of(film.pieces)).seconds) for film in door.films] == [5, 2]
    assert [film.done for film in door.films] == ["finished", "finished"]


def test_a_long_visit_is_several_films_that_follow_each_other(video: Path) -> None:
    door = Door(video, before=1, after=1, longest=10)
    door.play(between(2, 17), at(3))
    assert [film.done for film in door.films] == ["finished", "finished"], "the second without a sighting of its own"
    first, second = door.films
    ended = first.began + timedelta(seconds=played(mp4_of(first.pieces)).seconds)
    assert timedelta(seconds=-0.2) <= second.began - ended <= timedelta(seconds=1.1), "up to the next key frame"


def test_a_camera_that_is_lost_leaves_a_film_that_plays(video: Path, tmp_path: Path) -> None:
    door = Door(camera_video(tmp_path / "short.mp4", seconds=5.0), before=2)
    door.play(between(4, 60), lambda _: False)
    (film,) = door.films
    assert film.done == "finished"
    assert played(mp4_of(film.pieces)).seconds == pytest.approx(3.0, abs=0.15)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), StoreError("this film was removed")])
def test_a_film_that_cannot_be_written_is_given_up_with_one_line_and_the_next_is_tried(
    video: Path, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    door = Door(video, error, before=0, after=1)
    door.play(lambda now: 2 <= now <= 5 or 14 <= now <= 15, lambda _: True)
    assert [film.done for film in door.films] == ["broken off", "broken off"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert str(error) in caplog.text


def test_what_calls_the_recorder_never_waits_for_a_disk_that_stands_still(video: Path) -> None:
    free, reels = threading.Event(), list[Reel]()

    def stuck(identifier: str, camera: str, began: datetime) -> Reel:
        free.wait(30)
        reels.append(Reel(identifier, camera, began))
        return reels[0]

    ring = PacketRing(60.0, recorded=True, limit=20_000)
    with ClipRecorder(ring, stuck, "door", ClipsConfig()) as recorder:
        longest = 0.0
        for frame in open_source(str(video), CameraConfig(), tap=ring).frames():
            began = time.perf_counter()
            recorder.active(frame.taken_at, frame.taken_at, frame.wall_time)
            recorder.keep()
            longest = max(longest, time.perf_counter() - began)
        assert not reels
        assert sum(len(packet.data) for packet in ring.take(0)) <= 20_000
        free.set()
    assert longest < 20.0, "it would have waited for 30 s"


def test_images_of_a_camera_without_packets_become_a_film() -> None:
    reels = list[Reel]()

    def begin(identifier: str, camera: str, began: datetime) -> Reel:
        reels.append(Reel(identifier, camera, began))
        return reels[0]

    ring = PacketRing(60.0)
    with ClipRecorder(ring, begin, "door", ClipsConfig()) as recorder:
        for number, shade in enumerate(_shades(20)):
            ring.image(RgbImage(np.full((96, 128, 3), shade, np.uint8)))
            _wait_until(partial(_coded, ring, number))
            time.sleep(0.02)
            now = time.monotonic()
            recorder.active(now, now, datetime.now(UTC))
        recorder.keep()
        ring.closed()
    (film,) = reels
    assert film.done == "finished"
    shown = played(mp4_of(film.pieces))
    assert (shown.codec, shown.size) == ("h264", (128, 96))
    assert shown.frames == 20


def _coded(ring: PacketRing, number: int) -> bool:
    return ring.next_number > number


def _shades(count: int) -> Iterator[int]:
    yield from range(10, 10 + 10 * count, 10)
