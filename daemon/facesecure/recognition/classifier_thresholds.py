"""What is demanded before a classifier's name is given: what its card measured on people it did not learn from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from facesecure.domain.errors import ModelError
from facesecure.recognition.classifier import facts_of, names_of
from facesecure.recognition.classifier_scores import THRESHOLD
from facesecure.recognition.score_model import ScoreDistribution, ScoreModel
from facesecure.recognition.thresholds import AcceptanceRule
from facesecure.vision.inference import card_fields
from facesecure.vision.inference.model_card import ModelCard

_VISIT = 5.0
"""Independent faces of a usual visit, by which it is foretold who will be named."""


@dataclass(frozen=True, slots=True)
class ClassThresholds:
    """The standard of each name of one classifier."""

    standards: Mapping[str, AcceptanceRule]

    @classmethod
    def from_card(cls, card: ModelCard) -> ClassThresholds:
        """Raises ModelError where the card does not say how its scores spread, or they tell nobody from strangers."""
        facts, least = facts_of(card), card.thresholds.get(THRESHOLD, -1.0)
        try:
            models = {name: _score_model(facts.scores[name]) for name in names_of(card)}
        except ValueError as error:
            what = f"{card.name} does not tell those it knows from strangers: {error}"
            raise ModelError(what, "train it longer, or on more pictures") from error
        return cls({name: AcceptanceRule(model, closeness=None, least=least) for name, model in models.items()})

    def of(self, name: str) -> AcceptanceRule:
        return self.standards[name]

    def named(self, name: str, false_accept: float) -> float:
        """The share of visits of ``name`` that are expected to be named, where that rate of strangers is asked for."""
        standard = self.standards[name]
        strangers = standard.scores.impostor.score_reached_with(false_accept / len(self.standards), _VISIT)
        limit = max(strangers, standard.least)
        return 0.0 if limit > 1 else standard.scores.genuine.chance_of_reaching(limit, _VISIT)

    def attainable(self, name: str) -> float:
        """The least rate of strangers at which every second visit of ``name`` is still named, 1 where there is none."""
        standard = self.standards[name]
        usual = standard.scores.genuine.score_reached_with(0.5, _VISIT)
        chance = standard.scores.impostor.chance_of_reaching(usual, _VISIT)
        return min(1.0, len(self.standards) * chance) if usual >= standard.least else 1.0

    def warnings(self, false_accept: float) -> list[str]:
        """Who will hardly ever be named at the rate asked for, and what rate would do."""
        return [
            f"{name} will hardly be named: strangers come too near for 1 in {1 / false_accept:,.0f}; {_advice(rate)}"
            for name in self.standards
            if self.named(name, false_accept) < 0.5
            for rate in (self.attainable(name),)
        ]


def _advice(rate: float) -> str:
    if rate > 0.5:
        return "no rate would do"
    step = 10.0 ** math.floor(math.log10(rate)) if rate > 0 else 0.0
    return f"[verdict] false_accept = {math.ceil(rate / step) * step:.1g} would do" if step else "a larger one would do"


def _score_model(measured: card_fields.ScoreModelFacts) -> ScoreModel:
    spreads = measured.genuine, measured.impostor
    return ScoreModel(*(ScoreDistribution(s.mean, s.sd_between, s.sd_within) for s in spreads))
