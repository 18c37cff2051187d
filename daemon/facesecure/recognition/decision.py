"""Turn evidence into a verdict, at the error rates that were asked for.

A name is accepted under four conditions: a stranger would come this close to anyone enrolled less often than
``false_accept`` (a Neyman-Pearson test on that person's own impostor distribution, with Bonferroni's correction for the
number of people); it is likelier than an unknown person; no rival who is known to look like that person comes this
close too often (``thresholds``); and it leads the second name by ``margin``, and by as much as their similarity demands
(``similarity``).

A stranger is a positive decision too: the log-likelihood ratio of even the best name has fallen below
log(``false_stranger``), as in Wald's sequential test (Wald, 1945). In between, another face is waited for. For names,
Wald's bound would be stricter than what was asked for, because it holds for any distribution while ours were measured.
``facesecure-train evaluate tracks`` measures the rates of whole visits.
"""

from __future__ import annotations

import math

from facesecure.config import VerdictConfig
from facesecure.domain import Verdict, VerdictKind
from facesecure.domain.why import Why
from facesecure.recognition.evidence import Evidence, ScoreAccumulator
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.similarity import score_to_lead
from facesecure.recognition.thresholds import AcceptanceRule, AcceptanceRules, FixedThresholds

_CLEAR = 0.8
_MIN_PROBABILITY = 1e-6
"""The smallest probability that is stated: below it the model only extrapolates."""

Ranking = list[tuple[str, ScoreAccumulator]]


class VerdictRule:
    """Decides on the evidence of a track, each time that a face is added.

    Example::

        VerdictRule(config.verdict, ScoreModel.from_card(card)).decide(evidence).kind
    """

    def __init__(self, config: VerdictConfig, rules: ScoreModel | AcceptanceRules) -> None:
        """``rules`` state what each name needs to be accepted; a score model alone is used for all names."""
        self._config = config
        self._rules = FixedThresholds(rules) if isinstance(rules, ScoreModel) else rules

    def decide(self, evidence: Evidence) -> Verdict:
        """Return the verdict on ``evidence``; UNIDENTIFIED means not certain yet, and stays if no more faces come."""
        ranked = evidence.ranked()
        if evidence.usable == 0:
            return _verdict(VerdictKind.UNIDENTIFIED, evidence, ranked, _why_no_face(evidence))
        if evidence.usable < self._config.min_faces:
            why = Why.TOO_FEW.say(faces=_faces(evidence), needed=self._config.min_faces)
            return _verdict(VerdictKind.UNIDENTIFIED, evidence, ranked, why)
        if not ranked:
            why = Why.NOBODY_ENROLLED.say(faces=_faces(evidence))
            return _verdict(VerdictKind.STRANGER, evidence, ranked, why)
        return self._decide(evidence, ranked)

    def _decide(self, evidence: Evidence, ranked: Ranking) -> Verdict:
        rules = [self._rules.of(name) for name, _ in ranked]
        ratios = [_ratio(rule, scores) for rule, (_, scores) in zip(rules, ranked, strict=True)]
        (name, best), rule = ranked[0], rules[0]
        chance = len(ranked) * rule.scores.impostor.chance_of_reaching(best.score, best.effective_faces)
        found = {"faces": _faces(evidence), "score": f"{best.score:.2f}", "name": name}
        if chance <= self._target_far(rule) and ratios[0] > 0 and best.score >= rule.least:
            rival = rule.rival_near(best.score, best.effective_faces)
            if rival is not None:
                why = Why.RIVAL.say(**found, rival=rival.name)
                return _verdict(VerdictKind.UNIDENTIFIED, evidence, ranked, why, ratios[0])
            return self._accept(evidence, ranked, ratios, rule, Why.NAMED.say(**found, rarity=_rarity(chance)))
        if max(ratios) <= math.log(self._config.false_stranger):
            why = Why.STRANGER.say(**found)
            return _verdict(VerdictKind.STRANGER, evidence, ranked, why, ratios[0])
        why = (Why.UNCLEAR if best.clarity < _CLEAR else Why.UNDECIDED).say(**found)
        return _verdict(VerdictKind.UNIDENTIFIED, evidence, ranked, why, ratios[0])

    def _accept(
        self, evidence: Evidence, ranked: Ranking, ratios: list[float], rule: AcceptanceRule, why: str
    ) -> Verdict:
        """Return KNOWN, or UNIDENTIFIED if the second name is nearly as likely."""
        if len(ranked) == 1 or (ratios[0] - ratios[1] >= self._config.margin and self._leads(ranked, rule)):
            return _verdict(VerdictKind.KNOWN, evidence, ranked, why, ratios[0])
        (first, _), (second, scores), *_ = ranked
        why = Why.TOO_CLOSE.say(faces=_faces(evidence), name=first, rival=second, score=f"{scores.score:.2f}")
        return _verdict(VerdictKind.UNIDENTIFIED, evidence, ranked, why, ratios[0])

    def _leads(self, ranked: Ranking, rule: AcceptanceRule) -> bool:
        """Return whether the first name leads the second by as much as the similarity of the two people demands."""
        (_, first), (name, second), *_ = ranked
        if rule.closeness is None:
            return True
        closeness, far = rule.closeness.get(name, 0.0), self._target_far(rule)
        return first.score >= score_to_lead(second.score, closeness, first.effective_faces, far, rule.scores)

    def _target_far(self, rule: AcceptanceRule) -> float:
        """Return the false accept rate that ``rule`` was calibrated for, or the configured one."""
        return self._config.false_accept if rule.false_accept is None else rule.false_accept


def _ratio(rule: AcceptanceRule, scores: ScoreAccumulator) -> float:
    return rule.scores.log_likelihood_ratio(scores.score, scores.effective_faces, scores.clarity)


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
        return Why.NO_FACE_YET.say()
    return Why.NO_FACE.say(reasons="; ".join(evidence.last_reasons))


def _rarity(chance: float) -> str:
    """Return how rarely a stranger comes this close, in words."""
    if chance < _MIN_PROBABILITY:
        return Why.RAREST.say(n=f"{round(1 / _MIN_PROBABILITY):,}")
    return Why.RARE.say(n=f"{_two_figures(1 / chance):,}")


def _two_figures(value: float) -> int:
    step = int(10 ** max(0, math.floor(math.log10(value)) - 1))
    return round(value / step) * step


def _faces(evidence: Evidence) -> str:
    return Why.ONE_FACE.say() if evidence.usable == 1 else Why.FACES.say(n=evidence.usable)
