"""The people enrolled, as a matrix: what an embedding is compared with."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Embedding
from facesecure.domain.records import Template

_log = logging.getLogger(__name__)


class Gallery:
    """Templates of everybody, at one moment. Never changes; a new one is made when people change."""

    def __init__(self, templates: Iterable[Template], hard_negatives: Iterable[HardNegative] = ()) -> None:
        self._hard_negatives = HardNegatives(hard_negatives)
        kept = list(templates)
        self.names = tuple(sorted({template.name for template in kept}))
        self._owner = np.array([self.names.index(template.name) for template in kept], np.intp)
        self._matrix: NDArray[np.float32] = (
            np.stack([t.embedding for t in kept]) if kept else np.empty((0, 0), np.float32)
        )

    def closeness(self, name: str) -> dict[str, float]:
        """Cosine of the nearest templates of ``name`` and of everybody else, by their name; empty for nobody."""
        if name not in self.names:
            return {}
        number = self.names.index(name)
        nearest = (self._matrix @ self._matrix[self._owner == number].T).max(axis=1)
        best = np.full(len(self.names), -1.0, np.float32)
        np.maximum.at(best, self._owner, nearest)
        return {other: float(close) for other, close in zip(self.names, best, strict=True) if other != name}

    def scores(self, embedding: Embedding) -> dict[str, float]:
        """Cosine of ``embedding`` (a unit vector) to each person's nearest template, less what a decoy beats it by."""
        if not self.names:
            return {}
        cosines = self._matrix @ embedding
        best = np.full(len(self.names), -1.0, np.float32)
        np.maximum.at(best, self._owner, cosines)
        scores = {name: float(score) for name, score in zip(self.names, best, strict=True)}
        return self._hard_negatives.penalise(scores, embedding)


class LiveGallery:
    """A gallery that follows the store: asks at most once a second whether anybody was added or removed."""

    def __init__(
        self,
        load: Callable[[], Iterable[Template]],
        revision: Callable[[], int],
        model_sha256: str,
        *,
        hard_negatives: Callable[[str], Iterable[HardNegative]] = lambda model: (),  # noqa: ARG005
        every: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``load`` gives all templates, ``revision`` a number that changes when they or the decoys do.

        ``decoys`` gives those of a model (``store.Store`` has all three).
        """
        self._hard_negatives = hard_negatives
        self._load, self._revision, self._model, self._every, self._clock = load, revision, model_sha256, every, clock
        self._asked_at = clock()
        self._seen = revision()
        self._gallery = self._read()

    @property
    def model_sha256(self) -> str:
        """The model whose embeddings may be compared with."""
        return self._model

    def current(self) -> Gallery:
        """The gallery as of at most a second ago."""
        now = self._clock()
        if now - self._asked_at >= self._every:
            self._asked_at = now
            self._follow(self._revision())
        return self._gallery

    def _follow(self, revision: int) -> None:
        if revision != self._seen:
            self._seen = revision
            self._gallery = self._read()

    def _read(self) -> Gallery:
        templates = list(self._load())
        foreign = sorted({t.name for t in templates} - {t.name for t in templates if t.model_sha256 == self._model})
        if foreign:
            _log.warning("enrolled with another model and not recognised until enrolled again: %s", ", ".join(foreign))
        gallery = Gallery((t for t in templates if t.model_sha256 == self._model), self._hard_negatives(self._model))
        _log.info("%d people enrolled: %s", len(gallery.names), ", ".join(gallery.names) or "nobody")
        return gallery


_STEEP = 4.0
"""How much faster a score falls than a decoy leads: one a tenth ahead takes a brother's 0.8 to a stranger's 0.4."""


@dataclass(frozen=True, slots=True, eq=False)
class HardNegative:
    """Somebody who is not ``name``: the mean of their marked faces, float32 (d,) of length 1."""

    name: str
    embedding: Embedding


class HardNegatives:
    """All decoys at one moment; none by default."""

    def __init__(self, decoys: Iterable[HardNegative] = ()) -> None:
        self._by_name: dict[str, list[Embedding]] = {}
        for decoy in decoys:
            self._by_name.setdefault(decoy.name, []).append(decoy.embedding)

    def penalise(self, scores: Mapping[str, float], embedding: Embedding) -> dict[str, float]:
        """``scores`` (cosines by name) of the face with ``embedding``, each less what a decoy beats it by, steeply.

        Where the decoy is less like the face than the person is, nothing changes: the true Tom keeps his score. Where
        it is more like it, the score soon falls to a stranger's, without a jump: frames of a track that hover about
        the middle are weighed, not tossed.
        """
        return {name: _less(score, self._nearest(name, embedding)) for name, score in scores.items()}

    def _nearest(self, name: str, embedding: Embedding) -> float:
        known = self._by_name.get(name)
        return -1.0 if known is None else float((np.stack(known) @ embedding).max())


def _less(score: float, rival: float) -> float:
    return max(-1.0, score - _STEEP * max(0.0, rival - score))
