"""What the doctor says of pictures held up."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.config import FacesecureConfig
from facesecure.recognition.liveness.antispoof import MODELS
from facesecure.services.diagnostics import CheckContext, CheckResult, Health
from facesecure.services.diagnostics.liveness import liveness


def checked(state_dir: Path, mode: str = "on") -> CheckResult:
    config = FacesecureConfig.model_validate({"liveness": {"mode": mode}})
    (result,) = liveness(CheckContext(config, None, state_dir))
    return result


@pytest.mark.parametrize(
    ("mode", "health", "words"),
    [
        ("on", Health.OK, "surroundings alone;"),
        ("log", Health.OK, "only logged"),
        ("off", Health.WARN, "taken for them"),
    ],
)
def test_without_the_networks_it_says_what_is_judged(mode: str, health: Health, words: str, tmp_path: Path) -> None:
    result = checked(tmp_path, mode)
    assert result.health is health
    assert words in result.message


@pytest.mark.parametrize(("mode", "remedy"), [("on", "pull antispoof"), ("log", 'mode = "on"'), ("off", 'mode = "on"')])
def test_faces_that_are_meant_to_disarm_and_cannot_are_told_of(mode: str, remedy: str, tmp_path: Path) -> None:
    policy = {"known_disarms": ["Anna"], "entry_delay": 30}
    config = FacesecureConfig.model_validate({"liveness": {"mode": mode}, "policy": policy})
    (result,) = liveness(CheckContext(config, None, tmp_path))
    assert result.health is Health.WARN
    assert "no face disarms" in result.message
    assert remedy in (result.remedy or "")


def test_one_network_alone_is_of_no_use(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / f"{MODELS[1]}.json").write_text("{}")
    result = checked(tmp_path)
    assert result.health is Health.WARN
    assert "pull antispoof" in (result.remedy or "")


def test_damaged_networks_fail(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    for name in MODELS:
        (tmp_path / "models" / f"{name}.json").write_text("{}")
    assert checked(tmp_path).health is Health.FAIL


def test_both_networks_are_named(shared_data: Path, tmp_path: Path) -> None:
    from facesecure.vision.inference import model_registry

    (tmp_path / "models").mkdir()
    for name, file in zip(MODELS, sorted((shared_data / "models" / "antispoof").iterdir()), strict=True):
        (tmp_path / "models" / model_registry.remote_file(name).name).write_bytes(file.read_bytes())
        model_registry.pull(name, tmp_path)
    result = checked(tmp_path)
    assert (result.health, "two networks" in result.message) == (Health.OK, True)
