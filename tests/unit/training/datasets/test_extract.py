"""From class folders of films and photos to class folders of faces, with a manifest."""

import errno
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import unicodedata
from pathlib import Path

import cv2
import fsspec
import numpy as np
import pytest
from typer.testing import CliRunner

from facesecure.config import DetectorConfig
from facesecure.domain.errors import FacesecureError, UsageError
from facesecure.services.bulk.pool import ThisProcess
from facesecure.services.bulk.workforce import Workforce
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.images import align
from facesecure.vision.images.align import square_crop
from facesecure.vision.images.photos import read_photo
from facesecure_training.cli.main import app
from facesecure_training.datasets import manifest
from facesecure_training.datasets.crop_folder import crop_folder
from facesecure_training.datasets.cropping import FaceExtractor
from facesecure_training.datasets.extract import extract
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.datasets.location import place_of
from facesecure_training.datasets.settings import CropShape, ExtractionSettings
from facesecure_training.datasets.sources import Recording
from facesecure_training.datasets.worker import Worker, WorkerTask, described
from facesecure_training.datasets.worker import extracted as extracted_by
from support.faces import YUNET_DIR
from support.training.datasets import colour_picture, photo, two_people, walk_film

ALL = ExtractionSettings(stride=2, thin=1.0, min_quality=0.0)


def files(folder: Path) -> dict[str, bytes]:
    """Everything that is no mark, by name."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".extract" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def rgb(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return two_people(tmp_path_factory.mktemp("recordings"))


@pytest.fixture(scope="module")
def extracted(recordings, tmp_path_factory):
    """(output, summary) of an uninterrupted extraction, in this process."""
    output = tmp_path_factory.mktemp("extracted") / "faces"
    return output, extract(recordings, output, ALL)


def test_class_folders_are_kept_and_every_face_is_in_the_manifest(extracted):
    output, summary = extracted
    rows = manifest.read(output)
    assert {row["file"] for row in rows} | {"manifest.parquet"} == set(files(output))
    assert summary.classes == {"eileen": 7, "grace": 12}
    assert (summary.sources, summary.faces, summary.frames, summary.broken) == (5, 19, 19, [])
    deep = [row for row in rows if row["source"] == "grace/deep/tuesday.mp4"]
    assert [(row["file"], row["class"], row["frame"]) for row in deep][1] == (
        "grace/deep/tuesday.mp4-000002-0.png", "grace", 2,
    )  # fmt: skip
    assert [row["time"] for row in deep] == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8])


def test_the_manifest_says_where_a_face_was_and_how_good_it_is(extracted):
    rows = {row["file"]: row for row in manifest.read(extracted[0])}
    film, still = rows["eileen/door.mp4-000010-0.png"], rows["eileen/portrait.jpg-000000-0.png"]
    assert (film["width"], film["height"], film["kind"], film["track"]) == (640, 480, "video", 1)
    assert (still["kind"], still["track"], still["frame"], still["time"]) == ("photo", None, 0, 0.0)
    for row in (film, still):
        xs, ys = row["landmarks"][::2], row["landmarks"][1::2]
        assert row["left"] < min(xs) < max(xs) < row["right"]
        assert row["top"] < min(ys) < max(ys) < row["bottom"]
        assert row["confidence"] > 0.9
        assert 0.5 < row["clarity"] <= 1
        assert row["eye_distance"] == pytest.approx(np.hypot(xs[1] - xs[0], ys[1] - ys[0]), rel=1e-5)


def test_an_aligned_crop_is_the_very_one_the_daemon_makes(recordings, extracted):
    image = read_photo(recordings / "grace" / "portrait.jpg")
    face = build_detector(DetectorConfig()).detect(image)[0]
    kept = rgb(extracted[0] / "grace" / "portrait.jpg-000000-0.png")
    assert np.array_equal(kept, align.crop(image, face.landmarks))


def test_what_was_extracted_can_be_read_and_split_by_video(extracted):
    folder = ClassFolder.read(extracted[0])
    assert set(folder.sources) == {
        "eileen/door.mp4", "eileen/portrait.jpg", "grace/deep/tuesday.mp4", "grace/monday.mp4", "grace/portrait.jpg",
    }  # fmt: skip
    parts = folder.split(0, {"train": 0.5, "test": 0.5})
    assert not set(parts["train"].sources) & set(parts["test"].sources)


def test_doing_it_again_does_nothing_and_changes_nothing(recordings, extracted):
    before = files(extracted[0])
    again = extract(recordings, extracted[0], ALL)
    assert (again.done_before, again.frames, again.faces) == (5, 0, 19)
    assert files(extracted[0]) == before


WHOLE = "from facesecure_training.cli.main import main; main()"
CUT_OFF = f"""
import os, signal
from facesecure_training.datasets.journal import Journal
add = Journal.add
def add_and_interrupt(self, done):
    add(self, done)
    os.killpg(0, signal.SIGINT)
