"""What a daemon has to say of the state it starts from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from facesecure.alerts.policy.arming import Arming
from facesecure.app import context as contexts
from facesecure.app.context import DaemonContext
from facesecure.app.ram_fallback import StateLocation
from facesecure.config import FacesecureConfig
from facesecure.pipeline.model_pool import ModelPool
from facesecure.storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as store:
        yield store


def context(store: Store, place: StateLocation) -> DaemonContext:
    models = rule = match = None  # not needed here
    return DaemonContext(FacesecureConfig(), place, store, Arming(place.path), models, rule, ModelPool([]), match)


def test_a_state_that_nothing_befell_is_not_spoken_of(store, tmp_path):
    assert list(context(store, StateLocation(tmp_path, tmp_path)).startup_events()) == []


def test_what_was_let_go_for_the_start_is_told_in_one_sum_and_a_refuge_with_its_reason(store, tmp_path):
    store.freed = 3_000_000
    refuge = StateLocation(tmp_path / "disk", tmp_path, "the disk cannot be written", freed=2_000_000)
    assert list(context(store, refuge).startup_events()) == [
        ("disk_full", "5 MB of old films, snapshots and backups were removed"),
        ("unwritable", "the disk cannot be written"),
    ]


@pytest.mark.parametrize(
    ("cameras", "smallest"),
    [([{"name": "gate", "min_face": 24}, {"name": "door"}], 24), ([{"name": "gate", "min_face": 90}], 90)],
)
def test_the_smallest_face_of_any_camera_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cameras: list[dict[str, object]], smallest: int
) -> None:
    asked: list[int] = []
    real = contexts.ModelStack.load_sets

    def load_sets(config: FacesecureConfig, state_dir: Path, count: int) -> list[contexts.ModelStack]:
        asked.append(config.detector.min_face)
        return real(config, state_dir, count)

    monkeypatch.setattr(contexts.ModelStack, "load_sets", load_sets)
    with ExitStack() as stack:
        contexts.open_context(
            FacesecureConfig.model_validate({"cameras": cameras}), StateLocation(tmp_path, tmp_path), stack
        )
    assert asked == [smallest]
