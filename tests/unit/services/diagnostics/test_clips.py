"""What the doctor says of films."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.camera.clips import encoder
from facesecure.camera.clips.recorder import new_identifier
from facesecure.config import FacesecureConfig
from facesecure.services.diagnostics.clips import clips
from facesecure.services.diagnostics.result import CheckContext, CheckResult, Health
from facesecure.storage.store import Store
from support.builders import NOON


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "state") as store:
        film = store.clips.begin(new_identifier(NOON), "front door", NOON, most_mb=100)
        film.write(bytes(2_000_000))
        film.finish(1.0)
        film.close()
    return tmp_path / "state"


def checked(state_dir: Path, **settings: object) -> list[CheckResult]:
    config = FacesecureConfig.model_validate({"clips": settings})
    return list(clips(CheckContext(config, None, state_dir)))


def test_how_many_films_there_are_and_what_encodes_the_others(state_dir: Path) -> None:
    first, second = checked(state_dir, enabled=True, max_mb=100)
    assert (first.health, first.message) == (Health.OK, "1 film, 2 of 100 MB")
    assert second.health is Health.OK
    assert second.message.startswith(tuple(encoder.ENCODERS))


def test_films_that_are_left_from_before_are_counted(state_dir: Path, tmp_path: Path) -> None:
    (result,) = checked(state_dir)
    assert (result.health, result.message) == (Health.OK, "no films are kept; 1 film, 2 of 1000 MB are left")
    assert checked(tmp_path / "nowhere")[0].message == "no films are kept"


def test_more_films_than_fit_on_the_disk_are_warned_of(state_dir: Path) -> None:
    first, _ = checked(state_dir, enabled=True, max_mb=1e9)
    assert first.health is Health.WARN
    assert "lower [clips] max_mb to" in first.remedy


def test_where_nothing_can_encode_it_says_which_cameras_cannot_be_filmed(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "ENCODERS", {"no-such-encoder": {}})
    _, second = checked(state_dir, enabled=True, max_mb=10)
    assert second.health is Health.WARN
    assert "choose H.264" in second.remedy
