"""Walk-ins simulated from photos, and rules that decide on them from the same embeddings.

A track is one person's frames in random order, 0.2 to 2 s apart, corrupted as by a door camera. Photos of one person
were taken on different days, so these frames differ more than neighbouring frames of a video do.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facesecure.domain import VerdictKind
from facesecure.recognition.evidence import Evidence
from facesecure_training.evaluation.household_judge import HouseholdJudge
from facesecure_training.evaluation.observations import FaceObservation

LEAST_USABLE, MOST_USABLE = 5, 10
_STEP = (0.2, 2.0)
STRANGER = ""
"""A rule's result for a person who is not of the household; None if it is not sure."""

Track = Sequence[tuple[float, FaceObservation]]
"""(seconds, face) in the order of time."""


@dataclass(frozen=True, slots=True)
class TrackOutcome:
    """A rule's result on a track.

    ``final``: a name, STRANGER or None (not sure). ``names``: all names given at any time. ``faces``: usable ones seen
    until ``final`` was first given.
    """

    final: str | None
    names: frozenset[str]
    faces: int


TrackRule = Callable[[HouseholdJudge, Track], TrackOutcome]


def make_track(observations: Sequence[FaceObservation], random: np.random.Generator) -> Track | None:
    """Return 5 to 10 usable faces, and the unusable ones between them; None if there are too few."""
    wanted = int(random.integers(LEAST_USABLE, MOST_USABLE + 1))
    at, usable, track = 0.0, 0, []
    for index in random.permutation(len(observations)):
        observation = observations[index]
        track.append((at, observation))
        at += float(random.uniform(*_STEP))
        usable += observation.quality.usable
        if usable == wanted:
            break
    return track if usable >= LEAST_USABLE else None


def ours(judge: HouseholdJudge, track: Track) -> TrackOutcome:
    """Apply the daemon's evidence and verdict rule, after every face as the tracker does."""
    evidence, history = Evidence(), []
    for at, observation in track:
        usable = observation.quality.usable
        evidence = (
            evidence.add(judge.recognise(observation), observation.quality, at)
            if usable
            else evidence.refuse(observation.quality)
        )
        verdict = judge.rule.decide(evidence)
        word = STRANGER if verdict.kind is VerdictKind.STRANGER else verdict.name
        history.append((word, evidence.usable))
    final = history[-1][0]
    names = frozenset(word for word, _ in history if word)
    return TrackOutcome(final, names, next(faces for word, faces in history if word == final))


def best_frame(judge: HouseholdJudge, track: Track) -> TrackOutcome:
    """Compare the clearest face alone with the threshold for one face at the same rate."""
    observation = max(_usable(track), key=lambda one: one.quality.clarity)
    return _settled(_single(judge, observation), len(_usable(track)))


def majority(judge: HouseholdJudge, track: Track) -> TrackOutcome:
    """Let every face vote, by the threshold for one face at the same rate; more than half of the votes decide."""
    votes = Counter(_single(judge, observation) for observation in _usable(track))
    word, count = votes.most_common(1)[0]
    return _settled(word if 2 * count > votes.total() else None, votes.total())


_SLOPE, _MIDPOINT = 20.0, 0.3
_UNKNOWN, _ACCEPTED = 0.8, 0.9
_FULL_AREA = 4000.0


def frigate(judge: HouseholdJudge, track: Track) -> TrackOutcome:
    """Apply Frigate's published rule for ArcFace.

    Each score is 1 / (1 + exp(-20 (cosine - 0.3))); scores of 0.8 and below are dropped; of the rest the mean weighted
    by area, up to 4,000 pixels, must reach 0.9, and the name with most faces wins if no other has as many.
    (github.com/blakeblackshear/frigate, frigate/data_processing, as of 0.16; its accepted score and its lowest score
    are settings, used here at their defaults.)
    """
    kept = []
    for observation in _usable(track):
        name, score = judge.recognise(observation).ranked()[0]
        confidence = 1 / (1 + math.exp(-_SLOPE * (score - _MIDPOINT)))
        if confidence > _UNKNOWN:
            kept.append((name, confidence, min(observation.area, _FULL_AREA)))
    return _settled(_weighted(kept), len(_usable(track)))


def _weighted(kept: Sequence[tuple[str, float, float]]) -> str:
    counts = Counter(name for name, _, _ in kept).most_common(2)
    if not counts or (len(counts) == 2 and counts[0][1] == counts[1][1]):
        return STRANGER
    mine = [(confidence, area) for name, confidence, area in kept if name == counts[0][0]]
    mean = sum(confidence * area for confidence, area in mine) / sum(area for _, area in mine)
    return counts[0][0] if mean >= _ACCEPTED else STRANGER


def _single(judge: HouseholdJudge, observation: FaceObservation) -> str:
    name, score = judge.recognise(observation).ranked()[0]
    return name if score >= judge.thresholds[name] else STRANGER


def _usable(track: Track) -> list[FaceObservation]:
    return [observation for _, observation in track if observation.quality.usable]


def _settled(word: str | None, faces: int) -> TrackOutcome:
    return TrackOutcome(word, frozenset([word]) if word else frozenset(), faces)


RULES: Mapping[str, TrackRule] = {
    "ours": ours,
    "one best frame": best_frame,
    "majority vote": majority,
    "Frigate's rule": frigate,
}
