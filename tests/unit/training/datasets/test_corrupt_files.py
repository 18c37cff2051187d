"""Pictures that TensorFlow cannot read are found by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.domain.errors import ImageError
from support.bombs.pictures import REFUSED
from support.training.datasets import class_folder, colour_picture

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")

from facesecure_training.datasets.corrupt_files import naming_unreadable, unreadable  # noqa: E402
from facesecure_training.datasets.loading import batches  # noqa: E402


@pytest.fixture
def files(tmp_path) -> list[Path]:
    """Seven pictures; the third ends early, the fifth is a text, the sixth is a link to nothing."""
    found = sorted(class_folder(tmp_path, {"ann": 7}).rglob("*.png"))
    found[2].write_bytes(found[2].read_bytes()[:-40])
    found[4].write_text("no picture")
    found[5].unlink()
    found[5].symlink_to(tmp_path / "nowhere.png")
    return found


def taken(files: list[Path], **options) -> int:
    return len(list(batches(files, [0] * len(files), size=(8, 8), batch=4, **options)))


def test_the_damaged_the_wrong_and_the_missing_are_found_and_no_other(files):
    assert unreadable(files) == [files[2], files[4], files[5]]


@pytest.mark.parametrize("cached", [False, True])
def test_what_stops_a_training_is_named_with_its_number(files, tmp_path, cached):
    options = {"cache": tmp_path / "cache"} if cached else {}
    with pytest.raises(ImageError) as raised, naming_unreadable(files[:3], files[3:]):
        taken(files, **options)
    assert "3 of 7 images cannot be read" in raised.value.message
    assert all(str(files[number]) in raised.value.message for number in (2, 4, 5))
    assert "--resume" in raised.value.hint


def test_of_very_many_the_first_are_named_and_the_others_counted(tmp_path):
    empty = [tmp_path / f"{number}.png" for number in range(9)]
    with pytest.raises(ImageError, match=r"0\.png, .*1\.png, .*2\.png and 6 more"), naming_unreadable(empty):
        taken(empty)


def test_another_fault_of_tensorflows_stays_what_it_is(tmp_path):
    whole = [colour_picture(tmp_path / "one.png", 9)]
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be equal"), naming_unreadable(whole):
        tf.debugging.assert_equal(1, 2, "must be equal")


@pytest.mark.parametrize("name", ["PNG, 50000x50000", "JPEG, progressive, 30000x30000", "GIF, huge canvas", "SVG"])
def test_a_bomb_in_a_data_set_is_named_and_not_decoded(tmp_path, name):
    """TensorFlow reserves what a header claims: 2.7 GB for 30000x30000."""
    files = sorted(class_folder(tmp_path, {"ann": 3}).rglob("*.png"))
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(REFUSED[name]())
    assert unreadable([*files, bomb]) == [bomb]
    with pytest.raises(ImageError, match=r"bomb\.png"), naming_unreadable([*files, bomb]):
        taken([*files, bomb])
