"""The loop: what is resumed ends as what never stopped, and what goes wrong is said."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facesecure.domain.errors import FacesecureError
from facesecure_training.recipes import loop as loops
from facesecure_training.recipes.run_folder import RunFolder

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")


def made(path: Path, *, epochs: int = 4, eager: bool = False, patience: int = 0, **toy):
    from facesecure_training.recipes.optimizers.cycled_adam import CycledAdam
    from facesecure_training.recipes.optimizers.schedules import one_cycle
    from facesecure_training.recipes.training_log import TrainingLog
    from support.training.toy_recipe import Toy

    recipe, folder = Toy(**toy), RunFolder(path)
    path.mkdir(exist_ok=True)
    adam = CycledAdam.following(one_cycle(epochs * recipe.steps, 0.03))
    return loops.TrainingLoop(TrainingLog(recipe, folder, epochs=epochs, patience=patience), adam, eager=eager)


class PowerCut(Exception):
    """The end of a process, as far as it can be had within one."""


def power_fails() -> None:
    raise PowerCut


def before_each(step, count: int, happens):
    """``step``, and ``happens`` before the one that follows ``count`` of them."""
    steps = []

    def watched(batch):
        if len(steps) == count:
            happens()
        steps.append(batch)
        return step(batch)

    return watched


def weights(loop) -> list[np.ndarray]:
    return [variable.numpy() for variable in loop._variables()]


def same(first, second) -> bool:
    return all((a == b).all() for a, b in zip(weights(first), weights(second), strict=True))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    loop = made(tmp_path_factory.mktemp("whole"))
    loop.run()
    loop.record.__exit__()
    return loop


@pytest.mark.parametrize("fails_at", [3, 9, 15])
def test_killed_within_an_epoch_and_resumed_it_ends_at_the_same_weights(uninterrupted, tmp_path, monkeypatch, fails_at):
    monkeypatch.setattr(loops, "SAVE_EVERY_S", 0)  # a state after every step
    killed = made(tmp_path)
    killed.step = before_each(killed.step, fails_at, power_fails)
    with killed.record, pytest.raises(PowerCut):
        killed.run()
    again = made(tmp_path)
    with again.record:
        again.resume()
        assert (again.record.progress.epoch, again.record.progress.step) == divmod(fails_at, 6)
        again.run()
    assert same(again, uninterrupted)
    assert again.record.progress == uninterrupted.record.progress
    assert again.record.folder.curves.read_text() == uninterrupted.record.folder.curves.read_text()
    best = [tf.keras.models.load_model(one.record.folder.best).get_weights() for one in (again, uninterrupted)]
    assert all((a == b).all() for a, b in zip(*best, strict=True))


def test_ctrl_c_waits_for_the_step_saves_and_goes_on_from_there(uninterrupted, tmp_path):
    loop = made(tmp_path)
    loop.step = before_each(loop.step, 8, lambda: os.kill(os.getpid(), signal.SIGINT))
    with loop.record, pytest.raises(KeyboardInterrupt):
        loop.run()
    assert (loop.record.progress.epoch, loop.record.progress.step) == (1, 3)
    again = made(tmp_path)
    with again.record:
        again.resume()
        again.run()
    assert same(again, uninterrupted)


def test_the_loss_falls_and_a_line_an_epoch_says_so(uninterrupted):
    folder = uninterrupted.record.folder
    with folder.curves.open() as file:
        lines = list(csv.DictReader(file))
    assert [float(line["epoch"]) for line in lines] == [1, 2, 3, 4]
    assert float(lines[-1]["loss"]) < 0.85 * float(lines[0]["loss"])
    assert folder.chart.read_bytes().startswith(b"\x89PNG")


def test_tensorboard_finds_every_figure_of_every_epoch(uninterrupted):
    from tensorflow.core.util.event_pb2 import Event

    (file,) = uninterrupted.record.folder.events.iterdir()
    events = [Event.FromString(raw.numpy()) for raw in tf.data.TFRecordDataset(str(file))]
    found = [(event.step, value.tag, value.metadata.plugin_data.plugin_name)
             for event in events for value in event.summary.value]  # fmt: skip
    assert {(step, "val_loss", "scalars") for step in (1, 2, 3, 4)} <= set(found)


def test_eagerly_it_computes_the_same(uninterrupted, tmp_path):
    loop = made(tmp_path, eager=True)
    with loop.record:
        loop.run()
    for found, wanted in zip(weights(loop), weights(uninterrupted), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-5)


def test_a_loss_that_is_no_number_stops_it_before_anything_is_kept(tmp_path):
    loop = made(tmp_path)
    loop.recipe.network.layers[-1].kernel.assign(np.full((8, 2), np.nan, np.float32))
    with loop.record, pytest.raises(FacesecureError, match=r"the loss is nan at epoch 1, step 1") as raised:
        loop.run()
    assert "lower --lr" in raised.value.hint
    assert not loop.record.folder.state.exists()


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_a_validation_that_is_no_number_stops_it_before_the_network_passes_for_the_best(tmp_path, figure):
    loop = made(tmp_path)
    loop.recipe.validations = [0.5, figure]
    with loop.record, pytest.raises(FacesecureError, match=r"val_loss is (nan|inf) at epoch 2: the training diverged"):
        loop.run()
    assert (loop.record.progress.best_epoch, len(loop.record.progress.history)) == (1, 1)


def test_so_it_stops_a_head(tmp_path):
    from facesecure_training.recipes.head import fit_head

    loop = made(tmp_path)
    loop.recipe.validations = [float("nan")]
    with loop.record, pytest.raises(FacesecureError, match=r"val_loss is nan at epoch 1: the training diverged"):
        fit_head(loop.record, tf.keras.optimizers.Adam(0.01))
    assert not loop.record.folder.best.exists()


def test_without_progress_it_ends_early_and_the_best_is_the_one_kept(tmp_path):
    loop = made(tmp_path, epochs=9, patience=2)
    loop.recipe.validations = [0.5, 0.3, 0.4, 0.35, 0.1]
    with loop.record:
        progress = loop.run()
    assert (progress.epoch, progress.best_epoch, progress.best) == (4, 2, 0.3)
    assert progress.finished == "no progress in 2 epochs"


def test_a_finished_run_that_is_resumed_has_nothing_to_do(uninterrupted):
    again = made(uninterrupted.record.folder.path)
    with again.record:
        again.resume()
        again.step = None
        assert again.run().finished == "all epochs done"


def halved(content: bytes) -> bytes:
    return content[: len(content) // 2]


def with_a_bit_turned(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage", [halved, with_a_bit_turned, lambda _: b"", lambda _: b"half a file", lambda _: bytes(range(1, 200))]
)
def test_a_damaged_state_is_named_not_resumed(uninterrupted, tmp_path, damage):
    from facesecure_training.recipes.checkpoint import kept

    loop = made(tmp_path)
    state = loop.record.folder.state
    state.write_bytes(damage(uninterrupted.record.folder.state.read_bytes()))
    with loop.record, pytest.raises(FacesecureError, match=r"state\.npz is damaged\n") as raised:
        loop.resume()
    assert "--out" in raised.value.hint
    assert not kept(state) or damage is with_a_bit_turned, "what is damaged elsewhere may still tell its progress"


def test_a_state_that_cannot_be_read_is_not_called_damaged(tmp_path):
    loop = made(tmp_path)
    loop.record.folder.state.mkdir()
    with loop.record, pytest.raises(FacesecureError, match=r"state\.npz cannot be read \(Is a directory\)"):
        loop.resume()


MIRRORED = """
import sys
from pathlib import Path
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from facesecure_training.recipes.optimizers.cycled_adam import CycledAdam
from facesecure_training.recipes.loop import TrainingLoop
from facesecure_training.recipes.training_log import TrainingLog
from facesecure_training.recipes.run_folder import RunFolder
from support.training.toy_recipe import Toy

