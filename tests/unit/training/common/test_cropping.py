"""Whose photo it is, and crops that come out of the cache as they went in."""

import cv2
import numpy as np
import pytest

from facesecure.domain.errors import ImageError, ModelError
from facesecure_training.common.cropping import Cropper, subject
from support.builders import face_at
from support.faces import PHOTOS

GRACE = PHOTOS / "grace_hopper.jpg"


def test_of_two_large_faces_the_one_in_the_middle_is_meant():
    middle, side = face_at(110, 100, 80), face_at(40, 100, 100)
    assert subject([side, middle], (220, 200)) is middle


def test_a_small_face_in_the_middle_is_somebody_in_the_background():
    large, small = face_at(40, 100, 100), face_at(110, 100, 30)
    assert subject([large, small], (220, 200)) is large


def test_no_face_means_nobody():
    assert subject([], (220, 200)) is None


def test_a_portrait_becomes_an_aligned_crop():
    crop = Cropper().crop(GRACE)
    assert (crop.shape, crop.dtype) == ((112, 112, 3), np.uint8)


def test_the_cache_gives_back_exactly_the_same_crop_without_looking_again(tmp_path, monkeypatch):
    cropper = Cropper(cache=tmp_path / "cache")
    first = cropper.crop(GRACE)
    monkeypatch.setattr(cropper, "detector", None)
    assert (cropper.crop(GRACE) == first).all()


def test_the_cache_remembers_that_there_was_no_face(tmp_path, monkeypatch):
    wall = tmp_path / "wall.png"
    cv2.imwrite(str(wall), np.full((100, 100, 3), 90, np.uint8))
    cropper = Cropper(cache=tmp_path / "cache")
    assert cropper.crop(wall) is None
    monkeypatch.setattr(cropper, "detector", None)
    assert cropper.crop(wall) is None


def test_another_size_is_another_crop_in_the_cache(tmp_path):
    large, small = Cropper(cache=tmp_path), Cropper(cache=tmp_path, max_side=100)
    assert (large.crop(GRACE) != small.crop(GRACE)).any()


def test_a_text_file_is_no_photo(tmp_path):
    note = tmp_path / "note.jpg"
    note.write_text("not a picture")
    with pytest.raises(ImageError):
        Cropper().crop(note)


def test_a_detector_that_was_not_pulled_is_an_error_that_says_how(tmp_path):
    with pytest.raises(ModelError) as caught:
        Cropper("yunet", state_dir=tmp_path)
    assert "pull yunet" in str(caught.value)
