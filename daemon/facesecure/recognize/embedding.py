"""The recogniser by embeddings: how near is this face to each person's templates."""

from __future__ import annotations

from facesecure.domain import AlignedFace, Recognition
from facesecure.recognize.gallery import LiveGallery
from facesecure.stages import Embedder


class EmbeddingRecognizer:
    """Scores are cosines, -1 to 1, to each person's nearest template."""

    def __init__(self, embedder: Embedder, gallery: LiveGallery) -> None:
        self._embedder = embedder
        self._gallery = gallery

    def identify(self, face: AlignedFace) -> Recognition:
        embedding = self._embedder.embed(face.image)
        return Recognition(self._gallery.current().scores(embedding), embedding, self._gallery.model_sha256)