def trained(strategy, path):
    with strategy.scope():
        recipe = Toy(dropout=0.0, normalised=False)
        adam = CycledAdam(0.01)
    path.mkdir()
    with TrainingLog(recipe, RunFolder(path), epochs=2) as record:
        TrainingLoop(record, adam, strategy=strategy).run()
    return record

one = trained(tf.distribute.get_strategy(), Path(sys.argv[1]) / "one")
two = trained(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), Path(sys.argv[1]) / "two")
for a, b in zip(one.recipe.network.get_weights(), two.recipe.network.get_weights(), strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
losses = [[row["loss"] for row in record.progress.history] for record in (one, two)]
np.testing.assert_allclose(*losses, rtol=1e-4)
print("equal")
"""


def test_two_devices_with_half_a_batch_each_learn_what_one_learns(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MIRRORED, tmp_path], capture_output=True, text=True, timeout=600,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    assert done.stdout.strip().endswith("equal"), done.stderr[-2000:]


def test_what_an_interrupted_run_keeps_is_told(tmp_path):
    from facesecure_training.recipes.checkpoint import kept

    loop = made(tmp_path)
    loop.step = before_each(loop.step, 8, lambda: os.kill(os.getpid(), signal.SIGINT))
    with loop.record, pytest.raises(KeyboardInterrupt):
        loop.run()
    assert kept(loop.record.folder.state) == "1 complete epoch and 3 steps of epoch 2"
    assert kept(tmp_path / "nowhere") == ""


def test_each_epoch_tells_the_pace_the_memory_and_the_time_left(tmp_path, capfd):
    loop = made(tmp_path)
    loop.record.images_a_step = 4
    with loop.record:
        loop.run()
    told = " ".join(capfd.readouterr().err.split())
    assert "images/s" in told
    assert " MB" in told
    assert "s left" in told
