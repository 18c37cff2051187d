"""Compare an embedding with the templates of the people enrolled, and with hard negatives.

A ``Gallery`` is an immutable matrix of templates; ``LiveGallery`` follows the store. Hard negatives are faces that the
household has said are not a certain person's although they look like it: they lower that person's score.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Embedding
from facesecure.domain.errors import StoreError
from facesecure.domain.records import Template

_PENALTY = 4.0
"""How much faster a score falls than a hard negative leads: a lead of 0.1 takes a brother's 0.8 to a stranger's 0.4."""
_PAUSE = 10.0
"""Seconds after which a gallery that could not be read is read again."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class HardNegative:
    """Someone who is not ``name``: the mean of the faces marked so, float32 (d,) of length 1."""

    name: str
    embedding: Embedding


class HardNegatives:
    """The hard negatives of all people at one moment; none by default.

    Example::

        HardNegatives([HardNegative("Tom", brother)]).penalise({"Tom": 0.7}, embedding)
    """

    def __init__(self, hard_negatives: Iterable[HardNegative] = ()) -> None:
        self._by_name: dict[str, list[Embedding]] = {}
        for negative in hard_negatives:
            self._by_name.setdefault(negative.name, []).append(negative.embedding)

    def penalise(self, scores: Mapping[str, float], embedding: Embedding) -> dict[str, float]:
        """Return ``scores`` (cosines by name), each lowered if a hard negative is nearer to ``embedding``.

        Where the person is nearer, nothing changes, so that the real person keeps their score. Where the hard negative
        is nearer, the score falls steeply to a stranger's but without a jump: frames near the boundary average out.
        """
        return {name: _penalised(score, self._nearest(name, embedding)) for name, score in scores.items()}

    def _nearest(self, name: str, embedding: Embedding) -> float:
        known = self._by_name.get(name)
        return -1.0 if known is None else float((np.stack(known) @ embedding).max())


def _penalised(score: float, negative: float) -> float:
    return max(-1.0, score - _PENALTY * max(0.0, negative - score))


class Gallery:
    """The templates of all people at one moment. Immutable: a new one is made when people change.

    Example::

        Gallery(store.templates()).scores(embedder.embed(face))  # {"Anna": 0.71, "Tom": 0.12}
    """

    def __init__(self, templates: Iterable[Template], hard_negatives: Iterable[HardNegative] = ()) -> None:
        """Take ``templates`` and ``hard_negatives``, all made by one model."""
        self._hard_negatives = HardNegatives(hard_negatives)
        kept = list(templates)
        self.names = tuple(sorted({template.name for template in kept}))
        self._owner = np.array([self.names.index(template.name) for template in kept], np.intp)
        self._matrix: NDArray[np.float32] = (
            np.stack([t.embedding for t in kept]) if kept else np.empty((0, 0), np.float32)
        )

    def closeness(self, name: str) -> dict[str, float]:
        """Return the cosine of the nearest templates of ``name`` and each other person; empty if not enrolled."""
        if name not in self.names:
            return {}
        number = self.names.index(name)
        nearest = (self._matrix @ self._matrix[self._owner == number].T).max(axis=1)
        best = self._best_by_person(nearest)
        return {other: float(close) for other, close in zip(self.names, best, strict=True) if other != name}

    def scores(self, embedding: Embedding) -> dict[str, float]:
        """Return the cosine of ``embedding`` (of length 1) to each person's nearest template, less any penalty."""
        if not self.names:
            return {}
        best = self._best_by_person(self._matrix @ embedding)
        scores = {name: float(score) for name, score in zip(self.names, best, strict=True)}
        return self._hard_negatives.penalise(scores, embedding)

    def _best_by_person(self, cosines: NDArray[np.float32]) -> NDArray[np.float32]:
        best = np.full(len(self.names), -1.0, np.float32)
        np.maximum.at(best, self._owner, cosines)
        return best


class LiveGallery:
    """A gallery that follows the store, checking at most once a second whether people have changed.

    Example::

        gallery = LiveGallery(store.templates, store.people_revision, embedder.sha256)
        gallery.current().scores(embedding)
    """

    def __init__(
        self,
        load: Callable[[], Iterable[Template]],
        revision: Callable[[], int],
        model_sha256: str,
        *,
        hard_negatives: Callable[[str], Iterable[HardNegative]] = lambda model: (),  # noqa: ARG005
        interval: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follow what ``load`` returns; templates of other models than ``model_sha256`` are logged and left out.

        ``revision`` returns a number that changes with the templates or hard negatives, ``hard_negatives`` those of a
        model (``storage.store.Store`` provides all three). ``interval``: seconds between two checks.
        """
        self._hard_negatives = hard_negatives
        self._load, self._revision, self._model = load, revision, model_sha256
        self._interval, self._clock = interval, clock
        self._checked_at = clock()
        self._seen: int | None = None
        self._lagging = False
        with suppress(StoreError):  # if it is busy just now, the next look finds out
            self._seen = revision()
        self._gallery = self._read()

    @property
    def model_sha256(self) -> str:
        """The model whose embeddings may be compared with this gallery."""
        return self._model

    def current(self) -> Gallery:
        """Return the gallery as of at most a second ago; an older one while the store cannot be read."""
        now = self._clock()
        if now - self._checked_at >= self._interval:
            self._checked_at = now
            try:
                self._follow(self._revision())
                self._lagging = False
            except StoreError as error:
                self._stay(error)
        return self._gallery

    def _follow(self, revision: int) -> None:
        if revision != self._seen:
            self._gallery = self._read()
            self._seen = revision

    def _stay(self, error: StoreError) -> None:
        """Keep the gallery, and wait longer before the next try: to read it may take long."""
        self._checked_at += _PAUSE - self._interval
        level = logging.DEBUG if self._lagging else logging.WARNING
        _log.log(level, "people are recognised as they were: %s", error.message)
        self._lagging = True

    def _read(self) -> Gallery:
        templates = list(self._load())
        foreign = sorted({t.name for t in templates} - {t.name for t in templates if t.model_sha256 == self._model})
        if foreign:
            _log.warning("enrolled with another model and not recognised until enrolled again: %s", ", ".join(foreign))
        gallery = Gallery((t for t in templates if t.model_sha256 == self._model), self._hard_negatives(self._model))
        _log.info("people enrolled: %s", ", ".join(gallery.names) or "none")
        return gallery
