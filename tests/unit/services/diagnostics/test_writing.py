"""Whether the database can be written, as ``facesecure doctor`` says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.config import FacesecureConfig
from facesecure.services.diagnostics import writing
from facesecure.services.diagnostics.result import CheckContext, CheckResult, Health
from facesecure.storage.store import Store
from support.faults.locks import locked
from support.store import sighting


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    Store.open(tmp_path / "state").close()
    return tmp_path / "state"


def checked(state_dir: Path) -> list[CheckResult]:
    return list(writing.writing(CheckContext(FacesecureConfig(), None, state_dir)))


def test_a_database_that_can_be_written_is_well_and_none_is_not_spoken_of(state_dir: Path, tmp_path: Path) -> None:
    (result,) = checked(state_dir)
    assert (result.check, result.health) == ("writing", Health.OK)
    assert checked(tmp_path / "nowhere") == []


def test_the_process_that_has_locked_it_is_named_with_what_waits(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_WAIT", 0.1)
    with Store.open(state_dir, resident=True) as daemon, locked(state_dir / "facesecure.db") as holder:
        daemon.record(sighting("s1"))
        (result,) = checked(state_dir)
    assert result.health is Health.WARN
    assert f"is locked by process {holder} (python" in result.message
    assert "1 kB wait in facesecure.db-deferred" in result.message
    assert "end that process" in result.remedy


def test_what_a_killed_daemon_could_not_write_is_said(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_WAIT", 0.1)
    (state_dir / "facesecure.db-deferred").write_bytes(bytes(2000))
    (result,) = checked(state_dir)
    assert result.health is Health.WARN
    assert "2 kB that an earlier run could not write" in result.message
