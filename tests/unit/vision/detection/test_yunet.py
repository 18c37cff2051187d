from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facesecure.domain.errors import ModelError
from facesecure.vision.detection import yunet
from facesecure.vision.detection.yunet import FILE, YuNet
from support.faces import YUNET_DIR, on_canvas, only, portrait, scaled


@pytest.fixture
def model() -> Path:
    path = YUNET_DIR / FILE
    if not path.is_file():
        pytest.skip("YuNet is in the research data folder ../shared/data, which is not on this machine")
    return path


def test_a_missing_file_says_how_to_get_it(tmp_path):
    with pytest.raises(ModelError, match="not installed") as caught:
        YuNet(tmp_path / FILE)
    assert caught.value.hint == "fetch it: facesecure models pull yunet"


@pytest.mark.parametrize("content", [b"", b"not a network", b"\x08\x07" * 500])
def test_a_damaged_file_says_how_to_get_it_again(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ModelError, match="cannot read") as caught:
        YuNet(tmp_path / FILE)
    assert "pull yunet" in str(caught.value.hint)


def test_the_confidence_asked_for_is_the_least_there_is(model):
    assert len(YuNet(model, confidence=0.6).detect(portrait())) == 1
    assert YuNet(model, confidence=0.99).detect(portrait()) == []


def test_smaller_faces_than_asked_for_are_missed_sooner(model):
    small = on_canvas(scaled(portrait(), 0.35), 100, 100)
    assert len(YuNet(model, min_face=25).detect(small)) == 1
    assert YuNet(model, min_face=150).detect(small) == []


def test_only_so_many_pixels_are_looked_at(model, monkeypatch):
    seen = []
    detector = YuNet(model, min_face=20)
    run = detector._run
    monkeypatch.setattr(detector, "_run", lambda image: seen.append(image.shape) or run(image))
    monkeypatch.setattr(yunet, "MAX_PIXELS", 100_000)
    only(detector.detect(on_canvas(portrait(), 200, 100)))
    ((height, width, _),) = seen
    assert width * height == pytest.approx(100_000, rel=0.01)


def test_a_picture_that_shrinks_to_nothing_has_no_faces(model):
    assert YuNet(model, min_face=400).detect(np.zeros((100, 2000, 3), np.uint8)) == []


def test_memory_that_others_left_behind_makes_no_face_in_a_small_picture(model):
    """Given the small image itself, OpenCV reads uninitialised memory, and sometimes finds a face."""
    rng = np.random.default_rng(1)
    detector = YuNet(model, min_face=20)
    for number, (height, width) in enumerate(rng.integers(8, 90, (600, 2))):
        if number % 3 == 0:
            detector.detect(scaled(portrait(), rng.uniform(0.3, 1.0)))
        junk = [np.full(rng.integers(100, 1 << 18), np.float32(10) ** rng.integers(-3, 38)) for _ in range(4)]
        del junk
        assert detector.detect(np.full((height, width, 3), 90, np.uint8)) == []
