"""Annotated frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facesecure.app.demo.annotate import COLOURS, annotate, label
from facesecure.domain import Verdict, VerdictKind
from facesecure.pipeline.tracker import Track
from support.builders import face_at

KNOWN = Verdict(VerdictKind.KNOWN, "because", name="Zoë Müller", score=0.714)
STRANGER = Verdict(VerdictKind.STRANGER, "because", score=0.1)
UNSURE = Verdict(VerdictKind.UNIDENTIFIED, "because")


def _track(verdict: Verdict) -> Track:
    return Track(3, face_at(150, 150, 80), first_seen=0, last_seen=1, now=1, verdict=verdict)


def _black() -> np.ndarray:
    return np.zeros((300, 400, 3), np.uint8)


@pytest.mark.parametrize("verdict", [KNOWN, STRANGER, UNSURE], ids=lambda verdict: str(verdict.kind))
def test_a_face_is_framed_in_its_verdicts_colour(verdict: Verdict) -> None:
    drawn = annotate(_black(), [_track(verdict)])
    assert (drawn[150, 108:114] == COLOURS[verdict.kind]).all(1).any()


def test_the_picture_given_is_not_drawn_into() -> None:
    image = _black()
    annotate(image, [_track(KNOWN)], "noon")
    assert not image.any()


def test_a_track_that_has_ended_is_not_drawn() -> None:
    assert not annotate(_black(), [replace(_track(KNOWN), ended=True)]).any()


def test_a_face_at_the_very_corner_is_drawn_without_complaint() -> None:
    track = replace(_track(STRANGER), face=face_at(5, 5, 80))
    assert annotate(_black(), [track]).any()


def test_a_label_has_number_name_and_score() -> None:
    assert label(3, KNOWN) == "#3 Zoë Müller 0.71"
    assert label(None, UNSURE) == "unidentified"
