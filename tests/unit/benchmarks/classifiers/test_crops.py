"""A photo's crop is found in either form, and linked where the training reads it."""

import cv2
import numpy as np
import pytest

from benchmarks.classifiers import clips, crops
from benchmarks.classifiers.manifest import Entry
from facesecure.domain.errors import ImageError


@pytest.fixture
def square(tmp_path):
    """Crops as ``dataset extract --crop square`` writes them: JPEGs, where aligned ones are PNGs."""
    (tmp_path / "square/Ann").mkdir(parents=True)
    for number in (1, 2):
        cv2.imwrite(str(tmp_path / f"square/Ann/Ann_{number}.jpg-0.jpg"), np.full((24, 24, 3), 90, np.uint8))
    return tmp_path / "square"


ENTRIES = [Entry("train", "Ann", "Ann", "Ann/Ann_1.jpg-0.png"), Entry("strangers", "Ann", "Ann", "Ann/Ann_2.jpg-0.png")]


def test_links_lead_to_the_crop_whatever_its_form(square, tmp_path):
    crops.link(square, ENTRIES, tmp_path / "faces")
    linked = [path for path in (tmp_path / "faces").rglob("*") if path.is_file()]
    assert [path.relative_to(tmp_path / "faces").as_posix() for path in linked] == ["train/Ann/Ann_1.jpg-0.jpg"]
    assert crops.read(linked[0], 12).shape == (12, 12, 3)


def test_clips_are_made_of_either_form_and_strangers_stay_as_they_are(square, tmp_path):
    entries = clips.by_clip(ENTRIES)
    clips.write_frames(square, tmp_path / "clips", entries)
    images = [crops.read(crops.located(tmp_path / "clips", entry.photo)) for entry in entries]
    assert len(images) == 4
    assert not np.array_equal(images[0], images[1])


def test_a_missing_crop_is_named(square):
    with pytest.raises(ImageError, match=r"Ann/Ann_9.jpg-0.png is missing"):
        crops.located(square, "Ann/Ann_9.jpg-0.png")
