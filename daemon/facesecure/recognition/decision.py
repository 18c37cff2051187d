"""Turns evidence into a verdict, at the error rates that were asked for.

A name is accepted when a stranger would come this close to anybody enrolled less often than ``false_accept`` (a
Neyman-Pearson test on that person's own impostor distribution, with Bonferroni's correction for the number of people),
when it is likelier than "nobody we know", when no rival who is known to look like that person comes this close too
often (``standards``), and when it leads the second name by ``margin`` and by what their likeness takes (``kinship``).
A stranger is a positive decision too: the log-likelihood ratio of even the best name has fallen below
log(``false_stranger``), as in Wald's sequential test (Wald, 1945). In between we wait for another face. For names
Wald's bound would be stricter than was asked for, because it holds for any distribution and ours were measured.
`facesecure-train evaluate tracks` tells what whole visits come to.
"""

from __future__ import annotations

import math

from facesecure.config import VerdictConfig
from facesecure.domain import Verdict, VerdictKind
from facesecure.recognition.evidence import Evidence, ScoreAccumulator
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.similarity import score_to_lead
from facesecure.recognition.thresholds import AcceptanceRule, AcceptanceRules, FixedThresholds

_CLEAR = 0.8
_MEASURED = 1e-6
"""The rarest coincidence we speak of: beyond it the model only extrapolates."""

Ranking = list[tuple[str, ScoreAccumulator]]


class VerdictRule:
    """Judges evidence as often as there is more of it."""

    def __init__(self, config: VerdictConfig, standards: ScoreModel | AcceptanceRules) -> None:
        """``standards`` say what to demand of whom; a score model alone is demanded of everybody alike."""
        self._config = config
        self._standards = FixedThresholds(standards) if isinstance(standards, ScoreModel) else standards

    def decide(self, evidence: Evidence) -> Verdict:
        """The verdict on ``evidence`` now; UNIDENTIFIED means "not sure yet", and stays if nothing more comes."""
        ranked = evidence.ranked()
        if evidence.usable == 0:
            return _verdict(VerdictKind.UNIDENTIFIED, evidence, ranked, _why_no_face(evidence))
        if evidence.usable < self._config.min_faces:
            why = f"only {_faces(evidence)}, {self._config.min_faces} needed"
            return _verdict(VerdictKind.UNIDENTIFIED, evidence, ranked, why)
        if not ranked:
            return _verdict(VerdictKind.STRANGER, evidence, ranked, f"{_faces(evidence)}, and nobody is enrolled")
        return self._decide(evidence, ranked)

    def _decide(self, evidence: Evidence, ranked: Ranking) -> Verdict:
        standards = [self._standards.of(name) for name, _ in ranked]
        ratios = [_ratio(standard, tally) for standard, (_, tally) in zip(standards, ranked, strict=True)]
        name, tally = ranked[0]
        chance = len(ranked) * standards[0].scores.impostor.chance_of_reaching(tally.score, tally.effective_faces)
        looks = f"{_faces(evidence)}, {tally.score:.2f} like {name}"
        if chance <= self._target_far(standards[0]) and ratios[0] > 0 and tally.score >= standards[0].least:
            rival = standards[0].rival_near(tally.score, tally.effective_faces)
            if rival is not None:
                why = f"{looks}, but {rival.name} comes as near too often"
                return _verdict(VerdictKind.UNIDENTIFIED, evidence, ranked, why, ratios[0])
            return self._name(evidence, ranked, ratios, standards[0], f"{looks}; {_rarity(chance)}")
        if max(ratios) <= math.log(self._config.false_stranger):
            why = f"{looks} at most: nobody we know"
            return _verdict(VerdictKind.STRANGER, evidence, ranked, why, ratios[0])
        unclear = " (they are unclear)" if tally.clarity < _CLEAR else ""
        why = f"{looks}{unclear}: too little for a name and too much for a stranger"
        return _verdict(VerdictKind.UNIDENTIFIED, evidence, ranked, why, ratios[0])

    def _leads(self, ranked: Ranking, standard: AcceptanceRule) -> bool:
        """Whether the first leads the second by as much as telling people who look so alike takes."""
        (_, first), (name, second), *_ = ranked
        if standard.closeness is None:
            return True
        closeness, asked = standard.closeness.get(name, 0.0), self._target_far(standard)
        return first.score >= score_to_lead(second.score, closeness, first.effective_faces, asked, standard.scores)

    def _target_far(self, standard: AcceptanceRule) -> float:
        return self._config.false_accept if standard.false_accept is None else standard.false_accept

    def _name(
        self, evidence: Evidence, ranked: Ranking, ratios: list[float], standard: AcceptanceRule, why: str
    ) -> Verdict:
        """KNOWN, unless somebody else is nearly as likely."""
        if len(ranked) == 1 or (ratios[0] - ratios[1] >= self._config.margin and self._leads(ranked, standard)):
            return _verdict(VerdictKind.KNOWN, evidence, ranked, why, ratios[0])
        (first, _), (second, tally), *_ = ranked
        why = f"{_faces(evidence)} like {first}, but {second} comes too close ({tally.score:.2f})"
        return _verdict(VerdictKind.UNIDENTIFIED, evidence, ranked, why, ratios[0])


def _ratio(standard: AcceptanceRule, tally: ScoreAccumulator) -> float:
    return standard.scores.log_likelihood_ratio(tally.score, tally.effective_faces, tally.clarity)


def _verdict(kind: VerdictKind, evidence: Evidence, ranked: Ranking, why: str, ratio: float | None = None) -> Verdict:
    (first, best), (second, runner_up) = ([*ranked, (None, None), (None, None)])[:2]
    return Verdict(
        kind,
        why,
        name=first if kind is VerdictKind.KNOWN else None,
        score=best.score if best else None,
        second_name=second,
        second_score=runner_up.score if runner_up else None,
        evidence=ratio,
        faces_used=evidence.usable,
    )


def _why_no_face(evidence: Evidence) -> str:
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
    return f"{evidence.usable} usable face{'s' if evidence.usable != 1 else ''}"
