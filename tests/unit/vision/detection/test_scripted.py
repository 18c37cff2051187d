from __future__ import annotations

import numpy as np

from facesecure.vision.detection.scripted import ScriptedDetector
from support.builders import face_at

PICTURE = np.zeros((20, 20, 3), np.uint8)


def test_it_finds_what_it_was_told_in_turn_and_then_nothing():
    first, second = face_at(5, 5), face_at(9, 9)
    detector = ScriptedDetector([[first], [], [second]])
    assert [detector.detect(PICTURE) for _ in range(5)] == [[first], [], [second], [], []]


def test_it_hands_over_the_largest_first_like_any_other():
    small, large = face_at(5, 5, size=10), face_at(9, 9, size=90)
    assert ScriptedDetector([[small, large]]).detect(PICTURE) == [large, small]


def test_it_remembers_what_it_was_shown():
    detector = ScriptedDetector([])
    detector.detect(PICTURE)
    assert detector.seen == [PICTURE]
