"""Join the cues of one visit: how its surroundings moved, and what the networks say of its faces."""

from __future__ import annotations

from dataclasses import dataclass, replace

from facesecure.domain.why import Why
from facesecure.recognition.liveness.antispoof import SpoofScores
from facesecure.recognition.liveness.surroundings import PairMotion

_LEAST_PAIRS = 5
"""Pairs of frames with movement from which their share counts: of fewer, chance decides."""
_CLEAR = 5
"""Movements of the face alone from which its surroundings count as still."""
LEAST_FACES = 4
"""Faces that must be judged before a visit is doubted."""
_SUSPICIOUS = 0.5
"""Mean score of the networks from which it is worth to wait for more faces: a living face stays far below."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From which share of pairs, and from which mean score of both networks, a visit is doubted."""

    together: float = 0.5
    score: float = 0.8


@dataclass(frozen=True, slots=True)
class VisitSummary:
    """The figures of one visit: the share of moving pairs that moved together, and the lower of the mean scores.

    None where nothing was measured.
    """

    faces: int
    together: float | None
    score: float | None


@dataclass(frozen=True, slots=True)
class VisitCues:
    """The cues of one visit so far. ``doubt`` says why it may be a picture; it stays, once it is set.

    Example::

        cues = VisitCues().seen(PairMotion.TOGETHER, scores).judged(Limits())
    """

    faces: int = 0
    together: int = 0
    apart: int = 0
    scored: int = 0
    wide: float = 0.0
    near: float = 0.0
    doubt: str = ""

    def seen(self, motion: PairMotion, scores: SpoofScores | None) -> VisitCues:
        """Return the cues with one more face."""
        return replace(
            self,
            faces=self.faces + 1,
            together=self.together + (motion is PairMotion.TOGETHER),
            apart=self.apart + (motion is PairMotion.APART),
            scored=self.scored + (scores is not None),
            wide=self.wide + (scores.wide if scores else 0.0),
            near=self.near + (scores.near if scores else 0.0),
        )

    def judged(self, limits: Limits) -> VisitCues:
        """Return the cues with a doubt, if they give reason for one."""
        if self.doubt or self.faces < LEAST_FACES:
            return self
        found = self.summary
        if self.scored >= LEAST_FACES and found.score is not None and found.score >= limits.score:
            why = Why.LIKE_A_SCREEN.say(n=self.scored, score=f"{found.score:.2f}")
        elif found.together is not None and found.together >= limits.together:
            why = Why.MOVES_ALONG.say(n=self.together, of=self.together + self.apart)
        else:
            return self
        return replace(self, doubt=why)

    @property
    def summary(self) -> VisitSummary:
        """The figures so far."""
        moving = self.together + self.apart
        share = self.together / moving if moving >= _LEAST_PAIRS else None
        return VisitSummary(self.faces, share, min(self.wide, self.near) / self.scored if self.scored else None)

    @property
    def clear(self) -> bool:
        """Return whether the surroundings stay where they are: few comparisons more are needed."""
        return self.apart >= _CLEAR and self.apart >= 4 * self.together

    @property
    def suspicious(self) -> bool:
        """Return whether more faces may raise a doubt: worth to wait a moment before a name is announced."""
        if self.doubt:
            return False
        by_models = 0 < self.scored < LEAST_FACES and min(self.wide, self.near) / self.scored >= _SUSPICIOUS
        return by_models or (self.together > self.apart and self.together + self.apart < _LEAST_PAIRS)
