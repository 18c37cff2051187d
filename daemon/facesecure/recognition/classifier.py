"""The recogniser by classes: a network that learnt, of each person by name, what they look like.

There is no enrolment: whoever it is to know, it was trained on. An embedding model works beside it, because a
classifier knows nothing of whom it did not learn: by embeddings strangers are told apart (visitors) and animals from
people.
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
from facesecure.vision.inference.card_fields import ClassifierFacts
from facesecure.vision.inference.model_card import Model, ModelCard

_MEASURE = "measure it: facesecure-train evaluate classifier NAME.tflite --data DIR --strangers DIR --write-card"
_EXPORT = "export it again with facesecure-train"


class FaceClassifier:
    """Runs one classifier as its card says. Not safe for two threads at once; make one for each."""

    def __init__(self, model: Model, *, threads: int = 1, unmeasured: bool = False) -> None:
        """Raises ModelError where ``model`` is no classifier of faces, or its card leaves something open.

        ``unmeasured`` takes one of which nobody knows yet how its scores spread.
        """
        self.card, self.facts = model.card, facts_of(model.card, unmeasured=unmeasured)
        self.labels, self.names = labels_of(model.card), names_of(model.card)
        self._graph = model.interpreter(threads=threads)
        self._shape = self._graph.inputs[0].shape[1:]
        self._require_shapes()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of what it looks at."""
        return self._shape[0], self._shape[1]

    def crop_context(self, image: Image, box: Box) -> Image | None:
        """The loose crop it learnt on, of the face in ``box`` of ``image``; None where that is the aligned face."""
        loose = self.facts.crop
        return None if loose is None else square_crop(image, box, margin=loose.margin, size=self.size)

    def classify(self, crop: Image) -> NDArray[np.float32]:
        """What the network says of ``crop``, uint8 RGB (height, width, 3): float32 (labels,), as its card reads it."""
        if crop.shape != self._shape or crop.dtype != np.uint8:
            raise ValueError(f"this classifier looks at uint8 {self._shape}, not {crop.dtype} {crop.shape}")
        seen = brightened(crop) if self.facts.light == "brightened" else crop
        (outputs,) = self._graph.invoke(np.ascontiguousarray(seen)[None])
        return np.asarray(outputs[0], np.float32)

    def scores(self, crop: Image) -> dict[str, float]:
        """The score of everybody it knows by name; see ``classifier_scores``."""
        found = scores_of(self.classify(crop)[None], self.facts.output)[0]
        return {label: float(score) for label, score in zip(self.labels, found, strict=True) if label in self.names}

    def _require_shapes(self) -> None:
        card, aligned = self.card, self.facts.crop is None
        if aligned and self.size != (SIZE, SIZE):
            raise ModelError(f"{card.name} looks at {self.size} pixels, and an aligned face has {SIZE}x{SIZE}", _EXPORT)
        if self._graph.outputs[0].shape != (1, len(self.labels)):
            outputs = self._graph.outputs[0].shape
            raise ModelError(f"{card.name} has {len(self.labels)} labels for outputs {list(outputs)}", _EXPORT)


class ClassifierRecognizer:
    """Scores are log-odds, -1 to 1, of everybody the classifier knows by name."""

    def __init__(
        self, classifier: FaceClassifier, embedder: Embedder, model_sha256: str, doubts: Doubts = accept_all
    ) -> None:
        """``embedder``, whose model has that ``model_sha256``, makes the embeddings that visitors are told apart by."""
        self._classifier, self._embedder, self._model_sha256, self._doubts = classifier, embedder, model_sha256, doubts

    def crop_context(self, image: Image, box: Box) -> Image | None:
        return self._classifier.crop_context(image, box)

    def identify(self, face: AlignedFace) -> Recognition:
        embedding = self._embedder.embed(face.image)
        scores = self._classifier.scores(face.image if face.loose is None else face.loose)
        return Recognition(scores, embedding, self._model_sha256, self._doubts(embedding), cosines=False)


def facts_of(card: ModelCard, *, unmeasured: bool = False) -> ClassifierFacts:
    """How the classifier with ``card`` is asked. Raises ModelError where it is none, or nobody measured it.

    It may be ``unmeasured`` where that is what is about to be done.
    """
    if card.task != "face-classification" or card.classifier is None:
        raise ModelError(
            f"{card.name} is no classifier of faces ({card.task})",
            'set [recognizer] model to the .tflite of a classifier, or kind = "embedding"',
        )
    facts = card.classifier
    if facts.crop is None and card.alignment != ALIGNMENT:
        raise ModelError(f"the card of {card.name} does not say what it looks at: alignment or crop", _EXPORT)
    missing = [name for name in names_of(card) if name not in facts.scores]
    if (missing or facts.strangers == 0) and not unmeasured:
        raise ModelError(f"nobody measured whom {card.name} takes for {', '.join(missing) or 'anybody'}", _MEASURE)
    return facts


def labels_of(card: ModelCard) -> tuple[str, ...]:
    """Its classes in the order of its outputs. Raises ModelError where there are not two."""
    labels = card.labels or ()
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise ModelError(f"the card of {card.name} does not name two classes or more, each once", _EXPORT)
    return labels


def names_of(card: ModelCard) -> tuple[str, ...]:
    """Whom the classifier with ``card`` knows by name. Raises ModelError where that is nobody, or no name."""
    unknown = card.classifier.unknown if card.classifier else ()
    names = tuple(label for label in labels_of(card) if label not in unknown)
    if not names or not set(unknown) <= set(labels_of(card)):
        raise ModelError(f"the card of {card.name} names nobody, or an unknown class that is none of its", _EXPORT)
    try:
        keys = {name_key(name) for name in names}
    except FacesecureError as error:
        raise ModelError(f"a class of {card.name} cannot be a name: {error.message}", _EXPORT) from error
    if len(keys) < len(names):
        raise ModelError(f"two classes of {card.name} have one name, but for case: {', '.join(names)}", _EXPORT)
    return names
