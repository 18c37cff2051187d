"""What is in a data set, in figures and as a picture."""

import shutil
import socket
import unicodedata

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure_training.datasets import file_facts, manifest
from facesecure_training.datasets.catalogue import Catalogue
from facesecure_training.datasets.contact_sheet import contact_sheet, save
from facesecure_training.datasets.extract import extract
from facesecure_training.datasets.folders import MANIFEST, ClassFolder
from facesecure_training.datasets.settings import ExtractionSettings
from facesecure_training.datasets.stats import MEASURES, stats_of
from support.training.datasets import class_folder, colour_picture, photo


def test_classes_are_counted_and_broken_files_named(tmp_path):
    root = class_folder(tmp_path / "faces", {"alice": 3, "bob": 2})
    colour_picture(root / "bob" / "large.png", 9, (40, 30))
    (root / "bob" / "torn.jpg").write_bytes(b"nothing")
    (root / "bob" / "empty.png").write_bytes(b"")
    (root / "carol").mkdir()
    found = stats_of(Catalogue.of_folders(root))
    assert (found.pictures, found.sizes) == (8, {"20x20": 5, "30x40": 1})
    assert {name: (one.pictures, one.sources) for name, one in found.classes.items()} == {
        "alice": (3, 3),
        "bob": (5, 5),
    }
    assert found.unreadable == ["bob/empty.png", "bob/torn.jpg"]
    assert (found.twins, found.empty) == ([], ["carol"])


def test_of_a_file_without_end_no_more_is_read_than_a_photo_may_have(tmp_path, monkeypatch):
    root = class_folder(tmp_path, {"alice": 1})
    for name in ("one.jpg", "two.jpg"):
        with (root / "alice" / name).open("wb") as file:
            file.truncate(1 << 40)
    monkeypatch.setattr(file_facts, "MAX_BYTES", 1_000_000)  # the tests of a small machine
    found = stats_of(Catalogue.of_folders(root))
    assert (found.unreadable, found.twins) == (["alice/one.jpg", "alice/two.jpg"], [])


def test_a_picture_that_is_there_twice_is_told_of_and_more_so_in_two_classes(tmp_path):
    root = class_folder(tmp_path, {"alice": 3, "bob": 2})
    shutil.copy(root / "alice" / "alice_1.png", root / "alice" / "again.png")
    shutil.copy(root / "alice" / "alice_2.png", root / "bob" / "who.png")
    found = stats_of(Catalogue.of_folders(root))
    assert found.twins == [["alice/again.png", "alice/alice_1.png"], ["alice/alice_2.png", "bob/who.png"]]
    assert found.mislabelled == [["alice/alice_2.png", "bob/who.png"]]


def test_empty_files_are_broken_and_not_the_same_picture(tmp_path):
    root = class_folder(tmp_path, {"alice": 1, "bob": 1})
    for name in ("alice", "bob"):
        (root / name / "empty.png").touch()
    found = stats_of(Catalogue.of_folders(root))
    assert (found.unreadable, found.twins) == (["alice/empty.png", "bob/empty.png"], [])


def test_folders_that_encode_the_accents_of_a_name_otherwise_are_no_two_classes(tmp_path):
    for number, form in enumerate(("NFC", "NFD")):
        colour_picture(tmp_path / unicodedata.normalize(form, "José") / f"{number}.png", 1)
    found = stats_of(Catalogue.of_folders(tmp_path))
    assert (len(found.classes), len(found.twins), found.mislabelled) == (1, 1, [])


def test_a_link_that_leads_nowhere_is_called_one(tmp_path):
    root = class_folder(tmp_path, {"alice": 1})
    (root / "alice" / "lost.png").symlink_to("nowhere")
    with pytest.raises(FacesecureError, match=r"cannot read alice/lost\.png") as caught:
        stats_of(Catalogue.of_folders(root))
    assert "a link that leads nowhere" in caught.value.hint


def test_a_file_that_is_gone_is_told_of_with_what_a_worker_needs(tmp_path):
    with pytest.raises(FacesecureError, match=f"{socket.gethostname()} cannot read alice/1.png") as caught:
        file_facts.measured(str(tmp_path), (1, "alice/1.png"))
    assert "every worker needs the folder" in caught.value.hint


