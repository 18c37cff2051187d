"""Every form of a trained network: near to Keras on both runtimes, with a card that the daemon reads."""

import dataclasses

import numpy as np
import pytest

from facesecure.domain.errors import ModelError, UsageError
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.vision.inference.model_card import load_model
from facesecure_training.export import operations
from facesecure_training.export.forms import FORMS, Exported, ExportRequest, Refused, export
from facesecure_training.export.trained import Identity
from support.training.tiny_networks import OTHER_PYTHON, SIDE, classifier, crops, embedder

pytest.importorskip("tensorflow", reason="needs the [training] extra")
pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

PEOPLE = Identity(classes=("alice", "bob", "unknown"), crop="loose", dataset="squares", licence="CC0-1.0")


@pytest.fixture(scope="module")
def python():
    """None where tflite-runtime is not there: then LiteRT alone is tried."""
    return OTHER_PYTHON if OTHER_PYTHON.exists() else None


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return crops(tmp_path_factory.mktemp("crops"))


@pytest.fixture(scope="module")
def door(tmp_path_factory, data, python) -> dict[str, Exported]:
    order = ExportRequest("door", tmp_path_factory.mktemp("models"), list(FORMS), data=data, python=python)
    found = list(export(classifier(), PEOPLE, order))
    refused = [one for one in found if isinstance(one, Refused)]
    assert not refused, refused
    return {one.form: one for one in found}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_comes_near_to_keras(door, form):
    assert door[form].proof.holds
    assert door[form].proof.samples == 12


@pytest.mark.parametrize("form", ["float", "float16", "dynamic", "mixed", "int8"])
def test_the_daemon_reads_the_card_and_gets_the_golden_output(door, form):
    model = load_model(door[form].file)
    assert model.card.task == "face-classification"
    assert (model.card.labels, model.card.classifier.unknown) == (("alice", "bob", "unknown"), ("unknown",))
    assert (model.card.dataset, model.card.licence) == ("squares", "CC0-1.0")
    assert model.verify() <= model.card.golden.tolerance
    assert model.card.parity[0].value <= model.card.parity[0].tolerance


def test_a_network_that_gives_no_numbers_is_refused_as_such_and_not_for_its_conversion(tmp_path):
    network = classifier()
    network.set_weights([np.full_like(weights, np.nan) for weights in network.get_weights()])
    with pytest.raises(ModelError, match="the network itself gives NaN") as error:
        list(export(network, PEOPLE, ExportRequest("door", tmp_path, ["float16"])))
    assert "--lr" in error.value.hint
    assert not any(tmp_path.iterdir())


def test_smaller_forms_are_smaller(door):
    sizes = [door[form].size for form in ("float", "float16", "dynamic")]
    assert sizes == sorted(sizes, reverse=True)


def test_both_runtimes_ran_every_form_and_were_timed(door):
    if not OTHER_PYTHON.exists():
        pytest.skip("there is no .venv-tflite with tflite-runtime (make setup builds it)")
    for one in door.values():
        assert [run.runtime for run in one.readings] == ["litert", "tflite-runtime"]
        assert all(run.milliseconds > 0 for run in one.readings)
    assert set(load_model(door["float16"].file).card.timing) == {"litert", "tflite-runtime"}


def test_xnnpack_takes_a_float_graph_whole_but_for_the_cast(door):
    """A Flatten behind an open batch would leave it nothing on tflite-runtime."""
    for run in door["float"].readings:
        assert run.delegation.delegated >= run.delegation.nodes - 1


def test_int8_takes_and_gives_what_the_daemon_hands_it(door):
    graph = load_model(door["int8"].file).interpreter()
    assert (graph.inputs[0].dtype, graph.outputs[0].dtype) == (np.uint8, np.float32)


def test_the_edge_tpu_form_is_whole_numbers_throughout_and_has_no_card(door):
    assert door["edgetpu"].tpu == []
    assert not door["edgetpu"].file.with_suffix(".json").exists()
    assert any("DEQUANTIZE" in problem for problem in door["int8"].tpu)
    assert any("FLOAT32 is not 8 bits" in problem for problem in door["float"].tpu)


def test_an_embedder_keeps_its_directions_and_its_normalisation_runs_on_an_edge_tpu(tmp_path, data, python):
    order = ExportRequest("face", tmp_path, ["float16", "edgetpu"], data=data, python=python)
    half, tpu = export(embedder(), Identity(), order)
    assert (half.proof.kind, half.proof.holds, tpu.tpu) == ("direction", True, [])
    assert ModelEmbedder(load_model(tmp_path / "face-float16.tflite")).size == 16


def test_points_that_are_no_directions_are_held_against_their_own_distances(tmp_path, data):
    (one,) = export(embedder(unit=False), Identity(), ExportRequest("points", tmp_path, ["int8"], data=data))
    assert one.proof.kind == "point"
    assert 0 < one.proof.value < 0.25
    assert one.file.name == "points.tflite"


def test_a_form_that_strays_is_refused_and_nothing_is_written(tmp_path, data):
    order = ExportRequest("door", tmp_path / "models", ["int8"], data=data, tolerance=1e-9)
    (one,) = export(classifier(), PEOPLE, order)
    assert isinstance(one, Refused)
    assert "int8 on litert deviates from Keras: largest difference of a probability" in one.error.message
    assert not (tmp_path / "models").exists()


def test_int8_without_crops_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="real faces"):
        list(export(classifier(), PEOPLE, ExportRequest("door", tmp_path, ["int8"])))


def test_classes_that_are_not_the_networks_are_wrong_usage(tmp_path, data):
    two = dataclasses.replace(PEOPLE, classes=("alice", "bob"))
    with pytest.raises(UsageError, match="3 outputs, but 2 classes"):
        list(export(classifier(), two, ExportRequest("door", tmp_path, ["float"], data=data)))


def test_without_crops_the_shipped_portraits_prove_it(tmp_path):
    (one,) = export(embedder(), Identity(), ExportRequest("face", tmp_path, ["float"]))
    assert one.proof.samples == 12
    assert load_model(one.file).card.input.shape == (1, SIDE, SIDE, 3)


def test_what_a_runtime_on_the_pi_lacks_is_refused_by_name(tmp_path, data, monkeypatch):
    monkeypatch.setitem(operations._known()["tflite-runtime"]["newest"], "SOFTMAX", 0)
    (one,) = export(classifier(), PEOPLE, ExportRequest("door", tmp_path, ["float"], data=data))
    assert isinstance(one, Refused)
    assert isinstance(one.error, ModelError)
    assert "tflite-runtime 2.14.0 cannot run SOFTMAX version 1" in one.error.message
