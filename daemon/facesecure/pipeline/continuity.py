"""Tell whether a track still follows the same person: two people can hand over in one place within a second.

The question arises when a face is found again after a gap, and when a face is far from the earlier ones of the track.
Each face then adds its log likelihood ratio, same person against another, and the question is settled at a bound, as in
Wald's sequential test (``recognition.decision`` decides on strangers likewise). The ratio accounts for poor images: a
dark, blurred or averted face says little either way.

Without a gap one face is never enough: it takes two in a row to make another person. On three drawn minutes of visitors
in small groups all 16 gaps of 0.6 s and more were hand-overs, and of 435 later faces of one person 1 was likelier
another's. Of photos of 125 people from different days, which differ more than the faces of a visit, 0.8 % were parted
from three others of the same person, and 0.04 % passed for another person's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from facesecure.domain import AlignedFace, Recognition
from facesecure.recognition.evidence import Evidence
from facesecure.recognition.same_person import Likeness, likeness
from facesecure.recognition.score_model import ScoreModel

GAP = 0.5
"""Seconds without a match after which another person may have taken the place."""
_CERTAIN = 3.0
"""Log odds (nats, 20 to 1) that settle the question after a gap."""
_CERTAIN_OF_ONE = 6.0
"""The same for the same person where there is but one earlier face: two small, unclear faces are often alike."""
_FAR = -3.0
"""The log likelihood ratio of a face that raises the question without a gap, if it is as unlike as another person's."""
_MAX_FACES = 5
"""Faces after which the likelier answer is taken."""


@dataclass(frozen=True, slots=True)
class ObservedFace:
    """A usable face of a track, seen at ``at`` seconds on the source's clock."""

    face: AlignedFace
    recognition: Recognition
    at: float


class Answer(Enum):
    """The answers to a question: the same person, another one, or not settled yet."""

    SAME = auto()
    OTHER = auto()
    OPEN = auto()


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a track still follows the same person: the ``faces`` since that is asked, and the log odds that it does.

    From ``certain`` on it is the same person after a gap. ``far`` says that the last of them is far from the earlier
    ones.
    """

    after_gap: bool
    certain: float = _CERTAIN
    faces: tuple[ObservedFace, ...] = ()
    log_odds: float = 0.0
    far: bool = False

    def add(self, face: ObservedFace, found: Likeness) -> Question:
        """Return the question with another face, and how alike it is to the earlier ones."""
        faces, log_odds = (*self.faces, face), self.log_odds + found.ratio
        return replace(self, faces=faces, log_odds=log_odds, far=_is_far(found))

    @property
    def answer(self) -> Answer:
        """The answer by the faces so far."""
        if not self.faces:
            return Answer.OPEN
        if len(self.faces) >= _MAX_FACES:
            return self.likelier
        return self._after_gap if self.after_gap else self._in_sequence

    @property
    def likelier(self) -> Answer:
        """The likelier answer, once no more faces come."""
        enough = self.after_gap or len(self.faces) > 1
        return Answer.OTHER if self.faces and enough and self.log_odds < 0 else Answer.SAME

    @property
    def _after_gap(self) -> Answer:
        if -_CERTAIN < self.log_odds < self.certain:
            return Answer.OPEN
        return Answer.SAME if self.log_odds > 0 else Answer.OTHER

    @property
    def _in_sequence(self) -> Answer:
        if not self.far:
            return Answer.SAME  # a single odd face: it comes from the light or the pose
        return Answer.OTHER if len(self.faces) > 1 else Answer.OPEN


@dataclass(frozen=True, slots=True)
class Continuity:
    """Asks and answers the question for every track. Without ``scores`` a track is always the same person's.

    Example::

        question = Continuity(scores).ask(track.evidence, track.question, observed)
    """

    scores: ScoreModel | None = None

    def after_gap(self, evidence: Evidence) -> Question | None:
        """Return the question that a gap raises; None if there is no face to compare with."""
        if self.scores is None or not evidence.comparable:
            return None
        return Question(after_gap=True, certain=_CERTAIN if evidence.usable > 1 else _CERTAIN_OF_ONE)

    def ask(self, evidence: Evidence, question: Question | None, seen: ObservedFace) -> Question | None:
        """Return the question after the face ``seen``; None if there is none. ``evidence`` is of the earlier faces."""
        found = likeness(self.scores, evidence, seen.face, seen.recognition)
        if found is None or (question is None and not _is_far(found)):
            return None
        return (question or Question(after_gap=False)).add(seen, found)


def _is_far(found: Likeness) -> bool:
    return found.unlike and found.ratio <= _FAR