def test_quality_comes_from_the_manifest(tmp_path):
    photo(tmp_path / "in" / "grace" / "1.jpg", "grace_hopper")
    photo(tmp_path / "in" / "grace" / "dark.jpg", "grace_hopper", 0.1)
    extract(tmp_path / "in", tmp_path / "out", ExtractionSettings(min_quality=0.0, thin=1.0))
    rows = manifest.read(tmp_path / "out")
    found = stats_of(Catalogue.of_folders(tmp_path / "out")).classes["grace"]
    clarity = [row["clarity"] for row in rows]
    assert found.quality["clarity"].median == pytest.approx(np.median(clarity), abs=1e-3)
    assert found.unusable == sum(bool(row["reasons"]) for row in rows) == 1
    assert sum(found.reasons.values()) >= 1


def listed(root, **columns):
    """A manifest of two faces of ann, with ``columns`` in place of its own; None leaves one out."""
    whole = {"file": ["ann/ann_1.png", "ann/ann_2.png"], "class": ["ann"] * 2, "source": ["a.mp4", "b.mp4"]}
    whole |= {name: [0.25, 0.75] for name in MEASURES} | {"reasons": [[], []]} | columns
    table = pyarrow.table({name: values for name, values in whole.items() if values is not None})
    pyarrow.parquet.write_table(table, class_folder(root, {"ann": 2}) / MANIFEST)
    return root


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"source": None}, "it has no column source"),
        ({"file": ["ann/ann_1.png", None]}, "a row has no file"),
        ({"class": [None, "ann"]}, "a row has no class"),
        ({"reasons": [[], None]}, "a row has no reasons"),
        ({"clarity": None}, "it has no column clarity"),
    ],
)
def test_a_manifest_with_gaps_cannot_be_read(tmp_path, columns, why):
    with pytest.raises(FacesecureError, match=rf"cannot be read \({why}\)") as caught:
        stats_of(Catalogue.of_folders(listed(tmp_path, **columns)))
    assert "dataset extract` again" in caught.value.hint


def test_a_class_folder_cannot_be_read_with_a_manifest_with_gaps(tmp_path):
    with pytest.raises(FacesecureError, match="a row has no file, or no source"):
        ClassFolder.read(listed(tmp_path, source=["a.mp4", None]))
    listed(tmp_path, source=None)
    with pytest.raises(FacesecureError, match=r"cannot be read \(No match for .*source"):
        ClassFolder.read(tmp_path)


def test_figures_that_are_none_do_not_count(tmp_path):
    nan, inf = float("nan"), float("inf")
    found = stats_of(Catalogue.of_folders(listed(tmp_path, clarity=[nan, 0.5], yaw=[inf, 0.5], roll=[None, nan])))
    quality = found.classes["ann"].quality
    assert (quality["clarity"].median, quality["yaw"].high) == (0.5, 0.5)
    assert "roll" not in quality


def test_the_sheet_shows_a_row_for_each_class(tmp_path):
    root = class_folder(tmp_path, {"alice": 3, "böb": 20})
    (root / "alice" / "torn.jpg").write_bytes(b"nothing")
    folder = ClassFolder.read(root)
    sheet = contact_sheet(folder, columns=5, seed=1)
    assert sheet.shape[1] == 2 * 12 + 5 * 100
    assert np.array_equal(sheet, contact_sheet(folder, columns=5, seed=1))
    assert not np.array_equal(sheet, contact_sheet(folder, columns=5, seed=2))
    first, second = (sheet[48 + row * 126 + 70] for row in (0, 1))
    tiles = [tuple(first[12 + 48 + 100 * column]) for column in range(5)]
    assert tiles == [(0, 255, 7), (1, 254, 7), (2, 253, 7), (190, 60, 60), (255, 255, 255)]
    assert all(second[12 + 48 + 100 * column][2] == 7 for column in range(5))


def test_a_sheet_is_written_by_its_name(tmp_path):
    save(np.zeros((8, 8, 3), np.uint8), tmp_path / "new" / "sheet.png")
    assert (tmp_path / "new" / "sheet.png").stat().st_size
    with pytest.raises(UsageError, match="neither a"):
        save(np.zeros((8, 8, 3), np.uint8), tmp_path / "sheet.gif")
