"""Fisher's linear discriminants, for few images of many people.

Fisher, "The Use of Multiple Measurements in Taxonomic Problems", Annals of Eugenics 7, 1936; for faces Belhumeur,
Hespanha and Kriegman, "Eigenfaces vs. Fisherfaces", PAMI 1997. Of the axes on which images of one person differ little
compared with all images, those come first on which they differ least. As there, they are sought among the principal
components: there are more numbers than images. The components are found at random (Halko, Martinsson and Tropp,
"Finding Structure with Randomness", SIAM Review 53, 2011), as all of ten thousand numbers would take hours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import FacesecureError
from facesecure_training.networks.discriminant import Axes

Rows = NDArray[np.float32]
_SPARE = 40
"""Random directions beyond the components that are kept."""


@dataclass(frozen=True, slots=True)
class FisherSettings:
    """How many principal ``components`` are kept, and how many ``axes``.

    ``towards_all`` (0 to 1) is how far the scatter within people is drawn towards that of all images: of a few thousand
    people with some three images each, it is known badly.
    """

    components: int = 500
    axes: int = 64
    towards_all: float = 0.8


def discriminants(
    numbers: Rows, people: NDArray[np.int64], settings: FisherSettings, chance: np.random.Generator
) -> Axes:
    """Return the axes for ``numbers`` (images, n) of ``people`` (images,). ``numbers`` are centred in place.

    Each axis is weighted by 1 less the scatter within people, drawn towards that of all images, as a share of the
    latter. There are fewer axes than asked for where there are fewer components. Raises FacesecureError if nobody has
    two images.
    """
    mean = numbers.mean(axis=0)
    numbers -= mean
    basis = _principal(numbers, min(settings.components, *numbers.shape), chance)
    reduced = (numbers @ basis).astype(np.float64)
    matrix = basis @ _fisher(reduced, people, settings).astype(np.float32)
    return Axes(np.ascontiguousarray(matrix), np.asarray(-mean @ matrix, np.float32))


def _principal(numbers: Rows, count: int, chance: np.random.Generator) -> Rows:
    """Return the directions (n, count) in which ``numbers`` vary most."""
    drawn = chance.standard_normal((len(numbers), count + _SPARE), np.float32)
    found, _ = np.linalg.qr(numbers.T @ drawn)
    found, _ = np.linalg.qr(numbers.T @ (numbers @ found))
    small = (numbers @ found).astype(np.float64)
    _, vectors = np.linalg.eigh(small.T @ small)
    return np.asarray(found @ vectors[:, ::-1][:, :count].astype(np.float32))


def _fisher(numbers: NDArray[np.float64], people: NDArray[np.int64], settings: FisherSettings) -> NDArray[np.float64]:
    total = np.cov(numbers.T)
    share = settings.towards_all
    values, vectors = np.linalg.eigh((1 - share) * _within(numbers, people) + share * total)
    whitened = vectors / np.sqrt(np.maximum(values, 1e-9 * values.max()))
    ratios, axes = np.linalg.eigh(whitened.T @ total @ whitened)
    best = np.argsort(-ratios)[: settings.axes]
    weights = np.maximum(ratios[best] - 1, 0) / ratios[best]
    return np.asarray(whitened @ axes[:, best] * weights)


def _within(numbers: NDArray[np.float64], people: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the scatter of images around their person's mean, of those with two images or more."""
    order = np.argsort(people, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(people[order])) + 1)
    several = [group for group in groups if len(group) > 1]
    if not several:
        raise FacesecureError("nobody has two images", "add more images of the people, in the folder of each")
    apart = [(numbers[one] - numbers[one].mean(axis=0)) * np.sqrt(len(one) / (len(one) - 1)) for one in several]
    rows = np.concatenate(apart)
    return np.asarray(rows.T @ rows / len(rows))
