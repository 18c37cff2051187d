"""A stream that repeats the same image, and cameras that only seem to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest

from facesecure.camera.health.frozen import FrozenImage
from facesecure.domain import Luma
from facesecure.domain.camera_events import Change
from support.camera.scenes import Sensor, looking, place

PORCH = looking(place(1))
RATE = 5


def story(pictures: Iterable[Luma], patience: float = 120.0) -> list[tuple[int, Change]]:
    """Return the changes reported for images that come once a second, each with its second."""
    frozen = FrozenImage(patience)
    reports = ((second, frozen.update(luma, float(second))) for second, luma in enumerate(pictures))
    return [(second, change) for second, change in reports if change is not None]


def streamed(path: Path, pictures: Iterable[Luma], **options: str) -> list[Luma]:
    """The pictures as H.264 leaves them, one of each second (``RATE`` to the second go in)."""
    with av.open(str(path), "w") as container:
        stream = cast("Any", container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", **options}))
        stream.height, stream.width = PORCH.shape
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.dstack([picture] * 3), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        decoded = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    return [np.asarray(picture, np.uint8) for picture in decoded[::RATE]]


def test_the_same_picture_for_two_minutes_is_told_once_and_so_is_its_end() -> None:
    still, sensor = Sensor().luma(PORCH), Sensor(seed=1)
    pictures = [sensor.luma(PORCH) for _ in range(10)] + [still] * 300 + [sensor.luma(PORCH) for _ in range(10)]
    (began, begin), (ended, end) = story(pictures)
    assert 130 <= began <= 132
    assert "very same picture for 120 s" in begin.why
    assert not begin.over
    assert 312 <= ended <= 313
    assert end.over


@pytest.mark.parametrize("noise", [0.5, 1.0, 3.0])
def test_a_quiet_night_has_noise_and_is_not_frozen(noise: float) -> None:
    sensor = Sensor(noise)
    assert story(sensor.luma(0.1 * PORCH) for _ in range(600)) == []


def test_full_darkness_is_not_frozen() -> None:
    assert story([np.full((180, 320), 16, np.uint8)] * 600) == []


def test_one_flicker_does_not_end_it() -> None:
    still, other = Sensor().luma(PORCH), Sensor(seed=1).luma(PORCH)
    ((_, change),) = story([still] * 150 + [other] + [still] * 50)
    assert not change.over


def test_a_few_pictures_that_come_round_are_frozen_too() -> None:
    round_dance = [Sensor(seed=number).luma(PORCH) for number in range(8)]
    ((began, _),) = story(round_dance * 25)
    assert began <= 130


@pytest.mark.parametrize("options", [{"crf": "23"}, {"crf": "32", "tune": "zerolatency", "g": "10"}])
def test_a_still_that_an_encoder_sends_again_and_again_is_frozen(tmp_path: Path, options: dict[str, str]) -> None:
    still = Sensor().luma(PORCH)
    pictures = streamed(tmp_path / "still.mp4", [still] * (RATE * 60), **options)
    ((_, change),) = story(pictures, patience=30)
    assert not change.over


@pytest.mark.parametrize("options", [{"crf": "23", "g": "50"}, {"crf": "32", "tune": "zerolatency", "g": "10"}])
@pytest.mark.parametrize("noise", [0.5, 1.5])
def test_a_dark_porch_under_heavy_compression_is_not_frozen(
    tmp_path: Path, noise: float, options: dict[str, str]
) -> None:
    """Within a group of pictures it does not change at all; from one to the next it does."""
    sensor = Sensor(noise)
    night = [sensor.luma(0.12 * PORCH) for _ in range(RATE * 150)]
    assert story(streamed(tmp_path / "night.mp4", night, **options)) == []
