"""The daemon's own decisions for a drawn household: enrolled, calibrated and judged as ``run`` would do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facesecure.config import VerdictConfig
from facesecure.domain import Recognition
from facesecure.recognition.calibration import PersonCalibration
from facesecure.recognition.calibrator import Calibrator, HouseholdMember
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.evidence import Evidence
from facesecure.recognition.impostor_model import impostor_model_of
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.templates import templates_of
from facesecure.recognition.thresholds import AcceptanceRule
from facesecure.vision.inference.model_card import Model
from facesecure_training.evaluation.households import Household
from facesecure_training.evaluation.observations import FaceObservation
from facesecure_training.evaluation.openset import DecisionFigures, decision_figures


@dataclass(frozen=True, slots=True)
class CalibratedRules:
    """The acceptance rule of each name, by calibration."""

    rules: Mapping[str, AcceptanceRule]

    def of(self, name: str) -> AcceptanceRule:
        """Return the rule of ``name``."""
        return self.rules[name]


@dataclass(frozen=True, slots=True, eq=False)
class HouseholdJudge:
    """One household with its templates, its calibration and its verdict rule."""

    templates: Mapping[str, NDArray[np.float32]]
    rule: VerdictRule
    thresholds: Mapping[str, float]
    """The score that a single face must reach, by name."""

    def recognise(self, observation: FaceObservation) -> Recognition:
        """Return each person's score: the cosine to their nearest template."""
        scores = {name: float((some @ observation.embedding).max()) for name, some in self.templates.items()}
        return Recognition(scores, observation.embedding)

    def recognise_all(self, observations: Sequence[FaceObservation]) -> list[Recognition]:
        """Return the scores of each observation."""
        faces = np.stack([observation.embedding for observation in observations])
        columns = {name: (faces @ some.T).max(axis=1).tolist() for name, some in self.templates.items()}
        return [
            Recognition({name: column[row] for name, column in columns.items()}, observation.embedding)
            for row, observation in enumerate(observations)
        ]

    def over_threshold(self, observations: Sequence[FaceObservation]) -> list[str | None]:
        """Return, for each photo, the best name if it reaches that name's threshold."""
        best = [one.ranked()[0] for one in self.recognise_all(observations)]
        return [name if score >= self.thresholds[name] else None for name, score in best]

    def named(self, observations: Sequence[FaceObservation]) -> list[str | None]:
        """Return the name in the verdict on each photo by itself, if any; unusable faces have none."""
        pairs = zip(observations, self.recognise_all(observations), strict=True)
        return [
            self.rule.decide(Evidence().add(recognition, observation.quality, at=0.0)).name
            if observation.quality.usable
            else None
            for observation, recognition in pairs
        ]


@dataclass(frozen=True, slots=True)
class HouseholdJudgeFactory:
    """Makes the judges of households, for one model."""

    model: Model

    def open(
        self, household: Household, false_accept: float, min_faces: int = VerdictConfig().min_faces
    ) -> HouseholdJudge:
        """Enrol the household's photos and calibrate for ``false_accept``, a share of strangers' visits."""
        members = [_member(name, observations) for name, observations in household.enrolled.items()]
        config = VerdictConfig(false_accept=false_accept, min_faces=min_faces)
        found = self._calibrated(members, false_accept)
        rules = {name: AcceptanceRule(one.scores(), false_accept, one.rivals) for name, one in found.items()}
        return HouseholdJudge(
            {member.name: member.templates for member in members},
            VerdictRule(config, CalibratedRules(rules)),
            {name: one.threshold for name, one in found.items()},
        )

    def _calibrated(self, members: Sequence[HouseholdMember], false_accept: float) -> Mapping[str, PersonCalibration]:
        card = self.model.card
        quantiles = card.genuine_quantiles
        calibrator = Calibrator(impostor_model_of(self.model), ScoreModel.from_card(card), false_accept, quantiles)
        return calibrator.calibrate(members)


def _member(name: str, observations: Sequence[FaceObservation]) -> HouseholdMember:
    faces = np.stack([observation.embedding for observation in observations])
    return HouseholdMember(name, faces, np.stack([template.direction for template in templates_of(faces)]))


def single_face_figures(
    judges: HouseholdJudgeFactory, households: Sequence[Household], asked: float
) -> tuple[DecisionFigures, DecisionFigures]:
    """Judge every face by itself, calibrated for ``asked``: by the thresholds alone, and by the whole verdict rule.

    The verdict rule refuses unusable faces, and those that two names or "no known person" explain nearly as well.
    """
    calibrated = [(household, judges.open(household, asked, min_faces=1)) for household in households]
    rules: tuple[Callable[[HouseholdJudge, Sequence[FaceObservation]], list[str | None]], ...] = (
        HouseholdJudge.over_threshold,
        HouseholdJudge.named,
    )
    by_threshold, by_judge = (_judged(calibrated, asked, rule) for rule in rules)
    return by_threshold, by_judge


def _judged(
    calibrated: Sequence[tuple[Household, HouseholdJudge]],
    asked: float,
    rule: Callable[[HouseholdJudge, Sequence[FaceObservation]], list[str | None]],
) -> DecisionFigures:
    family, strangers = [], []
    for household, judge in calibrated:
        grades = [
            0 if name_given is None else 1 if name_given == name else -1
            for name, observations in household.probes.items()
            for name_given in rule(judge, observations)
        ]
        family.append(np.array(grades))
        strangers.append(np.array([name_given is not None for name_given in rule(judge, household.strangers)]))
    return decision_figures(asked, family, strangers)
