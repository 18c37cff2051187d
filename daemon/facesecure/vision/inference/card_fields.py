"""The measured facts of a model, as its card stores them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A part of a card: frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ScoreSpread(Part):
    """Distribution of the cosine of a photo with a template.

    ``sd_between`` varies from visit to visit, ``sd_within`` from photo to photo.
    """

    mean: float
    sd_between: Annotated[float, Field(gt=0)]
    sd_within: Annotated[float, Field(gt=0)]


class ScoreModelFacts(Part):
    """Distributions of scores: of the person a template belongs to, and of a stranger against one template.

    ``mutual``: the mean cosine of two photos of one person; 1 where scores are no cosines.
    """

    genuine: ScoreSpread
    impostor: ScoreSpread
    mutual: Annotated[float, Field(gt=0, le=1)] = 1.0


class StrangerFacts(Part):
    """The impostor model beside the card (``recognition.impostor_model``): its file, and what it was measured on.

    ``error`` is the relative RMS error of its standard deviations for templates of unseen people, ``shift`` the error
    of its mean score on images of an unseen kind, and ``rates`` maps a requested share of impostors above a score to
    the measured share of unseen ones.
    """

    file: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    dataset: str
    people: int
    faces: int
    error: float
    shift: float
    rates: dict[str, float] = {}


class HumanFilterFacts(Part):
    """A logistic regression that distinguishes people's faces from animals' by their embeddings.

    ``weights`` has one number for each of the embedding (``recognition.human_filter``); a face below ``floor``
    (log-odds) is not certainly a person's.
    """

    weights: tuple[float, ...]
    bias: float
    floor: float
    dataset: str


class LooseCrop(Part):
    """The loose crop of a classifier (``images.align.square_crop``): ``version`` is its CROP, ``margin`` its margin.

    ``detector`` found the faces of the training set: another draws its boxes tighter or wider.
    """

    version: str
    margin: Annotated[float, Field(ge=0)]
    detector: str


class ClassifierFacts(Part):
    """The settings and measured figures of a classifier (computed by ``recognition.classifier_scores``).

    ``unknown`` are the labels that are not names. ``crop`` None is the aligned face. ``scores`` are the distributions
    of each name's score over held-out faces: the person's own, and those of ``strangers`` unseen people (``faces`` in
    all). ``rates`` maps a requested share of strangers who are given a name to the measured share of other strangers.
    """

    output: Literal["probabilities", "logits"] = "probabilities"
    unknown: tuple[str, ...] = ()
    crop: LooseCrop | None = None
    light: Literal["as taken", "brightened"] = "as taken"
    scores: dict[str, ScoreModelFacts] = {}
    strangers: int = 0
    faces: int = 0
    dataset: str = ""
    rates: dict[str, float] = {}
