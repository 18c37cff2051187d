"""Two processes that train one network by tf.distribute, as two machines do: the weights of one process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from support.ports import free_port
from support.training.class_folders import rendered

pytestmark = pytest.mark.tensorflow
pytest.importorskip("tensorflow", reason="needs the [training] extra")

TINY = (
    "--size", "32", "--batch", "8", "--threads", "1", "--seed", "4", "--width", "0.25", "--epochs", "2",
    "--lr", "0.001", "--strength", "0.3", "--schedule", "constant",
)  # fmt: skip


def begun(*words: object) -> subprocess.Popen[str]:
    program = "from facesecure_training.cli.main import main; main()"
    command = [sys.executable, "-c", program, "train", "hugonet", *map(str, words)]
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=quiet)


def ended(*processes: subprocess.Popen[str]) -> list[str]:
    """What each said on stderr, once all have ended well."""
    said = [process.communicate(timeout=600)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    return said


def together(out: Path, *words: object) -> list[subprocess.Popen[str]]:
    hosts = f"127.0.0.1:{free_port()},127.0.0.1:{free_port()}"
    shared = ("--out", out, "--strategy", "multi-worker", "--hosts", hosts)
    return [begun(*words, *shared, "--host", number) for number in (0, 1)]


def state(run: Path) -> dict[str, np.ndarray]:
    with np.load(run / "state.npz") as found:
        return {name: found[name] for name in found.files if name != "progress"}


@pytest.mark.slow
def test_two_processes_learn_the_weights_of_one_also_after_both_were_killed(tmp_path):
    data = rendered(tmp_path / "learnt", 16, side=40), rendered(tmp_path / "unseen", 4, side=40, seed=2)
    words = ("--data", data[0], "--validation", data[1], *TINY)
    alone = begun(*words, "--out", tmp_path / "alone")
    ended(alone)
    pair = together(tmp_path / "pair", *words)
    kept = [tmp_path / "pair" / "state.npz", tmp_path / "pair" / "worker-1" / "state.npz"]
    while not all(path.exists() for path in kept):  # the first epoch is done
        assert all(process.poll() is None for process in pair)
        time.sleep(0.05)
    for process in pair:
        process.kill()
        process.communicate()
    ended(*together(tmp_path / "pair", "--resume"))
    wanted, found = state(tmp_path / "alone"), state(tmp_path / "pair")
    assert wanted.keys() == found.keys()
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-3, atol=1e-4)
    other = state(tmp_path / "pair" / "worker-1")
    assert all(np.array_equal(found[name], other[name]) for name in found)
    assert (tmp_path / "pair" / "best.keras").is_file()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--strategy", "multi-worker"), "needs to know the machines"),
        (("--strategy", "multi-worker", "--hosts", "a:1"), "is no list of machines"),
        (("--strategy", "multi-worker", "--hosts", "a:1,b:2", "--host", "2"), "is none of the 2 machines"),
        (("--hosts", "a:1,b:2"), "is for several machines"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, words, complaint, monkeypatch):
    from typer.testing import CliRunner

    from facesecure.domain.errors import UsageError
    from facesecure_training.cli.main import app

    monkeypatch.delenv("TF_CONFIG", raising=False)
    done = CliRunner().invoke(
        app, ["train", "hugonet", "--data", str(tmp_path), "--out", str(tmp_path / "run"), *words]
    )
    assert isinstance(done.exception, UsageError)
    assert complaint in done.exception.message
