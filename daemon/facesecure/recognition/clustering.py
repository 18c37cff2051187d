"""Group the faces of an album by person: average linkage of their cosines.

Pairs are compared instead of each face with the mean, because the mean of two people's faces lies between both and
either fits it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.records import Embeddings
from facesecure.recognition.templates import template_of

MERGE_SIMILARITY = 0.38
"""Mean cosine from which two groups are one person's. Two photos of one person have 0.74 on average, of two 0.01."""
MIN_CORE_SIMILARITY = 0.45
"""Cosine to the mean of the others below which a face is another person's. It rejects 0.7 % of photos among five of the
same person, most of them wrongly labelled, and accepts 0.1 % of strangers'; 0.35 rejected 0.2 % and accepted 0.9 %."""

Indices = NDArray[np.intp]


def cluster(embeddings: Embeddings) -> list[Indices]:
    """Return the indices of each person's faces in ``embeddings`` (k, n; each of length 1), the largest group first.

    Average linkage (Sokal and Michener, 1958): the two nearest groups are merged while their mean cosine is at least
    MERGE_SIMILARITY.
    """
    sizes, near = np.ones(len(embeddings)), (embeddings @ embeddings.T).astype(np.float64)
    members = [[number] for number in range(len(embeddings))]
    np.fill_diagonal(near, -np.inf)
    while len(members) > 1 and near.max() >= MERGE_SIMILARITY:
        one, other = sorted(np.unravel_index(np.argmax(near), near.shape))
        merged = (sizes[one] * near[one] + sizes[other] * near[other]) / (sizes[one] + sizes[other])
        near[one], near[:, one], near[one, one] = merged, merged, -np.inf
        near = np.delete(np.delete(near, other, 0), other, 1)
        sizes[one] += sizes[other]
        sizes = np.delete(sizes, other)
        members[one] += members.pop(other)
    return sorted((np.sort(np.array(group, np.intp)) for group in members), key=len, reverse=True)


def similarity_to_core(embeddings: Embeddings, core: Indices) -> NDArray[np.float32]:
    """Return the cosine, float32 (k,), of each of ``embeddings`` (k, n) to the mean of the others in ``core``."""
    return np.array([_fit(embeddings, core[core != number], number) for number in range(len(embeddings))], np.float32)


def _fit(embeddings: Embeddings, others: Indices, number: int) -> float:
    return float(template_of(embeddings[others]) @ embeddings[number]) if len(others) else 1.0
