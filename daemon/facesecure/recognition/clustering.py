"""Which faces of an album show the same person: groups, by average linkage of their cosines.

The mean of an album of two people lies between both, and either fits it; so who belongs together is asked of pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.records import Embeddings
from facesecure.recognition.templates import template_of

MERGE_SIMILARITY = 0.38
"""Mean cosine from which two groups are one person's: 0.74 is usual of two photos of one person, 0.01 of two people."""
MIN_CORE_SIMILARITY = 0.45
"""Cosine to the mean of the others' below which a face is somebody else's. Of photos among five of the same person
0.7 % are refused so, most of them wrongly labelled, and 0.1 % of strangers' are not; at 0.35 it was 0.2 % and 0.9 %."""

Indices = NDArray[np.intp]


def cluster(embeddings: Embeddings) -> list[Indices]:
    """Positions in ``embeddings`` (k, n; each of length 1) that belong together, the largest group first.

    Average linkage (Sokal and Michener, 1958): the two nearest groups become one while their mean cosine is TOGETHER.
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
    """How well each of ``embeddings`` (k, n) fits the others in ``core``: cosine to their mean, float32 (k,)."""
    return np.array([_fit(embeddings, core[core != number], number) for number in range(len(embeddings))], np.float32)


def _fit(embeddings: Embeddings, others: Indices, number: int) -> float:
    return float(template_of(embeddings[others]) @ embeddings[number]) if len(others) else 1.0
