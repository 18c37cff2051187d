"""``train discriminant``: from a DenseNet and a few people to a network that the daemon runs."""

from __future__ import annotations

import json
import shutil
import warnings

import numpy as np
import pytest
from typer.testing import CliRunner

from facesecure.domain.errors import FacesecureError
from facesecure.vision.inference.interpreter import Interpreter
from facesecure_training.cli.main import app
from facesecure_training.common.optional_dependencies import tensorflow
from support.training.class_folders import rendered
from support.training.tiny_networks import embedder, saved

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
pytest.importorskip("tensorflow", reason="needs the [training] extra")
FACES = np.random.default_rng(0).integers(0, 255, (3, 112, 112, 3), np.uint8)


def trained(*words: object):
    return CliRunner().invoke(app, ["train", "discriminant", *map(str, words)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from facesecure_training.networks.densenet import densenet

    tensorflow().keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("discriminant")
    rendered(folder / "people", 6, 112)
    rendered(folder / "others", 4, 112)
    saved(densenet((1, 1, 1), growth=4, embedding=8, side=64, normalise=True), folder / "net.keras")
    return folder


@pytest.fixture(scope="module")
def words(folder):
    return (
        "--data", folder / "people", "--validation", folder / "others", "--initial", folder / "net.keras",
        "--axes", 4, "--components", 20, "--pairs", 20, "--cache", folder / "cache",
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(folder, words):
    done = trained(*words, "--out", folder / "run")
    assert done.exit_code == 0, done.output
    assert "area under the curve on other people" in done.stdout
    return folder / "run"


def test_the_run_holds_the_network_its_settings_and_its_figures(run):
    from facesecure_training.networks import saved

    config = json.loads((run / "config.json").read_text())
    assert config["kind"] == "discriminant"
    assert (config["settings"]["axes"], config["pictures"]["train"]) == (4, 12)
    assert (run / "curves.csv").read_text().startswith("epoch,val_auc,val_accuracy\n1.0,")
    found = saved.read(run)(FACES).numpy()
    assert found.shape == (3, 5 * 4)  # three banks, and the maps before two transitions
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_face_and_its_mirror_image_are_the_same_to_it(run):
    from facesecure_training.networks import saved

    network = saved.read(run)
    assert network(FACES).numpy() == pytest.approx(network(FACES[:, :, ::-1]).numpy(), abs=1e-4)


@pytest.mark.parametrize(("precision", "apart"), [("float16", 0.003), ("mixed8", 0.2)])
def test_it_is_exported_to_what_the_interpreter_runs(run, precision, apart):
    from facesecure_training.export import operations
    from facesecure_training.export.convert import to_tflite
    from facesecure_training.networks import saved

    network = saved.read(run)
    content = to_tflite(network, precision)
    operations.require_supported(content)
    graph = Interpreter(content)
    found = np.concatenate([graph.invoke(face[None])[0].reshape(1, -1) for face in FACES])
    assert found == pytest.approx(network(FACES).numpy(), abs=apart)


def test_the_same_seed_gives_the_same_network(run, words, folder):
    from facesecure_training.networks import saved

    assert trained(*words, "--out", folder / "again").exit_code == 0
    one, other = (saved.read(path).get_weights() for path in (run, folder / "again"))
    assert all(np.allclose(first, second, atol=1e-5) for first, second in zip(one, other, strict=True))


def test_a_run_is_not_overwritten(run, words):
    done = trained(*words, "--out", run)
    assert isinstance(done.exception, FacesecureError)
    assert "already holds a run" in str(done.exception)


def test_a_network_that_is_no_densenet_is_refused_before_anything_is_written(words, folder, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        saved(embedder(), tmp_path / "other.keras")
    done = trained(*words, "--initial", tmp_path / "other.keras", "--out", tmp_path / "run")
    assert isinstance(done.exception, FacesecureError)
    assert "no DenseNet" in str(done.exception)
    assert not (tmp_path / "run").exists()


def test_one_person_alone_is_refused(words, folder, tmp_path):
    (tmp_path / "one").mkdir()
    person = next(path for path in (folder / "people").iterdir() if path.is_dir())
    shutil.copytree(person, tmp_path / "one" / person.name)
    done = trained(*words, "--data", tmp_path / "one", "--out", tmp_path / "run")
    assert isinstance(done.exception, FacesecureError)
    assert "add a folder of at least one other person" in str(done.exception)
