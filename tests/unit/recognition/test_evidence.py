import dataclasses

import numpy as np
import pytest

from facesecure.recognition.evidence import Evidence, ScoreAccumulator
from support.builders import looks_like, quality


def test_neighbouring_frames_count_for_less_than_frames_apart():
    near, far = Evidence(), Evidence()
    for number in range(5):
        near = near.add(looks_like(Tom=0.5), quality(), number * 0.05)
        far = far.add(looks_like(Tom=0.5), quality(), number * 2.0)
    assert near.accumulators["Tom"].effective_faces < 2 < 4 < far.accumulators["Tom"].effective_faces


def test_a_better_picture_weighs_more():
    evidence = (
        Evidence().add(looks_like(Tom=0.1), quality(clarity=0.1), 0).add(looks_like(Tom=0.7), quality(clarity=1), 5)
    )
    assert evidence.accumulators["Tom"].score > 0.6


def test_equally_clear_faces_far_apart_are_worth_their_number_however_clear_they_are():
    for clarity in (1.0, 0.6):
        scores = ScoreAccumulator()
        for _ in range(5):
            scores = scores.add(0.5, clarity, 1.0)
        assert scores.effective_faces == pytest.approx(5)
        assert scores.clarity == pytest.approx(clarity)


def test_one_clear_face_among_many_unclear_ones_counts_for_most_of_them():
    scores = ScoreAccumulator()
    for _ in range(5):
        scores = scores.add(0.3, 0.5, 0.25)
    scores = scores.add(0.85, 1.0, 0.25)
    assert scores.score > 0.65
    assert scores.clarity > 0.85


def test_a_face_too_poor_to_tell_is_no_evidence():
    evidence = Evidence().refuse(quality(reasons=("too dark",)))
    assert (evidence.usable, evidence.refused, evidence.last_reasons) == (0, 1, ("too dark",))
    assert evidence.ranked() == []


def seen(*vectors: tuple[float, float], clarity: float = 1.0) -> Evidence:
    """Faces of plane unit vectors, two seconds apart, beside Tom's template (1, 0)."""
    evidence = Evidence()
    for number, vector in enumerate(vectors):
        embedding = np.array(vector, np.float32)
        recognition = dataclasses.replace(looks_like(Tom=float(embedding[0])), embedding=embedding)
        evidence = evidence.add(recognition, quality(clarity=clarity), number * 2.0)
    return evidence


def test_a_visit_scores_as_the_direction_of_the_mean_of_its_faces():
    scores = seen((0.8, 0.6), (0.8, -0.6)).accumulators["Tom"]
    assert scores.length == pytest.approx(0.8, abs=0.01)
    assert scores.score > 0.99


def test_faces_that_are_all_the_same_score_as_one_of_them():
    assert seen(*[(0.6, 0.8)] * 6).accumulators["Tom"].score == pytest.approx(0.6)


def test_half_a_visit_of_somebody_else_is_not_averaged_away():
    shared = seen((1.0, 0.0), (-0.6, 0.8), (1.0, 0.0), (-0.6, 0.8)).accumulators["Tom"]
    assert shared.length == pytest.approx(0.6)
    assert shared.score < 0.45


def test_who_is_enrolled_in_the_middle_of_a_visit_is_compared_with_the_faces_since():
    evidence = seen((0.0, 1.0))
    both = dataclasses.replace(looks_like(Tom=1.0, Ann=1.0), embedding=np.array([1, 0], np.float32))
    evidence = evidence.add(both, quality(), 2.0)
    assert evidence.accumulators["Ann"].score == pytest.approx(1.0)
    assert evidence.accumulators["Tom"].score < 0.85


def test_scores_without_embeddings_are_averaged():
    evidence = Evidence().add(looks_like(Tom=0.8), quality(), 0).add(looks_like(Tom=0.4), quality(), 10)
    assert evidence.accumulators["Tom"].score == pytest.approx(0.6, abs=0.01)
