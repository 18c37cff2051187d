"""The configuration file and the state directory, however they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.config import FacesecureConfig
from facesecure.config.paths import find_config, state_directory


def test_a_home_is_found_wherever_a_path_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("FACESECURE_STATE_DIR", raising=False)
    (tmp_path / "door.toml").touch()
    assert find_config(Path("~/door.toml")) == tmp_path / "door.toml"  # a shell leaves --config=~/door.toml as it is
    assert state_directory(FacesecureConfig(state_dir=Path("~/state"))) == tmp_path / "state"


def test_a_path_that_only_looks_like_a_home_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~$door.toml").touch()
    monkeypatch.setenv("FACESECURE_CONFIG", "~$door.toml")
    monkeypatch.setenv("FACESECURE_STATE_DIR", "~$state")
    assert find_config() == Path("~$door.toml")
    assert state_directory(FacesecureConfig()) == tmp_path / "~$state"
