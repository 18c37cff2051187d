"""Pairs: balanced, by people who are kept apart, and read back as they were written."""

import errno
import logging
import os
from collections import Counter
from pathlib import Path

import pytest

from facesecure.domain.errors import FacesecureError
from facesecure.util.paths import named
from facesecure_training.common.embeddings import read_pairs
from facesecure_training.datasets import pairs
from facesecure_training.datasets.catalogue import SourcedImage
from facesecure_training.datasets.people import from_folders, from_identities
from facesecure_training.datasets.splitting import FRACTIONS
from support.training.datasets import class_folder, colour_picture

THIRDS = {"train": 0.5, "validation": 0.25, "test": 0.25}


@pytest.fixture
def people(tmp_path):
    """Twenty people with one to ten pictures."""
    return from_folders(class_folder(tmp_path / "images", {f"p{n:02}": 1 + n % 10 for n in range(20)}))


def who(path):
    return path.parent.name


def test_half_show_one_person_and_half_show_two(people):
    for part in pairs.pairs_of(people, 200, THIRDS, seed=1).values():
        assert sum(pair.different for pair in part) * 2 == len(part)
        for pair in part:
            assert (who(pair.first) != who(pair.second)) == bool(pair.different)
            assert pair.first != pair.second


def test_people_are_kept_apart(people):
    parts = pairs.pairs_of(people, 200, THIRDS, seed=1)
    crowds = [{who(path) for pair in part for path in (pair.first, pair.second)} for part in parts.values()]
    assert all(crowds)
    assert sum(map(len, crowds)) == len(set.union(*crowds))


def test_each_part_has_its_share_and_no_pair_comes_twice(people):
    parts = pairs.pairs_of(people, 100, THIRDS, seed=1)
    assert [len(part) for part in parts.values()] == [50, 24, 24]
    for part in parts.values():
        assert len({frozenset((pair.first, pair.second)) for pair in part}) == len(part)


def test_a_share_too_small_for_a_pair_of_each_kind_is_not_taken_for_too_few_people(people):
    assert [len(part) for part in pairs.pairs_of(people, 4, FRACTIONS, seed=1).values()] == [2, 0, 0]


def test_somebody_with_many_pictures_does_not_outweigh_the_others(tmp_path):
    people = from_folders(class_folder(tmp_path, {"star": 40, "a": 3, "b": 3, "c": 3}))
    part = pairs.pairs_of(people, 24, {"train": 1.0}, seed=0)["train"]
    counts = Counter(who(pair.first) for pair in part if not pair.different)
    assert counts == {"star": 3, "a": 3, "b": 3, "c": 3}


