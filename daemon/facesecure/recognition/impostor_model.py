"""Model the embeddings of strangers, and from that how often one of them comes near a given template.

A stranger's embedding is modelled in the two layers of ``score_model``: the person (drawn once a visit, covariance
``between``) and the image (drawn for every face, covariance ``within``). The cosine to a template is a projection of
both, so that every person gets an impostor distribution of their own: an average face needs a higher threshold than a
rare one. (Decomposition of within- and between-class covariance as in Ioffe, "Probabilistic Linear Discriminant
Analysis", ECCV 2006.) Only the means and covariances of thousands of people are shipped.

It was measured on people whom the model had not seen: ``rates`` in the card gives the rates asked for and reached.
"""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import ModelError
from facesecure.recognition.score_model import ScoreDistribution, ScoreModel
from facesecure.util.files import read_regular
from facesecure.vision.inference.model_card import Model

Vectors = NDArray[np.float32]
Matrix = NDArray[np.float64]
_DRAWS, _TAIL = 32768, 1e-3
"""Strangers drawn, and the tail fitted, where the nearest of several templates has no closed form."""
_MIN_MUTUAL = 0.01
_MEASURE = "measure it with: facesecure-train evaluate strangers --images DIR --write-card"


class ImpostorModel(Protocol):
    """Predicts how strangers score against a person's templates."""

    @property
    def people(self) -> int:
        """The number of people it was measured on."""

    @property
    def error(self) -> float:
        """The relative error of its spread on other people (root mean square)."""

    @property
    def shift(self) -> float:
        """The error of its mean on images of another kind."""

    def against(self, templates: Vectors) -> ScoreDistribution:
        """Return strangers' scores against the nearest of a person's ``templates``, float32 (k, size) of length 1."""


@dataclass(frozen=True, slots=True, eq=False)
class GaussianImpostors:
    """Strangers' embeddings as Gaussians: ``means`` (kinds, size), ``between`` and ``within`` (size, size).

    Each kind of image (press photos, crops from the web) has its own mean, which shifts all scores within it: with the
    mean of the press photos alone, 4.9 in 1,000 strangers from the web reached the score meant for 1 in 1,000. Since
    the kind that a camera resembles is not known, a template is compared with the kind whose mean is nearest to it.
    Example::

        impostor_model_of(load_model("mobilefacenet")).against(templates).score_reached_with(1e-4, faces=1)
    """

    means: Matrix
    between: Matrix
    within: Matrix
    people: int
    error: float = 0.0
    shift: float = 0.0

    def against(self, templates: Vectors) -> ScoreDistribution:
        """Return strangers' scores against the nearest of ``templates``, float32 (k, size) of length 1."""
        directions = templates.astype(np.float64)
        means = (directions @ self.means.T).max(axis=1)
        between, within = (directions @ layer @ directions.T for layer in (self.between, self.within))
        if len(directions) == 1:
            spreads = math.sqrt(between[0, 0]), math.sqrt(within[0, 0])
            return ScoreDistribution(float(means[0]), *spreads, self.mutual)
        return replace(_nearest(means, between, within), mutual=self.mutual)

    @property
    def mutual(self) -> float:
        """The mean cosine of two images of one stranger: the share of a unit vector that is not due to the image."""
        return min(1.0, max(_MIN_MUTUAL, 1 - float(np.trace(self.within))))


@dataclass(frozen=True, slots=True)
class GenericImpostors:
    """The impostor model of an embedding model without measured strangers: the card's one distribution for all."""

    impostor: ScoreDistribution
    people: int = 100
    error: float = 0.1
    shift: float = 0.03

    def against(self, templates: Vectors) -> ScoreDistribution:  # noqa: ARG002 - the same for all
        """Return the card's distribution."""
        return self.impostor


