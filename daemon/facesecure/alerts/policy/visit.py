"""A visit as the policy remembers it: without pixels, with an embedding to recognise the visitor by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from facesecure.domain import AlertKind, SeenFace, Sighting, Subject
from facesecure.domain.names import camera_key, name_key
from facesecure.recognition.visitor_matching import VisitEmbedding

_DOUBTED = "\0doubted"
"""Behind the key of a name; no name has such a character."""


@dataclass(frozen=True, slots=True, eq=False)
class VisitAppearance:
    """The faces of one visit combined, as embedded by the model with ``model_sha256``."""

    visit: VisitEmbedding
    model_sha256: str

    @classmethod
    def of(cls, faces: Sequence[SeenFace]) -> VisitAppearance | None:
        """Combine ``faces``; of faces by several models, those by the most frequent. None if there are none."""
        if not faces:
            return None
        ((model, _),) = Counter(face.model_sha256 for face in faces).most_common(1)
        usable = [face for face in faces if face.model_sha256 == model]
        clarities = [face.face.quality.clarity for face in usable]
        return cls(VisitEmbedding.of(np.stack([face.embedding for face in usable]), clarities), model)


@dataclass(frozen=True, slots=True, eq=False)
class VisitToNotify:
    """A sighting to decide on, the file of its snapshot, and the visitor's appearance."""

    sighting: Sighting
    snapshot: Path | None = None
    appearance: VisitAppearance | None = None

    @classmethod
    def of(cls, sighting: Sighting, snapshot: Path | None) -> VisitToNotify:
        """Take what the policy needs from ``sighting``, without its pixels."""
        return cls(replace(sighting, faces=(), snapshot=None), snapshot, VisitAppearance.of(sighting.faces))

    @property
    def kind(self) -> AlertKind:
        """The kind of alert, by the verdict."""
        return AlertKind(self.sighting.verdict.kind.value)

    @property
    def name(self) -> str | None:
        """The person's name; None if not known."""
        return self.sighting.verdict.name

    @property
    def key(self) -> str:
        """A key that is equal for visits that share a cool-down (``visit_key``)."""
        return visit_key(self.kind, self.name, self.camera, doubted=self.doubted, subject=self.subject)

    @property
    def doubted(self) -> bool:
        """Whether it is a known person, or a picture of them."""
        return self.kind is AlertKind.KNOWN and bool(self.sighting.doubt)

    @property
    def subject(self) -> Subject | None:
        """What was seen instead of a face; None if there was one, or nobody looked."""
        return self.sighting.subject

    @property
    def camera(self) -> str:
        """The name of the camera that saw the visit."""
        return self.sighting.source


def visit_key(
    kind: AlertKind, name: str | None, camera: str, *, doubted: bool = False, subject: Subject | None = None
) -> str:
    """Return a key that is equal for visits that share a cool-down: of one person by name; without a face, of a camera.

    What moves at the gate must not mute somebody at the door. Empty for a stranger, who is recognised by the face.
    An animal must not mute a person either: each kind of ``subject`` has its own.
    That a person came home must not mute a picture of them that is held up, so a ``doubted`` visit has its own.
    """
    if kind is AlertKind.UNIDENTIFIED:
        other = subject not in (None, Subject.PERSON)
        return f"{camera_key(camera)}\0{subject or 'nothing'}" if other else camera_key(camera)
    return f"{name_key(name)}{_DOUBTED if doubted else ''}" if name else ""
