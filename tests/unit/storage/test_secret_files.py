"""Small secrets in the state directory: encrypted, bound to their names, missed when they cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.domain.errors import StoreError
from facesecure.storage.integrity import problems
from facesecure.storage.secret_files import SecretFiles


def test_a_secret_is_read_as_it_was_written_and_listed(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path / "state")
    files.write("b", b"two")
    files.write("a", b"one")
    assert files.names() == ["a", "b"]
    assert (files.read("a"), files.read("b")) == (b"one", b"two")
    files.remove("a")
    files.remove("a")
    assert files.names() == ["b"]
    with pytest.raises(FileNotFoundError):
        files.read("a")


def test_a_secret_that_was_changed_is_reported(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path)
    files.write("identity", b"secret")
    assert problems(tmp_path, None) == []
    files.path("identity").write_bytes(b"{}")
    (problem,) = problems(tmp_path, None)
    assert "identity.secret" in problem


def test_without_the_key_it_is_said_that_it_is_missing(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path)
    files.write("identity", b"secret")
    (tmp_path / "key").unlink()
    with pytest.raises(StoreError, match=r"key .* is missing"):
        files.read("identity")
