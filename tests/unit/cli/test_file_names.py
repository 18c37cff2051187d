"""File names of any bytes: everything that writes one down survives it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NAME = os.fsdecode(b"caf\xe9\xff")
SHOWN = r"caf\xe9\xff"


@pytest.fixture
def strange_album(album: Path, tmp_path: Path) -> Path:
    folder = tmp_path / NAME
    folder.mkdir()
    for number, photo in enumerate(sorted(album.iterdir())):
        (folder / f"{number}{NAME}.png").write_bytes(photo.read_bytes())
    return folder


def test_photos_enrol_whatever_bytes_are_in_their_names_and_in_that_of_the_state_folder(
    strange_album: Path, tmp_path: Path
) -> None:
    state = tmp_path / f"state{NAME}"
    command = [sys.executable, "-m", "facesecure", "--state-dir", os.fspath(state)]
    enrolled = subprocess.run(
        [*command, "enroll", "Zoë", "--images", os.fspath(strange_album), "--json"], capture_output=True, check=True
    )
    photos = json.loads(enrolled.stdout)["pictures"]
    assert {Path(photo["source"]).name for photo in photos} >= {f"{number}{SHOWN}.png" for number in range(6)}
    shown = subprocess.run([*command, "people", "show", "Zoë", "--json"], capture_output=True, check=True).stdout
    assert all(SHOWN in face["source"] for face in json.loads(shown)["faces"])
    listed = subprocess.run([*command, "people", "show", "Zoë"], capture_output=True, check=True).stdout
    assert SHOWN.encode() in listed


def test_a_missing_file_of_any_name_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "facesecure", "--config", os.fspath(tmp_path / f"{NAME}.toml"), "status"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 2
    assert f"{SHOWN}.toml does not exist".encode() in done.stderr
