"""Copying data sets: to a folder, to memory, over a line that fails, and on from where it broke off."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from facesecure.domain.errors import FacesecureError
from facesecure_training.datasets.listing import images_in
from facesecure_training.datasets.location import Location
from facesecure_training.datasets.mirror import MirrorOptions, mirror, options_of

QUICK = MirrorOptions(threads=4, retries=3, pause=0.001)


class Flaky(MemoryFileSystem):
    """A file system whose files fail to open for writing ``failures`` times each, and those of ``refused`` always."""

    protocol = "flaky"
    store: dict = {}  # noqa: RUF012
    pseudo_dirs = [""]  # noqa: RUF012
    failures = 0
    refused: frozenset = frozenset()
    attempts: Counter = Counter()  # noqa: RUF012
    lock = threading.Lock()

    def _open(self, path, mode="rb", **options):
        name = path.rsplit("/", 1)[-1]
        if mode == "wb":
            with self.lock:
                self.attempts[name] += 1
            if name in self.refused or self.attempts[name] <= self.failures:
                raise ConnectionError("the line went dead")
        return super()._open(path, mode, **options)


@pytest.fixture
def flaky():
    """The address of a file system that fails."""
    fsspec.register_implementation("flaky", Flaky, clobber=True)
    Flaky.store.clear()
    Flaky.pseudo_dirs[:] = [""]
    Flaky.failures, Flaky.refused, Flaky.attempts = 0, frozenset(), Counter()
    return Location.at("flaky://faces")


@pytest.fixture
def faces(tmp_path):
    """Thirty small files in two class folders, and hidden files that are not to be copied."""
    root = tmp_path / "faces"
    for number in range(30):
        path = root / ("alice" if number % 2 else "bob") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]) * (100 + number))
    (root / ".extract").mkdir()
    (root / ".extract" / "journal.jsonl").write_text("marks")
    return Location.at(str(root))


def content(place):
    return {name: place.files.cat_file(place.path(name)) for name in place.listed()}


def test_everything_arrives_and_nothing_is_copied_twice(faces, tmp_path):
    target = Location.at(f"file://{tmp_path}/copy")
    first = mirror(faces, target, QUICK)
    assert (first.copied, first.there, first.size) == (30, 0, sum(100 + n for n in range(30)))
    assert content(target) == content(faces)
    assert not (tmp_path / "copy" / ".extract").exists()
    again = mirror(faces, target, QUICK)
    assert (again.copied, again.there) == (0, 30)


def test_it_goes_to_other_file_systems_and_back(faces, tmp_path):
    memory = Location.at("memory://test-mirror/faces")
    assert mirror(faces, memory, QUICK).copied == 30
    back = Location.at(str(tmp_path / "back"))
    assert mirror(memory, back, QUICK).copied == 30
    assert content(back) == content(faces)
    memory.files.rm("/test-mirror", recursive=True)


def test_a_file_that_fails_is_tried_again(faces, flaky):
    Flaky.failures = 3
    assert mirror(faces, flaky, QUICK).copied == 30
    assert set(Flaky.attempts.values()) == {4}
    assert content(flaky) == content(faces)


def test_the_pauses_between_attempts_grow(faces, flaky):
    Flaky.failures = 3
    began = time.monotonic()
    mirror(faces, flaky, MirrorOptions(threads=30, retries=3, pause=0.02))
    assert 0.02 + 0.04 + 0.08 <= time.monotonic() - began < 20


def test_what_fails_for_good_is_named_and_the_next_run_brings_it(faces, flaky, caplog):
    Flaky.refused = frozenset({"3.png", "4.png"})
    with caplog.at_level(logging.WARNING), pytest.raises(FacesecureError, match="2 of 30 files") as caught:
        mirror(faces, flaky, QUICK)
    assert "run the same command again" in caught.value.hint
    assert sorted(record.getMessage() for record in caplog.records) == [
        "alice/3.png: the line went dead", "bob/4.png: the line went dead",
    ]  # fmt: skip
    Flaky.refused = frozenset()
    rest = mirror(faces, flaky, QUICK)
    assert (rest.copied, rest.there) == (2, 28)


def test_a_dead_line_is_given_up(faces, flaky):
    Flaky.failures = 10**9
    with pytest.raises(FacesecureError, match="could not be copied"):
        mirror(faces, flaky, MirrorOptions(threads=2, retries=0))
    assert 20 <= len(Flaky.attempts) <= 26


def test_half_a_file_and_an_older_one_are_copied_again(faces, tmp_path):
    target = Location.at(str(tmp_path / "copy"))
    mirror(faces, target, QUICK)
    (tmp_path / "copy" / "alice" / "1.png").write_bytes(b"half")
    newer = tmp_path / "faces" / "bob" / "2.png"
    newer.write_bytes(b"x" * 102)
    os.utime(newer, (time.time() + 100,) * 2)
    assert mirror(faces, target, QUICK).copied == 2
    assert content(target) == content(faces)


def test_by_checksum_the_same_size_and_time_do_not_deceive(faces, tmp_path):
    target = Location.at(str(tmp_path / "copy"))
    mirror(faces, target, QUICK)
    (tmp_path / "copy" / "bob" / "2.png").write_bytes(b"x" * 102)
    assert mirror(faces, target, QUICK).copied == 0
    assert mirror(faces, target, MirrorOptions(checksum=True)).copied == 1
    assert content(target) == content(faces)


def test_what_the_source_has_not_is_deleted_only_when_asked(faces, tmp_path):
    target = Location.at(str(tmp_path / "copy"))
    mirror(faces, target, QUICK)
    (tmp_path / "copy" / "alice" / "old.png").write_bytes(b"old")
    assert mirror(faces, target, QUICK).deleted == 0
    assert mirror(faces, target, MirrorOptions(delete=True)).deleted == 1
    assert content(target) == content(faces)


@pytest.mark.parametrize(
    "error", [PermissionError("no rights"), FileNotFoundError("no such folder"), EOFError("cut off")]
)
def test_a_folder_that_cannot_be_listed_ends_it_and_deletes_nothing(faces, tmp_path, monkeypatch, error):
    target = Location.at(str(tmp_path / "copy"))
    mirror(faces, target, QUICK)
    ls = LocalFileSystem.ls

    def refusing(files, path, detail=False, **options):
        if path.endswith("faces/alice"):
            raise error
        return ls(files, path, detail, **options)

    monkeypatch.setattr(LocalFileSystem, "ls", refusing)
    with pytest.raises(FacesecureError, match=r"faces(/alice)? cannot be listed"):
        mirror(faces, target, MirrorOptions(delete=True))
    assert len(target.listed()) == 30
    with pytest.raises(FacesecureError, match="/alice cannot be listed"):
        images_in(f"file://{tmp_path}/faces", "alice")


def test_so_many_files_are_under_way_at_once(faces, monkeypatch):
    meeting = threading.Barrier(10, timeout=60)

    class Meeting(MemoryFileSystem):
        protocol = "meeting"
        store: dict = {}  # noqa: RUF012
        pseudo_dirs = [""]  # noqa: RUF012

        def _open(self, path, mode="rb", **options):
            if mode == "wb":
                meeting.wait()  # passes only when ten are here
            return super()._open(path, mode, **options)

    fsspec.register_implementation("meeting", Meeting, clobber=True)
    assert mirror(faces, Location.at("meeting://faces")).copied == 30


def test_addresses_nobody_can_reach_are_told_of_without_secrets(tmp_path, monkeypatch):
    with pytest.raises(FacesecureError, match="not an address that fsspec knows"):
        Location.at("nonsense://me:secret@host/faces")
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(FacesecureError, match="driver that is not installed") as caught:
        Location.at("s3://bucket/faces")
    assert "facesecure[s3]" in caught.value.hint
    with pytest.raises(FacesecureError, match="nothing to copy"):
        mirror(Location.at(str(tmp_path)), Location.at(str(tmp_path / "copy")))


def test_options_for_a_driver_are_words_or_json():
    assert options_of(["anon=true", "token=browser", "n=3"]) == {"anon": True, "token": "browser", "n": 3}
    with pytest.raises(FacesecureError, match="has no value"):
        options_of(["anon"])


SLOW = """
import os, signal, time, fsspec
from fsspec.implementations.local import LocalFileSystem
class Slow(LocalFileSystem):
    protocol, begun = "slow", 0
    def _open(self, path, mode="rb", **options):
        if mode == "wb":
            Slow.begun += 1
            while Slow.begun > 4 and not os.path.exists(os.environ["GO_ON"]):
                time.sleep(0.01)
            time.sleep(0.1)
        return super()._open(path, mode, **options)
def interrupted(*signalled):
    open(os.environ["GO_ON"], "w").close()
    signal.default_int_handler(*signalled)
signal.signal(signal.SIGINT, interrupted)
fsspec.register_implementation("slow", Slow)
from facesecure_training.cli.main import main
main()
"""
"""Copies four files, and the others when Ctrl-C was heard: not before, however late that is."""


def test_after_ctrl_c_the_same_command_goes_on(faces, tmp_path):
    words = ["dataset", "mirror", f"{tmp_path}/faces", f"slow://{tmp_path}/copy", "--threads", "2"]
    environment = {**os.environ, "GO_ON": str(tmp_path / "go-on")}
    command = [sys.executable, "-c", SLOW, *words]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    while len(list(tmp_path.glob("copy/*/*"))) < 4:
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert (running.returncode, said.strip()) == (130, "interrupted; run the same command again to resume")
    assert len(list(tmp_path.glob("copy/*/*"))) < 30
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    assert " 0 were there" not in done.stdout
    assert content(Location.at(f"{tmp_path}/copy")) == content(faces)
