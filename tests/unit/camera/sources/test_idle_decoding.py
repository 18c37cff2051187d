"""What is decoded while nothing moves, and that no frame of a movement is lost, on real encodes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pytest

from facesecure.camera.sources import idle_decoding
from facesecure.camera.sources.attention import Attention
from facesecure.camera.sources.decoding import video_stream
from facesecure.camera.sources.idle_decoding import IdleDecoding, SparseReader
from facesecure.camera.sources.uri import parse
from facesecure.config import MotionConfig
from facesecure.vision.detection.motion import MotionGate
from facesecure.vision.images.frames import ColourConverter, VideoImage
from support.camera.porch import IPPP, RATE, WITH_B, encode, porch

COMES, SECONDS = 23.0, 27.0
"""When somebody comes in the films here, and how long they are."""

Film = Callable[..., Path]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """Return a function that encodes the porch with key frames so many seconds apart; each film is made once."""
    folder, made, images = tmp_path_factory.mktemp("porch"), dict[str, Path](), list(porch(SECONDS, COMES))

    def encoded(distance: float, options: dict[str, str], codec: str = "libx264") -> Path:
        name = f"{codec}-{distance:g}-{options.get('bf', '')}-{options.get('crf', '')}"
        if name not in made:
            made[name] = encode(folder / f"{name}.mkv", images, distance, options, codec)
        return made[name]

    return encoded


class Clock:
    """A clock that stands at the time of the latest packet."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Seen:
    """A frame that the pipeline got: its own time, when it came, when it was given, and whether it shows movement."""

    time: float
    came: float
    given: float
    kept: bool
    moving: bool


def watch(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    needed: Callable[[float], bool] = lambda at: False,
    lag: float = 0.0,
) -> list[Seen]:
    """Return what a pipeline with a motion gate sees of the film, with packets that come in real time.

    ``needed`` says whether somebody else needs every frame at a time; ``lag`` is how many seconds the pipeline takes to
    see a frame.
    """
    clock, attention, gate = Clock(), Attention(), MotionGate(MotionConfig())
    attention.also(lambda: needed(clock.now))
    monkeypatch.setattr(idle_decoding, "time", clock)
    seen: list[Seen] = []
    told: deque[tuple[float, bool]] = deque()
    with av.open(str(path)) as container:
        stream = video_stream(container, parse(str(path)), 1)

        def packets() -> Iterator[Any]:
            for packet in container.demux(stream):
                if packet.dts is not None:
                    clock.now = float(packet.dts * packet.time_base)
                while told and told[0][0] + lag <= clock.now:
                    attention.scene = told.popleft()[1]
                yield packet

        converter = ColourConverter()

        def luma(frame: av.VideoFrame) -> Any:
            return VideoImage(frame, converter).luma()

        idle = IdleDecoding(attention, lambda: MotionGate(MotionConfig()))
        reader = SparseReader(container, stream, "the film", idle, luma, packets=packets())
        for frame in reader:
            if frame is None:
                continue
            told.append((clock.now, gate.moved(luma(frame), reader.came_at)))
            assert frame.time is not None
            seen.append(Seen(frame.time, reader.came_at, clock.now, reader.kept, gate.moving))
    return seen


def _quiet(seen: list[Seen]) -> list[Seen]:
    return [one for one in seen if 14 < one.time < COMES - 0.5]


def _noticed(seen: list[Seen]) -> Seen:
    return next(one for one in seen if one.moving and one.time > 1)


@pytest.mark.parametrize("distance", [0.5, 2.0, 4.0])
def test_between_key_frames_nothing_is_decoded_until_something_moves_and_then_none_of_its_frames_is_lost(
    film: Film, distance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = watch(film(distance, IPPP), monkeypatch, needed=lambda at: True)
    sparse = watch(film(distance, IPPP), monkeypatch)
    assert len(_quiet(sparse)) <= 0.25 * len(_quiet(everything))
    noticed = _noticed(everything)
    assert _noticed(sparse).time == pytest.approx(noticed.time, abs=0.11)
    assert _noticed(sparse).given - noticed.given <= 0.5
    moving = [round(one.time, 3) for one in sparse if one.time >= noticed.time]
    assert moving == [round(one.time, 3) for one in everything if one.time >= noticed.time]


def test_a_pipeline_that_is_slow_to_see_a_movement_gets_its_frames_as_they_come(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = watch(film(0.1, {"q": "5"}, "mjpeg"), monkeypatch, lag=1.2)
    moving = [round(one.time, 1) for one in seen if one.time > COMES + 0.05]
    assert moving == [round(COMES + 0.1 * number, 1) for number in range(1, len(moving) + 1)]
    assert moving[-1] == SECONDS - 0.1
    noticed = _noticed(seen).given
    assert all(one.given - one.time < 0.15 for one in seen if one.time > noticed + 0.05)


def test_kept_frames_have_the_times_at_which_they_came(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watch(film(2.0, IPPP), monkeypatch)
    kept = [one for one in seen if one.kept and one.moving]
    assert kept
    assert all(one.came == pytest.approx(one.time, abs=0.01) and one.came <= one.given for one in kept)
    assert [one.came for one in seen] == sorted(one.came for one in seen)


def test_frames_that_a_decoder_holds_back_come_in_order_and_once(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watch(film(2.0, WITH_B), monkeypatch)
    times = [one.time for one in seen]
    assert times == sorted(set(times))
    assert len(_quiet(seen)) <= 0.6 * (COMES - 0.5 - 14) * RATE
    assert [one for one in seen if one.time > SECONDS - 0.15]  # the last one too


def test_of_a_stream_of_key_frames_some_are_decoded(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watch(film(0.1, {"q": "5"}, "mjpeg"), monkeypatch)
    gaps = [later.given - earlier.given for earlier, later in zip(_quiet(seen), _quiet(seen)[1:], strict=False)]
    assert gaps
    assert min(gaps) > 0.2
    assert max(gaps) < 0.5
    assert _noticed(seen).time == pytest.approx(COMES, abs=0.21)


def test_a_stream_whose_key_frames_are_too_far_apart_is_decoded_as_a_whole(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(_quiet(watch(film(8.0, IPPP), monkeypatch))) == round((COMES - 0.5 - 14) * RATE) - 1


def test_a_busy_scene_is_decoded_as_a_whole(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(watch(film(1.0, IPPP), monkeypatch, needed=lambda at: True)) == round(SECONDS * RATE)


def test_a_reader_wakes_when_somebody_else_needs_frames(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watch(film(2.0, IPPP), monkeypatch, needed=lambda at: at >= 16.5)
    assert len([one for one in seen if 14 < one.time < 16]) < 10
    woken = [round(one.time, 1) for one in seen if one.time >= 16.6]
    assert woken == [round(16.6 + 0.1 * number, 1) for number in range(len(woken))]
