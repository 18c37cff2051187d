"""Whatever is put in, it is answered by a clear error that says what to do; no traceback, nothing lost or half made."""

import os
import shutil
import signal
import sqlite3
import struct
import time
from contextlib import closing

import cv2
import numpy as np
import pytest

from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.camera.synthetic.portraits import GRACE_HOPPER
from facesecure.camera.synthetic.video_writer import VideoWriter
from support.service.commandline import CommandLine, own_settings, started, write_picture
from support.store import run_python


@pytest.fixture
def facesecure(tmp_path, monkeypatch, capfd):
    return CommandLine(own_settings(tmp_path, monkeypatch), capfd)


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    folder = tmp_path_factory.mktemp("album")
    for number, image in enumerate(enrolment_images(6)):
        write_picture(folder / f"{number}.png", image)
    return folder


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory, album):
    """A state directory in which Grace is enrolled."""
    state = tmp_path_factory.mktemp("enrolled") / "state"
    with started("enroll", "Grace", "--images", album, state=state) as process:
        out, error = process.communicate(timeout=60)
        assert process.returncode == 0, out + error
    return state


@pytest.fixture
def household(facesecure, enrolled):
    """Grace is enrolled; and whatever happens, she stays so."""
    shutil.copytree(enrolled, facesecure.state)
    before = facesecure.people()
    assert list(before) == ["Grace"]
    yield facesecure
    assert facesecure.people() == before


def refused(outcome, *said, code=1):
    """The command failed with an error that says all of ``said``, and a hint."""
    assert outcome.code == code, outcome.err
    assert outcome.out == ""
    error = outcome.err[outcome.err.index("error: ") :]
    for words in said:
        assert words in error
    assert "hint: " in error
    return True


# Sources ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("foo:bar", "no kind of source"),
        ("rtps://user:geheim@door/1", "did you mean rtsp"),
        ("http://door/stream", "no kind of source"),
        ("rtsp://", "names no host"),
        ("rtsp://user:geheim@door:port/1", "not a stream's address"),
        ("picamera2:front", "names no camera"),
        ("v4l2:/dev/video99", "no camera at /dev/video99"),
        ("v4l2:/dev/null", "/dev/null"),
        ("file:nowhere.mp4", "nowhere.mp4"),
        ("dir:nowhere/", "nowhere"),
        ("file:.", "is a folder"),
        ("", "no source is given"),
    ],
)
def test_a_wrong_address_is_refused_by_run_with_what_to_write_instead(household, uri, said):
    outcome = household("run", "--source", uri, "--exit-at-end")
    assert refused(outcome, said)
    assert "geheim" not in outcome.err


def test_a_wrong_address_is_refused_by_enroll_too(household):
    assert refused(household("enroll", "Eve", "--camera", "v4l2:/dev/video99"), "/dev/video99")
    assert refused(household("enroll", "Eve", "--video", "nowhere.mp4"), "nowhere.mp4")


@pytest.fixture
def film(tmp_path):
    """A second of Grace in a format that can be read without its end."""
    path = tmp_path / "film.mp4"
    with VideoWriter(path, (640, 640), 8.0, crf=18, preset="ultrafast") as writer:
        for _ in range(2):
            for image in enrolment_images(6):
                writer.write(image)
    return path


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.9])
def test_a_truncated_video_is_told_and_enrols_nobody(household, film, kept):
    content = film.read_bytes()
    film.write_bytes(content[: kept if kept >= 1 else int(kept * len(content))])
    assert refused(household("run", "--source", f"file:{film}", "--exit-at-end"), "film.mp4")
    assert refused(household("enroll", "Eve", "--video", film), "film.mp4")


def test_a_text_file_named_mp4_is_told(household, tmp_path):
    (tmp_path / "text.mp4").write_text("not a film\n" * 1000)
    assert refused(household("run", "--source", f"file:{tmp_path / 'text.mp4'}", "--exit-at-end"), "not a video")


# Pictures ---------------------------------------------------------------------------------------------------------


def test_a_text_file_named_jpg_is_told_and_enrols_nobody(household, tmp_path):
    fake = tmp_path / "fake.jpg"
    fake.write_text("text")
    assert household("identify", fake).code == 1
    outcome = household("enroll", "Eve", "--images", fake)
    assert outcome.code == 1
    assert "not an image, whatever its name says" in outcome.out


@pytest.mark.parametrize("size", [(1, 1), (1, 5000)])
def test_a_picture_of_hardly_any_pixels_is_told(household, tmp_path, size):
    picture = write_picture(tmp_path / "tiny.png", np.zeros((*size, 3), np.uint8))
    outcome = household("identify", picture, "--json")
    assert outcome.code == 1
    assert "pixels" in outcome.json["images"][0]["error"]


def test_a_hundred_megapixels_are_read_as_jpeg_and_refused_as_png_before_memory_runs_out(household, tmp_path):
    jpeg = tmp_path / "huge.jpg"
    assert cv2.imwrite(str(jpeg), np.full((10000, 10000), 90, np.uint8))
    header = struct.pack(">IIBBBBB", 10000, 10000, 8, 2, 0, 0, 0)
    png = tmp_path / "huge.png"
    png.write_bytes(
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", bytes(5000)) + _chunk(b"IEND", b"")
    )
    outcome = household("identify", jpeg, png, "--json")
    assert outcome.code == 1
    read, told = outcome.json["images"]
    assert (read["error"], read["faces"]) == (None, [])
    assert "too many" in told["error"]


