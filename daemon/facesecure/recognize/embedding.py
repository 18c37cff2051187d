"""The recogniser by embeddings: how near is this face to each person's templates."""

from __future__ import annotations

from facesecure.domain import AlignedFace, Recognition
from facesecure.recognize.gallery import LiveGallery
from facesecure.stages import Embedder
from facesecure.vision.personhood import Doubts, nobody_doubted


class EmbeddingRecognizer:
    """Scores are cosines, -1 to 1, to each person's nearest template.

    ``doubts`` says why an embedding is not surely a person's (``vision.personhood``).
    """

    def __init__(
        self,
        embedder: Embedder,
        gallery: LiveGallery,
        doubts: Doubts = nobody_doubted,
    ) -> None:
        self._embedder = embedder
        self._gallery = gallery
        self._doubts = doubts

    def identify(self, face: AlignedFace) -> Recognition:
        embedding = self._embedder.embed(face.image)
        scores = self._gallery.current().scores(embedding)
        return Recognition(scores, embedding, self._gallery.model_sha256, self._doubts(embedding))
