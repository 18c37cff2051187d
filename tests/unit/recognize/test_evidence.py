import pytest

from facesecure.recognize.evidence import Evidence, Tally
from support.builders import looks_like, quality


def test_neighbouring_frames_count_for_less_than_frames_apart():
    near, far = Evidence(), Evidence()
    for number in range(5):
        near = near.add(looks_like(Tom=0.5), quality(), number * 0.05)
        far = far.add(looks_like(Tom=0.5), quality(), number * 2.0)
    assert near.tallies["Tom"].faces < 2 < 4 < far.tallies["Tom"].faces


def test_a_better_picture_weighs_more():
    evidence = (
        Evidence().add(looks_like(Tom=0.1), quality(clarity=0.1), 0).add(looks_like(Tom=0.7), quality(clarity=1), 5)
    )
    assert evidence.tallies["Tom"].mean > 0.6


def test_equally_clear_faces_far_apart_are_worth_their_number_however_clear_they_are():
    for clarity in (1.0, 0.6):
        tally = Tally()
        for _ in range(5):
            tally = tally.add(0.5, clarity, 1.0)
        assert tally.faces == pytest.approx(5)
        assert tally.clarity == pytest.approx(clarity)


def test_one_clear_face_among_many_unclear_ones_counts_for_most_of_them():
    tally = Tally()
    for _ in range(5):
        tally = tally.add(0.3, 0.5, 0.25)
    tally = tally.add(0.85, 1.0, 0.25)
    assert tally.mean > 0.65
    assert tally.clarity > 0.85


def test_a_face_too_poor_to_tell_is_no_evidence():
    evidence = Evidence().refuse(quality(reasons=("too dark",)))
    assert (evidence.usable, evidence.refused, evidence.last_reasons) == (0, 1, ("too dark",))
    assert evidence.ranked() == []
