"""An aligned face becomes a point: the embedding network behind ``stages.Embedder``."""

from __future__ import annotations

import numpy as np

from facesecure.domain import AlignedFace, Embedding, Image, Recognition
from facesecure.domain.errors import ModelError
from facesecure.domain.interfaces import Embedder
from facesecure.recognition.gallery import LiveGallery
from facesecure.recognition.human_filter import Doubts, accept_all
from facesecure.vision.images.illumination import brightened
from facesecure.vision.inference.model_card import Model


class ModelEmbedder:
    """Runs one embedding model. Not safe for two threads at once; make one for each.

    ``sha256`` names the model's exact bytes and ``size`` the embedding's length: templates carry both, because
    embeddings of two models do not compare.
    """

    def __init__(self, model: Model, *, threads: int = 1) -> None:
        """Raises ModelError if ``model`` does not embed aligned faces."""
        card = model.card
        if card.task != "face-embedding" or card.embedding_size is None:
            other = ', or kind = "classifier"' if card.task == "face-classification" else ""
            advice = f"set [recognizer] model to an embedding model{other}"
            raise ModelError(f"{card.name} does not embed faces", advice)
        self.sha256 = model.sha256
        self.size = card.embedding_size
        self._graph = model.interpreter(threads=threads)
        self._shape = self._graph.inputs[0].shape[1:]

    def embed(self, face: Image) -> Embedding:
        """``face`` is uint8 RGB (112, 112, 3) from ``vision.align``; returns float32 (size,) of length 1.

        A dark face is brightened first, here and nowhere else, so that training, enrolment and watching agree.
        """
        if face.shape != self._shape or face.dtype != np.uint8:
            raise ValueError(f"an aligned face is uint8 {self._shape}, not {face.dtype} {face.shape}")
        (embedding,) = self._graph.invoke(brightened(face)[None])
        return np.asarray(embedding[0], np.float32)


class EmbeddingRecognizer:
    """Scores are cosines, -1 to 1, to each person's nearest template.

    ``doubts`` says why an embedding is not surely a person's (``vision.personhood``).
    """

    def __init__(
        self,
        embedder: Embedder,
        gallery: LiveGallery,
        doubts: Doubts = accept_all,
    ) -> None:
        self._embedder = embedder
        self._gallery = gallery
        self._doubts = doubts

    def identify(self, face: AlignedFace) -> Recognition:
        embedding = self._embedder.embed(face.image)
        scores = self._gallery.current().scores(embedding)
        return Recognition(scores, embedding, self._gallery.model_sha256, self._doubts(embedding))