Journal.add = add_and_interrupt
{WHOLE}
"""
"""Ctrl-C after the first source, which a terminal sends to all processes of the group."""


def test_a_run_that_ctrl_c_cut_off_goes_on_and_ends_like_one_that_was_not(recordings, extracted, tmp_path):
    words = [
        "dataset", "extract", "-d", recordings, "-o", tmp_path / "faces",
        "--stride", 2, "--thin", 1, "--min-quality", 0, "--jobs", 1,
    ]  # fmt: skip
    words = [str(word) for word in words]
    journal = tmp_path / "faces" / ".extract" / "journal.jsonl"
    command = [sys.executable, "-c", CUT_OFF, *words]
    cut_off = subprocess.run(command, capture_output=True, text=True, timeout=300, process_group=0)
    assert cut_off.returncode == 130
    assert cut_off.stderr.strip() == "interrupted; run the same command again to resume"
    assert 1 <= len(journal.read_bytes().splitlines()) < 5
    assert not (tmp_path / "faces" / "manifest.parquet").exists()
    resumed = subprocess.run([sys.executable, "-c", WHOLE, *words], capture_output=True, text=True, timeout=300)
    assert resumed.returncode == 0, resumed.stderr
    assert "(0 done before" not in resumed.stdout
    assert files(tmp_path / "faces") == files(extracted[0])


def test_a_line_of_the_journal_that_was_cut_short_is_done_again(recordings, extracted, tmp_path):
    output = tmp_path / "faces"
    extract(recordings, output, ALL)
    journal = output / ".extract" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-100])
    assert extract(recordings, output, ALL).done_before == 4
    assert files(output) == files(extracted[0])


def test_a_broken_video_costs_one_line_and_not_the_run(tmp_path, caplog):
    whole = walk_film(tmp_path / "in" / "grace" / "whole.mp4", "grace_hopper", 4)
    (tmp_path / "in" / "grace" / "torn.mp4").write_bytes(whole.read_bytes()[:3000])
    (tmp_path / "in" / "grace" / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0nothing")
    with caplog.at_level(logging.WARNING):
        summary = extract(tmp_path / "in", tmp_path / "out", ALL)
    assert summary.broken == ["grace/torn.jpg", "grace/torn.mp4"]
    assert summary.classes == {"grace": 2}
    assert sorted(record.getMessage().split(" ")[2].rsplit("/", 1)[1] for record in caplog.records) == [
        "torn.jpg", "torn.mp4",
    ]  # fmt: skip


class Backwards(ThisProcess):
    """This process, which finishes the last item first, as several may."""

    def map(self, work, task, items, chunk=1):
        yield from super().map(work, task, reversed(list(items)), chunk)


def test_what_cannot_be_read_is_named_in_the_order_of_the_sources_whoever_is_done_first(tmp_path, monkeypatch):
    monkeypatch.setattr(Workforce, "pool", lambda *_: Backwards())
    for name in ("a/2.jpg", "a/10.jpg", "b/1.jpg"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"nothing")
    assert extract(tmp_path / "in", tmp_path / "out", ALL).broken == ["a/2.jpg", "a/10.jpg", "b/1.jpg"]


def test_links_that_lead_nowhere_are_left_out_with_a_warning_and_tried_again(tmp_path, caplog):
    photo(tmp_path / "in" / "a" / "1.jpg", "grace_hopper")
    for name, goal in (("lost.jpg", "/nowhere"), ("lost.mp4", "/nowhere"), ("circle.jpg", "circle.jpg")):
        (tmp_path / "in" / "a" / name).symlink_to(goal)
    with caplog.at_level(logging.WARNING):
        found = extract(tmp_path / "in", tmp_path / "out", ALL)
    assert (found.classes, sorted(found.broken)) == ({"a": 1}, ["a/circle.jpg", "a/lost.jpg", "a/lost.mp4"])
    assert f"left out: {tmp_path}/in/a/lost.jpg cannot be read (No such file or directory)" in caplog.messages
    (tmp_path / "in" / "a" / "lost.jpg").unlink()
    photo(tmp_path / "in" / "a" / "lost.jpg", "eileen_collins")
    assert extract(tmp_path / "in", tmp_path / "out", ALL).classes == {"a": 2}


def test_a_list_of_identities_stands_for_class_folders(tmp_path):
    flat = tmp_path / "flat"
    photo(flat / "1.jpg", "grace_hopper")
    photo(flat / "2.jpg", "eileen_collins")
    (tmp_path / "list.txt").write_text("1.jpg 2880\n2.jpg 7\n")
    summary = extract(flat, tmp_path / "faces", ALL, identities=tmp_path / "list.txt")
    assert summary.classes == {"7": 1, "2880": 1}
    assert [row["source"] for row in manifest.read(tmp_path / "faces")] == ["7/2.jpg", "2880/1.jpg"]
    assert extract(flat, tmp_path / "faces", ALL, identities=tmp_path / "list.txt").done_before == 2


def test_the_command_reads_a_list_and_does_not_name_people_without_end(tmp_path):
    lines = [f"{colour_picture(tmp_path / 'flat' / f'{number}.png', number).name} p{number}" for number in range(23)]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    words = ["-d", tmp_path / "flat", "--identities", tmp_path / "list.txt", "-o", tmp_path / "faces", "--jobs", 1]
    done = CliRunner().invoke(app, ["dataset", "extract", *map(str, words)])
    assert done.exit_code == 0, done.output
    assert "0 faces of 23 sources" in done.stdout
    assert "p19: 0\n  and 3 more; see dataset stats" in done.stdout
    assert "p20" not in done.stdout


def test_a_list_that_names_no_images_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "1.txt").touch()
    (tmp_path / "list.txt").write_text("1.txt 7\n")
    with pytest.raises(FacesecureError, match=r"none of the files that .*list.txt lists is a video or photo"):
        extract(tmp_path, tmp_path.parent / "faces-of-nobody", ALL, identities=tmp_path / "list.txt")
    assert not (tmp_path.parent / "faces-of-nobody").exists()


def test_what_is_not_plain_in_a_name_is_escaped_in_the_summary(tmp_path):
    colour_picture(tmp_path / "in" / "new\nline \x1b[2J" / "1.png", 1)
    words = ["-d", tmp_path / "in", "-o", tmp_path / "faces", "--jobs", 1]
    done = CliRunner().invoke(app, ["dataset", "extract", *map(str, words)])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[1:] == ["  new\\nline \\x1b[2J: 0"]
    shown = CliRunner().invoke(app, ["dataset", "stats", "-d", str(tmp_path / "in")]).stdout
    assert shown.splitlines()[1:] == ["  new\\nline \\x1b[2J: 1 of 1 sources"]


SPECIAL = [
    "Screenshot 2026-11-28 at 5.03.21\u202fPM.jpg",
    "no\u00a0break.jpg",
    "\u3000ideographic.jpg",
    "join\u200cer\u200d.jpg",
    "\u200fright to left\u202e.jpg",
    "new\nline.jpg",
]


def test_faces_are_extracted_whatever_spaces_and_marks_are_in_the_names(tmp_path):
    folder = tmp_path / "in" / "Zoë\u202f2"
    for name in SPECIAL:
        photo(folder / name, "grace_hopper")
    summary = extract(tmp_path / "in", tmp_path / "out", ALL)
    assert (summary.broken, summary.classes) == ([], {"Zoë\u202f2": len(SPECIAL)})
    assert {row["source"].split("/")[1] for row in manifest.read(tmp_path / "out")} == set(SPECIAL)
    assert {source.split("/")[1] for source in ClassFolder.read(tmp_path / "out").sources} == set(SPECIAL)
    assert extract(tmp_path / "in", tmp_path / "out", ALL).done_before == len(SPECIAL)


def test_faces_are_extracted_from_files_whose_names_are_not_utf8(tmp_path):
    folder = tmp_path / "in" / os.fsdecode(b"caf\xe9")
    folder.mkdir(parents=True)
    film = walk_film(tmp_path / "film.mp4", "grace_hopper", 4).rename(folder / os.fsdecode(b"film\xff.mp4"))
    film.with_name(os.fsdecode(b"torn\xff.mp4")).write_bytes(film.read_bytes()[:3000])
    photo(tmp_path / "1.jpg", "grace_hopper").rename(folder / os.fsdecode(b"photo\xe9.jpg"))
    summary = extract(tmp_path / "in", tmp_path / "out", ALL)
    assert summary.broken == ["caf\\xe9/torn\\xff.mp4"]
    rows = manifest.read(tmp_path / "out")
    assert {(row["class"], row["source"]) for row in rows} == {
        ("caf\\xe9", "caf\\xe9/film\\xff.mp4"),
        ("caf\\xe9", "caf\\xe9/photo\\xe9.jpg"),
    }
    assert all(rgb(tmp_path / "out" / row["file"]).shape == (112, 112, 3) for row in rows)
    assert extract(tmp_path / "in", tmp_path / "out", ALL).done_before == 2  # the torn one is tried again


def test_a_list_names_files_with_spaces_with_bytes_that_are_not_utf8_and_in_another_form_of_accents(tmp_path):
    flat = tmp_path / "flat"
    names = ["Screen shot at 5\u202fPM.jpg", os.fsdecode(b"caf\xe9.jpg"), unicodedata.normalize("NFD", "Zoë.jpg")]
    flat.mkdir()
    for name in names:
        photo(tmp_path / "1.jpg", "grace_hopper").rename(flat / name)
    listed = os.fsencode("\n".join(f"{unicodedata.normalize('NFC', name)} 7" for name in names))
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbf" + listed)
    summary = extract(flat, tmp_path / "faces", ALL, identities=tmp_path / "list.txt")
    assert (summary.broken, summary.classes) == ([], {"7": 3})


def test_the_faces_of_a_person_whose_folders_encode_accents_otherwise_are_of_one_class(tmp_path):
    for form in ("NFC", "NFD"):
        photo(tmp_path / "in" / unicodedata.normalize(form, "Zoë") / "1.jpg", "grace_hopper")
    assert extract(tmp_path / "in", tmp_path / "out", ALL).classes == {"Zoë": 2}
    folder = ClassFolder.read(tmp_path / "out", classes=[unicodedata.normalize("NFD", "Zoë")])
    assert (folder.classes, len(folder.files)) == (("Zoë",), 2)


def test_an_extraction_takes_a_path_that_only_looks_like_a_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo(tmp_path / "~$in" / "a" / "1.jpg", "grace_hopper")
    assert extract(Path("~$in"), Path("~$out"), ALL).faces == 1
    assert len(ClassFolder.read("~$out")) == 1


@pytest.mark.parametrize("person", ["..", "a/b", "a\0b"])
def test_a_person_no_folder_can_be_called_is_refused(tmp_path, person):
    photo(tmp_path / "flat/1.jpg", "grace_hopper")
    (tmp_path / "list.txt").write_text(f"1.jpg {person}\n")
    with pytest.raises(FacesecureError, match="not a valid folder name"):
        extract(tmp_path / "flat", tmp_path / "faces", ALL, identities=tmp_path / "list.txt")


def test_sources_and_faces_may_be_wherever_fsspec_reaches(recordings, extracted, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    store = fsspec.filesystem("memory")
    store.put(str(recordings), "/films", recursive=True)
    assert extract("memory://films", "memory://found", ALL).sources == 5
    there = {path.removeprefix("/found/"): store.cat_file(path) for path in store.find("/found")}
    wanted = {name: content for name, content in files(extracted[0]).items() if name != "manifest.parquet"}
    assert {name: there[name] for name in wanted} == wanted
    assert there.keys() - wanted.keys() == {"manifest.parquet"}
    assert extract("memory://films", "memory://found", ALL).done_before == 5
    store.rm("/films", recursive=True)
    store.rm("/found", recursive=True)


def test_a_source_that_can_no_longer_be_read_leaves_no_rows(tmp_path):
    photo(tmp_path / "in" / "a" / "1.jpg", "grace_hopper")
    photo(tmp_path / "in" / "a" / "2.jpg", "eileen_collins")
    extract(tmp_path / "in", tmp_path / "out", ALL)
    (tmp_path / "in" / "a" / "1.jpg").write_bytes(b"\xff\xd8\xff\xe0nothing")
    assert extract(tmp_path / "in", tmp_path / "out", ALL).classes == {"a": 1}
    assert [row["source"] for row in manifest.read(tmp_path / "out")] == ["a/2.jpg"]


def test_a_worker_that_lacks_the_folder_ends_the_work_and_leaves_nothing_out(tmp_path):
    task = WorkerTask(ALL, str(tmp_path / "elsewhere"), str(tmp_path / "out"), "run", None, described(ALL))
    with pytest.raises(FacesecureError, match="has no folder") as caught:
        extracted_by(task, Recording("a/1.jpg", tmp_path / "elsewhere" / "a" / "1.jpg", "photo"))
    assert "at the same path" in caught.value.hint


@pytest.mark.parametrize("begun", [None, "another"])
@pytest.mark.parametrize("address", ["", "file://"])
def test_a_worker_that_has_another_output_is_refused_and_writes_nothing(tmp_path, monkeypatch, begun, address):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    picture = photo(tmp_path / "in" / "a" / "1.jpg", "grace_hopper")
    output = tmp_path / "out"
    if begun:
        crop_folder(output).begin_run(begun)
    task = WorkerTask(ALL, str(tmp_path / "in"), f"{address}{output}", "this", None, described(ALL))
    with pytest.raises(FacesecureError, match="does not have the output") as caught:
        extracted_by(task, Recording("a/1.jpg", picture, "photo"))
    assert caught.value.message.startswith(socket.gethostname())
    assert not output.exists() or files(output) == {}


def test_a_worker_whose_output_goes_away_says_so_and_does_not_make_it_anew(tmp_path):
    picture = photo(tmp_path / "in" / "a" / "1.jpg", "grace_hopper")
    output = tmp_path / "out"
    crop_folder(output).begin_run("this")
    worker = Worker(WorkerTask(ALL, str(tmp_path / "in"), str(output), "this", None, described(ALL)))
    assert len(worker.run(Recording("a/1.jpg", picture, "photo")).rows) == 1
    shutil.rmtree(output)
    with pytest.raises(FacesecureError, match="does not have the output"):
        worker.run(Recording("a/1.jpg", picture, "photo"))
    assert not output.exists()


@pytest.mark.parametrize("address", ["{}/out", "memory://ended/out"])
def test_a_worker_whose_run_ends_while_it_works_puts_nothing_into_the_output(tmp_path, monkeypatch, address):
    picture, output = photo(tmp_path / "in" / "a" / "1.jpg", "grace_hopper"), place_of(address.format(tmp_path))
    crops, searched = crop_folder(output), FaceExtractor.extract
    crops.begin_run("this")
    worker = Worker(WorkerTask(ALL, str(tmp_path / "in"), str(output), "this", None, described(ALL)))

    def outlasting(*given):
        crops.end_run()
        yield from searched(*given)

    monkeypatch.setattr(FaceExtractor, "extract", outlasting)
    with pytest.raises(FacesecureError, match="does not have the output"):
        worker.run(Recording("a/1.jpg", picture, "photo"))
    assert crops.count(["a/1.jpg-000000-0.png"]) == 0
    assert not crops.sees_run("this")


def test_a_worker_with_other_networks_is_refused(tmp_path):
    task = WorkerTask(ALL, str(tmp_path), str(tmp_path / "out"), "run", None, "of another version")
    with pytest.raises(FacesecureError, match="has other networks"):
        extracted_by(task, Recording("a/1.jpg", tmp_path / "a" / "1.jpg", "photo"))


def test_a_damaged_index_of_the_journal_is_made_again(recordings, extracted, tmp_path):
    shutil.copytree(extracted[0], tmp_path / "faces")
    (tmp_path / "faces" / ".extract" / "index.db").write_bytes(b"SQLite format 3\x00" + b"nonsense" * 1000)
    assert extract(recordings, tmp_path / "faces", ALL).done_before == 5
    assert files(tmp_path / "faces") == files(extracted[0])


def test_what_changed_is_done_again_and_what_is_new_is_added(tmp_path):
    photo(tmp_path / "in" / "a" / "1.jpg", "grace_hopper")
    photo(tmp_path / "in" / "a" / "2.jpg", "grace_hopper", 0.7)
    extract(tmp_path / "in", tmp_path / "out", ALL)
    before = files(tmp_path / "out")
    photo(tmp_path / "in" / "a" / "2.jpg", "eileen_collins")
    photo(tmp_path / "in" / "b" / "3.jpg", "eileen_collins")
    summary = extract(tmp_path / "in", tmp_path / "out", ALL)
    assert (summary.done_before, summary.classes) == (1, {"a": 2, "b": 1})
    after = files(tmp_path / "out")
    assert after["a/1.jpg-000000-0.png"] == before["a/1.jpg-000000-0.png"]
    assert after["a/2.jpg-000000-0.png"] == after["b/3.jpg-000000-0.png"] != before["a/2.jpg-000000-0.png"]


def test_photos_that_show_the_same_are_thinned_and_come_back_when_their_twin_changes(tmp_path):
    settings = ExtractionSettings(thin=0.95)
    photo(tmp_path / "in" / "a" / "1.jpg", "grace_hopper")
    photo(tmp_path / "in" / "a" / "2.jpg", "grace_hopper", quality=70)
    photo(tmp_path / "in" / "b" / "3.jpg", "grace_hopper")
    assert extract(tmp_path / "in", tmp_path / "out", settings).classes == {"a": 1, "b": 1}
    assert "a/2.jpg-000000-0.png" not in files(tmp_path / "out")
    photo(tmp_path / "in" / "a" / "1.jpg", "eileen_collins")
    assert extract(tmp_path / "in", tmp_path / "out", settings).classes == {"a": 2, "b": 1}
    assert "a/2.jpg-000000-0.png" in files(tmp_path / "out")


def test_photos_of_a_class_on_another_disk_are_thinned_too(tmp_path, monkeypatch):
    for number in (1, 2):
        photo(tmp_path / "in" / "a" / f"{number}.jpg", "grace_hopper")
    rename = Path.replace

    def within_a_disk(path, to):
        if (".extract" in path.parts) != (".extract" in Path(to).parts):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(path, to)

    monkeypatch.setattr(Path, "replace", within_a_disk)
    assert extract(tmp_path / "in", tmp_path / "out", ExtractionSettings(min_quality=0.0)).faces == 1
    assert len(list((tmp_path / "out" / "a").iterdir())) == 1
    (tmp_path / "in" / "a" / "1.jpg").unlink()
    photo(tmp_path / "in" / "a" / "1.jpg", "eileen_collins")
    assert extract(tmp_path / "in", tmp_path / "out", ExtractionSettings(min_quality=0.0)).faces == 2


def test_somebody_who_stands_still_is_kept_once(tmp_path):
    walk_film(tmp_path / "in" / "a" / "still.mp4", "grace_hopper", 10, still=True)
    assert extract(tmp_path / "in", tmp_path / "out", ExtractionSettings(stride=2)).faces == 1


def test_the_limit_draws_by_the_seed(tmp_path):
    walk_film(tmp_path / "in" / "a" / "film.mp4", "grace_hopper", 10)
    draws = [
        set(files(output))
        for output, seed in ((tmp_path / "1", 1), (tmp_path / "2", 1), (tmp_path / "3", 2))
        if extract(tmp_path / "in", output, ExtractionSettings(stride=1, thin=1.0, limit=3, seed=seed))
    ]
    assert draws[0] == draws[1] != draws[2]
    assert len(draws[0]) == 3 + 1


def test_a_loose_crop_is_the_very_one_the_daemon_makes(tmp_path):
    portrait = photo(tmp_path / "in" / "a" / "1.jpg", "grace_hopper")
    extract(tmp_path / "in", tmp_path / "out", ExtractionSettings(shape=CropShape.parse("600x400"), margin=0.5))
    kept = rgb(tmp_path / "out" / "a" / "1.jpg-000000-0.jpg")
    assert kept.shape == (400, 600, 3)
    image = read_photo(portrait)
    whole = square_crop(image, build_detector(DetectorConfig()).detect(image)[0].box, margin=0.5, size=(400, 600))
    assert np.abs(kept.astype(int) - whole).mean() < 2


@pytest.mark.parametrize("kind", ["haar", "yunet"])
def test_other_detectors_find_faces_too(kind, tmp_path):
    if kind == "yunet" and not YUNET_DIR.is_dir():
        pytest.skip(f"needs YuNet in {YUNET_DIR}")
    photo(tmp_path / "in" / "a" / "1.jpg", "grace_hopper")
    settings = ExtractionSettings(detector=kind)
    assert extract(tmp_path / "in", tmp_path / "out", settings, state_dir=YUNET_DIR.parent).faces == 1


def test_a_model_that_is_not_there_is_told_of_at_once(recordings, tmp_path):
    with pytest.raises(FacesecureError, match="YuNet") as caught:
        extract(recordings, tmp_path / "out", ExtractionSettings(detector="yunet"))
    assert "models pull yunet" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_other_settings_need_another_folder_or_a_new_start(tmp_path):
    photo(tmp_path / "in" / "a" / "1.jpg", "grace_hopper")
    extract(tmp_path / "in", tmp_path / "out", ExtractionSettings())
    with pytest.raises(FacesecureError, match=r"min_quality 0\.4 is now 0\.0"):
        extract(tmp_path / "in", tmp_path / "out", ExtractionSettings(min_quality=0.0))
    other = ExtractionSettings(min_quality=0.0, shape=CropShape.parse("square", 96))
    assert extract(tmp_path / "in", tmp_path / "out", other, anew=True).faces == 1
    assert set(files(tmp_path / "out")) == {"a/1.jpg-000000-0.jpg", "manifest.parquet"}


def test_folders_that_would_mix_are_refused(tmp_path):
    photo(tmp_path / "in" / "a" / "1.jpg", "grace_hopper")
    with pytest.raises(UsageError, match="is inside the source"):
        extract(tmp_path / "in", tmp_path / "in" / "faces", ALL)
    for scheme in ("file://", "local://"):
        with pytest.raises(UsageError, match="is inside the source"):
            extract(tmp_path / "in", f"{scheme}{tmp_path}/in/faces", ALL)
    with pytest.raises(UsageError, match="is inside the source"):
        extract("memory://films", "memory:///films/faces", ALL)
    photo(tmp_path / "mine" / "a" / "1.jpg", "grace_hopper")
    with pytest.raises(FacesecureError, match="holds files that were not extracted"):
        extract(tmp_path / "in", tmp_path / "mine", ALL, anew=True)
    with pytest.raises(UsageError, match="there is no folder"):
        extract(tmp_path / "nowhere", tmp_path / "out", ALL)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FacesecureError, match="no sub-folder with videos or photos"):
        extract(tmp_path / "empty", tmp_path / "out", ALL)


@pytest.fixture(scope="module")
def one_photo(tmp_path_factory):
    """A source with a photo, and what was extracted from it."""
    source, output = (tmp_path_factory.mktemp("one") / name for name in ("in", "out"))
    photo(source / "a" / "1.jpg", "grace_hopper")
    extract(source, output, ExtractionSettings())
    return source, output


@pytest.fixture
def from_elsewhere(one_photo, tmp_path):
    """A source, a copy of what was extracted from it, and how to name another file in its journal."""
    source, output = one_photo[0], tmp_path / "out"
    shutil.copytree(one_photo[1], output)

    def claim(file):
        journal = output / ".extract" / "journal.jsonl"
        found = json.loads(journal.read_text())
        found["rows"][0]["file"] = file
        journal.write_text(json.dumps(found) + "\n")
        (output / ".extract" / "index.db").unlink()

    return source, output, claim


@pytest.mark.parametrize(
    ("file", "anew"),
    [
        *(("../profile", anew) for anew in (False, True)),
        *(("/profile", anew) for anew in (False, True)),
        *((name, False) for name in ("a/../../profile", "./x", "", ".extract/profile", "x\0")),
    ],
)
def test_a_journal_that_names_files_elsewhere_is_refused_and_moves_and_deletes_nothing(from_elsewhere, file, anew):
    source, output, claim = from_elsewhere
    for profile in (output.parent / "profile", output / ".extract" / "profile"):
        profile.write_text("mine")
    claim(f"{output.parent}/profile" if file == "/profile" else file)
    (output / ".extract" / "alike").mkdir()
    with pytest.raises(FacesecureError, match="is not one of its faces"):
        extract(source, output, ExtractionSettings(), anew=anew)
    for profile in (output.parent / "profile", output / ".extract" / "profile"):
        assert profile.read_text() == "mine"


def test_links_in_an_extraction_from_elsewhere_lead_nothing_out_of_it(from_elsewhere):
    source, output, claim = from_elsewhere
    other = output.parent / "other"
    other.mkdir()
    (other / "profile").write_text("mine")
    (output / "link").symlink_to(other)
    claim("link/profile")
    with pytest.raises(FacesecureError, match="is a file outside"):
        extract(source, output, ExtractionSettings(), anew=True)
    (output / ".extract" / "alike").symlink_to(other)
    with pytest.raises(FacesecureError, match="is a link, and no file of an extraction"):
        extract(source, output, ExtractionSettings())
    assert [path.name for path in other.iterdir()] == ["profile"]


def test_a_state_folder_that_is_a_link_is_refused_before_anything_is_extracted(one_photo, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".extract").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FacesecureError, match="is a link, and no file of an extraction"):
        extract(one_photo[0], tmp_path / "out", ExtractionSettings())
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("word", ["round", "6x4", "600X400", "600x400x3"])
def test_a_crop_nobody_knows_is_refused(word):
    with pytest.raises(UsageError, match="not known"):
        CropShape.parse(word)


@pytest.mark.parametrize("word", ["00x00", "15x600", "600x2001"])
def test_a_crop_of_no_sensible_size_is_refused(word):
    with pytest.raises(UsageError, match="16 to 2000 pixels"):
        CropShape.parse(word)
