"""Recognise people with a classifier: a network that was trained on each of them by name.

There is no enrolment: a new person means new training. An embedding model works beside the classifier, which knows
nothing of other people: embeddings match strangers with earlier visitors, and separate people from animals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import AlignedFace, Box, Image, Recognition
from facesecure.domain.errors import FacesecureError, ModelError
from facesecure.domain.interfaces import Embedder
from facesecure.domain.names import name_key
from facesecure.recognition.classifier_scores import scores_of
from facesecure.recognition.human_filter import Doubts, accept_all
from facesecure.vision.images.align import ALIGNMENT, SIZE, square_crop
from facesecure.vision.images.illumination import brightened
from facesecure.vision.inference.backend import PROCESSOR, Backend
from facesecure.vision.inference.card_fields import ClassifierFacts
from facesecure.vision.inference.model_card import Model, ModelCard

_MEASURE = "measure it: facesecure-train evaluate classifier NAME.tflite --data DIR --strangers DIR --write-card"
_EXPORT = "export it again with facesecure-train"


class FaceClassifier:
    """Runs one classifier as its card describes. Not thread-safe: make one for each thread.

    Example::

        FaceClassifier(load_model("family.tflite")).scores(aligned.image)  # {"Anna": 0.4, "Tom": -0.6}
    """

    def __init__(self, model: Model, backend: Backend = PROCESSOR, *, unmeasured: bool = False) -> None:
        """Load ``model`` for inference on ``backend``.

        Raises ModelError if it is no face classifier, or its card is incomplete.
        ``unmeasured`` accepts a card without measured score distributions.
        """
        self.card, self.facts = model.card, facts_of(model.card, unmeasured=unmeasured)
        self.labels, self.names = labels_of(model.card), names_of(model.card)
        self._graph = model.interpreter(backend)
        self._shape = self._graph.inputs[0].shape[1:]
        self._require_shapes()

    @property
    def size(self) -> tuple[int, int]:
        """The size (height, width) of its input, pixels."""
        return self._shape[0], self._shape[1]

    def crop_context(self, image: Image, box: Box) -> Image | None:
        """Return the loose crop of the face in ``box`` that the classifier needs; None if it needs the aligned face."""
        loose = self.facts.crop
        return None if loose is None else square_crop(image, box, margin=loose.margin, size=self.size)

    def classify(self, crop: Image) -> NDArray[np.float32]:
        """Return the outputs, float32 (labels,), for ``crop``, uint8 RGB (height, width, 3).

        Raises ValueError for another shape or dtype.
        """
        if crop.shape != self._shape or crop.dtype != np.uint8:
            raise ValueError(f"the input of this classifier is uint8 {self._shape}, not {crop.dtype} {crop.shape}")
        prepared = brightened(crop) if self.facts.light == "brightened" else crop
        (outputs,) = self._graph.invoke(np.ascontiguousarray(prepared)[None])
        return np.asarray(outputs[0], np.float32)

    def scores(self, crop: Image) -> dict[str, float]:
        """Return the score of each person it was trained on, by name (see ``classifier_scores``)."""
        found = scores_of(self.classify(crop)[None], self.facts.output)[0]
        return {label: float(score) for label, score in zip(self.labels, found, strict=True) if label in self.names}

    def _require_shapes(self) -> None:
        card, aligned = self.card, self.facts.crop is None
        if aligned and self.size != (SIZE, SIZE):
            raise ModelError(
                f"the input of {card.name} is {self.size} pixels, and an aligned face has {SIZE}x{SIZE}", _EXPORT
            )
        if self._graph.outputs[0].shape != (1, len(self.labels)):
            outputs = self._graph.outputs[0].shape
            raise ModelError(f"{card.name} has {len(self.labels)} labels for outputs {list(outputs)}", _EXPORT)


class ClassifierRecognizer:
    """Scores a face by the log-odds, -1 to 1, of each person that the classifier was trained on.

    Example::

        ClassifierRecognizer(classifier, embedder, embedder.sha256).identify(aligned).ranked()
    """

    def __init__(
        self, classifier: FaceClassifier, embedder: Embedder, model_sha256: str, doubts: Doubts = accept_all
    ) -> None:
        """``embedder``, whose model has the ``model_sha256``, makes the embeddings by which visitors are matched."""
        self._classifier, self._embedder, self._model_sha256, self._doubts = classifier, embedder, model_sha256, doubts

    def crop_context(self, image: Image, box: Box) -> Image | None:
        """Return the loose crop that the classifier needs, None if it needs none."""
        return self._classifier.crop_context(image, box)

    def identify(self, face: AlignedFace) -> Recognition:
        """Return the scores of ``face`` for all classes with a name, with its embedding and doubts."""
        embedding = self._embedder.embed(face.image)
        scores = self._classifier.scores(face.image if face.loose is None else face.loose)
        return Recognition(scores, embedding, self._model_sha256, self._doubts(embedding), cosines=False)


def facts_of(card: ModelCard, *, unmeasured: bool = False) -> ClassifierFacts:
    """Return the classifier's part of ``card``. Raises ModelError if it is no classifier, or was not measured.

    ``unmeasured`` accepts one that was not, in order to measure it.
    """
    if card.task != "face-classification" or card.classifier is None:
        raise ModelError(
            f"{card.name} is not a face classifier ({card.task})",
            'set [recognizer] model to the .tflite of a classifier, or kind = "embedding"',
        )
    facts = card.classifier
    if facts.crop is None and card.alignment != ALIGNMENT:
        raise ModelError(f"the card of {card.name} does not describe its input: alignment or crop", _EXPORT)
    missing = [name for name in names_of(card) if name not in facts.scores]
    if (missing or facts.strangers == 0) and not unmeasured:
        raise ModelError(f"{card.name} has no measured scores for {', '.join(missing) or 'strangers'}", _MEASURE)
    return facts


def labels_of(card: ModelCard) -> tuple[str, ...]:
    """Return the classes in the order of the outputs. Raises ModelError unless there are at least two."""
    labels = card.labels or ()
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise ModelError(f"the card of {card.name} does not name two classes or more, each once", _EXPORT)
    return labels


def names_of(card: ModelCard) -> tuple[str, ...]:
    """Return the classes that are people's names. Raises ModelError if there are none, or one is no possible name."""
    unknown = card.classifier.unknown if card.classifier else ()
    names = tuple(label for label in labels_of(card) if label not in unknown)
    if not names or not set(unknown) <= set(labels_of(card)):
        raise ModelError(
            f"the card of {card.name} names no person, or lists an unknown class that it does not have", _EXPORT
        )
    try:
        keys = {name_key(name) for name in names}
    except FacesecureError as error:
        raise ModelError(f"a class of {card.name} cannot be a name: {error.message}", _EXPORT) from error
    if len(keys) < len(names):
        raise ModelError(f"two classes of {card.name} have names that differ only in case: {', '.join(names)}", _EXPORT)
    return names
