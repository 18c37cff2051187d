"""A sighting as the policy remembers it: without pixels, and with what tells whether it is the same visitor again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from facesecure.domain import AlertKind, SeenFace, Sighting
from facesecure.domain.names import name_key
from facesecure.recognition.visitor_matching import VisitEmbedding


@dataclass(frozen=True, slots=True, eq=False)
class VisitAppearance:
    """A visit's faces as one, by the model with ``model_sha256``."""

    visit: VisitEmbedding
    model_sha256: str

    @classmethod
    def of(cls, faces: Sequence[SeenFace]) -> VisitAppearance | None:
        """None where there is no face to compare. Of faces by several models, those by the commonest."""
        if not faces:
            return None
        ((model, _),) = Counter(face.model_sha256 for face in faces).most_common(1)
        usable = [face for face in faces if face.model_sha256 == model]
        clarities = [face.face.quality.clarity for face in usable]
        return cls(VisitEmbedding.of(np.stack([face.embedding for face in usable]), clarities), model)


@dataclass(frozen=True, slots=True, eq=False)
class VisitToNotify:
    """A sighting to decide on, where its picture is, and what the visitor looked like."""

    sighting: Sighting
    snapshot: Path | None = None
    look: VisitAppearance | None = None

    @classmethod
    def of(cls, sighting: Sighting, snapshot: Path | None) -> VisitToNotify:
        return cls(replace(sighting, faces=(), snapshot=None), snapshot, VisitAppearance.of(sighting.faces))

    @property
    def kind(self) -> AlertKind:
        return AlertKind(self.sighting.verdict.kind.value)

    @property
    def name(self) -> str | None:
        return self.sighting.verdict.name

    @property
    def key(self) -> str:
        """The same for the same person; empty where there is no name to tell by."""
        return name_key(self.name) if self.name else ""
