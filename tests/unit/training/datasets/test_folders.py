"""Class folders: what is read, and how it is divided."""

import logging
import os
import shutil
import socket
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from facesecure.domain.errors import FacesecureError
from facesecure_training.datasets.catalogue import Catalogue, placed_images_in
from facesecure_training.datasets.folders import MANIFEST, ClassFolder, files_below
from facesecure_training.datasets.splitting import divide
from support.training.datasets import class_folder, colour_picture

HALVES = {"train": 0.5, "test": 0.5}


def manifest(root, sources):
    table = pyarrow.table({"file": list(sources), "source": list(sources.values())})
    pyarrow.parquet.write_table(table, root / MANIFEST)


@pytest.fixture
def filmed(tmp_path):
    """Two people; alice filmed four times and bob three, ten frames each."""
    root, sources = tmp_path / "faces", {}
    for name, films in (("alice", 4), ("bob", 3)):
        for film in range(films):
            for frame in range(10):
                colour_picture(root / name / f"film{film}-{frame:03}.png", frame)
                sources[f"{name}/film{film}-{frame:03}.png"] = f"{name}/film{film}.mp4"
    manifest(root, sources)
    return root


def test_classes_and_files_come_in_the_order_people_sort_them(tmp_path):
    folder = ClassFolder.read(class_folder(tmp_path, {"img10": 1, "img2": 11}))
    assert folder.classes == ("img2", "img10")
    assert [path.name for path in folder.files][8:] == ["img2_9.png", "img2_10.png", "img2_11.png", "img10_1.png"]
    assert folder.labels == [0] * 11 + [1]
    assert folder.counts() == {"img2": 11, "img10": 1}


def test_pictures_in_deeper_folders_count_and_hidden_ones_do_not(tmp_path):
    colour_picture(tmp_path / "alice" / "holiday" / "1.png", 1)
    colour_picture(tmp_path / "alice" / ".thumbs" / "2.png", 2)
    colour_picture(tmp_path / ".marks" / "3.png", 3)
    colour_picture(tmp_path / "lost+found" / "4.png", 4)
    (tmp_path / "nobody").mkdir()
    folder = ClassFolder.read(tmp_path)
    assert folder.classes == ("alice",)
    assert [path.relative_to(tmp_path).as_posix() for path in folder.files] == ["alice/holiday/1.png"]


def test_what_may_never_end_when_it_is_read_is_no_file_and_links_that_lead_nowhere_are_kept(tmp_path):
    for name in ("2.jpg", "10.jpg", "deep/1.jpg", "deep/deeper/1.jpg", "other/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket.jpg"))
    for name, goal in (
        ("3.jpg", "2.jpg"), ("lost.jpg", "nowhere"), ("circle.jpg", "circle.jpg"),
        ("pipe2.jpg", "pipe.jpg"), ("zero.jpg", "/dev/zero"), ("folder.jpg", "other"),
    ):  # fmt: skip
        (tmp_path / name).symlink_to(goal)
    assert [path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path)] == [
        "2.jpg", "3.jpg", "10.jpg", "circle.jpg", "lost.jpg", "deep/1.jpg", "deep/deeper/1.jpg", "other/1.jpg",
    ]  # fmt: skip


def test_a_folder_that_cannot_be_listed_is_told_of_with_the_machine_and_not_left_out(tmp_path, monkeypatch):
    root, scandir = class_folder(tmp_path, {"alice": 2, "bob": 2, "carol": 1}), os.scandir
    (root / "bob" / "deep").mkdir()

    def refusing(folder):
        if Path(folder).name == "deep":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    for read in (ClassFolder.read, Catalogue.of_folders):
        with pytest.raises(FacesecureError) as caught:
            read(root)
        assert (
            caught.value.message == f"{socket.gethostname()} cannot read the folder {root}/bob/deep (Permission denied)"
        )


def test_a_worker_that_lacks_a_class_folder_ends_the_work_and_leaves_nothing_out(tmp_path):
    root = class_folder(tmp_path, {"alice": 2, "bob": 2})
    shutil.rmtree(root / "bob")
    assert placed_images_in(str(root), (0, "alice")) == ["alice/alice_1.png", "alice/alice_2.png"]
    with pytest.raises(FacesecureError, match=rf"{socket.gethostname()} cannot read the folder .*/bob") as caught:
        placed_images_in(str(root), (1, "bob"))
    assert "every worker needs it, at the same path" in caught.value.hint


