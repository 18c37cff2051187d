"""The order of images in an epoch where each batch holds several images of several people who look alike.

A pair of two people drawn at random is easy to tell apart, and nothing is learnt from it. Hermans, Beyer and Leibe, "In
Defense of the Triplet Loss", 2017 (https://arxiv.org/abs/1703.07737) compare all images of a batch of P people with K
images each; Schroff, Kalenichenko and Philbin, "FaceNet", CVPR 2015, look for the pairs that are hard. Here people whom
the network confuses stand in one batch, so that its pairs are hard without a search among all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
_AT_ONCE = 1024
"""People whose similarities to all others are computed at a time, to bound the memory."""


def handfuls(labels: NDArray[np.int64], most: int, chance: np.random.Generator) -> list[Indices]:
    """Return all images, each once, in groups of at most ``most`` images of one person, drawn at random."""
    order = chance.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    ends = np.flatnonzero(np.diff(labels[order])) + 1
    return [part[at : at + most] for part in np.split(order, ends) for at in range(0, len(part), most)]


def epoch_order(
    labels: NDArray[np.int64], neighbours: NDArray[np.int64], most: int, chance: np.random.Generator
) -> Indices:
    """Return every image once, up to ``most`` of a person in a row, followed by those of ``neighbours``.

    ``neighbours`` (people, n) lists for each person those who are most alike; -1 stands for nobody.
    """
    groups = handfuls(labels, most, chance)
    waiting: dict[int, list[int]] = {}
    for number, group in enumerate(groups):
        waiting.setdefault(int(labels[group[0]]), []).append(number)
    placed: list[Indices] = []
    for number in chance.permutation(len(groups)):
        person = int(labels[groups[number][0]])
        if number not in waiting[person]:
            continue
        waiting[person].remove(int(number))
        placed.append(groups[number])
        placed.extend(groups[waiting[other].pop()] for other in neighbours[person].tolist() if waiting.get(other))
    return np.concatenate(placed)


def some_of_each(labels: NDArray[np.int64], most: int) -> Indices:
    """Return up to ``most`` images of every person, the first ones, by person."""
    order = np.argsort(labels, kind="stable")
    ends = np.flatnonzero(np.diff(labels[order])) + 1
    return np.concatenate([part[:most] for part in np.split(order, ends)])


def nearest_people(embeddings: NDArray[np.float32], labels: NDArray[np.int64], count: int, people: int) -> Indices:
    """Return for each of ``people`` the ``count`` others whose mean embedding is nearest, nearest first.

    ``labels`` are the people of the rows of ``embeddings``. Where there are too few others, -1 fills the row.
    """
    sums = np.zeros((people, embeddings.shape[1]), np.float32)
    np.add.at(sums, labels, embeddings)
    counts = np.maximum(np.bincount(labels, minlength=people), 1).astype(np.float32)
    means = sums / counts[:, None]
    found = np.full((people, count), -1, np.int64)
    some = min(count, people - 1)
    for at in range(0, people, _AT_ONCE):
        rows = slice(at, min(at + _AT_ONCE, people))
        distances = _squared(means[rows], means)
        distances[np.arange(len(distances)), np.arange(at, at + len(distances))] = np.inf
        found[rows, :some] = np.argsort(distances, axis=1, kind="stable")[:, :some]
    return found


def _squared(some: NDArray[np.float32], every: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.square(every).sum(1)
    return np.asarray(np.square(some).sum(1)[:, None] - 2 * some @ every.T + lengths[None, :], np.float32)
