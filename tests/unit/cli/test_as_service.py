"""Which files a command of root's opens before it gives up root's rights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from facesecure.cli import as_service
from facesecure.cli.app import command
from facesecure.util import callers_files
from facesecure.util.callers_files import CallersFiles, callers_path
from facesecure.util.trusted_paths import ServiceUser

NOBODY = ServiceUser(65534, frozenset({65534}))


def parameters(group: Any, words: str = "") -> Iterator[tuple[str, Any]]:
    yield from ((words or "facesecure", parameter) for parameter in group.params)
    for name, inner in getattr(group, "commands", {}).items():
        yield from parameters(inner, f"{words} {name}".strip())


def _names_a_path(parameter: Any) -> bool:
    """Return whether it is a path; typer says so in one of two ways, by its version."""
    described = getattr(parameter, "type_descriptor", None)
    return "Path" in (type(parameter.type).__name__ if described is None else repr(described.annotation))


def test_every_parameter_that_is_a_path_is_read_written_or_the_service_s() -> None:
    paths = {(words, one.name) for words, one in parameters(command()) if _names_a_path(one)}
    assert paths
    known = as_service.READ | as_service.WRITTEN | as_service.OTHERS
    assert paths - known == set()
    assert {one for one in known if one not in paths} == {("enroll", "camera"), ("run", "source")}


def test_without_the_wrapper_s_word_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(as_service.VARIABLE, raising=False)
    assert not as_service.wanted()
    monkeypatch.setenv(as_service.VARIABLE, "nobody")
    assert as_service.wanted() == (os.geteuid() == 0)


@pytest.fixture
def files() -> Iterator[CallersFiles]:
    held = CallersFiles(NOBODY)
    yield held
    callers_files.use(None)


def test_what_is_held_is_read_although_its_path_is_gone(tmp_path: Path, files: CallersFiles) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg", ".hidden"):
        (folder / name).write_text(name)
    os.mkfifo(folder / "pipe")
    (folder / "inner").mkdir()
    files.hold(folder)
    for path in folder.iterdir():
        path.rmdir() if path.is_dir() else path.unlink()
    callers_files.use(files)
    held = callers_path(folder)
    assert held.is_dir()
    found = sorted(held.iterdir())
    assert [path.name for path in found] == ["a.jpg", "b.jpg"]
    assert all(path.exists() and path.is_file() and path.stat().st_size == 5 for path in found)
    assert [path.read_text() for path in found] == [path.read_text("utf-8") for path in found] == ["a.jpg", "b.jpg"]
    with found[0].open("rb") as file:
        assert file.read(1) == b"a"
    assert found[0].read_bytes() == b"a.jpg", "it begins anew"


def test_a_path_that_is_not_held_is_like_any_other(tmp_path: Path, files: CallersFiles) -> None:
    (tmp_path / "a").write_text("new")
    callers_files.use(files)
    path = callers_path(tmp_path / "a")
    assert path.read_text() == "new"
    assert path.replace(tmp_path / "b") == tmp_path / "b"
    assert [one.name for one in callers_path(tmp_path).iterdir()] == ["b"]
    assert not (path.parent / "c").exists()
