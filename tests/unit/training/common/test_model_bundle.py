"""Export to TFLite and the writing of cards, on P-Net with random weights."""

import json

import numpy as np
import pytest

from facesecure.vision.inference.interpreter import Interpreter
from facesecure.vision.inference.model_card import load_model
from facesecure_training.common import model_bundle
from facesecure_training.export.convert import to_tflite
from facesecure_training.networks import mtcnn

pytest.importorskip("tensorflow", reason="needs the [training] extra")
pytestmark = pytest.mark.tensorflow

SHAPE = (1, 16, 18, 3)
FACTS = {
    "name": "tiny",
    "task": "face-proposal",
    "input": {"shape": [1, None, None, 3]},
    "outputs": [
        {"name": "box", "shape": [1, None, None, 4], "meaning": "b"},
        {"name": "probability", "shape": [1, None, None, 1], "meaning": "p"},
    ],
    "precision": "float32",
    "origin": "random",
    "licence": "MIT",
    "dataset": "none",
}


@pytest.fixture(scope="module")
def model():
    random = np.random.default_rng(8)
    shapes = [(3, 3, 3, 10), (10,), (1, 1, 10), (3, 3, 10, 16), (16,), (1, 1, 16), (3, 3, 16, 32), (32,), (1, 1, 32)]
    shapes += [(1, 1, 32, 4), (4,), (1, 1, 32, 2), (2,)]
    return mtcnn.build(mtcnn.PNET, [random.normal(size=one).astype(np.float32) / 5 for one in shapes], SHAPE[:3])


@pytest.fixture(scope="module")
def exported(model) -> bytes:
    return to_tflite(model, "float32")


def outputs_by_channels(outputs) -> dict[int, np.ndarray]:
    return {output.shape[-1]: np.asarray(output) for output in outputs}


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("float16", 1e-2), ("int8", 0.5)])
def test_the_exported_file_computes_what_keras_computes(model, precision, tolerance):
    random = np.random.default_rng(9)
    samples = [random.integers(0, 256, SHAPE, dtype=np.uint8) for _ in range(8)]
    graph = Interpreter(to_tflite(model, precision, samples))
    ours, theirs = outputs_by_channels(graph.invoke(samples[0])), outputs_by_channels(model(samples[0]))
    assert max(np.abs(ours[channels] - theirs[channels]).max() for channels in (1, 4)) < tolerance


def test_what_is_written_loads_and_gives_its_golden_output(tmp_path, exported):
    card = model_bundle.write(tmp_path, exported, FACTS, SHAPE, 1e-3)
    assert card.delegation["litert"].partitions == 1
    assert load_model(tmp_path / "tiny.tflite").verify() < 1e-3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.json", "tiny.tflite"]


def test_a_card_has_one_line_for_each_field(tmp_path, exported):
    model_bundle.write(tmp_path, exported, FACTS, SHAPE, 1e-3)
    text = (tmp_path / "tiny.json").read_text()
    assert len(text.splitlines()) == len(json.loads(text)) + 2


def test_measured_figures_survive_another_import_of_the_same_bytes_only(tmp_path, exported, model):
    card = model_bundle.write(tmp_path, exported, FACTS, SHAPE, 1e-3)
    model_bundle.save(tmp_path, card.model_copy(update={"accuracy": {"recall": 0.5}}))
    assert model_bundle.write(tmp_path, exported, FACTS, SHAPE, 1e-3).accuracy == {"recall": 0.5}
    assert model_bundle.write(tmp_path, to_tflite(model, "float16"), FACTS, SHAPE, 1e-2).accuracy == {}
