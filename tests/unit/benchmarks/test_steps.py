"""Work that is done step by step goes on where it was stopped, and repeats nothing."""

import json

import pytest

from benchmarks import steps as module
from benchmarks.steps import Steps


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """The commands that were run; a training leaves its config, as the real one does."""
    commands = []

    def timed(self, command):
        commands.append(command)
        if command[0] == "train":
            folder = self.folder / command[command.index("--out") + 1]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "config.json").write_text("{}")
        return {"seconds": 1.0, "cpu": 1.0, "said": ""}

    monkeypatch.setattr(Steps, "_timed", timed)
    return commands


def test_what_is_recorded_is_not_run_again(ran, tmp_path):
    for _ in range(2):
        Steps(tmp_path).run("dataset", "extract", "-d", 1)
    assert ran == [["dataset", "extract", "-d", "1"]]


def test_an_interrupted_training_is_resumed_once_and_then_done(ran, tmp_path):
    (tmp_path / "runs/a").mkdir(parents=True)
    (tmp_path / "runs/a/config.json").write_text("{}")
    for _ in range(3):
        Steps(tmp_path).train("hugonet", "runs/a", "--epochs", 3)
    assert ran == [["train", "hugonet", "--out", "runs/a", "--resume"]]


def test_a_training_that_ended_is_not_resumed(ran, tmp_path):
    for _ in range(3):
        Steps(tmp_path).train("hugonet", "runs/a", "--epochs", 3)
    assert ran == [["train", "hugonet", "--out", "runs/a", "--epochs", "3"]]


def test_a_search_is_continued_where_its_database_is(ran, tmp_path):
    Steps(tmp_path).search(tmp_path / "one.db", "search", "--trials", 2)
    (tmp_path / "two.db").write_text("")
    Steps(tmp_path).search(tmp_path / "two.db", "search", "--trials", 3)
    assert [command[-1] for command in ran] == ["2", "--resume"]


def test_the_record_is_whole_after_every_step(ran, tmp_path):
    steps = Steps(tmp_path)
    steps.run("one")
    steps.run("two")
    assert list(json.loads((tmp_path / "steps.json").read_text())) == ["facesecure-train one", "facesecure-train two"]


def test_a_step_that_fails_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PROGRAM", "raise SystemExit(3)")
    with pytest.raises(SystemExit, match="facesecure-train dataset nonsense: exit code 3"):
        Steps(tmp_path).run("dataset", "nonsense")