def impostor_model_of(model: Model) -> ImpostorModel:
    """Load the impostor model that lies beside ``model``. Raises ModelError if it is damaged or missing."""
    facts = model.card.strangers
    if facts is None:
        return GenericImpostors(ScoreModel.from_card(model.card).impostor)
    content = _read(model.path.with_name(facts.file), facts.sha256)
    means, between, within = unpacked(content)
    size = means.shape[1]
    if size != model.card.embedding_size:
        raise ModelError(
            f"{facts.file} describes embeddings of {size} numbers, not those of {model.card.name}", _MEASURE
        )
    return GaussianImpostors(means, between, within, facts.people, facts.error, facts.shift)


def _read(path: Path, sha256: str) -> bytes:
    try:
        content = read_regular(path)
    except OSError as error:
        raise ModelError(f"cannot read the impostor model {path}: {error.strerror}", _MEASURE) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelError(f"{path} is damaged, or not the file its card was written for", "reinstall facesecure")
    return content


def packed(model: GaussianImpostors) -> bytes:
    """Return ``model`` as an .npz file: means in float32, of each covariance the scaled upper triangle in float16."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {"means": model.means.astype(np.float32)}
    for name, layer in (("between", model.between), ("within", model.within)):
        scale = np.abs(layer).max()
        arrays[name] = (layer[np.triu_indices(len(layer))] / scale).astype(np.float16)
        arrays[f"{name}_scale"] = np.float32(scale)
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def unpacked(content: bytes) -> tuple[Matrix, Matrix, Matrix]:
    """Return (means, between, within) from the file ``content`` that ``packed`` made. Raises ModelError."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            means = np.atleast_2d(kept["means"].astype(np.float64))
            size = means.shape[1]
            between, within = (_layer(kept[name], kept[f"{name}_scale"], size) for name in ("between", "within"))
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(f"the impostor model cannot be read: {error}", _MEASURE) from error
    return means, between, within


def _layer(triangle: NDArray[np.float16], scale: NDArray[np.float32], size: int) -> Matrix:
    """Return the full symmetric covariance; eigenvalues that rounding made negative are raised to nearly zero."""
    layer = np.zeros((size, size))
    layer[np.triu_indices(size)] = triangle.astype(np.float64) * float(scale)
    values, vectors = np.linalg.eigh(layer + np.triu(layer, 1).T)
    return np.asarray((vectors * np.maximum(values, 1e-6)) @ vectors.T, np.float64)


def _nearest(means: Matrix, between: Matrix, within: Matrix) -> ScoreDistribution:
    """Return the distribution of the largest of several correlated scores, from strangers drawn with a fixed seed.

    The largest of Gaussians is not Gaussian, and its upper tail is what counts: the spread is chosen to match the score
    reached by 1 in 1,000. Two faces of each stranger are drawn; their correlation divides the spread between the
    person and the image.
    """
    draws = np.random.default_rng(0).standard_normal((3, len(means), _DRAWS), np.float32)
    visit = means.astype(np.float32)[:, None] + _root(between) @ draws[0]
    images = _root(within)
    faces = np.stack([(visit + images @ noise).max(axis=0) for noise in draws[1:]])
    mean, tail = float(faces.mean()), round(faces.size * _TAIL)
    reached = float(-np.partition(-faces, tail, axis=None)[tail])
    whole = (reached - mean) / NormalDist().inv_cdf(1 - _TAIL)
    shared = min(max(float(np.corrcoef(faces)[0, 1]), 0.0), 0.999)
    return ScoreDistribution(mean, whole * math.sqrt(shared), whole * math.sqrt(1 - shared))


def _root(covariance: Matrix) -> Vectors:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)), np.float32)


def stricter(one: ScoreDistribution, other: ScoreDistribution) -> ScoreDistribution:
    """Return a distribution that puts strangers at least as near as both do, at every probability below one half."""
    between = max(one.sd_between, other.sd_between)
    limit = max(some.sd_between / math.sqrt(some.mutual) for some in (one, other))
    mutual = min(1.0, (between / limit) ** 2) if limit else 1.0
    return ScoreDistribution(max(one.mean, other.mean), between, max(one.sd_within, other.sd_within), mutual)
