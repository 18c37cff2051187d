"""Any network as a function of a crop: the daemon's TFLite files through the daemon's own code, and Keras models.

Both give the same result: crops of another size are fitted to the network's, and they are brightened where the daemon
would brighten them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.domain.errors import ModelError, UsageError
from facesecure.recognition.classifier import FaceClassifier
from facesecure.recognition.classifier_scores import nobodies
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.storage.trusted_models import load_model
from facesecure.util.paths import expanded
from facesecure.vision.images.fitting import resized
from facesecure.vision.images.illumination import brightened
from facesecure.vision.images.photos import read_photo
from facesecure.vision.inference.card_fields import ClassifierFacts
from facesecure.vision.inference.model_card import Model
from facesecure_training.common.progress import with_progress

if TYPE_CHECKING:
    from facesecure_training.export.trained import Identity

Outputs = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Network:
    """A network that predicts from crops; an embedder or a classifier.

    ``predict`` maps a crop of ``size`` (height, width), uint8 RGB, to float32 (n,). ``model`` is None for Keras;
    ``sha256`` identifies the bytes. ``labels`` are a classifier's, and ``facts`` how its outputs are read; an embedder
    has neither.
    """

    name: str
    size: tuple[int, int]
    predict: Callable[[Image], Outputs]
    sha256: str
    model: Model | None = None
    labels: tuple[str, ...] = ()
    facts: ClassifierFacts | None = None

    def embed(self, crop: Image) -> Outputs:
        """Return the embedding of ``crop``, as ``domain.interfaces.Embedder`` requires."""
        return self.predict(resized(crop, self.size))

    def read(self, file: Path) -> Image:
        """Return the crop in ``file``, fitted to the network. Raises ImageError."""
        return resized(read_photo(file), self.size)

    def predict_files(self, files: Sequence[Path], what: str = "asking") -> Outputs:
        """Return the outputs for ``files``, float32 (files, n), in their order."""
        return np.stack([self.predict(self.read(file)) for file in with_progress(files, what)])


def open_network(name_or_path: str, state_dir: Path | None = None) -> Network:
    """Open a bundled or downloaded model by name, a path to NAME.tflite, a .keras file, or the folder of a run.

    Raises ModelError if there is none, or it neither embeds nor classifies.
    """
    path = expanded(name_or_path)
    if path.suffix == ".keras" or path.is_dir():
        return _of_keras(path)
    model = load_model(name_or_path, state_dir)
    return _classifier(model) if model.card.task == "face-classification" else _embedder(model)


def require_card(network: Network) -> Model:
    """Return the network's model. Raises UsageError for a Keras model, which has no card to write figures to."""
    if network.model is None:
        raise UsageError(
            f"{network.name} has no card", "export it first: facesecure-train export, then evaluate the file"
        )
    return network.model


def _classifier(model: Model) -> Network:
    classifier = FaceClassifier(model, unmeasured=True)
    return Network(
        model.card.name,
        classifier.size,
        classifier.classify,
        model.sha256,
        model,
        tuple(classifier.labels),
        classifier.facts,
    )


def _embedder(model: Model) -> Network:
    if model.card.task != "face-embedding":
        raise ModelError(
            f"{model.card.name} neither embeds nor classifies faces", "name an embedding model or a classifier"
        )
    height, width = model.interpreter().inputs[0].shape[1:3]
    return Network(model.card.name, (height, width), ModelEmbedder(model).embed, model.sha256, model)


def _of_keras(path: Path) -> Network:
    from facesecure_training.common.optional_dependencies import tensorflow
    from facesecure_training.export.trained import Identity
    from facesecure_training.networks import saved

    model, identity = saved.read(path), Identity.of_run(path)
    traced = tensorflow().function(lambda image: model(image, training=False))
    facts = _facts(identity) if identity.classes else None
    brighten = facts is None or facts.light == "brightened"

    def predict(crop: Image) -> Outputs:
        image: Any = (brightened(crop) if brighten else crop)[None]
        found: Outputs = np.asarray(traced(image), np.float32)[0]
        return found

    sha256 = hashlib.sha256(saved.file_of(path).read_bytes()).hexdigest()
    return Network(path.stem, saved.image_size(model), predict, sha256, None, identity.classes, facts)


def _facts(identity: Identity) -> ClassifierFacts:
    return ClassifierFacts(unknown=nobodies(identity.classes), light=identity.light)
