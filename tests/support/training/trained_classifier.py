"""A real classifier, small: trained in seconds to separate Grace Hopper from other people, exported, and measured.

``PYTHONPATH=tests python -m support.training.trained_classifier FOLDER`` puts door.tflite and its card there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, GRACE_HOPPER
from facesecure.domain import Image
from facesecure.recognition.classifier import FaceClassifier
from facesecure.recognition.classifier_scores import Outputs, fit
from facesecure.vision.images.align import ALIGNMENT, SIZE
from facesecure.vision.inference.model_card import Model, ModelCard, load_model
from support.portraits import Somebody

LABELS = (GRACE_HOPPER.name, "unknown")
_SEED = 1


def export_classifier(folder: Path) -> Path:
    """Train, convert, measure on images and people held back, and write it. Returns the .tflite's path."""
    from facesecure_training.common import model_bundle
    from facesecure_training.export.convert import to_tflite

    facts = {
        "name": "door",
        "task": "face-classification",
        "labels": LABELS,
        "input": {"shape": [1, SIZE, SIZE, 3]},
        "outputs": [{"name": "probabilities", "shape": [1, 2], "meaning": "of each label"}],
        "precision": "float32",
        "origin": "trained in a test",
        "licence": "Apache-2.0",
        "dataset": "two portraits",
        "alignment": ALIGNMENT,
        "classifier": {"unknown": ["unknown"]},
    }
    model_bundle.write(folder, to_tflite(_trained(), "float32"), facts, (1, SIZE, SIZE, 3), 1e-3)
    path = folder / "door.tflite"
    model_bundle.save(folder, _measured(load_model(path)))
    return path


def _measured(model: Model) -> ModelCard:
    """The card, with the file's scores on images and people held back."""
    classifier = FaceClassifier(model, unmeasured=True)

    def outputs(groups: Iterable[list[Image]]) -> list[Outputs]:
        return [np.stack([classifier.classify(crop) for crop in group]) for group in groups]

    family, strangers = {GRACE_HOPPER.name: outputs(_visits())}, outputs(_crops_of_others(50, 2, seed=3))
    found = fit(classifier.facts, classifier.labels, family, strangers, dataset="bent portraits")
    return model.card.model_copy(update={"classifier": found.facts, "thresholds": found.thresholds})


def _trained() -> Any:
    from facesecure_training.common.optional_dependencies import tensorflow

    keras = tensorflow().keras
    keras.utils.set_random_seed(_SEED)
    model = _network(keras)
    grace = Somebody.of(GRACE_HOPPER).crops(80, seed=1)
    others = [crop for one in _crops_of_others(40, 2, seed=2) for crop in one]
    pictures = np.stack([*grace, *others])
    classes = np.array([0] * len(grace) + [1] * len(others))
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(pictures, classes, batch_size=16, epochs=10, verbose=0)
    return model


def _network(keras: Any) -> Any:
    picture = keras.Input((SIZE, SIZE, 3), dtype="uint8")
    maps = keras.layers.Rescaling(1 / 127.5, offset=-1)(picture)
    maps = keras.layers.AveragePooling2D(2)(maps)
    for filters in (8, 16, 32):
        maps = keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(maps)
    flat = keras.layers.Reshape((7 * 7 * 32,))(maps)
    return keras.Model(picture, keras.layers.Dense(2, activation="softmax")(flat))


def _visits() -> list[list[Image]]:
    return [Somebody.of(GRACE_HOPPER).crops(4, seed=100 + number) for number in range(5)]


def _crops_of_others(people: int, pictures: int, seed: int) -> list[list[Image]]:
    others = Somebody.of(EILEEN_COLLINS).others(people, seed)
    return [one.crops(pictures, seed=1000 * seed + number) for number, one in enumerate(others)]


if __name__ == "__main__":
    export_classifier(Path(sys.argv[1]))
