"""Strangers whom the household marked, as rivals: a face more like one of them than like Tom is not Tom's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from facesecure.domain import Embedding


@dataclass(frozen=True, slots=True, eq=False)
class Decoy:
    """Somebody who is not ``name``: the mean of their marked faces, float32 (d,) of length 1."""

    name: str
    embedding: Embedding


class Decoys:
    """All decoys at one moment; none by default."""

    def __init__(self, decoys: Iterable[Decoy] = ()) -> None:
        self._by_name: dict[str, list[Embedding]] = {}
        for decoy in decoys:
            self._by_name.setdefault(decoy.name, []).append(decoy.embedding)

    def weigh(self, scores: Mapping[str, float], embedding: Embedding) -> dict[str, float]:
        """``scores`` (cosines by name) of the face with ``embedding``, each less what a decoy beats it by.

        Where the decoy is less like the face than the person is, nothing changes: the true Tom keeps his score. Where
        it is more like it, the score falls below what a stranger's would be the more, the clearer it is who this is.
        """
        return {name: _less(score, self._nearest(name, embedding)) for name, score in scores.items()}

    def _nearest(self, name: str, embedding: Embedding) -> float:
        known = self._by_name.get(name)
        return -1.0 if known is None else float((np.stack(known) @ embedding).max())


def _less(score: float, rival: float) -> float:
    return max(-1.0, score - max(0.0, rival - score))
