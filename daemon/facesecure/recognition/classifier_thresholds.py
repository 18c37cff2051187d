"""State what each name of a classifier needs to be accepted, as measured on people it was not trained on."""

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
"""Independent faces of a typical visit, for predicting who will be named."""


@dataclass(frozen=True, slots=True)
class ClassThresholds:
    """The rule for each name of one classifier.

    Example::

        for warning in ClassThresholds.from_card(classifier.card).warnings(false_accept=1e-3):
            print(warning)
    """

    rules: Mapping[str, AcceptanceRule]

    @classmethod
    def from_card(cls, card: ModelCard) -> ClassThresholds:
        """Make the rules of ``card``. Raises ModelError if its scores were not measured, or do not separate anyone."""
        facts, least = facts_of(card), card.thresholds.get(THRESHOLD, -1.0)
        try:
            models = {name: _score_model(facts.scores[name]) for name in names_of(card)}
        except ValueError as error:
            what = f"{card.name} does not separate its people from strangers: {error}"
            raise ModelError(what, "train it longer, or on more photos") from error
        return cls({name: AcceptanceRule(model, closeness=None, least=least) for name, model in models.items()})

    def of(self, name: str) -> AcceptanceRule:
        """Return the rule for ``name``."""
        return self.rules[name]

    def named(self, name: str, false_accept: float) -> float:
        """Return the expected share of visits of ``name`` that are named, at that rate of strangers accepted."""
        rule = self.rules[name]
        strangers = rule.scores.impostor.score_reached_with(false_accept / len(self.rules), _VISIT)
        limit = max(strangers, rule.least)
        return 0.0 if limit > 1 else rule.scores.genuine.chance_of_reaching(limit, _VISIT)

    def attainable(self, name: str) -> float:
        """Return the lowest rate of strangers at which half the visits of ``name`` are named; 1 if there is none."""
        rule = self.rules[name]
        typical = rule.scores.genuine.score_reached_with(0.5, _VISIT)
        chance = rule.scores.impostor.chance_of_reaching(typical, _VISIT)
        return min(1.0, len(self.rules) * chance) if typical >= rule.least else 1.0

    def warnings(self, false_accept: float) -> list[str]:
        """Return a warning for each name that will rarely be given at this rate, with a rate that would be enough."""
        return [
            f"{name} will rarely be named: strangers score too high for 1 in {1 / false_accept:,.0f}; {_advice(rate)}"
            for name in self.rules
            if self.named(name, false_accept) < 0.5
            for rate in (self.attainable(name),)
        ]


def _advice(rate: float) -> str:
    if rate > 0.5:
        return "no rate would be enough"
    step = 10.0 ** math.floor(math.log10(rate)) if rate > 0 else 0.0
    return (
        f"[verdict] false_accept = {math.ceil(rate / step) * step:.1g} would be enough"
        if step
        else "a higher one would be enough"
    )


def _score_model(measured: card_fields.ScoreModelFacts) -> ScoreModel:
    spreads = measured.genuine, measured.impostor
    return ScoreModel(*(ScoreDistribution(s.mean, s.sd_between, s.sd_within) for s in spreads))
