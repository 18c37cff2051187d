"""What the daemon makes of a photo, kept from one time to the next; and the ways of spoiling one."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from facesecure.domain.errors import FacesecureError
from facesecure_training.common.corruptions import (
    clarity_corruptions,
    darker,
    gaussian_blurred,
    motion_blurred,
    smaller,
    walk_in,
)
from facesecure_training.evaluation import observations
from facesecure_training.evaluation.setting import Setting
from support.faces import portrait


@pytest.fixture
def photos(tmp_path) -> list[Path]:
    """A portrait, and an image without a person."""
    face = np.asarray(cv2.resize(portrait(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    for name, image in (("face", face), ("wall", np.full_like(face, 90))):
        cv2.imwrite(str(tmp_path / f"{name}.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return [tmp_path / "face.png", tmp_path / "wall.png"]


def test_a_face_is_judged_and_embedded_and_a_wall_is_none(photos):
    face, wall = observations.observe(photos, Setting()).values()
    assert wall is None
    assert face is not None
    assert face.quality.usable
    assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5)


def test_what_was_kept_is_what_was_seen_and_nobody_looks_again(photos, tmp_path, monkeypatch):
    setting = Setting(cache=tmp_path / "cache")
    first = observations.observe(photos, setting)
    monkeypatch.setattr(observations.FaceObserver, "observe", lambda *_: pytest.fail("looked again"))
    again = observations.observe(photos, setting)
    assert again[photos[1]] is None
    assert again[photos[0]].quality == first[photos[0]].quality
    assert np.array_equal(again[photos[0]].embedding, first[photos[0]].embedding)


def test_another_way_of_spoiling_or_another_size_is_looked_at_anew(photos, tmp_path):
    cache = tmp_path / "cache"
    plain = observations.observe(photos, Setting(cache=cache))[photos[0]]
    dim = observations.observe(photos, Setting(cache=cache), "dim", darker(0.3))[photos[0]]
    small = observations.observe(photos, Setting(max_side=120, cache=cache))[photos[0]]
    assert dim.quality.brightness < 0.5 * plain.quality.brightness
    assert small.quality.eye_distance < plain.quality.eye_distance
    assert len(list(cache.iterdir())) == 3


def test_a_changed_photo_is_looked_at_anew(photos, tmp_path):
    setting = Setting(cache=tmp_path / "cache")
    observations.observe(photos, setting)
    photos[1].write_bytes(photos[0].read_bytes())
    assert observations.observe(photos, setting)[photos[1]] is not None


@pytest.mark.parametrize("share", [0, 0.5, 0.98])
def test_a_damaged_cache_is_named_with_what_to_do(photos, tmp_path, share):
    setting = Setting(cache=tmp_path / "cache")
    observations.observe(photos, setting)
    (kept,) = (tmp_path / "cache").iterdir()
    content = kept.read_bytes()
    kept.write_bytes(content[: int(share * len(content))])
    with pytest.raises(FacesecureError, match=f"{kept.name} is damaged") as error:
        observations.observe(photos, setting)
    assert "remove it" in error.value.hint


def test_spoiling_is_the_same_every_time(photos):
    one, again = (observations.observe(photos[:1], Setting(), "walk-in 1", walk_in)[photos[0]] for _ in range(2))
    other = observations.observe(photos[:1], Setting(), "walk-in 2", walk_in)[photos[0]]
    assert np.array_equal(one.embedding, again.embedding)
    assert not np.array_equal(one.embedding, other.embedding)


def edges(image: np.ndarray, axis: int) -> float:
    return float(np.abs(np.diff(image.astype(float), axis=axis)).mean())


def test_each_way_of_spoiling_does_what_its_name_says():
    image, random = portrait(), np.random.default_rng(0)
    assert smaller(0.5)(image, random).shape[0] == round(image.shape[0] / 2)
    assert edges(gaussian_blurred(3)(image, random), 0) < 0.6 * edges(image, 0)
    across = motion_blurred(9, 0)(image, random)
    assert edges(across, 1) / edges(image, 1) < 0.7 * edges(across, 0) / edges(image, 0)
    assert darker(0.25)(image, random).mean() < 0.35 * image.mean()
    assert all(corruption(image, random).dtype == np.uint8 for corruption in clarity_corruptions().values())
