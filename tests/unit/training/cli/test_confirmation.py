"""Commands that delete files ask first, and without a terminal they demand --yes."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.faces import PHOTOS

Command = tuple[object, ...]
TRAIN = [sys.executable, "-c", "from facesecure_training.cli.main import main; main()"]


def train(*words: object) -> subprocess.CompletedProcess[str]:
    """Run facesecure-train without a terminal."""
    return subprocess.run(
        [*TRAIN, *map(str, words)],
        capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def train_at_terminal(answer: str, *words: object) -> tuple[int, str]:
    """Run facesecure-train at a terminal where ``answer`` is typed; return its exit code and what it showed."""
    process, terminal = pty.fork()
    if process == 0:
        os.execv(sys.executable, [*TRAIN, *map(str, words)])
    os.write(terminal, f"{answer}\n".encode())
    shown = b""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # the end of a terminal on Linux
            data = b""
        if not data:
            break
        shown += data
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), shown.decode()


@pytest.fixture
def mirrored(tmp_path: Path) -> tuple[Command, Callable[[], bool], str]:
    """A mirror whose target has one file too many."""
    for folder in ("faces", "copy"):
        (tmp_path / folder / "ann").mkdir(parents=True)
        (tmp_path / folder / "ann" / "1.png").write_bytes(b"one")
    surplus = tmp_path / "copy" / "ann" / "2.png"
    surplus.write_bytes(b"two")
    question = f"Delete the file of {tmp_path / 'copy'} that the source does not have?"
    return ("dataset", "mirror", tmp_path / "faces", tmp_path / "copy", "--delete"), surplus.exists, question


@pytest.fixture
def extracted(tmp_path: Path) -> tuple[Command, Callable[[], bool], str]:
    """An extraction whose only face was touched up by hand."""
    (tmp_path / "in" / "grace").mkdir(parents=True)
    shutil.copy(PHOTOS / "grace_hopper.jpg", tmp_path / "in" / "grace" / "1.jpg")
    words = ("dataset", "extract", "-d", tmp_path / "in", "-o", tmp_path / "out", "--min-quality", "0", "--jobs", "1")
    done = train(*words)
    assert done.returncode == 0, done.stderr
    (face,) = (tmp_path / "out" / "grace").iterdir()
    face.write_bytes(b"touched up")
    question = f"Delete what was extracted into {tmp_path / 'out'} before (1 face)?"
    return (*words, "--anew"), lambda: face.read_bytes() == b"touched up", question


@pytest.fixture(params=["mirrored", "extracted"])
def destroying(request: pytest.FixtureRequest) -> tuple[Command, Callable[[], bool], str]:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def test_without_a_terminal_nothing_is_deleted_unless_yes_is_given(destroying):
    words, kept, question = destroying
    refused = train(*words, "--json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"there is no terminal to confirm it: {question}" in refused.stderr
    assert "to do it, add --yes" in refused.stderr
    assert kept()
    done = train(*words, "--json", "--yes")
    assert done.returncode == 0, done.stderr
    assert not kept()


def test_at_a_terminal_it_is_asked(destroying):
    words, kept, question = destroying
    code, shown = train_at_terminal("n", *words)
    assert question in shown
    assert code != 0
    assert kept()
    assert train_at_terminal("y", *words)[0] == 0
    assert not kept()


def test_where_nothing_would_be_deleted_nothing_is_asked(tmp_path):
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "1.png").write_bytes(b"one")
    done = train("dataset", "mirror", tmp_path / "faces", tmp_path / "copy", "--delete")
    assert (done.returncode, "1 files copied" in done.stdout) == (0, True)
