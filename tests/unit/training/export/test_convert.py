"""Keras to TFLite when the straight way is barred, and when there is no way at all."""

import numpy as np
import pytest

from facesecure.domain.errors import ModelError
from facesecure.vision.inference.interpreter import Interpreter
from facesecure_training.export.convert import to_tflite
from facesecure_training.export.operations import required_operations
from support.training.tiny_networks import SIDE, classifier

tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")
pytestmark = pytest.mark.tensorflow

PICTURES = [np.random.default_rng(n).integers(0, 256, (1, SIDE, SIDE, 3), dtype=np.uint8) for n in range(6)]


@pytest.fixture
def straight_way_barred(monkeypatch):
    def refuse(model):
        raise AttributeError("'Functional' object has no attribute '_get_save_spec'")

    monkeypatch.setattr(tf.lite.TFLiteConverter, "from_keras_model", staticmethod(refuse))


@pytest.mark.usefixtures("straight_way_barred")
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("float16", 5e-3), ("int8", 0.15)])
def test_where_from_keras_model_fails_a_saved_model_is_taken_round(precision, tolerance, caplog):
    model = classifier()
    graph = Interpreter(to_tflite(model, precision, PICTURES))
    found = graph.invoke(PICTURES[0])[0]
    assert np.abs(found - np.asarray(model(PICTURES[0]))).max() < tolerance
    assert graph.delegation.delegated > 0
    assert "trying a SavedModel" in caplog.text


def test_a_network_that_cannot_be_written_out_anew_is_converted_as_it_is():
    class Half(tf.keras.layers.Layer):
        """Has no configuration, so that it cannot be cloned."""

        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def call(self, numbers):
            return numbers * self.factor

    picture = tf.keras.Input((SIDE, SIDE, 3), dtype="uint8")
    model = tf.keras.Model(picture, Half(0.5)(classifier()(picture)))
    found = Interpreter(to_tflite(model, "float32")).invoke(PICTURES[0])[0]
    assert np.abs(found - np.asarray(model(PICTURES[0]))).max() < 1e-5


def test_an_operation_that_tflite_cannot_express_is_named():
    picture = tf.keras.Input((SIDE, SIDE, 3), dtype="uint8")
    model = tf.keras.Model(picture, tf.keras.ops.erfinv(tf.keras.ops.cast(picture, "float32") / 300))
    with pytest.raises(ModelError, match=r"tf\.Erfinv, which no TFLite runtime on the Pi has"):
        to_tflite(model, "float32")


def test_dynamic_range_asks_for_no_dense_layer_that_tflite_runtime_lacks():
    (dense,) = [
        one for one in required_operations(to_tflite(classifier(), "dynamic8")) if one.kind == "FULLY_CONNECTED"
    ]
    assert dense.version <= 10