def _chunk(kind, data):
    import zlib

    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def rgba(image):
    return np.dstack([cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.full(image.shape[:2], 255, np.uint8)])


KINDS = {
    "grey": lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2GRAY),
    "RGBA": rgba,
    "16-bit": lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2BGR).astype(np.uint16) * 257,
    "16-bit grey": lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257,
    "16-bit RGBA": lambda image: rgba(image).astype(np.uint16) * 257,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_another_kind_shows_the_same_person(household, tmp_path, kind):
    picture = tmp_path / "grace.png"
    assert cv2.imwrite(str(picture), KINDS[kind](GRACE_HOPPER.image()))
    (face,) = household("identify", picture, "--json").json["images"][0]["faces"]
    assert (face["verdict"], face["name"]) == ("known", "Grace")


@pytest.mark.parametrize(("orientation", "turns"), [(3, 2), (6, 1), (8, 3)])
def test_a_picture_turned_by_its_exif_data_is_put_upright(household, tmp_path, orientation, turns):
    lying = np.ascontiguousarray(np.rot90(GRACE_HOPPER.image(), turns))
    picture = write_picture(tmp_path / "grace.jpg", lying, cv2.IMWRITE_JPEG_QUALITY, 95)
    tag = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">H", orientation) + bytes(6)
    content = picture.read_bytes()
    picture.write_bytes(content[:2] + b"\xff\xe1" + struct.pack(">H", len(tag) + 2) + tag + content[2:])
    (face,) = household("identify", picture, "--json").json["images"][0]["faces"]
    assert (face["verdict"], face["name"]) == ("known", "Grace")


# Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["a/b", "../etc", "a\\b", "..", "", "   ", "a\nb", "x" * 65, "\u202egnp.exe", "\udcff"]
)
def test_a_name_that_could_do_harm_is_refused(household, album, name):
    assert refused(household("enroll", "--images", album, "--", name), "cannot be a person's name", code=2)
    assert refused(household("people", "rename", "--", "Grace", name), "cannot be a person's name", code=2)


@pytest.mark.parametrize("name", ["Zoë 🦊", "Nguyễn Văn An", "O'Brien; DROP TABLE people", "李雷", "[bold]x"])
def test_a_name_with_an_emoji_or_any_letters_is_anybodys(facesecure, album, name):
    assert facesecure("enroll", name, "--images", album).code == 0
    assert list(facesecure.people()) == [name]
    assert name in facesecure("people", "list").out
    assert facesecure("people", "remove", name, "--yes").code == 0


# State ------------------------------------------------------------------------------------------------------------

_MAIN = "import sys; from facesecure.cli.main import main; sys.exit(main(sys.argv[1:]))"


@pytest.mark.parametrize(
    "command", ["people list", "enroll Eve --images ALBUM", "identify ALBUM", "run --source dir:ALBUM"]
)
def test_a_read_only_state_directory_is_told(tmp_path, album, command):
    state = tmp_path / "state"
    state.mkdir()
    mount = f"mount --bind {state} {state} && mount -o remount,ro,bind {state}"
    words = command.replace("ALBUM", str(album)).split()
    done = run_python(_MAIN, "--state-dir", state, *words, mount=mount)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2].startswith("error: cannot"), done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
    assert list(state.iterdir()) == []


def test_a_state_directory_that_is_a_file_is_told(facesecure, tmp_path):
    (tmp_path / "file").write_text("mine")
    assert refused(facesecure("--state-dir", tmp_path / "file", "people", "list"), "cannot use")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    "command", ["people list", "events list", "enroll Eve --images ALBUM", "run --source dir:ALBUM"]
)
def test_a_database_of_a_newer_version_is_told_and_not_touched(facesecure, album, command):
    facesecure.people()  # makes the database
    database = facesecure.state / "facesecure.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = database.read_bytes()
    outcome = facesecure(*command.replace("ALBUM", str(album)).split())
    assert refused(outcome, "newer facesecure")
    assert "upgrade" in outcome.err
    assert database.read_bytes() == before


# Ctrl-C -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.3, 0.6, 1.0])
def test_control_c_at_any_point_of_an_enrolment_enrols_nobody_or_everything(tmp_path, album, seconds):
    state = tmp_path / "state"
    with started("enroll", "Grace", "--images", *[album] * 8, state=state) as process:
        _interrupt(process, seconds)
        assert process.returncode in (130, 0)
    with started("people", "show", "Grace", "--json", state=state) as process:
        process.communicate(timeout=30)
        assert process.returncode in (0, 2)  # whole, or not there at all


@pytest.mark.parametrize("seconds", [0.05, 0.4, 1.3])
@pytest.mark.parametrize("command", ["run --source dir:ALBUM", "demo --out OUT"])
def test_control_c_ends_any_command_with_130_and_one_word(tmp_path, album, command, seconds):
    words = command.replace("ALBUM", str(album)).replace("OUT", str(tmp_path / "out")).split()
    with started(*words, state=tmp_path / "state") as process:
        error = _interrupt(process, seconds)
        assert process.returncode == 130
        assert error.splitlines()[-1] == "interrupted"


def _interrupt(process, seconds):
    """Ctrl-C after ``seconds``; returns what stood on stderr."""
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGINT)
    out, error = process.communicate(timeout=30)
    assert "Traceback" not in out + error
    return error