def test_the_classes_of_a_model_can_be_asked_for_in_its_order(tmp_path):
    class_folder(tmp_path, {"alice": 1, "bob": 2, "carol": 1})
    folder = ClassFolder.read(tmp_path, classes=["carol", "bob"])
    assert (folder.classes, folder.labels) == (("carol", "bob"), [0, 1, 1])
    with pytest.raises(FacesecureError, match="no images of dave"):
        ClassFolder.read(tmp_path, classes=["dave"])


def test_an_empty_folder_is_refused_with_a_hint(tmp_path):
    with pytest.raises(FacesecureError, match="no sub-folder with images") as caught:
        ClassFolder.read(tmp_path)
    assert "give each class a folder" in caught.value.hint
    with pytest.raises(FacesecureError, match="cannot be read"):
        ClassFolder.read(tmp_path / "nowhere")


def test_frames_of_a_video_never_come_apart(filmed):
    folder = ClassFolder.read(filmed)
    for seed in range(20):
        parts = folder.split(seed)
        films = [set(part.sources) for part in parts.values()]
        assert sum(len(one) for one in films) == len(set.union(*films)) == 7
        assert sum(len(part) for part in parts.values()) == 70
        assert all(set(part.labels) == {0, 1} for part in parts.values())


def test_the_manifest_speaks_only_for_files_that_are_there_and_others_stand_alone(filmed):
    (filmed / "bob" / "film0-000.png").unlink()
    colour_picture(filmed / "bob" / "added.png", 9)
    folder = ClassFolder.read(filmed)
    assert len(folder) == 70
    assert "bob/added.png" in folder.sources


def test_a_damaged_manifest_is_named(filmed):
    (filmed / MANIFEST).write_bytes(b"nothing")
    with pytest.raises(FacesecureError, match="cannot be read"):
        ClassFolder.read(filmed)


def test_the_same_seed_gives_the_same_split_and_another_another(tmp_path):
    folder = ClassFolder.read(class_folder(tmp_path, {"a": 30, "b": 30}))
    first, again, other = (folder.split(seed, by="file")["train"].files for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_new_class_leaves_the_split_of_the_others_as_it_was(tmp_path):
    before = ClassFolder.read(class_folder(tmp_path, {"a": 20, "b": 20})).split(3)
    after = ClassFolder.read(class_folder(tmp_path, {"aa": 20})).split(3)
    kept = [path for path in after["test"].files if path.parent.name != "aa"]
    assert kept == before["test"].files


def test_shares_are_met_class_by_class(tmp_path):
    folder = ClassFolder.read(class_folder(tmp_path, {"many": 100, "few": 20}))
    parts = folder.split(0, {"train": 0.7, "validation": 0.1, "test": 0.2})
    assert [part.counts() for part in parts.values()] == [
        {"few": 14, "many": 70}, {"few": 2, "many": 10}, {"few": 4, "many": 20},
    ]  # fmt: skip


def test_people_can_be_kept_apart(tmp_path):
    folder = ClassFolder.read(class_folder(tmp_path, {f"p{n}": 3 for n in range(10)}))
    parts = folder.split(0, HALVES, by="class")
    assert [len(part) for part in parts.values()] == [15, 15]
    assert not set(parts["train"].labels) & set(parts["test"].labels)


def test_too_few_videos_is_an_error_and_a_class_that_is_missing_somewhere_a_warning(tmp_path, caplog):
    root = class_folder(tmp_path, {"alice": 4, "bob": 1})
    with caplog.at_level(logging.WARNING):
        ClassFolder.read(root).split(0, HALVES)
    assert "test has no image of bob" in caplog.text
    manifest(root, {f"alice/alice_{n}.png": "alice/film.mp4" for n in range(1, 5)})
    with pytest.raises(FacesecureError, match="no images are left for test") as caught:
        ClassFolder.read(root).split(0, HALVES)
    assert "add more videos" in caught.value.hint


@pytest.mark.parametrize("fractions", [{}, {"train": 0.5}, {"train": 1.5, "test": -0.5}, {"train": float("nan")}])
def test_fractions_that_make_no_whole_are_refused(fractions):
    with pytest.raises(FacesecureError, match="do not add up to 1"):
        divide({"a": 1}, fractions, 0)


def test_a_part_with_nothing_to_get_gets_nothing():
    parts = divide({str(n): 1 for n in range(9)}, {"train": 1.0, "test": 0.0}, 0)
    assert (len(parts["train"]), parts["test"]) == (9, [])
