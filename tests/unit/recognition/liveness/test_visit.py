"""The cues of a visit joined: how much is needed for a doubt."""

from __future__ import annotations

import pytest

from facesecure.recognition.liveness.antispoof import SpoofScores
from facesecure.recognition.liveness.surroundings import PairMotion
from facesecure.recognition.liveness.visit import Limits, VisitCues

T, A, S = PairMotion.TOGETHER, PairMotion.APART, PairMotion.STILL


def cues(*motions: PairMotion, scores: SpoofScores | None = None, limits: Limits | None = None) -> VisitCues:
    found = VisitCues()
    for motion in motions:
        found = found.seen(motion, scores).judged(limits or Limits())
    return found


@pytest.mark.parametrize(
    ("motions", "doubted"),
    [
        ((T, T, T, T), False),
        ((T, T, T, T, T), True),
        ((T, A, T, A, T), True),
        ((T, A, A, A, T, A), False),
        ((S,) * 30, False),
        ((T, T, S, S, S, S), False),
    ],
)
def test_half_of_five_movements_must_be_together(motions: tuple[PairMotion, ...], doubted: bool) -> None:
    assert bool(cues(*motions).doubt) is doubted


@pytest.mark.parametrize(
    ("scores", "faces", "doubted"),
    [
        (SpoofScores(0.9, 0.9), 4, True),
        (SpoofScores(0.9, 0.9), 3, False),
        (SpoofScores(1.0, 0.7), 8, False),
        (SpoofScores(0.7, 1.0), 8, False),
    ],
)
def test_both_networks_must_say_so_of_four_faces(scores: SpoofScores, faces: int, doubted: bool) -> None:
    assert bool(cues(*(S,) * faces, scores=scores).doubt) is doubted


def test_a_doubt_stays_and_says_why() -> None:
    doubted = cues(*(S,) * 4, scores=SpoofScores(0.9, 0.95))
    assert doubted.doubt == "4 faces look like a screen or a print (0.90 of 1)"
    later = doubted
    for _ in range(20):
        later = later.seen(A, SpoofScores(0, 0)).judged(Limits())
    assert later.doubt == doubted.doubt
    assert cues(T, T, T, T, T).doubt == "its surroundings moved with the face (5 of 5 times)"


def test_higher_limits_need_more() -> None:
    assert not cues(*(S,) * 4, scores=SpoofScores(0.9, 0.9), limits=Limits(score=0.95)).doubt
    assert not cues(T, A, T, A, T, limits=Limits(together=0.7)).doubt


def test_only_a_suspicious_visit_is_waited_for() -> None:
    assert not cues(S, S).suspicious
    assert not cues(A, A, T).suspicious
    assert cues(T, T).suspicious
    assert cues(S, S, scores=SpoofScores(0.9, 0.8)).suspicious
    assert not cues(S, S, scores=SpoofScores(0.9, 0.1)).suspicious
    assert not cues(*(S,) * 4, scores=SpoofScores(0.9, 0.6)).suspicious, "four faces have decided"
    assert not cues(*(S,) * 4, scores=SpoofScores(0.9, 0.9)).suspicious, "it is doubted already"
