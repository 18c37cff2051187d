"""A program whose standard streams are closed has the null device in their place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.store import environment

PROGRAM = """
import os, sys
from facesecure.util.standard_streams import open_closed_streams
open_closed_streams()
sys.stdout.write("said"), sys.stderr.write("complained")
read, other = sys.stdin.read(), os.open(os.devnull, os.O_RDONLY)
if len(sys.argv) > 1:
    open(sys.argv[1], "w").write(f"{read!r} {min(other, 3)} {sys.stdout.isatty()}")
"""


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2), (1, 2)])
def test_what_is_opened_next_has_no_number_of_a_standard_stream(tmp_path: Path, closed: tuple[int, ...]) -> None:
    def close() -> None:
        for number in closed:
            os.close(number)

    command = [sys.executable, "-c", PROGRAM, tmp_path / "found"]
    done = subprocess.run(
        command, input=b"", capture_output=True, env=environment(), preexec_fn=close, check=False, timeout=120
    )
    assert done.returncode == 0
    assert done.stdout == (b"" if 1 in closed else b"said")
    assert done.stderr == (b"" if 2 in closed else b"complained")
    assert (tmp_path / "found").read_text() == "'' 3 False"


@pytest.mark.parametrize(
    ("words", "closed"),
    [
        (("people", "list", "--json"), 1),
        (("people", "list"), 2),
        (("people", "remove", "Nobody", "--yes"), 0),
        (("hub", "join", "-"), 0),
    ],
)
def test_a_command_without_a_stream_is_no_bug(tmp_path: Path, words: tuple[str, ...], closed: int) -> None:
    command = [sys.executable, "-m", "facesecure", *words, "--state-dir", tmp_path / "state"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(), preexec_fn=lambda: os.close(closed), check=False
    )
    assert "this is a bug" not in done.stdout + done.stderr
    assert done.returncode == (0 if "list" in words else 2)
