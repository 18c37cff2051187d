"""Adds up what the faces of one track say, and judges.

A name is accepted when a stranger would come this close to anybody enrolled less often than ``false_accept`` (a
Neyman-Pearson test on the impostors' distribution, with Bonferroni's correction for the number of people), when it is
likelier than "nobody we know", and when it leads the second name by ``margin``. A stranger is a positive decision too:
the log-likelihood ratio of even the best name has fallen below log(``false_stranger``), as in Wald's sequential test
(Wald, 1945). In between we wait for another face. Wald's bound for names too would be stricter than was asked for:
over five photos, 4 people and 12,000 strangers it named 97.5 % of the family where this names 99.6 %, and neither
let a stranger in at 1 in 10,000. Every usable face counts, so a face unlike Tom is evidence against Tom; nothing is
thrown away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from facesecure.config import VerdictConfig
from facesecure.domain import Quality, Recognition, Verdict, VerdictKind
from facesecure.recognize.score_model import ScoreModel

_INDEPENDENT_AFTER = 0.7
"""Seconds after which another frame of the same face counts nearly (63 %) as much as a fresh one."""
_CLEAR = 0.8
_MEASURED = 1e-6
"""The rarest coincidence we speak of: beyond it the model only extrapolates."""
_LEAST_NEW = 0.15
"""What the very next frame still adds; sensor noise and blur do differ."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The faces of one track so far.

    ``weight`` is how many independent, clear faces they amount to; ``clarities`` sums each face's clarity by weight.
    """

    faces: int = 0
    refused: int = 0
    weight: float = 0.0
    clarities: float = 0.0
    last_at: float | None = None
    sums: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    last_reasons: tuple[str, ...] = ()

    def refuse(self, quality: Quality) -> Evidence:
        """A face that was too poor to tell: counted, remembered why, and no evidence at all."""
        return replace(self, refused=self.refused + 1, last_reasons=quality.reasons)

    def add(self, recognition: Recognition, quality: Quality, at: float) -> Evidence:
        """One usable face seen at ``at`` seconds. A person enrolled meanwhile starts with this face."""
        weight = self._novelty(at) * quality.clarity**2  # as signal over noise wants it: the noise is the same
        names = recognition.scores.keys()
        sums = {name: self.sums.get(name, 0.0) + weight * recognition.scores[name] for name in names}
        weights = {name: self.weights.get(name, 0.0) + weight for name in names}
        return replace(
            self,
            faces=self.faces + 1,
            weight=self.weight + weight,
            clarities=self.clarities + weight * quality.clarity,
            last_at=at,
            sums=MappingProxyType(sums),
            weights=MappingProxyType(weights),
        )

    def _novelty(self, at: float) -> float:
        if self.last_at is None:
            return 1.0
        return max(_LEAST_NEW, 1 - math.exp(-(at - self.last_at) / _INDEPENDENT_AFTER))

    @property
    def clarity(self) -> float:
        """Mean clarity of the faces, weighted as their scores are."""
        return min(1.0, self.clarities / self.weight) if self.weight else 0.0

    def ranked(self) -> list[tuple[str, float, float]]:
        """(name, mean score, weight), best first; ties by name."""
        means = [(name, self.sums[name] / self.weights[name], self.weights[name]) for name in self.sums]
        return sorted(means, key=lambda item: (-item[1], item[0]))


class Judge:
    """Turns evidence into a verdict at the error rates asked for."""

    def __init__(self, config: VerdictConfig, model: ScoreModel) -> None:
        self._config = config
        self._model = model

    def judge(self, evidence: Evidence) -> Verdict:
        """The verdict on ``evidence`` now; UNIDENTIFIED means "not sure yet", and stays if nothing more comes."""
        if evidence.faces == 0:
            return self._unidentified(evidence, self._why_no_face(evidence))
        if evidence.faces < self._config.min_faces:
            return self._unidentified(evidence, f"only {evidence.faces} usable face, {self._config.min_faces} needed")
        ranked = evidence.ranked()
        if not ranked:
            return Verdict(
                VerdictKind.STRANGER, f"{_faces(evidence)}, and nobody is enrolled", faces_used=evidence.faces
            )
        return self._compare(evidence, ranked)

    def _compare(self, evidence: Evidence, ranked: list[tuple[str, float, float]]) -> Verdict:
        ratios = [self._model.log_likelihood_ratio(score, weight, evidence.clarity) for _, score, weight in ranked]
        name, score, weight = ranked[0]
        best, lead = ratios[0], ratios[0] - ratios[1] if len(ranked) > 1 else math.inf
        chance = len(ranked) * self._model.impostor.chance_of_reaching(score, weight)
        looks = f"{_faces(evidence)}, {score:.2f} like {name}"
        if chance <= self._config.false_accept and best > 0:
            if lead >= self._config.margin:
                return self._verdict(VerdictKind.KNOWN, evidence, ranked, best, f"{looks}; {_rarity(chance)}")
            why = f"{looks}, but {ranked[1][0]} comes too close ({ranked[1][1]:.2f})"
            return self._verdict(VerdictKind.UNIDENTIFIED, evidence, ranked, best, why)
        if max(ratios) <= math.log(self._config.false_stranger):
            return self._verdict(VerdictKind.STRANGER, evidence, ranked, best, f"{looks} at most: nobody we know")
        unclear = " (they are unclear)" if evidence.clarity < _CLEAR else ""
        why = f"{looks}{unclear}: too little for a name and too much for a stranger"
        return self._verdict(VerdictKind.UNIDENTIFIED, evidence, ranked, best, why)

    def _verdict(
        self,
        kind: VerdictKind,
        evidence: Evidence,
        ranked: list[tuple[str, float, float]],
        ratio: float,
        why: str,
    ) -> Verdict:
        second = ranked[1] if len(ranked) > 1 else (None, None, None)
        return Verdict(
            kind,
            why,
            name=ranked[0][0] if kind is VerdictKind.KNOWN else None,
            score=ranked[0][1],
            second_name=second[0],
            second_score=second[1],
            evidence=ratio,
            faces_used=evidence.faces,
        )

    def _unidentified(self, evidence: Evidence, why: str) -> Verdict:
        ranked = evidence.ranked()
        return Verdict(VerdictKind.UNIDENTIFIED, why, score=ranked[0][1] if ranked else None, faces_used=evidence.faces)

    def _why_no_face(self, evidence: Evidence) -> str:
        if not evidence.last_reasons:
            return "no usable face yet"
        return f"no usable face: {'; '.join(evidence.last_reasons)}"


def _rarity(chance: float) -> str:
    """How seldom a stranger comes this close, in words."""
    if chance < _MEASURED:
        return f"fewer than 1 stranger in {round(1 / _MEASURED):,} comes this close"
    return f"1 stranger in {_two_figures(1 / chance):,} comes this close"


def _two_figures(value: float) -> int:
    step = int(10 ** max(0, math.floor(math.log10(value)) - 1))
    return round(value / step) * step


def _faces(evidence: Evidence) -> str:
    return f"{evidence.faces} usable face{'s' if evidence.faces != 1 else ''}"
