"""A threshold is chosen on other people than it is measured on."""

import pytest

from facesecure.domain.errors import UsageError
from facesecure_training.common.embeddings import NamedPair
from facesecure_training.evaluation.kept_apart import refuse_shared


def photos(root, *names):
    """Photos with a content of their own each, all as long as another."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{root.name}/{name}".encode().ljust(50))
    return root


def pair(first, second, *, same=False):
    return [NamedPair(first, second, same)]


def test_a_copy_in_another_folder_is_the_same_photo(tmp_path):
    here, there = photos(tmp_path / "here", "a/1.png", "b/1.png"), photos(tmp_path / "there", "c/1.png", "d/1.png")
    refuse_shared(pair("a/1.png", "b/1.png"), here, pair("c/1.png", "d/1.png"), there)
    (there / "d/1.png").write_bytes((here / "b/1.png").read_bytes())
    with pytest.raises(UsageError, match=r"is a copy of .*b/1.png") as caught:
        refuse_shared(pair("a/1.png", "b/1.png"), here, pair("c/1.png", "d/1.png"), there)
    assert "by person" in caught.value.hint


def test_other_photos_of_a_tested_person_are_refused_in_one_folder_and_not_in_two(tmp_path):
    names = ("a/1.png", "a/2.png", "b/1.png", "c/1.png")
    here, there = photos(tmp_path / "here", *names), photos(tmp_path / "there", *names)
    tested, validation = pair("a/1.png", "b/1.png"), pair("a/2.png", "c/1.png")
    with pytest.raises(UsageError, match="photos of a are in"):
        refuse_shared(tested, here, validation, here)
    refuse_shared(tested, here, validation, there)


def test_people_are_told_by_lfws_names_too(tmp_path):
    images = photos(tmp_path / "images", "Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0002.jpg", "B/B_0001.jpg")
    with pytest.raises(UsageError, match="photos of Ann_Lee are in"):
        refuse_shared(pair("Ann_Lee_0001", "B_0001"), images, pair("Ann_Lee_0002", "C_0001"), images)


@pytest.mark.parametrize("folder", ["", "crops/"])
def test_a_folder_that_holds_several_people_is_no_person(tmp_path, folder):
    names = [f"{folder}{number}.png" for number in range(4)]
    images = photos(tmp_path / "images", *names)
    refuse_shared(pair(*names[:2]), images, pair(*names[2:]), images)


def test_photos_that_are_missing_are_passed_over(tmp_path):
    refuse_shared(pair("a/1.png", "b/1.png"), tmp_path / "here", pair("a/1.png", "b/1.png"), tmp_path / "there")
