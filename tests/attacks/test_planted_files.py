"""Links, pipes and hard links planted in a folder in which facesecure writes, locks or reads a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from facesecure.util.files import create_file, draft_of, open_own, read_regular, replace_file, write_durably
from support.faults.table import attack


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file outside of the folder, which must stay as it is."""
    path = tmp_path / "secret"
    path.write_bytes(b"a letter")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@attack(
    "temporary name is a link",
    how="the name under which a file is written before it is renamed is a link to a file elsewhere, a hard link to it, "
    "a pipe",
)
def test_a_planted_temporary_name_is_replaced_and_leads_nowhere(
    folder: Path, secret: Path, saw: Callable[[str], None]
) -> None:
    path = folder / "arming.json"
    for write in (write_durably, replace_file):
        for plant in (draft_of(path).symlink_to, draft_of(path).hardlink_to, lambda _: os.mkfifo(draft_of(path))):
            plant(secret)
            write(path, b"new")
            assert path.read_bytes() == b"new"
            assert not path.is_symlink()
            assert path.stat().st_nlink == 1
            assert secret.read_bytes() == b"a letter"
            assert [one.name for one in folder.iterdir()] == ["arming.json"]
    saw("the planted name is removed, the file written beside it; the other file is as it was")


@attack(
    "file to lock, to append to or to read is planted",
    how="a link, a link to nothing, a hard link, a pipe, a folder and a device in its place",
)
def test_only_a_regular_file_of_one_name_is_opened(folder: Path, secret: Path, saw: Callable[[str], None]) -> None:
    path, refused = folder / "lock", 0
    for plant in (
        lambda: path.symlink_to(secret),
        lambda: path.symlink_to(folder / "new"),
        lambda: path.hardlink_to(secret),
        lambda: os.mkfifo(path),
        lambda: path.mkdir(),
    ):
        plant()
        with pytest.raises(OSError, match="Errno"):
            open_own(path, os.O_RDWR | os.O_CREAT)
        refused += 1
        assert secret.read_bytes() == b"a letter"
        assert not (folder / "new").exists()
        path.rmdir() if path.is_dir() else path.unlink()
    for there in ("/dev/zero", "/dev/tty", str(folder)):
        path.symlink_to(there)
        with pytest.raises(OSError, match="Errno"):
            read_regular(path)
        refused += 1
        path.unlink()
    os.mkfifo(path)
    with pytest.raises(OSError, match="not a regular file"):
        read_regular(path)
    saw(f"{refused + 1} of {refused + 1} refused at once, nothing created, changed or waited for")


def test_a_name_taken_again_while_a_file_is_created_is_an_error(
    folder: Path, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "draft"
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: path.symlink_to(secret))
    with pytest.raises(FileExistsError):
        create_file(path)
    assert secret.read_bytes() == b"a letter"
