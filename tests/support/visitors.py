"""People seen at the door, for stores: faces of noise whose embeddings say who it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from facesecure.domain import AlignedFace, Embedding, SeenFace, Verdict
from facesecure.domain.records import EnrolledFace, StoredFace
from facesecure.recognition.visitor_matching import VisitorMatcher
from facesecure.storage.store import Store
from support.builders import NOON, SCORES, quality
from support.store import MODEL, STRANGER, picture, sighting

CHOOSE = VisitorMatcher(SCORES).match


def looks(person: int, day: int = 0, noise: float = 0.45) -> Embedding:
    """One look of ``person``, float32 (192,): their own direction and some noise; ``day`` makes it another look."""
    own = _unit(np.random.default_rng(person).normal(size=192))
    return _unit(own + noise * _unit(np.random.default_rng(1000 * person + day).normal(size=192)))


def between(one: Embedding, other: Embedding) -> Embedding:
    """A look half-way between two."""
    return _unit(one + other)


def seen(embedding: Embedding, number: int = 0, clarity: float = 0.9, model: str = MODEL) -> SeenFace:
    image = np.random.default_rng(number).integers(0, 256, (112, 112, 3), np.uint8)
    return SeenFace(AlignedFace(image, quality(clarity)), embedding, model, NOON + timedelta(seconds=number))


def faces(person: int, visit: int = 0, count: int = 3) -> tuple[SeenFace, ...]:
    """What is kept of one visit of ``person``."""
    return tuple(seen(looks(person, 10 * visit + n), 100 * person + 10 * visit + n) for n in range(count))


def visit(
    store: Store,
    identifier: str,
    person: int,
    number: int = 0,
    verdict: Verdict = STRANGER,
    when: datetime = NOON,
    side: int = 8,
) -> int | None:
    """Record a visit of ``person``, with a snapshot, to its end; returns whose it was, for a stranger's."""
    made = replace(sighting(identifier, verdict, when, picture(side, side)), faces=faces(person, number))
    store.record(made)
    store.update(replace(made, closing=True))
    return store.visitors.group(identifier, CHOOSE) if verdict is STRANGER else None


def enrolled(stored: StoredFace) -> EnrolledFace:
    """A face seen, as enrolment would hand it on."""
    face = stored.seen
    return EnrolledFace(
        face.face.image, face.embedding, face.model_sha256, face.face.quality, "door", sighting=stored.sighting
    )


def known_to(person: int) -> list[EnrolledFace]:
    """Photos that ``person`` was enrolled with."""
    photos = faces(person, visit=9)
    return [EnrolledFace(f.face.image, f.embedding, f.model_sha256, f.face.quality, "photo.jpg") for f in photos]


def _unit(vector: np.ndarray) -> Embedding:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)
