"""A sighting as the policy remembers it: without pixels, and with what tells whether it is the same visitor again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from facesecure.domain import AlertKind, SeenFace, Sighting
from facesecure.domain.names import name_key
from facesecure.recognition.visitor_matching import Visit

Choose = Callable[[Visit, Mapping[int, Sequence[Visit]]], int | None]
"""Which of several visitors it is, None for somebody new (``recognize.visitors.VisitorChooser.choose``)."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A visit's faces as one, by the model with ``model_sha256``."""

    visit: Visit
    model_sha256: str

    @classmethod
    def of(cls, faces: Sequence[SeenFace]) -> Look | None:
        """None where there is no face to compare. Of faces by several models, those by the commonest."""
        if not faces:
            return None
        ((model, _),) = Counter(face.model_sha256 for face in faces).most_common(1)
        usable = [face for face in faces if face.model_sha256 == model]
        clarities = [face.face.quality.clarity for face in usable]
        return cls(Visit.of(np.stack([face.embedding for face in usable]), clarities), model)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A sighting to decide on, where its picture is, and what the visitor looked like."""

    sighting: Sighting
    snapshot: Path | None = None
    look: Look | None = None

    @classmethod
    def of(cls, sighting: Sighting, snapshot: Path | None) -> Seen:
        return cls(replace(sighting, faces=(), snapshot=None), snapshot, Look.of(sighting.faces))

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
