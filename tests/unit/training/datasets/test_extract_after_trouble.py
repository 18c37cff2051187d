"""Extractions after a kill, beside another one, with damaged state, or whose output was emptied."""

import errno
import gc
import json
import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from facesecure.domain.errors import DiskFullError, FacesecureError
from facesecure.services.bulk.workforce import Workforce
from facesecure_training.datasets import manifest, source_index, worker
from facesecure_training.datasets.crop_folder import crop_folder
from facesecure_training.datasets.crop_names import stem_in
from facesecure_training.datasets.extract import extract, faces_before
from facesecure_training.datasets.journal import Journal
from facesecure_training.datasets.settings import CropShape, ExtractionSettings
from facesecure_training.datasets.sources import recordings_in
from support.bulk_work import deadly_to_all
from support.training.datasets import photo

SETTINGS = ExtractionSettings(min_quality=0.0, thin=1.0)
OTHERS = ExtractionSettings(min_quality=0.0, thin=1.0, shape=CropShape.parse("square", 96))
CROPS = ["a/1.jpg-000000-0.png", "b/2.jpg-000000-0.png"]


def files(folder: Path) -> dict[str, bytes]:
    """Everything but the state of the extraction, by name."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".extract" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def state_in(output: Path) -> dict[str, bytes]:
    """The files of the extraction's state, by name."""
    return {path.name: path.read_bytes() for path in (output / ".extract").iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A source with two photos, and what was extracted from it."""
    source, output = (tmp_path_factory.mktemp("whole") / name for name in ("in", "out"))
    photo(source / "a" / "1.jpg", "grace_hopper")
    photo(source / "b" / "2.jpg", "eileen_collins")
    extract(source, output, SETTINGS)
    assert sorted(files(output)) == [*CROPS, "manifest.parquet"]
    return source, output


@pytest.fixture
def copied(whole, tmp_path):
    """Copies of the source and of what was extracted from it."""
    for name, folder in zip(("in", "out"), whole, strict=True):
        shutil.copytree(folder, tmp_path / name)
    return tmp_path / "in", tmp_path / "out"


@pytest.fixture
def interrupted(whole, tmp_path, monkeypatch):
    """A source, and the output of an extraction that was killed when it had put a face in place, not recorded yet."""
    shutil.copytree(whole[0], tmp_path / "in")
    with monkeypatch.context() as killed:
        killed.setattr(Journal, "add", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            extract(tmp_path / "in", tmp_path / "out", SETTINGS)
    assert list(files(tmp_path / "out")) == CROPS[:1]
    return tmp_path / "in", tmp_path / "out"


def test_what_was_left_of_a_manifest_by_a_kill_is_removed(interrupted):
    source, output = interrupted
    left = output / ".extract" / "manifest" / "manifest.parquet"
    left.parent.mkdir()
    left.write_bytes(b"half")
    extract(source, output, SETTINGS)
    assert not left.parent.exists()
    assert [row["file"] for row in manifest.read(output)] == CROPS


def test_what_a_killed_extraction_did_not_record_is_removed_before_it_begins_anew(interrupted):
    source, output = interrupted
    assert extract(source, output, OTHERS, anew=True).faces == 2
    assert sorted(files(output)) == ["a/1.jpg-000000-0.jpg", "b/2.jpg-000000-0.jpg", "manifest.parquet"]
    assert extract(source, output, OTHERS).done_before == 2


def test_a_face_that_was_not_recorded_goes_with_its_source(interrupted, whole):
    source, output = interrupted
    (source / "a" / "1.jpg").unlink()
    for name in ("1.jpg-000000-0.txt", "1.jpg-1-0.png", "21.jpg-000000-0.png"):
        (output / "a" / name).write_bytes(b"mine")
    extract(source, output, SETTINGS)
    assert files(output).keys() == {
        CROPS[1], "manifest.parquet", "a/1.jpg-000000-0.txt", "a/1.jpg-1-0.png", "a/21.jpg-000000-0.png"
    }  # fmt: skip


def test_a_resumed_extraction_ends_like_one_that_was_not_interrupted(interrupted, whole):
    extract(*interrupted, SETTINGS)
    assert files(interrupted[1]) == files(whole[1])


def test_faces_of_a_source_that_changed_and_went_away_are_in_no_manifest(copied, monkeypatch):
    source, output = copied
    photo(source / "a" / "1.jpg", "eileen_collins")
    with monkeypatch.context() as killed:
        killed.setattr("facesecure_training.datasets.extract._work_off", lambda *_: (_ for _ in ()).throw(MemoryError))
        with pytest.raises(MemoryError):
            extract(source, output, SETTINGS)
    (source / "a" / "1.jpg").unlink()
    assert extract(source, output, SETTINGS).faces == 1
    assert files(output).keys() == {CROPS[1], "manifest.parquet"}


def test_files_of_others_in_the_output_stay_when_it_begins_anew(copied):
    (copied[1] / "a" / "mine.png").write_bytes(b"mine")
    assert extract(*copied, OTHERS, anew=True).faces == 2
    assert files(copied[1])["a/mine.png"] == b"mine"


def test_no_empty_folder_of_a_class_that_is_gone_stays_when_it_begins_anew(copied):
    source, output = copied
    for folder in ("c", "a"):
        photo(source / folder / "holidays" / "2025" / "1.jpg", "grace_hopper")
    extract(source, output, SETTINGS)
    shutil.rmtree(source / "c")
    shutil.rmtree(source / "a" / "holidays")
    extract(source, output, SETTINGS, anew=True)
    assert sorted(path.name for path in output.glob("[!.]*")) == ["a", "b", "manifest.parquet"]
    assert [path.name for path in (output / "a").iterdir()] == ["1.jpg-000000-0.png"]


def test_an_extraction_that_runs_is_left_alone(copied):
    output = copied[1]
    with Journal(output / ".extract", str(output)):
        before = files(output), state_in(output)
        for settings, anew in ((SETTINGS, False), (OTHERS, False), (OTHERS, True)):
            with pytest.raises(FacesecureError, match=r"another extraction into .* is running"):
                extract(*copied, settings, anew=anew)
        assert (files(output), state_in(output)) == before


@pytest.mark.parametrize("address", ["", "file://"])
def test_an_output_that_was_emptied_is_extracted_again(whole, tmp_path, monkeypatch, caplog, address):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    output = tmp_path / "out"
    extract(whole[0], f"{address}{output}", SETTINGS)
    for name in ("a", "b"):
        shutil.rmtree(output / name)
    found = extract(whole[0], f"{address}{output}", SETTINGS)
    assert (found.done_before, found.faces) == (0, 2)
    assert "all sources are done again" in caplog.text
    assert {name: files(output)[name] for name in CROPS} == {name: files(whole[1])[name] for name in CROPS}
    (output / CROPS[0]).unlink()  # somebody chose to
    assert extract(whole[0], f"{address}{output}", SETTINGS).done_before == 2
    assert CROPS[0] not in files(output)


def test_the_top_of_a_disk_counts_as_empty(whole, tmp_path):
    (tmp_path / "lost+found").mkdir()
    assert extract(whole[0], tmp_path, SETTINGS).faces == 2
    for name in ("a", "b"):
        shutil.rmtree(tmp_path / name)
    assert extract(whole[0], tmp_path, SETTINGS).done_before == 0


@pytest.mark.parametrize("name", ["manifest.parquet", ".extract"])
def test_a_class_that_would_be_in_the_way_is_refused_at_the_start(whole, tmp_path, name):
    shutil.copy(whole[0] / "a" / "1.jpg", tmp_path / "1.jpg")
    (tmp_path / "list.txt").write_text(f"1.jpg {name}\n")
    with pytest.raises(FacesecureError, match=f"no class can be called {name}"):
        extract(tmp_path, tmp_path.with_name("out"), SETTINGS, identities=tmp_path / "list.txt")
    assert files(tmp_path.with_name("out")) == {}


DAMAGED = [
    b"{",
    b"\0" * 500,
    b"\xff\xfe",
    b"7",
    b"[]",
    b"null",
    b'{"name": "a/1.jpg"}',
    b'{"name": "a/1.jpg", "state": "1 2", "searched": 1, "rows": [], "more": 1}',
    b'{"name": "a/1.jpg", "state": "1 2", "searched": 1, "rows": [7]}',
    b'{"name": "a/1.jpg", "state": "1 2", "searched": 1, "rows": [{}]}',
    b'{"name": "a/1.jpg", "state": "1 2", "searched": 1, "rows": null}',
    b'{"name": 7, "state": "1 2", "searched": 1, "rows": []}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("damage", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_line_of_the_journal_is_named_and_a_new_start_helps(copied, damage):
    journal = copied[1] / ".extract" / "journal.jsonl"
    first, second = journal.read_bytes().splitlines()
    journal.write_bytes(b"\n".join([first, damage, second, b""]))
    (copied[1] / ".extract" / "index.db").unlink()
    with pytest.raises(FacesecureError, match=r"line 2 of .*journal\.jsonl is damaged") as caught:
        extract(*copied, SETTINGS)
    assert "--anew" in caught.value.hint
    assert faces_before(copied[1]) == 3


@pytest.mark.parametrize(
    ("text", "instead"),
    [(b'"thumb"', b'"thump"'), (b'"thumb":"', b'"thumb":"?'), (b'"landmarks":[', b'"landmarks":[7,')],
)
def test_a_line_of_the_journal_that_no_manifest_can_be_written_from_is_damaged(copied, text, instead):
    journal = copied[1] / ".extract" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(text, instead))
    (copied[1] / ".extract" / "index.db").unlink()
    with pytest.raises(FacesecureError, match=r"line 1 of .*journal\.jsonl is damaged"):
        extract(*copied, SETTINGS)


def test_a_new_start_after_damage_removes_the_faces_of_lines_that_cannot_be_read(copied):
    journal = copied[1] / ".extract" / "journal.jsonl"
    journal.write_bytes(b"\0" * 500 + b"\n" + journal.read_bytes().splitlines()[1] + b"\n")
    assert extract(*copied, OTHERS, anew=True).faces == 2
    assert sorted(files(copied[1])) == ["a/1.jpg-000000-0.jpg", "b/2.jpg-000000-0.jpg", "manifest.parquet"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\0\0", b"\xff", None])
def test_damaged_settings_are_named_and_a_new_start_helps(copied, content, whole):
    settings = copied[1] / ".extract" / "settings.json"
    settings.unlink()
    if content is not None:
        settings.write_bytes(content)
    with pytest.raises(FacesecureError, match=r"settings\.json is missing or damaged") as caught:
        extract(*copied, SETTINGS)
    assert "--anew" in caught.value.hint
    extract(*copied, SETTINGS, anew=True)
    assert files(copied[1]) == files(whole[1])


def test_a_removal_that_was_interrupted_must_be_done_again(copied, monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr(Journal, "begin_anew", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            extract(*copied, SETTINGS, anew=True)
    with pytest.raises(FacesecureError, match="is missing or damaged"):
        extract(*copied, SETTINGS)
    assert extract(*copied, SETTINGS, anew=True).faces == 2


def test_whichever_page_of_the_index_is_damaged_the_result_is_the_same(copied, whole):
    index = copied[1] / ".extract" / "index.db"
    content = index.read_bytes()
    for start in range(0, len(content), 4096):
        damaged = bytearray(content)
        damaged[start + 100 : start + 4096] = b"\xa5\x5a\x01" * 1332
        index.write_bytes(damaged)
        assert extract(*copied, SETTINGS).faces == 2
        assert files(copied[1]) == files(whole[1])


@pytest.mark.parametrize("change", ["ALTER TABLE done RENAME place TO p", "UPDATE read SET until = 7"])
def test_an_index_that_does_not_fit_is_made_again(copied, change):
    with sqlite3.connect(copied[1] / ".extract" / "index.db") as rows:
        rows.execute(change)
    rows.close()
    assert extract(*copied, SETTINGS).done_before == 2


def test_an_index_that_leads_to_the_wrong_line_is_made_again_the_next_time(copied):
    with sqlite3.connect(copied[1] / ".extract" / "index.db") as rows:
        rows.execute("UPDATE done SET place = 3")
    rows.close()
    with pytest.raises(FacesecureError, match=r"the index in .* cannot be used") as caught:
        extract(*copied, SETTINGS)
    assert "run the same command again" in caught.value.hint
    assert extract(*copied, SETTINGS).done_before == 2


def test_what_was_begun_is_kept_small_and_names_nothing_elsewhere(tmp_path):
    with Journal(tmp_path, "out") as journal:
        for number in range(500):
            journal.begun.add(f"a/{number}.jpg")
            if number > 1:
                journal.begun.finish(f"a/{number}.jpg")
    path = tmp_path / "begun.jsonl"
    assert len(path.read_bytes().splitlines()) < 100
    with path.open("a") as file:
        file.write('"../x.jpg"\n"/x.jpg"\n7\n"a/cut')
    with Journal(tmp_path, "out") as journal:
        assert set(journal.begun) >= {"a/0.jpg", "a/1.jpg"}
        assert all(name.startswith("a/") for name in journal.begun)


@pytest.fixture
def long_names(tmp_path):
    """A source whose photos and folders have the longest names that a file system takes."""
    names = ["x" * 251, "ä" * 125 + "x", os.fsdecode(b"\xff" * 251), "y" * 235]
    folder = tmp_path / "in" / os.fsdecode(b"\xfe" * 100) / "z"
    for name in names:
        photo(tmp_path / "1.jpg", "grace_hopper").rename(made(folder) / f"{name}.jpg")
    return tmp_path / "in"


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_faces_of_files_with_the_longest_names_are_extracted_and_called_after_them(long_names, tmp_path):
    found = extract(long_names, tmp_path / "out", SETTINGS)
    assert (found.faces, found.broken) == (4, [])
    rows = manifest.read(tmp_path / "out")
    assert {row["file"] for row in rows} | {"manifest.parquet"} == files(tmp_path / "out").keys()
    assert {row["source"] for row in rows} == {one.name for one in recordings_in(long_names)}
    (short,) = (row["file"] for row in rows if "/y" in row["file"])
    assert short.endswith(f"/z/{'y' * 235}.jpg-000000-0.png")
    assert extract(long_names, tmp_path / "out", SETTINGS).done_before == 4
    assert extract(long_names, tmp_path / "out", OTHERS, anew=True).faces == 4
    assert len(files(tmp_path / "out")) == 5


def test_a_file_for_whose_face_the_path_is_too_long_is_left_out(copied, monkeypatch, caplog):
    real = worker.write_image

    def write(path, image):
        if path.name.startswith("1.jpg"):
            raise OSError(errno.ENAMETOOLONG, "File name too long")
        real(path, image)

    monkeypatch.setattr(worker, "write_image", write)
    found = extract(*copied, OTHERS, anew=True)
    assert (found.faces, found.broken) == (1, ["a/1.jpg"])
    assert "left out: a/1.jpg: its name is too long for the file system of the output" in caplog.messages


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("place", ["worker.write_image", "local_crops.LocalCrops.put", "manifest.write"])
def test_a_full_disk_is_told_of_and_the_same_command_does_the_rest(whole, tmp_path, monkeypatch, place):
    output = tmp_path / "out"
    with monkeypatch.context() as scarce:
        scarce.setattr(f"facesecure_training.datasets.{place}", full)
        with pytest.raises(DiskFullError, match=f"the disk of {output}.*is full") as caught:
            extract(whole[0], output, SETTINGS)
    assert caught.value.hint == "make room and run the same command again"
    extract(whole[0], output, SETTINGS)
    assert files(output) == files(whole[1])


def test_a_manifest_that_a_full_disk_cuts_short_leaves_nothing_that_python_complains_of(whole, tmp_path, monkeypatch):
    def write(_folder, rows, _settings):
        next(rows)
        full()

    monkeypatch.setattr(manifest, "write", write)
    with pytest.raises(DiskFullError):
        extract(whole[0], tmp_path / "out", SETTINGS)
    gc.collect()  # pytest fails the test for what a generator raises then


def test_a_full_disk_of_the_journal_is_told_of_although_the_index_cannot_be_saved(whole, tmp_path, monkeypatch):
    def add(journal, _):
        journal.index.save = no_more
        full()

    def no_more(_):
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as scarce:
        scarce.setattr(Journal, "add", add)
        with pytest.raises(DiskFullError):
            extract(whole[0], tmp_path / "out", SETTINGS)
    assert extract(whole[0], tmp_path / "out", SETTINGS).faces == 2


def test_a_full_disk_of_the_index_is_told_of(whole, tmp_path, monkeypatch):
    tables = f"{source_index._TABLES} PRAGMA max_page_count = 6;"
    many = (replace(next(recordings_in(whole[0])), name=f"a/{number:0200}.jpg") for number in range(100))
    with monkeypatch.context() as scarce:
        scarce.setattr(source_index, "_TABLES", tables)
        scarce.setattr("facesecure_training.datasets.extract.recordings_in", lambda *_: many)
        with pytest.raises(DiskFullError, match="the disk of"):
            extract(whole[0], tmp_path / "out", SETTINGS)
    assert extract(whole[0], tmp_path / "out", SETTINGS).faces == 2


@pytest.mark.slow
def test_a_file_that_kills_its_process_is_left_out_also_if_it_is_the_only_one(copied, monkeypatch):
    pytest.importorskip("distributed", reason="needs the [cluster] extra")
    photo(copied[0] / "a" / "1.jpg", "eileen_collins")
    monkeypatch.setattr("facesecure_training.datasets.extract.extracted", deadly_to_all)
    found = extract(*copied, SETTINGS, workforce=Workforce(2))
    assert (found.done_before, found.faces, found.broken) == (1, 1, ["a/1.jpg"])


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a/1.jpg-000000-0.png", "a/1.jpg"),
        ("a/x.mp4-1234567-12.jpg", "a/x.mp4"),
        ("a/new\nline.mp4-000001-0.png", "a/new\nline.mp4"),
        ("a/1.jpg-00000-0.png", None),
        ("a/1.jpg-000000-0.bmp", None),
        ("a/1.jpg", None),
    ],
)
def test_a_crop_is_known_by_its_name(name, stem):
    assert stem_in(name) == stem


def test_crops_are_found_for_their_sources_alone(copied):
    crops = crop_folder(copied[1])
    assert list(crops.crops_of(["a/1.jpg", "a/2.jpg", "b/2.jp", "c/3.jpg"])) == [[CROPS[0]], [], []]
    assert json.loads((copied[1] / ".extract" / "journal.jsonl").read_text().splitlines()[0])["name"] == "a/1.jpg"
