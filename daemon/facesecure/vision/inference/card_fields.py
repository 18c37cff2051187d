"""What was measured of a model, as its card keeps it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A piece of a card: frozen, and without a word that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ScoreSpread(Part):
    """Cosine of a photo with a template: ``sd_between`` is drawn once a visit, ``sd_within`` every photo."""

    mean: float
    sd_between: Annotated[float, Field(gt=0)]
    sd_within: Annotated[float, Field(gt=0)]


class ScoreModelFacts(Part):
    """How scores spread for the person a template belongs to, and for a stranger against one template.

    ``mutual``: the mean cosine of two photos of one person; 1 where scores are no cosines.
    """

    genuine: ScoreSpread
    impostor: ScoreSpread
    mutual: Annotated[float, Field(gt=0, le=1)] = 1.0


class StrangerFacts(Part):
    """The stranger model beside the card (``recognize.stranger_model``): its bytes, and what it was measured on.

    ``error`` is by what share its spreads were wrong (root mean square) for templates of people it had not seen,
    ``shift`` how far its mean score was off on pictures of a kind it had not seen, and ``rates`` what share of unseen
    strangers reached the score that the share in the key was asked to reach.
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
    """Tells people's faces from animals' by their embeddings (``vision.personhood``): a logistic regression.

    ``weights`` one a number of the embedding; a face below ``floor`` (log-odds) is not surely a person's.
    """

    weights: tuple[float, ...]
    bias: float
    floor: float
    dataset: str


class LooseCrop(Part):
    """How ``vision.crop`` cuts what a classifier sees: ``version`` is its CROP, ``margin`` its margin.

    ``detector`` found the faces that were learnt: another draws its boxes tighter or wider.
    """

    version: str
    margin: Annotated[float, Field(ge=0)]
    detector: str


class ClassifierFacts(Part):
    """How a classifier is asked, and what was measured of it (``recognize.classifier_scores`` makes it all).

    ``unknown`` are the labels that are nobody's name. ``crop`` None is the aligned face. ``scores`` are the spreads of
    each name's score over faces not learnt from: its own, and those of so many ``strangers`` (``faces`` in all), none
    of whom it had seen. ``rates`` are the shares of other strangers who were named where the key was asked for.
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
