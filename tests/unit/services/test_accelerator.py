"""The daemon runs its models on the configured accelerator if it works, and on the processor, saying why, if not."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from facesecure.config import FacesecureConfig
from facesecure.domain.errors import ConfigError
from facesecure.services.accelerator import choose_backend
from facesecure.services.config_check import checked_config
from facesecure.services.diagnostics import CheckContext, Health, run_checks
from facesecure.services.diagnostics.accelerator import accelerator
from facesecure.services.diagnostics.result import CheckResult
from facesecure.services.diagnostics.runner import CHECKS
from facesecure.services.model_stack import ModelStack
from facesecure.vision.inference import delegates
from facesecure.vision.inference.backend import Backend
from facesecure.vision.inference.interpreter import Interpreter
from support.delegates import fake_delegate
from support.faces import only, portrait


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegates, "LIMIT", 300.0)


def config(library: Path | str = "none", **inference: int) -> FacesecureConfig:
    return FacesecureConfig.model_validate({"inference": {"delegate": str(library), **inference}})


def examined(library: Path | str, state: Path, **inference: int) -> CheckResult:
    return only(list(accelerator(CheckContext(config(library, **inference), None, state))))


def test_without_an_accelerator_the_processor_runs_all_and_nothing_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delegates.subprocess, "run", None)
    assert choose_backend(config(threads=2), tmp_path) == Backend(2, None)


def test_one_that_works_is_used_and_the_log_says_what_it_takes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    library = fake_delegate()
    with caplog.at_level(logging.INFO):
        assert choose_backend(config(library, threads=2), tmp_path) == Backend(2, library)
    assert f"the accelerator {library} runs 1 of 11 operations of pnet, 1 of" in caplog.text
    assert "of mobilefacenet" in caplog.text


@pytest.mark.parametrize(
    ("mode", "words"), [("CRASHES", "crashes (SIGABRT)"), ("NOT_CREATED", "is connected"), ("WRONG", "other results")]
)
def test_with_one_that_does_not_work_faces_are_still_found_and_recognised(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str, words: str
) -> None:
    with caplog.at_level(logging.WARNING):
        models = ModelStack.load(config(fake_delegate(mode)), tmp_path)
    image = portrait()
    assert only(models.detector.detect(image)).confidence > 0.9
    (warning,) = caplog.messages
    assert "without its accelerator, the processor runs all models" in warning
    assert words in warning
    assert 'set [inference] delegate = "none"' in warning


def test_the_models_of_the_daemon_run_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Path | None] = []
    invoke = Interpreter.invoke

    def noted(self, *arrays):
        used.append(self.delegate)
        return invoke(self, *arrays)

    monkeypatch.setattr(Interpreter, "invoke", noted)
    library = fake_delegate()
    models = ModelStack.load(config(library), tmp_path)
    models.detector.detect(portrait())
    models.embedder.embed(portrait()[:112, :112].copy())
    assert len(used) > 4
    assert set(used) == {library}


def test_doctor_says_what_xnnpack_takes_where_there_is_no_accelerator(tmp_path: Path) -> None:
    found = examined("none", tmp_path, threads=3)
    assert (found.check, found.health) == ("accelerator", Health.OK)
    assert found.message == "none; on the processor XNNPACK runs 102 of 103 operations of mobilefacenet, threads: 3"


def test_doctor_says_so_where_the_runtime_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Interpreter, "count", lambda self: None)
    assert "XNNPACK runs an unknown part of mobilefacenet" in examined("none", tmp_path).message


def test_doctor_says_which_accelerator_runs_and_how_many_operations_it_takes(tmp_path: Path) -> None:
    found = examined(fake_delegate(), tmp_path)
    assert found.health is Health.OK
    assert found.message == (
        f"{fake_delegate()} runs 1 of 11 operations of pnet, 1 of 14 operations of rnet, "
        "1 of 18 operations of onet, 1 of 103 operations of mobilefacenet, 1 of 100 operations of ssd-mobilenetv2"
    )


def test_doctor_warns_of_one_that_refuses_a_model(tmp_path: Path) -> None:
    found = examined(fake_delegate("REFUSES_SECOND"), tmp_path)
    assert found.health is Health.WARN
    assert "1 of 11 operations of pnet, not rnet (the fake accelerator knows no such model" in found.message


@pytest.mark.parametrize("mode", ["CRASHES", "TAKES_NOTHING", "KERNEL_REFUSES"])
def test_doctor_warns_of_one_that_is_not_used_with_what_to_do(tmp_path: Path, mode: str) -> None:
    found = examined(fake_delegate(mode), tmp_path)
    assert found.health is Health.WARN
    assert found.message.startswith(f"not used, the processor runs all models: {fake_delegate(mode)}")
    assert 'or set [inference] delegate = "none"' in found.remedy


def test_doctor_runs_the_check(tmp_path: Path) -> None:
    context = CheckContext(config(tmp_path / "gone.so"), None, tmp_path / "state")
    found = only(list(run_checks(context, {"accelerator": CHECKS["accelerator"]})))
    assert (found.health, f"there is no file {tmp_path / 'gone.so'}" in found.message) == (Health.WARN, True)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('"/nowhere/libdelegate.so"', "there is no file /nowhere/libdelegate.so"),
        ('"libedgetpu.so.1"', 'is neither "none" nor the full path of a library'),
        ('"{state}/evil.so"', "leads into the state directory, which no program is loaded from"),
    ],
)
def test_config_check_refuses_what_cannot_be_loaded_with_its_line(tmp_path: Path, value: str, words: str) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "evil.so").write_bytes(b"")
    path = tmp_path / "facesecure.toml"
    path.write_text(f"[inference]\ndelegate = {value.format(state=state)}\n")
    with pytest.raises(ConfigError) as caught:
        checked_config(path, {}, lambda _: state)
    assert "line 2" in only(caught.value.problems)
    assert words in only(caught.value.problems)


def test_config_check_takes_one_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "facesecure.toml"
    path.write_text(f'[inference]\ndelegate = "{fake_delegate()}"\nthreads = 4\n')
    assert checked_config(path, {}, lambda _: tmp_path / "state").inference.library == fake_delegate()
