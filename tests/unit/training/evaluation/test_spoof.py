"""Visits of living people and of pictures held up, judged as the daemon judges them."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.config import DetectorConfig
from facesecure.domain.errors import UsageError
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.inference import model_registry
from facesecure_training.evaluation.spoof import antispoof_of, clips_of, evaluate


@pytest.mark.slow
def test_with_the_networks_the_replay_is_doubted_and_the_person_is_not(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    given = sorted((shared_data / "models" / "antispoof").iterdir())
    for name, file in zip(model_registry.to_pull("antispoof"), given, strict=True):
        (tmp_path / "models" / model_registry.remote_file(name).name).write_bytes(file.read_bytes())
        model_registry.pull(name, tmp_path)
    clips = shared_data / "spoof"
    detector = build_detector(DetectorConfig(min_face=150))
    report = evaluate([clips / "a-live.mp4"], [clips / "a-replay.mp4"], detector, antispoof_of(tmp_path))
    assert [(visit.kind, visit.doubted) for visit in report.visits] == [("live", False), ("replay", True)]
    rates = report.as_json()
    assert (rates["replay"]["networks"]["right"], rates["replay"]["networks"]["count"]) == (1, 1)
    assert rates["live"]["either"]["right"] == 0
    assert rates["live"]["either"]["high"] == pytest.approx(0.79, abs=0.01)


def test_films_are_found_below_folders_and_nothing_else_is_taken(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    for name in ("one/b.MP4", "one/notes.txt", "a.mov"):
        (tmp_path / name).touch()
    assert [film.name for film in clips_of([tmp_path])] == ["a.mov", "b.MP4"]
    with pytest.raises(UsageError, match="no film"):
        clips_of([tmp_path / "one" / "notes.txt"])


def test_without_both_networks_only_the_surroundings_are_judged(tmp_path: Path) -> None:
    assert antispoof_of(None) is None
    assert antispoof_of(tmp_path) is None
