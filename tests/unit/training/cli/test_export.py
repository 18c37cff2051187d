"""``facesecure-train export`` as people use it."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from facesecure.domain.errors import FacesecureError
from facesecure.vision.inference.interpreter import Interpreter
from facesecure.vision.inference.model_card import load_model
from facesecure_training.cli.main import app
from support.training.tiny_networks import classifier, crops, embedder, saved

pytest.importorskip("tensorflow", reason="needs the [training] extra")
pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run's folder as ``train`` leaves it."""
    folder = tmp_path_factory.mktemp("runs") / "front-door"
    folder.mkdir()
    saved(classifier(), folder / "best.keras")
    (folder / "config.json").write_text(
        json.dumps({"kind": "compact", "settings": {"data": "/data/family"}, "classes": ["ann", "ben", "unknown"]})
    )
    return folder


def export(*words: object):
    return CliRunner().invoke(app, ["export", *map(str, words)])


def test_a_run_is_exported_with_what_it_wrote_down(run, tmp_path):
    done = export(run, "--into", tmp_path, "--data", crops(tmp_path / "crops"))
    assert done.exit_code == 0, done.output
    assert "float16" in done.stdout
    card = load_model(tmp_path / "front-door.tflite").card
    assert card.labels == ("ann", "ben", "unknown")
    assert (card.dataset, card.origin) == ("family", "facesecure-train train compact")
    assert card.classifier.crop.margin == 0.25


def test_json_holds_every_form_with_parity_runtimes_and_the_edge_tpu(run, tmp_path):
    done = export(
        run, "--form", "dynamic", "--form", "edgetpu", "--into", tmp_path, "--data", crops(tmp_path / "c"), "--json"
    )
    document = json.loads(done.stdout)
    assert [one["form"] for one in document["forms"]] == ["dynamic", "edgetpu"]
    for one in document["forms"]:
        assert one["parity"]["value"] <= one["parity"]["tolerance"]
        assert one["runtimes"]["litert"]["milliseconds"] > 0
    assert [one["edgetpu"]["ready"] for one in document["forms"]] == [False, True]


def test_a_refused_form_fails_and_says_why(run, tmp_path):
    done = export(run, "--form", "float16", "--tolerance", "0", "--into", tmp_path, "--data", crops(tmp_path / "c"))
    assert isinstance(done.exception, FacesecureError)
    assert "deviates from Keras" in str(done.exception)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--form", "int3"), "use one of: float, float16, dynamic, mixed, int8, edgetpu, all"),
        (("--crop", "round"), "use one of: aligned, loose"),
        (("--name", "a/b"), "not a valid model name"),
        (("--name", ".."), "not a valid model name"),
        (("--labels", "ann,ann,ben"), "two classes are named ann"),
        (("--form", "int8"), "real faces"),
        (("--mirrored",), "leave it out"),
    ],
)
def test_wrong_words_are_wrong_usage(run, tmp_path, words, complaint):
    done = export(run, "--into", tmp_path, *words)
    assert isinstance(done.exception, FacesecureError)
    assert done.exception.exit_code == 2
    assert complaint in str(done.exception)


def test_a_folder_without_a_model_says_so(tmp_path):
    done = export(tmp_path)
    assert "there is no Keras model" in str(done.exception)


@pytest.mark.slow
def test_an_embedder_is_mirrored_on_request_and_its_card_says_so(tmp_path):
    saved(embedder(), tmp_path / "my.keras")
    words = ("--mirrored", "--name", "both", "--into", tmp_path, "--data", crops(tmp_path / "crops"))
    assert export(tmp_path / "my.keras", *words).exit_code == 0
    model = load_model(tmp_path / "both.tflite")
    assert model.card.origin == "trained by facesecure-train, mirrored"
    face = np.random.default_rng(1).integers(0, 255, model.card.input.shape, np.uint8)
    graph = Interpreter(model.content)
    assert graph.invoke(face)[0] == pytest.approx(graph.invoke(np.ascontiguousarray(face[:, :, ::-1]))[0], abs=1e-3)
