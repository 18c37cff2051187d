"""Lists of pairs and folders of people."""

import unicodedata
from pathlib import Path

import pytest

from facesecure.domain.errors import UsageError
from facesecure_training.common.embeddings import NamedPair, photo_path, photos_by_person, read_pairs
from facesecure_training.datasets import pairs


def written(folder: Path, text: str) -> Path:
    path = folder / "pairs.csv"
    path.write_text(text)
    return path


def test_pairs_are_read_in_order(tmp_path):
    path = written(tmp_path, "first,second,same\nA_0001,A_0002,1\nA_0001,B_0001,0\n")
    assert read_pairs(path) == [NamedPair("A_0001", "A_0002", True), NamedPair("A_0001", "B_0001", False)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_pairs_and_identities_are_read_as_a_spreadsheet_saves_them(tmp_path, encoding):
    path = tmp_path / "pairs.csv"
    path.write_bytes("first,second,same\r\nZoë_0001,A_0002,1\r\n".encode(encoding))
    assert read_pairs(path) == [NamedPair("Zoë_0001", "A_0002", True)]
    (tmp_path / "identities.csv").write_bytes("image,identity\r\n1.jpg,Zoë\r\n".encode(encoding))
    assert list(photos_by_person(tmp_path / "images")) == ["Zoë"]


@pytest.mark.parametrize("name", ["pairs.csv", "pairs.parquet"])
def test_pairs_are_read_as_dataset_pairs_writes_them(tmp_path, name):
    pytest.importorskip("pyarrow", reason="needs the [training] extra")
    images = tmp_path / "images"
    listed = [
        pairs.Pair(images / "ann/1.jpg", images / "ann/2.jpg", 0),
        pairs.Pair(images / "ann/1.jpg", images / "b.png", 1),
    ]
    pairs.write(tmp_path / name, listed, images)
    assert read_pairs(tmp_path / name) == [
        NamedPair("ann/1.jpg", "ann/2.jpg", True),
        NamedPair("ann/1.jpg", "b.png", False),
    ]
    assert len(read_pairs(tmp_path / name, limit=1)) == 1


def test_a_damaged_or_missing_parquet_file_is_wrong_usage(tmp_path):
    pytest.importorskip("pyarrow", reason="needs the [training] extra")
    damaged = tmp_path / "pairs.parquet"
    damaged.write_bytes(b"PAR1 and no more")
    for path in (damaged, tmp_path / "none.parquet"):
        with pytest.raises(UsageError, match=path.name):
            read_pairs(path)


def test_a_limit_takes_pairs_from_all_over_the_list(tmp_path):
    rows = "".join(f"A_{number:04},B_{number:04},{number % 2}\n" for number in range(1000))
    found = read_pairs(written(tmp_path, "first,second,same\n" + rows), limit=100)
    assert len(found) == 100
    assert found[-1].first == "A_0990"


def test_a_limit_above_what_there_is_takes_everything(tmp_path):
    assert len(read_pairs(written(tmp_path, "first,second,same\nA_0001,A_0002,1\n"), limit=100)) == 1


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "first,second,same\nA,B,perhaps\n", "first,second,same\n", "first,second,same\nA,B\n"]
)
def test_a_file_that_is_no_list_of_pairs_is_wrong_usage(tmp_path, text):
    with pytest.raises(UsageError, match=r"pairs\.csv"):
        read_pairs(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,b\n1,2\n", "there is no column first"),
        ("first,second\nA,B\n", "there is no column same or different"),
        ("first,second,same\nA,B,1\nA,C,7\n", "line 3: same is '7', neither 1 nor 0"),
        ("first,second,different\nA,B,perhaps\n", "line 2: different is 'perhaps', neither 1 nor 0"),
        ("first,second,same\n\nA,B\n", "line 3 has no same"),
        ("first,second,same\nA,,1\n", "line 2 has no second"),
    ],
)
def test_a_broken_list_of_pairs_is_told_its_line_and_column(tmp_path, text, why):
    with pytest.raises(UsageError) as caught:
        read_pairs(written(tmp_path, text))
    assert f"({why})" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("image,person\n1.jpg,ann\n", "there is no column identity"),
        ("image,identity\n1.jpg,ann\n2.jpg\n", "line 3 has no identity"),
        ("image,identity\n1.jpg,\n", "line 2 has no identity"),
        ("image,identity\n,ann\n", "line 2 has no image"),
    ],
)
def test_a_broken_list_of_identities_is_told_its_line_and_column(tmp_path, text, why):
    (tmp_path / "identities.csv").write_text(text)
    with pytest.raises(UsageError) as caught:
        photos_by_person(tmp_path / "images")
    assert f"({why})" in str(caught.value)


def test_photos_lie_in_their_persons_folder(tmp_path):
    assert photo_path(tmp_path, "Jean_Luc_0012") == tmp_path / "Jean_Luc" / "Jean_Luc_0012.jpg"


def test_photos_of_any_ending_are_found(tmp_path):
    for name in ("Ann_0001.PNG", "Ann_0002.heic", "Ann_0003.jpeg", "._Ann_0004.jpg", "notes.txt"):
        (tmp_path / "Ann").mkdir(exist_ok=True)
        (tmp_path / "Ann" / name).touch()
    assert [photo.name for photo in photos_by_person(tmp_path)["Ann"]] == [
        "Ann_0001.PNG", "Ann_0002.heic", "Ann_0003.jpeg",
    ]  # fmt: skip
    assert photo_path(tmp_path, "Ann_0003") == tmp_path / "Ann" / "Ann_0003.jpeg"


def test_a_person_whose_folders_encode_accents_otherwise_is_one(tmp_path):
    for form, name in (("NFC", "1.jpg"), ("NFD", "2.jpg")):
        folder = tmp_path / unicodedata.normalize(form, "Zoë")
        folder.mkdir()
        (folder / name).touch()
    assert {name: len(photos) for name, photos in photos_by_person(tmp_path).items()} == {"Zoë": 2}


def test_people_without_photos_do_not_count(tmp_path):
    (tmp_path / "nobody").mkdir()
    with pytest.raises(UsageError, match="no photos"):
        photos_by_person(tmp_path)
    (tmp_path / "Ann").mkdir()
    (tmp_path / "Ann" / "Ann_0001.jpg").touch()
    assert list(photos_by_person(tmp_path)) == ["Ann"]
