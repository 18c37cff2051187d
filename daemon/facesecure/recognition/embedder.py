"""Map an aligned face to an embedding, and recognise it by comparing that with the gallery."""

from __future__ import annotations

import numpy as np

from facesecure.domain import AlignedFace, Embedding, Image, Recognition
from facesecure.domain.errors import ModelError
from facesecure.domain.interfaces import Embedder
from facesecure.recognition.gallery import LiveGallery
from facesecure.recognition.human_filter import Doubts, accept_all
from facesecure.vision.images.align import SIZE
from facesecure.vision.images.fitting import resized
from facesecure.vision.images.illumination import brightened
from facesecure.vision.inference.backend import PROCESSOR, Backend
from facesecure.vision.inference.model_card import Model

_ALIGNED = (SIZE, SIZE, 3)


class ModelEmbedder:
    """Runs one embedding model (a ``domain.interfaces.Embedder``). Not thread-safe: make one for each thread.

    ``sha256`` identifies the model file and ``size`` is the embedding's length. Templates carry the former, because
    embeddings of two models cannot be compared. Example::

        embedding = ModelEmbedder(load_model("mobilefacenet")).embed(aligned.image)
    """

    def __init__(self, model: Model, backend: Backend = PROCESSOR) -> None:
        """Load ``model`` for inference on ``backend``. Raises ModelError if it does not embed faces."""
        card = model.card
        if card.task != "face-embedding" or card.embedding_size is None:
            other = ', or kind = "classifier"' if card.task == "face-classification" else ""
            advice = f"set [recognizer] model to an embedding model{other}"
            raise ModelError(f"{card.name} does not embed faces", advice)
        self.sha256 = model.sha256
        self.size = card.embedding_size
        self._graph = model.interpreter(backend)
        self._shape = self._graph.inputs[0].shape[1:]

    def embed(self, face: Image) -> Embedding:
        """Return the embedding, float32 (size,) of length 1, of ``face``: uint8 RGB (112, 112, 3), aligned.

        A face is fitted to a model of another input size, and a dark one brightened, here and nowhere else, so that
        training, enrolment and recognition agree. Raises ValueError for another shape or dtype.
        """
        if face.shape not in (_ALIGNED, self._shape) or face.dtype != np.uint8:
            raise ValueError(f"an aligned face is uint8 {_ALIGNED}, not {face.dtype} {face.shape}")
        if face.shape != self._shape:
            face = resized(face, (self._shape[0], self._shape[1]))
        (embedding,) = self._graph.invoke(brightened(face)[None])
        return np.asarray(embedding[0], np.float32)


class EmbeddingRecognizer:
    """Scores a face by its cosine, -1 to 1, to each person's nearest template (a ``domain.interfaces.Recognizer``).

    Example::

        EmbeddingRecognizer(embedder, gallery).identify(aligned).ranked()
    """

    def __init__(
        self,
        embedder: Embedder,
        gallery: LiveGallery,
        doubts: Doubts = accept_all,
    ) -> None:
        """``doubts`` returns the reasons why an embedding may not be a person's (``human_filter``)."""
        self._embedder = embedder
        self._gallery = gallery
        self._doubts = doubts

    def identify(self, face: AlignedFace) -> Recognition:
        """Return the scores of ``face`` for all people enrolled, with its embedding and doubts."""
        embedding = self._embedder.embed(face.image)
        scores = self._gallery.current().scores(embedding)
        return Recognition(scores, embedding, self._gallery.model_sha256, self._doubts(embedding))
