"""A tiny one of each network, from class folders to its best model, by the commands that people use."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facesecure_training.recipes.registry import KINDS
from support.training.class_folders import rendered

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]
pytest.importorskip("tensorflow", reason="needs the [training] extra")

COMMON = ("--size", "32", "--batch", "8", "--threads", "1", "--seed", "4")
TINY = {
    "hugonet": ("--width", "0.25", "--epochs", "4", "--lr", "0.001", "--strength", "0.3", "--schedule", "constant"),
    "compact": ("--kind", "cnn", "--width", "0.25", "--epochs", "4", "--lr", "0.01", "--strength", "0.3"),
    "siamese-densenet": ("--blocks", "2,2", "--growth", "4", "--epochs", "3", "--pairs", "48", "--lr", "0.005"),
    "embedder": ("--width", "0.1", "--embedding", "16", "--epochs", "3", "--batch", "32", "--pairs", "32",
                 "--activation", "relu", "--eager", "--lr", "0.01", "--strength", "0.3"),
}  # fmt: skip


PROGRAM = "from facesecure_training.cli.main import main; main()"
KILLED = """
import os, signal, sys

def write_and_die(text, write=sys.stderr.write):
    write(text)
    if "epoch 2 " in text:
        os.kill(os.getpid(), signal.SIGKILL)

sys.stderr.write = write_and_die
"""
"""Has a training kill itself as it tells of its second epoch: from outside, a busy machine may kill it too late."""


def command(kind: str, *words: object, before: str = "") -> list[str]:
    return [sys.executable, "-c", before + PROGRAM, "train", kind, *map(str, words)]


def train(kind: str, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(kind, *words), capture_output=True, text=True, timeout=600)


def lines(run: Path) -> list[dict[str, float]]:
    with (run / "curves.csv").open() as file:
        return [{name: float(value) for name, value in line.items()} for line in csv.DictReader(file)]


def state(run: Path) -> dict[str, np.ndarray]:
    with np.load(run / "state.npz") as found:
        return dict(found)


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> tuple[object, ...]:
    """Training data and, of the same two people, other images to validate on."""
    root = tmp_path_factory.mktemp("faces")
    learnt, unseen = rendered(root / "learnt", 32, side=40), rendered(root / "unseen", 6, side=40, seed=2)
    return ("--data", learnt, "--validation", unseen)


@pytest.fixture(scope="module")
def hugonet(faces, tmp_path_factory) -> Path:
    """A run that nothing interrupted."""
    run = tmp_path_factory.mktemp("runs") / "hugonet"
    done = train("hugonet", *faces, "--out", run, *COMMON, *TINY["hugonet"])
    assert done.returncode == 0, done.stderr
    assert f"best network: {run / 'best.keras'}" in done.stdout
    return run


def learnt(run: Path, kind: str) -> None:
    """It did learn, and left what it should."""
    losses = [line["loss"] for line in lines(run)]
    assert min(losses[1:]) < losses[0]
    assert cv2.imread(str(run / "batch.png")) is not None
    assert cv2.imread(str(run / "curves.png")) is not None
    assert json.loads((run / "config.json").read_text())["kind"] == kind
    assert (run / "best.keras").stat().st_size > 10_000


def test_hugonet_learns_two_people(hugonet):
    learnt(hugonet, "hugonet")
    assert max(line["val_accuracy"] for line in lines(hugonet)) >= 0.75
    assert json.loads((hugonet / "config.json").read_text())["classes"] == ["eileen_collins", "grace_hopper"]


@pytest.mark.parametrize("kind", sorted(TINY.keys() - {"hugonet"}))
def test_each_other_network_learns_too(faces, tmp_path, kind):
    done = train(kind, *faces, "--out", tmp_path / "run", *COMMON, *TINY[kind])
    assert done.returncode == 0, done.stderr
    learnt(tmp_path / "run", kind)


def test_a_head_on_the_bundled_embedder_knows_two_people_at_once(faces, tmp_path):
    words = ("--epochs", "4", "--lr", "0.01", "--views", "2", "--batch", "32", "--threads", "1")
    done = train("compact", *faces, "--out", tmp_path / "run", *words)
    assert done.returncode == 0, done.stderr
    assert lines(tmp_path / "run")[-1]["val_accuracy"] == 1
    assert json.loads((tmp_path / "run" / "config.json").read_text())["light"] == "brightened"


def killed(run: Path, kind: str, *words: object) -> None:
    """Begin a training, which is killed after its second epoch."""
    begun = command(kind, "--out", run, *words, before=KILLED)
    done = subprocess.run(begun, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def equal(one: Path, other: Path) -> bool:
    """Whether two runs ended with the same weights and figures, bit by bit."""
    found, wanted = state(one), state(other)
    same = found.keys() == wanted.keys() and all((found[name] == wanted[name]).all() for name in found)
    return same and lines(one) == lines(other)


def test_killed_and_resumed_it_ends_at_the_weights_of_the_run_that_was_not(faces, hugonet, tmp_path):
    run = tmp_path / "run"
    killed(run, "hugonet", *faces, *COMMON, *TINY["hugonet"])
    assert len(lines(run)) < 4
    done = train("hugonet", "--out", run, "--resume")
    assert done.returncode == 0, done.stderr
    assert equal(run, hugonet)


def test_so_it_does_with_each_batch_in_two_parts(faces, tmp_path):
    words = (*faces, *COMMON, *TINY["siamese-densenet"], "--epochs", "4", "--replicas", "2")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    done = train("siamese-densenet", "--out", whole, *words)
    assert done.returncode == 0, done.stderr
    learnt(whole, "siamese-densenet")
    killed(cut, "siamese-densenet", *words)
    assert len(lines(cut)) < 4
    done = train("siamese-densenet", "--out", cut, "--resume")
    assert done.returncode == 0, done.stderr
    assert equal(cut, whole)


def test_a_folder_with_a_run_in_it_is_not_trained_over(faces, hugonet):
    done = train("hugonet", *faces, "--out", hugonet, *COMMON)
    assert done.returncode == 2
    assert "--resume" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("--resume", "--epochs", "9"), 2, "--epochs is 9, and the run began with 4"),
        (("--resume", "--lr", "fast"), 2, "--lr"),
        ((), 2, "already holds a run"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(hugonet, words, code, complaint):
    done = train("hugonet", "--out", hugonet, *words)
    assert (done.returncode, complaint in done.stderr, "Traceback" in done.stderr) == (code, True, False)


def test_a_damaged_picture_is_named_and_once_it_is_whole_the_run_goes_on(faces, tmp_path):
    data = rendered(tmp_path / "faces", 4, side=40)
    damaged = data / "grace_hopper" / "002.png"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    words = ("--out", tmp_path / "run", *COMMON, *TINY["hugonet"], "--epochs", "1")
    done = train("hugonet", *faces[:2], "--validation", data, *words)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert f"error: 1 of 72 images cannot be read: {damaged}" in done.stderr
    damaged.write_bytes(whole)
    done = train("hugonet", "--out", tmp_path / "run", "--resume")
    assert done.returncode == 0, done.stderr


def test_another_kind_cannot_resume_it(hugonet):
    done = train("compact", "--out", hugonet, "--resume")
    assert done.returncode == 2
    assert "trains hugonet" in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_every_kinds_help_shows_how_to_begin_and_how_to_resume(kind):
    done = train(kind, "--help")
    assert f"facesecure-train train {kind} --data" in done.stdout
    assert "--resume" in done.stdout