def test_the_seed_decides(people):
    first, again, other = (pairs.pairs_of(people, 100, THIRDS, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_two_frames_of_one_video_are_a_pair_only_where_there_is_nothing_else(tmp_path):
    filmed = [SourcedImage(tmp_path / f"a{n}.png", f"film{n % 2}") for n in range(6)]
    once = [SourcedImage(tmp_path / f"b{n}.png", "film") for n in range(3)]
    part = pairs.pairs_of({"a": filmed, "b": once}, 24, {"train": 1.0}, 0)["train"]
    source = {shot.path: shot.source for shot in (*filmed, *once)}
    same = [pair for pair in part if not pair.different]
    assert len([pair for pair in same if pair.first.name[0] == "b"]) == 3
    assert all(source[pair.first] != source[pair.second] for pair in same if pair.first.name[0] == "a")


def test_too_few_people_are_told_of(tmp_path, caplog):
    few = from_folders(class_folder(tmp_path, {"a": 3, "b": 3}))
    with pytest.raises(FacesecureError, match=r"validation gets 0|train gets 1") as caught:
        pairs.pairs_of(few, 10, FRACTIONS, 0)
    assert "add people" in caught.value.hint
    with caplog.at_level(logging.WARNING):
        part = pairs.pairs_of(few, 100, {"train": 1.0}, 0)["train"]
    assert len(part) == 12
    assert "only 12 pairs, where 100 are asked for" in caplog.text


def read(path, images):
    """The pairs of a list, as the evaluation reads it."""
    return [
        pairs.Pair(named(images, one.first), named(images, one.second), int(not one.same)) for one in read_pairs(path)
    ]


@pytest.mark.parametrize("name", ["train.csv", "train.parquet"])
def test_what_is_written_is_read_back(people, tmp_path, name):
    made = pairs.pairs_of(people, 60, {"train": 1.0}, 0)["train"]
    pairs.write(tmp_path / "out" / name, made, tmp_path / "images")
    assert read(tmp_path / "out" / name, tmp_path / "images") == made


@pytest.mark.parametrize("name", ["train.csv", "train.parquet"])
def test_pairs_of_files_with_any_names_are_read_back(tmp_path, name):
    shots = [
        tmp_path / "images" / "Zo\u0308e" / os.fsdecode(file) for file in (b"caf\xe9.png", b"a, b.png", b"1\n.png")
    ]
    for number, shot in enumerate(shots):
        shot.parent.mkdir(parents=True, exist_ok=True)
        shot.write_bytes(colour_picture(tmp_path / f"{number}.png", number).read_bytes())
    made = [pairs.Pair(shots[0], shots[1], 0), pairs.Pair(shots[1], shots[2], 1)]
    pairs.write(tmp_path / name, made, tmp_path / "images")
    assert read(tmp_path / name, tmp_path / "images") == made


def test_a_full_disk_leaves_the_pairs_as_they_were(people, tmp_path, monkeypatch):
    made = pairs.pairs_of(people, 20, {"train": 1.0}, 0)["train"]
    pairs.write(tmp_path / "train.csv", made, tmp_path / "images")

    def full(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pairs, "replace_file", full)
    with pytest.raises(FacesecureError, match=r"train\.csv cannot be written: the disk"):
        pairs.write(tmp_path / "train.csv", made[:1], tmp_path / "images")
    assert read(tmp_path / "train.csv", tmp_path / "images") == made


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_pairs_are_read_as_a_spreadsheet_saves_them(people, tmp_path, encoding):
    made = pairs.pairs_of(people, 20, {"train": 1.0}, 0)["train"]
    pairs.write(tmp_path / "train.csv", made, tmp_path / "images")
    text = (tmp_path / "train.csv").read_text()
    (tmp_path / "train.csv").write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert read(tmp_path / "train.csv", tmp_path / "images") == made


def test_the_csv_says_0_for_the_same_person(people, tmp_path):
    made = pairs.pairs_of(people, 20, {"train": 1.0}, 0)["train"]
    pairs.write(tmp_path / "train.csv", made, tmp_path / "images")
    header, *lines = (tmp_path / "train.csv").read_text().replace('"', "").splitlines()
    assert header == "first,second,different"
    for line in lines:
        first, second, different = line.split(",")
        assert (first.split("/")[0] == second.split("/")[0]) == (different == "0")


@pytest.mark.parametrize(
    "text", ["image,identity\na_1.png,7\na_2.png,7\nb_1.png,9\n", "a_1.png 7\na_2.png 7\n\nb_1.png 9\n"]
)
def test_celeba_identities_are_read_in_both_forms(tmp_path, text, caplog):
    images = class_folder(tmp_path, {"flat": 0}) / "flat"
    for name in ("a_1.png", "a_2.png"):
        images.mkdir(exist_ok=True)
        (images / name).write_bytes(b"")
    (tmp_path / "identities").write_text(text)
    with caplog.at_level(logging.WARNING):
        people = from_identities(tmp_path / "identities", images)
    assert {name: [shot.path.name for shot in shots] for name, shots in people.items()} == {"7": ["a_1.png", "a_2.png"]}
    assert "1 images of" in caplog.text


def test_what_is_no_list_of_identities_is_refused(tmp_path):
    (tmp_path / "odd").write_text("a b c\n")
    with pytest.raises(FacesecureError, match="line 1, does not name"):
        from_identities(tmp_path / "odd", tmp_path)
    for text in ("image,identity\na.jpg,\n", 'image,identity\n"a.jpg,1\n', 'image,identity\n"' + 200_000 * "x"):
        (tmp_path / "odd").write_text(text)
        with pytest.raises(FacesecureError, match="line 2, does not name"):
            from_identities(tmp_path / "odd", tmp_path)
    (tmp_path / "gone").write_text("a.jpg 1\n")
    with pytest.raises(FacesecureError, match="none of the 1 images"):
        from_identities(tmp_path / "gone", tmp_path)


def test_an_image_is_of_one_person_and_once(tmp_path):
    for name in ("a.png", "b.png"):
        colour_picture(tmp_path / name, 1)
    listed = tmp_path / "list"
    listed.write_text("a.png ann\nb.png ben\na.png ann\n./b.png ben\n")
    people = from_identities(listed, tmp_path)
    assert {name: len(shots) for name, shots in people.items()} == {"ann": 1, "ben": 1}
    listed.write_text("a.png ann\nb.png ben\na.png ben\n")
    with pytest.raises(FacesecureError, match=r"line 3, says that a\.png shows ben, and line 1 that it shows ann"):
        from_identities(listed, tmp_path)


def test_an_image_may_be_named_in_any_way_that_leads_below_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(class_folder(tmp_path, {"flat": 3}))
    listed = tmp_path / "list"
    listed.write_text(f"./flat_1.png ann\n{tmp_path}/flat/flat_2.png ann\ndeep/../flat_3.png ann\n")
    shots = from_identities(listed, Path("flat"))["ann"]
    assert [shot.source for shot in shots] == ["flat_1.png", "flat_2.png", "flat_3.png"]
    assert [shot.path for shot in shots] == [Path("flat", shot.source) for shot in shots]
    for outside in ("../flat_1.png", f"{tmp_path}/flat_1.png"):
        listed.write_text(f"flat_1.png ann\n{outside} ann\n")
        with pytest.raises(FacesecureError, match=f"line 2, names {outside}, which is not in flat"):
            from_identities(listed, Path("flat"))


def test_celeba_itself_makes_pairs_of_people_who_are_kept_apart(shared_data):
    images = shared_data / "celeba-small" / "images"
    people = from_identities(shared_data / "celeba-small" / "identities.csv", images)
    assert (len(people), sum(map(len, people.values()))) == (5429, 10_000)
    parts = pairs.pairs_of(people, 4000, FRACTIONS, seed=0)
    assert [len(part) for part in parts.values()] == [2800, 600, 600]
    name = {shot.path: person for person, shots in people.items() for shot in shots}
    crowds = [{name[path] for pair in part for path in (pair.first, pair.second)} for part in parts.values()]
    assert sum(map(len, crowds)) == len(set.union(*crowds))
    assert all((name[p.first] != name[p.second]) == bool(p.different) for part in parts.values() for p in part)
