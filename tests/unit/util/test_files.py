"""Files that are complete or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.util.files import make_private_folders, replace_file, write_durably


def fail(*arguments: object) -> None:
    raise OSError(5, "Input/output error")


def test_a_durable_write_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_durably(tmp_path / "state.json", b"old")
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        write_durably(tmp_path / "state.json", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    assert (tmp_path / "state.json").read_bytes() == b"old"


def test_what_is_written_durably_is_its_owners_alone(tmp_path: Path) -> None:
    make_private_folders(tmp_path, tmp_path / "a" / "b")
    write_durably(tmp_path / "a" / "b" / "one.jpg", b"12345")
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b", "a/b/one.jpg")]
    assert modes == [0o700, 0o700, 0o600]


def test_a_replacement_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_file(tmp_path / "model.json", b"old")
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="Input/output"):
        replace_file(tmp_path / "model.json", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]
    assert (tmp_path / "model.json").read_bytes() == b"old"
