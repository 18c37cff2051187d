"""The verdict on a past visit by the people, thresholds and model of today, from the faces that were kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from facesecure.config import FacesecureConfig
from facesecure.domain import Embedding, Recognition, Verdict
from facesecure.domain.records import StoredFace
from facesecure.recognition.evidence import Evidence
from facesecure.recognition.gallery import Gallery
from facesecure.services.model_stack import ModelStack
from facesecure.services.renewal import foreseen_templates
from facesecure.storage.store import Store


class PastVerdicts:
    """Judges visits by the people who are enrolled, and the strangers who are marked, when it is made.

    Nothing is stored: faces that people are enrolled with are embedded in memory, if another model embedded them.
    Example::

        PastVerdicts(models, config, store).of(store.faces_seen(identifier)).kind
    """

    def __init__(
        self, models: ModelStack, config: FacesecureConfig, store: Store, marked: Mapping[int, Embedding] | None = None
    ) -> None:
        """Take the people of ``store``; ``marked`` has new embeddings of its marked faces, by their numbers."""
        self._sha256, self._doubts = models.embedder.sha256, models.human_filter
        templates = foreseen_templates(store, models.embedder)
        self._gallery = Gallery(templates, store.kept_faces.hard_negatives(self._sha256, marked))
        self._rule = models.rule(  # one face is enough: of a visit the best are kept
            config, store, store.state_dir, single_image=True, templates=lambda: templates
        )

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
