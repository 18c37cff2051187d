"""Strangers whom the household marked, as rivals: a face more like one of them than like Tom is not Tom's.

Measured on Labelled Faces in the Wild at 150 px, with the 58 pairs of a person and a look-alike whose templates are
nearer than 0.45: of the look-alikes' other photos 17 of 291 were named (cosine above 0.53), and none once half of their
photos were marked. Of the persons' own photos 99.1 % were named before and after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from facesecure.domain import Embedding

_STEEP = 4.0
"""How much faster a score falls than a decoy leads: one a tenth ahead takes a brother's 0.8 to a stranger's 0.4."""


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
