"""An accelerator's library is tried in another process first: whatever it does there, we live and say what it was."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from facesecure.vision.inference import delegates
from facesecure.vision.inference.backend import Backend
from facesecure.vision.inference.delegates import DelegateError, ModelTrial, library_problem, try_delegate
from facesecure.vision.inference.interpreter import Delegation, Interpreter
from facesecure.vision.inference.model_card import Model, load_model
from support.delegates import built, fake_delegate


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegates, "LIMIT", 300.0)


@pytest.fixture(scope="module")
def models() -> list[Model]:
    return [load_model("pnet"), load_model("mobilefacenet")]


def failure(library: Path, models: list[Model]) -> DelegateError:
    with pytest.raises(DelegateError) as caught:
        try_delegate(Backend(1, library), models)
    assert str(library) in caught.value.message
    assert 'delegate = "none"' in str(caught.value.hint)
    return caught.value


def test_a_delegate_that_works_is_counted_by_what_it_takes_itself(models: list[Model]) -> None:
    assert try_delegate(Backend(1, fake_delegate()), models) == [
        ModelTrial("pnet", Delegation(11, 1, 1)),
        ModelTrial("mobilefacenet", Delegation(103, 1, 1)),
    ]


def test_a_trial_is_told_in_words() -> None:
    assert str(ModelTrial("pnet", Delegation(11, 1, 1))) == "1 of 11 operations of pnet"
    assert str(ModelTrial("pnet", None)) == "pnet, of which the runtime does not tell how much"
    assert str(ModelTrial("pnet", None, "too large")) == "not pnet (too large)"


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("NOT_CREATED", "no fake accelerator is connected"),
        ("REFUSES", "the fake accelerator knows no such model"),
        ("KERNEL_REFUSES", "the fake accelerator has no room for this graph"),
        ("CRASHES", "crashes (SIGABRT) with pnet"),
        ("CRASHES_AT_THE_END", "crashes (SIGABRT) at its end"),
        ("EXITS", "ends the process with pnet"),
        ("WRONG", "gives other results for pnet: 0."),
        ("TAKES_NOTHING", "takes no operation of any model"),
    ],
)
def test_a_delegate_with_a_fault_is_not_used_and_the_fault_is_named(models: list[Model], mode: str, words: str) -> None:
    assert words in failure(fake_delegate(mode), models).message


def test_a_delegate_that_hangs_is_ended(models: list[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegates, "LIMIT", 3.0)
    assert "does not come to an end in 3 s" in failure(fake_delegate("HANGS"), models).message


def test_a_crash_with_a_later_model_names_that_model(models: list[Model]) -> None:
    assert "crashes (SIGABRT) with mobilefacenet" in failure(fake_delegate("CRASHES_SECOND"), models).message


def test_a_delegate_may_refuse_one_model_and_run_the_other(models: list[Model]) -> None:
    first, second = try_delegate(Backend(1, fake_delegate("REFUSES_SECOND")), models)
    assert first.taken == Delegation(11, 1, 1)
    assert second.taken is None
    assert "knows no such model" in second.refusal


def test_a_library_that_is_no_delegate_or_no_library_is_named(models: list[Model], tmp_path: Path) -> None:
    source = tmp_path / "other.c"
    source.write_text("int other(void) { return 1; }\n")
    assert "undefined symbol: tflite_plugin_create_delegate" in failure(built(source, "other"), models).message
    text = tmp_path / "text.so"
    text.write_text("not a library\n")
    assert "invalid ELF header" in failure(text, models).message or "too short" in failure(text, models).message


def test_a_model_without_a_golden_output_is_tried_too(models: list[Model]) -> None:
    card = models[1].card.model_copy(update={"golden": None})
    bare = Model(card, models[1].path, models[1].content)
    assert try_delegate(Backend(1, fake_delegate()), [bare]) == [ModelTrial("mobilefacenet", Delegation(103, 1, 1))]


def test_a_runtime_that_does_not_tell_its_plan_gives_no_count(
    models: list[Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ai_edge_litert import interpreter

    monkeypatch.delattr(interpreter.Interpreter, "_get_ops_details")
    graph = models[0].interpreter(Backend(1, fake_delegate()))
    assert (graph.delegate, graph.accelerated, graph.count()) == (fake_delegate(), None, None)


def test_the_accelerators_part_is_told_apart_from_that_of_xnnpack(models: list[Model]) -> None:
    graph = models[0].interpreter(Backend(1, fake_delegate()), input_shape=(1, 60, 100, 3))
    assert (graph.accelerated, graph.delegation) == (Delegation(11, 1, 1), Delegation(11, 11, 2))
    assert models[0].interpreter().accelerated is None


def test_an_accelerator_that_fails_later_is_left_for_good_with_one_warning(
    models: list[Model], caplog: pytest.LogCaptureFixture
) -> None:
    library = fake_delegate("BREAKS_LATER -DCOPY=1")
    graph = Interpreter(models[0].content, Backend(1, library))
    image = np.full(graph.inputs[0].shape, 90, np.uint8)
    wanted = Interpreter(models[0].content).invoke(image)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            graph.invoke(image)
        assert (graph.delegate, caplog.messages) == (library, [])
        found = [graph.invoke(image) for _ in range(3)]
    assert all(np.array_equal(one, other) for outputs in found for one, other in zip(outputs, wanted, strict=True))
    (warning,) = caplog.messages
    assert "was unplugged" in warning
    assert "runs on the processor instead" in warning
    assert (graph.delegate, graph.accelerated) == (None, None)
    assert "was unplugged" in graph.refusal


def test_a_library_that_nobody_else_can_change_may_be_loaded(tmp_path: Path) -> None:
    assert library_problem(fake_delegate(), tmp_path) == ""
    assert library_problem(fake_delegate(), None) == ""


def test_a_library_that_is_missing_or_no_file_may_not(tmp_path: Path) -> None:
    circle = tmp_path / "circle.so"
    circle.symlink_to(circle)
    assert library_problem(tmp_path / "nothing.so", None) == f"there is no file {tmp_path / 'nothing.so'}"
    assert "there is no file" in library_problem(circle, None)
    assert "is not a file" in library_problem(tmp_path, None)


@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_a_library_that_others_can_change_may_not(tmp_path: Path, mode: int) -> None:
    library = tmp_path / "a.so"
    library.write_bytes(b"")
    library.chmod(mode)
    assert "can be changed by others than its owner" in library_problem(library, None)


def test_a_library_in_the_state_directory_may_not_be_loaded_by_whatever_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, outside = tmp_path / "state", tmp_path / "outside"
    state.mkdir()
    outside.mkdir()
    library, genuine = state / "evil.so", outside / "genuine.so"
    for path in (library, genuine):
        path.write_bytes(b"")
        path.chmod(0o755)
    (outside / "link.so").symlink_to(library)
    (state / "way.so").symlink_to(genuine)
    (outside / "round.so").symlink_to(state / "way.so")
    (outside / "folder").symlink_to(state)
    (state / "folder").symlink_to(outside)
    (outside / "through").symlink_to(state / "folder")
    ways = [
        library, outside / "link.so", outside / "round.so", outside / "folder" / "evil.so",
        outside / ".." / "state" / "evil.so", outside / "through" / "genuine.so",
    ]  # fmt: skip
    for way in ways:
        assert "leads into the state directory" in library_problem(way, state), way
    assert library_problem(genuine, state) == ""
    monkeypatch.chdir(tmp_path)
    assert "leads into the state directory" in library_problem(library, Path("state"))
