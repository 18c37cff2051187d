"""How several faces of one person become the few points that stand for them.

One mean of all faces is nearly all there is to have. Photos of Labelled Faces in the Wild at 150 px, households of
four, one stranger in 10,000 let in, share of the family named:

    enrolled with, looked at                 mean of all    and of two kinds    each picture
    5 clear pictures, clear                       98.5 %              98.5 %          97.8 %
    10 clear pictures, clear                      98.3 %              98.3 %          98.0 %
    20 clear pictures, clear                      99.4 %              99.4 %          99.5 %
    5 clear and 5 blurred, clear                  98.0 %              98.0 %          97.0 %
    5 clear and 5 blurred, blurred                91.5 %              92.3 %          89.8 %
    10 clear, half of them turned, clear          99.0 %              98.8 %          98.5 %

So a mean of each kind is made only where the faces really are of two kinds, which is seldom (one person in 25 with
clear pictures, half of those with blurred ones among them): more templates are more chances for strangers too. The mean
of a face and its mirror image, tried as well, changed nothing by more than 0.1 %.

What a single picture knows is best used by leaning the mean towards it. Of the family named, households of four with
five pictures each, drawn with seed 0 and with seed 1, when 1 stranger in 1,000 and in 10,000 is let in:

    mean of all                         99.48, 99.00 %      99.43, 98.62 %
    and leaning by 0.3                  99.59, 99.02 %      99.49, 98.66 %
    and leaning by 0.4                  99.60, 99.02 %      99.49, 98.72 %
    by 0.3, towards three of the five   99.56, 98.99 %      99.46, 98.75 %

With 10 and 15 pictures it names 0.06 and 0.01 % more at 1 in 10,000, and as many at 1 in 1,000.
"""

from __future__ import annotations

import numpy as np

from facesecure.domain import Embedding
from facesecure.domain.records import Embeddings, TemplateVector

_OUTLYING = 0.25
"""A face that fits the mean worse than the median face by this much (cosine), four times the spread, is left
out of it: one face in 200. A fixed share cut off costs more than it saves (98.1 % for 98.5 % of clear faces, five
pictures, one of them cut off)."""
_TWO_KINDS = 0.8
"""Two halves of the faces whose means are no nearer than this (cosine) are two kinds. At 0.9 a third of all people
fall apart, and more strangers are let in than it is worth; at 0.6 nobody does, of 268 drawings of 6 to 20 photos."""
_KIND = 3
"""Fewer faces than this are no kind, but chance."""
_LEANING = 0.3
"""How far a leaning template goes from the mean to a picture, before it is brought to length 1."""
_LEANINGS = 5
"""So many pictures at most are leaned to; of more those that differ most. Ten of ten gained nothing over five."""


def template_of(embeddings: Embeddings) -> Embedding:
    """The direction of the mean of ``embeddings`` (k, n), any lengths: float32 (n,), of Euclidean length 1.

    Each is brought to length 1 first, so that no picture counts for more than another, and those that lie far out are
    trimmed. Measured better than the nearest of a person's pictures (at one stranger in 10,000 let in: 98.5 % against
    97.8 % of the family named, five pictures each).
    """
    return _look(_unit(embeddings)).direction


def templates_of(embeddings: Embeddings) -> list[TemplateVector]:
    """What one person, whose faces' ``embeddings`` (k, n) are, is to be compared by: the mean of all faces first.

    Then, only where the faces really are of two kinds (see the module), a mean of each kind; and last the mean of all,
    leaning towards one and another picture.
    """
    unit = _unit(embeddings)
    return [_look(unit), *(_look(kind) for kind in _kinds(unit)), *_leaning(_kept(unit))]


def _unit(embeddings: Embeddings) -> Embeddings:
    return np.asarray(embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True), np.float32)


def _look(unit: Embeddings) -> TemplateVector:
    """The trimmed mean of unit vectors."""
    kept = _kept(unit)
    return TemplateVector(_direction(kept), len(kept))


def _kept(unit: Embeddings) -> Embeddings:
    """Those that do not lie far out. Half of them and more always do not: the median is among them."""
    fits = unit @ _direction(unit)
    return np.asarray(unit[fits >= np.median(fits) - _OUTLYING], np.float32)


def _leaning(unit: Embeddings) -> list[TemplateVector]:
    """The mean, leaning towards each of a few faces; not where chance decides what the mean is."""
    if len(unit) < _KIND:
        return []
    mean = _direction(unit)
    leaning = _unit((1 - _LEANING) * mean + _LEANING * _different(unit, mean))
    return [TemplateVector(direction, len(unit), blended=True) for direction in leaning]


def _different(unit: Embeddings, mean: Embedding) -> Embeddings:
    """At most _LEANINGS faces: the one least like the mean, then always the one least like any taken."""
    taken = [int(np.argmin(unit @ mean))]
    nearest = unit @ unit[taken[0]]
    while len(taken) < min(_LEANINGS, len(unit)):
        nearest[taken] = np.inf
        taken.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, unit @ unit[taken[-1]])
    return np.asarray(unit[taken], np.float32)


def _direction(unit: Embeddings) -> Embedding:
    mean = unit.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def _kinds(unit: Embeddings) -> list[Embeddings]:
    """The two kinds of faces there are, or none. Spherical 2-means (Dhillon and Modha, 2001), from the two faces that
    are farthest apart, so that it never depends on chance.
    """
    if len(unit) < 2 * _KIND:
        return []
    centres = unit[list(np.unravel_index(np.argmin(unit @ unit.T), (len(unit), len(unit))))]
    for _ in range(10):
        second = unit @ centres[1] > unit @ centres[0]
        if min(second.sum(), (~second).sum()) < _KIND:
            return []
        centres = np.stack([_direction(unit[~second]), _direction(unit[second])])
    return [unit[~second], unit[second]] if centres[0] @ centres[1] < _TWO_KINDS else []
