"""The verdict on a past visit by the people, thresholds and model of today, from the faces that were kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from facesecure.config import FacesecureConfig
from facesecure.domain import Embedding, Recognition, Verdict
from facesecure.domain.records import StoredFace
from facesecure.recognition.evidence import Evidence
from facesecure.recognition.gallery import Gallery
from facesecure.services.model_stack import ModelStack
from facesecure.storage.store import Store


class PastVerdicts:
    """Judges visits by the people who are enrolled when it is made.

    Example::

        PastVerdicts(models, config, store).of(store.faces_seen(identifier)).kind
    """

    def __init__(self, models: ModelStack, config: FacesecureConfig, store: Store) -> None:
        """Embed anew the faces that people are enrolled with, if another model did, and take their templates."""
        sha256 = models.embedder.sha256
        templates = [one for one in models.templates(store) if one.model_sha256 == sha256]
        self._gallery = Gallery(templates, store.hard_negatives(sha256))
        self._rule = models.rule(config, store, store.state_dir, single_image=True)  # of a visit the best are kept
        self._doubts, self._sha256 = models.human_filter, sha256

    def of(self, faces: Sequence[StoredFace], anew: Mapping[int, Embedding] | None = None) -> Verdict:
        """Return the verdict on the ``faces`` of a visit, oldest first; ``anew`` has embeddings of outdated ones."""
        evidence = Evidence()
        for face in faces:
            embedding = (anew or {}).get(face.identifier or 0, face.seen.embedding)
            if self._doubts(embedding):
                continue
            recognition = Recognition(self._gallery.scores(embedding), embedding, self._sha256)
            evidence = evidence.add(recognition, face.seen.face.quality, face.seen.taken_at.timestamp())
        return self._rule.decide(evidence)
