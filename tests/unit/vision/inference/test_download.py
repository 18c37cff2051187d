"""Fetching a pinned file from a server that does everything wrong that servers do."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.domain.errors import DownloadError
from facesecure.vision.inference.download import RemoteFile, fetch
from support.http import FileServer, refused_url, serving
from support.store import run_python

CONTENT = bytes(range(256)) * 1500


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with serving(CONTENT, monkeypatch, tmp_path_factory.mktemp("authority")) as running:
        yield running


@pytest.fixture
def remote(server: FileServer) -> RemoteFile:
    return RemoteFile(f"{server.url}/model.onnx", "model.onnx", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def part_of(folder: Path) -> Path:
    return folder / "model.onnx.part"


def failure(remote: RemoteFile, into: Path, timeout: float = 5.0) -> DownloadError:
    with pytest.raises(DownloadError) as caught:
        fetch(remote, into, timeout=timeout)
    assert caught.value.hint, "a failure says what to do"
    assert not (into / remote.name).exists(), "what is not verified never gets the name"
    return caught.value


def test_a_file_is_fetched_verified_and_named(remote: RemoteFile, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "models"
    steps: list[tuple[int, int]] = []
    path = fetch(remote, folder, lambda done, total: steps.append((done, total)))
    assert path == folder / "model.onnx"
    assert path.read_bytes() == CONTENT
    assert list(folder.iterdir()) == [path]
    assert steps == sorted(steps)
    assert steps[-1] == (len(CONTENT), len(CONTENT))


def test_a_file_that_is_there_and_right_is_not_fetched_again(
    remote: RemoteFile, server: FileServer, tmp_path: Path
) -> None:
    for _ in range(2):
        fetch(remote, tmp_path)
    assert len(server.ranges) == 1


def test_a_damaged_file_is_replaced_only_by_a_right_one(remote: RemoteFile, server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"old")
    server.status = 503
    with pytest.raises(DownloadError):
        fetch(remote, tmp_path)
    assert (tmp_path / "model.onnx").read_bytes() == b"old"
    server.status = 200
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("states_length", [True, False])
def test_a_cut_connection_is_told_and_the_next_run_resumes(
    remote: RemoteFile, server: FileServer, tmp_path: Path, states_length: bool
) -> None:
    server.cut_after, server.states_length = 100_000, states_length
    error = failure(remote, tmp_path)
    assert "interrupted" in error.message
    assert error.hint == "run it again to resume"
    kept = part_of(tmp_path).stat().st_size
    assert 0 < kept <= 100_000
    server.cut_after = None
    assert fetch(remote, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={kept}-"]


def test_a_server_that_cannot_resume_starts_over(remote: RemoteFile, server: FileServer, tmp_path: Path) -> None:
    part_of(tmp_path).write_bytes(CONTENT[:1000])
    server.resumes = False
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


def test_a_server_that_resumes_elsewhere_is_not_believed(
    remote: RemoteFile, server: FileServer, tmp_path: Path
) -> None:
    part_of(tmp_path).write_bytes(CONTENT[:1000])
    server.resumes_at_offset, server.states_length = 7, False
    assert "wrong place" in failure(remote, tmp_path).message
    server.resumes_at_offset = 0
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


def test_a_wrong_hash_is_told_with_both_and_nothing_is_kept(
    remote: RemoteFile, server: FileServer, tmp_path: Path
) -> None:
    server.content = CONTENT[:-1] + b"!"
    error = failure(remote, tmp_path)
    assert remote.sha256 in error.message
    assert hashlib.sha256(server.content).hexdigest() in error.message
    assert list(tmp_path.iterdir()) == []


def test_a_spoilt_beginning_is_thrown_away_and_fetched_anew(remote: RemoteFile, tmp_path: Path) -> None:
    part_of(tmp_path).write_bytes(b"?" * 1000)
    assert "SHA-256" in failure(remote, tmp_path).message
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


def test_all_bytes_there_but_not_named_yet_need_no_network(
    remote: RemoteFile, server: FileServer, tmp_path: Path
) -> None:
    part_of(tmp_path).write_bytes(CONTENT)
    assert fetch(remote, tmp_path).read_bytes() == CONTENT
    assert server.ranges == []


def test_a_part_that_is_too_long_is_started_over(remote: RemoteFile, tmp_path: Path) -> None:
    part_of(tmp_path).write_bytes(CONTENT + b"more")
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


def test_a_page_instead_of_the_file_is_refused_before_it_is_read(
    remote: RemoteFile, server: FileServer, tmp_path: Path
) -> None:
    server.content = b"<html>Please log in to this hotel's network</html>"
    assert "has 50 bytes" in failure(remote, tmp_path).message
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_never_stops_is_stopped(remote: RemoteFile, server: FileServer, tmp_path: Path) -> None:
    server.content, server.states_length = CONTENT * 20, False
    assert "sends more" in failure(remote, tmp_path).message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("status", "words"), [(404, "does not exist"), (410, "does not exist"), (503, "503 Service")])
def test_a_refusal_is_told(remote: RemoteFile, server: FileServer, tmp_path: Path, status: int, words: str) -> None:
    server.status = status
    assert words in failure(remote, tmp_path).message
    assert list(tmp_path.iterdir()) == []


def test_a_silent_server_is_given_up(remote: RemoteFile, server: FileServer, tmp_path: Path) -> None:
    server.hang_after = 50_000
    error = failure(remote, tmp_path, timeout=1.0)
    assert "does not respond" in error.message
    assert "resume" in (error.hint or "")


def test_no_server_is_told(tmp_path: Path) -> None:
    error = failure(RemoteFile(f"{refused_url().replace('http:', 'https:')}/x", "model.onnx", 3, "0" * 64), tmp_path)
    assert "Connection refused" in error.message
    assert "check the network" in (error.hint or "")
    assert list(tmp_path.iterdir()) == []


_FETCH = """
import sys
from pathlib import Path
from facesecure.vision.inference.download import RemoteFile, fetch
from facesecure.domain.errors import DownloadError
into = Path(sys.argv[2])
def fill_the_disk(done, total):
    with open(into / "filler", "wb", 0) as filler:
        try:
            while filler.write(bytes(1 << 20)): pass
        except OSError: pass
