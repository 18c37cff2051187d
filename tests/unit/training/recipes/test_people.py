"""A network trained on batches of people who look alike tells others apart, and resumes as if never interrupted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure_training.recipes.run_folder import RunFolder
from facesecure_training.recipes.settings import SiameseSettings
from support.training.class_folders import rendered

pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")
SHAPE = {"size": 32, "blocks": "1,1", "growth": 4, "embedding": 8, "augment": "none"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> SiameseSettings:
    root = tmp_path_factory.mktemp("people")
    faces = [rendered(root / name, 8, 32, seed) for name, seed in (("train", 1), ("validation", 2))]
    shared = {"objective": "people", "batch": 8, "pairs": 32, "epochs": 3, "lr": 0.01, "alike": 1}
    return SiameseSettings(data=faces[0], validation=faces[1], **SHAPE, **shared)


def trained(settings: SiameseSettings, folder, **options):
    from facesecure_training.recipes.train import train

    return train("siamese-densenet", settings, RunFolder(folder), **options)


def weights(folder) -> dict[str, np.ndarray]:
    with np.load(folder / "state.npz") as found:
        return {name: found[name] for name in found.files if name != "progress"}


class PowerCut(Exception):
    """The end of a process, as far as it can be had within one."""


@pytest.mark.slow
def test_resumed_after_an_epoch_it_sees_the_people_it_found_alike_and_ends_at_the_same_weights(settings, tmp_path):
    whole = trained(settings, tmp_path / "whole")

    def power_fails(row) -> None:
        if row["epoch"] == 2:
            raise PowerCut

    with pytest.raises(PowerCut):
        trained(settings, tmp_path / "cut", after_epoch=power_fails)
    trained(settings, tmp_path / "cut", resume=True)
    first, second = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert first.keys() == second.keys()
    assert all((first[name] == second[name]).all() for name in first)
    assert sorted(first[max(first)].ravel().tolist()) == [0, 1], "each of the two people is most like the other"
    assert whole.best > 0.5


@pytest.mark.slow
def test_a_network_begins_with_the_weights_of_an_earlier_one_and_refuses_those_of_another_shape(settings, tmp_path):
    from facesecure_training.recipes.registry import KINDS

    trained(replace(settings, objective="arcface", epochs=2), tmp_path / "first")
    recipe = KINDS["siamese-densenet"].recipe(replace(settings, initial=tmp_path / "first"))
    best = tf.keras.models.load_model(tmp_path / "first" / "best.keras", compile=False)
    assert all((a == b).all() for a, b in zip(best.get_weights(), recipe.network.get_weights(), strict=True))
    assert sorted(recipe.memory[0].numpy().ravel()) == [0, 1], "who looks alike is known from the beginning"
    with pytest.raises(UsageError, match="another shape"):
        KINDS["siamese-densenet"].recipe(replace(settings, initial=tmp_path / "first", growth=8))


def test_of_a_batch_only_pairs_of_one_person_and_pairs_that_are_too_near_count():
    from facesecure_training.networks.contrastive import contrastive_in_batch

    embeddings = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 1.0], [9.0, 9.0]], np.float32)
    losses = contrastive_in_batch(np.array([1, 1, 2, 3]), embeddings, 2.0).numpy()
    assert losses == pytest.approx([9 / 2 + 1 / 2, 9 / 2, 1 / 2, 0], abs=1e-3)