try:
    fetch(RemoteFile(sys.argv[1], "model.onnx", int(sys.argv[3]), "0" * 64), into, fill_the_disk)
except DownloadError as error:
    print(error)
print(sorted(path.name for path in into.iterdir()))
"""


def test_no_network_at_all_is_told(tmp_path: Path) -> None:
    address = "https://models.example.invalid/model.onnx"
    done = run_python(_FETCH, address, tmp_path, "3", mount="true")
    assert "cannot reach" in done.stdout, done.stderr
    assert "name cannot be looked up" in done.stdout
    assert "check the network" in done.stdout


def test_too_little_space_is_told_before_anything_is_fetched(
    remote: RemoteFile, server: FileServer, tmp_path: Path
) -> None:
    done = run_python(
        _FETCH, remote.url, tmp_path, str(remote.size), mount=f"mount -t tmpfs -o size=4m none {tmp_path}"
    )
    assert "not enough space" in done.stdout, done.stderr
    assert "[]" in done.stdout
    assert server.ranges == []


def test_a_disk_that_fills_meanwhile_is_told_and_given_its_room_back(
    server: FileServer, remote: RemoteFile, tmp_path: Path
) -> None:
    server.content = CONTENT * 8
    size = str(len(server.content))
    done = run_python(_FETCH, remote.url, tmp_path, size, mount=f"mount -t tmpfs -o size=21m none {tmp_path}")
    assert "no space left" in done.stdout, done.stderr
    assert "['filler']" in done.stdout


def test_a_folder_that_cannot_be_written_is_told(remote: RemoteFile) -> None:
    assert "cannot write in /proc/models" in failure(remote, Path("/proc/models")).message


def test_two_at_once_do_not_mix_their_bytes(remote: RemoteFile, tmp_path: Path) -> None:
    with part_of(tmp_path).open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "another process" in failure(remote, tmp_path).message
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


def test_a_part_that_another_process_just_finished_is_left_alone(
    remote: RemoteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_lock = fcntl.flock

    def renamed_meanwhile(file: object, flags: int) -> None:
        os.replace(part_of(tmp_path), tmp_path / "theirs")  # noqa: PTH105
        real_lock(file, flags)  # type: ignore[arg-type]

    monkeypatch.setattr("fcntl.flock", renamed_meanwhile)
    assert "another process" in failure(remote, tmp_path).message
    assert (tmp_path / "theirs").read_bytes() == b""
